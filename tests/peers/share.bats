# ryde-consume -g GROUP --share on AWS: members and leases are items of a table. Whatever happens to readers, requests and
# answers, every record is handled, and none by two at once; positions are never lost when a group is shared and is not again.
# LONG: so many seconds more of what happens at random, and every step on the way from one kind to the other; SEED: another
# course.
bats_require_minimum_version 1.5.0
load engines.bash

setup_file() { engine_file_setup aws; }
teardown_file() { engine_file_teardown; }
setup() {
	engine_setup aws
	export RYDE_LEASE=10s
	s=$(name shared)
	mkdir busy
	# one call per batch: each line of it is busy while it is handled; one that is already was given to two at once
	cat > handler <<-'H'
	#!/bin/bash
	set -C
	n=0
	while read -r line; do
		at[n++]=busy/${line//[^a-z0-9]/}
		{ : > "${at[n-1]}"; } 2>/dev/null || printf '%s\n' "$line" >> twice
		lines+=$line$'\n'
	done
	[ -z "${SLEEP-}" ] || read -r -t "$SLEEP" <> <(:)
	printf '%s' "$lines" >> done
	rm -f "${at[@]}"
	H
	chmod +x handler
}

teardown() {
	local pid
	for pid in "${readers[@]}" "${proxies[@]}"; do
		kill -CONT "$pid" 2>/dev/null || :
		kill -9 "$pid" 2>/dev/null || :
	done
	tail -n 5 log* sink* 2>/dev/null
	wait
}

# proxy NAME FAULTS: one before DynamoDB; $url leads there, its pid is in proxies[NAME]
proxy() {
	python3 "$BATS_TEST_DIRNAME/faults" --to "${RYDE_PEER_STRAIGHT_DYNAMODB:-$AWS_ENDPOINT_URL_DYNAMODB}" --port-file "proxy$1" \
	    --faults "$2" --log "proxy$1.json" < /dev/null 2> /dev/null 3>&- &
	proxies[$1]=$!
	until_ok test -s "proxy$1"
	url=http://127.0.0.1:$(cat "proxy$1")
}

# lines FROM TO: lines of thirty keys
lines() {
	seq "$1" "$2" | awk '{ printf "{\"k\":\"k%d\",\"n\":%d}\n", $1 % 30, $1 }'
}

# start I [OPTIONS...]: reader number I of group g, its pid in readers[I], and the program behind it
start() {
	ryde-consume -g g "${@:2}" "$s" 2>> "log$1" > >(exec ryde-process --batch-size 20 -- ./handler 2>> "sink$1") 3>&- &
	readers[$1]=$!
}

# has_numbers N: the lines 1 to N are all done
has_numbers() {
	[ "$(jq .n done 2>/dev/null | sort -un | wc -l)" = "$1" ]
}

# owners: how many shards each reader has, in a row, sorted
owners() {
	ryde-admin positions "$s" g | jq -r '.owner // "nobody"' | sort | uniq -c | sort -n | awk '{ printf "%s%s", (NR > 1 ? " " : ""), $1 }'
}

# owned N...: so many shards has each reader, and none is nobody's
owned() {
	! ryde-admin positions "$s" g | grep -q '"owner":null' && [ "$(owners)" = "$*" ]
}

caught_up() {
	[ "$(ryde-admin positions "$s" g | jq -s 'map(.lagRecords // .lagMs) | add')" = 0 ]
}

once() {
	[ -z "$(sort done | uniq -d | head -3)" ]
}

# stored: the items of group g, by their range keys
stored() {
	dynamodb Query '{"TableName":"ryde-positions","ConsistentRead":true,"KeyConditionExpression":"#s = :s","ExpressionAttributeNames":{"#s":"stream"},"ExpressionAttributeValues":{":s":{"S":"'"$s"'"}}}' |
	    jq -c '.Items[]'
}

@test "five readers come and go: balanced within seconds, every record is handled once" {
	local i
	ryde-admin create stream "$s" --shards 10
	lines 1 200 | ryde-produce -k .k "$s"
	for i in 1 2 3 4 5; do
		start $i --share
		lines $((i * 100 + 101)) $((i * 100 + 200)) | ryde-produce -k .k "$s"
	done
	until_ok owned 2 2 2 2 2
	kill -TERM "${readers[2]}" "${readers[4]}"
	wait "${readers[2]}" && wait "${readers[4]}"
	lines 701 800 | ryde-produce -k .k "$s"
	until_ok owned 3 3 4
	until_ok has_numbers 800
	[ ! -e twice ]
	once
	kill -TERM "${readers[1]}" "${readers[3]}" "${readers[5]}"
	wait "${readers[1]}" && wait "${readers[3]}" && wait "${readers[5]}"
	caught_up
	[ "$(stored | grep -c '#m#')" = 0 ]
}

@test "readers are killed: the others take their shards over, and nothing is lost" {
	local i
	ryde-admin create stream "$s" --shards 8
	for i in 1 2 3 4 5; do start $i --share; done
	until_ok owned 1 1 2 2 2
	lines 1 500 | ryde-produce -k .k "$s"
	until_ok test -s done
	kill -9 "${readers[1]}"
	kill -9 "${readers[5]}"
	until_ok owned 2 3 3
	start 6 --share
	until_ok owned 2 2 2 2
	lines 501 600 | ryde-produce -k .k "$s"
	until_ok has_numbers 600
	grep -q 'is gone: its shards are taken over' log[2346]
	# that one's members' items are gone
	until_ok sh -c 'test "$(ryde-admin positions '"$s"' g | jq -r .owner | sort -u | wc -l)" = 4'
	[ "$(stored | grep -c '#m#')" = 4 ]
}

@test "a reader stopped for longer than its lease is replaced, and moves nothing when it wakes" {
	local i status=0
	export RYDE_LEASE=6s
	ryde-admin create stream "$s" --shards 6
	for i in 1 2 3; do start $i --share; done
	until_ok owned 2 2 2
	lines 1 300 | ryde-produce -k .k "$s"
	until_ok test -s done
	kill -STOP "${readers[2]}"
	until_ok owned 3 3
	lines 301 600 | ryde-produce -k .k "$s"
	until_ok has_numbers 600
	until_ok caught_up
	ryde-admin positions "$s" g | jq -c '[.shardId, .sequenceNumber]' > before
	kill -CONT "${readers[2]}"
	wait "${readers[2]}" || status=$?
	[ "$status" = 75 ]
	grep -q 'taken over' log2
	ryde-admin positions "$s" g | jq -c '[.shardId, .sequenceNumber]' | diff before -
}

@test "a reader that is cut off prints nothing more, is replaced, and does no harm when it is back" {
	local i status=0 printed
	export RYDE_LEASE=6s
	ryde-admin create stream "$s" --shards 4
	proxy 2 rate=0
	start 1 --share
	AWS_ENDPOINT_URL_DYNAMODB=$url start 2 --share
	until_ok owned 2 2
	lines 1 200 | ryde-produce -k .k "$s"
	until_ok has_numbers 200
	until_ok caught_up
	kill -STOP "${proxies[2]}"
	until_ok owned 4
	lines 201 400 | ryde-produce -k .k "$s"
	until_ok has_numbers 400
	until_ok caught_up
	[ ! -e twice ]
	once
	ryde-admin positions "$s" g | jq -c '[.shardId, .sequenceNumber]' > before
	# what was under way comes now, minutes too late for all that anybody knows
	kill -CONT "${proxies[2]}"
	wait "${readers[2]}" || status=$?
	[ "$status" = 75 ]
	ryde-admin positions "$s" g | jq -c '[.shardId, .sequenceNumber]' | diff before -
	kill -0 "${readers[1]}"
	owned 4
}

@test "answers get lost: what was done is known as done" {
	local i
	ryde-admin create stream "$s" --shards 6
	proxy 9 "rate=15,seed=${SEED:-1},only=reset-after+truncated"
	for i in 1 2 3; do AWS_ENDPOINT_URL_DYNAMODB=$url start $i --share; done
	until_ok owned 2 2 2
	lines 1 300 | ryde-produce -k .k "$s"
	until_ok has_numbers 300
	kill -TERM "${readers[3]}"
	wait "${readers[3]}"
	until_ok owned 3 3
	lines 301 400 | ryde-produce -k .k "$s"
	until_ok has_numbers 400
	[ ! -e twice ]
	once
	kill "${proxies[9]}"
	until_ok test -s proxy9.json
	jq -e '."UpdateItem:reset-after" + ."UpdateItem:truncated" > 0' proxy9.json
}

# stalled I STALL OPTIONS...: reader I, whose requests stall as said, until that has happened or it has ended: 0 where it had
# to be killed
stalled() {
	local i=$1 status=0
	rm -f "proxy$i" "proxy$i.stalled"
	proxy "$i" "rate=0,$2"
	AWS_ENDPOINT_URL_DYNAMODB=$url ryde-consume -q -g g --ack write "${@:3}" "$s" >> "out$i" 2>> "log$i" 3>&- &
	readers[$i]=$!
	until_ok sh -c "test -e proxy$i.stalled || ! kill -0 ${readers[i]}"
	kill -9 "${readers[i]}" 2>/dev/null || :
	wait "${readers[i]}" || status=$?
	kill -9 "${proxies[i]}"
	wait "${proxies[i]}" 2>/dev/null || :
	[ "$status" = 137 ]
}

# further: no position has gone back since the last time
further() {
	ryde-admin positions "$s" g | jq -c '[.shardId, .sequenceNumber // "0"]' > now
	touch last
	jq -se 'group_by(.[0]) | all(map(.[1] | [length, .]) | . == sort)' last now || { tail last now; return 1; }
	mv now last
}

@test "shared, not shared, and shared again, killed at each request on the way: no position is lost or goes back" {
	local n=0 at plain=0 shared=0 handled step=${LONG:+1}
	ryde-admin create stream "$s" --shards 3
	for ((at = 1; at < 40 && (plain < 2 || shared < 2); at += ${step:-4})); do
		for handled in '' ',handled=1'; do
			lines $((n + 1)) $((n + 9)) | ryde-produce -k .k "$s"
			n=$((n + 9))
			stalled 1 "stall=$at$handled" --share -n 5 || shared=$((shared + 1))
			further
			stalled 2 "stall=$at$handled" --to end || plain=$((plain + 1))
			further
		done
	done
	echo "killed at up to $at requests" >&2
	# both have come through
	[ "$plain" -ge 2 ] && [ "$shared" -ge 2 ]
	ryde-consume -q -g g --ack write --to end "$s" >> out2
	further
	[ "$(cat out1 out2 | jq -c '.data.n // empty' | sort -n | uniq | cmp - <(seq 1 $n) && echo all)" = all ]
	stored | jq -s 'map(.group.S)' > left
	[ "$(jq length left)" = 1 ] && [ "$(stored | jq 'has("shared")')" = false ]
}

@test "readers with and without --share do not mix" {
	export RYDE_LEASE=6s
	ryde-admin create stream "$s" --shards 4
	start 1 --share
	until_ok owned 4
	run -78 ryde-consume -g g "$s"
	[[ $output == *"shared by 1 reader with --share: read it with --share too"* ]]
	run -75 ryde-consume -g g --to end "$s"
	run -75 ryde-admin positions "$s" g --reset start
	[[ $output == *"1 reader with --share"* ]]
	kill -TERM "${readers[1]}"
	wait "${readers[1]}"
	start 2
	until_ok sh -c 'ryde-admin positions '"$s"' g | grep -q "process [0-9]*\""'
	run -78 ryde-consume -g g --share "$s"
	[[ $output == *"without --share"* ]]
	kill -9 "${readers[2]}"
	wait "${readers[2]}" || :
	start 3 --share
	until_ok owned 4
	# a member that died holds nothing up
	kill -9 "${readers[3]}"
	wait "${readers[3]}" || :
	start 4
	until_ok owned 4
	lines 1 50 | ryde-produce -k .k "$s"
	until_ok has_numbers 50
}

@test "ryde-admin: a shared group's lag, its reset and its end; a stream that is deleted takes all items along" {
	ryde-admin create stream "$s" --shards 3
	lines 1 60 | ryde-produce -k .k "$s"
	ryde-consume -q -g g --share --ack write -n 60 "$s" > out
	[ "$(jq -s length out)" -ge 60 ]
	[ "$(stored | grep -c '#s#')" = 3 ]
	ryde-admin describe "$s" | jq -ce '.groups == ["g"]'
	run -0 ryde-admin positions "$s" g --max-lag 1s
	run -0 ryde-admin positions "$s" g --reset start
	[ "$(stored | grep -c '#s#')" = 0 ]
	[ "$(ryde-admin positions "$s" g | jq -s 'all(.sequenceNumber == null and .owner == null)')" = true ]
	ryde-consume -q -g g --share --ack write -n 60 "$s" > again
	cmp <(jq .data.n out | sort) <(jq .data.n again | sort)
	ryde-admin positions "$s" g --delete
	[ "$(stored | wc -l)" = 0 ]
	ryde-consume -q -g g --share --ack write -n 60 "$s" > again
	start 1 --share
	until_ok owned 3
	ryde-admin delete stream "$s"
	[ "$(stored | wc -l)" = 0 ]
}

# put ITEM: an item of somebody else's in the table
put() {
	dynamodb PutItem '{"TableName":"ryde-positions","Item":{"stream":{"S":"'"$s"'"},'"$1"'}}' | jq -e 'has("__type") | not'
}

@test "a table with something else in it: said, by attribute, and left alone" {
	local item
	ryde-admin create stream "$s"
	ryde-consume -q -g g --share --ack write -n 1 "$s" <<< '' > out 3>&- &
	readers[1]=$!
	until_ok eval '[ "$(stored | wc -l)" = 3 ]'
	kill -9 "${readers[1]}"
	for item in '"group":{"S":"g#s#x"}' '"group":{"S":"g#s#x"},"epoch":{"S":"1"}' '"group":{"S":"g#s#x"},"epoch":{"N":"1"},"seq":{"N":"7"}' \
	    '"group":{"S":"g#s#x"},"epoch":{"N":"1"},"seq":{"S":"x"}' '"group":{"S":"g#s#x"},"epoch":{"N":"1"},"member":{"L":[]}' \
	    '"group":{"S":"g#m#x"}' '"group":{"S":"g#m#x"},"beat":{"N":"-1"}' '"group":{"S":"g#m#x"},"beat":{"N":"1"},"owner":{"BOOL":true}' \
	    '"group":{"S":"g#what"}' '"group":{"S":"g#"}' '"group":{"S":"g#m#"},"beat":{"N":"0"}'; do
		put "$item"
		stored > before
		run -78 ryde-consume -g g --share "$s"
		[[ $output == *"is not one of ryde's"* ]] || { echo "$item: $output"; false; }
		run -78 ryde-consume -g g --to end "$s"
		run -78 ryde-admin positions "$s" g
		dynamodb DeleteItem '{"TableName":"ryde-positions","Key":{"stream":{"S":"'"$s"'"},"group":'"$(jq -c .group <<< "{$item}")"'}}' > rest
	done
	for item in '"group":{"S":"h"}' '"group":{"S":"h"},"epoch":{"N":"1"}' '"group":{"S":"h"},"epoch":{"N":"1"},"beat":{"N":"1"},"positions":{"S":"x"}' \
	    '"group":{"S":"h"},"epoch":{"N":"1"},"beat":{"N":"1"},"positions":{"M":{"a":{"S":"x"}}}'; do
		put "$item"
		run -78 ryde-consume -g h --share "$s"
		run -78 ryde-consume -g h "$s"
		run -78 ryde-admin positions "$s" h
		[[ $output == *"is not one of ryde's"* ]]
	done
}

@test "killed, stopped, cut off, slowed, ended and started at random, with every kind of fault: nothing is lost" {
	local i n=0 end=$((SECONDS + 15 + ${LONG:-0})) urls
	export RYDE_LEASE=5s
	RANDOM=${SEED:-7}
	ryde-admin create stream "$s" --shards 6
	for i in 1 2 3 4 5; do
		proxy $i "rate=5,seed=$i,only=500+503+throttle+reset-before+reset-after+truncated+slow"
		urls[i]=$url
		AWS_ENDPOINT_URL_DYNAMODB=$url start $i --share
	done
	while [ $SECONDS -lt $end ]; do
		lines $((n + 1)) $((n + 50)) | ryde-produce -k .k "$s"
		n=$((n + 50))
		i=$((RANDOM % 5 + 1))
		case $((RANDOM % 7)) in
		0) kill -9 "${readers[i]}" ;;
		1) kill -STOP "${readers[i]}" ;;
		2) kill -CONT "${readers[@]}" ;;
		3) kill -TERM "${readers[i]}" ;;
		4) kill -STOP "${proxies[i]}" ;;
		5) kill -CONT "${proxies[@]}" ;;
		6) kill -CONT "${readers[@]}" "${proxies[@]}" ;;
		esac 2>/dev/null || :
		read -r -t 0.$((RANDOM % 8 + 1)) <> <(:) || :
		for i in 1 2 3 4 5; do
			kill -0 "${readers[i]}" 2>/dev/null || AWS_ENDPOINT_URL_DYNAMODB=${urls[i]} start $i --share
		done
	done
	kill -CONT "${readers[@]}" "${proxies[@]}" 2>/dev/null || :
	for i in 1 2 3; do
		until_ok has_numbers $n && break
		kill -0 "${readers[i]}" 2>/dev/null || start $i --share
	done
	has_numbers $n
	until_ok caught_up
}
