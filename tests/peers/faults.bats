# A fifth of everything fails, in every way there is: nothing is lost, and the books balance. RECORDS says how many
# (3,000; `make peers` takes 100,000).
bats_require_minimum_version 1.5.0
load engines.bash

setup_file() { engine_file_setup aws "rate=20,seed=${SEED:-1}"; }
teardown_file() { engine_file_teardown; }
setup() {
	engine_setup aws
	# Credentials that are said to have expired are final where they are the program's own environment, which nobody
	# can change; those of a file may be mended while it runs, so it goes on trying.
	printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
		"$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" > credentials
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	export AWS_SHARED_CREDENTIALS_FILE=$PWD/credentials
}
teardown() { jobs -p | xargs -r kill -9 2>/dev/null || :; }

balanced() {
	jq -se 'all(.[]; .in == .handled + .filtered + .late + .rejected + .failed + .pending)' "$@"
}

# again COMMAND...: opening and describing may fail, too
again() {
	for _ in $(seq 30); do
		"$@" && return 0
	done
	return 1
}

@test "produce, consume, put: with 20 % of everything failing none is lost" {
	n=${RECORDS:-3000}
	again ryde-admin create stream faults --shards 4
	again ryde-admin create table faults --key n
	seq 1 "$n" | sed 's/.*/{"n":"&","Name":"Shadowfax","x":1.50}/' > in
	again ryde-produce -q -k .n --stats faults in 2> produced
	tail -n 1 produced | jq -e ".in == $n and .handled == $n"
	for _ in $(seq 30); do
		pipe "ryde-consume -q -q -g g --to end --stats faults 2>> consumed | ryde-put -q -q --stats faults 2>> put"
		[ "$statuses" = '0 0' ] && break
	done
	[ "$statuses" = '0 0' ]
	grep -h '^{' produced consumed put > books
	balanced books
	items faults | jq -r .n | sort -n | cmp - <(seq 1 "$n")
	kill "$(cat "$BATS_FILE_TMPDIR/peers/kinesis-faults.pid")" "$(cat "$BATS_FILE_TMPDIR/peers/dynamodb-faults.pid")"
	until_ok test -s "$BATS_FILE_TMPDIR/peers/dynamodb-faults.json"
	# the faults did come
	jq -se 'add | [to_entries[] | select(.key | endswith(":fine") | not) | .value] | add > 5' "$BATS_FILE_TMPDIR"/peers/*-faults.json
}
