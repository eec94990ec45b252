# What the scenarios need of an engine: `engine_setup local|aws` in setup. On AWS the servers of tests/peers run once
# per file (engine_file_setup, engine_file_teardown).

engine_file_setup() {
	[ "$1" = aws ] || return 0
	if [ -n "${RYDE_REAL_AWS-}" ]; then # see REAL-AWS.md
		echo : >"$BATS_FILE_TMPDIR/env"
		date +-%s >"$BATS_FILE_TMPDIR/suffix"
		return 0
	fi
	"$BATS_TEST_DIRNAME/install" >&2
	"$BATS_TEST_DIRNAME/servers" "$BATS_FILE_TMPDIR/peers" ${2+"$2"} >"$BATS_FILE_TMPDIR/env"
}

engine_file_teardown() {
	local f
	for f in "$BATS_FILE_TMPDIR"/peers/*.pid; do
		[ -e "$f" ] && kill "$(cat "$f")" 2>/dev/null
	done
	return 0
}

engine_setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
	engine=$1
	unset RYDE_STORE
	[ "$engine" = aws ] || return 0
	. "$BATS_FILE_TMPDIR/env"
	export RYDE_STORE=aws RYDE_LEASE=1s
}

# name WORD: a name that no other test of this file has
name() {
	echo "$1-$BATS_TEST_NUMBER$(cat "$BATS_FILE_TMPDIR/suffix" 2>/dev/null)"
}

. "$BATS_TEST_DIRNAME/../wait.bash" # until_ok

# dynamodb OPERATION BODY: an answer of the server itself, round every fault
dynamodb() {
	if [ -n "${RYDE_REAL_AWS-}" ]; then
		aws dynamodb "$(tr A-Z a-z <<<"$1")" --cli-input-json "$2"
		return
	fi
	curl -sS "${RYDE_PEER_STRAIGHT_DYNAMODB:-$AWS_ENDPOINT_URL_DYNAMODB}" -H "x-amz-target: DynamoDB_20120810.$1" \
		-H 'content-type: application/x-amz-json-1.0' -H 'x-amz-date: 20260101T000000Z' -d "$2" \
		-H 'authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=a'
}

# items TABLE: the items as plain JSON, one a line, in the order of their keys
items() {
	if [ "$engine" = aws ]; then
		local last= page
		while :; do
			page=$(dynamodb Scan "{\"TableName\":\"$1\"${last:+,\"ExclusiveStartKey\":$last}}")
			jq -c '.Items[] | map_values(.S // (.N | select(. != null) | tonumber) // .BOOL)' <<<"$page"
			last=$(jq -c '.LastEvaluatedKey // empty' <<<"$page")
			[ -n "$last" ] || break
		done
	else
		sqlite3 "$RYDE_DATA/tables/$1.db" 'SELECT item FROM items ORDER BY pk, sk'
	fi
}

# left STREAM GROUP: how many records the group has not done, over all shards
left() {
	ryde-consume --status -g "$2" "$1" | jq -s 'map(.lagRecords) | add'
}

# exit statuses of a pipe, as words
pipe() {
	run bash -c "$1; echo \${PIPESTATUS[*]}"
	statuses=${lines[-1]}
}

has_items() {
	[ "$(items "$1" | wc -l)" -eq "$2" ]
}
