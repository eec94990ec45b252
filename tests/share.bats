# ryde-consume -g GROUP --share: several readers of one group divide its shards. Whatever happens to them, every record is
# handled, and none by two at once.
bats_require_minimum_version 1.5.0
load wait

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run RYDE_LEASE=3s
	mkdir busy
	# one call per batch: each line of it is busy while it is handled; one that is already was given to two at once
	cat > handler <<-'H'
	#!/bin/bash
	set -C
	n=0
	while read -r line; do
		at[n++]=busy/${line//[^a-z0-9_.]/}
		{ : > "${at[n-1]}"; } 2>/dev/null || printf '%s\n' "$line" >> twice
		lines+=$line$'\n'
	done
	sleep "${SLEEP:-0.05}"
	printf '%s' "$lines" >> done
	rm -f "${at[@]}"
	H
	chmod +x handler
}

teardown() {
	local pid
	for pid in "${readers[@]}"; do
		kill -CONT "$pid" 2>/dev/null || :
		kill -9 "$pid" 2>/dev/null || :
	done
	tail -n 5 log* sink* 2>/dev/null
	wait
}

# lines FROM TO: lines of thirty keys
lines() {
	seq "$1" "$2" | awk '{ printf "{\"k\":\"k%d\",\"n\":%d}\n", $1 % 30, $1 }'
}

# start I: reader number I of group g, its pid in readers[I], and the program behind it
start() {
	ryde-consume -g g --share s 2> "log$1" > >(exec ryde-process --batch-size 5 -- ./handler 2> "sink$1") 3>&- &
	readers[$1]=$!
}

# has_numbers N: the lines 1 to N are all done
has_numbers() {
	[ "$(jq .n done 2>/dev/null | sort -un | wc -l)" = "$1" ]
}

# owners: how many shards each reader has, in a row, sorted
owners() {
	ryde-admin positions s g | jq -r '.owner // "nobody"' | sort | uniq -c | sort -n | awk '{ printf "%s%s", (NR > 1 ? " " : ""), $1 }'
}

# owned N...: so many shards has each reader, and none is nobody's
owned() {
	! ryde-admin positions s g | grep -q '"owner":null' && [ "$(owners)" = "$*" ]
}

once() {
	[ -z "$(sort done | uniq -d | head -3)" ]
}

@test "five readers come and go: balanced within seconds, every record is handled once" {
	local i
	ryde-admin create stream s --shards 20
	lines 1 400 | ryde-produce -k .k s
	for i in 1 2 3 4 5; do
		start $i
		lines $((i * 200 + 201)) $((i * 200 + 400)) | ryde-produce -k .k s
	done
	until_ok owned 4 4 4 4 4
	kill -TERM "${readers[2]}" "${readers[4]}"
	wait "${readers[2]}" && wait "${readers[4]}"
	lines 1401 1600 | ryde-produce -k .k s
	until_ok owned 6 7 7
	until_ok has_numbers 1600
	[ ! -e twice ]
	once
}

@test "readers are killed: the others take their shards over, and nothing is lost" {
	local i
	ryde-admin create stream s --shards 20
	for i in 1 2 3 4 5; do start $i; done
	until_ok owned 4 4 4 4 4
	lines 1 1000 | ryde-produce -k .k s
	until_ok test -s done
	kill -9 "${readers[1]}"
	kill -9 "${readers[5]}"
	until_ok owned 6 7 7
	start 6
	until_ok owned 5 5 5 5
	lines 1001 1200 | ryde-produce -k .k s
	until_ok has_numbers 1200
	grep -q 'is gone: its shards are taken over' log[2346]
}

@test "a reader stopped for longer than its lease is replaced, and moves nothing when it wakes" {
	local i status=0
	ryde-admin create stream s --shards 9
	for i in 1 2 3; do start $i; done
	until_ok owned 3 3 3
	lines 1 300 | ryde-produce -k .k s
	until_ok test -s done
	kill -STOP "${readers[2]}"
	until_ok owned 4 5
	lines 301 600 | ryde-produce -k .k s
	until_ok has_numbers 600
	until_ok sh -c 'test "$(ryde-admin positions s g | jq -s "map(.lagRecords) | add")" = 0'
	ryde-admin positions s g | jq -c '[.shardId, .sequenceNumber]' > before
	kill -CONT "${readers[2]}"
	wait "${readers[2]}" || status=$?
	[ "$status" = 75 ]
	grep -q 'taken over' log2
	ryde-admin positions s g | jq -c '[.shardId, .sequenceNumber]' | diff before -
}

