# What can become of a stream under its reader, on Kinesis (tests/peers/stubs/kinesis_poll.py, kinesis_fan.py) and in the
# embedded store: it says so, loses nothing, doubles nothing, and does not wait for ever without a word.
bats_require_minimum_version 1.5.0

load stub

setup() {
	aws_alone
}

teardown() {
	local p
	for p in $readers $(cat pid 2>/dev/null); do kill -9 "$p" 2>/dev/null || :; done
	wait
}

# read_to FILE OPTION...: a reader in the background; its pid is in $reader
read_to() {
	ryde-consume "${@:2}" > "$1" 2> "$1.err" 3>&- &
	reader=$!
	readers+=" $reader"
}

# ended STATUS: the reader has
ended() {
	local status=0
	wait "$reader" || status=$?
	[ "$status" = "$1" ] || { echo "status $status"; cat ./*.err; false; } >&2
}

# each_once FILE SHARD=RECORDS...: each shard's records are there once, in order, and no others
each_once() {
	[ "$(jq -rs 'group_by(.shard) | .[] | "\(.[0].shard)=\(length) \(map(.n) == [range(0; length)])"' "$1")" = "$(printf '%s true\n' "${@:2}")" ]
}

@test "iterators that expired while the pipe was blocked: the reader goes on from its place, nothing is lost or doubled" {
	serve kinesis_poll '{"shards":[{"records":3000},{"records":3000}],"page":200,"pad":1000}'
	mkfifo pipe
	read_to pipe --from start --to end s
	exec 9< pipe
	until_ok grep -q 'GetRecords 1 fine' log
	head -c 1000 <&9 > out
	# it is blocked: it asks for nothing any more
	until_ok eval 'n=$(wc -l < log); read -r -t 1.5 <> <(:); [ "$(wc -l < log)" = "$n" ]'
	# ten minutes later
	plan '{"shards":[{"records":3000},{"records":3000}],"page":200,"pad":1000,"expired_before":'"$(date +%s.%N)"'}'
	cat <&9 >> out
	exec 9<&-
	ended 0
	grep -q 'GetRecords 0 ExpiredIteratorException' log
	grep -q 'GetRecords 1 ExpiredIteratorException' log
	each_once out 0=3000 1=3000
}

@test "iterators that expire at once, again and again: the reader goes on whenever one lives long enough" {
	serve kinesis_poll '{"shards":[{"records":500}],"page":100,"expired_before":'"$(($(date +%s) + 1000))"'}'
	read_to out --from start --to end s
	until_ok eval '[ "$(grep -c Expired log)" -ge 3 ]'
	# it does not ask as fast as it can
	[ "$(grep -c Expired log)" -lt 100 ]
	plan '{"shards":[{"records":500}],"page":100}'
	ended 0
	each_once out 0=500
}

@test "a closed shard whose end never comes: its children wait, and the reader says so" {
	serve kinesis_poll '{"shards":[{"records":50,"closed":true,"endless":true},{"records":20,"parents":[0]},{"records":30}]}'
	read_to out --from start s
	until_ok has_lines 80 out
	until_ok grep -q 'shardId-000000000000 is closed, and all of it is read, but the service does not say that it has ended' out.err
	[ "$(grep -c 'does not say' out.err)" = 1 ]
	each_once out 0=50 2=30
	# it ends after all
	plan '{"shards":[{"records":50,"closed":true},{"records":20,"parents":[0]},{"records":30}]}'
	until_ok has_lines 100 out
	each_once out 0=50 1=20 2=30
	kill "$reader"
	ended 0
}

@test "a stream that is deleted under its reader: 66, all that was read is printed" {
	serve kinesis_poll '{"shards":[{"records":50},{"records":20}]}'
	read_to out --from start s
	until_ok has_lines 70 out
	plan '{"shards":[],"gone":true}'
	ended 66
	grep -q 'stream s is there no longer: it was deleted' out.err
	each_once out 0=50 1=20
}

@test "a stream that is deleted under a reader with enhanced fan-out: 66" {
	serve kinesis_fan '{"shards":[{"records":50}],"life_s":1,"again_s":0.2}'
	read_to out --fan-out me --from start s
	until_ok has_lines 50 out
	plan '{"shards":[{"records":50}],"gone":true,"life_s":1,"again_s":0.2}'
	ended 66
	each_once out 0=50
	grep -q 'stream s is there no longer: it was deleted' out.err
}

@test "a stream that is deleted under readers of the embedded store, one for all shards or several: 66" {
	export RYDE_STORE=local RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
	ryde-admin create stream s --shards 4
	seq 1 40 | awk '{ printf "{\"n\":%d}\n", $1 }' | ryde-produce -k .n s
	read_to shared1 -g g --share --ack write s
	first=$reader
	read_to shared2 -g g --share --ack write s
	second=$reader
	read_to plain --from start s
	third=$reader
	until_ok eval '[ "$(cat shared1 shared2 | grep -c data)" -ge 40 ]'
	until_ok has_lines 40 plain
	ryde-admin delete stream s
	for reader in "$first" "$second" "$third"; do ended 66; done
	grep -q 'the stream was deleted' shared1.err
}

@test "two readers as one consumer: each takes the shards from the other, says so, and loses nothing" {
	serve kinesis_fan '{"shards":[{"records":40,"faults":["exception:ResourceInUseException","exception:ResourceInUseException"]},{"records":9}]}'
	read_to out --fan-out me --from start --to end s
	ended 0
	each_once out 0=40 1=9
	grep -q 'consumer me is used by another reader, too' out.err
	[ "$(grep -c 'used by another' out.err)" = 1 ]
}
