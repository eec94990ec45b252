# The rules of acknowledgement, ryde-line(5), with the real programs; each test has its rule's name.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
	ryde-admin create table t --key n
	seq 1 200 | sed 's/.*/{"n":&}/' | ryde-produce s
}

teardown() {
	jobs -p | xargs -r kill -9 2>/dev/null || :
}

load wait

left() {
	ryde-consume --status -g g s | jq -c .lagRecords
}

stored() {
	ryde-query "SELECT count(*) AS c FROM t" | jq -c .c
}

has() {
	[ "$(stored)" = "$1" ]
}

has_some() {
	[ "$(stored)" != 0 ]
}

# exit statuses of a pipe, as words
pipe() {
	run bash -c "$1; echo \${PIPESTATUS[*]}"
	statuses=${lines[-1]}
}

@test "all is acknowledged: both ends say 0, the position is at the end" {
	pipe 'ryde-consume -g g --to end s | ryde-put t'
	[ "$statuses" = '0 0' ]
	[ "$(left)" = 0 ]
	[ "$(stored)" = 200 ]
}

@test "1 one life, N sinks: a second sink freezes the position" {
	# the first sink takes its part and leaves; a second one reads on from the same pipe
	pipe 'ryde-consume -g g --to end s | { head -n 50 | ryde-put t; ryde-put t; }'
	[ "${statuses%% *}" = 75 ]
	[ "$(left)" != 0 ]
	pipe 'ryde-consume -g g --to end s | ryde-put t'
	[ "$statuses" = '0 0' ]
	[ "$(stored)" = 200 ]
}

@test "1 one life, N sinks: --sinks 2 behind tee, the position follows the slower one" {
	ryde-admin create table u --key n
	# what runs in tee's substitution is waited for: its end must have come before the next check
	run -0 bash -c 'ryde-consume -g g --sinks 2 --to end s | tee >(ryde-put t) | ryde-put u; exit "${PIPESTATUS[0]}"'
	[ "$(left)" = 0 ]
	[ "$(stored)" = 200 ]
	[ "$(ryde-query 'SELECT count(*) AS c FROM u')" = '{"c":200}' ]
}

@test "1 one life, N sinks: with --sinks 2 one sink is not enough" {
	pipe 'ryde-consume -g g --sinks 2 --grace 300ms --to end s | ryde-put t'
	[ "${statuses%% *}" = 75 ]
	[ "$(left)" = 200 ]
}

@test "2 broken connection: a sink whose reader is gone begins nothing more" {
	mkfifo hold
	# the sink has taken a line; then the reader dies, and what still comes is dropped
	ryde-consume -g g s > lines &
	reader=$!
	until_ok grep -q '"mark"' lines
	{ head -n 3 lines; cat hold; tail -n +4 lines; } > >(rc=0; ryde-put t || rc=$?; echo "put $rc" > status) &
	until_ok has_some
	kill -9 "$reader"
	wait "$reader" || :
	: > hold
	until_ok test -s status
	[ "$(cat status)" = 'put 75' ]
	[ "$(left)" -ge 198 ]
}

@test "2 broken connection: a sink that cannot connect exits 75 before its first effect" {
	ryde-consume -g g --grace 100ms --to end s > lines || :
	run -75 ryde-put t lines
	[ "$(stored)" = 0 ]
}

@test "2 broken connection: a reader that has ended well is not gone, though its pipe is still held open" {
	# as timeout(1) holds it: the pipe ends only some time after the reader
	cat > held <<-'END'
		ryde-consume -g "$1" --to end s
		echo $? > status
		until [ -e go ]; do read -r -t 0.02 <> <(:); done
		exit 0
	END
	for sink in 'ryde-put t' 'ryde-process -- cat' "ryde-window --tumble 1s -t arrival 'n=count()' | ryde-produce w"; do
		rm -f status go
		bash -o pipefail -c "bash held '${sink%% *}' | $sink" > /dev/null 2> err &
		pipe=$!
		until_ok has_lines 1 status
		[ "$(cat status)" = 0 ]
		touch go
		wait "$pipe"
	done
}

