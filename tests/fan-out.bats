# Enhanced fan-out, against tests/peers/stubs/kinesis_fan.py: every record once and in order, whatever befalls a subscription.
bats_require_minimum_version 1.5.0

load stub

setup() {
	aws_alone
}

teardown() {
	stop_stub
}

# each_once FILE SHARD=RECORDS...: each shard's records are there once, in order, and no others
each_once() {
	local file=$1
	shift
	[ "$(jq -rs 'group_by(.shard) | .[] | "\(.[0].shard)=\(length) \(map(.n) == [range(0; length)])"' "$file")" = "$(printf '%s true\n' "$@")" ]
}

# subscriptions FILTER: of the log, one a line
subscriptions() {
	jq -r "select(.operation == \"SubscribeToShard\") | $1" log
}

@test "records come once and in order; the consumer is registered once" {
	serve kinesis_fan '{"shards":[{"records":300},{"records":20}]}'
	run -0 ryde-admin fan-out s me
	[ "$(jq -r '"\(.kind) \(.stream) \(.name)"' <<< "${lines[-1]}")" = 'consumer s me' ]
	timeout 60 ryde-consume --fan-out me --to end s > out
	each_once out 0=300 1=20
	[ "$(grep -c Register log)" = 1 ]
	[ "$(subscriptions '"\(.shard) \(.position.Type)"' | sort)" = '0 TRIM_HORIZON
1 TRIM_HORIZON' ]
	timeout 60 ryde-consume --fan-out other --to end s > out
	each_once out 0=300 1=20
	[ "$(grep -c Register log)" = 2 ]
}

@test "a subscription is renewed behind its continuation: no gap, nothing twice" {
	serve kinesis_fan '{"shards":[{"records":40},{"records":10}],"life_s":0.3}'
	timeout --foreground 60 ryde-consume --fan-out me --from start s > out 2> err &
	reader=$!
	until_ok has_lines 50 out
	# what arrives later comes by another subscription, which begins behind an event without records
	until_ok eval '[ "$(grep -c Subscribe log)" -ge 4 ]'
	plan '{"shards":[{"records":60},{"records":10}],"life_s":0.3}'
	until_ok has_lines 70 out
	kill "$reader"
	wait "$reader" || :
	each_once out 0=60 1=10
	run ! grep -v 'is registered now' err
	[ "$(subscriptions 'select(.shard == 0) | .position.Type' | uniq)" = 'TRIM_HORIZON
AFTER_SEQUENCE_NUMBER' ]
	# five seconds lie between two of them
	[ "$(subscriptions .early | sort -u)" = false ]
}

@test "faults of every kind: each ends the subscription, and the next one goes on where it was" {
	serve kinesis_fan '{"shards":[{"records":30,"faults":["crc"]},{"records":30,"faults":["prelude"]},{"records":30,"faults":["cut"]},
	    {"records":30,"faults":["garbage"]},{"records":30,"faults":["headers"]},{"records":30,"faults":["hangup"]},
	    {"records":30,"faults":["error"]},{"records":30,"faults":["exception:InternalFailureException"]},
	    {"records":30,"faults":["exception:ResourceInUseException"]},{"records":30,"faults":["http:400:LimitExceededException"]},
	    {"records":30,"faults":["http:400:ResourceInUseException"]},{"records":30,"faults":["silence"]}]}'
	timeout 60 ryde-consume -v --fan-out me --to end s > out 2> err
	each_once out 0=30 1=30 2=30 3=30 4=30 5=30 6=30 7=30 8=30 9=30 10=30 11=30
	for what in 'a checksum is wrong' 'broke off inside' 'the same header twice' 'as planned' 'ResourceInUseException' 'nothing came'; do
		grep -q "$what" err || { cat err; false; }
	done
}

@test "a shard's end: its children come after it, both parents before a merged child" {
	serve kinesis_fan '{"shards":[{"records":50,"closed":true},{"records":50,"closed":true},{"records":50,"parents":[0,1]}]}'
	timeout 60 ryde-consume --fan-out me --to end s > out
	each_once out 0=50 1=50 2=50
	[ "$(tail -n 50 out | jq .shard | sort -u)" = 2 ]
}

