# ryde-admin split, merge and reshard on Kinesis, against tests/peers/stubs/kinesis_reshard.py: what is ordered, that it is
# waited for, and what is said where the service refuses.
bats_require_minimum_version 1.5.0

load stub

setup() {
	aws_alone
}

teardown() {
	stop_stub
}

# call OPERATION BODY: asks the stub
call() {
	curl -sf -H "X-Amz-Target: Kinesis_20131202.$1" -d "$2" "$AWS_ENDPOINT_URL"
}

open_shards() {
	call DescribeStreamSummary '{"StreamName":"s"}' | jq -r '"\(.StreamDescriptionSummary.StreamStatus) \(.StreamDescriptionSummary.OpenShardCount)"'
}

@test "reshard doubles and halves, and ends when the stream is ACTIVE again; what is done already is not ordered again" {
	serve kinesis_reshard '{"shards":3,"looks":4}'
	run -0 --separate-stderr ryde-admin reshard s 6
	[ -z "$output$stderr" ]
	[ "$(open_shards)" = 'ACTIVE 6' ]
	ryde-admin reshard s 6
	ryde-admin reshard s 3
	[ "$(open_shards)" = 'ACTIVE 3' ]
	[ "$(cat log)" = 'UpdateShardCount done
UpdateShardCount done' ]
}

@test "split cuts a shard in the middle, merge joins neighbours" {
	serve kinesis_reshard '{"shards":2,"looks":2}'
	ryde-admin split s shardId-000000000001
	[ "$(open_shards)" = 'ACTIVE 3' ]
	# pages of two: the last one has shard 3
	call ListShards '{"NextToken":"2"}' | jq -e '.Shards[1].HashKeyRange.StartingHashKey == "255211775190703847597530955573826158592"'
	ryde-admin merge s shardId-000000000003 shardId-000000000002
	[ "$(open_shards)" = 'ACTIVE 2' ]
	run -64 ryde-admin split s shardId-000000000002
	[[ $output == *"is closed already"* ]]
	run -66 ryde-admin split s shardId-000000000077
	run -64 ryde-admin merge s shardId-000000000000 shardId-000000000000
	[ "$(cat log)" = 'SplitShard done
MergeShards done' ]
}

@test "a change that is under way is waited for before the next one is ordered" {
	serve kinesis_reshard '{"shards":2,"looks":6}'
	call UpdateShardCount '{"StreamName":"s","TargetShardCount":4,"ScalingType":"UNIFORM_SCALING"}' > /dev/null
	ryde-admin reshard s 8
	[ "$(open_shards)" = 'ACTIVE 8' ]
	run ! grep ResourceInUse log
}

@test "another one was faster: ResourceInUseException is tried again, and so is LimitExceededException" {
	serve kinesis_reshard '{"shards":2,"looks":2,"refuse":["ResourceInUseException","LimitExceededException"]}'
	ryde-admin reshard s 4
	[ "$(open_shards)" = 'ACTIVE 4' ]
	[ "$(cat log)" = 'UpdateShardCount ResourceInUseException
UpdateShardCount LimitExceededException
UpdateShardCount done' ]
}

@test "more than double, less than half: 64, and nothing is ordered; too often in a day: 69; none: 66" {
	serve kinesis_reshard '{"shards":2,"looks":1,"per_day":1}'
	run -64 ryde-admin reshard s 5
	[[ $output == *"has 2 shards"*"at most 4"* ]]
	ryde-admin reshard s 4
	run -64 ryde-admin reshard s 1
	[[ $output == *"has 4 shards"*"at least 2"* ]]
	[ "$(cat log)" = 'UpdateShardCount done' ]
	AWS_MAX_ATTEMPTS=2 run -69 ryde-admin reshard s 8
	[[ $output == *LimitExceededException* ]]
	run -66 ryde-admin reshard other 2
}

@test "a stream on demand is not resharded by hand: 64" {
	serve kinesis_reshard '{"shards":4,"on_demand":true}'
	run -64 ryde-admin reshard s 8
	[[ $output == *"on demand"* ]]
	[ ! -s log ]
}
