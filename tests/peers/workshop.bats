# The workshop's lessons on stream processing with a function, over both engines (RYDE_ENGINE says over which the stream
# is): nine records, one of them a poison pill. The handler is what the workshop's readers write, in JavaScript against the
# AWS SDK under AWS's runtime client, and in sh and Python without any SDK. Tables are DynamoDB's.
bats_require_minimum_version 1.5.0
load engines.bash

setup_file() {
	engine_file_setup aws
	peers=${RYDE_BUILD:-$BATS_TEST_DIRNAME/../../build}/peers
	NODE_PATH=$(cd "$peers" && pwd)/node_modules
	export NODE_PATH
}
teardown_file() { engine_file_teardown; }
teardown() { jobs -p | xargs -r kill -9 2>/dev/null || :; }

setup() {
	engine_setup aws
	stream=${RYDE_ENGINE:-local}:$(name lessons)
	table=$(name sensors)
	export TABLE=$table
	ryde-admin create stream "$stream"
	ryde-admin create table "$table" --key Name --sort StatusTime
	# the fifth of nine says "error"
	ryde-unicorn -m 9 --fast --seed 1 | jq -c --argjson n 0 'input_line_number as $l | . + {InputData: (if $l == 5 then "error" else "ok" end)}' > in
	[ "$(grep -c error in)" = 1 ]
	ryde-produce -k .Name "$stream" < in
	cat > app.js <<-'JS'
		const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');
		const { DynamoDBDocumentClient, BatchWriteCommand } = require('@aws-sdk/lib-dynamodb');
		const fs = require('fs');

		const client = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: process.env.AWS_ENDPOINT_URL_DYNAMODB }));
		const read = (record) => JSON.parse(Buffer.from(record.kinesis.data, 'base64').toString());

		async function store(items) {
		  for (let i = 0; i < items.length; i += 25) {
		    let requests = { [process.env.TABLE]: items.slice(i, i + 25).map((Item) => ({ PutRequest: { Item } })) };
		    while (Object.keys(requests).length) {
		      const answer = await client.send(new BatchWriteCommand({ RequestItems: requests }));
		      requests = answer.UnprocessedItems || {};
		    }
		  }
		}

		exports.handler = async (event) => {
		  fs.appendFileSync('calls', `${event.Records.length}\n`);
		  const items = event.Records.map(read);
		  if (items.some((item) => item.InputData.includes('error'))) throw new Error('Item contains error');
		  await store(items);
		};

		exports.partial = async (event) => {
		  for (const record of event.Records) {
		    fs.appendFileSync('handled', `${record.kinesis.sequenceNumber}\n`);
		    const item = read(record);
		    if (item.InputData.includes('error')) {
		      return { batchItemFailures: [{ itemIdentifier: record.kinesis.sequenceNumber }] };
		    }
		    await store([item]);
		  }
		  return { batchItemFailures: [] };
		};

		exports.distance = async (event) => {
		  const state = event.state || {};
		  for (const item of event.Records.map(read)) {
		    state[item.Name] = Math.round(((state[item.Name] || 0) + item.Distance) * 10) / 10;
		  }
		  if (event.isFinalInvokeForWindow) {
		    await store(Object.entries(state).map(([Name, Distance]) => ({ Name, StatusTime: event.window.start, Distance })));
		  }
		  return { state };
		};
	JS
	: > calls
	: > handled
}

# javascript HANDLER OPTION...: the stream through the handler under AWS's runtime client
javascript() {
	local handler=$1 ric=${RYDE_RIC:-$NODE_PATH/aws-lambda-ric}
	shift
	[ -s "$ric/dist/rapid-client.node" ] || local -x NODE_OPTIONS="--require $BATS_TEST_DIRNAME/../runtime/transport.cjs"
	timeout 120 ryde-consume -g g --to end "$stream" |
		LAMBDA_TASK_ROOT=$PWD timeout 120 ryde-process --runtime-api --batch-size 10 --backoff 1ms "$@" -- node "$ric/bin/index.mjs" "app.$handler" 2> log
}

