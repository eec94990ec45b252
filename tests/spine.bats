# The whole way of a ride: recorded lines, a stream, windows by minute, a table, a query. What comes out at the end is
# what exact arithmetic makes of what went in.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
	# three days, four riders; distances of one digit and of seventeen
	ryde-unicorn -c 4 -m 3000 --fast --seed 7 --every 347s --start '2026-11-21 00:00:00' |
	    sed -E 's/"Distance":([0-9]+)\.([0-9])/"Distance":\1.\2000000000000000\2/' > rides
	ryde-admin create table Minutes --key Name --sort StatusTime
}

# the day's sums of each rider by python3's decimals, beside those of the query in the file `got`
compare() {
	python3 - <<'PY'
import collections, json
from decimal import Decimal
want = collections.defaultdict(Decimal)
for line in open('rides'):
    ride = json.loads(line, parse_float=Decimal)
    want[ride['Name'], ride['StatusTime'][:10]] += ride['Distance']
got = {}
for line in open('got'):
    row = json.loads(line, parse_float=Decimal, parse_int=Decimal)
    got[row['Name'], row['day']] = row['total']
assert len(want) > 10, want
assert got == want, (got, want)
assert any(len(str(t)) > 17 for t in got.values()), got
PY
}

query() {
	ryde-query -o ndjson 'SELECT Name, substr(StatusTime, 1, 10) AS day, sum(Distance) AS total FROM Minutes GROUP BY 1, 2' > got
}

@test "windows of a minute, a table, a query: sums by day are exact to the last digit" {
	ryde-window --tumble 1m --by .Name StatusTime=start 'Distance=sum(.Distance)' < rides | ryde-put Minutes
	query
	compare
}

@test "the same through two streams and an archive" {
	ryde-produce -k .Name in rides
	ryde-consume -e --from start --to end in |
	    ryde-window --tumble 1m --by .Name StatusTime=start 'Distance=sum(.Distance)' |
	    ryde-produce -k .Name sums
	run -0 bash -c 'ryde-consume -g lake --to end sums | ryde-archive --gzip a; echo "${PIPESTATUS[*]}"'
	[ "$output" = '0 0' ]
	find a -type f -exec zcat {} + | ryde-put Minutes
	query
	compare
}
