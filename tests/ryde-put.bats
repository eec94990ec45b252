# ryde-put: lines into a table.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
	ryde-admin create table t --key Name --sort At
}

items() {
	ryde-query -o ndjson 'SELECT data FROM t' | jq -r .data
}

@test "items are stored as they are written, the later of one key wins" {
	cat > in <<-'L'
	{"Name":"a","At":"1","x":1.10}
	{"Name":"a","At":"2","x":1e400}
	{"Name":"b","At":"1","x":9007199254740993}
	{"Name":"a","At":"1","x":-0,"again":true}
	L
	ryde-put t in
	items > out
	diff - out <<-'L'
	{"Name":"a","At":"1","x":-0,"again":true}
	{"Name":"a","At":"2","x":1e400}
	{"Name":"b","At":"1","x":9007199254740993}
	L
}

@test "1, 1.0 and 1e0 are one key" {
	ryde-admin create table n --key id
	printf '%s\n' '{"id":1}' '{"id":1.0}' '{"id":1e0}' '{"id":"1"}' | ryde-put n
	[ "$(ryde-query 'SELECT count(*) AS c FROM n')" = '{"c":2}' ]
}

@test "what lacks its key is a reject, the rest is stored" {
	cat > in <<-'L'
	{"Name":"a"}
	{"At":"1"}
	{"Name":"","At":"1"}
	{"Name":true,"At":"1"}
	[1]
	nonsense
	{"Name":"ok","At":"1"}
	L
	run -65 --separate-stderr ryde-put --rejects bad t in
	[ "$(jq -c .line bad | tr '\n' ' ')" = '1 2 3 4 5 6 ' ]
	[ "$(items)" = '{"Name":"ok","At":"1"}' ]
	[[ $stderr == *"line 1:"*At* ]]
}

@test "a table that does not exist: 66, and how to make it" {
	run -66 ryde-put nothere /dev/null
	[[ $output == *"ryde-admin create table nothere"* ]]
}

@test "--dry-run says what it would write" {
	printf '%s\n' '{"Name":"a","At":"1"}' '{"Name":"b","At":"1"}' | ryde-put --dry-run t > plan
	[ "$(jq -c '[.table, .items]' plan)" = '["t",2]' ]
	[ -z "$(items)" ]
	printf '%s\n' '{"Name":"a","At":"1"}' | run -74 bash -c 'ryde-put --dry-run t >/dev/full'
}

@test "an item of 10 MiB" {
	{ printf '{"Name":"a","At":"1","x":"'; head -c 10485000 /dev/zero | tr '\0' x; printf '"}\n'; } > in
	ryde-put t in
	[ "$(items | wc -c)" -gt 10485000 ]
}

@test "a read-only store is a clear error" {
	[ "$(id -u)" -ne 0 ] || skip "root writes anywhere"
	chmod -R a-w store
	echo '{"Name":"a","At":"1"}' > in
	run -77 ryde-put t in
	chmod -R u+w store
}

@test "empty input is fine" {
	ryde-put t < /dev/null
}

@test "a payload of 10 MiB passes a group's pipe, in an envelope that is longer" {
	{ printf '{"Name":"a","At":"1","x":"'; head -c 10485732 /dev/zero | tr '\0' x; printf '"}\n'; } > in
	[ "$(wc -c < in)" -eq 10485761 ]
	ryde-produce s in
	run -0 bash -c 'ryde-consume -g g --to end s | ryde-put t; echo "${PIPESTATUS[*]}"'
	[ "$output" = '0 0' ]
	[ "$(items | wc -c)" -eq 10485761 ]
}
