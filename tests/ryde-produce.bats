# ryde-produce: lines into a stream, whole and exact.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
}

read_all() {
	ryde-consume --from start --to end "$@"
}

@test "what goes in comes out, byte for byte" {
	cat > in <<-'L'
	{"a":1.10,"b":1e2,"c":-0,"d":1E400,"e":9007199254740993,"f":49663562345678901234567890123456789012345678901234567890}
	{"dup":1,"dup":2}
	{ "blanks" :  [ 1 , 2 ] }
	"a string"
	12
	null
	{"utf":"Süß 馬 🦄","escaped":"\u00fc\n"}
	L
	ryde-produce s < in
	read_all s > out
	cmp in out
}

@test "CRLF is kept: a carriage return is a blank of JSON" {
	printf '{"a":1}\r\n' > in
	ryde-produce s < in
	read_all s | cmp in -
}

@test "one clear line for each bad one, the rest goes on, 65 at the end" {
	printf '%s\n' '{"a":1}' '{' '' '{"a":}' 'nonsense' '{"b":2} x' '{"c":3}' > in
	run -65 --separate-stderr ryde-produce s < in
	[ "$(grep -c 'warning: line' <<< "$stderr")" -eq 5 ]
	[[ $stderr == *"line 2: not JSON"* ]]
	[[ $stderr == *"line 3: not JSON"* ]]
	[ "$(read_all s | tr '\n' ' ')" = '{"a":1} {"c":3} ' ]
}

@test "--rejects keeps bad lines with their number and error" {
	printf '{"a":1}\n\xff\xfe{\n{"a":\0}\nfine?\n' > in
	run -65 ryde-produce --rejects bad s < in
	[ "$(jq -c '[.line, (.data // .dataBase64)]' bad | tr '\n' ' ')" = '[2,"//57"] [3,"{\"a\":\u0000}"] [4,"fine?"] ' ]
	[ "$(jq -r 'select(.error == null) | .line' bad)" = '' ]
}

@test "--strict stops at the first bad line" {
	printf '%s\n' '{"a":1}' 'x' '{"b":2}' > in
	run -65 ryde-produce --strict s < in
	[ "$(read_all s)" = '{"a":1}' ]
}

@test "invalid UTF-8, NUL bytes and deep nesting are refused" {
	printf '{"a":"\xc3\x28"}\n' | run -65 ryde-produce s
	printf '{"a":"\0"}\n' | run -65 ryde-produce s
	head -c 100000 /dev/zero | tr '\0' '[' > deep && echo >> deep
	run -65 --separate-stderr ryde-produce s deep
	[[ $stderr == *"nested too deeply"* ]]
}

@test "a line of 10 MiB is taken by ryde-put, one byte more is a reject anywhere" {
	head -c 10485758 /dev/zero | tr '\0' x > body
	{ printf '"'; cat body; printf '"\n'; } > ten
	{ printf '"x'; cat body; printf '"\n'; } > more
	run -65 --separate-stderr ryde-produce s more
	[[ $stderr == *"line 1: a line longer than 10 MiB"* ]]
	{ cat more; echo '{"after":1}'; } > both
	run -65 ryde-produce s both
	[ "$(read_all s)" = '{"after":1}' ]
}

@test "a last line without a newline: a file's counts, a pipe's does not" {
	printf '{"a":1}\n{"b":2}' > in
	ryde-produce s in
	[ "$(read_all s | wc -l)" -eq 2 ]
	run -75 --separate-stderr ryde-produce t < <(cat in)
	[[ $stderr == *"ended inside line 2, after 7 bytes without a newline"* ]]
	[ "$(read_all t)" = '{"a":1}' ]
}

@test "the key: a field, a number's text, the envelope's" {
	printf '%s\n' '{"k":"one"}' '{"k":1.50}' '{"k":"\u00fcber"}' > in
	ryde-produce -k .k s < in
	[ "$(read_all -e s | jq -r .partitionKey | tr '\n' ' ')" = 'one 1.50 über ' ]
	read_all -e s | ryde-produce t
	[ "$(read_all -e t | jq -r .partitionKey | tr '\n' ' ')" = 'one 1.50 über ' ]
	read_all t | cmp in -
}