@test "a batch that takes several leases is waited for, what was not begun is read by another" {
	ryde-admin create stream s --shards 2
	SLEEP=8 start 1
	lines 1 20 | ryde-produce -k .k s
	until_ok sh -c 'ls busy | grep -q .'
	start 2
	until_ok has_numbers 20
	[ ! -e twice ]
	once
	owned 1 1
	grep -q 'goes to another reader' log1
	grep -q 'records are not handled here' sink1
	kill -TERM "${readers[@]}"
	wait "${readers[1]}" && wait "${readers[2]}"
}

@test "a batch that fails again and again goes to another reader" {
	ryde-admin create stream s --shards 2
	ryde-consume -g g --share s 2> log1 > >(exec ryde-process --batch-size 5 -- false 2> sink1) 3>&- &
	readers[1]=$!
	lines 1 60 | ryde-produce -k .k s
	until_ok grep -q 'again in\|failed' sink1
	start 2
	until_ok owned 1 1
	kill -9 "${readers[1]}"
	until_ok has_numbers 60
}

@test "a filter between reader and sink drops what goes, too" {
	export SLEEP=4
	ryde-admin create stream s --shards 2
	ryde-consume -g g --share s 2> log1 3>&- > >(exec ryde-process --emit --batch-size 5 -- sh -c 'tee x.$$; ./handler < x.$$' 2> sink1 |
	    ryde-process -- sh -c 'cat >> emitted') &
	readers[1]=$!
	lines 1 20 | ryde-produce -k .k s
	until_ok sh -c 'ls busy | grep -q .'
	start 2
	until_ok owned 1 1
	until_ok has_numbers 20
	# what ran when the shard went may run again, once it has ended
	[ ! -e twice ]
}

@test "tumbling windows of shards that move are computed anew: each sum is exact" {
	local i
	export RYDE_LEASE=2s
	ryde-admin create stream s --shards 4
	for i in 1 2 3 4 5 6 7 8; do
		lines $((i * 100 - 99)) $((i * 100)) | ryde-produce -k .k s
		case $i in
		1 | 4 | 6)
			ryde-consume -g g --share s 2> "log$i" 3>&- > >(exec ryde-process --keep --event lambda --tumble 1s -- \
			    python3 -c '
import base64, json, sys
for text in sys.stdin:
    event = json.loads(text)
    state = event["state"]
    for record in event["Records"]:
        state["sum"] = state.get("sum", 0) + json.loads(base64.b64decode(record["kinesis"]["data"]))["n"]
    if event["isFinalInvokeForWindow"]:
        with open("sums", "a") as sums:
            print(state.get("sum", 0), file=sums)
    print(json.dumps({"state": state}), flush=True)' 2> "sink$i") &
			readers[i]=$!
			;;
		esac
		read -r -t 0.6 <> <(:) || :
	done
	until_ok owned 1 1 2
	until_ok sh -c 'test "$(jq -s add sums)" = 320400'
}

@test "killed, stopped, ended and started at random, while the stream is split: nothing is lost" {
	local i n=0 end=$((SECONDS + 15)) splits=0
	export RYDE_LEASE=2s
	RANDOM=7
	ryde-admin create stream s --shards 6
	for i in 1 2 3 4 5; do start $i; done
	while [ $SECONDS -lt $end ]; do
		lines $((n + 1)) $((n + 100)) | ryde-produce -k .k s
		n=$((n + 100))
		i=$((RANDOM % 5 + 1))
		case $((RANDOM % 5)) in
		0) kill -9 "${readers[i]}" ;;
		1) kill -STOP "${readers[i]}" ;;
		2) kill -CONT "${readers[@]}" ;;
		3) kill -TERM "${readers[i]}" ;;
		4)
			[ $((splits++)) -gt 2 ] ||
			    ryde-admin split s "$(ryde-admin describe s | jq -r '[.shards[] | select(.open)][0].shardId')"
			;;
		esac 2>/dev/null || :
		read -r -t 0.$((RANDOM % 8 + 1)) <> <(:) || :
		for i in 1 2 3 4 5; do kill -0 "${readers[i]}" 2>/dev/null || start $i; done
	done
	kill -CONT "${readers[@]}" 2>/dev/null || :
	until_ok sh -c "test \"\$(jq .n done | sort -un | wc -l)\" = $n" || {
		for i in 1 2 3 4 5; do kill -0 "${readers[i]}" 2>/dev/null || start $i; done
		until_ok has_numbers $n
	}
}

