# ryde-unicorn: the ride, reproducible and live.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
}

ride() {
	ryde-unicorn --fast --seed 7 --start '2026-11-23 14:00:00' "$@"
}

@test "a line has the workshop's fields in their order" {
	run -0 ride -m 1
	[[ $output =~ ^\{\"Name\":\"Shadowfax\",\"StatusTime\":\"2026-11-23\ 14:00:00\.000\",\"Latitude\":40\.74[0-9]{7},\"Longitude\":-73\.98[0-9]{7},\"Distance\":(29|30|31)\.[0-9],\"MagicPoints\":1[45][0-9],\"HealthPoints\":1[45][0-9]\}$ ]]
}

@test "--seed and --start make a run reproducible to the byte" {
	ride -c 30 -m 3000 --error > a
	ride -c 30 -m 3000 --error > b
	cmp a b
	[ "$(wc -l < a)" -eq 3000 ]
	ride -c 30 -m 3000 --error --seed 8 > c
	run ! cmp -s a c
}

@test "without --seed two runs differ" {
	ryde-unicorn --fast -m 5 --start '2026-11-23 14:00:00' > a
	ryde-unicorn --fast -m 5 --start '2026-11-23 14:00:00' > b
	run ! cmp -s a b
}

@test "29 to 31 m a step on one bearing, points walk by at most 1" {
	ride -m 2000 > rides
	python3 - <<'PY'
import json, math
lat, lon, magic, health, bearing = 40.749167, -73.985184, 150, 150, None
for line in open('rides'):
    r = json.loads(line)
    north = (r['Latitude'] - lat) * 110540
    east = (r['Longitude'] - lon) * 111320 * math.cos(math.radians(lat))
    assert abs(math.hypot(north, east) - r['Distance']) < 0.01, r
    assert 29 <= r['Distance'] <= 31, r
    b = math.atan2(north, east)
    assert bearing is None or abs(math.remainder(b - bearing, math.tau)) < 1e-4, (b, bearing)
    bearing = b
    assert abs(r['MagicPoints'] - magic) <= 1 and abs(r['HealthPoints'] - health) <= 1
    lat, lon, magic, health = r['Latitude'], r['Longitude'], r['MagicPoints'], r['HealthPoints']
PY
}

@test "a ride of twice around the world stays on it" {
	ride -m 3000000 --every 1ms | tail -1000 > end
	python3 - <<'PY'
import json
for line in open('end'):
    r = json.loads(line)
    assert -90 <= r['Latitude'] <= 90 and -180 <= r['Longitude'] < 180, r
PY
}

@test "-c adds built-in names, all different, in ticks of one StatusTime" {
	ride -c 100 -n Ünicorn -n Epona -m 200 > herd
	python3 - <<'PY'
import json
rows = [json.loads(l) for l in open('herd', encoding='utf-8')]
names = [r['Name'] for r in rows[:100]]
assert names[:3] == ['Ünicorn', 'Epona', 'Shadowfax'] and len(set(names)) == 100, names
assert [r['Name'] for r in rows[100:]] == names
assert {r['StatusTime'] for r in rows[:100]} == {'2026-11-23 14:00:00.000'}
assert {r['StatusTime'] for r in rows[100:]} == {'2026-11-23 14:00:01.000'}
PY
}

@test "-m counts lines of all unicorns, also in the middle of a tick" {
	run -0 ride -c 3 -m 7
	[ "${#lines[@]}" -eq 7 ]
	run -0 ride -m 0
	[ -z "$output" ]
}

@test "--error puts InputData into every line, \"error\" into exactly one" {
	for seed in 1 2 3 4 5; do
		ride --seed $seed --error -m 9 > nine
		[ "$(grep -c '"InputData":"ok"}$' nine)" -eq 8 ]
		[ "$(grep -c '"InputData":"error"}$' nine)" -eq 1 ]
	done
	ride --seed 1 --error -m 1 | grep -q '"InputData":"error"'
	# without -m the pill is among the first ten
	ryde-unicorn --fast --seed 3 --error 2> /dev/null | head -10 | grep -c '"InputData":"error"' | grep -qx 1
}

@test "--every is the pace of --fast, too" {
	run -0 ride -m 3 --every 250ms
	[[ ${lines[2]} == *'"StatusTime":"2026-11-23 14:00:00.500"'* ]]
}

@test "live lines come at once, at their pace and without drift" {
	python3 - <<'PY'
import subprocess, time
p = subprocess.Popen(['ryde-unicorn', '--every', '100ms', '-m', '11'], stdout=subprocess.PIPE)
at = [time.monotonic() for _ in p.stdout]
assert p.wait() == 0 and len(at) == 11
worst = max(abs((t - at[0]) - 0.1 * i) for i, t in enumerate(at))
assert worst < 0.08, worst
PY
}

@test "RYDE_CLOCK is the time of the first line" {
	RYDE_CLOCK=@1764000000000 run -0 ryde-unicorn --fast -m 1
	[[ $output == *'"StatusTime":"2025-11-24 16:00:00.000"'* ]]
}

@test "SIGINT and SIGTERM end it cleanly" {
	# --foreground: else timeout(1) says SIGCONT as well, and that may hang the leak checker of make sanitize
	for sig in INT TERM; do
		run -0 timeout --foreground --preserve-status -s $sig 1.5 ryde-unicorn --every 50ms
		[[ ${lines[-1]} == *'}' ]]
	done
}

@test "a closed pipe ends it as it ends cat, also while it idles" {
	set +e
	ryde-unicorn --fast | head -1 > /dev/null
	[ "${PIPESTATUS[0]}" -eq 141 ] || exit 1
	timeout 60 ryde-unicorn --every 1h | head -1 > /dev/null
	[ "${PIPESTATUS[0]}" -eq 141 ]
}

@test "/dev/full: exit 74" {
	run -74 sh -c 'ryde-unicorn -m 3 --fast > /dev/full'
}

@test "bad options: exit 64" {
	for bad in '--count=0' '-c 1 -n a -n b' '-n a -n a' '-n=' '--seed=-1' '--every=0' \
	    '--start=yesterday' '--mesages=3' 'operand'; do
		# shellcheck disable=SC2086
		run -64 ryde-unicorn --fast -m 1 ${bad/-n=/--name=}
	done
	run -64 ryde-unicorn --fast -m 1 -n $'\xff'
}

@test "--help and --version" {
	run -0 ryde-unicorn --help
	[[ $output == *--every* ]]
	run -0 ryde-unicorn --version
	[[ $output == ryde-unicorn\ [0-9]* ]]
}