@test "a missing, empty or odd key field is a reject" {
	printf '%s\n' '{"x":1}' '{"k":""}' '{"k":[1]}' '{"k":null}' '{"k":"ok"}' > in
	run -65 --separate-stderr ryde-produce -k .k s < in
	[[ $stderr == *"line 1: the key field is missing"* ]]
	[[ $stderr == *"line 2: the key is empty"* ]]
	[ "$(read_all s)" = '{"k":"ok"}' ]
	head -c 257 /dev/zero | tr '\0' k > key
	printf '{"k":"%s"}\n' "$(cat key)" | run -65 ryde-produce -k .k s
}

@test "lines of one key stay in order over shards" {
	ryde-admin create stream s --shards 4
	ryde-unicorn -c 20 -m 5000 --seed 1 --start 2026-11-23 --fast > in
	ryde-produce -k .Name s < in
	read_all s | sort -s > out
	sort -s in | cmp - out
	[ "$(read_all -e s | jq -r .shardId | sort -u | wc -l)" -eq 4 ]
	for name in Shadowfax Bucephalus; do
		grep -e "\"$name\"" in > a || continue
		read_all s | grep -e "\"$name\"" > b
		cmp a b
	done
}

@test "an explicit hash key decides the shard" {
	ryde-admin create stream s --shards 2
	printf '%s\n' '{"h":"0"}' '{"h":"340282366920938463463374607431768211455"}' > in
	ryde-produce --hash-key .h s < in
	[ "$(read_all -e s | jq -r .shardId | sort | uniq -c | wc -l)" -eq 2 ]
	echo '{"h":"340282366920938463463374607431768211456"}' | run -65 ryde-produce --hash-key .h s
	echo '{"h":"x"}' | run -65 ryde-produce --hash-key .h s
}

@test "a payload that imitates an envelope is data once it is inside one" {
	printf '%s\n' '{"ryde":1,"stream":"x","ack":"AAAAAAAAAAAAAAAAAAAAAA","data":{"evil":1}}' > line
	# as a line it is an envelope, of a reader that does not live
	run -75 ryde-produce s line
	printf '{"ryde":1,"data":%s}\n' "$(cat line)" | ryde-produce s
	read_all s > out
	[ "$(jq -c .data out)" = "$(cat line)" ]
	[ "$(jq -c .data.data out)" = '{"evil":1}' ]
}

@test "--newline, lf and base64 travel" {
	echo '{"a":1}' | ryde-produce --newline s
	[ "$(read_all -e s | jq -c '[.lf, .data]')" = '[1,{"a":1}]' ]
	printf '{"ryde":1,"dataBase64":"AAH/"}\n' | ryde-produce s
	read_all s > out
	[ "$(tail -n 1 out | jq -r .dataBase64)" = 'AAH/' ]
	read_all -e s | ryde-produce t
	[ "$(read_all -e t | jq -c '[.lf, .data, .dataBase64]' | tr '\n' ' ')" = '[1,{"a":1},null] [null,null,"AAH/"] ' ]
}

@test "-f drops lines and makes more of them" {
	printf '%s\n' '{"n":1}' '{"n":2}' '{"n":3}' > in
	run -0 --separate-stderr ryde-produce --stats -f 'select(.n != 2) | .n, .n' s in
	[ "$(read_all s | tr '\n' ' ')" = '1 1 3 3 ' ]
	[ "$(jq -c '[.in, .handled, .filtered]' <<< "$stderr")" = '[5,4,1]' ]
	run -64 ryde-produce -f '.[' s in
}

