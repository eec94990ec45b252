# ryde-archive: lines into objects, whole or not at all; in a group each record once.
bats_require_minimum_version 1.5.0

load wait

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
}

fleet() {
	ryde-unicorn -c 5 --fast --seed 1 --start '2026-11-23 14:00:00' "$@"
}

# what the archive holds, in the order of its names
held() {
	find "${1:-a}" -path '*/.ryde' -prune -o -type f -print0 | sort -z | xargs -0r gzip -cdf --
}

# a stream of two hours
stream() {
	ryde-admin create stream s --shards 2
	fleet -m 2000 > in
	for h in 10 11; do
		RYDE_CLOCK=@$((1764000000000 + h * 3600000)) ryde-produce -k .Name s < <(
			[ "$h" = 10 ] && head -n 1000 in || tail -n +1001 in)
	done
}

same_as_in() {
	diff <(held "$@" | sort) <(sort in) > diff || { head diff; return 1; }
}

@test "lines are kept byte for byte, in the folder of the hour that they arrive in" {
	printf '%s\n' '{"a" : 1.0}' '[1e400]' '"caf\u00e9"' '  9007199254740993 ' > in
	RYDE_CLOCK=@1764000000000 ryde-archive a in
	[ "$(cd a && find . -type f)" = "$(cd a && find ./2025/11/24/16 -type f -name 'lines-2025-11-24-16-00-00-000-*-000001.ndjson')" ]
	held | cmp - in
	[ ! -e a/.ryde ]
}

@test "an object ends with the line that reaches its size" {
	fleet -m 1000 > in
	ryde-archive --size 10k --receipts a in > receipts
	[ "$(jq -s 'map(.lines) | add' receipts)" -eq 1000 ]
	jq -es 'all(.[:-1][]; .bytes >= 10240 and .bytes < 10500) and (.[-1].bytes <= 10500)' receipts
	[ "$(jq -r .object receipts | sort)" = "$(cd a && find . -type f | cut -c 3- | sort)" ]
	held | cmp - in
}

@test "an object ends with its age, while the input goes on" {
	mkfifo p
	ryde-archive --every 50ms --receipts a < p > receipts 3>&- &
	archive=$!
	exec 9> p
	echo '{"n":1}' >&9
	until_ok test -s receipts
	echo '{"n":2}' >&9
	until_ok has_lines 2 receipts
	exec 9>&-
	wait "$archive"
	[ "$(held | tr '\n' ' ')" = '{"n":1} {"n":2} ' ]
}

@test "nobody sees an object before it is whole" {
	mkfifo p
	ryde-archive a < p 3>&- &
	archive=$!
	exec 9> p
	fleet -m 20000 >&9
	until_ok eval '[ -n "$(find a/.ryde -type f)" ]'
	[ -z "$(find a -path a/.ryde -prune -o -type f -print)" ]
	kill -KILL "$archive"
	wait "$archive" || true
	exec 9>&-
	[ -n "$(find a/.ryde -type f)" ]
	# the next one removes what the killed one left
	echo 1 | ryde-archive a
	[ ! -e a/.ryde ]
	[ "$(held)" = 1 ]
}

@test "--gzip: what zcat unpacks, with many objects at the same time too" {
	fleet -m 20000 > in
	ryde-archive --gzip a in
	held | cmp - in
	head -n 6000 in > in2
	mv in2 in
	ryde-archive --gzip --level 1 -t .StatusTime --prefix '!{timestamp:HHmm}/!{field:.Name}/' b in
	[ "$(find b -type f -name '*.ndjson.gz' | wc -l)" -eq 100 ]
	same_as_in b
	gzip -t $(find b -type f)
}

