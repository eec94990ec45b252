# ryde-process: batches, retries, bisecting, what is given up, --emit, and commands that misbehave.
bats_require_minimum_version 1.5.0

load wait

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$BATS_TEST_TMPDIR/data
	mkdir -m 700 "$RYDE_DATA"
	nine >nine
}

nine() {
	for i in 1 2 3 4 5 6 7 8 9; do echo "{\"n\":$i}"; done
}

# records of N shards as envelopes: envelopes COUNT SHARDS
# N envelopes over M shards, in one write: they come as one batch
envelopes() {
	local i lines=
	for i in $(seq "$1"); do
		lines+=$(printf '{"ryde":1,"stream":"local:s","shardId":"s%d","sequenceNumber":"%d",' $((i % $2)) "$i"
			printf '"partitionKey":"k","approximateArrivalTimestamp":"2026-11-24T04:00:00.%03dZ","data":{"n":%d}}' "$i" "$i")$'\n'
	done
	printf %s "$lines"
}

# The workshop's handler: stores a batch, or fails where the fifth record is in it.
handler() {
	cat >handler <<-'SH'
		#!/bin/sh
		batch=$(cat)
		echo call >>calls
		case $batch in *'"n":5}'*) exit 1 ;; esac
		printf '%s\n' "$batch" >>stored
	SH
	chmod +x handler
	: >calls
	: >stored
}

lines() {
	[ "$(wc -l <"$1")" -eq "$2" ]
}

@test "the workshop's lesson: without --bisect one poisoned record stops all nine" {
	handler
	ryde-process --batch-size 10 --retries 2 --backoff 1ms --on-failure ./failed -- ./handler <nine
	lines calls 3
	lines stored 0
	lines failed 1
	[ "$(jq .KinesisBatchInfo.batchSize failed)" -eq 9 ]
	[ "$(jq -r .requestContext.condition failed)" = RetryAttemptsExhausted ]
	[ "$(jq .requestContext.approximateInvokeCount failed)" -eq 3 ]
}

@test "the workshop's lesson: with --bisect eight are stored, in order, and one is kept aside" {
	handler
	ryde-process --batch-size 10 --retries 2 --bisect --backoff 1ms --on-failure ./failed -- ./handler <nine
	cmp stored <(grep -v :5 nine)
	lines failed 1
	[ "$(jq .KinesisBatchInfo.batchSize failed)" -eq 1 ]
	[ "$(jq -c '.ryde.records' failed)" = '[{"data":{"n":5}}]' ]
	[ "$(jq -r .payload failed | jq -r '.Records[0].kinesis.data' | base64 -d)" = '{"n":5}' ]
}

@test "--on-failure QUEUE sends the document as a message" {
	handler
	ryde-process --batch-size 10 --retries 0 --bisect --on-failure wildrydes-queue -- ./handler <nine
	run -0 ryde-dlq count wildrydes-queue
	[[ $output == *1* ]]
}

@test "--on-failure DIRECTORY/ keeps one file per document, and a shard's name leads nowhere else" {
	printf '{"ryde":1,"stream":"local:s","shardId":"../../x","sequenceNumber":"1","data":1}\n' |
	    ryde-process --retries 0 --on-failure ./dead/letters/ -- false
	[ "$(find . -name '*x-2*.json')" = "$(find ./dead/letters -name '______x-2*.json')" ]
	[ "$(jq -r .KinesisBatchInfo.shardId dead/letters/*.json)" = ../../x ]
}

@test "a batch given up without --on-failure is named, counted as failed, and the exit status is 65" {
	run -65 --separate-stderr ryde-process --stats --retries 0 -- false <nine
	[[ $stderr == *"lines 1 to 9 (9): discarded"* ]]
	[[ $stderr == *'"in":9,"handled":0,"filtered":0,"late":0,"rejected":0,"failed":9,"pending":0'* ]]
}

@test "a command that cannot be run is a configuration error: nothing is discarded" {
	run -66 --separate-stderr ryde-process --stats --retries 0 --on-failure ./failed -- no-such-command <nine
	echo 'no program' >text
	run -78 ryde-process --retries 0 --on-failure ./failed -- ./text <nine
	chmod +x text
	run -78 --separate-stderr ryde-process --stats --retries 0 --on-failure ./failed -- ./text <nine
	[[ $stderr == *'"failed":0,"pending":9'* ]]
	[ ! -s failed ]
	run -64 ryde-process -- <nine
	run -64 ryde-process cat <nine
	run -64 ryde-process --on-failure https://bucket -- cat <nine
}