@test "-f that fails on a line makes it a reject" {
	printf '%s\n' '{"n":1}' '[]' '{"n":3}' > in
	run -65 --separate-stderr ryde-produce -f '.n' s in
	[[ $stderr == *"line 2: -f:"* ]]
	[ "$(read_all s | tr '\n' ' ')" = '1 3 ' ]
}

@test "--receipts tell where each line went" {
	printf '%s\n' '{"n":1}' 'bad' '{"n":3}' > in
	run -65 --separate-stderr ryde-produce --receipts s in
	[ "$(jq -c .line <<< "$output" | tr '\n' ' ')" = '1 3 ' ]
	[ "$(jq -r .sequenceNumber <<< "$output")" = "$(read_all -e s | jq -r .sequenceNumber)" ]
}

@test "--dry-run writes nothing" {
	ryde-admin create stream s --shards 2
	ryde-unicorn -c 9 -m 90 --fast --seed 1 | ryde-produce -k .Name --dry-run s > plan
	[ "$(jq -s 'map(.records) | add' plan)" -eq 90 ]
	[ -z "$(read_all s)" ]
}

@test "the books balance, and --stats says so" {
	printf '%s\n' '{"n":1}' 'x' '{"n":3}' > in
	run -65 --separate-stderr ryde-produce -q -q --stats s in
	[ "$(jq -c '[.in, .handled, .rejected, .pending]' <<< "$stderr")" = '[3,2,1,0]' ]
}

@test "--metrics keeps a Prometheus text file" {
	echo '{"n":1}' | ryde-produce --metrics m.prom s
	grep -qx 'ryde_lines_total{program="ryde-produce",outcome="handled"} 1' m.prom
}

@test "--rate holds the pace" {
	ryde-unicorn -m 60 --fast --seed 1 > in
	start=$(date +%s%N)
	ryde-produce --rate 20/s s in
	[ $(($(date +%s%N) - start)) -ge 1900000000 ]
	[ "$(read_all s | wc -l)" -eq 60 ]
}

@test "gzip files, several of them, and - for stdin" {
	echo '{"n":1}' | gzip > a.gz
	echo '{"n":2}' > b
	echo '{"n":3}' | ryde-produce s a.gz b -
	[ "$(read_all s | tr -d '\n')" = '{"n":1}{"n":2}{"n":3}' ]
	head -c 20 a.gz > cut.gz
	run -65 ryde-produce s cut.gz
	run -66 ryde-produce s missing
}

@test "a store that cannot be written: a clear error, the right status, nothing half done" {
	echo '{"n":1}' > in
	touch file
	RYDE_DATA=$PWD/file run ! ryde-produce s in
	[[ $output == *"$PWD/file"* ]]
	ryde-produce s in
	printf 'not a database, not at all: %0900d' 0 > store/streams/broken.db
	run -74 ryde-produce broken in
	[[ $output == *damaged* ]]
	[ "$(head -c 15 store/streams/broken.db)" = 'not a database,' ]
}

@test "usage errors name the option" {
	run -64 ryde-produce
	run -64 ryde-produce --kee .a s
	[[ $output == *"did you mean --key"* ]]
	run -64 ryde-produce --batch-size 0 s
	run -64 ryde-produce -k 'Name' s
	run -64 ryde-produce 'bad/name' /dev/null
	RYDE_STORE=nowhere run -78 ryde-produce s
	AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_REGION=us-east-1 AWS_ENDPOINT_URL=http://127.0.0.1:1 \
		run -69 ryde-produce aws:s /dev/null
}

@test "empty input creates the stream and nothing in it" {
	ryde-produce s < /dev/null
	[ -z "$(read_all s)" ]
}

@test "--help and --version go to stdout, and a full disk is noticed" {
	run -0 ryde-produce --help
	[[ $output == "usage: ryde-produce"* ]]
	run -0 ryde-produce --version
	[[ $output == "ryde-produce "[0-9]* ]]
	run -74 bash -c 'ryde-produce --help >/dev/full'
	echo '{"n":1}' > in
	run -74 bash -c 'ryde-produce --receipts s in >/dev/full'
}
