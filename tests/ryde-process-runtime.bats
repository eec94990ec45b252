# ryde-process --runtime-api and --keep: handlers that are started once.
bats_require_minimum_version 1.5.0

# The official Node client, installed once into the build directory. Its transport is compiled when it is installed, from
# libcurl's sources, which takes minutes: tests/runtime/transport.cjs stands in for that part alone.
setup_file() {
	# `make runtime-check` has it compiled
	build=${RYDE_BUILD:-$BATS_TEST_DIRNAME/../build}
	export RIC=${RYDE_RIC:-$build/ric/node_modules/aws-lambda-ric}
	[ -e "$RIC/dist/index.mjs" ] && return 0
	mkdir -p "$build/ric"
	npm install --silent --no-fund --no-audit --ignore-scripts --prefix "$build/ric" aws-lambda-ric@3.3.0 >/dev/null 2>&1 || return 0
	: >"$RIC/dist/rapid-client.node"
}

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$BATS_TEST_TMPDIR/data
	mkdir -m 700 "$RYDE_DATA"
}

envelopes() {
	for i in $(seq "$1"); do
		printf '{"ryde":1,"stream":"local:s","shardId":"s%d","sequenceNumber":"%d","partitionKey":"k",' $((i % ${2:-1})) "$i"
		printf '"approximateArrivalTimestamp":"2026-11-24T04:%02d:%02d.000Z","data":{"n":%d}}\n' $((4 + i / 60)) $((i % 60)) "$i"
	done
}

script() {
	cat >"$1"
	chmod +x "$1"
}