@test "the command reads payloads, byte for byte, one a line; its stdout is not ours" {
	printf '%s\n' '{ "a" : 1.0 }' '18446744073709551616' '"\u00e9"' >in
	run -0 --separate-stderr ryde-process -- tee got <in
	cmp in got
	[ "$output" = '' ]
	[ "${#stderr_lines[@]}" -eq 3 ]
}

@test "a record that is no text is given as base64, a JSON string" {
	printf '{"ryde":1,"stream":"local:s","shardId":"s","sequenceNumber":"1","dataBase64":"/wD+"}\n' >in
	ryde-process -- tee got <in
	[ "$(cat got)" = '"/wD+"' ]
	ryde-process --retries 0 --on-failure ./failed -- false <in
	[ "$(jq -r '.ryde.records[0].dataBase64' failed)" = /wD+ ]
}

@test "a batch holds one shard's records; the environment says which" {
	envelopes 12 3 >in
	# shellcheck disable=SC2016
	ryde-process -- sh -c 'echo "$RYDE_STREAM $RYDE_SHARD_ID $RYDE_BATCH_SIZE $RYDE_ATTEMPT $RYDE_FIRST_SEQUENCE $RYDE_LAST_SEQUENCE" >>env; cat >"$RYDE_SHARD_ID"' <in
	[ "$(sort env | tr '\n' ';')" = 'local:s s0 4 1 3 12;local:s s1 4 1 1 10;local:s s2 4 1 2 11;' ]
	[ "$(jq .n s0 | tr '\n' ' ')" = '3 6 9 12 ' ]
}

@test "shards run beside each other, one after the other within a shard" {
	envelopes 10 10 >in
	# none of the ten ends before all have begun
	# shellcheck disable=SC2016
	ryde-process -- sh -c 'touch "began.$RYDE_SHARD_ID"; until [ "$(ls began.* | wc -l)" = 10 ]; do sleep 0.01; done' <in
	seq 5000 >in
	ryde-process --batch-size 7 --emit -- cat <in >out
	cmp in out
}

@test "batches are cut by count, by bytes and by time" {
	count() { ryde-process --stats "$@" -- cat 2>&1 >/dev/null | grep -o '"Invocations":[0-9]*'; }
	[ "$(count --batch-size 4 <nine)" = '"Invocations":3' ]
	[ "$(count --batch-bytes 16 <nine)" = '"Invocations":5' ]
	[ "$(count --batch-bytes 1 <nine)" = '"Invocations":9' ]
	# without a window what is there is a batch; the second nine come once the first were called with
	mkfifo in
	ryde-process --stats -- sh -c 'cat >/dev/null; touch called' <in 2>log &
	pid=$!
	{ cat nine; until_ok test -e called; cat nine; } >in
	wait "$pid"
	grep -q '"Invocations":2' log
	[ "$( (cat nine; sleep 0.1; cat nine) | count --batch-window 30s)" = '"Invocations":1' ]
	run -64 ryde-process --batch-size 0 -- cat
	run -64 ryde-process --batch-size 10001 -- cat
}

@test "the retry budget starts anew when the checkpoint advances" {
	# two poisoned records: each gets its own three calls
	# shellcheck disable=SC2016
	ryde-process --bisect --retries 2 --backoff 1ms --on-failure ./failed -- \
	    sh -c 'batch=$(cat); case $batch in *:2}*|*:8}*) [ "$RYDE_BATCH_SIZE" -gt 1 ] || echo "$batch $RYDE_ATTEMPT" >>alone; exit 1;; esac' <nine
	[ "$(tr '\n' ';' <alone)" = '{"n":2} 1;{"n":2} 2;{"n":2} 3;{"n":8} 1;{"n":8} 2;{"n":8} 3;' ]
	lines failed 2
}

@test "bisecting ten thousand records with a bad one takes at most 2 log2(n) + 2 failing calls" {
	run -65 --separate-stderr bash -c 'seq 10000 | ryde-process --stats --bisect --retries 0 --batch-size 10000 --batch-window 5s -- sh -c "! grep -qx 7777"'
	errors=$(grep -o '"Errors":[0-9]*' <<<"$stderr")
	[ "${errors#*:}" -le 28 ]
	[[ $stderr == *'"handled":9999'* && $stderr == *'"failed":1'* ]]
}

