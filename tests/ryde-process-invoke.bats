# ryde-process --invoke: a real Lambda function in place of a command, against tests/peers/stubs/lambda.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	for v in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do unset "$v"; done
	export HOME=$PWD AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=secret
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
	mkdir functions
	: > log
	seq 1 9 | sed 's/.*/{"n":&}/' | ryde-produce s
}

teardown() {
	jobs -p | xargs -r kill -9 2>/dev/null || :
}

load wait

# lambda [FAULT...]: the service
lambda() {
	"$BATS_TEST_DIRNAME/peers/stubs/lambda" . "$@" 3>&- &
	until_ok test -s port
	AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:$(cat port)
	export AWS_ENDPOINT_URL_LAMBDA
}

# function NAME: its program from stdin
function_of() {
	cat > "functions/$1"
	chmod +x "functions/$1"
}

# store RECORDS in ./stored, and fail at a record with n 5
poisoned() {
	function_of f <<-'SH'
		#!/bin/sh
		jq -r '.Records[].kinesis.data | @base64d' > batch.$$
		echo "START of $(grep -c . batch.$$)" >&2
		grep -q '"n":5}' batch.$$ && exit 3
		cat batch.$$ >> stored
		echo '{"done":true}'
	SH
}

# in_pipe OPTION...: the whole stream through the function, statuses in $statuses
in_pipe() {
	run bash -c "timeout 60 ryde-consume -g g --to end s | timeout 60 ryde-process $* 2> err; echo \${PIPESTATUS[*]}"
	statuses=${lines[-1]}
}

@test "a function is called with Lambda's event, and its success acknowledges" {
	lambda
	function_of f <<-'SH'
		#!/bin/sh
		cat > event
	SH
	in_pipe --invoke f
	[ "$statuses" = '0 0' ]
	[ "$(jq -r '.Records[].kinesis.data | @base64d' event | tail -n 1)" = '{"n":9}' ]
	[ "$(jq -r '.Records[0] | "\(.eventSource) \(.awsRegion)"' event)" = 'aws:kinesis eu-west-1' ]
	[ "$(jq -r .function log)" = f ]
	[ "$(ryde-consume --status -g g s | jq .lagRecords)" = 0 ]
}

@test "an alias, an ARN" {
	lambda
	function_of f <<< '#!/bin/true'
	echo '{"n":1}' | ryde-process --invoke f:live
	echo '{"n":1}' | ryde-process --invoke arn:aws:lambda:eu-west-1:123456789012:function:f:1
	[ "$(jq -rs 'map(.function) | join(" ")' log)" = 'f:live arn:aws:lambda:eu-west-1:123456789012:function:f:1' ]
}

@test "a function that fails: retries, bisect, the document, the tail of its log with -v" {
	lambda
	poisoned
	in_pipe -v --invoke f --retries 2 --backoff 1ms --bisect --on-failure ./failed
	[ "$statuses" = '0 0' ]
	[ "$(sort stored | tr -d '\n')" = "$(seq 1 9 | grep -v 5 | sed 's/.*/{"n":&}/' | tr -d '\n')" ]
	[ "$(jq -c '[.KinesisBatchInfo.batchSize, .requestContext.functionArn, .responseContext.functionError,
		.requestContext.condition]' failed)" = '[1,"f","Unhandled","RetryAttemptsExhausted"]' ]
	grep 'Unhandled: Runtime.ExitError: it ended with 3' err
	grep 'START of 9' err
}

@test "throttles and a service that is down are no failures" {
	lambda throttle=3 down=2
	function_of f <<< '#!/bin/true'
	in_pipe --invoke f --retries 0 --backoff 1ms --on-failure ./failed --stats
	[ "$statuses" = '0 0' ]
	[ ! -s failed ]
	[ "$(wc -l < log)" -eq 6 ]
	tail -n 1 err | jq -e '.Throttles == 5 and .Errors == 0 and .handled == 9'
}