# A custom runtime as Lambda's guide has it: curl in a loop. What it calls is ./function: event in, response out.
bootstrap() {
	script bootstrap <<-'SH'
		#!/bin/sh
		echo start >>starts
		api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
		while curl -sS -D head.$$ -o event.$$ "$api/next" && [ -s head.$$ ]; do
			id=$(sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: *\([0-9a-f-]*\).*/\1/p' head.$$)
			if ./function <event.$$ >answer.$$; then
				curl -sS -o out.$$ --data-binary @answer.$$ "$api/$id/response"
			else
				curl -sS -o out.$$ -d '{"errorMessage":"it would not","errorType":"Handler"}' "$api/$id/error"
			fi
			rm -f head.$$
		done
	SH
	: >starts
}

lines() {
	[ "$(wc -l <"$1")" -eq "$2" ]
}

@test "--runtime-api: a bootstrap of curl is started once and handles batch after batch" {
	bootstrap
	script function <<-'SH'
		#!/bin/sh
		jq -r '.Records[].kinesis.data | @base64d' >>got
		env | grep -E '^(AWS_LAMBDA|AWS_REGION|_HANDLER|LAMBDA_TASK_ROOT|RYDE_SHARD)' | sort >environment
		cp head.* head
	SH
	seq 9 >in
	ryde-process --runtime-api --batch-size 2 -- ./bootstrap <in
	cmp got in
	lines starts 1
	grep -q '^Lambda-Runtime-Deadline-Ms: [0-9]\{13\}.$' head
	grep -q '^Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:bootstrap.$' head
	grep -q '^Lambda-Runtime-Trace-Id: Root=1-[0-9a-f]\{8\}-[0-9a-f]\{24\};Sampled=0.$' head
	[ "$(cut -d= -f1 environment | tr '\n' ' ')" = 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_LAMBDA_RUNTIME_API AWS_REGION LAMBDA_TASK_ROOT _HANDLER ' ]
}

@test "--runtime-api: an error is a failure with its message; the runtime lives on" {
	bootstrap
	script function <<-'SH'
		#!/bin/sh
		! jq -r '.Records[].kinesis.data | @base64d' | tee -a tried | grep -q 5
	SH
	seq 9 >in
	ryde-process --runtime-api --bisect --retries 1 --backoff 1ms --on-failure ./failed -- ./bootstrap <in 2>log
	lines starts 1
	grep -q 'attempt 2: Handler: it would not' log
	[ "$(jq -c '[.ryde.records[0].data, .requestContext.approximateInvokeCount, .responseContext.functionError]' failed)" = '[5,2,"Unhandled"]' ]
	grep -q "$(jq -r .requestContext.requestId failed)" failed
}

@test "--runtime-api --partial: the response names what failed" {
	bootstrap
	script function <<-'SH'
		#!/bin/sh
		jq -c '[.Records[].kinesis.sequenceNumber] | debug | if index("5") then {batchItemFailures: [{itemIdentifier: "5"}]} else null end' 2>>calls
	SH
	envelopes 9 >in
	ryde-process --runtime-api --partial --retries 0 --on-failure ./failed -- ./bootstrap <in
	[ "$(grep -c . calls)" -eq 2 ]
	[ "$(jq -c '[.KinesisBatchInfo.batchSize, .responseContext.functionError]' failed)" = '[5,null]' ]
}

@test "--runtime-api: a runtime that crashes is started again, and its batch is retried" {
	bootstrap
	script function <<-'SH'
		#!/bin/sh
		[ "$(wc -l <starts)" -ge 3 ] || kill -9 $PPID
		jq -r '.Records[].kinesis.data | @base64d' >>got
	SH
	seq 9 >in
	ryde-process --runtime-api --retries 5 --backoff 1ms -- ./bootstrap <in 2>log
	lines starts 3
	cmp got in
	grep -q 'attempt 1: the runtime ended before it answered: killed by signal 9' log
}

@test "--runtime-api: one that ends at once, or does not ask in time, is a failed call" {
	run -65 --separate-stderr bash -c 'seq 3 | ryde-process --runtime-api --retries 1 --backoff 1ms -- false'
	[[ $stderr == *"attempt 2: the runtime ended before it answered: exit status 1"* ]]
	run -65 --separate-stderr bash -c 'seq 3 | ryde-process --runtime-api --retries 0 --timeout 300ms -- sleep 60'
	[[ $stderr == *"timed out after 0.300 s"* ]]
	script bootstrap <<-'SH'
		#!/bin/sh
		curl -sS -d '{"errorMessage":"no handler","errorType":"Init"}' "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/init/error"
		exec sleep 60
	SH
	run -65 --separate-stderr bash -c 'seq 3 | ryde-process --runtime-api --retries 0 -- ./bootstrap'
	[[ $stderr == *"Init: no handler"* ]]
}

@test "--runtime-api: what is no request of the API is refused" {
	script bootstrap <<-'SH'
		#!/bin/sh
		api=http://$AWS_LAMBDA_RUNTIME_API
		code() { curl -s -o /dev/null -w '%{http_code}\n' "$@"; }
		curl -s -D head -o event "$api/2018-06-01/runtime/invocation/next"
		id=$(sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: *\([0-9a-f-]*\).*/\1/p' head)
		{
			code "$api/"
			code "$api/2018-06-01/runtime/invocation/$id/response"
			code -d x "$api/2018-06-01/runtime/invocation/another/response"
			code -d x "$api/2018-06-01/runtime/invocation/$id/nothing"
			printf 'garbage\r\n\r\n' | curl -s --max-time 5 "telnet://$AWS_LAMBDA_RUNTIME_API" | head -1 | cut -d' ' -f2
			printf '[%02000000d]' 0 | tr 0 1 >large
			code -H 'Transfer-Encoding: chunked' -H 'Expect:' --data-binary @large "$api/2018-06-01/runtime/invocation/$id/response"
		} >codes
		curl -s -o event "$api/2018-06-01/runtime/invocation/next"
	SH
	seq 3 >in
	ryde-process --runtime-api --emit -- ./bootstrap <in >out
	[ "$(tr '\n' ' ' <codes)" = '404 404 400 404 400 202 ' ]
	[ "$(wc -c <out)" -eq 2000003 ]
}

@test "--runtime-api: a response over 6 MiB fails the call" {
	bootstrap
	script function <<-'SH'
		#!/bin/sh
		cat >event
		printf '"%07000000d"' 0
	SH
	run -65 --separate-stderr bash -c 'seq 3 | ryde-process --runtime-api --retries 0 -- ./bootstrap'
	[[ $stderr == *"its response is larger than 6 MiB"* ]]
}

@test "--runtime-api: shards beside each other have a runtime each" {
	bootstrap
	script function <<-'SH'
		#!/bin/sh
		jq -r '.Records[].eventID' >>got
		# all three are at it: none goes on before
		touch "$PPID.here"
		while [ "$(ls ./*.here | wc -l)" -lt 3 ]; do sleep 0.05; done
	SH
	envelopes 9 3 >in
	ryde-process --runtime-api -- ./bootstrap <in
	lines starts 3
	lines got 9
}

@test "--runtime-api: when ryde-process is killed, the runtime is told to end" {
	script bootstrap <<-'SH'
		#!/bin/sh
		trap 'touch told; exit' TERM
		touch ready
		while :; do sleep 0.05; done
	SH
	mkfifo in
	ryde-process --runtime-api -- ./bootstrap <in &
	pid=$!
	exec 9>in
	echo 1 >&9
	until [ -e ready ]; do sleep 0.05; done
	kill -9 "$pid"
	exec 9>&-
	wait "$pid" || true
	until [ -e told ]; do sleep 0.05; done
}

ric() {
	[ -e "$RIC/dist/index.mjs" ] || skip "npm cannot install aws-lambda-ric here"
	if [ ! -s "$RIC/dist/rapid-client.node" ]; then
		export NODE_OPTIONS="--require $BATS_TEST_DIRNAME/runtime/transport.cjs"
	fi
}

@test "--runtime-api: a handler under AWS's own Node client: the workshop's nine records" {
	ric
	cat >app.js <<-'JS'
		const fs = require('fs');
		exports.handler = async (event, context) => {
		  fs.appendFileSync('calls', context.awsRequestId + ' ' + (context.getRemainingTimeInMillis() > 1000) + '\n');
		  for (const record of event.Records) {
		    const item = JSON.parse(Buffer.from(record.kinesis.data, 'base64').toString());
		    if (item.n === 5) throw new Error('Malformed record: ' + item.n);
		  }
		  for (const record of event.Records)
		    fs.appendFileSync('stored', Buffer.from(record.kinesis.data, 'base64').toString() + '\n');
		  return { batchItemFailures: [] };
		};
	JS
	envelopes 9 >in
	ryde-process --runtime-api --retries 2 --backoff 1ms --on-failure ./failed -- node "$RIC/bin/index.mjs" app.handler <in 2>log
	lines calls 3
	[ ! -e stored ]
	[ "$(jq -c '[.KinesisBatchInfo.batchSize, .requestContext.approximateInvokeCount]' failed)" = '[9,3]' ]
	grep -q 'Error: Malformed record: 5' log
	rm calls failed
	ryde-process --runtime-api --retries 2 --bisect --backoff 1ms --on-failure ./failed -- node "$RIC/bin/index.mjs" app.handler <in
	[ "$(jq .n stored | tr '\n' ' ')" = '1 2 3 4 6 7 8 9 ' ]
	[ "$(jq -c .KinesisBatchInfo.batchSize failed)" = 1 ]
	[ "$(grep -vc true calls)" -eq 0 ]
}

@test "--runtime-api: checkpoints and windows under AWS's own Node client" {
	ric
	cat >app.js <<-'JS'
		const fs = require('fs');
		const n = (r) => JSON.parse(Buffer.from(r.kinesis.data, 'base64').toString()).n;
		exports.partial = async (event) => {
		  fs.appendFileSync('calls', event.Records.map(n).join(' ') + '\n');
		  const bad = event.Records.find((r) => n(r) === 5);
		  return { batchItemFailures: bad ? [{ itemIdentifier: bad.kinesis.sequenceNumber }] : [] };
		};
		exports.sum = (event, context, callback) => {
		  const state = event.state;
		  for (const r of event.Records) state.sum = (state.sum || 0) + n(r);
		  if (event.isFinalInvokeForWindow) fs.appendFileSync('sums', event.window.start + ' ' + state.sum + '\n');
		  callback(null, { state });
		};
	JS
	envelopes 9 >in
	ryde-process --runtime-api --partial --retries 1 --backoff 1ms --on-failure ./failed -- node "$RIC/bin/index.mjs" app.partial <in
	[ "$(cat calls)" = "$(printf '%s\n' '1 2 3 4 5 6 7 8 9' '5 6 7 8 9' '5 6 7 8 9')" ]
	ryde-process --runtime-api --tumble 5s --batch-size 2 -- node "$RIC/bin/index.mjs" app.sum <in
	[ "$(cat sums)" = "$(printf '%s\n' '2026-11-24T04:04:00Z 10' '2026-11-24T04:04:05Z 35')" ]
}

# The protocol of --keep in a shell script.
kept() {
	script kept <<-'SH'
		#!/bin/bash
		echo start >>starts
		while IFS= read -r line; do
			case $line in
			"$RYDE_BATCH_END"*) echo "$line${failed-}"; unset failed ;;
			*) ./store "$line" || failed=" $line would not" ;;
			esac
		done
		echo end >>ends
	SH
	: >starts
}

@test "--keep: three lines of shell handle batch after batch; the end of input ends them" {
	kept
	script store <<-'SH'
		#!/bin/sh
		echo "$1" >>got
		[ "$1" != 5 ]
	SH
	seq 9 >in
	ryde-process --keep --batch-size 4 --bisect --retries 1 --backoff 1ms --on-failure ./failed -- ./kept <in 2>log
	lines starts 1
	lines ends 1
	[ "$(sort -un got | tr '\n' ' ')" = '1 2 3 4 5 6 7 8 9 ' ]
	[ "$(jq -c '[.ryde.error, .ryde.records[0].data]' failed)" = '["5 would not",5]' ]
}

@test "--keep --emit: any filter that prints line for line is a kept command as it is" {
	seq 1000 >in
	ryde-process --keep --emit --batch-size 7 -- cat <in >out
	cmp in out
	run -0 bash -c 'echo "{\"a\":1.0}" | ryde-process --keep --emit -- sed -u s/.a.:/\"b\":/'
	[ "$output" = '{"b":1.0}' ]
}

@test "--keep: what a failed batch printed is thrown away; other output goes to stderr" {
	script kept <<-'SH'
		#!/bin/bash
		while IFS= read -r line; do
			case $line in
			"$RYDE_BATCH_END"*) [ -e once ] && echo "$line" || echo "$line not yet"; touch once ;;
			*) echo "\"$line\"" ;;
			esac
		done
	SH
	seq 3 >in
	ryde-process --keep --emit --backoff 1ms -- ./kept <in >out
	[ "$(tr '\n' ' ' <out)" = '"1" "2" "3" ' ]
	run -0 --separate-stderr bash -c 'ryde-process --keep -- ./kept <in'
	[ "$output" = '' ]
	[ "$stderr" = "$(printf '"%s"\n' 1 2 3)" ]
}