@test "3 unclean end: a stage that dies in the middle" {
	pipe 'ryde-consume -g g --to end s | head -n 20 | ryde-put t'
	read -r first _ last <<< "$statuses"
	[ "$last" = 75 ]
	[ "$first" = 75 ] || [ "$first" = 141 ]
	[ "$(left)" = "$((200 - $(stored)))" ]
}

@test "3 unclean end: a filter that drops marks, but not the last record, is clean" {
	pipe "ryde-consume -g g --to end s | grep -v mark | ryde-put t"
	[ "$statuses" = '0 0 0' ]
	[ "$(left)" = 0 ]
}

@test "3 unclean end: a last line without a newline is no line, and no reject" {
	ryde-consume --from start --to end -e s | head -c -1 > lines
	cat lines | run -75 --separate-stderr ryde-put --rejects bad t
	[ "$(stored)" = 199 ]
	[ ! -s bad ]
}

@test "4 rejects: without --rejects a group's pipe stops at a bad line, 65" {
	echo '{"m":1}' | ryde-produce s
	seq 201 210 | sed 's/.*/{"n":&}/' | ryde-produce s
	pipe 'ryde-consume -g g --to end s | ryde-put t'
	[[ $statuses == *' 65' ]]
	[ "$(stored)" = 200 ]
	[ "$(left)" = 11 ]
}

@test "4 rejects: with --rejects it is kept, and the position passes it" {
	echo '{"m":1}' | ryde-produce s
	seq 201 210 | sed 's/.*/{"n":&}/' | ryde-produce s
	pipe 'ryde-consume -g g --to end s | ryde-put --rejects bad t'
	[ "$statuses" = '0 65' ]
	[ "$(jq -c .data bad)" = '{"m":1}' ]
	[ "$(left)" = 0 ]
	[ "$(stored)" = 210 ]
}

@test "5 more: a line with more is never acknowledged by itself" {
	pipe "ryde-consume -g g --to end s | sed -u '/\"data\"/s/\"data\"/\"more\":true,\"data\"/; /\"mark\"/d' | ryde-put t"
	[ "${statuses%% *}" = 75 ]
	[ "$(left)" = 200 ]
	[ "$(stored)" = 200 ]
}

@test "6 emit: outputs are passed on once their batch has succeeded" {
	cat > twice <<-'H'
	#!/bin/sh
	# prints every line, and fails the first time
	cat
	[ -e tried ] || { touch tried; exit 1; }
	H
	chmod +x twice
	pipe 'ryde-consume -g g --to end s | ryde-process --backoff 1ms --emit -- ./twice | ryde-produce out'
	[ "$statuses" = '0 0 0' ]
	[ "$(left)" = 0 ]
	[ "$(ryde-consume --to end out | wc -l)" -eq 200 ]
}

@test "7 hold: a shard that fails for ever does not stop the others, and goes on later" {
	ryde-admin create stream two --shards 2
	ryde-unicorn -c 40 -m 60000 --seed 3 --fast | ryde-produce -k .Name two
	cat > handler <<-'H'
	#!/bin/sh
	# one shard is poisoned until it is mended
	if [ "$RYDE_SHARD_ID" = shardId-000000000000 ] && [ ! -e mended ]; then cat >/dev/null; exit 1; fi
	cat >> "got.$RYDE_SHARD_ID"
	H
	chmod +x handler
	ryde-consume -g g two | ryde-process --batch-size 500 --backoff 20ms -- ./handler 2> log &
	other=$(ryde-consume -e --to end --shard shardId-000000000001 two | wc -l)
	until_ok sh -c "[ \"\$(wc -l < got.shardId-000000000001)\" -ge $other ]"
	[ ! -e got.shardId-000000000000 ]
	touch mended
	until_ok sh -c '[ "$(cat got.* | sort -u | wc -l)" -eq 60000 ]'
	kill %1
	wait || :
	until_ok sh -c 'ryde-consume --status -g g two | jq -se "map(.lagRecords) | add == 0"'
}

