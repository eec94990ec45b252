# ryde-process as Lambda's event source mapping: events, partial responses, tumbling windows, the settings' ranges.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$BATS_TEST_TMPDIR/data
	mkdir -m 700 "$RYDE_DATA"
}

# records as envelopes, one each second from 04:04:01 on: envelopes COUNT [SHARDS]
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

# What the workshop's readers write, in sh and jq: stores a batch record by record; answers with the first that is bad.
storing() {
	script handler <<-'SH'
		#!/bin/sh
		jq -c '.Records[].kinesis | [.sequenceNumber, (.data | @base64d)]' >batch
		jq -rs 'map(.[0]) | join(" ")' batch >>calls
		while read -r record; do
			case $record in
			*'\"n\":5}'*)
				printf '%s' "$record" | jq -c '{batchItemFailures: [{itemIdentifier: .[0]}]}'
				exit
				;;
			esac
			printf '%s\n' "$record" >>stored
		done <batch
	SH
	: >calls
	: >stored
}

@test "--event lambda gives one event, in the key order of the wire; nothing is asked of the output" {
	envelopes 2 >in
	ryde-process --event lambda -- sh -c 'cat >event; echo no json' <in
	[ "$(wc -l <event)" -eq 1 ]
	[ "$(jq -c 'keys_unsorted, (.Records[0] | keys_unsorted, (.kinesis | keys_unsorted))' event | tr '\n' ' ')" = \
	    '["Records"] ["kinesis","eventSource","eventVersion","eventID","eventName","invokeIdentityArn","awsRegion","eventSourceARN"] ["kinesisSchemaVersion","partitionKey","sequenceNumber","data","approximateArrivalTimestamp"] ' ]
	[ "$(jq -c '.Records[1] | [.eventID, (.kinesis.data | @base64d)]' event)" = '["s0:2","{\"n\":2}"]' ]
	grep -q '"approximateArrivalTimestamp":1795493041.000}' event
	run -0 bash -c 'seq 3 | AWS_REGION=eu-west-1 ryde-process --emit --event lambda -- cat'
	[ "$(jq -r '.Records[2].eventSourceARN' <<<"$output")" = arn:aws:kinesis:eu-west-1:000000000000:stream/stdin ]
	[ "$(jq -r '.Records[2].kinesis.sequenceNumber' <<<"$output")" = 3 ]
}

@test "--event lambda: a failing handler is retried, cut in two, kept aside as any other" {
	# shellcheck disable=SC2016
	envelopes 9 >in
	ryde-process --event lambda --bisect --retries 0 --on-failure ./failed -- \
	    sh -c '! jq -r ".Records[].kinesis.data | @base64d" | tee -a seen | grep -q "\"n\":5}"' <in
	[ "$(jq -r '.KinesisBatchInfo | [.batchSize, .startSequenceNumber] | @csv' failed)" = '1,"5"' ]
	[ "$(jq -r .responseContext.functionError failed)" = Unhandled ]
}

@test "--event lambda: a batch's bytes are those of its event, base64 counted" {
	count() { ryde-process --stats --event lambda --batch-size 100 "$@" -- cat 2>&1 >/dev/null | grep -o '"Invocations":[0-9]*'; }
	[ "$(seq 20 | count)" = '"Invocations":1' ]
	seq 2000 | ryde-process --event lambda --batch-size 10000 --batch-window 5s --batch-bytes 100k -- sh -c 'wc -c >>sizes'
	[ "$(sort -n sizes | tail -1)" -le 102400 ]
	[ "$(awk '{ n += $1 } END { print NR, (n / NR > 80000) }' sizes)" = "$(wc -l <sizes) 1" ]
}