@test "--keep: a payload cannot pose as the end of a batch" {
	script kept <<-'SH'
		#!/bin/bash
		while IFS= read -r line; do
			case $line in "$RYDE_BATCH_END"*) echo "$line" ;; *) echo "$line" >>got ;; esac
		done
	SH
	printf '%s\n' '"ryde-end-AAAAAAAAAAAAAAAAAAAAAA-1"' '"ryde-end-"' >in
	ryde-process --keep -- ./kept <in
	cmp got in
}

@test "--keep: a command that dies, hangs or ends fails its batch and is started again" {
	script kept <<-'SH'
		#!/bin/bash
		echo start >>starts
		case $(wc -l <starts) in
		1) read -r line; kill -9 $$ ;;
		2) read -r line; exit 0 ;;
		3) exec sleep 60 ;;
		esac
		while IFS= read -r line; do
			case $line in "$RYDE_BATCH_END"*) echo "$line" ;; *) echo "$line" >>got ;; esac
		done
	SH
	seq 9 >in
	ryde-process --keep --timeout 1s --backoff 1ms -- ./kept <in 2>log
	cmp got in
	lines starts 4
	grep -q 'attempt 1: it ended before it answered: killed by signal 9' log
	grep -q 'attempt 2: it ended before it answered: exit status 0' log
	grep -q 'attempt 3: timed out after 1.000 s' log
}

