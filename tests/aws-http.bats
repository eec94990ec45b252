# How AWS is reached: certificates, proxies, names that have no address. Against tests/peers/stubs/credentials.py, over TLS;
# ryde-admin whoami --verify asks it who the credentials are.
bats_require_minimum_version 1.5.0

load wait

setup_file() {
	cd "$BATS_FILE_TMPDIR" || exit 1
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test \
	    -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
	python3 "$BATS_TEST_DIRNAME/peers/stubs/credentials.py" port log cert.pem key.pem 3>&- &
	echo $! > pid
	python3 "$BATS_TEST_DIRNAME/peers/stubs/credentials.py" proxy-port proxy-log 3>&- &
	echo $! >> pid
	until_ok test -s port
	until_ok test -s proxy-port
	export PORT=$(cat port) PROXY=http://127.0.0.1:$(cat proxy-port) FILES=$PWD
}

teardown_file() {
	while read -r pid; do kill "$pid"; done < "$BATS_FILE_TMPDIR/pid"
}

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	for v in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p') http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE; do unset "$v"; done
	export HOME=$PWD AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=AKIABASE AWS_SECRET_ACCESS_KEY=base-secret AWS_MAX_ATTEMPTS=1
	export AWS_ENDPOINT_URL_STS=https://127.0.0.1:$PORT/ok
	: > "$FILES/log"
	: > "$FILES/proxy-log"
}

verify() { ryde-admin whoami --verify | jq -r 'select(.kind == "identity").account'; }
fails() {
	run -"$1" --separate-stderr ryde-admin whoami --verify
	[ "${#stderr_lines[@]}" -eq 1 ] || { echo "$stderr"; false; }
	[[ $stderr == *"$2"* ]] || { echo "$stderr"; false; }
}

@test "a certificate is verified; AWS_CA_BUNDLE and ca_bundle name who is trusted" {
	fails 78 'does not verify'
	[[ $stderr == *AWS_CA_BUNDLE* ]]
	[ ! -s "$FILES/log" ]
	[ "$(AWS_CA_BUNDLE=$FILES/cert.pem verify)" = 123456789012 ]
	mkdir .aws
	printf '[default]\nca_bundle = %s/cert.pem\n' "$FILES" > .aws/config
	[ "$(verify)" = 123456789012 ]
	AWS_CA_BUNDLE=$PWD/none fails 78 'does not verify'
	# right authority, wrong name
	AWS_CA_BUNDLE=$FILES/cert.pem AWS_ENDPOINT_URL_STS=https://localhost:$PORT/ok fails 78 'does not verify'
}

@test "HTTPS_PROXY and NO_PROXY" {
	export AWS_CA_BUNDLE=$FILES/cert.pem HTTPS_PROXY=$PROXY
	fails 69 '127.0.0.1'
	[ "$(jq -r '"\(.method) \(.path)"' "$FILES/proxy-log")" = "CONNECT 127.0.0.1:$PORT" ]
	[ ! -s "$FILES/log" ]
	[ "$(NO_PROXY=127.0.0.1 verify)" = 123456789012 ]
}

@test "plain http where TLS is spoken, TLS where it is not, nobody there, no such name" {
	AWS_ENDPOINT_URL_STS=http://127.0.0.1:$PORT/ok fails 69 '127.0.0.1'
	AWS_ENDPOINT_URL_STS=https${PROXY#http}/ok fails 69 '127.0.0.1'
	AWS_ENDPOINT_URL_STS=https://127.0.0.1:1 fails 69 'nobody answers at 127.0.0.1:1'
	AWS_ENDPOINT_URL_STS=https://sts.nowhere.invalid fails 69 'sts.nowhere.invalid has no address'
}
