# ryde-process --parallel: several batches of one shard at a time.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$BATS_TEST_TMPDIR/data
	mkdir -m 700 "$RYDE_DATA"
}

# records of one shard with keys a, b, c in turn
keyed() {
	for i in $(seq "$1"); do
		printf '{"ryde":1,"stream":"local:s","shardId":"s","sequenceNumber":"%d","partitionKey":"%s","data":"%s%d"}\n' "$i" \
		    "$(printf '%b' "\\$(printf %o $((97 + i % 5)))")" "$(printf '%b' "\\$(printf %o $((97 + i % 5)))")" "$i"
	done
}

@test "--parallel: batches of one shard beside each other, each key in its order" {
	keyed 200 >in
	cat >handler <<-'SH'
		#!/bin/sh
		batch=$(cat)
		# each call takes its own time, so that the calls overtake each other
		sleep 0.0$(($$ % 5))
		printf '%s\n' "$batch" >>got
	SH
	chmod +x handler
	ryde-process --parallel 4 --batch-size 5 -- ./handler <in
	[ "$(wc -l <got)" -eq 200 ]
	for key in a b c d e; do
		cmp <(grep "\"$key" got) <(jq -c .data in | grep "\"$key")
	done
}

@test "--parallel: at the same time, also without keys" {
	cat >handler <<-'SH'
		#!/bin/sh
		cat >>got
		touch "here.$$"
		# all three are at it: none goes on before
		while [ "$(ls here.* | wc -l)" -lt 3 ]; do sleep 0.05; done
	SH
	chmod +x handler
	seq 6 >in
	ryde-process --parallel 3 --batch-size 2 -- ./handler <in
	[ "$(sort -n got | tr '\n' ' ')" = '1 2 3 4 5 6 ' ]
}

@test "--parallel in a group: only what nothing before it is in hand is acknowledged" {
	# one key fails until it is mended; the others go on
	for i in $(seq 20); do echo "{\"k\":\"k$((i % 4))\",\"n\":$i}"; done | ryde-produce -k .k rides
	cat >handler <<-'SH'
		#!/bin/sh
		batch=$(cat)
		case $batch in *k2*) [ -e mended ] || exit 1 ;; esac
		printf '%s\n' "$batch" >>got
	SH
	chmod +x handler
	mkfifo pipe
	ryde-consume -g g --to end rides >pipe &
	consume=$!
	ryde-process --parallel 10 --batch-size 1 --backoff 50ms --grace 300ms -- ./handler <pipe &
	process=$!
	until [ "$(cat got 2>/dev/null | wc -l)" -ge 10 ]; do sleep 0.05; done
	kill -TERM "$process"
	status=0
	wait "$process" || status=$?
	[ "$status" -eq 75 ]
	wait "$consume" || status=$?
	[ "$status" -eq 75 ]
	touch mended
	run -0 bash -c 'set -o pipefail; ryde-consume -g g --to end rides | ryde-process --parallel 10 -- ./handler'
	[ "$(jq .n got | sort -nu | tr '\n' ' ')" = "$(seq 20 | tr '\n' ' ')" ]
	run -0 ryde-admin positions rides g --max-lag 0s
}

@test "--parallel --emit: a mark passes once everything of its shard before it is done" {
	{
		keyed 40
		printf '{"ryde":1,"stream":"local:s","shardId":"s","sequenceNumber":"40","mark":true}\n'
		printf '{"ryde":1,"stream":"local:s","mark":true,"end":true}\n'
	} >in
	ryde-process --parallel 4 --batch-size 3 --emit -- sh -c 'sleep 0.0$(($$ % 5)); cat' <in >out
	[ "$(tail -2 out | head -1 | jq -r .sequenceNumber)" = 40 ]
	[ "$(tail -1 out | jq .end)" = true ]
	[ "$(grep -c '"data"' out)" -eq 40 ]
	# the same in a group: the next program's acknowledgements move the position to the end
	for i in $(seq 100); do echo "{\"k\":\"k$((i % 7))\",\"n\":$i}"; done | ryde-produce -k .k rides
	run -0 bash -c 'set -o pipefail; ryde-consume -g g --to end rides | ryde-process --parallel 5 --batch-size 2 --emit -- cat | ryde-produce -k .k copy'
	run -0 ryde-admin positions rides g --max-lag 0s
	[ "$(ryde-consume --to end copy | jq .n | sort -n | tr '\n' ' ')" = "$(seq 100 | tr '\n' ' ')" ]
}

@test "--parallel is from 1 to 10, and not with --tumble" {
	run -64 ryde-process --parallel 0 -- cat </dev/null
	run -64 ryde-process --parallel 11 -- cat </dev/null
	run -64 ryde-process --parallel 2 --tumble 1m --event lambda -- cat </dev/null
}
