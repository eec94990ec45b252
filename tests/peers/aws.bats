# What only AWS has: Debian's awscli reads what ryde wrote and writes what ryde reads; wrong answers and wrong settings.
bats_require_minimum_version 1.5.0
load engines.bash

setup_file() { engine_file_setup aws; }
teardown_file() { engine_file_teardown; }
setup() { engine_setup aws; }
teardown() { jobs -p | xargs -r kill -9 2>/dev/null || :; }

# cli SERVICE WORDS...: awscli, with what it cannot read from the environment in this version
cli() {
	local upper
	upper=AWS_ENDPOINT_URL_$(echo "$1" | tr a-z A-Z)
	aws --endpoint-url "${!upper}" --output json "$@"
}

@test "awscli reads the records that ryde-produce wrote, and ryde-consume the ones that awscli put" {
	ryde-admin create stream cli
	printf '{"n":1,"x":1.50}\n' | ryde-produce -k .n cli
	it=$(cli kinesis get-shard-iterator --stream-name cli --shard-id shardId-000000000000 --shard-iterator-type TRIM_HORIZON | jq -r .ShardIterator)
	[ "$(cli kinesis get-records --shard-iterator "$it" | jq -r '.Records[0] | "\(.PartitionKey) \(.Data | @base64d)"')" = '1 {"n":1,"x":1.50}' ]
	printf '{"from":"cli"}' > text
	printf '\001\002' > bytes
	for f in text bytes; do
		cli kinesis put-record --stream-name cli --partition-key k --data fileb://$f > /dev/null
	done
	ryde-consume --to end cli > out
	[ "$(sed -n 2p out)" = '{"from":"cli"}' ]
	[ "$(sed -n 3p out | jq -r .dataBase64)" = AQI= ]
}

@test "awscli reads the items that ryde-put wrote: numbers to the last digit" {
	ryde-admin create table cli-table --key k
	printf '%s\n' '{"k":"a","n":12345678901234567890123456789012345678,"d":0.1,"l":[1,{"x":null}],"t":true}' | ryde-put cli-table
	cli dynamodb get-item --table-name cli-table --key '{"k":{"S":"a"}}' | jq -cS .Item > item
	[ "$(cat item)" = '{"d":{"N":"0.1"},"k":{"S":"a"},"l":{"L":[{"N":"1"},{"M":{"x":{"NULL":true}}}]},"n":{"N":"12345678901234567890123456789012345678"},"t":{"BOOL":true}}' ]
}

@test "items that DynamoDB cannot hold are rejects, by name" {
	ryde-admin create table limits --key k
	{
		echo '{"k":"digits","n":123456789012345678901234567890123456789}'
		printf '{"k":"large","x":"%0409600d"}\n' 0
		echo '{"k":1}'
		echo '{"k":"good"}'
	} > in
	run -65 ryde-put --rejects bad limits < in
	[ "$(jq -r .error bad | wc -l)" -eq 3 ]
	grep -q '39 digits' bad
	grep -q '400 KB' bad
	grep -q "is a number, and the table's key is a string" bad
	[ "$(items limits | jq -r .k)" = good ]
}

@test "a number is a key where the table says so" {
	cli dynamodb create-table --table-name numbers --billing-mode PAY_PER_REQUEST \
		--attribute-definitions AttributeName=n,AttributeType=N --key-schema AttributeName=n,KeyType=HASH > /dev/null
	printf '%s\n' '{"n":1,"v":"a"}' '{"n":1.0,"v":"b"}' '{"n":"1","v":"c"}' > in
	run -65 ryde-put --rejects bad numbers < in
	[ "$(items numbers | jq -c .v)" = '"b"' ]
	grep -q "is a string, and the table's key is a number" bad
}

@test "a message of the on-failure queue has Lambda's keys" {
	ryde-admin create stream letters
	ryde-admin create queue letters
	echo '{"n":1}' | ryde-produce letters
	ryde-consume -g g --to end letters | ryde-process --retries 1 --backoff 1ms --on-failure letters -- false
	url=$(cli sqs get-queue-url --queue-name letters | jq -r .QueueUrl)
	cli sqs receive-message --queue-url "$url" | jq -r '.Messages[0].Body' > body
	[ "$(jq -c '[keys_unsorted[] | select(. != "ryde")]' body)" = '["requestContext","responseContext","version","timestamp","KinesisBatchInfo"]' ]
	[ "$(jq -c '.requestContext | keys_unsorted' body)" = '["requestId","functionArn","condition","approximateInvokeCount"]' ]
	[ "$(jq -c '.responseContext' body)" = '{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"}' ]
	[ "$(jq -c '.KinesisBatchInfo | keys_unsorted' body)" = '["shardId","startSequenceNumber","endSequenceNumber","approximateArrivalOfFirstRecord","approximateArrivalOfLastRecord","batchSize","streamArn"]' ]
	[ "$(jq -r '.KinesisBatchInfo.streamArn' body)" = arn:aws:kinesis:us-east-1:000000000000:stream/letters ]
	[ "$(jq -c '.requestContext | [.condition, .approximateInvokeCount]' body)" = '["RetryAttemptsExhausted",2]' ]
}

