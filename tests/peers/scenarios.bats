# The same scenarios over both engines: RYDE_ENGINE says over which (local, aws). tests/peers/run runs both.
bats_require_minimum_version 1.5.0
load engines.bash

setup_file() { engine_file_setup "${RYDE_ENGINE:-local}"; }
teardown_file() { engine_file_teardown; }
setup() { engine_setup "${RYDE_ENGINE:-local}"; }
teardown() { jobs -p | xargs -r kill -9 2>/dev/null || :; }

@test "produce, consume: what goes in comes out, in order per key" {
	s=$(name s)
	ryde-admin create stream "$s" --shards 3
	ryde-unicorn -c 10 -m 2000 --seed 1 --fast > in
	ryde-produce -k .Name --stats "$s" < in 2> stats
	[ "$(jq -c '[.in, .handled, .out]' stats)" = '[2000,2000,2000]' ]
	ryde-consume --to end "$s" > out
	sort in > a
	sort out > b
	cmp a b
	# each unicorn's lines in their order
	for u in $(jq -r .Name in | sort -u); do
		cmp <(jq -c "select(.Name == \"$u\")" in) <(jq -c "select(.Name == \"$u\")" out)
	done
}

@test "a payload stays as it is, to the byte: numbers, escapes, bytes over 0x7f, a final newline" {
	s=$(name s)
	ryde-admin create stream "$s"
	printf '%s\n' '{"n":12345678901234567890123456789,"x":1.0,"e":1e400}' '{"t":"\u00e9\ud83d\ude00 é\\"}' ' [ 1 , 2 ] ' '"x"' > in
	ryde-produce "$s" < in
	ryde-consume --to end "$s" | cmp - in
	ryde-produce --newline "$s" < in
	[ "$(ryde-consume -e --to end "$s" | grep -c '"lf":1')" = 4 ]
}

@test "a group goes on where it stood, and all is stored" {
	s=$(name s)
	t=$(name tab)
	ryde-admin create stream "$s" --shards 2
	ryde-admin create table "$t" --key n
	seq 1 200 | sed 's/.*/{"n":"&"}/' | ryde-produce -k .n "$s"
	pipe "ryde-consume -g g --to end $s | ryde-put $t"
	[ "$statuses" = '0 0' ]
	[ "$(left "$s" g)" = 0 ]
	seq 201 250 | sed 's/.*/{"n":"&"}/' | ryde-produce -k .n "$s"
	[ "$(left "$s" g)" = 50 ]
	pipe "ryde-consume -g g --to end --stats $s 2> stats | ryde-put $t"
	[ "$statuses" = '0 0' ]
	[ "$(jq .in stats)" = 50 ]
	[ "$(items "$t" | wc -l)" -eq 250 ]
}

@test "a group goes on inside an aggregate: nothing is lost, and nothing comes twice" {
	local i
	s=$(name s)
	ryde-admin create stream "$s" --shards 1
	seq 31 | sed 's/.*/{"k":"a","n":&}/' > in
	ryde-produce --aggregate -k .k "$s" in
	pipe "ryde-consume -g g --to end -n 7 $s | ryde-process -- sh -c 'cat >> out'"
	[ "$statuses" = '0 0' ]
	[ "$(ryde-admin positions "$s" g | jq -c '[.sub, .lagRecords]')" = '[6,1]' ]
	for i in 14 21 28 31; do
		pipe "ryde-consume -g g --to end -n 7 $s | ryde-process --batch-size 3 -- sh -c 'cat >> out'"
		[ "$statuses" = '0 0' ]
		head -$i in | cmp out -
	done
	[ "$(ryde-admin positions "$s" g | jq -c '[.sub, .lagRecords]')" = '[null,0]' ]
}

@test "a new group from the end on reads what comes after, also when it was killed before" {
	s=$(name s)
	ryde-admin create stream "$s"
	echo '{"n":1}' | ryde-produce "$s"
	ryde-consume -g g --from end "$s" > out1 2> err1 &
	reader=$!
	# its first position is stored before its first mark is printed
	until_ok test -s out1
	kill -9 $reader
	wait $reader || :
	echo '{"n":2}' | ryde-produce "$s"
	until_ok sh -c "ryde-consume -g g --ack write --to end $s > out2"
	grep -q '"data":{"n":2}' out2
	! grep -q '"data":{"n":1}' out2
}

@test "a sink that dies loses nothing: the next run brings it" {
	s=$(name s)
	t=$(name tab)
	ryde-admin create stream "$s"
	ryde-admin create table "$t" --key n
	seq 1 100 | sed 's/.*/{"n":"&"}/' | ryde-produce "$s"
	pipe "ryde-consume -g g --grace 300ms --to end $s | head -n 10 > /dev/null"
	[ "${statuses%% *}" != 0 ]
	[ "$(left "$s" g)" = 100 ]
	pipe "ryde-consume -g g --to end $s | ryde-put $t"
	[ "$statuses" = '0 0' ]
	[ "$(items "$t" | wc -l)" -eq 100 ]
}