@test "prefixes: times, fields, text" {
	printf '%s\n' '{"N":"x","t":"2026-01-02 03:04:05.678"}' > in
	while IFS='|' read -r prefix want; do
		rm -rf a
		ryde-archive -t .t --prefix "$prefix" a in
		got=$(cd a && find . -type f)
		got=${got#./}
		[ "${got%lines-2026*}" = "$want" ] || { echo "$prefix: $got, not $want"; false; }
	done <<-'L'
	x/|x/2026/01/02/03/
	!{timestamp:yyyy-MM-dd}/|2026-01-02/
	dt=!{timestamp:yyyyMMdd'T'HH}/n=!{field:.N}/|dt=20260102T03/n=x/
	!{timestamp:yy.D.DDD.d.h.a.SSS}/|26.2.002.2.3.AM.678/
	!{timestamp:EEE MMM EEEE MMMM Q}/|Fri Jan Friday January 1/
	!{timestamp:'it''s' ''}/|it's '/
	!{timestamp:}|
	!{field:.N}/!{timestamp:}|x/
	!{timestamp:}raw-|raw-
	L
	run -64 --separate-stderr ryde-archive --prefix '!{timestamp:YYYY}/' a in
	[[ $stderr == *"write y"* ]]
	for bad in '!{nothing}' '!{timestamp:yyyy' '!{timestamp:b}' '!{field:Name' '!{field:x y}' 'a//b/' '../' '/a/' \
	    '!{ryde:error-output-type}' '!{timestamp:[yyyy]}'; do
		run -64 ryde-archive --prefix "$bad" a in
	done
}

@test "what a field holds can neither leave its folder nor hide in it" {
	printf '{"N":"%s"}\n' '../../x' . _x 'a=b' 'c:\\d' 'caf\u00e9 50%' > in
	ryde-archive --prefix 'N=!{field:.N}/!{timestamp:}' a in
	[ "$(cd a && find . -mindepth 1 -type d | LC_ALL=C sort | tr '\n' ' ')" = \
	    './N=. ./N=..%2F..%2Fx ./N=_x ./N=a%3Db ./N=c%3A%5Cd ./N=café 50%25 ' ]
	ryde-archive --prefix '!{field:.N}/!{timestamp:}' b in
	[ "$(cd b && find . -mindepth 1 -type d | LC_ALL=C sort | tr '\n' ' ')" = \
	    './%2E ./%2E.%2F..%2Fx ./%5Fx ./a%3Db ./c%3A%5Cd ./café 50%25 ' ]
}

@test "random characters part objects" {
	fleet -m 300 > in
	ryde-archive --size 5k --prefix '!{ryde:random-string}/!{timestamp:}' a in
	[ "$(find a -mindepth 1 -maxdepth 1 -name '???????????' | wc -l)" -ge 9 ]
	same_as_in
}

@test "bad lines: rejects, an error prefix, or the end" {
	printf '%s\n' '{"N":"a"}' nonsense '{"N":null}' '{"N":"a"}{' '{"M":1}' '{"N":[]}' '{"N":""}' '{"N":"b"}' > in
	run -65 --separate-stderr ryde-archive --rejects bad --prefix '!{field:.N}/' a in
	[[ $stderr == *"line 2: not JSON"* ]]
	[ "$(jq .line bad | tr '\n' ' ')" = '2 3 4 5 6 7 ' ]
	[ "$(held | tr '\n' ' ')" = '{"N":"a"} {"N":"b"} ' ]
	run -65 --separate-stderr ryde-archive --stats --prefix '!{field:.N}/' \
	    --error-prefix 'bad/!{ryde:error-output-type}/' b in
	[[ $stderr == *'"in":8,"handled":2,'*'"rejected":6,'* ]]
	[ "$(held b/bad/processing-failed | jq .line | tr '\n' ' ')" = '2 3 4 5 6 7 ' ]
	[ "$(held b/bad/processing-failed | jq -r 'select(.line == 2).data')" = nonsense ]
	run -65 ryde-archive --strict --prefix '!{field:.N}/' c in
	[ "$(held c)" = '{"N":"a"}' ]
	printf '{"N":"%s"}\n' "$(head -c 300 /dev/zero | tr '\0' x)" > long
	run -65 ryde-archive --prefix '!{field:.N}/' d long
}

@test "places that are none, and those that cannot be written" {
	echo 1 > in
	run -64 ryde-archive '' in
	run -64 ryde-archive s3:/x in
	run -64 ryde-archive aws:x in
	run -73 ryde-archive in in
	run -73 ryde-archive /dev/full in
	run -66 ryde-archive a nothere
	run -64 ryde-archive --size 0 a in
	run -64 ryde-archive --level 10 a in
	[ "$(id -u)" -ne 0 ] || skip 'root writes anywhere'
	mkdir ro
	chmod a-w ro
	run -77 ryde-archive ro in
	run -77 ryde-archive ro/a in
}

@test "a full disk is said, and nothing of it is there" {
	# what a limit of the file's size says is what a full disk says
	fleet -m 20000 > in
	run -74 bash -c 'trap "" XFSZ; ulimit -f 500; ryde-archive a in'
	[ -z "$(find a -type f)" ]
	run -74 bash -c 'ryde-archive --receipts a in > /dev/full'
}

@test "lines of 10 MiB, and of a byte more" {
	{ printf '"'; head -c 10485758 /dev/zero | tr '\0' x; printf '"\n'; } > in
	{ cat in; printf '"'; head -c 10485759 /dev/zero | tr '\0' x; printf '"\n'; echo 1; } > in2
	run -65 ryde-archive --rejects bad a in2
	held | cmp - <(cat in; echo 1)
	ryde-archive --gzip b in
	held b | cmp - in
}

@test "10,000 prefixes at the same time, with few files open" {
	seq 30000 | awk '{ printf "{\"N\":%d,\"x\":%d}\n", ($1 * 7919) % 10000, $1 }' > in
	(
		ulimit -n 64
		ryde-archive --prefix '!{field:.N}/!{timestamp:}' a in
	)
	[ "$(find a -type f | wc -l)" -eq 10000 ]
	same_as_in
}

@test "empty input, binary bytes, a torn line" {
	ryde-archive a < /dev/null
	[ -d a ]
	[ -z "$(find a -type f)" ]
	printf '"caf\xc3\xa9"\n"\xff"\n"a\x00b"\n' > in
	run -65 ryde-archive --rejects bad a in
	[ "$(held)" = '"café"' ]
	printf '1\n2' | { run -75 ryde-archive b; }
	[ "$(held b)" = 1 ]
}

@test "--every 0 writes at once, a signal ends it well" {
	mkfifo p
	ryde-archive --every 0 a < p 3>&- &
	archive=$!
	exec 9> p
	echo 1 >&9
	until_ok eval '[ "$(held)" = 1 ]'
	echo 2 >&9
	kill -TERM "$archive"
	exec 9>&-
	wait "$archive"
	[ "$(held)" = $'1\n2' ]
}

@test "in a group: objects of a shard, called by their first and last numbers, acknowledged" {
	stream
	run -0 bash -c 'ryde-consume -g g --to end s | ryde-archive --size 20k --receipts a > receipts; echo "${PIPESTATUS[*]}"'
	[ "$output" = '0 0' ]
	same_as_in
	# in the order of names the numbers go up, and no two objects of a shard overlap
	find a -type f | sort -t / -k 6 | python3 -c '
import re, sys
last = {}
for path in sys.stdin:
    hour, shard, first, end = re.fullmatch(
        r"a/2025/11/25/0([23])/s-(shardId-[0-9]{12})-([0-9]{56})-([0-9]{56})\.ndjson\n", path).groups()
    assert int(first) <= int(end)
    assert int(first) > last.get(shard, 0), path
    last[shard] = int(end)
assert len(last) == 2'
	# the first line of each is the record that its name says
	f=$(find a -type f | sort | head -n 1)
	first=$(basename "$f" | cut -d - -f 4)
	ryde-consume -e --from start --to end s | jq -c "select(.sequenceNumber == \"$first\").data" > want
	[ "$(jq -c . want)" = "$(head -n 1 "$f" | jq -c .)" ]
	run -0 ryde-admin positions --max-lag 0s s g
}

@test "a repeat adds nothing, however it cuts" {
	stream
	for size in 50k 7k 1k 200k; do
		ryde-consume -g "g$size" --to end s | ryde-archive --size "$size" a 2> said
		same_as_in
	done
	grep -q '2000 lines were in the archive already' said
	# of a part that is there, in another folder by another prefix
	find a -type f | sort | awk 'NR % 3 == 0' | xargs rm
	ryde-consume -g again --to end s | ryde-archive --gzip --size 3k a
	same_as_in
}

@test "a repeat begins in the middle of an object" {
	stream
	ryde-consume -g g --to end s | ryde-archive a
	at=$(ryde-consume -e --from start --to end s | jq -r 'select(.shardId == "shardId-000000000001").sequenceNumber' | sed -n 700p)
	ryde-consume -g h --from "$at" --shard shardId-000000000001 --to end s | ryde-archive --size 1k a
	same_as_in
}

@test "what another filter left out is not taken for archived" {
	stream
	ryde-consume -g g --to end s | ryde-archive -f 'select(.Distance > 30)' a
	ryde-consume -g h --to end s | ryde-archive -f 'select(.Distance <= 30)' a 2> said
	same_as_in
	grep -q 'covers a line that it does not hold' said
	# and now everything is there
	ryde-consume -g i --to end s | ryde-archive -f 'select(.Distance <= 30)' a
	same_as_in
}

@test "several outputs of a line in several folders: acknowledged with the last" {
	stream
	run -0 bash -c 'ryde-consume -g g --to end s |
	    ryde-archive -f "(., {Name:\"all\",d:.Distance})" --size 30k --prefix "!{field:.Name}/!{timestamp:}" a; echo "${PIPESTATUS[*]}"'
	[ "$output" = '0 0' ]
	[ "$(held a/all | wc -l)" -eq 2000 ]
	[ "$(held | wc -l)" -eq 4000 ]
	run -0 ryde-admin positions --max-lag 0s s g
}

@test "a bad line in a group stops it without --rejects, and not with an error prefix" {
	stream
	printf '"\xff"' | ryde-produce --help > /dev/null
	run -0 bash -c 'ryde-consume -g g --to end s | ryde-archive --prefix "!{field:.none}/" a; echo "${PIPESTATUS[*]}"'
	# 141: it was still writing when the pipe closed
	[[ ${lines[-1]} =~ ^(75|141)\ 65$ ]]
	[ -z "$(find a -type f)" ]
	run -0 bash -c 'ryde-consume -g g --to end s | ryde-archive -q -q --prefix "!{field:.none}/" --error-prefix bad/ a; echo "${PIPESTATUS[*]}"'
	[[ ${lines[-1]} == '0 65' ]]
	[ "$(held a/bad | wc -l)" -eq 2000 ]
}

@test "the reader dies: nothing of what was not acknowledged is lost or doubled" {
	stream
	mkfifo p
	ryde-consume -g g s > p 3>&- &
	reader=$!
	ryde-archive --size 10k --receipts a < p > receipts 3>&- &
	archive=$!
	until_ok test -s receipts
	kill -KILL "$reader"
	wait "$reader" || true
	rc=0
	wait "$archive" || rc=$?
	[ "$rc" -eq 75 ]
	run -0 bash -c 'ryde-consume -g g --to end s | ryde-archive --size 13k a; echo "${PIPESTATUS[*]}"'
	[ "${lines[-1]}" = '0 0' ]
	same_as_in
}

@test "two groups, two readers, one place: each record once" {
	stream
	ryde-consume -g g --to end s | ryde-archive --size 10k a
	ryde-produce -k .Name s < <(fleet -m 500 --seed 2 | tee more)
	cat more >> in
	{ ryde-consume -g h --to end s; ryde-consume -g g --to end s; } | ryde-archive --size 11k a
	same_as_in
}

@test "the books balance, and the shape of the receipts" {
	fleet -m 100 > in
	run -0 --separate-stderr ryde-archive --gzip --stats --receipts a in
	[ "$(jq -c 'keys_unsorted' <<< "$output")" = '["object","lines","bytes","stored"]' ]
	[ "$(jq .stored <<< "$output")" -eq "$(stat -c %s "a/$(jq -r .object <<< "$output")")" ]
	[ "$(jq .bytes <<< "$output")" -eq "$(stat -c %s in)" ]
	[[ $stderr == *'"in":100,"handled":100,'*'"objects":1,'* ]]
}

@test "private files and folders" {
	echo 1 | ryde-archive a/b/c
	[ "$(find a -printf '%y%m\n' | sort -u | tr '\n' ' ')" = 'd700 f600 ' ]
}
