# Enhanced fan-out over TLS and HTTP/2: many shards on one connection. tests/fan-out.bats has the rest, over HTTP/1.1.
bats_require_minimum_version 1.5.0
load engines.bash

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	for v in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do unset "$v"; done
	export HOME=$PWD AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=AKIABASE AWS_SECRET_ACCESS_KEY=base-secret RYDE_STORE=aws
	"$BATS_TEST_DIRNAME/install" >&2
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test \
	    -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
	: > log > connections
}

teardown() {
	[ ! -e pid ] || kill $(cat pid) 2>/dev/null || :
}

@test "forty shards come over one connection, each record once, also where subscriptions break" {
	jq -nc '{"shards": [range(40) | {"records": 100, "faults": (if . % 4 == 0 then ["crc"] elif . % 4 == 1 then ["hangup"] else [] end)}]}' > plan
	python3 "$BATS_TEST_DIRNAME/stubs/kinesis_fan.py" plain plan log 3>&- 2> stub.err &
	echo $! > pid
	until_ok test -s plain
	node "$BATS_TEST_DIRNAME/h2front.js" port "$(cat plain)" cert.pem key.pem connections 3>&- 2> front.err &
	echo $! >> pid
	until_ok test -s port
	export AWS_ENDPOINT_URL=https://127.0.0.1:$(cat port) AWS_CA_BUNDLE=$PWD/cert.pem
	timeout 60 ryde-consume --fan-out me --to end s > out 2> err
	[ "$(jq -s 'group_by(.shard) | length == 40 and all(map(.n) == [range(100)])' out)" = true ]
	[ "$(wc -c < connections)" -eq 1 ]
}