@test "stand-by: a second reader waits, takes over when the first is killed, and with an end does not wait" {
	s=$(name s)
	t=$(name tab)
	ryde-admin create stream "$s"
	ryde-admin create table "$t" --key n
	echo '{"n":"1"}' | ryde-produce "$s"
	ryde-consume -g g "$s" 2> err1 > >(ryde-put "$t") &
	first=$!
	until_ok sh -c "ryde-admin positions $s g | grep -q '\"owner\":\"'"
	run -75 ryde-consume -g g --to end "$s"
	[[ $output == *"being read by"* ]]
	ryde-consume -g g "$s" 2> err2 > >(ryde-put "$t") &
	second=$!
	until_ok grep -q 'standing by' err2
	kill -9 $first
	echo '{"n":"2"}' | ryde-produce "$s"
	until_ok has_items "$t" 2
	kill $second
	wait $second || :
	[ "$(left "$s" g)" = 0 ]
}

@test "SIGTERM ends a reader cleanly, and the next one goes on at once" {
	s=$(name s)
	t=$(name tab)
	ryde-admin create stream "$s"
	ryde-admin create table "$t" --key n
	seq 1 20 | sed 's/.*/{"n":"&"}/' | ryde-produce "$s"
	ryde-consume -g g "$s" > >(ryde-put "$t") &
	reader=$!
	until_ok sh -c "ryde-consume --status -g g $s | jq -se 'map(.lagRecords) | add == 0'"
	kill $reader
	wait $reader
	run -0 ryde-consume -g g --to end "$s"
	[ "$(ryde-admin positions "$s" g | jq -c .owner)" = null ]
}

@test "positions: shown, reset to the start, to the end, and forgotten" {
	s=$(name s)
	ryde-admin create stream "$s"
	seq 1 10 | sed 's/.*/{"n":&}/' | ryde-produce "$s"
	ryde-consume -g g --ack write --to end "$s" > out
	[ "$(left "$s" g)" = 0 ]
	ryde-admin positions "$s" g --reset start > /dev/null
	[ "$(left "$s" g)" = 10 ]
	# one of the servers that stand in for AWS never answers about a time after which nothing came: no look behind it
	ryde-admin positions "$s" g --reset end > /dev/null &
	reset=$!
	[ "$engine" = local ] || until_ok bash -c "$(declare -f dynamodb); dynamodb Scan '{\"TableName\":\"ryde-positions\"}' | grep -q '\"$s\".*\"at\"'"
	[ "$engine" = aws ] || wait $reset
	[ "$engine" = local ] || kill $reset
	echo '{"n":11}' | ryde-produce "$s"
	[ "$(left "$s" g)" = 1 ]
	run -1 ryde-admin positions "$s" g --reset start --max-lag 0s
	ryde-admin list groups | grep -q "\"stream\":\"$s\",\"name\":\"g\""
	ryde-admin positions "$s" g --delete
	run -66 ryde-admin positions "$s" g
}

@test "a window keeps its position in the group" {
	s=$(name s)
	ryde-admin create stream "$s" --shards 2
	ryde-unicorn -c 3 -m 900 --seed 4 --start 2026-11-23T14:00:00Z --fast > in
	head -n 500 in | ryde-produce -k .Name "$s"
	ryde-admin create stream "$s-out"
	ryde-consume -g w --to end "$s" | ryde-window --tumble 1m --by .Name 'n=count()' 'd=sum(.Distance)' | ryde-produce "$s-out"
	tail -n +501 in | ryde-produce -k .Name "$s"
	ryde-consume -g w --to end "$s" | ryde-window --tumble 1m --by .Name --flush 'n=count()' 'd=sum(.Distance)' | ryde-produce "$s-out"
	ryde-window --tumble 1m --by .Name 'n=count()' 'd=sum(.Distance)' < in | sort > want
	ryde-consume --to end "$s-out" | jq -c 'del(.at, .more)' | sort > got
	cmp want got
}

@test "the later one of two items with one key wins, also in one batch; numbers stay exact" {
	t=$(name tab)
	ryde-admin create table "$t" --key k --sort n
	printf '%s\n' '{"k":"a","n":"1","v":"old"}' '{"k":"b","n":"1","v":"b"}' '{"k":"a","n":"1","v":"new"}' | ryde-put --stats "$t" 2> stats
	[ "$(jq .handled stats)" = 3 ]
	[ "$(items "$t" | jq -sc 'map([.k, .v]) | sort')" = '[["a","new"],["b","b"]]' ]
}

@test "lines that do not fit the table's key are rejects, the rest is stored" {
	t=$(name tab)
	ryde-admin create table "$t" --key k
	printf '%s\n' '{"k":"a"}' '{"x":1}' '{"k":""}' '[1]' '{"k":"b"}' 'no' > in
	run -65 ryde-put --rejects bad "$t" < in
	[ "$(items "$t" | wc -l)" -eq 2 ]
	[ "$(jq -c .line bad | tr '\n' ' ')" = '2 3 4 6 ' ]
}

