# ryde-window --sql: Flink jobs as typed give what the command line gives that --explain prints.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/data RYDE_RUN=$PWD/run
}

workshop() {
	cat > job.sql <<-'SQL'
	%flink.ssql(type=update)
	CREATE TABLE rides (
	    Name VARCHAR, StatusTime AS proctime(), Distance DOUBLE, MagicPoints INT, HealthPoints INT
	) WITH ('connector' = 'kinesis', 'stream' = 'wildrydes', 'aws.region' = 'us-east-1',
	    'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json');
	CREATE TABLE summary (
	    Name VARCHAR, StatusTime TIMESTAMP(3), Distance DOUBLE, MinMagicPoints INT, MaxMagicPoints INT
	) PARTITIONED BY (Name) WITH ('connector' = 'kinesis', 'stream' = 'wildrydes-summary', 'format' = 'json');

	%flink.ssql(type=update)
	INSERT INTO summary
	SELECT Name, TUMBLE_START(StatusTime, INTERVAL '1' MINUTE), SUM(Distance), MIN(MagicPoints), MAX(MagicPoints)
	FROM rides
	GROUP BY TUMBLE(StatusTime, INTERVAL '1' MINUTE), Name;
	SQL
}

@test "the workshop's job, as typed, over a group into a stream: its --explain is a pipe that does it" {
	workshop
	ryde-unicorn -c 3 -m 900 --fast --seed 1 --start '2026-11-23 14:00:00' > in
	ryde-window --tumble 1m --by .Name StatusTime=start 'Distance=sum(.Distance)' 'MinMagicPoints=min(.MagicPoints)' \
	    'MaxMagicPoints=max(.MagicPoints)' < in > want
	ryde-window --sql job.sql < in > out
	cmp want out
	ryde-window --sql "$(cat job.sql)" < in | cmp want -
	ryde-produce wildrydes in
	run -0 ryde-window --explain --sql job.sql
	[ "${lines[0]}" = "ryde-consume -g summary wildrydes |" ]
	# the pipe as printed, told to end
	sh -e -c "$(printf %s "$output" | sed 's/-g summary/-g summary --to end/')"
	ryde-consume --to end wildrydes-summary > out
	[ "$(wc -l < out)" -ge 9 ]
	python3 - <<'PY'
want = open('want').read().splitlines()
out = open('out').read().splitlines()
assert set(out) < set(want) and len(out) == len(set(out)), 'the last minute is still open'
PY
}

@test "table functions, filters, WHERE and HAVING count as the reference does" {
	ryde-unicorn -c 4 -m 2000 --fast --seed 2 --start '2026-11-23 14:00:00' > in
	ryde-window --sql "CREATE TABLE t (Name STRING, StatusTime TIMESTAMP(3), Distance DECIMAL(9, 3), HealthPoints INT,
	  WATERMARK FOR StatusTime AS StatusTime - INTERVAL '5' SECOND);
	SELECT Name AS who, window_start, window_end, COUNT(*) AS n, COUNT(DISTINCT HealthPoints) AS d,
	  SUM(Distance) FILTER (WHERE HealthPoints < 150) AS weak, AVG(HealthPoints) AS mean
	FROM TABLE(HOP(TABLE t, DESCRIPTOR(StatusTime), INTERVAL '30' SECOND, INTERVAL '2' MINUTE))
	WHERE Name IN ('Shadowfax', 'Bucephalus') AND NOT Distance BETWEEN 30 AND 30.1
	GROUP BY window_start, window_end, Name HAVING COUNT(*) > 50 AND MIN(HealthPoints) < 149" < in > out
	python3 - <<'PY'
import datetime, json
from fractions import Fraction
epoch = datetime.datetime(1970, 1, 1)
ms = lambda s: round((datetime.datetime.strptime(s, '%Y-%m-%d %H:%M:%S.%f') - epoch).total_seconds() * 1000)
groups = {}
for l in open('in'):
    r = json.loads(l, parse_float=Fraction, parse_int=Fraction)
    if r['Name'] not in ('Shadowfax', 'Bucephalus') or 30 <= r['Distance'] <= Fraction('30.1'): continue
    at = ms(r['StatusTime'])
    start = at - at % 30000
    for s in range(start - 90000, start + 1, 30000): groups.setdefault((s + 120000, r['Name']), []).append(r)
want = {k: g for k, g in groups.items() if len(g) > 50 and min(r['HealthPoints'] for r in g) < 149}
rows = [json.loads(l, parse_float=Fraction, parse_int=Fraction) for l in open('out')]
assert rows and [(ms(r['window_end']), r['who']) for r in rows] == sorted(want)
for r in rows:
    g = want[ms(r['window_end']), r['who']]
    assert ms(r['window_end']) - ms(r['window_start']) == 120000 and r['n'] == len(g)
    assert r['d'] == len({x['HealthPoints'] for x in g})
    weak = [x['Distance'] for x in g if x['HealthPoints'] < 150]
    assert r['weak'] == (sum(weak) if weak else None)
    assert abs(r['mean'] - sum(x['HealthPoints'] for x in g) / len(g)) < Fraction(1, 10**13)
PY
}

@test "sessions and cumulating windows are those of the command line" {
	ryde-unicorn -c 3 -m 600 --fast --seed 2 --every 1s --start '2026-11-23 14:00:00' | awk 'NR % 50 < 20' > in
	ryde-window --sql "SELECT Name, SESSION_START(StatusTime, INTERVAL '5' SECOND) AS s, SESSION_END(StatusTime, INTERVAL '5' SECOND) AS e,
	  COUNT(*) AS n FROM t GROUP BY SESSION(StatusTime, INTERVAL '5' SECOND), Name" < in > out
	ryde-window --session 5s -t .StatusTime --by .Name s=start e=end 'n=count()' < in | cmp out -
	[ "$(wc -l < out)" -gt 10 ]
	ryde-window --sql "SELECT window_end, Name, MAX(Distance) AS m FROM TABLE(CUMULATE(TABLE t, DESCRIPTOR(StatusTime), INTERVAL '10' SECOND,
	  INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, Name" < in > out
	ryde-window --cumulate 1m/10s -t .StatusTime --by .Name window_end=end 'm=max(.Distance)' < in | cmp out -
	[ "$(wc -l < out)" -gt 10 ]
}

@test "what SQL does not say, and what says it twice, is refused" {
	run -64 --separate-stderr ryde-window --sql "SELECT COUNT(*) FROM t
	  JOIN u GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)" < /dev/null
	[[ $stderr == *"SQL, line 2, column 4: JOIN"* ]]
	workshop
	run -64 --separate-stderr ryde-window --sql job.sql --by .Name < /dev/null
	[[ $stderr == *"--sql says all of"* ]]
	run -64 ryde-window --sql job.sql 'n=count()' < /dev/null
	run -64 ryde-window --explain --tumble 1m 'n=count()' < /dev/null
	run -64 --separate-stderr ryde-window --sql "SELECT COUNT(*) AS n, SUM(a) AS n FROM t GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)" < /dev/null
	[[ $stderr == *"two items of a row are called 'n'"* ]]
	run -74 sh -c 'ryde-window --explain --sql job.sql > /dev/full'
	printf 'SELECT \xff' > bad.sql
	run -64 ryde-window --sql bad.sql < /dev/null
	: > empty.sql
	run -64 --separate-stderr ryde-window --sql empty.sql < /dev/null
	[[ $stderr == *"there is no query"* ]]
}