@test "--partial: what the response names comes again" {
	lambda
	function_of f <<-'SH'
		#!/bin/sh
		cat > event.$(ls event.* 2>/dev/null | wc -l)
		[ -e event.1 ] || jq '{batchItemFailures: [{itemIdentifier: .Records[4].kinesis.sequenceNumber}]}' event.0
	SH
	in_pipe --invoke f --partial --backoff 1ms
	[ "$statuses" = '0 0' ]
	[ "$(jq '.Records | length' event.0 event.1 | tr '\n' ' ')" = '9 5 ' ]
}

@test "--tumble: state goes from call to call" {
	lambda
	function_of f <<-'SH'
		#!/bin/sh
		jq -c '{state: {n: ((.state.n // 0) + (.Records | length))}, final: .isFinalInvokeForWindow}' | tee -a answers
	SH
	for i in 1 2 3; do
		printf '{"ryde":1,"stream":"local:s","shardId":"s0","sequenceNumber":"%d","partitionKey":"k",' "$i"
		printf '"approximateArrivalTimestamp":"2026-11-24T04:04:0%d.000Z","data":{"n":%d}}\n' "$i" "$i"
	done > lines
	ryde-process --invoke f --tumble 60s --batch-size 2 lines
	[ "$(tail -n 1 answers)" = '{"state":{"n":3},"final":true}' ]
}

@test "a call that takes too long has failed" {
	lambda
	function_of f <<-'SH'
		#!/bin/sh
		[ -e once ] || { touch once; exec sleep 30; }
	SH
	in_pipe --invoke f --timeout 500ms --backoff 1ms
	[ "$statuses" = '0 0' ]
	grep 'timed out after 0.500 s' err
}

@test "what cannot be called ends it: no such function 66, no permission 77, no region 78" {
	lambda
	in_pipe --invoke nothere
	[ "$statuses" = '75 66' ]
	grep 'function nothere' err
	unset AWS_REGION
	in_pipe --invoke f
	[ "$statuses" = '75 78' ]
	[ "$(ryde-consume --status -g g s | jq .lagRecords)" = 9 ]
}

@test "no permission: 77" {
	lambda denied
	in_pipe --invoke f
	[ "$statuses" = '75 77' ]
	grep 'ryde-admin policy' err
}

@test "--on-failure s3://: an object a batch, with Lambda's key, document and payload; a bucket that is down is waited for" {
	"$BATS_TEST_DIRNAME/peers/stubs/s3_firehose" . slow-down=2 3>&- &
	until_ok test -s port
	AWS_ENDPOINT_URL_S3=http://127.0.0.1:$(cat port)
	export AWS_ENDPOINT_URL_S3
	run bash -c "timeout 60 ryde-consume -g g --to end s | timeout 60 ryde-process --batch-size 4 --retries 0 \
		--on-failure s3://bucket/failed -- sh -c '! grep -q 5'; echo \${PIPESTATUS[*]}"
	[ "${lines[-1]}" = '0 0' ]
	find s3 -type f > objects
	[ "$(wc -l < objects)" -eq 1 ]
	grep -E '^s3/bucket/failed/aws/lambda/[0-9a-f-]{36}/shardId-000000000000/20[0-9]{2}/[0-9]{2}/[0-9]{2}/20[0-9-]{8}T[0-9.]{8}-[0-9a-f-]{36}$' objects
	jq -e '.requestContext.condition == "RetryAttemptsExhausted" and .KinesisBatchInfo.batchSize == 4' "$(cat objects)"
	[ "$(jq -r '.payload | fromjson | .Records[].kinesis.data | @base64d' "$(cat objects)" | tr -d '\n')" = '{"n":5}{"n":6}{"n":7}{"n":8}' ]
}

@test "options that do not go together: 64" {
	run -64 ryde-process --invoke f -- true
	run -64 ryde-process --invoke f --keep
	run -64 ryde-process --invoke f --runtime-api
	run -64 ryde-process --invoke f --event ndjson
	run -64 ryde-process --invoke 'f g'
	run -64 ryde-process
}

@test "the policy that it needs" {
	run -0 ryde-admin policy -- ryde-process --invoke f
	[ "$(jq -c '[.Statement[] | [.Action[0], .Resource]]' <<< "$output")" = \
		'[["lambda:InvokeFunction","arn:aws:lambda:eu-west-1:*:function:f"]]' ]
}
