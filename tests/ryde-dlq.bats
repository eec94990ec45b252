# ryde-dlq: the workshop's dead letters, shown, read and redriven.
bats_require_minimum_version 1.5.0

load wait

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
}

# Nine rides with a pill, as in the workshop's lab.
fill() {
	ryde-unicorn --fast --seed "${1:-1}" --start '2026-11-23 14:00:00' -m 9 --error |
	    tee -a sent | ryde-produce -k .Name w
}

no_error() {
	ryde-process "$@" -- sh -c 'cat >> handled; ! tail -n "$RYDE_BATCH_SIZE" handled | grep -q \"error\"'
}

# The pill alone is in the queue q.
pill() {
	fill "$@"
	ryde-consume -g g --to end w | no_error --retries 0 --bisect --on-failure q 2> /dev/null
}

@test "list and count: the lab's one message with a batch of nine, or of one with --bisect" {
	fill
	ryde-consume -g g --to end w | no_error --retries 0 --on-failure q
	run -0 ryde-dlq list q
	[ "$(jq -r '"\(.condition) \(.batchSize) \(.stream) \(.shardId) \(.redrives) \(.hidden) \(.error)"' <<< "$output")" = \
	    'RetryAttemptsExhausted 9 local:w shardId-000000000000 0 false exit status 1' ]
	[ "$(jq -r '.startSequenceNumber < .endSequenceNumber' <<< "$output")" = true ]
	run -0 ryde-dlq count q
	[ "$output" = '{"queue":"local:q","visible":1,"hidden":0}' ]
	pill 2
	[ "$(ryde-dlq list q | jq -r .batchSize | tr '\n' ' ')" = '9 1 ' ]
	[ "$(ryde-dlq list -n 1 q | wc -l)" -eq 1 ]
}

@test "read prints the failed records as envelopes, without ack, and takes nothing" {
	fill
	ryde-consume -g g --to end w | no_error --retries 0 --on-failure q
	ryde-dlq read q > got
	[ "$(jq -r 'select(.ryde == 1 and .stream == "local:w" and .partitionKey == "Shadowfax" and (has("ack") | not)) | 1' got | wc -l)" -eq 9 ]
	sed 's/.*,"data"://; s/}$//' got | cmp sent -
	[ "$(ryde-dlq count q | jq .visible)" -eq 1 ]
}

@test "read gives binary and pretty-printed records back" {
	printf '{"error":\n1}' | base64 > /dev/null
	printf '{"ryde":1,"stream":"x","dataBase64":"%s"}\n' "$(printf '\xff\0error' | base64)" | ryde-produce w
	ryde-consume -g g --to end w | ryde-process --retries 0 --on-failure q -- false
	[ "$(ryde-dlq read q | jq -r .dataBase64 | base64 -d | od -An -c | tr -d ' \n')" = '377\0error' ]
}

@test "data that a filter has changed travels in the message" {
	fill
	ryde-consume -g g --to end w |
	    ryde-process -f '{Name, x: .InputData}' --retries 0 --bisect --on-failure q -- sh -c '! grep -q error'
	run -0 ryde-dlq read q
	[[ $output == *',"data":{"Name":"Shadowfax","x":"error"}}' ]]
}

@test "redrive prints them with ack and redrives, and deletes the message once they are handled" {
	pill
	run -0 --separate-stderr bash -o pipefail -c 'ryde-dlq redrive --stats q | tee lines | ryde-process -- cat'
	[[ $stderr == *'"InputData":"error"'* ]]
	[ "$(head -1 lines | jq -r '"\(.redrives) \(.gen) \(.ack | length)"')" = '1 1 22' ]
	[ "$(jq -r 'select(.mark) | .end // false' lines | tr '\n' ' ')" = 'false true ' ]
	[[ $stderr == *'"messages":1,"deleted":1,"left":0'* ]]
	[ -z "$(ryde-dlq list q)" ]
}

@test "what fails again comes back with its count, and is left after --max-redrives" {
	pill
	for n in 1 2 3; do
		ryde-dlq redrive q 2> /dev/null | no_error --retries 0 --on-failure q 2> /dev/null
		[ "$(ryde-dlq list q | jq .redrives)" -eq $n ]
	done
	run -0 --separate-stderr ryde-dlq redrive q
	[ -z "$output" ]
	[[ $stderr == *'redriven 3 times already'* ]]
	[ "$(ryde-dlq count q | jq -c '[.visible, .hidden]')" = '[1,0]' ]
	ryde-dlq redrive --max-redrives 4 q | ryde-process -- true
	[ -z "$(ryde-dlq list q)" ]
}

