# Aggregated records: ryde-produce --aggregate packs, ryde-consume takes apart, what the KPL made beside what is home-made.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/data RYDE_RUN=$PWD/run
}

fleet() {
	ryde-unicorn -c 5 --fast --seed 3 --start '2026-11-23 14:00:00' "$@"
}

# kpl KEY DATA [KEY DATA]... : an aggregate as the format says, in an envelope
kpl() {
	python3 - "$@" <<'PY'
import base64, hashlib, json, sys
def varint(n):
    out = b''
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])
def field(number, data): return varint(number << 3 | 2) + varint(len(data)) + data
pairs = list(zip(sys.argv[1::2], sys.argv[2::2]))
keys = [k for k, _ in pairs]  # a table may hold a key twice
body = b''.join(field(1, k.encode()) for k in keys)
body += field(2, b'0')
for i, (_, d) in enumerate(pairs):
    body += field(3, b'\x08' + varint(i) + (b'\x10\x00' if i == 0 else b'') + field(3, d.encode()) + field(4, field(1, b'tag')))
data = b'\xf3\x89\x9a\xc2' + body + hashlib.md5(body).digest()
print(json.dumps({'ryde': 1, 'partitionKey': 'a', 'dataBase64': base64.b64encode(data).decode()}, separators=(',', ':')))
PY
}

@test "what is packed comes out again, in order per key, in fewer records" {
	ryde-admin create stream s --shards 3
	fleet -m 4000 > in
	ryde-produce --aggregate -k .Name --stats s in 2> stats
	grep -q '"in":4000,"handled":4000' stats
	ryde-consume --to end s > out
	python3 - <<'PY'
import json
def by_key(f):
    keys = {}
    for l in open(f): keys.setdefault(json.loads(l)['Name'], []).append(l)
    return keys
assert by_key('in') == by_key('out')
PY
	ryde-consume --to end --deaggregate off -e s > raw
	[ "$(wc -l < raw)" -lt 100 ]
	[ "$(ryde-consume --to end -n 7 s | wc -l)" -eq 7 ]
	# each part has its key and its number, the last one says that it is
	ryde-consume --to end -e s > out
	python3 - <<'PY'
import json
records = {}
for l in open('out'):
    r = json.loads(l)
    assert r['partitionKey'] == r['data']['Name']
    records.setdefault(r['sequenceNumber'], []).append((r.get('sub'), r.get('last', False)))
    assert 'more' not in r
assert len(records) == len(open('raw').readlines())
for subs in records.values():
    n = len(subs)
    assert subs == [(i, i + 1 == n) for i in range(n)] or subs == [(None, False)], subs
PY
}

@test "receipts name the part, a dry run counts lines and records, explicit hash keys and newlines are kept" {
	ryde-admin create stream s --shards 2
	printf '{"k":"a","h":"%s"}\n' 0 1 340282366920938463463374607431768211455 > in
	run -0 --separate-stderr ryde-produce --aggregate --newline -k .k --hash-key .h --receipts s in
	[[ ${lines[0]} == *'shardId-000000000000'*'"sub":0}' && ${lines[1]} == *'"sub":1}' ]]
	[[ ${lines[2]} == *'shardId-000000000001'* && ${lines[2]} != *sub* ]]
	ryde-consume --to end -e s > out
	[ "$(grep -c '"lf":1' out)" -eq 3 ]
	ryde-consume --to end --deaggregate off -e s | grep -c dataBase64 | grep -qx 1
	ryde-consume --to end --deaggregate off -e s | python3 -c '
import base64, json, sys
d = [base64.b64decode(json.loads(l)["dataBase64"]) for l in sys.stdin if "dataBase64" in l][0]
assert d.startswith(b"\xf3\x89\x9a\xc2\x0a\x01a\x12\x010\x12\x011\x1a"), d'
	run -0 ryde-produce --aggregate -k .k --dry-run s in
	[[ $output == *'"lines":3,"records":3,'* || $output == *'"lines":3,"records":1,'* ]]
}