@test "--max-age cuts expired records off the front, and runs the rest" {
	envelopes 5 1 >in
	RYDE_CLOCK=@$(date -u -d '2026-11-24T04:01:00.002Z' +%s%3N) \
	    ryde-process --max-age 60s --on-failure ./failed -- tee got <in
	[ "$(jq .n got | tr '\n' ' ')" = '2 3 4 5 ' ]
	[ "$(jq -c '[.requestContext.condition, .requestContext.approximateInvokeCount, .KinesisBatchInfo.batchSize, has("responseContext")]' failed)" = '["RecordAgeExceeded",1,1,false]' ]
	run -64 ryde-process --max-age soon -- cat
}

@test "a destination that is down: nothing is given up until the document is delivered" {
	ln -s /nonexistent/x dead.link
	run -73 ryde-process --retries 0 --on-failure ./dead.link -- false <nine
	mkdir dead
	run -75 --separate-stderr ryde-process --stats --retries 0 --backoff 20ms --retry-for 200ms --on-failure ./dead/ -- \
	    sh -c 'rmdir dead; touch dead; exit 1' <nine
	[[ $stderr == *'"failed":0,"pending":9'* ]]
}

@test "a handler that hangs is ended, also when it ignores SIGTERM" {
	run -65 --separate-stderr ryde-process --retries 0 --timeout 200ms -- sh -c 'trap "" TERM; while :; do sleep 0.1; done' <nine
	[[ $stderr == *"timed out after 0.200 s"* ]]
}

@test "a handler that dies by a signal has failed" {
	# shellcheck disable=SC2016
	run -65 --separate-stderr ryde-process --retries 0 -- sh -c 'kill -9 $$' <nine
	[[ $stderr == *"killed by signal 9"* ]]
}

@test "a handler that is killed in the middle, as by the OOM killer, gets the whole batch again" {
	# shellcheck disable=SC2016
	run -0 --separate-stderr ryde-process --backoff 1ms -- sh -c '[ "$RYDE_ATTEMPT" = 2 ] || { read -r one; echo "$one" >>half; kill -9 $$; }; cat >whole' <nine
	[[ $stderr == *"killed by signal 9"* ]]
	lines half 1
	cmp nine whole
}

@test "a handler that forks many: when its time is over, none of them is left" {
	# each of them holds the handler's stdout open, and ignores SIGTERM
	cat >many <<-'SH'
		#!/bin/sh
		trap '' TERM
		for i in $(seq 200); do sleep "1000.$TAG" & done
		touch began
		sleep "1000.$TAG"
	SH
	chmod +x many
	export TAG=$$$RANDOM
	run -65 --separate-stderr ryde-process --retries 0 --partial --event lambda --timeout 1s -- ./many <nine
	[[ $stderr == *"timed out after 1.000 s"* ]]
	[ -e began ]
	until_ok sh -c "! pgrep -f '^sleep 1000.$TAG'"
}

@test "a handler that does not read its input is judged by its exit status" {
	seq 100000 >in
	ryde-process --batch-size 10000 -- true <in
	ryde-process --batch-size 10000 -- sh -c 'exec <&-; sleep 0.05' <in
	run -65 ryde-process --batch-size 10000 --retries 0 -- false <in
}

@test "a handler that leaves a child behind with its stdout does not hold up the batch" {
	ryde-process -- sh -c 'sleep 1000 & echo $! >child; cat >got' <nine
	kill "$(cat child)"
	ryde-process --emit -- sh -c 'sleep 1000 & echo $! >child; cat' <nine >out
	kill "$(cat child)"
	cmp nine got
	cmp nine out
}

@test "--emit passes on what a successful attempt printed, and only that" {
	# the first attempt prints, then fails
	ryde-process --backoff 1ms --emit -- sh -c 'cat; [ -e again ] || { touch again; exit 1; }' <nine >out
	cmp nine out
	run -0 ryde-process --emit -- jq -c .n <nine
	[ "${lines[*]}" = '1 2 3 4 5 6 7 8 9' ]
}

@test "--emit: garbage from a handler is a failure of the batch" {
	run -65 --separate-stderr ryde-process --retries 0 --emit -- echo 'not json' <nine
	[[ $stderr == *"line 1 of its output is not JSON"* ]]
	[ "$output" = '' ]
}

