# ryde-query over archives in S3, against the stub that ryde-archive's own tests use.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run TMPDIR=$PWD/tmp
	export AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=secret AWS_REGION=us-east-1
	export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
	unset AWS_PROFILE AWS_SESSION_TOKEN RYDE_STORE
	mkdir tmp
}

teardown() {
	[ -z "${stub-}" ] || kill "$stub" 2> /dev/null || :
	# copies of objects have no names
	[ -z "$(ls tmp)" ]
}

load wait

# stub [FAULT...]
stub() {
	python3 "$BATS_TEST_DIRNAME/peers/stubs/s3_firehose" far "$@" > stub.log 2>&1 3>&- &
	stub=$!
	until_ok test -s far/port
	AWS_ENDPOINT_URL=http://127.0.0.1:$(cat far/port)
	export AWS_ENDPOINT_URL
}

# hours FIRST LAST [LINES]: an object for each hour of a day, every other one packed
hours() {
	for h in $(seq -w "$1" "$2"); do
		packed=--gzip
		[ $((10#$h % 2)) -eq 0 ] || packed=
		ryde-unicorn -c 3 -m "${3-30}" --fast --seed "1$h" --start "2026-11-23 $h:00:00" | tee -a all |
			RYDE_CLOCK=@$(date -u -d "2026-11-23 $h:30" +%s)000 ryde-archive $packed "s3://lake/raw"
	done
}

sums='SELECT Name, count(*) AS n, sum(Distance) AS d FROM %s GROUP BY Name ORDER BY Name'
# shellcheck disable=SC2059
sums_of() {
	ryde-query "$(printf "$sums" "\"$1\"")"
}

@test "all objects below a prefix, plain and packed: the rows of the lines that went in" {
	stub
	hours 00 11
	[ "$(sums_of s3://lake/raw)" = "$(sums_of ./all)" ]
	[ "$(sums_of s3://lake/raw/)" = "$(sums_of ./all)" ]
	[ "$(ryde-query 'SELECT count(*) AS n FROM "s3://lake"')" = '{"n":360}' ]
	# each object is read once, however often a query goes over the first ones
	: > far/gets
	ryde-query 'SELECT data FROM "s3://lake/raw"' | jq -r .data | cmp - all
	[ "$(sort far/gets | uniq -d)" = "" ]
}

@test "a prefix ends where a folder does; one object by its key; names with . and _ are none" {
	stub
	ryde-unicorn -m 3 --fast > in
	for to in raw raw2 raw/.hidden raw/_tmp/x; do RYDE_CLOCK=@1764000000000 ryde-archive "s3://lake/$to" in; done
	[ "$(ryde-query 'SELECT count(*) AS n FROM "s3://lake/raw"')" = '{"n":3}' ]
	key=$(cd far/s3/lake && find raw2 -type f)
	[ "$(ryde-query "SELECT count(*) AS n FROM \"s3://lake/$key\"")" = '{"n":3}' ]
	run -66 --separate-stderr ryde-query 'SELECT * FROM "s3://lake/ra"'
	[[ $stderr == *'no object at s3://lake/ra'* ]]
	run -64 ryde-query 'SELECT * FROM "s3://Lake_of/x"'
	[[ $output == *bucket* ]]
}

@test "conditions on the hour: only the objects that can match are fetched" {
	stub
	hours 00 07 1100
	: > far/gets
	[ "$(ryde-query 'SELECT count(*) AS n FROM "s3://lake/raw" WHERE hour = 5')" = '{"n":1100}' ]
	# the first one is looked at for its columns
	[ "$(sort -u far/gets | cut -d/ -f 5 | tr '\n' ' ')" = '00 05 ' ]
	run -0 ryde-query 'EXPLAIN SELECT count(*) FROM "s3://lake/raw" WHERE hour IN (5)'
	[[ $output == *'1 of 8 objects'* ]]
}

@test "CREATE EXTERNAL TABLE with LOCATION in S3" {
	stub
	hours 03 04
	ryde-query "CREATE EXTERNAL TABLE IF NOT EXISTS wildrydes (Name string, Distance float)
	    ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe' LOCATION 's3://lake/raw/';"
	[ "$(ryde-query 'SELECT name, count(*) AS n, sum(distance) AS d FROM wildrydes GROUP BY name ORDER BY 1' |
		jq -c '[.n,.d]')" = "$(sums_of ./all | jq -c '[.n,.d]')" ]
}

@test "what breaks off is fetched again; no permission: 77; a service that is down: 69" {
	stub cut=3
	hours 00 05
	[ "$(sums_of s3://lake/raw)" = "$(sums_of ./all)" ]
	kill "$stub"
	rm -r far
	stub refuse
	run -77 --separate-stderr ryde-query 'SELECT * FROM "s3://lake/raw"'
	[[ $stderr == *ListObjectsV2*lake*AccessDenied* ]]
	kill "$stub"
	AWS_MAX_ATTEMPTS=1 run -69 ryde-query 'SELECT * FROM "s3://lake/raw"'
}
