# The functions of ryde-window's columns beside a slow and obvious reference, and the conditions in them.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
}

@test "all functions as fractions say: ties, gaps, 56 digits, 1e-30 beside 1e30, shards in any interleaving" {
	python3 - <<'PY'
import datetime, json, math, random, subprocess
from decimal import Decimal, Context, ROUND_HALF_EVEN
from fractions import Fraction

NUMBERS = ['0.1', '1', '1.0', '1e0', '-0', '0', '-3.25', '1e-30', '1e30', '-1e30', '150', '150.00', '7e-3',
           '12345678901234567890123456789012345678901234567890123456', '-99999999999999999999.5', '0.30000000000000004',
           '999999999999999999', '-999999999999999999', '1E3', '2.718281828459045235', 'null', None]
OTHERS = ['"a"', '"\\u0061"', '"b\\n"', '""', 'true', 'false', '1', '1.00', '10e-1', '"1"', 'null', None, '"' + 'long' * 20 + '"']
COLUMNS = ['n=count()', 'c=count(.v)', 's=sum(.v)', 'm=min(.v)', 'x=max(.v)', 'a=avg(.v)', 'd=stddev(.v)',
           'p0=p0(.v)', 'p50=p50(.v)', 'p99=p99.9(.v)', 'p100=p100(.v)', 'f=first(.o)', 'l=last(.o)', 'u=distinct(.o)', 'uv=distinct(.v)',
           'li=list(.o)', 'w=count(where .v < 1 or .v > 100)', 'ws=sum(.v where .k = "x" and not .i < 1500)',
           "wl=last(.v where .k in ('x', 'y') and .i between 20 and 2500)"]

def round_to(x, digits):  # of a Fraction, half to even, by integers alone
    if x == 0: return Fraction(0)
    e = len(str(abs(x.numerator))) - len(str(x.denominator)) - digits - 1
    while abs(x) / Fraction(10) ** e >= 10 ** digits: e += 1
    q = x / Fraction(10) ** e
    return Fraction(round(q)) * Fraction(10) ** e

def root_to(x, digits):
    if x == 0: return Fraction(0)
    e = (len(str(x.numerator)) - len(str(x.denominator))) // 2 - digits - 2
    while x / Fraction(100) ** e >= 100 ** digits: e += 1
    q = x / Fraction(100) ** e
    r = math.isqrt(q.numerator // q.denominator)
    middle = (r + Fraction(1, 2)) ** 2
    if q > middle or (q == middle and r % 2): r += 1
    return r * Fraction(10) ** e

def canon(text):
    v = json.loads(text, parse_int=lambda s: ('n', Fraction(s)), parse_float=lambda s: ('n', Fraction(s)))
    return repr(v)

def percentile(fs, part, of):
    s = sorted(fs)
    return s[max(1, -(-len(s) * part // of)) - 1]

random.seed(11)
shards = ['shardId-00000000000%d' % i for i in (0, 1, 2)]
lines = {s: [] for s in shards}
records = []
t = -3_000_000
for i in range(3000):
    t += random.choice([0, 0, 0, 1, 250, 1000]) if random.random() < .99 else 45000
    at = t + random.choice([0, 0, 0, -3000, -1, 40])
    s = random.choice(shards)
    v, o, k = random.choice(NUMBERS), random.choice(OTHERS), random.choice('xyz')
    fields = ['"at":"%s.%03d"' % (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=at // 1000), at % 1000), '"k":"%s"' % k, '"i":%d' % i]
    if v is not None: fields.append('"v":' + v)
    if o is not None: fields.append('"o":' + o)
    random.shuffle(fields)
    seq = len(lines[s]) + 1
    lines[s].append('{"ryde":1,"stream":"local:in","shardId":"%s","sequenceNumber":"%d","partitionKey":"%s","data":{%s}}' % (s, seq, k, ','.join(fields)))
    records.append(((at // 10000, k), (at, s, seq), v, o, i))

def run(order, *extra):
    out = subprocess.run(['ryde-window', '--tumble', '10s', '-t', '.at', '--by', '.k', '--lateness', '3000d', *COLUMNS, *extra],
                         input=''.join(l + '\n' for l in order).encode(), stdout=subprocess.PIPE, check=True).stdout.decode()
    return out.splitlines()

def interleaved():
    queues = {s: list(ls) for s, ls in lines.items()}
    while queues:
        s = random.choice(list(queues))
        take = random.choice([1, 1, 5, 200])
        yield from queues[s][:take]
        queues[s] = queues[s][take:]
        if not queues[s]: del queues[s]

first = run(sum(lines.values(), []))
for _ in range(4):
    assert run(list(interleaved())) == first

groups = {}
for g, place, v, o, i in sorted(records, key=lambda r: r[1]): groups.setdefault(g, []).append((v, o, i))

def check(rows, digits):
    raw = [json.loads(l, parse_int=lambda s: ('n', s), parse_float=lambda s: ('n', s)) for l in rows]
    assert len(raw) == len(groups) and [r['k'] for r in raw] == [k for _, k in sorted(groups)]
    for r, line, key in zip(raw, rows, sorted(groups)):
        g = groups[key]
        num = lambda name: None if r[name] is None else Fraction(r[name][1])
        there = [(v, i) for v, _, i in g if v not in (None, 'null')]
        vs = [v for v, _ in there]
        fs = [Fraction(v) for v in vs]
        os = [o for _, o, _ in g if o not in (None, 'null')]
        assert num('n') == len(g) and num('c') == len(vs)
        if not fs:
            assert all(r[c] is None for c in ('s', 'm', 'x', 'a', 'd', 'p50'))
        else:
            assert num('s') == sum(fs)
            assert r['m'][1] == next(v for v in vs if Fraction(v) == min(fs))  # as the first of equals wrote it
            assert r['x'][1] == next(v for v in vs if Fraction(v) == max(fs))
            assert num('a') == round_to(sum(fs) / len(fs), digits), (r['a'], fs)
            assert num('p0') == min(fs) and num('p100') == max(fs)
            assert num('p50') == percentile(fs, 50, 100) and num('p99') == percentile(fs, 999, 1000)
        if len(fs) < 2:
            assert r['d'] is None
        else:
            mean = sum(fs) / len(fs)
            assert num('d') == root_to(sum((f - mean) ** 2 for f in fs) / (len(fs) - 1), digits), (r['d'], fs)
        assert '"f":%s,"l":%s,' % ((os[0], os[-1]) if os else ('null', 'null')) in line, line
        assert num('u') == len({canon(o) for o in os}) and num('uv') == len(set(fs))
        assert '"li":[%s],' % ','.join(os) in line
        assert num('w') == sum(f < 1 or f > 100 for f in fs)
        some = [Fraction(v) for v, i in there if key[1] == 'x' and i >= 1500]
        assert num('ws') == (sum(some) if some else None)
        some = [v for v, i in there if key[1] in 'xy' and 20 <= i <= 2500]
        assert (r['wl'] and r['wl'][1]) == (some[-1] if some else None)

check(first, 17)
for digits in (1, 5, 60):
    check(run(sum(lines.values(), []), '--scale', str(digits)), digits)
PY
}

@test "percentiles beyond 1,000 values keep their accuracy, at both ends of what a number can be" {
	python3 - <<'PY'
import json, random, subprocess
from fractions import Fraction
random.seed(3)
texts = ['%s%de%d' % (random.choice(['', '-']), random.randrange(1, 10**6), random.choice([-400, -30, 0, 3, 30, 400])) for _ in range(3000)] + ['0'] * 50
fs = sorted(Fraction(t) for t in texts)
ps = [0, 1, 25, 49, 50, 51, 75, 90, 99, 99.9, 100]
for accuracy, bound in (('1%', Fraction(1, 100)), ('0.1%', Fraction(1, 1000)), ('0.1', Fraction(1, 10))):
    outs = set()
    for _ in range(3):
        random.shuffle(texts)
        out = subprocess.run(['ryde-window', '--tumble', '1d', '-t', '.t', '--accuracy', accuracy, *('q%d=p%s(.v)' % (i, p) for i, p in enumerate(ps))],
                             input=''.join('{"t":1,"v":%s}\n' % t for t in texts).encode(), stdout=subprocess.PIPE, check=True).stdout
        outs.add(out)
    assert len(outs) == 1  # whatever the order
    row = json.loads(out, parse_int=Fraction, parse_float=Fraction)
    for i, p in enumerate(ps):
        want = fs[max(1, -(-len(fs) * int(p * 10) // 1000)) - 1]
        assert abs(row['q%d' % i] - want) <= bound * abs(want), (accuracy, p, want, row)
PY
	# 999 values are exact
	seq 1 999 | sed 's/.*/{"t":1,"v":&}/' > in
	[ "$(ryde-window --tumble 1d -t .t 's=start' 'p=p50(.v)' < in)" = '{"s":"1970-01-01 00:00:00.000","p":500}' ]
}

@test "distinct is exact up to 10,000 and then within 4 times its standard error" {
	python3 - <<'PY'
import json, random, subprocess
random.seed(4)
def run(values):
    out = subprocess.run(['ryde-window', '--tumble', '1d', '-t', '.t', 'u=distinct(.v)'], input=''.join('{"t":1,"v":%s}\n' % v for v in values).encode(),
                         stdout=subprocess.PIPE, check=True).stdout
    return json.loads(out)['u']
kinds = [lambda i: str(i), lambda i: '"unicorn-%d"' % i, lambda i: '%d.%03d' % (i // 7, i), lambda i: '"%s"' % ('x' * 50 + str(i))]
for kind in kinds:
    values = [kind(i) for i in range(10000)]
    random.shuffle(values)
    assert run(values + values) == 10000
    for n in (10001, 30000, 120000):
        values = [kind(i) for i in range(n)]
        first = run(values)
        assert abs(first - n) <= n * .0081 * 4, (first, n)
        if n == 30000:
            assert run(random.sample(values, n)) == first
PY
}

@test "a list that is cut says so, and keeps the same beginning in whatever order lines come" {
	python3 - <<'PY'
import json, random, subprocess
random.seed(5)
lines = [(i, '{"t":%d,"v":%s}\n' % (10**12 + i, json.dumps('v' * random.choice([1, 10, 50000]) + str(i)))) for i in range(200)]
outs = set()
for _ in range(5):
    out = subprocess.run(['ryde-window', '--tumble', '1d', '-t', '.t', '--lateness', '1d', 'l=list(.v)', 'n=list(.t where .t < 1000000000003)'],
                         input=''.join(l for _, l in lines).encode(), stdout=subprocess.PIPE, check=True).stdout
    outs.add(out)
    random.shuffle(lines)
assert len(outs) == 1
row = json.loads(out)
want, size = [], 0
for _, l in sorted(lines):
    v = json.loads(l)['v']
    size += len(v) + 2
    if size > 1 << 20: break
    want.append(v)
assert list(row) == ['windowStart', 'windowEnd', 'l', 'lOmitted', 'n']
assert row['l'] == want and row['lOmitted'] == 200 - len(want) and row['n'] == [10**12, 10**12 + 1, 10**12 + 2]
PY
	seq 1 5 | sed 's/.*/{"t":1,"v":&}/' > in
	run -0 --separate-stderr ryde-window --tumble 1d -t .t --list-max 3 's=start' 'v=list(.v)' 'w=list(.w)' < in
	[ "$output" = '{"s":"1970-01-01 00:00:00.000","v":[1,2,3],"vOmitted":2,"w":[]}' ]
	run -64 ryde-window --tumble 1d -t .t 'v=list(.v)' 'vOmitted=count()' < in
}

@test "--where keeps records out, which still move the time; --having keeps rows out" {
	printf '{"at":%d,"k":"%s","v":%s}\n' 1 a 1 2 b 2 3 a null 4 a 5 15 z 0 5 a 9 > in
	run -0 --separate-stderr ryde-window --tumble 10s -t .at --by .k --where '.k <> "z"' --stats 's=start' 'v=sum(.v)' < in
	[ "$output" = '{"k":"a","s":"1970-01-01 00:00:00.000","v":6}
{"k":"b","s":"1970-01-01 00:00:00.000","v":2}' ]
	[[ $stderr == *'"in":6,"handled":4,"filtered":1,"late":1,"rejected":0'* ]]
	run -0 ryde-window --tumble 10s -t .at --by .k --having '.v > 1 and count(.v) = 1' 's=start' 'v=sum(.v)' < in
	[ "$output" = '{"k":"b","s":"1970-01-01 00:00:00.000","v":2}' ]
	run -0 ryde-window --tumble 10s -t .at --by .k --having 'max(.v where .k = "a") >= 5 or .k like "_"' 's=start' 'v=sum(.v)' < in
	[ "${#lines[@]}" -eq 3 ]
	# what is filtered need not have a time
	printf '%s\n' '{"type":"x"}' '{"type":"ride","at":3}' > in
	run -0 ryde-window --tumble 10s -t .at --where '.type = "ride"' 'n=count()' < in
	[[ $output == *'"n":1}' ]]
}

@test "a value of the wrong type is a reject that names line and field, and only where a function looks at it" {
	printf '%s\n' '{"at":1,"k":"a","v":1}' '{"at":1,"k":"b","v":"x"}' '{"at":1,"k":"a","v":[1]}' > in
	for f in 'sum(.v)' 'avg(.v)' 'stddev(.v)' 'p50(.v)' 'count(where .v < 5)'; do
		run -65 --separate-stderr ryde-window --tumble 10s -t .at --rejects bad "f=$f" < in
		[[ $stderr == *'line 2: .v is not a number: "x"'* && $stderr == *'line 3: .v is not a number: an array'* ]]
		[[ $output == *'"f":1}' || $f == stddev* ]]
	done
	run -65 --separate-stderr ryde-window --tumble 10s -t .at 'f=distinct(.v)' < in
	[[ $stderr == *'line 3: .v is '*'an array'* && $stderr != *'line 2'* && $output == *'"f":2}' ]]
	run -0 ryde-window --tumble 10s -t .at 'f=sum(.v where .k = "a" and not .at = 1)' 'g=first(.v)' 'h=sum(.v where .k = "z")' < in
	[[ $output == *'"f":null,"g":1,"h":null}' ]]
}

@test "columns and conditions that are none say what is wrong, and where" {
	try() {
		run -64 --separate-stderr ryde-window --tumble 1m "${@:2}" < /dev/null
		[[ $stderr == *"$1"* ]] || { echo "$stderr"; return 1; }
	}
	try "the ) is missing" 'a=sum(.v'
	try "none of start end" 'a=median(.v)'
	try "none of start end" 'a=p101(.v)'
	try "none of start end" 'a=p(.v)'
	try "the path of the field is missing" 'a=sum(where .v > 1)'
	try "a path such as .Name" 'a=sum(.v wher .v > 1)'
	try "character 5: here a path such as .Name or a literal must stand" 'a=sum(.v where .v > )'
	try "character 4: behind the condition stands something else" 'a=sum(.v where .v 5)'
	try "say 'is null'" 'a=count(where .v = null)'
	try "no JSON number" 'a=count(where .v = 01)'
	try "a string without its end" "a=count(where .v = 'x)"
	try "--where, character 1" --where 'v = 1' 'a=count()'
	try "a function, where there can be none" --where 'sum(.v) = 1' 'a=count()'
	try "no item of a row is called 'b'" --having '.b > 1' 'a=count()'
	try "does not compare" --having 'list(.b) = 1' 'a=count()'
	try "'11%' is not between" --accuracy 11% 'a=count()'
}

@test "--max-state counts what functions hold: lists of long values close early, and nothing is lost" {
	python3 -c '
for i in range(3000): print("{\"at\":%d,\"v\":\"%s\"}" % (10**12 + i, "x" * 990 + "%04d" % i))' > in
	ryde-window --tumble 1d -t .at --max-state 256k 'n=count()' 'l=list(.v)' < in > out
	python3 - <<'PY'
import json
rows = [json.loads(l) for l in open('out')]
assert len(rows) > 10 and all(r.get('terminatedEarly') for r in rows[:-1])
assert [int(v[-4:]) for r in rows for v in r['l']] == list(range(3000)) and sum(r['n'] for r in rows) == 3000
assert max(len(r['l']) for r in rows) < 300
PY
}

@test "--max-state counts long numbers that minima, maxima and sums hold" {
	python3 -c '
for i in range(2000): print("{\"at\":%d,\"k\":%d,\"v\":%d}" % (10**12 + i, i % 500, 10**900 + i))' > in
	for f in min max sum avg stddev; do
		ryde-window --tumble 1d -t .at --by .k --max-state 256k 'n=count()' "v=$f(.v)" < in > out
		python3 - $f <<'PY'
import json, sys
rows = [json.loads(l, parse_int=str) for l in open('out')]
assert sum(r.get('terminatedEarly', False) for r in rows) > 500, len(rows)
assert sum(int(r['n']) for r in rows) == 2000
if sys.argv[1] in ('min', 'max'):
    pick = min if sys.argv[1] == 'min' else max
    sys.set_int_max_str_digits(0) if hasattr(sys, 'set_int_max_str_digits') else None
    for k in ('0', '7', '499'):
        want = pick(10**900 + i for i in range(2000) if i % 500 == int(k))
        assert pick(int(r['v']) for r in rows if r['k'] == k) == want
PY
	done
}

@test "tracks of walks as GPS loggers give them: days of gaps, one to five seconds a step, as fractions say" {
	python3 - "${RYDE_TRACKS:-}" <<'PY'
import collections, datetime, gzip, json, math, random, subprocess, sys
from fractions import Fraction

def walks():  # a file of such lines may be given in RYDE_TRACKS
    random.seed(12)
    epoch = datetime.datetime(1970, 1, 1)
    at, lat, lon = 1224741185, 39984094, 116319236
    for i in range(20000):
        if random.random() < .003:
            at += random.randrange(600, 40 * 86400)
            lat, lon = lat + random.randrange(-10**6, 10**6), lon + random.randrange(-10**6, 10**6)
        step = random.choice((0, 0, 1, 3, 50))
        at, lat, lon = at + random.choice((1, 1, 2, 5, 5)), lat + random.randrange(-99, 99) * step, lon + random.randrange(-99, 99) * step
        yield '{"Name":"%s","StatusTime":"%s.000","Latitude":%d.%06d,"Longitude":%d.%06d,"Distance":%d.%03d}' % (
            random.choice(('Shadowfax', 'Rocinante')), epoch + datetime.timedelta(seconds=at), lat // 10**6, lat % 10**6,
            lon // 10**6, lon % 10**6, step * random.randrange(30), random.randrange(1000))

lines = gzip.open(sys.argv[1], 'rt').read().splitlines() if sys.argv[1] else list(walks())
columns = ['n=count()', 's=sum(.Distance)', 'm=min(.Latitude)', 'x=max(.Longitude)', 'a=avg(.Latitude)', 'd=stddev(.Distance)',
           'p=p50(.Distance)', 'u=distinct(.Latitude)', 'f=first(.Longitude)', 'l=last(.Longitude)', 'w=count(where .Distance > 10)']
sizes = {'--tumble': ('10m', 600, 600), '--hop': ('1h/20m', 3600, 1200)}
records = []
for line in lines:
    r = json.loads(line, parse_int=str, parse_float=str)
    t = datetime.datetime.strptime(r['StatusTime'], '%Y-%m-%d %H:%M:%S.%f')
    records.append((int((t - datetime.datetime(1970, 1, 1)).total_seconds()), r))

def near(x, want):  # correctly rounded to 17 digits
    return abs(x - want) <= abs(want) / 10**16 / 2

for kind, (text, size, step) in sizes.items():
    groups = collections.defaultdict(list)
    for at, r in records:
        start = at - at % step
        while start > at - size:
            groups[start, r['Name']].append((at, r))
            start -= step
    out = subprocess.run(['ryde-window', kind, text, '--by', '.Name', '--lateness', '36500d', *columns],
                         input=''.join(l + '\n' for l in lines).encode(), stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    assert len(out) == len(groups)
    for line, key in zip(out, sorted(groups)):
        row = json.loads(line, parse_int=str, parse_float=str)
        g = [r for _, r in sorted(groups[key], key=lambda p: p[0])]
        ds = [Fraction(r['Distance']) for r in g]
        lats = [Fraction(r['Latitude']) for r in g]
        longitudes = [Fraction(r['Longitude']) for r in g]
        start = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=key[0])
        assert row['Name'] == key[1] and row['windowStart'] == '%s.000' % start, (line, key)
        assert int(row['n']) == len(g) and Fraction(row['s']) == sum(ds)
        assert Fraction(row['m']) == min(lats) and Fraction(row['x']) == max(longitudes)
        assert near(Fraction(row['a']), sum(lats) / len(g)), line
        if len(g) < 2:
            assert row['d'] is None
        else:
            mean = sum(ds) / len(g)
            square = sum((d - mean) ** 2 for d in ds) / (len(g) - 1)
            # the root lies between those of the ends of the last digit
            low, high = (Fraction(row['d']) * Fraction(10**17 + e, 10**17) for e in (-6, 6))
            assert low * low <= square <= high * high, line
        p = sorted(ds)[-(-len(ds) // 2) - 1]
        assert abs(Fraction(row['p']) - p) <= (0 if len(ds) < 1000 else p / 100)
        assert int(row['u']) == len(set(lats)) and int(row['w']) == sum(d > 10 for d in ds)
        assert row['f'] == g[0]['Longitude'] and row['l'] == g[-1]['Longitude']
PY
}