@test "--emit wraps output in the batch's envelope; what imitates one always gets one" {
	envelopes 2 1 | ryde-process --emit -- sh -c 'cat >/dev/null; echo "{\"x\":1.0}"' >out
	[ "$(cat out)" = '{"ryde":1,"stream":"local:s","shardId":"s0","sequenceNumber":"2","partitionKey":"k","data":{"x":1.0}}' ]
	echo 1 | ryde-process --emit -- sh -c 'cat >/dev/null; echo "{\"ryde\":1}"' >out
	[ "$(cat out)" = '{"ryde":1,"data":{"ryde":1}}' ]
}

@test "--emit passes marks on after the records before them, the end mark last" {
	{
		printf '{"ryde":1,"stream":"local:s","shardId":"s0","mark":true}\n'
		envelopes 2 1
		printf '{"ryde":1,"stream":"local:s","shardId":"s0","sequenceNumber":"2","mark":true}\n'
		printf '{"ryde":1,"stream":"local:s","mark":true,"end":true}\n'
	} | ryde-process --emit -- sh -c 'sleep 0.1; jq -c .n' >out
	[ "$(jq -c '[.mark, .end, .data]' out | tr '\n' ' ')" = \
	    '[true,null,null] [null,null,1] [null,null,2] [true,null,null] [true,true,null] ' ]
}

@test "--emit: 100 MB from a handler for one batch, in bounded memory" {
	# lines of 128 bytes
	printf '#!/bin/sh\ncat >/dev/null\nyes "%s" | head -c 104857600\n' "\\\"$(printf %0125d 0)\\\"" >much
	chmod +x much
	# a program that checks its accesses reserves far more than it uses
	limit=300000
	! grep -q __asan_init "$(command -v ryde-process)" || limit=unlimited
	run -0 bash -c "ulimit -v $limit; ryde-process --retries 0 --emit -- ./much <nine | wc -c"
	[ "$output" = 104857600 ]
}

@test "-f runs before the command; what it drops is filtered, and documents carry what it made" {
	run -0 --separate-stderr ryde-process --stats --emit -f 'select(.n > 7) | .n' -- cat <nine
	[ "${lines[*]}" = '8 9' ]
	[[ $stderr == *'"handled":2,"filtered":7'* ]]
	envelopes 1 1 | ryde-process --retries 0 -f '.n + 41' --on-failure ./failed -- false
	[ "$(jq -c '.ryde.records[0].data' failed)" = 42 ]
}

@test "bad lines are rejects: the rest goes on" {
	printf '{"n":1}\n{\n\n{"n":2}\n\000\n{"n":3}\n' >in
	run -65 --separate-stderr ryde-process --rejects bad --emit -- cat <in
	[ "${lines[*]}" = '{"n":1} {"n":2} {"n":3}' ]
	lines bad 3
}

@test "empty input runs nothing" {
	run -0 --separate-stderr ryde-process --stats -- false </dev/null
	[[ $stderr == *'"Invocations":0'* ]]
}

@test "/dev/full and a closed pipe as stdout" {
	run -74 bash -c 'ryde-process --emit -- cat <nine >/dev/full'
	run -0 bash -c 'seq 200000 | ryde-process --emit -- cat | head -1; echo "${PIPESTATUS[1]}"'
	[ "${lines[*]}" = '1 141' ]
}

@test "SIGTERM lets the command finish, and the input end" {
	mkfifo in
	ryde-process --stats -- sh -c 'touch began; until [ -e go ]; do sleep 0.01; done; cat >got' <in 2>log &
	pid=$!
	exec 9>in
	cat nine >&9
	until_ok test -e began
	kill -TERM "$pid"
	exec 9>&-
	touch go
	wait "$pid"
	cmp nine got
	grep -q '"handled":9' log
}

@test "a stop that takes longer than --grace: 75, nothing is discarded" {
	mkfifo in
	ryde-process --stats --grace 300ms --retries 0 --on-failure ./failed -- sh -c 'touch began; exec sleep 1000' <in 2>log &
	pid=$!
	exec 9>in
	cat nine >&9
	until_ok test -e began
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	exec 9>&-
	[ "$status" -eq 75 ]
	grep -q '"failed":0,"pending":9' log
	[ ! -s failed ]
}

