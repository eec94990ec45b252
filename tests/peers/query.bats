# ryde-query over tables and streams on AWS: scans, lookups by key, streams read to where they have caught up.
bats_require_minimum_version 1.5.0
load engines.bash

setup_file() { engine_file_setup aws; }
teardown_file() { engine_file_teardown; }
setup() { engine_setup aws; }

rides() {
	ryde-admin create table rides --key Name --sort StatusTime
	ryde-unicorn -c 3 -m 300 --fast --seed 7 --start '2026-11-23 14:00:00' > in
	ryde-put rides in
}

@test "any SQL over a table and a stream: the same answers as over the lines" {
	rides
	ryde-admin create stream s --shards 2
	ryde-produce -k .Name s in
	sql='SELECT Name, count(*) AS n, sum(Distance) AS d, max(MagicPoints) AS m FROM %s GROUP BY Name ORDER BY Name'
	# shellcheck disable=SC2059
	for from in rides '"aws:rides"' s '"stream:s"'; do
		[ "$(ryde-query "$(printf "$sql" "$from")")" = "$(ryde-query "$(printf "$sql" '"./in"')")" ]
	done
	[ "$(ryde-query 'SELECT count(DISTINCT sequenceNumber) AS n, count(DISTINCT shardId) AS k FROM s')" = '{"n":300,"k":2}' ]
	run -66 ryde-query 'SELECT * FROM ride'
	[[ $output == *rides* ]]
}

@test "SELECT with the key goes to Query, whoever runs the SQL; --engine sqlite scans" {
	rides
	want=$(grep '"Name":"Shadowfax"' in | jq -cS . | sort)
	for engine in '' '--engine dynamodb' '--engine sqlite'; do
		# shellcheck disable=SC2086
		[ "$(ryde-query $engine "SELECT * FROM rides WHERE Name = 'Shadowfax'" | jq -cS . | sort)" = "$want" ]
	done
	first=$(jq -r 'select(.Name == "Shadowfax") | .StatusTime' in | sed -n 3p)
	[ "$(ryde-query "SELECT StatusTime FROM rides WHERE Name = 'Shadowfax' AND StatusTime <= '$first' LIMIT 9" | grep -c .)" = 3 ]
	for op in "<= '$first'" "BETWEEN '2026' AND '$first'" "> '$first'" ">= '$first'" "= '$first'" "< '$first'"; do
		ryde-query --engine dynamodb "SELECT Distance, StatusTime FROM rides WHERE Name = 'Shadowfax' AND StatusTime $op" > a
		ryde-query --engine sqlite "SELECT Distance, StatusTime FROM rides WHERE Name = 'Shadowfax' AND StatusTime $op" > b
		cmp <(sort a) <(sort b)
	done
	ryde-query --stats "SELECT * FROM rides WHERE Name = 'Shadowfax'" 2> stats > out
	[ "$(jq .in stats)" = "$(grep -c . out)" ]
	[ "$(ryde-query "SELECT Name, nothing FROM rides WHERE Name = 'Nobody'")" = '' ]
	[ "$(ryde-query -o csv "SELECT nothing, Name FROM rides WHERE Name = 'Shadowfax'" | sed -n 2p | tr -d '\r')" = ',Shadowfax' ]
	run -66 ryde-query --engine dynamodb "SELECT * FROM nothere WHERE k = 'x'"
}

@test "numbers come back as they are; keys that are numbers; odd names and texts" {
	cli_table='{"TableName":"nums","AttributeDefinitions":[{"AttributeName":"k","AttributeType":"N"}],"KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"}'
	dynamodb CreateTable "$cli_table" > /dev/null
	printf '%s\n' '{"k":1,"x":12345678901234567890123456789012345678,"t":true,"l":[1.50]}' '{"k":-2.5,"x":0.1}' | ryde-put nums
	[ "$(ryde-query 'SELECT x, t FROM nums WHERE k = 1')" = '{"x":12345678901234567890123456789012345678,"t":true}' ]
	[ "$(ryde-query --engine dynamodb 'SELECT x FROM nums WHERE k = -2.5;')" = '{"x":0.1}' ]
	ryde-admin create table odd --key 'a b'
	printf '%s\n' '{"a b":"it'\''s \"q\""}' | ryde-put odd
	[ "$(ryde-query "SELECT * FROM odd WHERE \"a b\" = 'it''s \"q\"'")" = '{"a b":"it'\''s \"q\""}' ]
	# a key of the other type: no item has it
	[ "$(ryde-query "SELECT x FROM nums WHERE k = '1'")" = '' ]
}