@test "a FIFO queue takes on-failure messages" {
	ryde-admin create queue letters.fifo
	ryde-admin create stream fifo
	echo '{"n":1}' | ryde-produce fifo
	ryde-consume -g g --to end fifo | ryde-process --retries 0 --on-failure letters.fifo -- false
	[ "$(ryde-dlq read letters.fifo | jq -c .data)" = '{"n":1}' ]
	pipe "ryde-dlq redrive letters.fifo | ryde-process -- sh -c 'cat > got'"
	[ "$statuses" = '0 0' ]
	[ "$(cat got)" = '{"n":1}' ]
}

@test "a resharded stream is read parents first, in order per key, by a group and without one" {
	ryde-admin create stream shards
	seq 1 50 | sed 's/.*/{"n":&}/' | ryde-produce -k .n shards
	cli kinesis split-shard --stream-name shards --shard-to-split shardId-000000000000 --new-starting-hash-key 170141183460469231731687303715884105728
	until_ok sh -c 'ryde-admin describe shards | jq -e "[.shards[] | select(.open)] | length == 2"'
	seq 51 100 | sed 's/.*/{"n":&}/' | ryde-produce -k .n shards
	[ "$(ryde-consume --to end shards | head -n 50 | jq -s 'map(.n) == [range(1; 51)]')" = true ]
	[ "$(ryde-consume --to end shards | wc -l)" -eq 100 ]
	pipe "ryde-consume -g g --to end shards | ryde-process -- sh -c 'cat >> got'"
	[ "$statuses" = '0 0' ]
	jq .n got | sort -n | cmp - <(seq 1 100)
	head -n 50 got | jq .n | cmp - <(seq 1 50)
	cli kinesis merge-shards --stream-name shards --shard-to-merge shardId-000000000001 --adjacent-shard-to-merge shardId-000000000002
	until_ok sh -c 'ryde-admin describe shards | jq -e "[.shards[] | select(.open)] | length == 1"'
	seq 101 120 | sed 's/.*/{"n":&}/' | ryde-produce -k .n shards
	pipe "ryde-consume -g g --to end shards | ryde-process -- sh -c 'cat >> got'"
	[ "$statuses" = '0 0' ]
	jq .n got | sort -n | cmp - <(seq 1 120)
}

@test "a reader that runs while the stream is resharded goes on with the children" {
	ryde-admin create stream live
	ryde-consume -g g live 2> err > >(ryde-process -- sh -c 'cat >> got') &
	reader=$!
	seq 1 10 | sed 's/.*/{"n":&}/' | ryde-produce -k .n live
	until_ok sh -c '[ "$(wc -l < got)" -eq 10 ]'
	cli kinesis split-shard --stream-name live --shard-to-split shardId-000000000000 --new-starting-hash-key 170141183460469231731687303715884105728
	until_ok sh -c 'ryde-admin describe live | jq -e "[.shards[] | select(.open)] | length == 2"'
	seq 11 30 | sed 's/.*/{"n":&}/' | ryde-produce -k .n live
	until_ok sh -c '[ "$(wc -l < got)" -eq 30 ]'
	kill $reader
	wait $reader
	jq .n got | sort -n | cmp - <(seq 1 30)
}

@test "a stream that was created anew: the old position is refused, nothing is passed over" {
	ryde-admin create stream anew
	echo '{"n":1}' | ryde-produce anew
	ryde-consume -g g --ack write --to end anew > out
	cli kinesis delete-stream --stream-name anew
	until_ok sh -c '! ryde-admin describe anew'
	# the server's sequence numbers begin with the second in which the stream was made: within one they are the same
	second=$(date +%s)
	until_ok eval '[ "$(date +%s)" -gt $second ]'
	ryde-admin create stream anew
	echo '{"n":2}' | ryde-produce anew
	run ryde-consume -g g --ack write --to end anew
	[ "$status" -eq 65 ] || [[ $output == *'"n":2'* ]]
}

@test "--ordered: no record overtakes another one of its key" {
	ryde-admin create stream ordered --shards 2
	for i in $(seq 1 40); do printf '{"k":"a","n":%d}\n{"k":"b","n":%d}\n' "$i" "$i"; done > in
	ryde-produce --ordered -k .k ordered < in
	ryde-consume --to end ordered > out
	for k in a b; do jq "select(.k == \"$k\") | .n" out | cmp - <(seq 1 40); done
}

@test "a positions table of another name" {
	ryde-admin create stream named
	echo '{"n":1}' | ryde-produce named
	RYDE_POSITIONS=other-positions ryde-consume -g g --ack write --to end named > out
	ryde-admin list tables | grep -q other-positions
	run -66 ryde-admin positions named g
}