@test "--keep --event lambda: an event a line, a response a line" {
	script kept <<-'PY'
		#!/usr/bin/python3
		import base64, json, sys
		for line in sys.stdin:
		    event = json.loads(line)
		    data = [base64.b64decode(r["kinesis"]["data"]).decode() for r in event["Records"]]
		    bad = [r["kinesis"]["sequenceNumber"] for r, d in zip(event["Records"], data) if d == "5"]
		    open("calls", "a").write(" ".join(data) + "\n")
		    answer = {"errorMessage": "no sevens", "errorType": "E"} if "7" in data else {"batchItemFailures": [{"itemIdentifier": b} for b in bad]}
		    print(json.dumps(answer), flush=True)
	PY
	seq 6 >in
	ryde-process --keep --event lambda --partial --retries 0 --on-failure ./failed -- ./kept <in
	[ "$(cat calls)" = "$(printf '%s\n' '1 2 3 4 5 6' '5 6')" ]
	run -65 --separate-stderr bash -c 'echo 7 | ryde-process --keep --event lambda --retries 0 -- ./kept'
	[[ $stderr == *"E: no sevens"* ]]
}

@test "--keep: SIGTERM while a batch is with its command: nothing is discarded" {
	script kept <<-'SH'
		#!/bin/sh
		touch ready
		exec sleep 60
	SH
	mkfifo in
	ryde-process --stats --keep --grace 200ms --retries 0 --on-failure ./failed -- ./kept <in 2>log &
	pid=$!
	exec 9>in
	echo 1 >&9
	until [ -e ready ]; do sleep 0.05; done
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	exec 9>&-
	[ "$status" -eq 75 ]
	grep -q '"failed":0,"pending":1' log
	[ ! -s failed ]
}

@test "options of kept handlers that do not go together" {
	run -64 ryde-process --keep --runtime-api -- cat </dev/null
	run -64 ryde-process --runtime-api --event ndjson -- cat </dev/null
	ryde-process --runtime-api --partial --tumble 1m -- false </dev/null
}