@test "--event lambda: a record whose event is larger than 6 MiB is kept aside, not sent" {
	{ echo 1; printf '"%05000000d"\n' 0; echo 2; } >in
	ryde-process --event lambda --on-failure ./dead/ -- sh -c 'jq ".Records | length" >>sizes' <in
	[ "$(jq -s add sizes)" -eq 2 ]
	[ "$(jq -c '[.KinesisBatchInfo.batchSize, has("responseContext"), .requestContext.condition]' dead/*)" = '[1,false,"RetryAttemptsExhausted"]' ]
	ryde-process --event lambda --batch-bytes 8M --on-failure ./none -- sh -c 'wc -c >>larger' <in
	[ "$(sort -n larger | tail -1)" -gt 6291456 ]
	[ ! -s none ]
}

@test "--partial: the checkpoint lab: the fifth of nine fails, records 1 to 4 are never handled twice" {
	storing
	envelopes 9 >in
	ryde-process --event lambda --partial --batch-size 10 --retries 2 --backoff 1ms --on-failure ./failed -- ./handler <in
	[ "$(cat calls)" = "$(printf '%s\n' '1 2 3 4 5 6 7 8 9' '5 6 7 8 9' '5 6 7 8 9' '5 6 7 8 9')" ]
	[ "$(jq -r '.[0]' stored | tr '\n' ' ')" = '1 2 3 4 ' ]
	[ "$(jq -c '[.KinesisBatchInfo.batchSize, .requestContext.approximateInvokeCount, .responseContext.functionError]' failed)" = '[5,3,null]' ]
}

@test "--partial --bisect: only the record that fails is kept aside; the others are handled once" {
	storing
	envelopes 9 >in
	ryde-process --event lambda --partial --bisect --batch-size 10 --retries 2 --backoff 1ms --on-failure ./failed -- ./handler <in
	[ "$(jq -r '.[0]' stored | tr '\n' ' ')" = '1 2 3 4 6 7 8 9 ' ]
	[ "$(jq -c '[.KinesisBatchInfo.batchSize, .KinesisBatchInfo.startSequenceNumber]' failed)" = '[1,"5"]' ]
}

@test "--partial: the budget of retries starts anew with the checkpoint" {
	# the recorded run: a batch of 3 whose last record fails, 3 retries: it is delivered 5 times, the document says 4
	script handler <<-'SH'
		#!/bin/sh
		echo call >>calls
		jq -c '{batchItemFailures: [{itemIdentifier: .Records[-1].kinesis.sequenceNumber}]}'
	SH
	envelopes 3 >in
	ryde-process --event lambda --partial --retries 3 --backoff 1ms --on-failure ./failed -- ./handler <in
	[ "$(wc -l <calls)" -eq 5 ]
	[ "$(jq -c '[.requestContext.approximateInvokeCount, .KinesisBatchInfo.batchSize]' failed)" = '[4,1]' ]
}

@test "--partial: output that is no response is a failure; a handler that fails is one whatever it printed" {
	run -65 --separate-stderr bash -c 'seq 3 | ryde-process --event lambda --partial --retries 0 -- echo garbage'
	[[ $stderr == *"its response is not JSON"* ]]
	run -65 --separate-stderr bash -c 'seq 3 | ryde-process --stats --event lambda --partial --retries 0 -- sh -c "echo null; exit 3"'
	[[ $stderr == *"exit status 3"* && $stderr == *'"Errors":1'* ]]
	run -0 --separate-stderr bash -c 'seq 3 | ryde-process --stats --event lambda --partial -- true'
	[[ $stderr == *'"handled":3'* ]]
}

@test "--partial: items of one record (-f) go back together" {
	script handler <<-'SH'
		#!/bin/sh
		jq -r '[.Records[].kinesis.data | @base64d] | join(" ")' >>calls
		[ "$(wc -l <calls)" -gt 1 ] || echo '{"batchItemFailures":[{"itemIdentifier":"2"}]}'
	SH
	envelopes 3 >in
	ryde-process --event lambda --partial --backoff 1ms -f '.n, .n * 10' -- ./handler <in
	[ "$(cat calls)" = "$(printf '%s\n' '1 10 2 20 3 30' '2 20 3 30')" ]
}

