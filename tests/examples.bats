# The examples of the manual pages, run: what a page shows is what the programs print. How they are found and run, and
# which ones are not, with the reason: tests/examples.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_DIRNAME/../man" || exit 1
}

examples() {
	run timeout 120 "$BATS_TEST_DIRNAME/examples" "$1"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "ryde.7: the tutorial" {
	examples ryde.7
}

@test "ryde-line.5" {
	examples ryde-line.5
}

@test "ryde-unicorn.1" {
	examples ryde-unicorn.1
}

@test "ryde-replay.1" {
	examples ryde-replay.1
}

@test "ryde-produce.1" {
	examples ryde-produce.1
}

@test "ryde-consume.1" {
	examples ryde-consume.1
}

@test "ryde-process.1" {
	examples ryde-process.1
}

@test "ryde-window.1" {
	examples ryde-window.1
}

@test "ryde-put.1" {
	examples ryde-put.1
}

@test "ryde-archive.1" {
	examples ryde-archive.1
}

@test "ryde-dlq.1" {
	examples ryde-dlq.1
}

@test "ryde-query.1" {
	examples ryde-query.1
}

@test "ryde-map.1" {
	examples ryde-map.1
}

@test "ryde-admin.1" {
	examples ryde-admin.1
}

@test "each page has its test above" {
	for page in *.[1-8]; do
		grep -q "^	examples $page\$" "$BATS_TEST_FILENAME" || { echo "$page has none"; false; }
	done
}

@test "each example that is not run is still in a page" {
	while IFS=$'\t' read -r command _; do
		grep -Fqx -- "\$ $command" ./*.1 ./ryde.7 || { echo "in no page: $command"; false; }
	done < <("$BATS_TEST_DIRNAME/examples" --exceptions)
}

# The options that programs share are described in the same words everywhere.
@test "what all programs have in common reads the same in every page" {
	for block in 'Options of all programs:' 'Options of programs that read lines:'; do
		for page in ryde-*.1; do
			awk -v block="$block" '$0 == block { on = 1 } on { print } /^\.El/ { on = 0 }' "$page" > "$BATS_TEST_TMPDIR/block"
			[ ! -s "$BATS_TEST_TMPDIR/block" ] || cksum < "$BATS_TEST_TMPDIR/block"
		done | sort -u > "$BATS_TEST_TMPDIR/sums"
		[ "$(wc -l < "$BATS_TEST_TMPDIR/sums")" -eq 1 ]
	done
}
