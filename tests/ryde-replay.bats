# ryde-replay: the recorded pace, the present in place of the past, and everything else untouched.
bats_require_minimum_version 1.5.0

load wait

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
}

# 40 lines, a minute apart
minutes() {
	ryde-unicorn --fast --seed 1 --start '2026-11-23 14:00:00' --every 1m -m 40
}

@test "--speed max passes everything on byte for byte, at once" {
	printf '%s\n' '{"StatusTime":"2026-11-23 14:00:00", "a" : 1.0}' 'no json' '' '{"a":"\u00e9"}' \
	    $'caf\xe9\r' > in
	ryde-replay --speed max in > out
	cmp in out
	ryde-replay --speed max < in | cmp in -
	gzip -k in
	ryde-replay --speed max in.gz in | cmp <(cat in in) -
}

@test "the pace is that of the time field, and does not drift" {
	minutes > in
	python3 - <<'PY'
import subprocess, time
# 40 minutes at 2400x: one second, a line each 25 ms
p = subprocess.Popen(['ryde-replay', '--speed', '2400x', 'in'], stdout=subprocess.PIPE)
got = [(time.monotonic(), l) for l in p.stdout]
assert p.wait() == 0
assert b''.join(l for _, l in got) == open('in', 'rb').read()
# a busy machine makes single lines late; drift makes the last ones later than the first ones, all of them
late = [t - 0.025 * i for i, (t, _) in enumerate(got)]
drift = min(late[20:]) - min(late[:20])
assert abs(drift) < 0.02, late
PY
}

@test "a line whose time goes back is printed at once" {
	printf '{"StatusTime":"2026-11-23 14:00:%02d"}\n' 1 0 1 0 1 > in
	run -0 timeout 60 ryde-replay --speed 0.001x in
	[ "${#lines[@]}" -eq 5 ]
}

@test "-t names the field, of envelopes too; else their arrival counts" {
	printf '%s\n' '{"t":{"at":1700000000}}' '{"t":{"at":1700003600}}' > in
	run -0 timeout 60 ryde-replay --speed 36000x -t .t.at in
	[ "${#lines[@]}" -eq 2 ]
	e='{"ryde":1,"stream":"local:w","shardId":"s","sequenceNumber":"%d","approximateArrivalTimestamp":"2026-11-23T14:00:0%d.000Z","data":{"t":%d}}\n'
	# shellcheck disable=SC2059
	printf "$e" 1 0 100 2 1 900 > in
	run -0 timeout 60 ryde-replay --speed 10x in
	run -124 timeout --foreground 1 ryde-replay --speed 10x -t .t in
	[ "${#lines[@]}" -eq 1 ]
}

@test "--now writes the present in the field's own form and leaves the rest alone" {
	export RYDE_CLOCK=@1764000000123
	printf '{ "a":1.0, "StatusTime":%s ,"b":"\\u0041" }\n' '"2026-11-23 14:00:00.000"' \
	    '"2026-11-23 14:00:00"' '"2026-11-23 14:00"' '"2026-11-23"' '"2026-11-23T14:00:00Z"' \
	    '"2026-11-23T14:00:00.5+02:00"' '1700000000' '1700000000.25' '1700000000123' '"1700000000"' \
	    '1.7E9' > in
	printf '{ "a":1.0, "StatusTime":%s ,"b":"\\u0041" }\n' '"2025-11-24 16:00:00.123"' \
	    '"2025-11-24 16:00:00"' '"2025-11-24 16:00"' '"2025-11-24"' '"2025-11-24T16:00:00Z"' \
	    '"2025-11-24T18:00:00.1+02:00"' '1764000000' '1764000000.12' '1764000000123' '"1764000000"' \
	    '1764000000' > want
	ryde-replay --now --speed max in > out
	diff want out
}

@test "--now in envelopes: the arrival, or with -t the payload's field" {
	export RYDE_CLOCK=@1764000000123
	e='{"ryde":1,"stream":"local:w","shardId":"s","sequenceNumber":"1","approximateArrivalTimestamp":"%s","data":{"StatusTime": "%s"}}\n'
	# shellcheck disable=SC2059
	printf "$e" 2026-11-23T14:00:00.000Z '2026-11-23 13:59:59' > in
	# shellcheck disable=SC2059
	[ "$(ryde-replay --now --speed max in)" = "$(printf "$e" 2025-11-24T16:00:00.123Z '2026-11-23 13:59:59')" ]
	# shellcheck disable=SC2059
	[ "$(ryde-replay --now --speed max -t .StatusTime in)" = "$(printf "$e" 2026-11-23T14:00:00.000Z '2025-11-24 16:00:00')" ]
}