# Adds up in its state, and writes a window's sum when it is closed.
adding() {
	script handler <<-'SH'
		#!/bin/sh
		jq -c '((.state.n // 0) + ([.Records[].kinesis.data | @base64d | fromjson.n] | add // 0)) as $n
		    | {window, shardId, n: $n, records: (.Records | length), final: .isFinalInvokeForWindow, early: .isWindowTerminatedEarly}' >call.$$
		cat call.$$ >>calls
		jq -c 'select(.final) | [.shardId, .window.start, .n]' call.$$ >>sums
		jq -c '{state: {n}}' call.$$
	SH
	: >calls
	: >sums
}

@test "--tumble: windows of arrival time, per shard, closed by a final call; at the end all are closed" {
	adding
	envelopes 12 2 >in
	ryde-process --event lambda --tumble 5s --batch-size 2 --retries 2 --backoff 1ms -- ./handler <in
	[ "$(sort sums | tr '\n' ' ')" = '["s0","2026-11-24T04:04:00Z",6] ["s0","2026-11-24T04:04:05Z",14] ["s0","2026-11-24T04:04:10Z",22] ["s1","2026-11-24T04:04:00Z",4] ["s1","2026-11-24T04:04:05Z",21] ["s1","2026-11-24T04:04:10Z",11] ' ]
	[ "$(jq -s '[.[] | select(.final) | .records] | add' calls)" -eq 0 ]
	[ "$(jq -r '.window.end' calls | sort -u | head -1)" = 2026-11-24T04:04:05Z ]
}

@test "--tumble: the sums are those of ryde-window" {
	adding
	envelopes 100 3 >in
	ryde-process --event lambda --tumble 15s --batch-size 7 --retries 2 --backoff 1ms -- ./handler <in
	# the same windows per shard, from the payloads
	jq -c '{shardId, n: .data.n, t: .approximateArrivalTimestamp}' in |
	    ryde-window --tumble 15s -t .t --by .shardId start=start 'n=sum(.n)' |
	    jq -c '[.shardId, (.start | sub(" "; "T") | sub("\\.000"; "Z")), .n]' | sort >want
	cmp <(sort sums) want
}

@test "--tumble: state moves only with the checkpoint: a failed call's, or a discarded batch's, is forgotten" {
	script handler <<-'SH'
		#!/bin/sh
		jq -c '((.state.n // 0) + ([.Records[].kinesis.data | @base64d | fromjson.n] | add // 0)) as $n
		    | {n: $n, final: .isFinalInvokeForWindow, bad: ([.Records[].kinesis.sequenceNumber] | index("3") != null)}' >call
		jq -c '{state: {n}}' call
		jq -c 'select(.final) | .n' call >>sums
		[ "$(jq .bad call)" = false ]
	SH
	envelopes 4 >in
	ryde-process --event lambda --tumble 5m --batch-size 2 --bisect --retries 1 --backoff 1ms --on-failure ./failed -- ./handler <in
	[ "$(cat sums)" = 7 ]
	[ "$(jq -c .KinesisBatchInfo.startSequenceNumber failed)" = '"3"' ]
}

@test "--tumble --partial: the state that comes with a partial failure counts for what was done" {
	script handler <<-'SH'
		#!/bin/sh
		cat >event
		if [ ! -e once ] && grep -q '"n"\|"sequenceNumber":"2"' event; then
			touch once
			echo '{"state":{"n":1},"batchItemFailures":[{"itemIdentifier":"2"}]}'
			exit
		fi
		jq -c '{state: {n: ((.state.n // 0) + ([.Records[].kinesis.data | @base64d | fromjson.n] | add // 0))}}' event | tee -a states
	SH
	envelopes 3 >in
	ryde-process --event lambda --partial --tumble 5m --backoff 1ms -- ./handler <in
	[ "$(jq -c .state.n states | tr '\n' ' ')" = '6 6 ' ]
}