@test "a stop that tells the handler, too, and before us, as systemd's may: nothing is discarded because of it" {
	mkfifo in
	# the first call is ended by the stop; what comes again within --grace is handled
	# shellcheck disable=SC2016
	ryde-process --stats --retries 0 --on-failure ./failed -- \
		sh -c 'cat >batch; [ -e began ] || { echo $$ >pid; touch began; exec sleep 1000; }; cat batch >got' <in 2>log &
	pid=$!
	exec 9>in
	cat nine >&9
	until_ok test -e began
	kill -TERM "$(cat pid)"
	kill -TERM "$pid"
	exec 9>&-
	wait "$pid"
	cmp nine got
	grep '"handled":9' log | grep -q '"failed":0'
	[ ! -s failed ]
	# without a stop of our own it has failed
	rm began
	# shellcheck disable=SC2016
	run -65 --separate-stderr ryde-process --retries 0 -- sh -c 'kill -TERM $$' <nine
	[[ $stderr == *"killed by signal 15"* ]]
}

@test "Ctrl-C while a batch is with its command: it is finished, nothing is discarded" {
	ryde-admin create stream s
	ryde-produce s <nine
	python3 - <<-'PY'
	import os, pty, time
	pid, fd = pty.fork()
	if pid == 0:
	    os.execvp("sh", ["sh", "-c", "ryde-consume -g g s | ryde-process --retries 0 --on-failure ./failed -- "
	        "sh -c 'touch began; until [ -e go ]; do sleep 0.01; done; cat >>got'"])
	end = time.monotonic() + 60
	while not os.path.exists("began"):
	    assert time.monotonic() < end
	    time.sleep(0.01)
	os.write(fd, b"\x03")
	open("go", "w").close()
	try:
	    while os.read(fd, 4096):
	        pass
	except OSError:
	    pass  # the terminal's last process has ended
	os.waitpid(pid, 0)
	PY
	cmp nine got
	[ ! -s failed ]
	[ "$(ryde-consume --status -g g s | jq -s 'map(.lagRecords) | add')" -eq 0 ]
}

@test "when ryde-process is killed, its command's stdin ends" {
	seq 100000 >in
	ryde-process --batch-size 10000 -- sh -c 'touch began; until [ -e go ]; do sleep 0.01; done; cat >/dev/null; touch ended' <in &
	pid=$!
	until_ok test -e began
	kill -9 "$pid"
	wait "$pid" || true
	touch go
	until_ok test -e ended
}

@test "a shard whose first mark names its parents comes after what they have in hand" {
	line() { printf '{"ryde":1,"stream":"local:s","shardId":"%s","sequenceNumber":"%d","partitionKey":"k","data":{"n":%d}}\n' "$1" "$2" "$2"; }
	cat >handler <<-'SH'
		#!/bin/sh
		cat >/dev/null
		echo "begin $RYDE_SHARD_ID" >>log
		# the parent is done only after an unrelated shard, which came behind the child
		if [ "$RYDE_SHARD_ID" = a ]; then until [ -e other ]; do sleep 0.01; done; fi
		if [ "$RYDE_SHARD_ID" = c ]; then : >other; fi
		echo "end $RYDE_SHARD_ID" >>log
	SH
	chmod +x handler
	{
		line a 1
		line a 2
		printf '{"ryde":1,"stream":"local:s","shardId":"b","mark":true,"parents":["x","a"]}\n'
		line b 3
		line c 4
		printf '{"ryde":1,"stream":"local:s","mark":true,"end":true}\n'
	} | timeout 60 ryde-process --batch-size 1 -- ./handler
	[ "$(grep -v c log)" = 'begin a
end a
begin a
end a
begin b
end b' ]
}

@test "--stats and --metrics have Lambda's names, all of them from the start" {
	seq 1 9 | sed 's/.*/{"n":&}/' > in
	ryde-process --stats --metrics m --batch-size 3 --retries 1 --backoff 1ms --bisect --on-failure ./failed -- sh -c '! grep -q 5' < in 2> err
	tail -n 1 err > stats
	# three batches; the second is cut to the record that fails, which is called twice
	[ "$(jq -c '[.Invocations, .Errors, .PolledEventCount, .InvokedEventCount, .FailedInvokeEventCount, .FilteredOutEventCount,
		.DroppedEventCount, .OnFailureDestinationDeliveredEventCount]' stats)" = '[8,4,9,15,7,0,0,1]' ]
	jq -e 'has("IteratorAge") and .Duration >= 0' stats
	for name in IteratorAge Invocations Errors Duration PolledEventCount FilteredOutEventCount InvokedEventCount \
		FailedInvokeEventCount DroppedEventCount OnFailureDestinationDeliveredEventCount; do
		grep "$name" m
	done
}
