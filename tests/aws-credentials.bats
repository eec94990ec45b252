# Where AWS credentials, regions and endpoints come from, against the services that hand them out, played on loopback by
# tests/peers/stubs/credentials.py. What is used is what ryde-admin whoami says, and what STS sees (--verify).
bats_require_minimum_version 1.5.0

load wait

setup_file() {
	cd "$BATS_FILE_TMPDIR" || exit 1
	python3 "$BATS_TEST_DIRNAME/peers/stubs/credentials.py" port log 3>&- &
	echo $! > pid
	until_ok test -s port
	export STUB=http://127.0.0.1:$(cat port) LOG=$PWD/log
}

teardown_file() {
	kill "$(cat "$BATS_FILE_TMPDIR/pid")"
}

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	for v in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p') http_proxy https_proxy HTTP_PROXY HTTPS_PROXY; do unset "$v"; done
	export HOME=$PWD AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
	export AWS_ENDPOINT_URL_STS=$STUB/ok AWS_ENDPOINT_URL_SSO=$STUB/ok AWS_ENDPOINT_URL_SSO_OIDC=$STUB/ok AWS_ENDPOINT_URL_COGNITO_IDENTITY=$STUB/ok
	unset XDG_CACHE_HOME
	mkdir -p .aws/sso/cache
	: > "$LOG"
}

config() { cat > .aws/config; }
credentials() { cat > .aws/credentials; }
# The access key that would be used; with --verify STS has seen its signature.
key() { ryde-admin whoami "$@" | jq -r 'select(.kind == "credentials").value'; }
source_of() { ryde-admin whoami "$@" | jq -r 'select(.kind == "credentials").from'; }
why() { (ryde-admin whoami "${@:2}" || :) 2>/dev/null | jq -r --arg s "$1" 'select(.kind == "source" and .value == $s).why'; }
asked() { jq -r '"\(.method) \(.path)"' "$LOG"; }
# The program fails with this status, and one line that has these words; no secret of ours is in it.
fails() {
	local status=$1 words=$2
	shift 2
	run -"$status" --separate-stderr ryde-admin whoami "$@"
	[ "${#stderr_lines[@]}" -eq 1 ] || { echo "$stderr"; false; }
	[[ $stderr == *"$words"* ]] || { echo "$stderr"; false; }
	[[ $stderr$output != *secret-of* && $stderr$output != *base-secret* ]]
}
base_profile() {
	credentials <<-'E'
		[default]
		aws_access_key_id = AKIABASE
		aws_secret_access_key = base-secret
	E
}

@test "environment: used first; half of it is an error; a token; it expires; --profile goes before it" {
	base_profile
	export AWS_ACCESS_KEY_ID=AKIAOTHER AWS_SECRET_ACCESS_KEY=other-secret
	[ "$(source_of)" = environment ]
	run -0 ryde-admin whoami --verify
	[ "$(jq -r 'select(.kind == "identity") | "\(.account) \(.value)"' <<< "$output")" = '123456789012 arn:aws:iam::123456789012:user/AKIAOTHER' ]
	[ "$(why profile)" = 'not looked at: another comes first' ]
	[ "$(key --profile default)" = AKIABASE ]
	[ "$(why environment --profile default)" = '--profile goes before it' ]
	AWS_PROFILE=default run -0 key
	[ "$output" = AKIAOTHER ]
	AWS_CREDENTIAL_EXPIRATION=2040-01-02T03:04:05Z run -0 ryde-admin whoami
	[[ $output == *'"expires":"2040-01-02T03:04:05.000Z"'* ]]
	AWS_SESSION_TOKEN=t run -0 ryde-admin whoami --verify
	[[ $output == *'"temporary":true'* ]]
	AWS_CREDENTIAL_EXPIRATION=soon fails 78 "is no time"
	unset AWS_SECRET_ACCESS_KEY
	fails 77 'AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not'
}