@test "an archive that gathers gives its shards at once" {
	ryde-admin create stream s --shards 4
	ryde-consume -g g --share s 2> log1 > >(exec ryde-archive --every 1h a) 3>&- &
	readers[1]=$!
	lines 1 50 | ryde-produce -k .k s
	until_ok owned 4
	ryde-consume -g g --share s 2> log2 > >(exec ryde-archive --every 1h b) 3>&- &
	readers[2]=$!
	until_ok owned 2 2
	lines 51 100 | ryde-produce -k .k s
	kill -TERM "${readers[@]}"
	wait "${readers[1]}" && wait "${readers[2]}"
	ryde-consume -g g s > rest --ack write 3>&- &
	readers[3]=$!
	until_ok sh -c 'test "$({ find a b -type f -exec cat {} +; jq -c "select(.data) | .data" rest; } | jq .n | sort -n | uniq | wc -l)" = 100'
}

@test "resharding: children are read after their parents, each key in its order, whoever reads" {
	local i
	ryde-admin create stream s --shards 2
	lines 1 300 | ryde-produce -k .k s
	for i in 1 2 3; do start $i; done
	ryde-admin split s shardId-000000000000
	lines 301 600 | ryde-produce -k .k s
	ryde-admin reshard s 5
	lines 601 900 | ryde-produce -k .k s
	until_ok has_numbers 900
	[ ! -e twice ]
	once
	jq -rs 'group_by(.k) | all(map(.n) == (map(.n) | sort))' done | grep -qx true
	until_ok sh -c 'test "$(ryde-admin positions s g | jq -r "select(.owner) | .shardId" | wc -l)" = 5'
}

@test "a group begins where --from says for all its readers, and goes on there" {
	ryde-admin create stream s --shards 4
	lines 1 100 | ryde-produce -k .k s
	ryde-consume -g g --share --from end s 2> log1 > >(exec ryde-process -- ./handler) 3>&- &
	readers[1]=$!
	until_ok owned 4
	lines 101 150 | ryde-produce -k .k s
	until_ok test -s done
	kill -TERM "${readers[1]}"
	wait "${readers[1]}"
	lines 151 200 | ryde-produce -k .k s
	start 2
	until_ok sh -c 'test "$(sort -u done | wc -l)" = 100'
	[ "$(jq -s 'map(.n) | min' done)" = 101 ]
	once
}

@test "readers with and without --share do not mix" {
	ryde-admin create stream s --shards 4
	start 1
	until_ok owned 4
	run -78 ryde-consume -g g s
	[[ $output == *"shared by 1 reader: read it with --share too"* ]]
	run -75 ryde-admin positions s g --reset start
	[[ $output == *"1 reader with --share"* ]]
	kill -TERM "${readers[1]}"
	wait "${readers[1]}"
	ryde-consume -g g s > >(exec ryde-process -- ./handler) 3>&- &
	readers[2]=$!
	until_ok sh -c 'ryde-admin positions s g | grep -q "\"owner\":\"process"'
	run -78 ryde-consume -g g --share s
	[[ $output == *"without --share"* ]]
	kill -9 "${readers[2]}"
	wait "${readers[2]}" || :
	start 3
	until_ok owned 4
	# a member that died holds nothing up
	kill -9 "${readers[3]}"
	wait "${readers[3]}" || :
	ryde-consume -g g s > >(exec ryde-process -- ./handler) 3>&- &
	readers[4]=$!
	until_ok owned 4
}

@test "windows are not shared" {
	ryde-admin create stream s --shards 2
	lines 1 10 | ryde-produce -k .k s
	run -78 bash -c 'set -o pipefail; ryde-consume -g w --share s | ryde-window --tumble 1s "n=count()"'
	[[ $output == *"read without --share"* ]]
	ryde-consume -g w s 3>&- > >(exec ryde-window --tumble 1s --late late 'n=count()' | ryde-process -- sh -c 'cat >> sums') &
	readers[1]=$!
	until_ok sh -c 'ryde-admin positions s w | grep -q "\"seen\":\"4"' || cat sums
	kill -TERM "${readers[1]}"
	wait "${readers[1]}" || :
	run -78 ryde-consume -g w --share s
	[[ $output == *"belongs to a window"* ]]
}

@test "a store of an earlier format is shared, too" {
	ryde-admin create stream s --shards 4
	echo 1 | ryde-produce s
	ryde-consume -g g --ack write -n 1 s
	sqlite3 store/groups/s.db 'ALTER TABLE positions DROP COLUMN sub; DROP TABLE members; DROP TABLE leases; PRAGMA user_version=1'
	start 1
	start 2
	until_ok owned 2 2
	lines 1 20 | ryde-produce -k .k s
	until_ok has_numbers 20
}

@test "what has no meaning in a shared group is refused" {
	ryde-admin create stream s
	run -64 ryde-consume --share s
	run -64 ryde-consume -g g --share --shard shardId-000000000000 s
	run -64 ryde-consume -g g --share --to end s
	run -64 ryde-consume -g g --share --from 49680585208193661326169675058958281853317052235566284818 s
	[[ $output == *"a sequence number is of one shard"* ]]
}