@test "redrive takes only what was there when it began" {
	pill
	# each failure makes a new message; without the rule this would not end before --max-redrives
	ryde-dlq redrive --max-redrives 1000 q | no_error --retries 0 --on-failure q
	[ "$(ryde-dlq list q | jq -c .redrives)" = 1 ]
}

@test "-n limits the messages; --dry-run prints and deletes nothing" {
	for seed in 1 2 3; do
		pill $seed
	done
	run -0 ryde-dlq redrive --dry-run q
	[ "${#lines[@]}" -eq 3 ]
	[ "$(jq -c '[.redrives, has("ack")]' <<< "${lines[0]}")" = '[1,false]' ]
	[ "$(ryde-dlq count q | jq .visible)" -eq 3 ]
	ryde-dlq redrive -n 2 q | ryde-process -- true
	[ "$(ryde-dlq count q | jq -c '[.visible, .hidden]')" = '[1,0]' ]
}

@test "a sink that dies: 75, and the messages are there again" {
	pill
	# shellcheck disable=SC2016
	run -75 bash -c 'ryde-dlq redrive q | ryde-process -- sh -c "kill -9 \$PPID"; exit ${PIPESTATUS[0]}'
	[ "$(ryde-dlq count q | jq -c '[.visible, .hidden]')" = '[1,0]' ]
}

@test "nobody acknowledges: 75, and the messages are there again" {
	pill
	run -75 bash -o pipefail -c 'ryde-dlq redrive --grace 200ms q | cat'
	[ "$(ryde-dlq count q | jq -c '[.visible, .hidden]')" = '[1,0]' ]
}

@test "what is under way is hidden from a second redrive" {
	pill
	mkfifo held
	ryde-dlq redrive q | ryde-process -- sh -c 'read -r _ <held' &
	exec 9<>held
	is_hidden() { [ "$(ryde-dlq count q | jq -c '[.visible, .hidden]')" = '[0,1]' ]; }
	until_ok is_hidden
	[ "$(ryde-dlq list q | jq .hidden)" = true ]
	run -0 ryde-dlq redrive q
	[ -z "$output" ]
	echo go >&9
	exec 9>&-
	wait
	[ -z "$(ryde-dlq list q)" ]
}

@test "an empty queue: nothing, 0, also for the sink" {
	ryde-admin create queue q
	run -0 bash -o pipefail -c 'ryde-dlq redrive q | ryde-process -- cat'
	for c in list read; do
		run -0 ryde-dlq $c q
		[ -z "$output" ]
	done
}

@test "a stream that is gone: a warning, 65, and the message stays" {
	pill
	ryde-admin delete stream w
	run -65 --separate-stderr ryde-dlq read q
	[ -z "$output" ]
	run -65 --separate-stderr ryde-dlq redrive q
	[ -z "$output" ]
	[ "$(ryde-dlq count q | jq .visible)" -eq 1 ]
}

@test "delete by id, purge" {
	for seed in 1 2 3; do
		pill $seed
	done
	mapfile -t ids < <(ryde-dlq list q | jq -r .id)
	run -0 ryde-dlq delete q "${ids[0]}"
	[ "$(ryde-dlq list q | jq -r .id | head -1)" = "${ids[1]}" ]
	run -66 --separate-stderr ryde-dlq delete q "${ids[0]}" "${ids[1]}"
	[ "$(ryde-dlq count q | jq .visible)" -eq 1 ]
	run -0 ryde-dlq purge q
	[ "$output" = '{"queue":"local:q","purged":1}' ]
}

@test "what does not exist: 66; wrong command lines: 64; /dev/full: 74" {
	run -66 ryde-dlq list none
	for bad in '' list 'frob q' 'delete q' 'list q r' 'list q --dry-run' 'redrive q --sinks 0' 'redrive q -n x'; do
		# shellcheck disable=SC2086
		run -64 ryde-dlq $bad
	done
	pill
	for c in list read count; do
		run -74 sh -c "ryde-dlq $c q > /dev/full"
	done
	run -0 ryde-dlq --help
	[[ $output == *--max-redrives* ]]
}
