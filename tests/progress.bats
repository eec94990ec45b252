# Progress on a terminal: one line on stderr, gone at the end, and nothing where stderr is no terminal.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
}

load wait

# on_terminal COLUMNS COMMAND: stderr is a terminal of that width; what it was sent goes to ./sent
on_terminal() {
	timeout 60 script -qec "stty cols $1; $2" /dev/null < /dev/null | tr '\r' '\n' > sent
}

# 200 seconds of one unicorn, to be replayed at a pace at which progress is drawn several times
slow_lines() {
	ryde-unicorn -m 200 --fast --seed 1 > lines
}

drawings() {
	grep -o "$1: .*" sent
}

@test "lines, rate, how far and how long: a file read at a pace" {
	slow_lines
	on_terminal 80 'ryde-replay --speed 60x lines > /dev/null'
	drawings ryde-replay | grep -Ex 'ryde-replay: [0-9]+ lines?, [0-9]+/s, [0-9]+ %, [0-9]+ s left.*' > seen
	[ "$(wc -l < seen)" -ge 2 ]
	# drawn over itself, and erased
	[ "$(grep -c $'\033\[K' sent)" -gt "$(wc -l < seen)" ]
	[ "$(tail -n 1 sent)" = $'\033[K' ]
}

@test "where no end is known there is no promise of one" {
	slow_lines
	on_terminal 80 'cat lines | ryde-replay --speed 60x > /dev/null'
	drawings ryde-replay > seen
	[ -s seen ]
	! grep -E '%|left' seen
}

@test "a count is an end" {
	on_terminal 80 'ryde-unicorn -m 8 --every 100ms > /dev/null'
	drawings ryde-unicorn | grep -E '(25|38|50|62|75|88|100) %, [0-9]+ s left'
}

@test "a reader says how far it is behind" {
	ryde-unicorn -m 3 --fast | ryde-produce s
	timeout 60 script -qefc 'ryde-consume --from start -n 4 s > /dev/null' sent < /dev/null > /dev/null &
	reader=$!
	until_ok grep 'ryde-consume: 3 lines' sent
	ryde-unicorn -m 1 --fast | ryde-produce s
	wait "$reader"
	drawings ryde-consume | tr '\r' '\n' | grep -Ex 'ryde-consume: 3 lines, [0-9]+/s, 75 %, [0-9]+ s left, lag [0-9.]+ s'
}

@test "one line at any width" {
	slow_lines
	on_terminal 30 'ryde-replay --speed 60x lines > /dev/null'
	drawings ryde-replay > seen
	[ -s seen ]
	! grep -E '.{31}' seen
}

@test "nothing without a terminal, with -q, and as JSON" {
	slow_lines
	timeout 60 ryde-replay --speed 200x lines > out 2> err
	[ ! -s err ]
	on_terminal 80 'ryde-replay -q --speed 200x lines > /dev/null'
	[ ! -s sent ]
	on_terminal 80 'ryde-replay --log json --speed 200x lines > /dev/null'
	[ ! -s sent ]
}