@test "inside an aggregate: reading begins with the rest of it; where it is gone the next one comes, and it is said" {
	serve kinesis_fan '{"shards":[{"records":5,"pack":4,"faults":["hangup"]}]}'
	# the third record, behind its line 1
	timeout 60 ryde-consume --fan-out me --from 49590338271490256608559692538361571095921575989136588918.2 --to end s > out
	[ "$(jq -c '[.n, .part]' out | paste -sd' ')" = '[2,2] [2,3] [3,0] [3,1] [3,2] [3,3] [4,0] [4,1] [4,2] [4,3]' ]
	[ "$(subscriptions .position.Type | head -1)" = AT_SEQUENCE_NUMBER ]
	run -65 --separate-stderr timeout 60 ryde-consume --fan-out me --from 49590338271490256608559692538361571095921575989136588888.2 --to end s
	[ "${#lines[@]}" -eq 20 ]
	[[ $stderr == *'no longer held'* ]]
}

@test "a pipe that is full: the service is not read from, and all comes in the end" {
	serve kinesis_fan '{"shards":[{"records":30000},{"records":30000}],"per_event":2000}'
	mkfifo pipe
	timeout 60 ryde-consume --fan-out me -e --to end s > pipe &
	reader=$!
	exec 9< pipe
	until_ok grep -q Subscribe log
	dd bs=1k count=1 <&9 > out 2>/dev/null
	# whatever it holds back is bounded: it stands far below what there is to come
	[ "$(awk '/VmHWM/ { print $2 }' "/proc/$(pgrep -P "$reader" ryde-consume)/status")" -lt 60000 ]
	cat <&9 >> out
	exec 9<&-
	wait "$reader"
	jq -c 'if .data then .data else empty end' out > data
	each_once data 0=30000 1=30000
}

@test "what ends a run: the consumer is deregistered under it, 66; an impossible name, 64; the embedded store, 64" {
	serve kinesis_fan '{"shards":[{"records":30,"faults":["gone"]}]}'
	run -66 --separate-stderr timeout 60 ryde-consume --fan-out me --to end s
	[[ $stderr == *"was deregistered"* ]]
	run -64 ryde-consume --fan-out 'a b' s
	run -64 ryde-admin fan-out s ''
	RYDE_STORE=local RYDE_DATA=$PWD/store
	export RYDE_STORE RYDE_DATA
	ryde-admin create stream s
	run -64 ryde-consume --fan-out me s
	[[ $output == *"enhanced fan-out is a thing of Kinesis"* ]]
	run -64 ryde-admin fan-out s me
}

@test "consumers are listed, page by page, and deregistered: the command waits until it is done" {
	serve kinesis_fan '{"shards":[{"records":3}]}'
	for name in a b c; do ryde-admin fan-out s $name > /dev/null; done
	run -0 ryde-admin list consumers s
	[ "$(jq -c '[.kind, .stream, .name, .status]' <<< "$output")" = '["consumer","s","a","ACTIVE"]
["consumer","s","b","ACTIVE"]
["consumer","s","c","ACTIVE"]' ]
	[[ ${lines[0]} == *'"arn":"arn:aws:kinesis:'*/consumer/a:* ]]
	run -0 ryde-admin delete consumer s b
	[ -z "$output" ]
	[ "$(ryde-admin list consumers s | jq -r .name | tr '\n' ' ')" = 'a c ' ]
	run -66 ryde-admin delete consumer s b
	[[ $output == *"stream s has no consumer b"* ]]
	run -64 ryde-admin delete consumer s
	run -64 ryde-admin delete consumer s 'a b'
	run -64 ryde-admin list consumers
	export RYDE_STORE=local RYDE_DATA=$PWD/store
	ryde-admin create stream s
	run -64 ryde-admin delete consumer s a
	run -0 ryde-admin list consumers s
	[ -z "$output" ]
}

@test "policy: a consumer is registered with the stream, and subscribes by its own name" {
	policy() { ryde-admin policy -- "$@" | jq -r '.Statement[] | "\(.Action | join(",")) \(.Resource)"'; }
	policy ryde-consume --fan-out me w | grep -q 'kinesis:DescribeStreamConsumer,kinesis:SubscribeToShard arn:aws:kinesis:us-east-1:\*:stream/w/consumer/\*'
	policy ryde-consume --fan-out me w | grep -q 'kinesis:RegisterStreamConsumer'
	policy ryde-admin fan-out w me | grep -q 'kinesis:RegisterStreamConsumer'
	[ -z "$(policy ryde-consume --fan-out me local:w)" ]
	policy ryde-admin delete consumer w me | grep -q 'kinesis:DeregisterStreamConsumer arn:aws:kinesis:us-east-1:\*:stream/w/consumer/\*'
	policy ryde-admin list consumers w | grep -q 'kinesis:ListStreamConsumers arn:aws:kinesis:us-east-1:\*:stream/w$'
}