@test "--tumble: a response without state is a failed call" {
	run -65 --separate-stderr bash -c 'seq 3 | ryde-process --event lambda --tumble 1m --retries 0 -- sh -c "grep -q \"Records.:.{\" && echo {} || echo \"{\\\"state\\\":{}}\""'
	[[ $stderr == *"its response has no state"* ]]
}

@test "--tumble: a final call that fails is made again until it succeeds, whatever --retries says" {
	script handler <<-'SH'
		#!/bin/sh
		echo '{"state":{}}'
		if grep -q '"isFinalInvokeForWindow":true'; then
			echo final >>finals
			[ "$(wc -l <finals)" -ge 4 ]
		fi
	SH
	run -0 --separate-stderr bash -c 'seq 3 | ryde-process --stats --event lambda --tumble 1m --retries 0 --backoff 1ms -- ./handler'
	[ "$(wc -l <finals)" -eq 4 ]
	[[ $stderr == *'"handled":3'* ]]
}

@test "--tumble: state over 1 MiB ends the window early, and nothing of it is lost" {
	script handler <<-'SH'
		#!/bin/sh
		jq -c '{early: .isWindowTerminatedEarly, final: .isFinalInvokeForWindow, n: (.state.n // 0), add: ([.Records[].kinesis.data | @base64d | fromjson.n] | add // 0)}' >call
		jq -c 'select(.early or .final)' call >>ends
		printf '{"state":{"n":%s,"fill":"%0700000d%0400000d"}}\n' "$(jq '.n + .add' call)" 0 "$(jq .add call)"
	SH
	envelopes 4 >in
	ryde-process --event lambda --tumble 5m --batch-size 2 --retries 2 --backoff 1ms -- ./handler <in
	[ "$(jq -c '[.early, .final, .n]' ends | tr '\n' ' ')" = '[true,false,3] [true,false,7] [false,true,0] ' ]
}

@test "--tumble in a group: the position stays before an open window; a mark's time closes it" {
	adding
	envelopes 6 | jq -c .data | RYDE_CLOCK=@1795493045000 ryde-produce -k .n rides
	# nothing says that the window of 04:04:00 is over: its records come again
	run -75 bash -c 'RYDE_CLOCK=@1795493045000 ryde-consume -g sum --to end rides | RYDE_CLOCK=@1795493045000 ryde-process --stats --event lambda --tumble 1m --retries 2 --backoff 1ms -- ./handler; exit ${PIPESTATUS[1]}'
	[[ $output == *'"handled":0'*'"pending":6'* ]]
	[ ! -s sums ]
	mkfifo pipe
	: >calls
	ryde-consume -g sum rides >pipe &
	consume=$!
	ryde-process --event lambda --tumble 1m --retries 2 --backoff 1ms -- ./handler <pipe &
	process=$!
	until [ -s sums ]; do sleep 0.1; done
	kill -TERM "$consume"
	wait "$consume"
	wait "$process"
	[ "$(jq -c '.[2]' sums)" = 21 ]
	[ "$(jq -s 'map(select(.final | not) | .records) | add' calls)" -eq 6 ]
	run -0 ryde-admin positions rides sum --max-lag 0s
}

@test "--filter-criteria: records that match no pattern are counted, not handled, and not in a batch's count" {
	{ envelopes 9; printf '{"ryde":1,"stream":"local:s","shardId":"s0","sequenceNumber":"10","partitionKey":"x","dataBase64":"/wA="}\n'; } >in
	echo '{"Filters":[{"Pattern":"{\"data\":{\"n\":[{\"numeric\":[\">\",7]}]}}"},{"Pattern":{"sequenceNumber":["3"],"partitionKey":["k"]}}]}' >criteria
	run -0 --separate-stderr ryde-process --stats --batch-size 3 --filter-criteria criteria -- tee -a got <in
	[ "$(jq .n got | tr '\n' ' ')" = '3 8 9 ' ]
	[[ $stderr == *'"in":10,"handled":3,"filtered":7'*'"Invocations":1'*'"PolledEventCount":10,"FilteredOutEventCount":7'* ]]
	echo '{"Filters":[{"Pattern":"{\"partitionKey\":[\"x\"]}"}]}' >criteria
	ryde-process --filter-criteria criteria -- tee binary <in
	[ "$(cat binary)" = '"/wA="' ]
	run -78 --separate-stderr bash -c 'echo "{\"Filters\":[{\"Pattern\":\"{\\\"data\\\":[1]}\"}]}" | ryde-process --filter-criteria /dev/stdin -- cat'
	[[ $stderr == *"data takes an object"* ]]
	run -66 ryde-process --filter-criteria missing -- cat <in
}