@test "failed batches become messages, in Lambda's shape, and a redrive brings them back" {
	s=$(name s)
	q=$(name q)
	t=$(name tab)
	ryde-admin create stream "$s"
	ryde-admin create queue "$q"
	ryde-admin create table "$t" --key n
	seq 1 9 | sed 's/.*/{"n":"&"}/' | ryde-produce "$s"
	pipe "ryde-consume -g g --to end $s | ryde-process --retries 0 --batch-size 3 --on-failure $q -- false"
	[ "$statuses" = '0 0' ]
	[ "$(ryde-dlq count "$q" | jq .visible)" = 3 ]
	[ "$(ryde-dlq list "$q" | jq -c '[.condition, .batchSize]' | sort -u)" = '["RetryAttemptsExhausted",3]' ]
	ryde-dlq read "$q" | jq -r .data.n | sort -n | cmp - <(seq 1 9)
	# looking took nothing
	[ "$(ryde-dlq count "$q" | jq .visible)" = 3 ]
	pipe "ryde-dlq redrive $q | ryde-put $t"
	[ "$statuses" = '0 0' ]
	[ "$(items "$t" | wc -l)" -eq 9 ]
	[ "$(ryde-dlq count "$q" | jq -c '[.visible, .hidden]')" = '[0,0]' ]
}

@test "create, list, describe, delete" {
	s=$(name s)
	t=$(name tab)
	q=$(name q)
	ryde-admin create stream "$s" --shards 2
	ryde-admin create stream "$s" --shards 2
	run -73 ryde-admin create stream "$s" --shards 3
	ryde-admin create table "$t" --key k --sort n
	run -73 ryde-admin create table "$t" --key other
	ryde-admin create queue "$q"
	for one in "streams $s" "tables $t" "queues $q"; do
		ryde-admin list "${one% *}" | grep -q "\"name\":\"${one#* }\""
	done
	[ "$(ryde-admin describe "$s" | jq -c '[.kind, (.shards | length)]')" = '["stream",2]' ]
	[ "$(ryde-admin describe "$t" | jq -c '[.kind, .key, .sort]')" = '["table","k","n"]' ]
	[ "$(ryde-admin describe "$q" | jq -c '[.kind, .visible]')" = '["queue",0]' ]
	ryde-admin delete stream "$s"
	ryde-admin delete table "$t"
	ryde-admin delete queue "$q"
	run -66 ryde-admin describe "$s"
	run -66 ryde-admin delete stream "$s"
	run -66 ryde-admin delete table "$t"
	run -66 ryde-admin delete queue "$q"
}

@test "what does not exist: 66, and the command that creates it" {
	run -66 ryde-consume --to end nothere
	run -66 ryde-put nothere < /dev/null
	[[ $output == *"ryde-admin create table"* ]]
	run -66 ryde-dlq list nothere
}

@test "--receipts say where each line went" {
	s=$(name s)
	ryde-admin create stream "$s" --shards 2
	seq 1 50 | sed 's/.*/{"n":&}/' | ryde-produce -k .n --receipts "$s" > receipts
	ryde-consume -e --to end "$s" | jq -r '"\(.shardId) \(.sequenceNumber)"' | sort > there
	jq -r '"\(.shardId) \(.sequenceNumber)"' receipts | sort | cmp - there
	[ "$(jq .line receipts | sort -n | tail -n 1)" = 50 ]
}

@test "a stream is split and merged under a pipe that goes on: nothing is lost, each key stays in order" {
	s=$(name s)
	t=$(name tab)
	ryde-admin create stream "$s"
	ryde-admin create table "$t" --key n
	ryde-consume -g g "$s" 2> err > >(ryde-process --batch-size 200 --batch-window 200ms -- sh -c "tee -a got | ryde-put $t") &
	reader=$!
	for i in 0 1 2 3; do
		seq $((i * 300 + 1)) $((i * 300 + 300)) | awk '{ printf "{\"k\":\"k%d\",\"n\":\"%d\"}\n", $1 % 15, $1 }'
		until [ -e "step$i" ]; do sleep 0.02; done
	done | ryde-produce -k .k --linger 20ms "$s" &
	until_ok sh -c '[ "$(wc -l < got)" -ge 100 ]'
	ryde-admin split "$s" shardId-000000000000
	touch step0
	until_ok sh -c '[ "$(wc -l < got)" -ge 400 ]'
	ryde-admin split "$s" shardId-000000000002
	touch step1
	until_ok sh -c '[ "$(wc -l < got)" -ge 700 ]'
	ryde-admin merge "$s" shardId-000000000001 shardId-000000000003
	touch step2 step3
	until_ok has_items "$t" 1200
	kill $reader
	wait $reader
	[ "$(jq -s 'group_by(.k) | all(map(.n | tonumber) == (map(.n | tonumber) | sort))' got)" = true ]
	[ "$(left "$s" g)" = 0 ]
	run -64 ryde-admin split "$s" shardId-000000000000
	run -66 ryde-admin split "$s" shardId-000000000077
	run -64 ryde-admin merge "$s" shardId-000000000004 shardId-000000000004
}