# command OPTION... -- COMMAND: the stream through a command
command_() {
	timeout 120 ryde-consume -g g --to end "$stream" | timeout 120 ryde-process --batch-size 10 --backoff 1ms "$@" 2> log
}

python_handler() {
	cat > handler.py <<-'PY'
		import base64, json, os, subprocess, sys
		items = [json.loads(line) for line in sys.stdin]
		open("calls", "a").write("%d\n" % len(items))
		if any("error" in item["InputData"] for item in items):
		    sys.exit("Item contains error")
		lines = "".join(json.dumps(item) + "\n" for item in items)
		sys.exit(subprocess.run(["ryde-put", "-q", os.environ["TABLE"]], input=lines, text=True).returncode)
	PY
}

shell_handler() {
	cat > handler.sh <<-'SH'
		cat > batch.$$
		grep -c '' batch.$$ >> calls
		! grep -q '"error"' batch.$$ || exit 1
		ryde-put -q "$TABLE" < batch.$$
	SH
}

documents() {
	jq -cs 'map(.KinesisBatchInfo.batchSize)' failed
}

@test "JavaScript: without bisect the handler runs three times, nothing is stored, one document of nine" {
	javascript handler --retries 2 --on-failure ./failed
	[ "$(tr '\n' ' ' < calls)" = '9 9 9 ' ]
	[ "$(items "$table" | wc -l)" = 0 ]
	[ "$(documents)" = '[9]' ]
}

@test "JavaScript: with bisect eight are stored, and one document of one" {
	javascript handler --retries 2 --bisect --on-failure ./failed
	[ "$(items "$table" | wc -l)" = 8 ]
	[ "$(documents)" = '[1]' ]
	diff <(items "$table" | jq -r .StatusTime | sort) <(grep -v '"error"' in | jq -r .StatusTime | sort)
}

@test "JavaScript: with --partial the records before the failed one are handled once" {
	javascript partial --retries 2 --partial --bisect --on-failure ./failed
	[ "$(items "$table" | wc -l)" = 8 ]
	[ "$(documents)" = '[1]' ]
	# each of the eight once, the poison pill again and again
	[ "$(sort handled | uniq -c | awk '$1 == 1' | wc -l)" = 8 ]
	[ "$(sort handled | uniq -c | awk '$1 > 1' | wc -l)" = 1 ]
}

@test "Python and sh: the same lessons without any SDK" {
	python_handler
	shell_handler
	command_ --retries 2 --on-failure ./failed -- python3 handler.py
	[ "$(tr '\n' ' ' < calls)" = '9 9 9 ' ]
	[ "$(items "$table" | wc -l)" = 0 ]
	[ "$(documents)" = '[9]' ]
	rm failed
	ryde-admin positions "$stream" g --reset start > /dev/null
	command_ --retries 2 --bisect --on-failure ./failed -- sh handler.sh
	[ "$(items "$table" | wc -l)" = 8 ]
	[ "$(documents)" = '[1]' ]
}

@test "distance a window by a stateful function equals ryde-window's" {
	stream=${RYDE_ENGINE:-local}:$(name rides)
	ryde-admin create stream "$stream"
	ryde-unicorn -c 5 -m 500 --fast --seed 2 | jq -c '. + {InputData: "ok"}' > in
	ryde-produce -k .Name "$stream" < in
	# the window of a function is of arrival, and closes when its time has surely passed, on Kinesis some seconds later
	window_is_over() {
		[ "$(date +%s)" -ge "$1" ]
	}
	last=$(ryde-consume -e --to end "$stream" | jq -r .approximateArrivalTimestamp | sort | tail -n 1)
	until_ok window_is_over $(($(date -d "$last" +%s) / 2 * 2 + 9))
	javascript distance --tumble 2s
	timeout 60 ryde-consume -e --to end "$stream" | ryde-window --tumble 2s -t arrival --by .Name 'd=sum(.Distance)' > want
	[ "$(items "$table" | jq -r '"\(.Name) \(.Distance)"' | sort | tr '\n' ';')" = \
		"$(jq -r '"\(.Name) \(.d)"' want | sort | tr '\n' ';')" ]
}