@test "--filter-criteria in a group: what is dropped is acknowledged, items of one line together" {
	seq 20 | ryde-produce rides
	echo '{"Filters":[{"Pattern":{"data":{"a":[{"numeric":["<",10]}]}}}]}' >criteria
	run -0 bash -c 'set -o pipefail; ryde-consume -g g --to end rides | ryde-process --batch-size 1 --filter-criteria criteria -f "{a: .}, {a: (. * 10)}" -- tee -a got'
	[ "$(jq .a got | tr '\n' ' ')" = '1 2 3 4 5 6 7 8 9 ' ]
	run -0 ryde-admin positions rides g --max-lag 0s
}

@test "settings out of Lambda's range, and options that do not fit, are errors of the command line" {
	for bad in '--batch-size 0' '--batch-size 10001' '--batch-window 301s' '--retries -2' '--retries 10001' '--max-age 59s' \
	    '--max-age 8d' '--tumble 16m --event lambda' '--tumble 1500ms --event lambda' '--tumble 1m' '--partial' \
	    '--partial --event lambda --emit' '--event xml'; do
		# shellcheck disable=SC2086
		run -64 ryde-process $bad -- cat </dev/null
	done
	ryde-process --batch-size 10000 --batch-window 300s --retries 10000 --max-age 7d --tumble 15m --partial --event lambda -- cat </dev/null
}

@test "--log json has START, END and REPORT of each call, as CloudWatch has them" {
	run -0 --separate-stderr bash -c 'seq 3 | ryde-process --log json --batch-size 2 -- true'
	[ "$(jq -r .msg <<<"$stderr" | grep -c '^REPORT RequestId: [0-9a-f-]* Duration: [0-9]* ms Batch Size: [12] Attempt: 1 Status: success')" -eq 2 ]
	# the three lines of a call have one id, and come in this order
	jq -r '.msg | select(test("RequestId: ")) | [split(" ")[0], split(" ")[2]] | join(" ")' <<<"$stderr" > said
	[ "$(cut -d' ' -f1 said | tr '\n' ' ')" = 'START END REPORT START END REPORT ' ]
	[ "$(cut -d' ' -f2 said | uniq -c | awk '{ print $1 }' | tr '\n' ' ')" = '3 3 ' ]
	# a call that failed is reported with what failed, and its next attempt with its number
	run -0 --separate-stderr bash -c 'seq 1 | ryde-process --log json --backoff 1ms -- sh -c "[ \$RYDE_ATTEMPT = 2 ]"'
	[ "$(jq -r .msg <<<"$stderr" | grep -c '^REPORT .*Attempt: 1 Status: .*exit')" -eq 1 ]
	[ "$(jq -r .msg <<<"$stderr" | grep -c '^REPORT .*Attempt: 2 Status: success')" -eq 1 ]
}

@test "--tumble behind ryde-consume --to end: a window whose time has passed is closed, and acknowledged" {
	export RYDE_RUN=$PWD/run
	seq 1 9 | sed 's/.*/{"n":&}/' | RYDE_CLOCK=@1764000000000 ryde-produce s
	run -0 bash -o pipefail -c "timeout 60 ryde-consume -g g --to end s | timeout 60 ryde-process --event lambda --tumble 10s -- \
		jq -c '{state: {n: ((.state.n // 0) + (.Records | length))}, final: .isFinalInvokeForWindow}'"
	[ "$(ryde-consume --status -g g s | jq .lagRecords)" = 0 ]
}
