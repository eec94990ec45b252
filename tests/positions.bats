# Positions inside an aggregate: each of its lines is acknowledged by itself, a new run goes on with the very next one,
# and nothing is lost or comes twice, whatever stands in the pipe.
bats_require_minimum_version 1.5.0
load wait

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/data RYDE_RUN=$PWD/run RYDE_LEASE=2s
}

teardown() {
	local pid
	for pid in $(cat pids 2>/dev/null); do kill -9 "$pid" 2>/dev/null || :; done
	wait
}

# pack STREAM N: N numbered lines of one key, as one aggregate, with an ordinary record behind it; they are also in ./in
pack() {
	seq "$2" | sed 's/.*/{"k":"a","n":&}/' > in
	head -n -1 in | ryde-produce --aggregate -k .k "$1"
	tail -n 1 in | ryde-produce -k .k "$1"
	[ "$(ryde-consume --to end --deaggregate off -e "$1" | grep -c '"data')" -eq 2 ]
}

# where STREAM GROUP: which line of its record is done last; "whole" where all of it is
where() {
	ryde-admin positions "$1" "$2" | jq -r '.sub // "whole"'
}

at() {
	[ "$(where s g)" = "$1" ]
}

# runs COMMAND...: runs of seven lines each into the command, until there is nothing more
runs() {
	local i
	for i in $(seq 30); do
		ryde-consume -g g --to end -n 7 -q -q s | "$@" || return
		[ "$(ryde-admin positions s g | jq .lagRecords)" -gt 0 ] || return 0
	done
	return 1
}

@test "-n stops inside an aggregate: the next run begins with the very next line" {
	pack s 31
	ryde-consume -g g --to end -n 7 s | ryde-produce -k .k t
	[ "$(where s g)" = 6 ]
	[ "$(ryde-admin positions s g | jq .lagRecords)" -eq 2 ]
	ryde-consume -g g --to end -n 7 s | ryde-produce -k .k t
	[ "$(where s g)" = 13 ]
	ryde-consume -g g --to end -n 16 s | ryde-produce -k .k t
	# the last line of it, and all of it, is the same
	[ "$(where s g)" = whole ]
	[ "$(ryde-admin positions s g | jq .lagRecords)" -eq 1 ]
	ryde-consume -g g --to end s | ryde-produce -k .k t
	ryde-consume --to end t | cmp in -
}

@test "what stands in the pipe is acknowledged line by line: nothing comes twice" {
	pack s 31
	runs ryde-produce -k .k t
	ryde-consume --to end t | cmp in -
	ryde-admin positions s g --reset start
	runs ryde-archive -q -q ./archive
	# an object is named for the lines in it, and names sort as the shard runs
	find archive -type f | LC_ALL=C sort | xargs cat | cmp in -
	find archive -type f | grep -q '[0-9][.]0000007-[0-9]*[.]0000013[.]'
	ryde-admin positions s g --reset start
	runs ryde-process --batch-size 3 -- sh -c 'cat >> out'
	cmp in out
	ryde-admin positions s g --reset start
	# two of each line: the line is done with the second one
	runs ryde-produce -f '., .' -k .k twice
	ryde-consume --to end twice | uniq -c | awk '$1 != 2 { exit 1 }'
	ryde-consume --to end twice | uniq | cmp in -
	ryde-admin positions s g --reset start
	emitted() { ryde-process -q -q --batch-size 4 --emit -- cat | ryde-produce -k .k emitted; }
	runs emitted
	ryde-consume --to end emitted | cmp in -
}

@test "killed inside an aggregate, whoever it is: what was acknowledged does not come again, the rest does" {
	local victim
	pack s 31
	for victim in reader sink; do
		rm -f out pids
		ryde-admin positions s g --reset start
		mkfifo pipe
		ryde-consume -g g s > pipe 2> log 3>&- &
		echo $! > pids
		# the tenth line hangs
		ryde-process --batch-size 1 -- sh -c 'read -r l; case $l in *:10}) echo here > here; exec sleep 1000;; esac; echo "$l" >> out' < pipe 2>> log 3>&- &
		echo $! >> pids
		until_ok test -s here
		until_ok at 8
		if [ $victim = reader ]; then kill -9 "$(head -1 pids)"; else kill -9 "$(tail -1 pids)"; fi
		wait
		rm -f pids here pipe
		[ "$(where s g)" = 8 ]
		ryde-consume -g g --to end s | ryde-process --batch-size 4 -- sh -c 'cat >> out'
		cmp in out
	done
}

@test "a window goes on inside an aggregate: its sums are exact, run by run" {
	seq 60 | awk '{ printf "{\"k\":\"a\",\"n\":%d,\"t\":\"2026-11-23 14:%02d:%02d\"}\n", $1, $1 / 10, $1 % 10 * 6 }' > in
	ryde-produce --aggregate -k .k s in
	ryde-window --tumble 1m -t .t 'n=sum(.n)' 'c=count()' < in > want
	summed() { ryde-window --tumble 1m -t .t 'n=sum(.n)' 'c=count()' | ryde-produce sums; }
	for _ in $(seq 9); do
		ryde-consume -g g --to end -n 17 -q -q s | summed
	done
	ryde-consume --to end sums > got
	# the last window is still open
	head -n -1 want | cmp - got
	ryde-admin positions s g | jq -e '(.seen | test("^[0-9]+$")) and (.from | test("^[0-9]+[.]58$")) and .sub == 58'
	# sessions count each line once, too
	ryde-window --session 7s -t .t 'n=sum(.n)' 'c=count()' < in > want
	ryde-admin positions s g --reset start
	sessions() { ryde-window --session 7s -t .t 'n=sum(.n)' 'c=count()' --flush | ryde-produce sessions; }
	for _ in 1 2; do
		ryde-consume -g g --to end -n 17 -q -q s | sessions
	done
	ryde-consume -g g --to end -q -q s | sessions
	ryde-consume --to end sessions | tail -n 1 | cmp want -
}

@test "a batch ends inside an aggregate: bisected, checkpointed and redriven to the line" {
	pack s 31
	printf '#!/bin/sh\ncat > got\ngrep -q ":1[37]}" got && exit 1\ncat got >> out\n' > handler
	chmod +x handler
	ryde-consume -g g --to end s | ryde-process --retries 0 --bisect --batch-size 8 --on-failure q -q -q -- ./handler
	grep -v ':1[37]}' in | cmp - out
	[ "$(where s g)" = whole ]
	# the documents name the line, and the stream gives it back
	ryde-dlq read q > failed
	[ "$(jq -c '[.data.n, .sub, .last]' failed | paste -sd' ')" = '[13,12,null] [17,16,null]' ]
	sqlite3 data/queues/q.db 'SELECT body FROM messages' > documents
	[ "$(jq -c '.ryde.records[] | [.sub, has("data")]' documents | paste -sd' ')" = '[12,false] [16,false]' ]
	ryde-dlq redrive q | ryde-produce -k .k again
	grep ':1[37]}' in > want
	ryde-consume --to end again | cmp want -
	[ "$(ryde-dlq count q | jq .visible)" -eq 0 ]
}

@test "a partial failure names a line of an aggregate" {
	pack s 31
	# fails once at the 20th, by the number that the event has
	cat > handler <<-'H'
	#!/bin/sh
	cat > event
	jq -c '.Records[] | .kinesis.data | @base64d | fromjson' event > got
	if [ ! -e failed ] && grep -q ':20}' got; then
		touch failed
		sed '/:20}/,$d' got >> out
		jq -c '{batchItemFailures: [.Records[] | select(.kinesis.data | @base64d | fromjson | .n == 20) | {itemIdentifier: .kinesis.sequenceNumber}]}' event
	else
		cat got >> out
		echo '{}'
	fi
	H
	chmod +x handler
	ryde-consume -g g --to end s | ryde-process --event lambda --partial --batch-size 10 --backoff 1ms -q -q -- ./handler
	cmp in out
	jq -er '.Records[0] | .eventID == "shardId-000000000000:" + .kinesis.sequenceNumber' event
	# a number alone is the first line of it in the batch: those before it are done
	rm -f failed out
	sed -i 's/kinesis.sequenceNumber}/kinesis.sequenceNumber | split(".")[0]}/; s/{itemIdentifier: .kinesis.sequenceNumber | split(".")\[0\]}/{itemIdentifier: (.kinesis.sequenceNumber | split(".")[0])}/' handler
	ryde-admin positions s g --reset start
	ryde-consume -g g --to end s | ryde-process --event lambda --partial --batch-size 10 --backoff 1ms -q -q -- ./handler
	[ -e failed ]
	sort -u -t: -k3n out | cmp in -
	[ "$(wc -l < out)" -gt 31 ]
}

@test "two batches of one aggregate have different first and last numbers" {
	pack s 31
	ryde-consume -g g --to end s | ryde-process --batch-size 10 -- sh -c 'cat > "$RYDE_FIRST_SEQUENCE-$RYDE_LAST_SEQUENCE"'
	[ "$(ls | grep -c '^[0-9.]*-[0-9.]*$')" -eq 4 ]
	cat $(ls | grep '^[0-9]*[.]0-') | cmp - <(head -10 in)
}

@test "the aggregate was trimmed meanwhile: the next record comes, and what is missing is said" {
	ryde-admin create stream s --retention 1h
	export RYDE_CLOCK=@1795442400000
	seq 9 | sed 's/.*/{"k":"a","n":&}/' | ryde-produce --aggregate -k .k s
	ryde-consume -g g --to end -n 4 s | ryde-produce -k .k t
	[ "$(where s g)" = 3 ]
	export RYDE_CLOCK=@1795449600000
	echo '{"k":"a","n":10}' | ryde-produce -k .k s
	run -65 --separate-stderr bash -c 'set -o pipefail; ryde-consume -g g --to end s | ryde-process -- sh -c "cat > rest"'
	[[ $stderr == *'no longer held'* ]]
	[ "$(cat rest)" = '{"k":"a","n":10}' ]
}

@test "a position of an earlier format is a whole record" {
	pack s 31
	ryde-consume -g g --to end -n 7 s | ryde-produce -k .k t
	sqlite3 data/groups/s.db 'ALTER TABLE positions DROP COLUMN sub; PRAGMA user_version=2'
	[ "$(where s g)" = whole ]
	[ "$(ryde-consume -g g --to end --ack write s | jq .data.n | grep -v null)" = 31 ]
	sqlite3 data/groups/s.db 'PRAGMA user_version=4'
	run -78 ryde-admin positions s g
	[[ $output == *'newer version'* ]]
	sqlite3 data/groups/s.db "PRAGMA user_version=3; UPDATE positions SET sub=-1"
	run -74 ryde-admin positions s g
	[[ $output == *'damaged'* ]]
}

@test "--from a line of an aggregate; where it is not taken apart, all of it comes" {
	local seq
	pack s 31
	seq=$(ryde-consume --to end -e s | head -1 | jq -r .sequenceNumber)
	[ "$(ryde-consume --to end --from "$seq.28" s | jq -c .n | paste -sd' ')" = '29 30 31' ]
	[ "$(ryde-consume --to end --from "$seq.0" s | wc -l)" -eq 31 ]
	[ "$(ryde-consume --to end --from "$seq.99" s | jq .n)" = 31 ]
	ryde-consume -g g --to end -n 7 s | ryde-produce -k .k t
	[ "$(ryde-consume -g g --to end --deaggregate off --ack write s | grep -c '"data')" -eq 2 ]
}

@test "a shard that is held goes on behind the lines of its aggregates that were done" {
	{
		seq 1 1500 | awk '{ printf "{\"k\":\"k%d\",\"n\":%d}\n", $1 % 8, $1 }'
		echo '{"k":"poison","n":0}'
		seq 1501 120000 | awk '{ printf "{\"k\":\"k%d\",\"n\":%d}\n", $1 % 8, $1 }'
	} | ryde-produce --aggregate -k .k s
	cat > handler <<-'H'
	#!/bin/sh
	# one key is poisoned until it is mended
	cat > "batch.$$"
	! grep -q poison "batch.$$" || [ -e mended ] || exit 1
	cat "batch.$$" >> got
	rm "batch.$$"
	H
	chmod +x handler
	mkfifo pipe
	ryde-consume -g g s > pipe 2> log 3>&- &
	echo $! > pids
	ryde-process --batch-size 1000 --parallel 4 --backoff 20ms -- ./handler < pipe 2> held 3>&- &
	echo $! >> pids
	until_ok grep -q 'is put on hold' held
	touch mended
	until_ok sh -c 'ryde-admin positions s g | jq -e ".lagRecords == 0"'
	kill "$(head -1 pids)"
	wait
	rm pids
	[ "$(wc -l < got)" -eq 120001 ]
	[ "$(sort -u got | wc -l)" -eq 120001 ]
}