@test "marks and base64 pass through unchanged" {
	printf '%s\n' '{"ryde":1,"stream":"local:w","shardId":"s","mark":true}' \
	    '{"ryde":1,"stream":"local:w","shardId":"s","sequenceNumber":"1","approximateArrivalTimestamp":"2026-11-23T14:00:00.000Z","dataBase64":"/w=="}' \
	    '{"ryde":1,"stream":"local:w","shardId":"s","sequenceNumber":"1","mark":true}' \
	    '{"ryde":1,"stream":"local:w","mark":true,"end":true}' > in
	ryde-replay in > out
	cmp in out
}

@test "marks without the end mark are an unclean end: exit 75" {
	run -75 --separate-stderr ryde-replay <<< '{"ryde":1,"stream":"local:w","shardId":"s","mark":true}'
	[ "${#lines[@]}" -eq 1 ]
}

@test "-f: its outputs in the line's envelope" {
	e='{"ryde":1,"stream":"local:w","shardId":"s","sequenceNumber":"1","partitionKey":"a\"b","approximateArrivalTimestamp":"2026-11-23T14:00:00.000Z"'
	run -0 ryde-replay -f '.x[]' <<< "$e,\"data\":{\"x\":[1,2]}}"
	[ "${lines[0]}" = "$e,\"more\":true,\"data\":1}" ]
	[ "${lines[1]}" = "$e,\"data\":2}" ]
	run -0 ryde-replay -f 'select(.a)' <<< '{"StatusTime":"2026-11-23 14:00:00"}'
	[ -z "$output" ]
}

@test "a line without a time is a reject: 65, and the rest goes on" {
	printf '%s\n' '{"StatusTime":"2026-11-23 14:00:00","n":1}' '{"n":2}' '{' '[]' '' \
	    '{"StatusTime":"soon"}' '{"StatusTime":null}' '{"StatusTime":"2026-11-23 14:00:00","n":3}' > in
	run -65 --separate-stderr ryde-replay in
	[ "${#lines[@]}" -eq 2 ]
	[[ $stderr == *'line 2:'* && $stderr == *'line 7:'* ]]
	run -65 --separate-stderr ryde-replay --rejects bad in
	[ "$(wc -l < bad)" -eq 6 ]
	grep -q '"line":2,"data":{"n":2}}$' bad
	run -65 --separate-stderr ryde-replay --strict in
	[ "${#lines[@]}" -eq 1 ]
}

@test "a signal stops it; what waits is not printed" {
	minutes > in
	ryde-replay --stats in > out 2> err &
	pid=$!
	# it flushes when it waits: for the second line
	until_ok has_lines 1 out
	kill "$pid"
	wait "$pid"
	has_lines 1 out
	[[ $(cat err) == *'"in":2,"handled":1'*'"pending":1'* ]]
}

@test "it flushes when it waits" {
	minutes > in
	ryde-replay in > out &
	until_ok has_lines 1 out
	kill %1
	wait
}

@test "a closed pipe ends it as it ends cat" {
	minutes > in
	set +e
	timeout 60 ryde-replay in | head -1 > /dev/null
	[ "${PIPESTATUS[0]}" -eq 141 ]
}

@test "empty input, no input, /dev/full, bad options" {
	run -0 ryde-replay < /dev/null
	[ -z "$output" ]
	run -66 ryde-replay ./none
	minutes > in
	run -74 sh -c 'ryde-replay --speed max in > /dev/full'
	for speed in 0x -1x x 1y 1..5 1.x 1e3 ''; do
		run -64 ryde-replay --speed="$speed" in
	done
	run -64 ryde-replay -t 'a b' in
	run -0 ryde-replay --help
}

@test "NUL bytes and a line over 10 MiB" {
	printf '{"StatusTime":"2026-11-23 14:00:00"}\0\n' > in
	run -65 --separate-stderr ryde-replay in
	[ -z "$output" ]
	{ printf '{"StatusTime":"2026-11-23 14:00:00","x":"'; head -c 10485760 /dev/zero | tr '\0' x; printf '"}\n'
	  printf '{"StatusTime":"2026-11-23 14:00:00"}\n'; } > in
	run -65 --separate-stderr ryde-replay in
	[ "$output" = '{"StatusTime":"2026-11-23 14:00:00"}' ]
}