# ---- wrong settings and wrong answers: one line that says what to do ----

@test "no credentials, half of them: 77" {
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	run -77 ryde-consume --to end s
	[ "${#lines[@]}" -eq 1 ]
	AWS_ACCESS_KEY_ID=half run -77 ryde-consume --to end s
	[ "${#lines[@]}" -eq 1 ]
}

@test "no region: 78" {
	unset AWS_REGION AWS_DEFAULT_REGION
	run -78 ryde-consume --to end s
	[[ $output == *region* ]]
}

@test "nobody answers, and no address: 69" {
	AWS_ENDPOINT_URL_KINESIS=http://127.0.0.1:1 run -69 ryde-consume --to end s
	[ "${#lines[@]}" -eq 1 ]
	AWS_ENDPOINT_URL_KINESIS=http://nowhere.invalid run -69 ryde-consume --to end s
	[ "${#lines[@]}" -eq 1 ]
}

# a server that says the same to everybody
says() { # STATUS CONTENT-TYPE BODY
	python3 - "$@" 3>&- <<-'P' &
	import http.server, os, sys
	status, kind, body = int(sys.argv[1]), sys.argv[2], sys.argv[3].encode()
	class H(http.server.BaseHTTPRequestHandler):
	    protocol_version = "HTTP/1.1"
	    def log_message(self, *_): pass
	    def do_POST(self):
	        self.rfile.read(int(self.headers.get("Content-Length", 0)))
	        self.send_response(status)
	        self.send_header("Content-Type", kind)
	        self.send_header("Content-Length", str(len(body)))
	        self.end_headers()
	        self.wfile.write(body)
	s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
	open("says.new", "w").write(str(s.server_address[1]))
	os.rename("says.new", "says.port")
	s.serve_forever()
	P
	until_ok test -s says.port
	export AWS_ENDPOINT_URL_KINESIS=http://127.0.0.1:$(cat says.port) AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:$(cat says.port)
}

@test "HTML in place of JSON: 78, and what it was" {
	says 200 text/html '<html>Welcome</html>'
	run -78 ryde-consume --to end s
	[[ $output == *text/html* ]]
	[ "${#lines[@]}" -eq 1 ]
}

@test "an endpoint that is another service: 78" {
	says 200 application/json '{}'
	run -78 ryde-consume --to end s
	run -78 ryde-put tab < /dev/null
}

@test "denied, expired, unknown keys: 77" {
	says 400 application/x-amz-json-1.1 '{"__type":"AccessDeniedException","message":"User: x is not authorized to perform: kinesis:DescribeStreamSummary"}'
	run -77 ryde-consume --to end s
	[[ $output == *kinesis:DescribeStreamSummary* ]]
	rm says.port
	says 400 application/x-amz-json-1.1 '{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}'
	run -77 ryde-consume --to end s
}

@test "--dry-run prints the requests, and sends nothing" {
	ryde-admin create stream dry --shards 2
	ryde-admin create table dry-table --key k
	seq 1 10 | sed 's/.*/{"k":"&"}/' > in
	ryde-produce --dry-run -k .k dry < in > out
	[ "$(jq -c '[.records, (.shards | add)]' out)" = '[10,10]' ]
	[ "$(jq -c '[.requests[].body.Records | length] | sort' out)" = "$(jq -c '[.shards[]] | sort' out)" ]
	jq -r '.requests[].body.Records[].Data | @base64d' out | sort -V | cmp - in
	jq -e --arg url "$AWS_ENDPOINT_URL_KINESIS/" '.requests | all(.method == "POST" and .url == $url
		and .headers["x-amz-target"] == "Kinesis_20131202.PutRecords" and (.body | tojson | length) == .bytes)' out
	! grep -qi "$AWS_SECRET_ACCESS_KEY\|$AWS_ACCESS_KEY_ID\|Signature\|authorization" out
	[ "$(ryde-consume --to end dry | wc -l)" -eq 0 ]
	ryde-put --dry-run dry-table < in > out
	[ "$(jq .items out)" = 10 ]
	[ "$(items dry-table | wc -l)" -eq 0 ]
	seq 1 60 | sed 's/.*/{"k":"&","x":1.50}/' > in
	ryde-put --dry-run dry-table < in > out
	[ "$(jq -c '[.requests[].body.RequestItems["dry-table"] | length] | sort' out)" = '[10,25,25]' ]
	[ "$(jq -r '.requests[].body.RequestItems["dry-table"][].PutRequest.Item | "\(.k.S) \(.x.N)"' out | sort -V | tail -n 1)" = '60 1.50' ]
	! grep -qi "$AWS_SECRET_ACCESS_KEY\|$AWS_ACCESS_KEY_ID\|authorization" out
}