@test "no credentials anywhere: 77, and each place says why" {
	fails 77 'no AWS credentials'
	[ "$(why environment)" = 'AWS_ACCESS_KEY_ID is not set' ]
	[ "$(why profile)" = 'neither file has a profile default' ]
	[ "$(why container)" = 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set' ]
	[ "$(why instance)" = 'AWS_EC2_METADATA_DISABLED is true' ]
}

@test "profiles: both files, which goes first, their grammar, and what is wrong with them" {
	config <<-'E'
		# a comment
		[default]
		aws_access_key_id = CONFIGKEY
		aws_secret_access_key = c
		region = eu-central-1
		[profile "two words"]
		AWS_Access_Key_Id=TWO
		aws_secret_access_key=t
		s3 =
		  addressing_style = path
		[named]
		aws_access_key_id = PASSEDOVER
	E
	[ "$(key)" = CONFIGKEY ]
	[ "$(key --profile 'two words')" = TWO ]
	base_profile
	[ "$(key)" = AKIABASE ]
	[ "$(AWS_PROFILE='two words' key)" = TWO ]
	[ "$(AWS_DEFAULT_PROFILE='two words' key)" = TWO ]
	fails 78 'in the config file write [profile named], not [named]' --profile named
	fails 78 'there is no profile nobody (--profile)' --profile nobody
	AWS_PROFILE=nobody fails 78 'there is no profile nobody (AWS_PROFILE)'
	printf '[default]\naws_access_key_id = A\nnothing\n' | credentials
	fails 78 'credentials:3: neither a [section] nor '
	printf 'a = b\n' | credentials
	fails 78 'credentials:1: a setting stands before the first [section]'
	printf '[default\n' | config
	fails 78 'config:1: a section has no'
	rm .aws/config
	printf '\357\273\277[default]\r\naws_access_key_id: AKIABASE\r\naws_secret_access_key: base-secret\r\n' | credentials
	[ "$(key --verify)" = AKIABASE ]
	printf '[default]\naws_access_key_id = A\n' | credentials
	fails 77 'no secret access key'
	printf '[default]\naws_access_key_id = A\naws_secret_access_key = b c\n' | credentials
	fails 77 'characters that no key has'
	mv .aws/credentials elsewhere
	AWS_SHARED_CREDENTIALS_FILE=elsewhere fails 77 'characters that no key has'
}

@test "roles: from keys, behind each other, from the environment; what the service is asked" {
	base_profile
	config <<-'E'
		[profile a]
		role_arn = arn:aws:iam::1:role/A
		source_profile = default
		external_id = x&y
		duration_seconds = 900
		role_session_name = me
		[profile b]
		role_arn = arn:aws:iam::1:role/B
		source_profile = a
		[profile self]
		role_arn = arn:aws:iam::1:role/S
		source_profile = self
		aws_access_key_id = AKIAOTHER
		aws_secret_access_key = other-secret
		[profile env]
		role_arn = arn:aws:iam::1:role/E
		credential_source = Environment
	E
	[ "$(key --profile a --verify)" = 'ROLE-A-BY-AKIABASE-x&y-900' ]
	grep -q 'RoleSessionName=me' "$LOG"
	[ "$(key --profile b)" = 'ROLE-B-BY-ROLE-A-BY-AKIABASE-x&y-900-none-none' ]
	[ "$(key --profile self)" = ROLE-S-BY-AKIAOTHER-none-none ]
	[ "$(AWS_ACCESS_KEY_ID=AKIABASE AWS_SECRET_ACCESS_KEY=base-secret AWS_PROFILE=env key)" = AKIABASE ]
	AWS_ENDPOINT_URL_STS=$STUB/flaky run -0 key --profile a
	AWS_ENDPOINT_URL_STS=$STUB/denied fails 77 'role arn:aws:iam::1:role/A: HTTP 403, AccessDenied: User <x> may not do this' --profile a
	AWS_ENDPOINT_URL_STS=$STUB/broken fails 69 'role arn:aws:iam::1:role/A: HTTP 500' --profile a
	AWS_ENDPOINT_URL_STS=$STUB/html fails 77 'role arn:aws:iam::1:role/A' --profile a
	AWS_ENDPOINT_URL_STS=http://127.0.0.1:1 fails 69 'role arn:aws:iam::1:role/A' --profile a
}

@test "roles that cannot work: loops, no source, two sources, MFA, a bad duration" {
	base_profile
	config <<-'E'
		[profile loop1]
		role_arn = arn:aws:iam::1:role/A
		source_profile = loop2
		[profile loop2]
		role_arn = arn:aws:iam::1:role/B
		source_profile = loop1
		[profile none]
		role_arn = arn:aws:iam::1:role/A
		[profile both]
		role_arn = arn:aws:iam::1:role/A
		source_profile = default
		credential_source = Environment
		[profile mfa]
		role_arn = arn:aws:iam::1:role/A
		source_profile = default
		mfa_serial = arn:aws:iam::1:mfa/me
		[profile long]
		role_arn = arn:aws:iam::1:role/A
		source_profile = default
		duration_seconds = 9
		[profile lost]
		role_arn = arn:aws:iam::1:role/A
		source_profile = nobody
		[profile odd]
		role_arn = arn:aws:iam::1:role/A
		credential_source = Pocket
	E
	fails 78 'leads back to itself' --profile loop1
	fails 78 'neither source_profile nor credential_source' --profile none
	fails 78 'both source_profile and credential_source' --profile both
	fails 77 'MFA' --profile mfa
	fails 78 'from 900 to 43200' --profile long
	fails 78 'there is no such profile' --profile lost
	fails 78 "'Pocket' is none of" --profile odd
}

@test "web identity: environment and profile, not signed" {
	printf 'web token/1\n' > token
	AWS_WEB_IDENTITY_TOKEN_FILE=$PWD/token AWS_ROLE_ARN=arn:aws:iam::1:role/W run -0 key --verify
	[ "$output" = ROLE-W-BY-WEB-none-none ]
	[ "$(jq -r 'select(.body | startswith("Action=AssumeRoleWith")).headers.authorization' "$LOG" | sort -u)" = null ]
	printf '[profile w]\nrole_arn = arn:aws:iam::1:role/P\nweb_identity_token_file = %s/token\n' "$PWD" | config
	[ "$(key --profile w)" = ROLE-P-BY-WEB-none-none ]
	AWS_WEB_IDENTITY_TOKEN_FILE=$PWD/token fails 78 'AWS_ROLE_ARN is not'
	AWS_WEB_IDENTITY_TOKEN_FILE=$PWD/none AWS_ROLE_ARN=arn:aws:iam::1:role/W fails 66 'none'
	echo stale > token
	AWS_WEB_IDENTITY_TOKEN_FILE=$PWD/token AWS_ROLE_ARN=arn:aws:iam::1:role/W fails 77 AccessDenied
}

sso_token() { # NAME TOKEN EXPIRES [MORE]
	printf '{"startUrl":"https://x/start","accessToken":"%s","expiresAt":"%s"%s}' "$2" "$3" "${4-}" \
	    > ".aws/sso/cache/$(printf %s "$1" | sha1sum | cut -d ' ' -f 1).json"
}

@test "IAM Identity Center: a login, its renewal, its end, and the old form" {
	config <<-'E'
		[sso-session corp]
		sso_start_url = https://x/start
		sso_region = eu-west-1
		[profile s]
		sso_session = corp
		sso_account_id = 0123
		sso_role_name = Read Only
		[profile old]
		sso_start_url = https://old/start
		sso_region = eu-west-1
		sso_account_id = 9
		sso_role_name = R
		[profile half]
		sso_session = corp
		sso_account_id = 1
		[profile lost]
		sso_session = nowhere
		sso_account_id = 1
		sso_role_name = R
	E
	fails 77 "nobody has logged in: run 'aws sso login --profile s'" --profile s
	sso_token corp good-1 2040-01-01T00:00:00Z
	fails 77 'characters that no key has' --profile s # the stub's key has the role's blank in it
	sed -i 's/Read Only/ReadOnly/' .aws/config
	[ "$(key --profile s --verify)" = SSO-0123-ReadOnly-good-1 ]
	sso_token https://old/start good-old 2040-01-01T00:00:00UTC
	[ "$(key --profile old)" = SSO-9-R-good-old ]
	# about to expire: renewed, and the file keeps its other members
	sso_token corp good-1 "$(date -u -d '5 minutes' +%FT%TZ)" ',"clientId":"c","clientSecret":"client \"secret\"","refreshToken":"refresh-1","registrationExpiresAt":"2040-01-01T00:00:00Z"'
	[ "$(key --profile s)" = SSO-0123-ReadOnly-good-renewed ]
	file=.aws/sso/cache/$(printf corp | sha1sum | cut -d ' ' -f 1).json
	[ "$(jq -r '"\(.accessToken) \(.refreshToken) \(.clientSecret) \(.startUrl)"' "$file")" = 'good-renewed refresh-2 client "secret" https://x/start' ]
	[ "$(jq -r '.expiresAt | fromdate > now + 3500' "$file")" = true ]
	# the refresh token is used up: good to its end, then no more
	sso_token corp good-2 "$(date -u -d '5 minutes' +%FT%TZ)" ',"clientId":"c","clientSecret":"x","refreshToken":"refresh-9"'
	[ "$(key --profile s)" = SSO-0123-ReadOnly-good-2 ]
	sso_token corp good-2 2020-01-01T00:00:00Z ',"clientId":"c","clientSecret":"x","refreshToken":"refresh-9"'
	fails 77 "the login has expired: run 'aws sso login --profile s'" --profile s
	sso_token corp bad 2040-01-01T00:00:00Z
	fails 77 "the login has expired" --profile s
	echo '{' > "$file"
	fails 77 "the login's file cannot be read" --profile s
	fails 78 'lacks sso_role_name' --profile half
	fails 78 'there is no [sso-session nowhere]' --profile lost
}

@test "credential_process: words and quotes, no shell, and each way in which it goes wrong" {
	cat > give <<-'E'
		#!/bin/sh
		[ "$1" = 'two words $HOME' ] || exit 3
		[ ! -t 0 ] && read -r line && exit 4
		echo '{"Version":1,"AccessKeyId":"PROCESS","SecretAccessKey":"secret-of-PROCESS","SessionToken":"t","Expiration":"2040-01-01T00:00:00Z"}'
	E
	chmod +x give
	process() { printf '[profile p]\ncredential_process = %s\n' "$1" | config; }
	process "$PWD/give \"two words \$HOME\""
	[ "$(key --profile p --verify)" = PROCESS ]
	process "$PWD/give one"
	fails 77 'it ended with status 3' --profile p
	process "$PWD/nothing"
	fails 77 'cannot run' --profile p
	process "echo hello"
	fails 77 'no JSON object with "Version": 1' --profile p
	process "echo '{\"Version\":2,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"b\"}'"
	fails 77 'no JSON object with "Version": 1' --profile p
	process "echo '{\"Version\":1,\"AccessKeyId\":\"A\"}'"
	fails 77 'no secret access key' --profile p
	process "echo 'open"
	fails 78 'a quote has no end' --profile p
	process "sh -c 'kill -9 \$\$'"
	fails 77 'it died of signal 9' --profile p
	process "yes"
	fails 77 'it prints more than' --profile p
}

@test "containers: with and without a token, its file read again, where they may be asked" {
	export AWS_CONTAINER_CREDENTIALS_FULL_URI=$STUB/ok/container
	[ "$(key --verify)" = CONTAINER ]
	[ "$(AWS_CONTAINER_AUTHORIZATION_TOKEN='pod token' key)" = CONTAINER-AUTH ]
	echo 'pod token' > token
	[ "$(AWS_CONTAINER_AUTHORIZATION_TOKEN=wrong AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=token key)" = CONTAINER-AUTH ]
	AWS_CONTAINER_AUTHORIZATION_TOKEN=wrong fails 77 'container: HTTP 403, AccessDenied: wrong token'
	AWS_CONTAINER_AUTHORIZATION_TOKEN=$'a\r\nb' fails 78 'line break'
	for url in http://example.com/x http://127.0.0.1@example.com/ http://127.example.com/ http://169.254.170.25/ ftp://127.0.0.1/ http://localhost.example.com/; do
		AWS_CONTAINER_CREDENTIALS_FULL_URI=$url fails 78 'may not be asked'
	done
	AWS_CONTAINER_CREDENTIALS_FULL_URI=$STUB/flaky/container run -0 key
	AWS_CONTAINER_CREDENTIALS_FULL_URI=$STUB/html/container fails 77 'no JSON'
}

@test "an instance: version 2, then 1 where that is allowed; no role; not there; silent" {
	unset AWS_EC2_METADATA_DISABLED
	export AWS_EC2_METADATA_SERVICE_ENDPOINT=$STUB/ok/
	[ "$(key --verify)" = INSTANCE ]
	[ "$(source_of)" = 'instance role the-role' ]
	[ "$(asked | head -n 3)" = 'PUT /ok/latest/api/token
GET /ok/latest/meta-data/iam/security-credentials/
GET /ok/latest/meta-data/iam/security-credentials/the-role' ]
	AWS_EC2_METADATA_SERVICE_ENDPOINT=$STUB/v1 run -0 key
	[ "$output" = INSTANCE ]
	AWS_EC2_METADATA_V1_DISABLED=true AWS_EC2_METADATA_SERVICE_ENDPOINT=$STUB/v1 fails 77 'no AWS credentials'
	AWS_EC2_METADATA_SERVICE_ENDPOINT=$STUB/badtoken fails 77 'no AWS credentials'
	AWS_EC2_METADATA_SERVICE_ENDPOINT=$STUB/norole fails 77 'no AWS credentials'
	AWS_EC2_METADATA_SERVICE_ENDPOINT=$STUB/failed fails 77 'instance'
	AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1 fails 77 'no AWS credentials'
	: > "$LOG"
	# a token that never comes (a container one hop too far away) costs one time-out, and the old way another
	AWS_EC2_METADATA_SERVICE_ENDPOINT=$STUB/silent fails 77 'no AWS credentials'
	[ "$(asked | wc -l)" -eq 2 ]
}

@test "Cognito: a guest's identity is made once and kept; one that is gone is made anew" {
	pool=us-west-2:00000000-aaaa
	first=$(key --identity-pool $pool --verify)
	[[ $first == COGNITO-identity-* ]]
	[ "$(key --identity-pool $pool)" = "$first" ]
	[ "$(jq -r 'select(.headers["x-amz-target"] == "AWSCognitoIdentityService.GetId").body' "$LOG" | wc -l)" -eq 1 ]
	file=.cache/ryde/identities/$pool
	[ "$(cat "$file")" = "us-west-2:${first#COGNITO-}" ]
	[ "$(stat -c %a "$file" .cache/ryde)" = '600
700' ]
	echo us-west-2:old > "$file"
	AWS_ENDPOINT_URL_COGNITO_IDENTITY=$STUB/gone run -0 key --identity-pool $pool
	[[ $output == COGNITO-identity-* ]]
	# the pool goes before everything else, and names the region where nothing else does
	base_profile
	export AWS_ACCESS_KEY_ID=AKIAOTHER AWS_SECRET_ACCESS_KEY=other-secret
	unset AWS_REGION
	run -0 ryde-admin whoami --identity-pool $pool
	[[ $output == *'{"kind":"region","value":"us-west-2","from":"--identity-pool"}'* ]]
	[ "$(jq -r 'select(.kind == "credentials").from' <<< "$output")" = "identity pool $pool, guest" ]
	export AWS_REGION=us-east-1
	AWS_ENDPOINT_URL_COGNITO_IDENTITY=$STUB/denied fails 77 'Unauthenticated access is not supported' --identity-pool us-west-2:other
	fails 78 'not of the form REGION:ID' --identity-pool nonsense
}

@test "Cognito: logged in, with a token file that is read again" {
	pool=us-west-2:00000000-bbbb
	echo login-token > token
	[ "$(key --identity-pool $pool --login idp.example.com=token --verify)" = COGNITO-identity-user ]
	[ ! -e .cache ]
	echo stale > token
	fails 77 'Invalid login token' --identity-pool $pool --login idp.example.com=token
	fails 64 'not PROVIDER=TOKENFILE' --identity-pool $pool --login token
	fails 64 '--login needs --identity-pool' --login idp.example.com=token
	fails 66 'nowhere' --identity-pool $pool --login idp.example.com=nowhere
}

endpoint() { ryde-admin whoami "${@:2}" | jq -r --arg s "$1" 'select(.kind == "endpoint" and .service == $s) | "\(.value) \(.from)"'; }

@test "region and endpoints: which one counts" {
	base_profile
	config <<-'E'
		[default]
		region = eu-north-1
		services = mine
		endpoint_url = http://profile:1
		[services mine]
		kinesis =
		  endpoint_url = http://kinesis:2
		dynamodb =
		  endpoint_url = https://dynamo:443/base/
		[profile plain]
		region = cn-north-1
		aws_access_key_id = A
		aws_secret_access_key = b
		[profile dangling]
		services = none
	E
	unset AWS_REGION AWS_ENDPOINT_URL_STS
	[ "$(endpoint kinesis)" = 'http://kinesis:2 services of the profile' ]
	[ "$(endpoint dynamodb)" = 'https://dynamo/base services of the profile' ]
	[ "$(endpoint sqs)" = 'http://profile:1 endpoint_url of the profile' ]
	[ "$(AWS_ENDPOINT_URL=http://all:3 endpoint kinesis)" = 'http://all:3 AWS_ENDPOINT_URL' ]
	[ "$(AWS_ENDPOINT_URL=http://all:3 AWS_ENDPOINT_URL_KINESIS=http://[::1]:4 endpoint kinesis)" = 'http://[::1]:4 AWS_ENDPOINT_URL_KINESIS' ]
	[ "$(AWS_ENDPOINT_URL_KINESIS=http://k:4 endpoint kinesis --endpoint-url http://option:5)" = 'http://option:5 --endpoint-url' ]
	[ "$(AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true AWS_ENDPOINT_URL=http://all:3 endpoint kinesis)" = "https://kinesis.eu-north-1.amazonaws.com AWS's own" ]
	[ "$(endpoint s3 --profile plain)" = "https://s3.cn-north-1.amazonaws.com.cn AWS's own" ]
	[ "$(AWS_USE_FIPS_ENDPOINT=true AWS_USE_DUALSTACK_ENDPOINT=true AWS_REGION=us-east-1 endpoint kinesis --profile plain)" = "https://kinesis-fips.us-east-1.api.aws AWS's own" ]
	region() { ryde-admin whoami "$@" | jq -r 'select(.kind == "region") | "\(.value) \(.from)"'; }
	[ "$(region)" = 'eu-north-1 region of the profile' ]
	[ "$(AWS_DEFAULT_REGION=us-west-1 region)" = 'us-west-1 AWS_DEFAULT_REGION' ]
	[ "$(AWS_DEFAULT_REGION=us-west-1 AWS_REGION=us-west-2 region)" = 'us-west-2 AWS_REGION' ]
	[ "$(AWS_REGION=us-west-2 region --region ap-south-1)" = 'ap-south-1 --region' ]
	export AWS_ACCESS_KEY_ID=A AWS_SECRET_ACCESS_KEY=b
	AWS_REGION=us-east-1 AWS_PROFILE=dangling fails 78 'there is no [services none]'
	fails 78 'is no endpoint' --endpoint-url localhost:4566
	fails 78 'is no endpoint' --endpoint-url http://user:pass@host
	AWS_ENDPOINT_URL=http://ho\ st fails 78 "AWS_ENDPOINT_URL: 'http://ho st' is no endpoint"
	AWS_MAX_ATTEMPTS=many fails 78 'AWS_MAX_ATTEMPTS'
	rm .aws/config
	fails 78 'which region?'
	fails 78 'the region is none' --region 'us east'
}
