# ryde-admin: what there is, and how far groups have read.
bats_require_minimum_version 1.5.0

load wait

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run
}

# field FILTER: of the JSON lines on stdin
field() {
	jq -r "$1"
}

@test "create, list, describe, delete" {
	run -0 ryde-admin create stream w --shards 3 --retention 24h
	[ -z "$output" ]
	ryde-admin create stream v
	ryde-admin create table T --key Name --sort StatusTime
	ryde-admin create queue q
	run -0 ryde-admin list
	[ "$output" = '{"kind":"stream","name":"v"}
{"kind":"stream","name":"w"}
{"kind":"table","name":"T"}
{"kind":"queue","name":"q"}' ]
	run -0 ryde-admin list tables
	[ "$output" = '{"kind":"table","name":"T"}' ]
	[ "$(ryde-admin describe w | field '"\(.kind) \(.label) \(.retentionMs) \(.shards | length) \(.groups | length)"')" = 'stream local:w 86400000 3 0' ]
	[ "$(ryde-admin describe v | field '.shards[0] | "\(.shardId) \(.open) \(.firstHashKey) \(.lastHashKey) \(.lastSequenceNumber)"')" = \
	    'shardId-000000000000 true 0 340282366920938463463374607431768211455 null' ]
	[ "$(ryde-admin describe T)" = '{"kind":"table","name":"T","key":"Name","sort":"StatusTime","items":0}' ]
	[ "$(ryde-admin describe q)" = '{"kind":"queue","name":"q","label":"local:q","visible":0,"hidden":0}' ]
	ryde-admin delete stream w
	ryde-admin delete table T
	ryde-admin delete queue q
	run -0 ryde-admin list
	[ "$output" = '{"kind":"stream","name":"v"}' ]
}

@test "creating again: nothing where the shape is the same, 73 where it is not" {
	ryde-admin create stream w --shards 2
	run -0 ryde-admin create stream w --shards 2
	run -73 ryde-admin create stream w --shards 3
	ryde-admin create table T --key a
	run -0 ryde-admin create table T --key a
	run -73 ryde-admin create table T --key b
	ryde-admin create queue q
	run -0 ryde-admin create queue q
}

@test "a name that is nearly right: what may have been meant" {
	ryde-admin create stream wildrydes
	ryde-admin create table UnicornSensorData --key Name
	run -66 ryde-admin describe wildrides
	[[ $output == *'wildrides (did you mean wildrydes?)' ]]
	run -66 ryde-consume --to end wildryde
	[[ $output == *'(did you mean wildrydes?)' ]]
	run -66 ryde-put unicornsensordata </dev/null
	[[ $output == *'(did you mean UnicornSensorData?)'* ]]
	run -66 ryde-consume --to end other
	[[ $output != *'did you mean'* ]]
}

@test "what does not exist: 66" {
	run -66 ryde-admin describe none
	run -66 ryde-admin delete stream none
	run -66 ryde-admin delete table none
	run -66 ryde-admin delete queue none
	run -66 ryde-admin positions none g
	ryde-admin create stream w
	run -66 ryde-admin positions w none
	run -66 ryde-admin positions w none --delete
}

@test "positions: where a group stands and how far it is behind" {
	ryde-unicorn --fast --seed 1 -m 10 | ryde-produce -k .Name w
	ryde-consume -g g -n 4 --ack write w > /dev/null
	run -0 ryde-admin positions w g
	[ "$(field '"\(.shardId) \(.lagRecords) \(.owner) \(.sequenceNumber | length)"' <<< "$output")" = \
	    'shardId-000000000000 6 null 56' ]
	[ "$(field '.lagMs >= 0 and (.updated | test("^20[0-9-]+T[0-9:.]+Z$"))' <<< "$output")" = true ]
	[ "$(ryde-admin list groups)" = '{"kind":"group","stream":"w","name":"g"}' ]
	[ "$(ryde-admin describe w | field '.groups[]')" = g ]
	ryde-consume -g g --to end --ack write w | wc -l | grep -qx 6
	[ "$(ryde-admin positions w g | field '"\(.lagRecords) \(.lagMs)"')" = '0 0' ]
}

@test "--max-lag: exit 1 when the group is further behind" {
	ryde-unicorn --fast --seed 1 -m 10 | ryde-produce -k .Name w
	ryde-consume -g g -n 4 --ack write w > /dev/null
	until_ok eval '[ "$(ryde-admin positions w g | jq .lagMs)" -gt 100 ]'
	run -1 ryde-admin positions w g --max-lag 100ms
	[ "${#lines[@]}" -eq 1 ]
	run -0 ryde-admin positions w g --max-lag 1h
}

@test "--reset start, end, a time; also of a group that is not there yet" {
	ryde-unicorn --fast --seed 1 -m 10 | ryde-produce -k .Name w
	run -0 ryde-admin positions w g --reset end
	[ "$(field .lagRecords <<< "$output")" = 0 ]
	run -0 ryde-admin positions w g --reset start
	[ "$(field '"\(.lagRecords) \(.sequenceNumber)"' <<< "$output")" = '10 null' ]
	[ "$(ryde-consume -g g --to end --ack write w | wc -l)" -eq 10 ]
	last=$(ryde-consume -e --from start --to end w | tail -n 1 | jq -r .approximateArrivalTimestamp)
	until_ok eval '[[ $(date -u +%Y-%m-%dT%H:%M:%S.%3NZ) > $last ]]'
	now=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
	ryde-unicorn --fast --seed 2 -m 3 | ryde-produce -k .Name w
	run -0 ryde-admin positions w g --reset "$now"
	[ "$(field .lagRecords <<< "$output")" = 3 ]
	run -64 ryde-admin positions w g --reset soon
}

@test "--delete forgets the group" {
	ryde-unicorn --fast --seed 1 -m 3 | ryde-produce -k .Name w
	ryde-consume -g g --to end --ack write w > /dev/null
	run -0 ryde-admin positions w g --delete
	[ -z "$output" ]
	run -66 ryde-admin positions w g
	[ -z "$(ryde-admin list groups)" ]
}

@test "--reset and --delete are refused while a reader lives: 75" {
	ryde-unicorn --fast --seed 1 -m 3 | ryde-produce -k .Name w
	ryde-consume -g g --ack write w > out &
	until_ok eval '[ "$(wc -l < out)" -ge 3 ]'
	run -75 --separate-stderr ryde-admin positions w g --reset start
	[[ $stderr == *"living reader"* ]]
	run -75 ryde-admin positions w g --delete
	[ "$(ryde-admin positions w g | field '.owner != null')" = true ]
	kill %1
	wait
	run -0 ryde-admin positions w g --reset start
}

@test "behind a window positions show from, seen and closed, and --reset forgets them" {
	ryde-unicorn --fast --seed 1 --start '2026-11-23 14:00:00' -m 90 | ryde-produce -k .Name w
	ryde-consume -g g --to end w | ryde-window --tumble 1m --by .Name 'n=count()' | ryde-produce sums
	run -0 ryde-admin positions w g
	[ "$(field '"\(.lagRecords) \(.seen != null) \(.closed)"' <<< "$output")" = '0 true 2026-11-23T14:01:29.000Z' ]
	run -0 ryde-admin positions w g --reset start
	[ "$(field 'has("seen")' <<< "$output")" = false ]
}

@test "wrong command lines: 64" {
	for bad in '' 'frob' 'create' 'create stream' 'create frob x' 'create table T' 'create table T --key a --sort a' \
	    'create queue q --shards 2' 'create stream s --key a' 'create stream s --shards 0' 'create stream s --shards 1x' \
	    'list frobs' 'list streams x' 'describe' 'describe a b' 'delete frob x' 'delete stream' 'positions w' \
	    'positions w g --delete --reset end' 'describe w --max-lag 1s' 'create stream ../x' 'create stream .x'; do
		# shellcheck disable=SC2086
		run -64 ryde-admin $bad
	done
}

@test "a closed pipe, /dev/full, --help" {
	ryde-admin create stream w
	run -74 sh -c 'ryde-admin list > /dev/full'
	run -0 ryde-admin --help
	[[ $output == *--max-lag* ]]
	run -0 ryde-admin --version
}

@test "split, merge, reshard: what is closed, what came of it, and what cannot be" {
	ryde-admin create stream w
	run -0 ryde-admin split w shardId-000000000000
	[ -z "$output" ]
	[ "$(ryde-admin describe w | field '.shards[] | "\(.open) \(.parent) \(.firstHashKey) \(.lastHashKey)"')" = \
	    'false null 0 340282366920938463463374607431768211455
true shardId-000000000000 0 170141183460469231731687303715884105727
true shardId-000000000000 170141183460469231731687303715884105728 340282366920938463463374607431768211455' ]
	ryde-admin merge w shardId-000000000002 shardId-000000000001
	[ "$(ryde-admin describe w | field '.shards[3] | "\(.open) \(.parent) \(.parent2) \(.firstHashKey) \(.lastHashKey)"')" = \
	    'true shardId-000000000001 shardId-000000000002 0 340282366920938463463374607431768211455' ]
	ryde-admin reshard w 5
	[ "$(ryde-admin describe w | field '[.shards[] | select(.open)] | length')" = 5 ]
	ryde-admin reshard w 5
	ryde-admin reshard w 1
	[ "$(ryde-admin describe w | field '[.shards[] | select(.open) | "\(.firstHashKey) \(.lastHashKey)"] | join(" ")')" = \
	    '0 340282366920938463463374607431768211455' ]
	run -64 ryde-admin split w shardId-000000000000
	[[ $output == *"closed already"* ]]
	run -66 ryde-admin split w shardId-000000000099
	run -66 ryde-admin split none shardId-000000000000
	run -64 ryde-admin reshard w 0
	run -64 ryde-admin reshard w some
	run -64 ryde-admin reshard w 10001
	run -64 ryde-admin merge w shardId-000000000000
	ryde-admin create stream v --shards 3
	run -64 ryde-admin merge v shardId-000000000000 shardId-000000000002
	[[ $output == *"not neighbours"* ]]
	run -64 ryde-admin merge v shardId-000000000000 shardId-000000000000
}

@test "split: a stream that was only written once, whose records are all there, in order and to be found by number" {
	ryde-unicorn --fast --seed 1 -m 10 -c 5 | ryde-produce -k .Name w
	ryde-admin split w shardId-000000000000
	ryde-unicorn --fast --seed 2 -m 10 -c 5 | ryde-produce -k .Name w
	[ "$(ryde-consume --to end w | wc -l)" = 20 ]
	[ "$(ryde-admin describe w | field '.shards[0].lastSequenceNumber')" = "$(ryde-consume -e --to end w | sed -n 10p | field .sequenceNumber)" ]
	[ "$(timeout 60 ryde-consume --from end --to end w | wc -l)" = 0 ]
}

@test "a closed shard whose records the retention has removed is passed over" {
	export RYDE_CLOCK=@1764000000000
	ryde-admin create stream w --retention 1h
	seq 1 5 | sed 's/.*/{"k":"a&"}/' | ryde-produce -k .k w
	ryde-admin split w shardId-000000000000
	export RYDE_CLOCK=@1764010000000
	seq 6 9 | sed 's/.*/{"k":"a&"}/' | ryde-produce -k .k w
	[ "$(timeout 60 ryde-consume -e --from start --to end w | field .shardId | sort -u | grep -c .)" -le 2 ]
	timeout 60 ryde-consume -g g --to end --ack write w > out
	[ "$(grep -c . out)" = 4 ]
	[ "$(ryde-admin positions w g | head -n 1 | field '"\(.sequenceNumber) \(.lagRecords)"')" = 'null 0' ]
}

# policy COMMAND-LINE...: one "ACTIONS RESOURCE" a line
policy() {
	AWS_REGION=us-east-1 ryde-admin policy -- "$@" | jq -r '.Statement[] | "\(.Action | join(",")) \(.Resource)"'
}

@test "policy: what each program needs, and no more" {
	[ "$(ryde-admin policy -- ryde-unicorn -n Shadowfax)" = '{"Version":"2012-10-17","Statement":[]}' ]
	[ "$(policy ryde-put --batch-size 5 UnicornSensorData a.ndjson)" = 'dynamodb:DescribeTable,dynamodb:BatchWriteItem arn:aws:dynamodb:us-east-1:*:table/UnicornSensorData' ]
	[ "$(policy ryde-put --batch-size=5 -qv aws:T)" = 'dynamodb:DescribeTable,dynamodb:BatchWriteItem arn:aws:dynamodb:us-east-1:*:table/T' ]
	[ "$(policy ryde-produce -k.Name arn:aws:kinesis:eu-west-1:123456789012:stream/w)" = 'kinesis:DescribeStreamSummary,kinesis:ListShards,kinesis:PutRecords arn:aws:kinesis:eu-west-1:123456789012:stream/w' ]
	[ -z "$(policy ryde-consume -g store local:wildrydes)" ]
	[ "$(policy ryde-admin split w shardId-000000000000)" = 'kinesis:DescribeStreamSummary,kinesis:ListShards,kinesis:SplitShard arn:aws:kinesis:us-east-1:*:stream/w' ]
	[ "$(policy ryde-admin merge w a b)" = 'kinesis:DescribeStreamSummary,kinesis:ListShards,kinesis:MergeShards arn:aws:kinesis:us-east-1:*:stream/w' ]
	[ "$(policy ryde-admin reshard w 4)" = 'kinesis:DescribeStreamSummary,kinesis:ListShards,kinesis:UpdateShardCount arn:aws:kinesis:us-east-1:*:stream/w' ]
	[ "$(policy ryde-consume wildrydes)" = 'kinesis:DescribeStreamSummary,kinesis:ListShards,kinesis:GetShardIterator,kinesis:GetRecords arn:aws:kinesis:us-east-1:*:stream/wildrydes' ]
	[ "$(policy ryde-consume -g store wildrydes | tail -n 1)" = 'dynamodb:CreateTable,dynamodb:DescribeTable,dynamodb:GetItem,dynamodb:UpdateItem,dynamodb:Query,dynamodb:DeleteItem arn:aws:dynamodb:us-east-1:*:table/ryde-positions' ]
	[ "$(RYDE_POSITIONS=mine policy ryde-consume --group store wildrydes | tail -n 1 | grep -o '[^/]*$')" = mine ]
	[ -z "$(policy ryde-process --on-failure ./failed -- true)" ]
	[ "$(policy ryde-process --on-failure q -- true)" = 'sqs:GetQueueUrl,sqs:GetQueueAttributes,sqs:SendMessage arn:aws:sqs:us-east-1:*:q' ]
	[ "$(policy ryde-dlq count q)" = 'sqs:GetQueueUrl,sqs:GetQueueAttributes arn:aws:sqs:us-east-1:*:q' ]
	[ "$(policy ryde-query 'SELECT * FROM a JOIN "b" USING (k), (SELECT 1) WHERE "from" = 1' | grep -o '[a-z]*/.*$')" = 'table/a
stream/a
table/b
stream/b' ]
	[ "$(policy ryde-query 'SELECT * FROM "s3://bucket/pre/fix", "./here"')" = 's3:ListBucket arn:aws:s3:::bucket
s3:GetObject arn:aws:s3:::bucket/pre/fix*' ]
	[ "$(policy ryde-query --engine dynamodb 'SELECT * FROM T')" = 'dynamodb:DescribeTable,dynamodb:Query,dynamodb:PartiQLSelect arn:aws:dynamodb:us-east-1:*:table/T' ]
	[ "$(policy ryde-query --engine athena --workgroup w --results s3://b/r/ 'SELECT * FROM T')" = 'athena:StartQueryExecution,athena:GetQueryExecution,athena:GetQueryResults,athena:StopQueryExecution arn:aws:athena:us-east-1:*:workgroup/w
glue:GetDatabase,glue:GetTable,glue:GetPartitions *
s3:ListBucket arn:aws:s3:::b
s3:PutObject,s3:GetObject,s3:AbortMultipartUpload arn:aws:s3:::b/r/*' ]
	[ "$(policy ryde-archive s3://bucket/pre/fix)" = 's3:ListBucket arn:aws:s3:::bucket
s3:PutObject,s3:GetObject,s3:AbortMultipartUpload arn:aws:s3:::bucket/pre/fix*' ]
	[ "$(policy ryde-archive firehose:rides)" = 'firehose:PutRecordBatch arn:aws:firehose:us-east-1:*:deliverystream/rides' ]
	[ "$(AWS_REGION='' ryde-admin policy --region cn-north-1 -- ryde-put T | jq -r '.Statement[].Resource')" = 'arn:aws-cn:dynamodb:cn-north-1:*:table/T' ]
}

@test "policy: a whole pipe, its words apart or in one text; commands behind --" {
	run -0 policy 'RYDE_STORE=aws ryde-consume -g s w | jq -c ".a|.b" | ryde-process --retries 2 -- ryde-put T'
	[ "$(grep -o '[a-z]*/.*$' <<< "$output")" = 'stream/w
table/ryde-positions
table/T' ]
	[ "$(policy ryde-consume -g s w '|' ryde-put T | grep -c .)" -eq 3 ]
	# the same resource twice is one statement
	[ "$(policy 'ryde-consume w; ryde-produce w' | wc -l)" -eq 1 ]
	run -64 ryde-admin policy -- ls -l
	[[ $output == *'no program of ryde'* ]]
	run -64 ryde-admin policy -- ryde-put --nope T
	[[ $output == *'ryde-put has no option --nope'* ]]
	run -64 ryde-admin policy -- ryde-nothing
	[[ $output == *'cannot ask ryde-nothing'* ]]
	run -64 ryde-admin policy -- "ryde-put 'T"
	run -64 ryde-admin policy
	run -64 ryde-admin policy ryde-put T
}

@test "whoami and policy take no options of others" {
	run -64 ryde-admin whoami --shards 2
	run -64 ryde-admin whoami me
	run -64 ryde-admin list --verify
	run -64 ryde-admin policy --delete -- ryde-put T
}
