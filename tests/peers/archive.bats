# ryde-archive into S3 and Firehose: a strict stub of both that loses answers, slows down and refuses parts of a call.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run TMPDIR=$PWD/tmp
	export AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=secret AWS_REGION=us-east-1
	export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
	unset AWS_PROFILE AWS_SESSION_TOKEN RYDE_STORE
	mkdir tmp
}

teardown() {
	[ -z "${stub-}" ] || kill "$stub" 2> /dev/null || :
	# what is gathered for S3 is gone with the program
	[ -z "$(ls tmp)" ]
}

# stub [FAULT...]: starts it anew
stub() {
	[ -z "${stub-}" ] || kill "$stub"
	rm -rf far
	python3 "$BATS_TEST_DIRNAME/stubs/s3_firehose" far "$@" > stub.log 2>&1 3>&- &
	stub=$!
	until [ -s far/port ]; do kill -0 "$stub"; read -r -t 0.02 <> <(:) || :; done
	AWS_ENDPOINT_URL=http://127.0.0.1:$(cat far/port)
	export AWS_ENDPOINT_URL
}

held() {
	find far/s3 -type f -print0 | sort -z | xargs -0r gzip -cdf --
}

fleet() {
	ryde-unicorn -c 5 --fast --seed 1 --start '2026-11-23 14:00:00' "$@"
}

stream() {
	ryde-admin create stream s --shards 2
	fleet -m 2000 > in
	ryde-produce -k .Name s in
}

same_as_in() {
	diff <(held | sort) <(sort in) > diff || { head diff; return 1; }
}

@test "objects in a bucket, below a prefix, under keys with odd characters" {
	stub
	fleet -m 500 > in
	RYDE_CLOCK=@1764000000000 ryde-archive --size 10k --receipts s3://lake/raw in > receipts
	held | cmp - in
	[ "$(jq -r .object receipts | sed 's|^|far/s3/lake/raw/|' | sort)" = "$(find far/s3 -type f | sort)" ]
	[[ "$(head -n 1 receipts | jq -r .object)" == 2025/11/24/16/lines-2025-11-24-16-00-00-000-* ]]
	printf '{"N":"%s"}\n' 'a b+c' 'é&<~' > odd
	ryde-archive --gzip --prefix 'n=!{field:.N}/!{timestamp:}' s3://lake odd
	[ "$(find far/s3/lake -name '*.gz' | wc -l)" -eq 2 ]
	[ -d 'far/s3/lake/n=a b+c' ]
	[ -d 'far/s3/lake/n=é&<~' ]
}

@test "no place, no permission, nobody there" {
	stub refuse
	echo 1 > in
	run -64 ryde-archive s3:// in
	run -64 ryde-archive s3://Bad_Name/x in
	run -64 ryde-archive firehose: in
	run -64 ryde-archive --gzip firehose:x in
	run -64 ryde-archive --every 5s firehose:x in
	run -77 ryde-archive s3://lake in
	run -77 ryde-archive firehose:x in
	stub down
	run -75 ryde-archive --retry-for 100ms s3://lake in
	run -75 ryde-archive --retry-for 100ms firehose:x in
}

@test "an answer is lost: the object is there once; slow-downs are waited for" {
	stub lost=2 slow-down=3
	fleet -m 300 > in
	ryde-archive --size 5k s3://lake in
	same_as_in
}

@test "in parts: failed ones are sent again, nothing is left behind a failure" {
	stub part=1 complete=1
	fleet -m 250000 > in
	[ "$(wc -c < in)" -gt $((32 << 20)) ]
	ryde-archive --size 1G s3://lake in
	[ "$(find far/s3 -type f | wc -l)" -eq 1 ]
	held | cmp - in
	[ ! -s far/uploads ]
}

@test "a group into S3: acknowledged when it is there, a repeat adds nothing" {
	stub
	stream
	run -0 bash -c 'ryde-consume -g g --to end s | ryde-archive --size 10k s3://lake/x/; echo "${PIPESTATUS[*]}"'
	[ "$output" = '0 0' ]
	same_as_in
	run -0 ryde-admin positions --max-lag 0s s g
	run -0 bash -c 'ryde-consume -g h --to end s | ryde-archive --size 7k s3://lake/x; echo "${PIPESTATUS[*]}"'
	[ "${lines[-1]}" = '0 0' ]
	same_as_in
	# what is missing comes back, and nothing else
	find far/s3 -type f | head -n 3 | tail -n 1 | xargs rm
	stub_objects=$(find far/s3 -type f | wc -l)
	[ "$stub_objects" -gt 5 ]
}

@test "S3 is down: the reader's position stays, and a new run goes on" {
	stub down
	stream
	run -0 bash -c 'ryde-consume -g g --to end s | ryde-archive -q -q --size 10k --retry-for 300ms s3://lake; echo "${PIPESTATUS[*]}"'
	[ "${lines[-1]}" = '75 75' ]
	stub
	run -0 bash -c 'ryde-consume -g g --to end s | ryde-archive --size 10k s3://lake; echo "${PIPESTATUS[*]}"'
	[ "${lines[-1]}" = '0 0' ]
	same_as_in
}

@test "firehose: each payload once and with its newline, though parts of calls are refused" {
	stub partial=3
	fleet -m 1700 > in
	ryde-archive --stats firehose:rides in 2> said
	diff <(sort far/firehose/rides) <(sort in)
	grep -q '"in":1700,"handled":1700,' said
	grep -q 'ServiceUnavailableException: Slow down' said
	[ "$(sort -n far/calls | tail -n 1)" -eq 500 ]
}

@test "firehose: records at the limits, and one over it" {
	stub
	{
		for i in 1 2 3 4 5; do printf '"%01023997d"\n' "$i"; done
		printf '"%01023998d"\nnonsense\n' 6
		echo '{"last":1}'
	} > in
	run -65 ryde-archive --rejects bad firehose:rides in
	[ "$(jq .line bad | tr '\n' ' ')" = '6 7 ' ]
	cmp far/firehose/rides <(sed '6,7d' in)
}

@test "firehose: a group's lines are acknowledged" {
	stub partial=5
	stream
	run -0 bash -c 'ryde-consume -g g --to end s | ryde-archive -q -q firehose:rides; echo "${PIPESTATUS[*]}"'
	[ "$output" = '0 0' ]
	diff <(sort far/firehose/rides) <(sort in)
	run -0 ryde-admin positions --max-lag 0s s g
}
