# For bats files: `load stub`. A service that is played by a program of tests/peers/stubs.

load wait

# aws_alone: the test's own folder is home, and nothing of the machine's AWS settings is seen
aws_alone() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	for v in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do unset "$v"; done
	export HOME=$PWD AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=AKIABASE AWS_SECRET_ACCESS_KEY=base-secret RYDE_STORE=aws
	: > log
}

# plan PLAN: what the stub does from now on
plan() {
	echo "$1" > plan.new
	mv plan.new plan
}

# serve STUB PLAN: starts it; its pid is in the file pid, what it was asked in log
serve() {
	plan "$2"
	python3 "$BATS_TEST_DIRNAME/peers/stubs/$1.py" port plan log 3>&- 2> stub.err &
	echo $! > pid
	until_ok test -s port
	export AWS_ENDPOINT_URL=http://127.0.0.1:$(cat port)
}

# stop_stub: also where none was started
stop_stub() {
	[ ! -e pid ] || kill "$(cat pid)" 2>/dev/null || :
}