@test "7 hold: with --parallel the keys of a held shard that were done are not done again" {
	ryde-admin create stream one --shards 1
	{
		echo '{"k":"poison","n":0}'
		seq 1 120000 | sed 's/.*/{"k":"sound","n":&}/'
	} | ryde-produce -k .k one
	cat > handler <<-'H'
	#!/bin/sh
	# one key is poisoned until it is mended; it never fills the hand, and is held for what was done beside it
	IFS= read -r first
	case $first in *poison*) [ -e mended ] || exit 1 ;; esac
	{ echo "$first"; cat; } >> got
	H
	chmod +x handler
	ryde-consume -g g one | ryde-process --batch-size 1000 --parallel 4 --backoff 20ms -- ./handler 2> log &
	until_ok grep -q 'is put on hold' log
	until_ok sh -c 'ryde-consume --status -g g one | jq -e ".lagRecords > 120000"'
	touch mended
	until_ok sh -c 'ryde-consume --status -g g one | jq -e ".lagRecords == 0"'
	kill %1
	wait || :
	[ "$(wc -l < got)" -eq 120001 ]
	[ "$(sort -u got | wc -l)" -eq 120001 ]
}

@test "7 hold: with --tumble a held shard's open window counts each record once" {
	ryde-admin create stream two --shards 2
	ryde-unicorn -c 40 -m 60000 --seed 3 --fast | ryde-produce -k .Name two
	cat > handler <<-'H'
	#!/bin/sh
	# the state is how many records the window has; one shard's third batch is poisoned until it is mended
	cat > "event.$$"
	eval "$(jq -r '@sh "shard=\(.shardId) n=\(.Records | length) had=\(.state.n // 0) final=\(.isFinalInvokeForWindow)"' "event.$$")"
	rm "event.$$"
	[ "$shard" != shardId-000000000000 ] || [ "$had" -lt 1000 ] || [ -e mended ] || exit 1
	[ "$final" = false ] || echo "$had" >> "got.$shard"
	echo "{\"state\":{\"n\":$((had + n))}}"
	H
	chmod +x handler
	ryde-consume -g g two | ryde-process --event lambda --tumble 1s --batch-size 500 --backoff 20ms -- ./handler 2> log &
	total() { [ "$(jq -s add "got.shardId-00000000000$1")" = "$(ryde-consume -e --to end --shard "shardId-00000000000$1" two | wc -l)" ]; }
	until_ok grep -q 'shardId-000000000000.*is put on hold' log
	until_ok total 1
	[ ! -e got.shardId-000000000000 ]
	touch mended
	until_ok total 0
	until_ok sh -c 'ryde-consume --status -g g two | jq -se "map(.lagRecords) | add == 0"'
	kill %1
	wait || :
	total 0
	total 1
}

@test "8 stand-by: a second reader waits and takes over; runs with an end do not wait" {
	ryde-consume -g g s | ryde-put t &
	until_ok has 200
	run -75 ryde-consume -g g --to end s
	[[ $output == *"being read by"* ]]
	ryde-consume -g g s 2> second | ryde-put t &
	until_ok grep -q 'standing by' second
	pkill -9 -f 'ryde-consume -g g s' -o
	echo '{"n":999}' | ryde-produce s
	until_ok has 201
}

@test "8 stand-by: a reader stopped for longer than its lease is replaced, and moves nothing" {
	export RYDE_LEASE=500ms
	ryde-consume -g g s 2> first | ryde-put t &
	until_ok has 200
	reader=$(pgrep -f 'ryde-consume -g g s' -o)
	kill -STOP "$reader"
	ryde-consume -g g s 2> second | ryde-put t &
	until_ok sh -c '[ "$(ryde-admin positions s g | jq -r .owner | sort -u)" != "" ] && ! grep -q standing second || [ "$(pgrep -c -f "ryde-put t")" -ge 2 ]'
	echo '{"n":1000}' | ryde-produce s
	until_ok has 201
	kill -CONT "$reader"
	until_ok grep -q 'taken over' first
	until_ok sh -c "! kill -0 $reader"
}

@test "8 stand-by: a blocked reader keeps its lease" {
	export RYDE_LEASE=400ms
	ryde-unicorn -m 200000 --seed 1 --fast | ryde-produce s
	mkfifo pipe
	ryde-consume -g g s > pipe &
	exec 9< pipe
	# several leases long the pipe is full
	run -75 timeout 60 ryde-consume -g g --to end s
	for _ in 1 2 3 4; do
		read -r -t 0.4 <> <(:) || :
		run -75 ryde-consume -g g --to end s
	done
	exec 9<&-
}

# in_order FILE: the lines {"k":KEY,"n":N} of each key come in the order of their numbers, and none is missing
in_order() {
	jq -rs 'group_by(.k) | all(map(.n) == (map(.n) | sort)) and (add | length == '"$2"')' "$1" | grep -qx true
}

# keyed FROM TO: lines of twenty keys
keyed() {
	seq "$1" "$2" | awk '{ printf "{\"k\":\"k%d\",\"n\":%d}\n", $1 % 20, $1 }'
}

@test "9 reshard: children are read once their parents are acknowledged, each key in its order" {
	ryde-admin create stream r
	keyed 1 500 | ryde-produce -k .k r
	ryde-admin split r shardId-000000000000
	keyed 501 1000 | ryde-produce -k .k r
	ryde-admin merge r shardId-000000000001 shardId-000000000002
	keyed 1001 1500 | ryde-produce -k .k r
	ryde-admin reshard r 4
	keyed 1501 2000 | ryde-produce -k .k r
	cat > handler <<-'H'
	#!/bin/sh
	# nothing is done before it may
	until [ -e go ]; do sleep 0.02; done
	cat >> got
	H
	chmod +x handler
	ryde-consume -g g --to end r 2> log | tee lines | ryde-process --batch-size 50 -- ./handler &
	sink=$!
	until_ok grep -q 'its children wait' log
	until_ok grep -q '"n":500}' lines
	run ! grep -q '"n":501}' lines
	run ! grep -q '"shardId":"shardId-000000000001"' lines
	touch go
	wait "$sink"
	in_order got 2000
	# a merged shard comes after both of its parents
	[ "$(grep -n '"shardId":"shardId-00000000000[12]","sequenceNumber":"[0-9]*","p' lines | tail -n 1 | cut -d: -f1)" -lt \
	    "$(grep -n '"shardId":"shardId-000000000003"' lines | head -n 1 | cut -d: -f1)" ]
	# and the group goes on where it was, with shards of all ages
	keyed 2001 2500 | ryde-produce -k .k r
	ryde-admin reshard r 1
	keyed 2501 3000 | ryde-produce -k .k r
	pipe 'ryde-consume -g g --to end r | ryde-process -- ./handler'
	[ "$statuses" = '0 0' ]
	in_order got 3000
}

# split and merge a stream under a pipe that goes on: resharded_under_load OPTION... of the producer
resharded_under_load() {
	ryde-admin create stream r --shards 2
	ryde-consume -g g r | ryde-process --batch-size 100 -- sh -c 'cat >> got' &
	for i in 0 1 2 3 4 5 6 7; do keyed $((i * 1000 + 1)) $((i * 1000 + 1000)); until [ -e "step$i" ]; do sleep 0.02; done; done |
	    ryde-produce -k .k --linger 5ms "$@" r &
	for i in 0 1 2 3 4 5 6 7; do
		ryde-admin reshard r $((1 + (i * 5 + 3) % 7))
		until_ok sh -c "[ \"\$(wc -l < got)\" -ge $((i * 1000 + 500)) ]"
		touch "step$i"
	done
	until_ok sh -c '[ "$(wc -l < got)" -ge 8000 ]'
	kill %1
	wait || :
	in_order got 8000
	[ "$(ryde-admin positions r g | jq -s 'map(.lagRecords) | add')" = 0 ]
}

@test "9 reshard: a stream is split and merged under a pipe that goes on" {
	resharded_under_load
}

@test "9 reshard: also where lines are packed for one shard" {
	resharded_under_load --aggregate
}

@test "9 reshard: a reader whose parent is never acknowledged says so, and goes on after 30 s" {
	ryde-admin create stream r
	keyed 1 10 | ryde-produce -k .k r
	ryde-admin split r shardId-000000000000
	keyed 11 20 | ryde-produce -k .k r
	ryde-consume -g g r 2> log | tee lines | ryde-process --batch-size 5 -- sh -c 'until [ -e go ]; do sleep 0.02; done; cat >> got' &
	until_ok grep -q 'its children wait' log
	run ! grep -q '"n":11}' lines
	until_ok grep -q 'its children are read now' log
	until_ok grep -q '"n":20}' lines
	# they are read, and still their batches come behind their parent's
	[ ! -e got ]
	touch go
	until_ok sh -c '[ "$(wc -l < got)" -eq 20 ]'
	in_order got 20
}

@test "9 reshard: what a reader went on past after 30 s comes again, although its children are done" {
	ryde-admin create stream r
	keyed 1 10 | ryde-produce -k .k r
	ryde-admin split r shardId-000000000000
	keyed 11 30 | ryde-produce -k .k r
	ryde-admin merge r shardId-000000000001 shardId-000000000002
	keyed 31 40 | ryde-produce -k .k r
	cat > handler <<-'H'
	#!/bin/sh
	# the second generation is stuck
	case $RYDE_SHARD_ID in *[12]) until [ -e go ]; do sleep 0.02; done ;; esac
	cat >> got
	H
	chmod +x handler
	# the marks that name parents do not come through
	ryde-consume -g g r 2> log > >(grep --line-buffered -v '"parents"' | ryde-process --batch-size 5 -- ./handler) &
	reader=$!
	until_ok grep -q '"n":40}' got
	until_ok eval 'ryde-admin positions r g | jq -se ".[3].lagRecords == 0"'
	kill -9 "$reader"
	wait "$reader" || :
	touch go
	timeout 60 ryde-consume -g g --to end r | ryde-process -- sh -c 'cat >> again'
	[ "$(jq .n again | sort -n | head -n 20 | tr '\n' ' ')" = "$(seq -s ' ' 11 30) " ]
}

@test "9 reshard: a closed shard does not hold a window's watermark, and its children do until they are heard" {
	ryde-unicorn -c 10 -m 6000 --seed 5 --start 2026-11-23 --fast > in
	ryde-admin create stream whole
	ryde-produce -k .Name whole < in
	ryde-admin create stream w
	head -n 2000 in | ryde-produce -k .Name w
	ryde-admin reshard w 3
	sed -n 2001,4000p in | ryde-produce -k .Name w
	ryde-admin reshard w 2
	sed -n '4001,$p' in | ryde-produce -k .Name w
	for s in w whole; do
		pipe "ryde-consume -g g --to end $s | ryde-window --tumble 1m --by .Name 'd=sum(.Distance)' 'n=count()' | ryde-produce out-$s"
		[ "$statuses" = '0 0 0' ]
		ryde-consume --to end out-$s | sort > $s.rows
	done
	[ "$(wc -l < whole.rows)" -eq 90 ]
	cmp w.rows whole.rows
}

@test "10 fencing covers the position: data can never pose as one" {
	echo '{"ryde":1,"ack":"AAAAAAAAAAAAAAAAAAAAAA","shardId":"shardId-000000000000","sequenceNumber":"1","data":1}' > forged
	run -75 ryde-put t forged
	printf '{"ryde":1,"data":%s}\n' "$(cat forged)" | ryde-produce f
	[ "$(ryde-consume --to end f | jq -c .data.ack)" = '"AAAAAAAAAAAAAAAAAAAAAA"' ]
}

@test "windows: one per group, of one definition, and no plain sink beside it" {
	ryde-unicorn -c 3 -m 3000 --seed 5 --start 2026-11-23 --fast | ryde-produce -k .Name w
	pipe "ryde-consume -g g --to end w | ryde-window --tumble 1m --by .Name 'd=sum(.Distance)' | ryde-produce out"
	[ "$statuses" = '0 0 0' ]
	pipe "ryde-consume -g g --to end w | ryde-window --tumble 2m --by .Name 'd=sum(.Distance)' | ryde-produce out"
	[[ $statuses == *78* ]]
	pipe 'ryde-consume -g g --to end w | ryde-put t'
	[[ $statuses == *78* ]]
	ryde-admin positions w g --reset start
	pipe "ryde-consume -g g --to end w | ryde-window --tumble 2m --by .Name 'd=sum(.Distance)' | ryde-produce out"
	[ "$statuses" = '0 0 0' ]
}

@test "no sink: it says what is missing" {
	run -75 --separate-stderr ryde-consume -g g --to end --grace 100ms s
	[[ $stderr == *"acknowledged"* ]]
}