@test "aggregates of the KPL and home-made ones mix; what only looks like one is an ordinary record" {
	fleet -m 200 > in
	head -100 in | ryde-produce --aggregate -k .Name s
	kpl Shadowfax '{"n":1}' Shadowfax '{"n":2}' Pégase 'no JSON' Arion '{"ryde":1}' | ryde-produce s
	printf '{"ryde":1,"partitionKey":"x","dataBase64":"%s"}\n' "$(printf '\363\211\232\302 no aggregate, though it begins as one' | base64 -w0)" | ryde-produce s
	kpl Arion '{"n":
3}' | ryde-produce s
	tail -n +101 in | ryde-produce --aggregate -k .Name s
	ryde-consume --to end s > out
	head -100 in | sort > want; sort <(head -100 out) | cmp want -
	tail -n +101 in | sort > want; sort <(tail -100 out) | cmp want -
	sed -n '101,106p' out > middle
	[ "$(sed -n 1,2p middle)" = '{"n":1}
{"n":2}' ]
	[[ "$(sed -n 3p middle)" == *'"partitionKey":"Pégase"'*'"sub":2,"dataBase64":"bm8gSlNPTg=="}' ]]
	[[ "$(sed -n 4p middle)" == *'"partitionKey":"Arion"'*'"sub":3,"last":true,"data":{"ryde":1}}' ]]
	[[ "$(sed -n 5p middle)" == *'"partitionKey":"x"'*'"dataBase64":"84mawi'* && "$(sed -n 5p middle)" != *'"sub"'* ]]
	[ "$(sed -n 6p middle)" = '{"n": 3}' ]
	run -64 ryde-consume --deaggregate on s
}

@test "a group that ends again and again, also inside aggregates, neither loses nor repeats" {
	fleet -m 3000 > in
	ryde-produce --aggregate -k .Name --batch-size 100 s in
	: > out
	for _ in $(seq 200); do
		before=$(wc -l < out)
		ryde-consume -g g --ack write --to end -n 37 -q -q s >> envelopes
		grep -v '"mark":true' envelopes > out || :
		[ "$(wc -l < out)" -gt "$before" ] || break
	done
	# every run but the last printed as much as it was asked for
	[ "$before" -eq 3000 ] && [ "$(head -3000 out | wc -l)" -eq 3000 ]
	python3 - <<'PY'
import json
out = [json.dumps(json.loads(l)['data']) for l in open('out')]
want = [json.dumps(json.loads(l)) for l in open('in')]
assert sorted(out) == sorted(want) and len(set(out)) == len(out)
PY
}

@test "killed inside an aggregate: nothing is lost, and the order per key stays" {
	fleet -m 3000 > in
	ryde-produce --aggregate -k .Name s in
	ryde-consume -g g s 2> /dev/null | ryde-process --batch-size 10 -- sh -c 'cat >> out' 2> /dev/null &
	pid=$!
	until [ -s out ] && [ "$(wc -l < out)" -gt 150 ]; do kill -0 $pid; done
	kill -9 $pid
	wait
	ryde-consume -g g --to end s | ryde-process --batch-size 500 -- sh -c 'cat >> out'
	python3 - <<'PY'
import json
want, out = {}, {}
for f, keys in (('in', want), ('out', out)):
    for l in open(f): keys.setdefault(json.loads(l)['Name'], []).append(l)
for k, ls in want.items():
    assert set(ls) == set(out[k])
    # it goes on from a place before, never beyond what is there
    at = {l: i for i, l in enumerate(ls)}
    last = -1
    for l in out[k]:
        assert at[l] <= last + 1
        last = at[l]
PY
}

@test "ryde-dlq takes the aggregates of a batch apart that a document of Lambda's own names by its range" {
	fleet -m 30 > in
	head -20 in | ryde-produce --aggregate -k .Name w
	tail -10 in | ryde-produce -k .Name w
	ryde-consume -g g --to end w | ryde-process --retries 0 --on-failure q -- false
	# Lambda's documents do not list their records
	sqlite3 data/queues/q.db "UPDATE messages SET body = json_remove(body, '$.ryde')"
	ryde-dlq read q > out
	sed 's/.*,"data"://; s/}$//' out | cmp in -
	[ "$(jq -c 'select(.last) | .sub' out)" = 19 ]
	ryde-dlq redrive q | ryde-produce again
	ryde-consume --to end again | cmp in -
	[ "$(ryde-dlq count q | jq .visible)" -eq 0 ]
}

@test "a failed part of an aggregate comes back alone from the dead letters" {
	fleet -m 30 > in
	ryde-produce --aggregate -k .Name w in
	ryde-consume -g g --to end w |
	    ryde-process --retries 0 --bisect --batch-size 7 --on-failure q -q -q -- sh -c 'cat > got; [ "$(wc -l < got)" -eq 1 ] && ! grep -q 14:00:03 got'
	ryde-dlq redrive q | ryde-produce again
	ryde-consume --to end again > out
	grep 14:00:03 in | cmp out -
}

@test "a pipe that takes all at once does not keep the reader waiting" {
	ryde-unicorn -c 40 -m 60000 --seed 1 --fast > in
	ryde-produce --aggregate -k .Name fast < in
	for _ in 1 2 3 4 5 6 7 8; do
		[ "$(timeout 60 ryde-consume --to end fast | wc -l)" -eq 60000 ]
	done
}
