# ryde-query: SQL over tables, streams and lines.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
}

teardown() {
	jobs -p | xargs -r kill -9 2>/dev/null || :
}

load wait

# three payloads
three() {
	printf '%s\n' '{"n":1,"name":"a"}' '{"n":2,"name":"b"}' '{"n":3,"name":"c"}'
}

@test "usage errors: no SQL, two of them, an unknown form" {
	run -64 ryde-query
	[[ $output == *"no SQL"* ]]
	run -64 ryde-query 'SELECT 1' 'SELECT 2'
	echo 'SELECT 1' > f
	run -64 ryde-query -F f 'SELECT 1'
	[[ $output == *"not both"* ]]
	run -64 ryde-query -o chartreuse 'SELECT 1'
	[[ $output == *chartreuse* ]]
	run -66 ryde-query -F nothere
}

@test "a table, a stream and stdin: the fields are columns" {
	ryde-admin create table t --key n
	three | ryde-put t
	three | ryde-produce s
	for from in t local:t s stream:s -; do
		run -0 ryde-query "SELECT name, n FROM \"$from\" WHERE n >= 2 ORDER BY n" < <(three)
		[ "$output" = '{"name":"b","n":2}
{"name":"c","n":3}' ]
	done
}

@test "a name that is both is the table; stream: says otherwise" {
	ryde-admin create table both --key n
	three | ryde-put both
	three | ryde-produce both
	echo '{"n":4}' | ryde-produce both
	[ "$(ryde-query 'SELECT count(*) AS c FROM both')" = '{"c":3}' ]
	[ "$(ryde-query 'SELECT count(*) AS c FROM "stream:both"')" = '{"c":4}' ]
	[ "$(ryde-query 'SELECT count(*) AS c FROM both JOIN "stream:both" AS s USING (n)')" = '{"c":3}' ]
}

@test "OR over parts of the path gives every row once" {
	for day in 01 02 03 04 05 06; do
		for hour in 01 02 03 04; do
			mkdir -p "or/2024/01/$day/$hour"
			seq -f "{\"n\":%g,\"d\":\"$day$hour\"}" 60 > "or/2024/01/$day/$hour/x.ndjson"
		done
	done
	# SQLite reads the two hours one after the other
	[[ $(ryde-query "EXPLAIN SELECT * FROM './or' WHERE hour=4 AND day=3 OR day=2 AND hour=2") == *"MULTI-INDEX OR"* ]]
	[ "$(ryde-query "SELECT d,count(*) AS c FROM './or' WHERE hour=4 AND day=3 OR day=2 AND hour=2 GROUP BY d")" = '{"d":"0202","c":60}
{"d":"0304","c":60}' ]
	[ "$(ryde-query "SELECT count(*) AS c FROM './or' WHERE hour=4 AND day=3 OR day=3 AND n<=10")" = '{"c":90}' ]
}

@test "unknown names: 66, and the near ones" {
	three | ryde-produce wildrydes
	run -66 ryde-query 'SELECT * FROM wildryde'
	[[ $output == *"did you mean wildrydes?"* ]]
	run -66 ryde-query 'SELECT * FROM "stream:other"'
	run -66 ryde-query 'SELECT * FROM "./no/file"'
	AWS_CONFIG_FILE=/dev/null AWS_REGION='' AWS_DEFAULT_REGION='' run -78 ryde-query 'SELECT * FROM "aws:wildrydes"'
}

@test "unknown columns: 64, and the near ones; a text in double quotes is no text" {
	three | ryde-produce s
	run -64 ryde-query 'SELECT nam FROM s'
	[[ $output == *"no such column: nam"*name* ]]
	run -64 ryde-query 'SELECT n FROM s WHERE name = "b"'
	[[ $output == *"'b'"* ]]
	run -64 ryde-query 'SELECT n FROM s-t'
	[[ $output == *"double quotes"* ]]
}

@test "what FROM names is only read" {
	three | ryde-produce s
	run -64 ryde-query 'DELETE FROM s'
	run -64 ryde-query "INSERT INTO s(n) VALUES (1)"
	run -64 ryde-query 'DROP TABLE s; SELECT 1'
	[ "$(ryde-query 'SELECT count(*) AS c FROM s')" = '{"c":3}' ]
}

@test "a stream's own columns, and data byte for byte" {
	echo '{"k":"x", "v":1.10}' | ryde-produce -k .k s
	run -0 ryde-query 'SELECT shardId, partitionKey, data FROM s'
	[ "$output" = '{"shardId":"shardId-000000000000","partitionKey":"x","data":"{\"k\":\"x\", \"v\":1.10}"}' ]
	seq=$(ryde-consume -e --to end s | jq -r .sequenceNumber)
	at=$(ryde-consume -e --to end s | jq -r .approximateArrivalTimestamp)
	run -0 ryde-query "SELECT 1 AS found FROM s WHERE sequenceNumber = '$seq' AND approximateArrivalTimestamp = '$at'"
	[ "$output" = '{"found":1}' ]
	# envelopes bring them along
	run -0 ryde-query 'SELECT partitionKey, v FROM "-"' < <(ryde-consume -e --to end s)
	[ "$output" = '{"partitionKey":"x","v":1.1}' ]
}

@test "a record that is no JSON is a row without fields" {
	printf 'no json\n' > raw
	three | ryde-produce s
	python3 - <<-'P'
	import base64
	print('{"ryde":1,"stream":"local:x","shardId":"shardId-000000000000","sequenceNumber":"1","partitionKey":"p","dataBase64":"' + base64.b64encode(b'\x00\xffbinary').decode() + '"}', file=open('bin', 'w'))
	P
	ryde-produce s bin
	run -0 ryde-query 'SELECT count(*) AS c, count(n) AS n FROM s'
	[ "$output" = '{"c":4,"n":3}' ]
	[ "$(ryde-query 'SELECT data FROM s WHERE n IS NULL')" = '{"data":"AP9iaW5hcnk="}' ]
}

@test "numbers come out as they went in" {
	printf '{"x":%s}\n' 9007199254740993 18446744073709551616 0.1234567890123456789 1e400 -0.5 123456789012345678901234567890123456789012345678901234567 > in
	ryde-query 'SELECT x FROM "-"' < in > out
	diff - out <<-'L'
	{"x":9007199254740993}
	{"x":18446744073709551616}
	{"x":0.1234567890123456789}
	{"x":1e+400}
	{"x":-0.5}
	{"x":123456789012345678901234567890123456789012345678901234567}
	L
}

@test "sum, avg and total are exact; min and max keep all digits" {
	seq 10 | sed 's/.*/{"v":0.1}/' > tenths
	[ "$(ryde-query 'SELECT sum(v) AS s, avg(v) AS a, total(v) AS t FROM "-"' < tenths)" = '{"s":1,"a":0.1,"t":1}' ]
	printf '{"v":%s}\n' 100000000000000000000000000001 100000000000000000000000000002 7 > long
	[ "$(ryde-query 'SELECT sum(v) AS s, min(v) AS a, max(v) AS z FROM "-"' < long)" = \
		'{"s":200000000000000000000000000010,"a":7,"z":100000000000000000000000000002}' ]
}

@test "booleans, arrays and objects read as they did" {
	printf '%s\n' '{"b":true,"o":{"x":[1,2]},"l":[]}' '{"b":false,"o":null,"l":[{"y":"ü"}]}' > in
	ryde-query 'SELECT b, o, l FROM "-"' < in > out
	diff in out
	[ "$(ryde-query "SELECT o->>'\$.x[1]' AS x FROM \"-\" WHERE b" < in)" = '{"x":2}' ]
}

@test "* has the columns of all rows that are read, however late they come" {
	{ seq 3000 | sed 's/.*/{"n":&}/'; echo '{"late":1}'; } > in
	ryde-query 'SELECT * FROM "-"' < in > out
	[ "$(wc -l < out)" -eq 3001 ]
	[ "$(head -n 1 out)" = '{"n":1,"late":null}' ]
	[ "$(tail -n 1 out)" = '{"n":null,"late":1}' ]
	[ "$(ryde-query 'SELECT count(late) AS c FROM "-"' < in)" = '{"c":1}' ]
	# so much that it could not be held back
	{ seq 100000 | sed 's/.*/{"n":&}/'; echo '{"late":1}'; } > in
	ryde-query -o csv 'SELECT * FROM "-"' < in > out
	[ "$(head -n 1 out)" = $'n,late\r' ]
	[ "$(wc -l < out)" -eq 100002 ]
}

@test "no rows: any column may be named" {
	ryde-admin create stream s
	run -0 ryde-query 'SELECT sum(Distance) AS d, count(*) AS c FROM s WHERE Name = 1'
	[ "$output" = '{"d":null,"c":0}' ]
	run -0 ryde-query 'SELECT * FROM s'
	[ "$output" = '' ]
}

@test "several statements; views and tables of their own; -F" {
	three | ryde-produce s
	cat > f.sql <<-'S'
	-- what the others use; even a semicolon here
	CREATE VIEW big AS SELECT * FROM s WHERE n > 1;
	CREATE TABLE kept AS SELECT n FROM big;
	SELECT sum(n) AS s FROM big; /* ; */ SELECT max(n) AS m FROM kept;
	S
	run -0 ryde-query -F f.sql
	[ "$output" = '{"s":5}
{"m":3}' ]
}

@test "the forms: table, csv, tsv" {
	printf '%s\n' '{"name":"日本","n":1.5}' '{"name":"a,\"b\"\tc","n":20}' '{"n":null,"name":""}' > in
	ryde-query -o table 'SELECT name, n FROM "-"' < in | sed 's/ *$//' > out
	diff - out <<-'L'
	name        n
	--------  ---
	日本      1.5
	a,"b"\tc   20

	L
	ryde-query -o csv 'SELECT name, n FROM "-"' < in > out
	printf 'name,n\r\n日本,1.5\r\n"a,""b""\tc",20\r\n"",\r\n' | diff - out
	ryde-query -o tsv 'SELECT name, n FROM "-"' < in > out
	printf 'name\tn\n日本\t1.5\na,"b"\\tc\t20\n\t\n' | diff - out
}

@test "a table on a terminal, cut to its width; NDJSON in a pipe" {
	echo '{"name":"0123456789012345678901234567890123456789","n":1}' > in
	COLUMNS=24 script -qec "ryde-query 'SELECT name, n FROM \"-\"' < in" /dev/null | tr -d '\r' > out
	[ "$(head -n 1 out)" = 'name                   n' ]
	[ "$(sed -n 3p out)" = '01234567890123456789…  1' ]
	[ "$(ryde-query 'SELECT n FROM "-"' < in)" = '{"n":1}' ]
}

@test "bad lines of stdin are rejects: 65, the others answer" {
	printf '%s\n' '{"n":1}' '{' '' '{"n":2}' > in
	run -65 --separate-stderr ryde-query --rejects bad 'SELECT sum(n) AS s FROM "-"' < in
	[ "$output" = '{"s":3}' ]
	[[ $stderr == *"line 2"* ]]
	[ "$(jq -s length bad)" -ge 1 ]
	run -65 ryde-query --strict 'SELECT sum(n) AS s FROM "-"' < in
}

@test "-f filters before" {
	run -0 ryde-query -f 'select(.n > 1)' 'SELECT sum(n) AS s FROM "-"' < <(three)
	[ "$output" = '{"s":5}' ]
}

@test "empty input, a NUL byte, bytes over 0x7f, a line that is too long" {
	run -0 ryde-query 'SELECT count(*) AS c FROM "-"' < /dev/null
	[ "$output" = '{"c":0}' ]
	printf '{"a":"\0"}\n{"a":"\377"}\n{"a":1}\n' > in
	run -65 --separate-stderr ryde-query --rejects bad 'SELECT count(*) AS c FROM "-"' < in
	[ "$output" = '{"c":1}' ]
	{ printf '{"a":"'; head -c $((10 * 1048576 - 8)) /dev/zero | tr '\0' x; printf '"}\n'; } > in
	[ "$(ryde-query 'SELECT length(a) AS l FROM "-"' < in)" = '{"l":10485752}' ]
	{ printf '{"a":"'; head -c $((10 * 1048576 - 7)) /dev/zero | tr '\0' x; printf '"}\n'; } > in
	run -65 --separate-stderr ryde-query --rejects bad 'SELECT count(*) AS c FROM "-"' < in
	[ "$output" = '{"c":0}' ]
}

@test "SQL that fails on a value: 65" {
	three | ryde-produce s
	run -65 ryde-query "SELECT abs(-9223372036854775807 - n) FROM s"
	[[ $output == *overflow* ]]
}

@test "/dev/full: 74; a closed pipe ends it quietly" {
	run -74 bash -c "ryde-query 'SELECT 1' > /dev/full"
	run bash -c "ryde-query 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c' | head -n 1; echo \"\${PIPESTATUS[0]}\""
	[ "${lines[0]}" = '{"x":1}' ]
	[ "${lines[1]}" = 141 ]
}

@test "SIGINT: 75, and it says that the answer is not whole" {
	ryde-query 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c WHERE x = 1 OR x < 0' > out 2> err &
	pid=$!
	# until SIGTERM is among the signals that it catches
	until_ok grep -q '^SigCgt:.*[4-7c-f][0-9a-f]\{3\}$' "/proc/$pid/status"
	# a background job of a shell ignores SIGINT; SIGTERM means the same
	kill -TERM "$pid"
	rc=0
	wait "$pid" || rc=$?
	[ "$rc" -eq 75 ]
	grep -q interrupted err
}

@test "stdin that stays open is waited for, and a signal ends the wait" {
	mkfifo in
	ryde-query 'SELECT count(*) FROM "-"' < in > out 2> err &
	pid=$!
	exec 9> in
	echo '{"a":1}' >&9
	# it has begun to read: its file is there
	until_ok sh -c "ls -l /proc/$pid/fd | grep -q 'ryde-query.*deleted'"
	kill -TERM "$pid"
	rc=0
	wait "$pid" || rc=$?
	[ "$rc" -eq 75 ]
	exec 9>&-
	[ ! -s out ]
}

@test "--stats: rows read and printed" {
	three | ryde-produce s
	ryde-query --stats 'SELECT n FROM s WHERE n < 3' > /dev/null 2> stats
	[ "$(jq -c '[.in, .handled, .out]' stats)" = '[3,3,2]' ]
	three | ryde-query --stats 'SELECT count(*) FROM "-"' > /dev/null 2> stats
	[ "$(jq -c '[.in, .handled, .out]' stats)" = '[3,3,1]' ]
}

@test "a reader that blocks does not hold the stream" {
	ryde-unicorn -m 20000 --seed 1 --fast | ryde-produce s
	mkfifo pipe
	ryde-query 'SELECT data FROM s' > pipe &
	exec 9< pipe
	read -r _ <&9
	# while it is blocked, the store goes on
	echo '{"n":1}' | ryde-produce s
	ryde-admin create table t --key n
	echo '{"n":1}' | ryde-put t
	cat <&9 | wc -l > lines
	exec 9<&-
	wait
	[ "$(cat lines)" -eq 19999 ]
}

# an archive of three hours, two files each, one of them packed; 20 reports a file
archive() {
	local h
	for h in 13 14 15; do
		mkdir -p "$1/2026/11/23/$h"
		ryde-unicorn -c 2 -m 20 --seed "$h" --start "2026-11-23 $h:00:00" --fast > "$1/2026/11/23/$h/a.ndjson"
		ryde-unicorn -c 2 -m 20 --seed "1$h" --start "2026-11-23 $h:30:00" --fast | gzip > "$1/2026/11/23/$h/b.ndjson.gz"
	done
}

@test "an archive: all objects below a directory, plain and packed, or a single file" {
	archive a
	mkdir a/.ryde a/_tmp
	echo junk | tee a/.ryde/x a/_tmp/x > a/.hidden
	zcat -f a/2026/11/23/*/[ab]* > all
	[ "$(ryde-query 'SELECT Name, count(*) AS n, sum(Distance) AS d FROM "./a" GROUP BY Name')" = \
		"$(ryde-query 'SELECT Name, count(*) AS n, sum(Distance) AS d FROM "-" GROUP BY Name' < all)" ]
	[ "$(ryde-query 'SELECT count(*) AS n FROM "./a/2026/11/23/14/b.ndjson.gz"')" = '{"n":20}' ]
	[ "$(ryde-query "SELECT count(*) AS n FROM '$PWD/all'")" = '{"n":120}' ]
	# all members of a packed file, and a pipe
	cat a/2026/11/23/*/b.ndjson.gz > members.gz
	[ "$(ryde-query 'SELECT count(*) AS n FROM "./members.gz"')" = '{"n":60}' ]
	[ "$(ryde-query 'SELECT count(*) AS n FROM "/dev/fd/8"' 8< <(cat all))" = '{"n":120}' ]
	run -66 ryde-query 'SELECT * FROM "./nothere"'
	run -66 ryde-query 'SELECT * FROM "all"'
	[[ $output == *'"./all"'* ]]
}

# rows, objects read, objects left out
pruned() {
	ryde-query --stats "SELECT count(*) AS n FROM \"./$1\" WHERE $2" 2> stats | jq .n
	jq -c '[.objects // 0, .objectsLeftOut]' stats
}

@test "conditions on the hour open only the objects that can match" {
	archive a
	[ "$(pruned a "hour = 14" | xargs)" = '40 [2,4]' ]
	[ "$(pruned a "hour = '14' AND Name = 'Shadowfax'" | xargs)" = '20 [2,4]' ]
	[ "$(pruned a "year = 2026 AND month = 11 AND day = 23 AND hour BETWEEN 13 AND 14" | xargs)" = '80 [4,2]' ]
	[ "$(pruned a "hour > 14.5" | xargs)" = '40 [2,4]' ]
	[ "$(pruned a "hour IN (13, 15)" | xargs | cut -d ' ' -f 1)" = 80 ]
	[ "$(pruned a "hour = 14 OR Distance > 0" | xargs)" = '120 [6,0]' ]
	[ "$(pruned a "approximateArrivalTimestamp >= '2026-11-23T15'" | xargs)" = '40 [2,4]' ]
	[ "$(pruned a "hour = 7" | xargs)" = '0 [0,6]' ]
	run -0 ryde-query 'EXPLAIN SELECT * FROM "./a" WHERE hour = 14'
	[[ $output == *"2 of 6 objects, "* ]]
}

@test "Hive's key=value: a column each, decoded, compared as numbers where they are" {
	mkdir -p h/n=07/who=a%2Fb h/n=10/who=Z h/n=x/who=__HIVE_DEFAULT_PARTITION__
	echo '{"v":1}' > h/n=07/who=a%2Fb/o
	echo '{"v":2,"n":99}' > h/n=10/who=Z/o
	echo '{"v":4}' > h/n=x/who=__HIVE_DEFAULT_PARTITION__/o
	ryde-query -o csv 'SELECT * FROM "./h"' > out
	printf 'v,n,who\r\n1,07,a/b\r\n2,10,Z\r\n4,x,\r\n' | diff - out
	[ "$(pruned h "n = 7" | xargs)" = '1 [1,2]' ]
	[ "$(pruned h "n >= 8" | xargs | cut -d ' ' -f 1)" = 2 ]
	[ "$(pruned h "who = 'a/b'" | xargs)" = '1 [1,2]' ]
	[ "$(pruned h "who IS NULL" | xargs)" = '1 [3,0]' ]
}

@test "what pruning leaves out never matters: the same rows as without it" {
	mkdir -p h/n=07 h/n=1e1 h/n=x h/n=9 "h/n= 5" h/n=-3
	for d in h/*; do echo '{"v":1}' > "$d/o"; done
	# a unary + keeps a condition from its table
	for value in 7 "'7'" "'07'" 9.0 10 "'x'" "'X'" 5 -3 NULL "x'37'" 1e1 "'1e1'" "''"; do
		sql=
		for op in = '<' '<=' '>' '>='; do
			sql+="SELECT '$op' AS op, count(*) AS c FROM './h' WHERE n $op $value;"
			sql+="SELECT '$op' AS op, count(*) AS c FROM './h' WHERE likely(n $op $value);"
		done
		ryde-query "$sql" > out
		[ "$(awk 'NR % 2' out)" = "$(awk 'NR % 2 == 0' out)" ] || { echo "$value"; cat out; false; }
	done
}

@test "bad lines and torn gzip in an archive: named, counted, the rest answered, 65" {
	archive a
	printf '%s\n' '{"v":1}' '{"v":' '' '{"v":2}' > a/2026/11/23/13/c
	ryde-unicorn -m 200 --fast | gzip > full.gz
	head -c 1000 full.gz > a/2026/11/23/14/c.gz
	run -65 --separate-stderr ryde-query --rejects bad --stats 'SELECT sum(v) AS v FROM "./a"'
	[ "$output" = '{"v":3}' ]
	[[ $stderr == *"line 2 of ./a/2026/11/23/13/c: not JSON"* ]]
	[[ $stderr == *"/14/c.gz: the gzip data ends too early"* ]]
	[ "$(jq -s length bad)" -eq 3 ]
	run -65 ryde-query --strict 'SELECT sum(v) AS v FROM "./a"'
}

@test "a file of envelopes has a stream's columns; a column of mixed types keeps them" {
	printf '%s\n' '{"a":1}' '{"a":"1"}' '{"a":[1]}' '{"a":null}' '{"a":1.5}' > mixed
	[ "$(ryde-query -o csv 'SELECT typeof(a) AS t, count(*) AS n FROM "./mixed" GROUP BY 1' | tr -d '\r' | xargs)" = 't,n integer,1 null,1 real,1 text,2' ]
	ryde-produce s mixed
	ryde-consume -e --to end s > envelopes
	[ "$(ryde-query 'SELECT count(*) AS n, count(sequenceNumber) AS s, count(a) AS a FROM "./envelopes"')" = '{"n":5,"s":5,"a":4}' ]
}

@test "ten thousand small objects" {
	mkdir many
	python3 -c 'for i in range(1, 10001): print("{\"v\":%d}" % i, file=open("many/%d" % i, "w"))'
	[ "$(ryde-query 'SELECT sum(v) AS s, count(*) AS n FROM "./many"')" = '{"s":50005000,"n":10000}' ]
}

@test "totals per rider and day of an archive by the hour equal python3's, to the last digit" {
	python3 - <<-'P'
	import os, random
	from decimal import Decimal, getcontext
	getcontext().prec = 60
	r = random.Random(7)
	sums, files = {}, {}
	for i in range(20000):
	    name, day, hour = f'rider{r.randrange(8):03}', r.randrange(20, 24), r.randrange(24)
	    digits = r.choice([2, 9, 14])
	    metres = f'{r.randrange(0, 400)}.{r.randrange(10 ** digits):0{digits}}'
	    key = (name, f'2008-10-{day}')
	    sums[key] = sums.get(key, Decimal(0)) + Decimal(metres)
	    line = f'{{"Name":"{name}","StatusTime":"2008-10-{day} {hour:02}:00:00.000","Distance":{metres}}}\n'
	    files.setdefault(f'geo/2008/10/{day}/{hour:02}', []).append(line)
	for folder, lines in files.items():
	    os.makedirs(folder)
	    open(folder + '/o.ndjson', 'w').writelines(lines)
	with open('want', 'w') as f:
	    for (name, day), s in sorted(sums.items()):
	        t = format(s.normalize(), 'f')
	        f.write(f'{{"Name":"{name}","day":"{day}","m":{t}}}\n')
	P
	ryde-query 'SELECT Name, substr(StatusTime, 1, 10) AS day, sum(Distance) AS m FROM "./geo" GROUP BY 1, 2 ORDER BY 1, 2' > got
	diff want got
}

@test "the workshop's CREATE EXTERNAL TABLE as typed: kept by name, letter case apart, with its types" {
	archive a
	cat > ddl.sql <<-'S'
	CREATE EXTERNAL TABLE IF NOT EXISTS wildrydes (
	       Name string,
	       StatusTime timestamp,
	       Latitude float,
	       Longitude float,
	       Distance float,
	       HealthPoints int,
	       MagicPoints int
	     )
	     ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
	     LOCATION './a/';
	S
	run -0 ryde-query -F ddl.sql
	[ "$output" = '' ]
	run -0 ryde-query -F ddl.sql
	mkdir elsewhere
	cd elsewhere
	[ "$(ryde-query 'SELECT NAME AS n, sum(distance) AS d FROM WildRydes GROUP BY name')" = \
		"$(ryde-query 'SELECT Name AS n, sum(Distance) AS d FROM "../a" GROUP BY Name')" ]
	[ "$(ryde-query -o csv 'SELECT * FROM wildrydes LIMIT 1' | head -n 1 | tr -d '\r')" = \
		'Name,StatusTime,Latitude,Longitude,Distance,HealthPoints,MagicPoints,year,month,day,hour,approximateArrivalTimestamp' ]
	run -73 ryde-query "$(sed 's/IF NOT EXISTS//' ../ddl.sql)"
	run -0 ryde-query 'DROP TABLE wildrydes'
	run -66 ryde-query 'SELECT * FROM wildrydes'
}

@test "CREATE EXTERNAL TABLE: types, keys of another case, clauses, and what it does not take" {
	mkdir d
	printf '%s\n' '{"A":"1","B":2,"c":"true","d":{"x":1},"e":5}' '{"a":"x","b":2.5,"C":true,"d":"no","e":"t"}' > d/o
	ryde-query "CREATE EXTERNAL TABLE db.t (a int COMMENT 'it''s', B double, c boolean, \`d\` struct<x:int,y:array<string>>, e varchar(10))
		COMMENT 'x' PARTITIONED BY (dt string) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('a'='b(')
		LOCATION '$PWD/d' TBLPROPERTIES ('has_encrypted_data'='false');"
	run -0 --separate-stderr ryde-query 'SELECT * FROM t'
	[ "$output" = '{"a":1,"B":2,"c":true,"d":{"x":1},"e":"5"}
{"a":null,"B":2.5,"c":true,"d":null,"e":"t"}' ]
	[[ $stderr == *"2 values are not of their column's type"* ]]
	for bad in '(a int)' "(a strange) LOCATION 'x'" "(a int, A int) LOCATION 'x'" "(a int) LOCATION x" \
		"(a int) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' LOCATION 'x'" "(a int) STORED AS ORC LOCATION 'x'" \
		"(a int" "(a int) LOCATION 'x"; do
		run -64 ryde-query "CREATE EXTERNAL TABLE bad $bad"
	done
}

@test "keys that differ in letter case alone are one column" {
	printf '%s\n' '{"Name":"a"}' '{"name":"b"}' '{"NAME":"c","Name":"d"}' > in
	[ "$(ryde-query 'SELECT * FROM "./in"' | xargs)" = '{Name:a} {Name:b} {Name:d}' ]
}

@test "-o chart: bars for a label, a line for a time, --ascii" {
	archive a
	run -0 ryde-query -o chart 'SELECT hour, count(*) AS n FROM "./a" GROUP BY hour'
	[ "${lines[0]}" = n ]
	[[ ${lines[1]} == '13 ████'*'█ 40' ]]
	run -0 ryde-query -o chart --ascii 'SELECT StatusTime, MagicPoints FROM "./a" WHERE Name = '"'Shadowfax'"
	[[ ${lines[1]} == *' |'*'*'* ]]
	[[ ${lines[-1]} == *'2026-11-23 13:00:00.000 '*' 2026-11-23 15:30:09.000' ]]
	run -64 ryde-query -o chart 'SELECT Name FROM "./a"'
}

@test "a join of two sources finds its rows by an index" {
	seq 0 99999 | sed 's/.*/{"id":&,"name":"row &"}/' > a.ndjson
	seq 99999 -1 0 | sed 's/.*/{"ref":&,"other":"row &"}/' > b.ndjson
	[ "$(timeout 60 ryde-query 'SELECT count(*) AS c, sum(a.id) AS s FROM "./a.ndjson" AS a JOIN "./b.ndjson" AS b ON a.id = b.ref')" = '{"c":100000,"s":4999950000}' ]
	[ "$(timeout 60 ryde-query 'SELECT count(*) AS c FROM "./a.ndjson" AS a WHERE EXISTS (SELECT 1 FROM "./b.ndjson" AS b WHERE b.other = a.name AND b.ref <> 7)')" = '{"c":99999}' ]
	[[ $(ryde-query 'EXPLAIN SELECT 1 FROM "./a.ndjson" AS a JOIN "./b.ndjson" AS b ON a.id = b.ref') == *"index on ref"* ]]
	# sequence numbers differ behind the digits that a REAL has
	seq 1000000 1019999 | sed 's/.*/{"s":"4968058655016330439294845322401166462820484&"}/' > s.ndjson
	[ "$(timeout 60 ryde-query 'SELECT count(*) AS c FROM "./s.ndjson" AS a JOIN "./s.ndjson" AS b ON a.s = b.s')" = '{"c":20000}' ]
	# each other row's rows in the order of the source, and NULLs beside where there are none
	printf '{"k":%s,"n":%s}\n' 1 1 2 2 1 3 3 4 1 5 > k.ndjson
	printf '{"k":%s}\n' 3 1 9 null 1 > j.ndjson
	[ "$(ryde-query -o csv 'SELECT j.k AS k,n FROM "./j.ndjson" AS j LEFT JOIN "./k.ndjson" AS k ON j.k = k.k' | tr -d '\r' | xargs)" = 'k,n 3,4 1,1 1,3 1,5 9, , 1,1 1,3 1,5' ]
	# the third time it reads nothing
	ryde-query --stats 'SELECT 1 FROM "./j.ndjson" AS j JOIN "./k.ndjson" AS k ON j.k = k.k' 2>&1 | grep -q '"objects":3,'
}

@test "a join by an index: what is equal is what = says" {
	values='1 1.0 "1" "1.0" "01" " 1" null true false 0 -0.0 "" "a" "A" 0.30000000000000004 "0.3" 0.3 "0.30000000000000004"
		9007199254740993 9007199254740992 9007199254740992.0 "9007199254740993" 1000000000000000 1e15 "1e15" "1.0e+15"
		1234567890123456800.0 1234567890123456789 "1.23456789012346e+18" 1e400 "Inf" [1] "[1]" 1e18 1000000000000000000 5
		"5.0" 4.999999999999999 9223372036854775807 9223372036854775808 12345678901234567890 "x\u0041" "xA" "-Inf"'
	for d in 01 02 03; do
		mkdir -p "v/2024/01/01/$d"
		printf '%s' "$values" | tr -d '\t' | sed 's/" 1"/"~1"/' | tr ' ' '\n' | sed 's/~/ /;s/.*/{"v":&}/' | grep -v '^{"v":}' > "v/2024/01/01/$d/x"
	done
	# IS TRUE is in the way of an index
	for side in a.v 'CAST(a.v AS TEXT)' 'CAST(a.v AS REAL)' 'CAST(a.v AS NUMERIC)' "a.v||''" a.v+0 a.v*1e300*1e300 a.hour 'CAST(a.hour AS TEXT)'; do
		select="SELECT a.hour,a.data,b.hour,b.data FROM './v' AS a CROSS JOIN './v' AS b ON"
		ryde-query "$select ($side = b.v) IS TRUE" > slow
		ryde-query "$select $side = b.v" > fast
		[[ $(ryde-query "EXPLAIN $select $side = b.v") == *"index on v"* ]]
		[ -s slow ] || [[ $side == *e300* ]]
		cmp slow fast
	done
	# the path's columns have affinities of their own
	mkdir -p h/k=1 h/k=1.0 h/k=01 h/k=0.3 h/k=a h/k=1e15
	for d in h/k=*; do echo '{"n":1}' > "$d/x"; done
	for from in "'./v' AS a CROSS JOIN './v' AS b ON b.hour" "'./v' AS a CROSS JOIN './h' AS b ON b.k" \
		"'./v' AS a CROSS JOIN (SELECT b.data,CAST(n/10.0 AS TEXT) AS k FROM './v' JOIN './h' AS b) AS b ON b.k"; do
		for side in a.v a.v+0 "a.v||''" a.hour; do
			ryde-query "SELECT a.hour,a.data,b.data FROM $from = $side" > fast
			ryde-query "SELECT a.hour,a.data,b.data FROM ${from% ON*} ON (${from##*ON } = $side) IS TRUE" > slow
			cmp slow fast
		done
	done
	echo '{"ryde":1,"stream":"local:x","shardId":"s","sequenceNumber":"1","partitionKey":"0.3","data":{"n":1}}' > keys
	n=$(cat v/2024/01/01/*/x | wc -l)
	for side in 0.1+0.2 0.3+0 "'0.3'"; do
		[ "$(ryde-query "SELECT count(*) AS c FROM './v' AS a CROSS JOIN './keys' AS b ON b.partitionKey = $side+a.hour-a.hour")" = "{\"c\":$n}" ] || [ "$side" = "'0.3'" ]
		[ "$(ryde-query "SELECT count(*) AS c FROM './v' AS a CROSS JOIN './keys' AS b ON b.partitionKey = iif(a.hour,$side,0)")" = "{\"c\":$n}" ]
	done
	# two and three columns at once, one of them a part of the path
	for on in 'a.v = b.v AND a.hour = b.hour' 'a.v = b.v AND a.hour = b.hour AND a.data = b.data'; do
		ryde-query "SELECT a.hour,a.data,b.data FROM './v' AS a CROSS JOIN './v' AS b ON $on" > fast
		ryde-query "SELECT a.hour,a.data,b.data FROM './v' AS a CROSS JOIN './v' AS b ON ($on) IS TRUE" > slow
		cmp slow fast
		[ -s fast ]
	done
}

lines() {
	[ "$(wc -l < "$1")" -eq "$2" ]
}

@test "--follow: the history, then each record as it comes, until a signal: 0" {
	ryde-admin create stream s --shards 2
	seq 3 | sed 's/.*/{"n":&}/' | ryde-produce -k .n s
	ryde-query --follow -o csv 'SELECT * FROM s' > out &
	pid=$!
	ryde-query --follow 'SELECT count(*) AS c, max(n) AS m FROM s' > total &
	grouped=$!
	until_ok lines out 4
	for i in 4 5 6; do
		echo "{\"n\":$i}" | ryde-produce -k .n s
		until_ok lines out $((i + 1))
	done
	kill -TERM "$pid"
	wait "$pid"
	[ "$(sed 1d out | cut -d , -f 1 | sort | xargs)" = '1 2 3 4 5 6' ]
	[ "$(head -n 1 out | cut -d , -f 1)" = n ]
	kill -TERM "$grouped"
	wait "$grouped"
	[ "$(cat total)" = '{"c":6,"m":6}' ]
	run -64 ryde-query --follow 'SELECT 1'
	[[ $output == *"no stream"* ]]
	# a table shows what it has before it waits
	ryde-query --follow -o table 'SELECT n FROM s' > table &
	pid=$!
	until_ok lines table 8
	kill -TERM "$pid"
	wait "$pid"
	# a reader that goes ends it
	mkfifo pipe
	ryde-query --follow 'SELECT n FROM s' > pipe &
	pid=$!
	head -n 1 pipe
	rc=0
	wait "$pid" || rc=$?
	[ "$rc" -eq 141 ]
}

# the same statement, grouped by ryde, and by SQLite: a condition is not in ryde's shape
same_groups() {
	ryde-query "$1 FROM \"./in\" GROUP BY $2" > ours
	ryde-query "$1 FROM \"./in\" WHERE 1 GROUP BY $2" > sqlites
	diff sqlites ours || { echo "$1 $2"; false; }
}

@test "groups are the same whether ryde makes them or SQLite" {
	python3 - > in <<-'P'
	import json, random
	r = random.Random(11)
	def number():
	    return r.choice(['0', '-0', '1', '1.0', '1e0', '-3', '7.25', '0.1', '0.2', '1e300', '-1e-7', '9007199254740993',
	        '9223372036854775807', str(r.randrange(10**6)), f'{r.random() * 1000:.3f}'])
	kinds = {'i': lambda: str(r.randrange(5)), 'n': number, 's': lambda: r.choice(['"a"', '"b"', '""', '"10"', '"ä"', '"Z z"']),
	    'mixed': lambda: r.choice([number(), '"x"', 'null', '"5"']), 'odd': lambda: r.choice(['1', 'true', '[1]', '{}', '"q\\n"']),
	    'long': lambda: r.choice(['18446744073709551616', '0.1234567890123456789', '5'])}
	for _ in range(3000):
	    row = {k: f() for k, f in kinds.items() if r.random() < 0.9}
	    print('{' + ','.join(f'"{k}":{v}' for k, v in row.items()) + '}')
	P
	same_groups 'SELECT s, count(*), count(n), sum(n), total(n), avg(n), min(n), max(n)' s
	same_groups 'SELECT i, n AS x, count(*) AS c, sum(i)' 'i, n'
	same_groups 'SELECT s AS "a b", min(s), max(mixed), min(mixed), count(mixed)' s
	same_groups 'SELECT mixed, count(*), max(s)' mixed
	same_groups 'SELECT s, sum(mixed)' s
	same_groups 'SELECT odd, count(*)' odd
	same_groups 'SELECT s, min(odd)' s
	same_groups 'SELECT long, sum(long), count(*)' long
	same_groups 'SELECT s, sum(long), max(long), avg(long)' s
	same_groups 'SELECT count(*), S, sum([i])' '2'
	same_groups 'SELECT s, i, sum(i) AS t' 's, i ORDER BY t DESC LIMIT 7 OFFSET 2'
	same_groups 'SELECT i, sum(n)' 'i ORDER BY i DESC'
	same_groups 'SELECT i, sum(n) AS t' 'i HAVING t > 5 AND count(s) < 10000 ORDER BY t'
	# a view comes before a stream of its name
	echo '{"s":"stream"}' | ryde-produce v
	[ "$(ryde-query "CREATE VIEW v AS SELECT 'view' AS s; SELECT s, count(*) AS c FROM v GROUP BY s; SELECT s FROM v")" = '{"s":"view","c":1}
{"s":"view"}' ]
	: > in
	run -0 ryde-query 'SELECT s, sum(n) FROM "./in" GROUP BY s'
	[ "$output" = '' ]
	ryde-query --stats 'SELECT name, count(*) FROM "-" GROUP BY name' < <(three) 2> stats > got
	[ "$(jq -c '[.in, .handled, .out]' stats)" = '[3,3,3]' ]
}

@test "conditions on groups are the same whether ryde looks at them or SQLite" {
	python3 - <<-'P'
	import json, os, random, subprocess
	r = random.Random(5)
	def number():
	    return r.choice(['0', '-0', '1', '1.0', '-3', '7.25', '0.1', '5', '10', '1e300', '9007199254740993', '9223372036854775807', '3'])
	kinds = {'i': lambda: str(r.randrange(5)), 'n': number, 's': lambda: r.choice(['"a"', '"B"', '"b"', '""', '"10"', '"ä"', '"q\\n"', '"A%_"']),
	    'mixed': lambda: r.choice([number(), '"x"', 'null', '"5"', 'true', 'false', '[1]', '{"a":"x"}']), 'long': lambda: r.choice(['18446744073709551616', '5'])}
	for day in '01', '02', '03':
	    for hour in '04', '14':
	        os.makedirs(f'w/2024/01/{day}/{hour}')
	        with open(f'w/2024/01/{day}/{hour}/x', 'w') as f:
	            for _ in range(60):
	                f.write('{' + ','.join(f'"{k}":{v()}' for k, v in kinds.items() if r.random() < 0.85) + '}\n')
	            f.write('no JSON\n')
	literal = lambda: r.choice(['0', '1', '1.0', '-3', '5', "'5'", "'a'", "'b'", "''", "'x'", '7.25', "'[1]'", '1e300', '9007199254740992', "'ä'", "'it''s'", '3'])
	def test(depth=0):
	    c = r.choice(['i', 'n', 's', 'mixed', 'S', '"n"', 'mixed', 'long', 'nothere' if depth > 5 else 'i'])
	    k = r.randrange(12)
	    if k == 0 and depth < 3: return '(' + test(depth + 1) + r.choice([' AND ', ' OR ']) + test(depth + 1) + ')'
	    if k == 1 and depth < 3: return 'NOT ' + test(depth + 1)
	    if k == 2: return f"{c} {r.choice(['', 'NOT '])}IN ({', '.join(literal() for _ in range(r.randint(1, 4)))})"
	    if k == 3: return f"{c} {r.choice(['', 'NOT '])}BETWEEN {literal()} AND {literal()}"
	    if k == 4: return f"{c} IS {r.choice(['', 'NOT '])}NULL"
	    if k == 5: return f'''{c} {r.choice(['', 'NOT '])}LIKE {r.choice(["'a%'", "'%b'", "'_'", "'%'", "'1%'", "'A!%!_'", "'%Ä%'", "'[%'", "'true'", "''"])}'''
	    return f"{c} {r.choice(['=', '<>', '<', '<=', '>', '>=', '==', '!='])} {literal()}"
	def path(): return r.choice(['hour = 4', 'hour >= 5', "day = '02'", 'day BETWEEN 2 AND 3', "approximateArrivalTimestamp < '2024-01-02T05'", "hour = '04'", 'day <> 1', 'hour IN (4, 5)', "hour = 'x'", 'day > 1.5'])
	def where():
	    parts = [test() for _ in range(r.randint(1, 3))] + [path() for _ in range(r.choice([0, 0, 0, 1, 2]))]
	    r.shuffle(parts)
	    return r.choice([' AND ', ' AND ', ' OR ']).join(parts)
	having = lambda: r.choice(['', '', ' HAVING count(*) > 3', ' HAVING c >= 4 AND sum(n) > -2.5', ' HAVING max(s) IS NOT NULL AND i < 4', ' HAVING c*2 BETWEEN 4 AND 20', " HAVING x IN ('b', 'a') OR i IS NULL", ' HAVING NOT count(mixed)=2', ' HAVING avg(n)<>3 and total(i)>=0.5', ' HAVING max(mixed) > 1'])
	def run(sql):
	    p = subprocess.run(['ryde-query', '--stats', sql], capture_output=True, text=True)
	    lines = p.stderr.splitlines()
	    return p.returncode, p.stdout, lines[:-1], [json.loads(lines[-1]).get(k) for k in ('rejected', 'objectsLeftOut', 'objects', 'bytesRead', 'out')] if lines else None
	ours = 0
	for _ in range(400):
	    w, h = where(), having()
	    head = "SELECT i, count(*) AS c, max(s) AS x, sum(i), min(i) FROM './w' WHERE "
	    a, b = run(head + w + ' GROUP BY i' + h), run(head + '(' + w + ') AND 1 GROUP BY i' + h)
	    # SQLite may see without a row that there is none
	    same = a[:3] == b[:3] or (b[3][2] is None and a[1] == b[1] == '')
	    assert same, (w, h, a, b)
	    # what ryde gave up at was read twice
	    ours += a[3] == b[3]
	assert ours > 150, ours
	P
	# it does look at them: SQLite would be asked about its functions only
	[ "$(ryde-query --stats "SELECT i,count(*) AS c FROM './w' WHERE day=2 AND i>=1 AND i<2 GROUP BY i HAVING count(*)>0" 2>&1 >/dev/null | tail -n 1 | jq -c '[.objects,.objectsLeftOut,.rejected]')" = '[2,4,2]' ]
}

# the same statement by one thread and by two, with all that is said and kept of bad lines
same_threads() {
	for cores in one two; do
		rc=0
		if [ $cores = one ]; then core=$(taskset -cp $$ | sed 's/.*: //;s/[-,].*//') && set -- "$1" taskset -c "$core"; else set -- "$1"; fi
		: > $cores.rejects
		"${@:2}" ryde-query --stats --rejects $cores.rejects "$1" > $cores 2> $cores.err || rc=$?
		# one that gives up may have read ahead
		sed -i 's/"bytesRead":[0-9]*//;s/"seconds":[0-9.]*//' $cores.err
		echo "$rc" >> $cores
	done
	diff one two
	diff one.err two.err
	diff one.rejects two.rejects
}

@test "two threads group as one does, and say the same of bad lines" {
	[ "$(nproc)" -ge 2 ] || skip 'one core'
	python3 - <<-'P'
	import os, random
	r = random.Random(3)
	for o in range(4):
	    os.makedirs(f'd/h={o}')
	    with open(f'd/h={o}/x', 'w') as f:
	        for i in range(9000):
	            k = r.random()
	            if k < 0.0005: f.write(r.choice(['no JSON\n', '\n', '{"n":1\n', '{"ryde":1\n', '[' + '"x",' * 60000 + '\n']))
	            big = r.choice(['', '9' * r.randrange(30)]) if i % 7 == 0 else ''
	            f.write(f'{{"s":"{r.choice("abcdef")}","n":{r.choice(["", "-"])}{r.randrange(1, 10**r.randrange(1, 9))}{big}.{r.randrange(1000)},"u":{i * 4 + o},"pad":"{"p" * r.randrange(60)}"}}\n')
	with open('late', 'w') as f:
	    for i in range(30000): f.write(f'{{"s":"k{i % 9}","n":{"true" if i == 25000 else i}}}\n' if i % 4000 else 'bad\n')
	with open('many', 'w') as f:
	    for i in range(160000): f.write(f'{{"u":"{i % 80000}-{"k" * 60}","n":{i}}}\n')
	P
	same_threads 'SELECT s, count(*), sum(n), avg(n), total(n), min(u), max(u), min(pad), max(pad) FROM "./d" GROUP BY s'
	[ -s two.rejects ]
	[[ $(tail -n 1 two.err) == *'"in":36'* ]]
	same_threads 'SELECT s, count(*), sum(n) FROM "./d" WHERE h>=1 AND n > 5 GROUP BY s HAVING count(*) > 2'
	# what only SQLite can do comes late; more groups than two tables of them have room for
	same_threads 'SELECT s, sum(n), count(*) FROM "./late" GROUP BY s'
	same_threads 'SELECT u, sum(n), count(*) FROM "./many" GROUP BY u ORDER BY 2 DESC LIMIT 50'
	# --strict stops at the first bad line, wherever the other thread is
	for i in 1 2 3; do
		run -65 ryde-query --strict 'SELECT s, count(*) FROM "./late" GROUP BY s'
		[[ ${lines[0]} == *'line 1 of ./late'* && $output != *'line 4001'* ]]
	done
	# the same packed, which is unpacked beside the other thread
	gzip -k d/h=*/x
	rm d/h=*/x
	same_threads 'SELECT s, count(*), sum(n), min(pad), max(u) FROM "./d" GROUP BY s'
	head -c 100000 d/h=1/x.gz > torn && mv torn d/h=1/x.gz
	same_threads 'SELECT s, count(*), sum(n), min(pad), max(u) FROM "./d" GROUP BY s'
}

@test "->> gives numbers as they were written, and all else as SQLite does" {
	for n in 0.1234567890123456789 18446744073709551616 -123456789012345678901234567890 1e+400 9007199254740993 0.30000000000000004 12345678901234567.5 7; do
		echo "{\"id\":1,\"at\":{\"deep\":{\"n\":$n,\"l\":[$n]}}}" > in
		for path in "at->>'\$.deep.n'" "data->>'\$.at.deep.n'" "data->>'\$.at.\"deep\".l[0]'" "at->'deep'->>'n'" "at->'\$.deep.l'->>0"; do
			[ "$(ryde-query -o csv "SELECT $path AS n FROM './in'" | tr -d '\r' | xargs)" = "n $n" ]
		done
	done
	printf '{"p":{"x":%s,"s":"%s"}}\n' 18446744073709551617 a 18446744073709551616 a 2 a 0.5 b > in
	[ "$(ryde-query -o csv "SELECT p->>'s' AS s, sum(p->>'x') AS t, max(p->>'x') AS m, min(p->>'x') AS l FROM './in' GROUP BY 1" | tr -d '\r' | xargs)" = \
		's,t,m,l a,36893488147419103235,18446744073709551617,2 b,0.5,0.5,0.5' ]
	[ "$(ryde-query "SELECT count(*) AS c FROM './in' WHERE p->>'x' > 1 AND p->>'\$.s' = 'a'")" = '{"c":3}' ]
	# json_extract is SQLite's own, and so is what it takes for an error
	python3 - <<-'P'
	import json, subprocess
	texts = ['{"a":1,"a":2}', '{"a":{"b":"x\\u0041","c":[1, 2],"d":{ "e": null }}}', '{"a":true,"b":false,"c":null,"d":"t","1":9,"e f":3,"é":4}',
	    '[1,{"a":5}]', '"s"', '5', 'null', '{"a":1.5}', '{"a\\u0062":1,"ab":2}', '{}', '{"a":', 'x', '', '{"a":-0.0}', '{"a":""}', '{"$":1}']
	paths = ['$.a', 'a', '$', '$.a.b', '$.a.c', '$.a.d', '$.a.d.e', '$.a.c[1]', '$[1].a', 'b', 'c', 'd', 'e f', '$."e f"', 'é', '$.é', '1', '$.1', 'ab', '$.a.', '$.', '$a', '', '$.a.x.y']
	quote = lambda s: "'" + s.replace("'", "''") + "'"
	def run(sql):
	    p = subprocess.run(['ryde-query', sql], capture_output=True, text=True)
	    return p.returncode, p.stdout or p.stderr.split(', at')[0]
	for t in texts:
	    both = []
	    for p in paths:
	        # a path that begins with none is a key for ->>
	        e = p if p.startswith('$') else '$.' + json.dumps(p, ensure_ascii=False) if p else None
	        if e is None or (p == '1'): continue
	        got, want = run(f"SELECT {quote(t)}->>{quote(p)} AS v"), run(f"SELECT json_extract({quote(t)},{quote(e)}) AS v")
	        if got[0] == 0 or want[0] == 0: assert got == want, (t, p, got, want)
	P
}

@test "numbers of many digits are compared and sorted among the others" {
	printf '{"x":%s}\n' 0.1234567890123456789 -5 18446744073709551616 7 -123456789012345678901234567890 0.1234567890123456788 1e400 > in
	[ "$(ryde-query 'SELECT x FROM "./in" WHERE x < 7 ORDER BY x' | wc -l)" -eq 4 ]
	ryde-query 'SELECT x FROM "./in" WHERE x > 1 ORDER BY x' > out
	printf '{"x":%s}\n' 7 18446744073709551616 1e+400 | diff - out
	[ "$(ryde-query "SELECT x FROM './in' WHERE x = exact('0.1234567890123456788')")" = '{"x":0.1234567890123456788}' ]
	[ "$(ryde-query "SELECT max(x) AS m FROM './in' WHERE x < 1")" = '{"m":0.1234567890123456789}' ]
	[ "$(ryde-query "SELECT count(DISTINCT x) AS c, min(x) AS m FROM './in'")" = '{"c":7,"m":-123456789012345678901234567890}' ]
}

@test "a number of 17 digits that a double holds is never taken for a longer one beside it, whichever comes first" {
	long='{"x":0.1234567890123456789}' short='{"x":0.12345678901234568}'
	for first in "$long" "$short"; do
		printf '%s\n' "$first" "$short" "$long" "$short" >in
		run -0 ryde-query 'SELECT x FROM "-"' <in
		[ "$output" = "$(cat in)" ]
		run -0 ryde-query -o tsv 'SELECT sum(x) FROM "-"' <in
		[ "${lines[1]}" = "$(python3 -c 'import sys, json, decimal as d; d.getcontext().prec = 60
print(sum(json.loads(l, parse_float=d.Decimal)["x"] for l in sys.stdin))' <in)" ]
		run -0 ryde-query 'SELECT x, count(*) AS n FROM "-" GROUP BY x' <in
		[ "${#lines[@]}" -eq 2 ]
	done
}

@test "a directory that grows while it is read: whole objects, no error" {
	mkdir grows
	seq 1 100 | sed 's/.*/{"n":&}/' > object
	for i in $(seq 50); do cp object "grows/$i.ndjson"; done
	(
		i=1000
		while [ ! -e stop ]; do
			cp object ".new.$i" && mv ".new.$i" "grows/$i.ndjson"
			i=$((i + 1))
		done
	) &
	writer=$!
	last=5000
	for _ in 1 2 3 4 5; do
		run -0 ryde-query 'SELECT count(*) AS c, sum(n) AS s FROM "./grows"'
		[ "$(jq '.c % 100' <<< "$output")" = 0 ]
		[ "$(jq '.s == .c / 100 * 5050' <<< "$output")" = true ]
		[ "$(jq .c <<< "$output")" -ge "$last" ]
		last=$(jq .c <<< "$output")
	done
	touch stop
	wait "$writer"
}

@test "what does not fit in memory is sorted and grouped on disk" {
	ryde-unicorn -c 50 -m 60000 --fast --seed 1 > rides.ndjson
	ryde-query 'SELECT StatusTime, Name FROM "./rides.ndjson" ORDER BY Distance DESC, StatusTime, Name' > got
	[ "$(wc -l < got)" -eq 60000 ]
	jq -r '[.Distance, .StatusTime, .Name] | @tsv' rides.ndjson | LC_ALL=C sort -t "$(printf '\t')" -k 1,1nr -k 2,3 | cut -f 2- > want
	jq -r '[.StatusTime, .Name] | @tsv' got | cmp - want
	[ "$(ryde-query 'SELECT count(*) AS c FROM (SELECT Name, StatusTime FROM "./rides.ndjson" GROUP BY Name, StatusTime)')" = '{"c":60000}' ]
}
