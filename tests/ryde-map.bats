# ryde-map without a browser: who gets in, what is handed on, and that nobody who connects can stop the lines.
# The page itself is tested by make map-check (tests/map).
bats_require_minimum_version 1.5.0

load wait

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown() {
	exec 9>&-
	[ -z "${pid-}" ] || kill -KILL "$pid" 2> /dev/null || :
}

# A map on a port of its own that reads from descriptor 9; $url, $token and $pid.
start() {
	mkfifo in
	ryde-map --listen 127.0.0.1:0 "$@" < in > out 2> err &
	pid=$!
	exec 9> in
	until_ok grep -q 'the map is at' err
	address=$(sed -n 's/.*the map is at //p' err)
	url=${address%%\?*}
	token=${address##*token=}
}

# Ends the input and waits for the exit status.
finish() {
	exec 9>&-
	status=0
	wait "$pid" || status=$?
	pid=
}

status_of() {
	curl -s -o /dev/null -w '%{http_code}' "$@"
}

@test "the token opens the door once, and a cookie keeps it open" {
	start
	[ "$(status_of "$url")" = 401 ]
	[ "$(status_of "${url}live")" = 401 ]
	[ "$(status_of "${url}style.css")" = 401 ]
	[ "$(status_of "${url}?token=wrong")" = 401 ]
	[ "$(status_of "${url}?token=${token}x")" = 401 ]
	[ "$(status_of "${url}?token=${token%?}")" = 401 ]
	[ "$(status_of "${url}?token=")" = 401 ]
	[ "$(status_of "${url}style.css?token=$token")" = 401 ]
	[ "$(status_of -c jar "$address")" = 303 ]
	curl -si "$address" | grep -qi '^set-cookie: ryde-map-[0-9]*=.*; HttpOnly; SameSite=Strict'
	[ "$(status_of -b jar "$url")" = 200 ]
	[ "$(status_of -H "Cookie: other=1; ryde-map-${url//[!0-9]/}=$token" "$url")" = 401 ]
	port=${url##*:}
	[ "$(status_of -H "Cookie: other=1; ryde-map-${port%/}=$token" "$url")" = 200 ]
	curl -s -L -b none -c jar2 "$address" | grep -q '<title>'
	finish
	[ "$status" -eq 0 ]
}

@test "--no-token must be asked for; --token-file outlives the run" {
	start --no-token
	[[ $address != *token* ]]
	[ "$(status_of "$url")" = 200 ]
	finish
	rm in
	start --token-file kept
	[ "$(stat -c %a kept)" = 600 ]
	[ "$token" = "$(cat kept)" ]
	finish
	chmod 644 kept
	run -78 ryde-map --listen 127.0.0.1:0 --token-file kept < /dev/null
	chmod 600 kept
	echo short > kept
	run -78 ryde-map --listen 127.0.0.1:0 --token-file kept < /dev/null
	run -64 ryde-map --token-file kept --no-token < /dev/null
}

@test "only addresses, localhost and --host are answered to" {
	start --no-token --host maps.example.com
	for host in 127.0.0.1 127.0.0.1:80 localhost LocalHost:9 '[::1]:8808' 10.1.2.3 Maps.Example.com maps.example.com:443; do
		[ "$(status_of -H "Host: $host" "$url")" = 200 ] || { echo "$host"; false; }
	done
	for host in evil.example localhost.evil.example 127.0.0.1.evil.example '[::1' 'a b' 127.0.0.1:80x 1.2.3 ''; do
		[[ $(status_of -H "Host: $host" -H "Host;" "$url") == 40[03] ]] || { echo "$host"; false; }
	done
}

@test "nothing but the page's own files, and only for looking" {
	start --no-token
	for path in ../../../etc/passwd ..%2f..%2fetc/passwd %2e%2e/%2e%2e/etc/passwd /etc/passwd .%00./x style.css/../err \
	    main.c 'unicorn?id=99' 'unicorn?id=-1' unicorn 'unicorn?id=99999999999999999999999' STYLE.CSS; do
		[[ $(status_of --path-as-is "$url$path") == 40[04] ]] || { echo "$path"; false; }
	done
	for method in POST PUT DELETE OPTIONS PATCH TRACE; do
		[ "$(status_of -X "$method" "$url")" = 405 ]
	done
	[ "$(status_of -d 'token=x' "$url")" = 405 ]
	[ "$(status_of -I "$url")" = 200 ]
	[ "$(status_of -I "${url}live")" = 404 ]
}

@test "every answer is strict with what a browser may do" {
	start --no-token --tiles 'https://{s}.tile.example.org/{z}/{x}/{y}.png' --attribution '<b>me</b>'
	for path in '' style.css main.js none; do
		curl -s -D head -o /dev/null "$url$path"
		for wanted in "default-src 'none'; script-src 'self'; style-src 'self'" "frame-ancestors 'none'" \
		    "img-src 'self' data: https://\*.tile.example.org;" 'X-Content-Type-Options: nosniff'; do
			grep -q "$wanted" head || { echo "$path: $wanted"; false; }
		done
		! grep -q unsafe head
	done
	! curl -s "$url" | grep -Eq '<script>|style=| on[a-z]+='
	for tiles in ftp://x/{z}/{x}/{y} https://x/{z}/{x} 'https://x;y/{z}{x}{y}' '{z}{x}{y}' "https://x' y/{z}/{x}/{y}"; do
		run -64 ryde-map --tiles "$tiles" < /dev/null
	done
	run -64 ryde-map --attribution me < /dev/null
}

@test "files come packed or not, and are not sent again" {
	start --no-token
	curl -s "${url}leaflet.js" > plain
	curl -s --compressed "${url}leaflet.js" | cmp - plain
	grep -q Leaflet plain
	[ "$(curl -s -H 'Accept-Encoding: gzip' "${url}leaflet.js" | gzip -d | cksum)" = "$(cksum < plain)" ]
	etag=$(curl -sI "${url}leaflet.js" | sed -n 's/^ETag: \(.*\)\r/\1/p')
	[ "$(status_of -H "If-None-Match: $etag" "${url}leaflet.js")" = 304 ]
	[ "$(status_of -H 'If-None-Match: "other"' "${url}leaflet.js")" = 200 ]
	for file in world-110m.json cities.json; do curl -s "$url$file" | jq -se "length == 1" > /dev/null; done
}

@test "viewers are told: settings, changes, the end" {
	start --no-token --alert 90
	echo '{"Name":"<img src=x onerror=alert(1)>","Latitude":40.5,"Longitude":-73.25,"HealthPoints":7,"x":12345678901234567890}' >&9
	curl -sN "${url}live" > seen 9>&- &
	viewer=$!
	until_ok grep -q onerror seen
	grep -q '^event: hello$' seen
	sed -n 's/^data: \({"life.*\)/\1/p' seen | jq -e '.alert == 90 and .forget == 30000 and .health == "HealthPoints"'
	sed -n 's/^data: \({"now.*\)/\1/p' seen |
		jq -e '.changes[0] | .[1] == "<img src=x onerror=alert(1)>" and .[2:7] == [40.5,-73.25,null,7,null] and .[9] == 1'
	curl -s "${url}unicorn?id=1" | jq -r .payload | grep -q '"x":12345678901234567890'
	echo '{"Name":"\u0053hadowfax","Latitude":"1.5","Longitude":2e0,"StatusTime":"2026-11-23 14:00:00.500"}' >&9
	until_ok grep -q '"Shadowfax",1.5,2e0,null,null,null,1795442400500' seen
	finish
	wait "$viewer"
	tail -n 3 seen | grep -q '^event: bye$'
	[ "$status" -eq 0 ]
}

@test "a name goes --forget after its last line" {
	start --no-token --forget 300ms
	echo '{"Name":"a","Latitude":1,"Longitude":2}' >&9
	until_ok curl -sf "${url}unicorn?id=1"
	gone() { [ "$(status_of "${url}unicorn?id=1")" = 404 ]; }
	until_ok gone
}

@test "fields have the names that are given" {
	printf '%s\n' '{"ship":{"id":7},"p":[1,2],"t":1764000000}' '{"ship":{"id":8},"p":[1]}' > in
	run -65 --separate-stderr ryde-map -q --stats --listen 127.0.0.1:0 --name .ship.id --latitude '.p[0]' --longitude '.p[1]' -t .t in
	[[ $stderr == *'line 2: no place: .p[1] is no longitude'* && $stderr == *'"in":2,"handled":1,'*'"rejected":1'* ]]
	run -64 ryde-map --name 'a b' < /dev/null
}

@test "bad lines are rejects; the last one of a name counts" {
	printf '%s\n' '{"Name":"a","Latitude":1,"Longitude":2}' '' 'no json' '[]' '{"Latitude":1,"Longitude":2}' \
	    '{"Name":null,"Latitude":1,"Longitude":2}' '{"Name":"","Latitude":1,"Longitude":2}' '{"Name":"b","Latitude":91,"Longitude":2}' \
	    '{"Name":"c","Latitude":1,"Longitude":-180.1}' '{"Name":"d","Latitude":1}' '{"Name":"e","Latitude":1,"Longitude":2' \
	    "{\"Name\":\"$(printf '%0300d' 7)\",\"Latitude\":1,\"Longitude\":2}" '{"Name":"f","Latitude":"x","Longitude":2}' > in
	run -65 --separate-stderr ryde-map --listen 127.0.0.1:0 --stats --rejects bad in
	[ "$(wc -l < bad)" -eq 12 ]
	[[ $stderr == *'"in":13,"handled":1,'*'"rejected":12'* ]]
	run -65 --separate-stderr ryde-map --listen 127.0.0.1:0 --strict in
	printf '{"Name":"a","Latitude":1,"Longitude":2}\0\n' > nul
	run -65 ryde-map --listen 127.0.0.1:0 nul
	printf '{"Name":"\xff","Latitude":1,"Longitude":2}\n' > byte
	run -65 ryde-map --listen 127.0.0.1:0 byte
	run -0 ryde-map --listen 127.0.0.1:0 -f 'select(.Latitude == 1 and .Name == "a")' <<< '{"Name":"b"}'
	run -0 ryde-map --listen 127.0.0.1:0 < /dev/null
}

@test "--pass hands everything on, byte for byte" {
	ryde-unicorn -c 20 -m 20000 --fast --seed 1 > in
	printf '%s\n' '' 'no json' '{"Name":1' $'caf\xe9\r' "$(printf '%05000d' 1)" '{"Name":"z","Latitude":1,"Longitude":2, "x" : 1.0 }' \
	    '{"ryde":1,"stream":"local:w","shardId":"s","sequenceNumber":"1","approximateArrivalTimestamp":"2026-11-23T14:00:00.000Z","data":{"Name":"q","Latitude":1,"Longitude":2}}' \
	    '{"ryde":1,"stream":"local:w","shardId":"s","mark":true}' '{"ryde":1,"stream":"local:w","mark":true,"end":true}' >> in
	ryde-map -q --listen 127.0.0.1:0 --pass in | cmp in -
	ryde-map -q --listen 127.0.0.1:0 --pass < in | cmp in -
	cat in | ryde-map -q --listen 127.0.0.1:0 --pass > got
	cmp in got
	gzip -k in
	ryde-map -q --listen 127.0.0.1:0 --pass in.gz in | cmp <(cat in in) -
	run -0 --separate-stderr bash -c 'ryde-map --listen 127.0.0.1:0 --pass --stats in | cksum'
	[[ $stderr == *'line 20001 is not on the map: not JSON'* && $stderr == *'"in":20007,"handled":20007,'*'"out":20007,'*'"Undrawn":5'* ]]
	run -64 ryde-map --pass -f . in
}

@test "--pass through a slow reader and in small pieces" {
	ryde-unicorn -c 3 -m 30000 --fast --seed 2 > in
	ryde-map -q --listen 127.0.0.1:0 --pass in | (sleep 0.2; cat) | cmp in -
	python3 - <<'PY' | ryde-map -q --listen 127.0.0.1:0 --pass | cmp in -
import sys
data = open('in', 'rb').read()[:4000000]
at = 0
for n in [1, 7, 4096, 65537, 300000] * 40:
    sys.stdout.buffer.write(data[at:at + n]); sys.stdout.buffer.flush(); at += n
sys.stdout.buffer.write(data[at:])
sys.stdout.buffer.write(open('in', 'rb').read()[4000000:])
PY
}

@test "a full disk, a closed pipe, a line too long" {
	ryde-unicorn -m 2000 --fast > in
	run -74 sh -c 'ryde-map -q --listen 127.0.0.1:0 --pass in > /dev/full'
	set +e
	ryde-map -q --listen 127.0.0.1:0 --pass <(cat in; sleep 20) 2> /dev/null | head -n 1 > /dev/null
	[ "${PIPESTATUS[0]}" -eq 141 ] || return 1
	set -e
	{ cat in; printf '{"Name":"x","y":"'; head -c 10485760 /dev/zero | tr '\0' x; printf '"}\n'; cat in; } > long
	run -65 bash -c 'set -o pipefail; ryde-map -qq --listen 127.0.0.1:0 --pass long | cmp - <(cat in in)'
	{ printf '{"Name":"x","Latitude":1,"Longitude":2,"y":"'; head -c 10485710 /dev/zero | tr '\0' x; printf '"}\n'; } > big
	ryde-map -q --listen 127.0.0.1:0 --pass big | cmp - big
}

@test "in a group's pipe: a sink that acknowledges, or a filter that does not" {
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
	ryde-unicorn -c 3 -m 30 --fast --seed 1 | ryde-produce -k .Name w
	ryde-consume -g seen --to end w | ryde-map -q --listen 127.0.0.1:0
	[ "$(ryde-consume --status -g seen w | jq .lagRecords)" -eq 0 ]
	ryde-admin create table t --key Name --sort StatusTime
	ryde-consume -g store --to end w | ryde-map -q --listen 127.0.0.1:0 --pass | ryde-put t
	[ "$(ryde-consume --status -g store w | jq .lagRecords)" -eq 0 ]
	echo '{"Name":"x"}' | ryde-produce -k .Name w
	run -65 bash -c 'set -o pipefail; ryde-consume -q -g seen --to end w 2> /dev/null | ryde-map -q --listen 127.0.0.1:0; exit "${PIPESTATUS[1]}"'
	[ "$(ryde-consume --status -g seen w | jq .lagRecords)" -eq 1 ]
	run -75 ryde-map -q --listen 127.0.0.1:0 --pass <<< '{"ryde":1,"stream":"local:w","shardId":"s","mark":true}'
}

@test "--stay serves on after the end, and lets those behind go" {
	echo '{"Name":"a","Latitude":1,"Longitude":2}' > one
	mkfifo pipe
	(cat pipe > out; touch ended) &
	ryde-map --no-token --listen 127.0.0.1:0 --stay --pass one 2> err > pipe &
	pid=$!
	until_ok test -e ended
	cmp one out
	url=$(sed -n 's/.*the map is at //p' err)
	curl -s "${url}unicorn?id=1" | grep -q Latitude
	kill "$pid"
	wait "$pid"
	pid=
}

# Raw HTTP: what curl would not send.
@test "huge headers, slow loris, rubbish, and 500 connections at once" {
	start --no-token --patience 2s
	echo '{"Name":"a","Latitude":1,"Longitude":2}' >&9
	python3 - "$url" <<'PY'
import re, socket, sys, urllib.request
url = sys.argv[1]
host, port = re.match(r'http://(.*):(\d+)/', url).groups()
def connect():
    s = socket.create_connection((host, int(port)), timeout=30)
    return s
def talk(data):
    s = connect()
    got = b''
    try:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        while True:
            more = s.recv(65536)
            if not more:
                break
            got += more
    except OSError:  # it may hang up before all is said
        pass
    s.close()
    return got
def alive():
    assert b'Latitude' in urllib.request.urlopen(url + 'unicorn?id=1', timeout=30).read()

alive()
big = b'GET / HTTP/1.1\r\nHost: localhost\r\nX: ' + b'y' * 2000000 + b'\r\n\r\n'
assert b' 200 ' not in talk(big)
assert b' 200 ' not in talk(b'GET /' + b'a' * 100000 + b' HTTP/1.1\r\nHost: localhost\r\n\r\n')
for rubbish in (b'\r\n\r\n', b'\x00' * 1000, b'GET\r\n\r\n', b'GET / HTTP/9.9\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\x00',
                b'GET http://evil/ HTTP/1.1\r\nHost: evil\r\n\r\n', b'GET / HTTP/1.1\r\n\r\n'):
    assert b' 200 ' not in talk(rubbish), rubbish
alive()
# five hundred that never finish, and the page is still there; none of them is kept for ever
held = []
for _ in range(500):
    s = connect()
    s.send(b'GET / HTTP/1.1\r\nHost: localhost\r\nX-')
    held.append(s)
    if len(held) % 100 == 0:
        alive()
alive()
gone = 0
for s in held:
    s.settimeout(30)
    try:
        while s.recv(4096):
            pass
        gone += 1
    except ConnectionResetError:
        gone += 1
assert gone == 500, gone
# sixty-four viewers, no more; and a place is free again once one goes
viewers = []
def view():
    s = connect()
    s.sendall(b'GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n')
    return s, s.recv(15)
for _ in range(64):
    s, answer = view()
    assert b' 200' in answer, (len(viewers), answer)
    viewers.append(s)
assert b' 503' in view()[1]
alive()
viewers.pop().close()
while b' 200' not in view()[1]:
    pass
PY
	finish
	[ "$status" -eq 0 ]
}

@test "a viewer that reads nothing slows neither the lines nor the others, and is dropped" {
	start --no-token --patience 1s -v
	python3 - "$url" <<'PY' 9>&9
import os, re, socket, sys, time
host, port = re.match(r'http://(.*):(\d+)/', sys.argv[1]).groups()
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect((host, int(port)))
s.sendall(b'GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n')
# far more than the kernel keeps for it; each write waits until the map has read the ones before
lines = 0
while 'takes nothing is dropped' not in open('err').read():
    os.write(9, b''.join(b'{"Name":"n%d","Latitude":%d,"Longitude":2}\n' % (k, lines % 80) for k in range(1000)))
    lines += 1
    time.sleep(0.005)
t = socket.create_connection((host, int(port)))
t.sendall(b'GET /unicorn?id=1 HTTP/1.0\r\nHost: localhost\r\n\r\n')
assert b' 200 ' in t.recv(4096)
# what was under way, then nothing more
n = 0
try:
    while True:
        more = s.recv(1 << 20)
        if not more:
            break
        n += len(more)
except ConnectionResetError:
    pass
assert n < 1000000, n
PY
	finish
	[ "$status" -eq 0 ]
}

@test "addresses to listen at" {
	start --no-token
	port=${url##*:}
	run -69 --separate-stderr ryde-map --listen "127.0.0.1:${port%/}" < /dev/null
	[[ $stderr == *'--listen chooses another'* ]]
	for bad in 127.0.0.1 a:b :99999 ::1:80 '[::1' '' 127.0.0.1:-1; do
		run -64 ryde-map --listen "$bad" < /dev/null
	done
	run -0 --separate-stderr ryde-map --listen '*:0' < /dev/null
	[[ $stderr == *'other machines can connect'* ]]
	run -0 --separate-stderr ryde-map --listen 0 < /dev/null
	[[ $stderr == *'http://127.0.0.1:'* ]]
}

@test "a signal ends it at the end of the input, or after --grace" {
	start --no-token --grace 100ms
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	pid=
	[ "$status" -eq 75 ]
}
