# ryde-consume: a stream into lines, once, in order, from anywhere.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
}

teardown() {
	jobs -p | xargs -r kill -9 2>/dev/null || :
}

load wait

numbers() {
	seq "$1" "$2" | sed 's/.*/{"n":&}/' | ryde-produce s
}

@test "a stream that does not exist: 66" {
	run -66 ryde-consume --to end nothere
	[[ $output == *nothere* ]]
}

@test "without a group: from the end, from the start with --to" {
	numbers 1 3
	[ "$(ryde-consume --to end s | wc -l)" -eq 3 ]
	ryde-consume s > out &
	reader=$!
	until_ok sh -c 'numbers() { seq $1 $2 | sed "s/.*/{\"n\":&}/" | ryde-produce s; }; numbers 4 5; [ "$(wc -l < out)" -ge 2 ]'
	kill "$reader" && wait "$reader"
	[ "$(head -n 1 out)" = '{"n":4}' ]
}

@test "-n, --from with a sequence number, a time, a duration" {
	numbers 1 9
	[ "$(ryde-consume --from start -n 2 s | tr -d '\n')" = '{"n":1}{"n":2}' ]
	seq=$(ryde-consume -e --to end s | jq -r 'select(.data.n == 7).sequenceNumber')
	[ "$(ryde-consume --from "$seq" --to end s | head -n 1)" = '{"n":7}' ]
	[ "$(ryde-consume --from -1h --to end s | wc -l)" -eq 9 ]
	[ "$(ryde-consume --from 2099-01-01 --to end s | wc -l)" -eq 0 ]
	run -64 ryde-consume --from sometime s
	run -64 ryde-consume --to later s
}

@test "--to TIME prints what arrived until then" {
	for t in 1000 2000 3000; do echo "{\"t\":$t}" | RYDE_CLOCK=@$((1700000000000 + t)) ryde-produce s; done
	[ "$(ryde-consume --to 1700000002.5 s | tr -d '\n')" = '{"t":1000}{"t":2000}' ]
}

@test "envelopes have their keys in order, and data is a slice" {
	echo '{"a":1.10}' | RYDE_CLOCK=@1795442400123 ryde-produce -k .a s
	run -0 ryde-consume -e --to end s
	[[ $output =~ ^\{\"ryde\":1,\"stream\":\"local:s\",\"shardId\":\"shardId-000000000000\",\"sequenceNumber\":\"[0-9]{56}\",\"partitionKey\":\"1.10\",\"approximateArrivalTimestamp\":\"2026-11-23T14:00:00.123Z\",\"data\":\{\"a\":1.10\}\}$ ]]
}

@test "--shard reads that one alone; one that is not there: 66" {
	ryde-admin create stream s --shards 3
	ryde-unicorn -c 30 -m 300 --fast --seed 1 | ryde-produce -k .Name s
	ryde-consume -e --to end --shard shardId-000000000001 s > out
	[ "$(jq -r .shardId out | sort -u)" = shardId-000000000001 ]
	run -66 ryde-consume --to end --shard shardId-000000000009 s
}

@test "shards are merged by arrival" {
	ryde-admin create stream s --shards 3
	ryde-unicorn -c 30 -m 3000 --fast --seed 1 | ryde-produce -k .Name --batch-size 10 s
	ryde-consume -e --to end s | jq -r .approximateArrivalTimestamp > out
	sort -c out
}

@test "a group goes on where it was" {
	numbers 1 5
	ryde-consume -g g --ack write -n 2 s > one
	ryde-consume -g g --ack write --to end s > two
	ryde-consume -g g --ack write --to end s > three
	[ "$(jq -c .data.n one two | tr '\n' ' ')" = '1 2 3 4 5 ' ]
	[ ! -s three ]
}

@test "a new group's --from end is kept, also when nothing was acknowledged" {
	numbers 1 3
	ryde-consume -g g --from end --ack write --to end s > /dev/null
	numbers 4 5
	[ "$(ryde-consume -g g --ack write --to end s | jq -c .data.n | tr '\n' ' ')" = '4 5 ' ]
}

@test "--ack write says what it takes for done" {
	numbers 1 1
	run -0 --separate-stderr ryde-consume -g g --ack write --to end s
	[[ $stderr == *"--ack write"* ]]
	run -64 ryde-consume --ack write s
	run -64 ryde-consume -g g --ack write --sinks 2 s
}

@test "| head -1 ends it quietly, and the position stays before what was not taken" {
	numbers 1 200000
	run bash -c 'ryde-consume --to end s | head -n 1; exit "${PIPESTATUS[0]}"'
	[ "$status" -eq 141 ]
	[ "$output" = '{"n":1}' ]
}

@test "an idle reader ends with its pipe" {
	numbers 1 1
	mkfifo pipe
	ryde-consume --from start s > pipe &
	reader=$!
	head -n 1 < pipe
	until_ok sh -c "! kill -0 $reader"
	wait "$reader" || [ $? -eq 141 ]
}

@test "/dev/full: 74" {
	numbers 1 10
	run -74 bash -c 'ryde-consume --to end s >/dev/full'
	[[ $output == *"No space left"* ]]
}

@test "SIGTERM ends it cleanly, 0" {
	numbers 1 1
	ryde-consume --from start s > out &
	reader=$!
	until_ok test -s out
	kill "$reader"
	wait "$reader"
}

@test "records are seen at once by a blocked reader" {
	ryde-produce s < /dev/null
	ryde-consume --from start s > out &
	reader=$!
	until_ok sh -c "ls -l /proc/$reader/fd | grep -q inotify"
	numbers 1 1
	until_ok test -s out
	kill "$reader"
	wait "$reader"
}

@test "--status prints each shard's position and lag" {
	numbers 1 7
	ryde-consume -g g --ack write -n 3 s > /dev/null
	[ "$(ryde-consume --status -g g s | jq -c '[.shardId, .lagRecords]')" = '["shardId-000000000000",4]' ]
}

@test "a position that the stream no longer holds: a warning, 65 at the end" {
	ryde-admin create stream s --retention 1h
	for i in 1 2 3; do echo "{\"n\":$i}" | RYDE_CLOCK=@$((1700000000000 + i)) ryde-produce s; done
	ryde-consume -g g --ack write -n 1 s > /dev/null
	# a writer four hours later trims what is older than an hour
	for i in 4 5; do echo "{\"n\":$i}" | RYDE_CLOCK=@$((1700014400000 + i)) ryde-produce s; done
	run -65 --separate-stderr ryde-consume -g g --ack write --to end s
	[[ $stderr == *"no longer"* ]]
	[ "$(jq -c .data.n <<< "$output" | tail -n 1)" = 5 ]
}

@test "the books balance" {
	numbers 1 5
	run -0 --separate-stderr ryde-consume --stats --to end s
	[ "$(jq -c '[.in, .handled, .pending]' <<< "$stderr")" = '[5,5,0]' ]
}

@test "a damaged file and one of a newer version are left alone" {
	numbers 1 3
	cp store/streams/s.db before
	sqlite3 store/streams/s.db 'PRAGMA wal_checkpoint(TRUNCATE)' > /dev/null
	sqlite3 store/streams/s.db 'PRAGMA user_version = 999'
	run -78 ryde-consume --to end s
	[[ $output == *newer* ]]
	printf 'x%.0s' $(seq 5000) > store/streams/s.db
	rm -f store/streams/s.db-wal store/streams/s.db-shm
	run -74 ryde-consume --to end s
	[ "$(head -c 3 store/streams/s.db)" = xxx ]
}
