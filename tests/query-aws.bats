# ryde-query --engine athena and dynamodb, against a stub of both.
bats_require_minimum_version 1.5.0

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export RYDE_DATA=$PWD/store RYDE_RUN=$PWD/run TMPDIR=$PWD/tmp
	export AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=secret AWS_REGION=us-east-1
	export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
	unset AWS_PROFILE AWS_SESSION_TOKEN RYDE_STORE
	mkdir tmp far
	python3 "$BATS_TEST_DIRNAME/peers/stubs/athena" far > stub.log 2>&1 3>&- &
	stub=$!
	until_ok test -s far/port
	AWS_ENDPOINT_URL=http://127.0.0.1:$(cat far/port)
	export AWS_ENDPOINT_URL
}

teardown() {
	kill "$stub" 2> /dev/null || :
	[ -z "$(ls tmp)" ]
}

load wait

answers() { cat > far/answers; }
athena() { timeout 60 ryde-query --engine athena "$@"; }
called() { jq -r .operation far/calls | uniq -c | sed 's/^ *//'; }

rides='{"columns":[["name","varchar"],["n","bigint"],["d","double"],["on","boolean"],["at","timestamp"],["x","decimal"],["a","array"]],
	"rows":[["Shadowfax","12","3.05","true","2026-11-23 14:00:00.000","0.10","[1, 2]"],["","-1","NaN",null,null,"12345678901234567890.5",null]],
	"scanned":123456789}'

@test "athena: typed rows without the header, NULL and empty text apart, and what it cost" {
	answers <<< "{\"wild\":$rides}"
	run -0 --separate-stderr athena 'SELECT * FROM wildrydes'
	[ "${lines[0]}" = '{"name":"Shadowfax","n":12,"d":3.05,"on":true,"at":"2026-11-23 14:00:00.000","x":0.10,"a":"[1, 2]"}' ]
	[ "${lines[1]}" = '{"name":"","n":-1,"d":"NaN","on":null,"at":null,"x":12345678901234567890.5,"a":null}' ]
	[[ $stderr == *'scanned 123456789 bytes: about 0.000617 USD'* ]]
	[ "$(athena -q -o csv 'SELECT * FROM wildrydes' | tail -n 1 | tr -d '\r')" = '"",-1,NaN,,,12345678901234567890.5,' ]
	[ "$(athena -q --stats 'SELECT * FROM wildrydes' 2>&1 > /dev/null | jq -c '[.in,.handled,.out,.bytesScanned]')" = '[2,2,2,123456789]' ]
}

@test "athena: workgroup, database, results and a token are sent; it is looked at until it has ended" {
	answers <<< "{\"wild\":$rides}"
	athena -q --workgroup wg --database db --results s3://results/here/ -o csv 'SELECT "q" FROM wildrydes;' > out
	head -n 1 far/calls | jq -c 'del(.ClientRequestToken)' > start
	[ "$(cat start)" = '{"operation":"StartQueryExecution","QueryString":"SELECT \"q\" FROM wildrydes","QueryExecutionContext":{"Database":"db"},"ResultConfiguration":{"OutputLocation":"s3://results/here/"},"WorkGroup":"wg"}' ]
	[ "$(called)" = '1 StartQueryExecution
5 GetQueryExecution
1 GetQueryResults' ]
}

@test "athena: a large result comes from its file, or page by page where that is not to be had" {
	python3 - > far/answers <<- 'E'
		import json
		rows = [[str(i), None if i % 3 == 0 else "" if i % 3 == 1 else 'a "b",\n%d' % i] for i in range(2500)]
		print(json.dumps({"big": {"columns": [["i", "integer"], ["t", "varchar"]], "rows": rows, "states": []},
		                  "managed": {"columns": [["i", "integer"], ["t", "varchar"]], "rows": rows, "states": [], "managed": True}}))
	E
	athena -q 'SELECT big' > by_file
	[ "$(called | tail -n 2)" = '1 GetQueryResults
1 GET' ]
	athena -q 'SELECT managed' > by_page
	touch far/denied
	athena -q 'SELECT big' > by_page_too
	cmp by_file by_page
	cmp by_file by_page_too
	[ "$(wc -l < by_file)" = 2500 ]
	[ "$(head -n 3 by_file)" = '{"i":0,"t":null}
{"i":1,"t":""}
{"i":2,"t":"a \"b\",\n2"}' ]
}

@test "athena: statements without a header; several of them" {
	answers <<< '{"SHOW":{"columns":[["tab_name","string"]],"rows":[["tab_name"],["rides"]],"type":"DDL"},"CREATE":{"columns":[],"rows":[],"type":"DDL"}}'
	[ "$(athena -q "CREATE EXTERNAL TABLE x (a int) LOCATION 's3://b/;'; SHOW TABLES;" | jq -r .tab_name | tr '\n' ' ')" = 'tab_name rides ' ]
}

@test "athena: what fails: the statement 64, Athena 69, no permission 77" {
	answers <<< '{"mine":{"columns":[],"rows":[],"fails":[2,"SYNTAX_ERROR: Column x cannot be resolved"]},"theirs":{"columns":[],"rows":[],"fails":[1,"INTERNAL_ERROR"]}}'
	run -64 --separate-stderr athena 'SELECT mine'
	[[ $stderr == *'Column x cannot be resolved'* ]]
	run -69 --separate-stderr athena 'SELECT theirs'
	[[ $stderr == *INTERNAL_ERROR* ]]
	run -64 --separate-stderr athena 'bad syntax'
	[[ $stderr == *'mismatched input'* ]]
	run -64 athena --follow 'SELECT 1'
	run -64 ryde-query --engine oracle 'SELECT 1'
}

@test "athena: a signal stops the statement there: 75" {
	answers <<< '{"long":{"columns":[],"rows":[],"states":["FOREVER"]}}'
	ryde-query --engine athena 'SELECT long' 2> err &
	pid=$!
	until_ok grep -q GetQueryExecution far/calls
	# a background job of a shell ignores SIGINT; SIGTERM means the same
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ "$status" = 75 ]
	[ "$(jq -r .operation far/calls | tail -n 1)" = StopQueryExecution ]
	grep -q interrupted err
}

@test "athena: --max-scan refuses what is known to scan more, and stops what turns out to" {
	mkdir -p far/s3/lake/raw/sub far/s3/lake/rawer
	head -c 3000 /dev/zero > far/s3/lake/raw/a
	head -c 2000 /dev/zero > far/s3/lake/raw/sub/b
	head -c 9000 /dev/zero > far/s3/lake/rawer/c
	answers <<- 'E'
		{"SHOW CREATE TABLE `rides`":{"columns":[["createtab_stmt","string"]],"type":"DDL","states":[],
		  "rows":[["CREATE EXTERNAL TABLE `rides`("],["  `name` string COMMENT 'from deserializer')"],["LOCATION"],["  's3://lake/raw'"],["TBLPROPERTIES ('a'='b')"]]},
		 "SHOW CREATE TABLE `db`.`parts`":{"columns":[["createtab_stmt","string"]],"type":"DDL","states":[],
		  "rows":[["CREATE EXTERNAL TABLE `parts`("],["  `n` string)"],["PARTITIONED BY (`dt` string)"],["LOCATION 's3://lake/raw'"]]},
		 "SHOW CREATE TABLE `v`":{"columns":[],"rows":[],"fails":[2,"v is a view"],"states":[]},
		 "grows":{"columns":[["n","integer"]],"rows":[["1"]],"scanned":6000,"states":["FOREVER"]},
		 "SELECT":{"columns":[["n","integer"]],"rows":[["1"]],"scanned":10}}
	E
	run -65 --separate-stderr athena --max-scan 4k 'SELECT 1 FROM rides'
	[[ $stderr == *'would scan 5000 bytes'* ]]
	! grep -q '"QueryString": "SELECT' far/calls
	[ "$(athena -q --max-scan 5k 'SELECT 1 FROM rides')" = '{"n":1}' ]
	[ "$(athena -q --max-scan 1k 'SELECT 1 FROM db.parts JOIN "v" USING (n)')" = '{"n":1}' ]
	run -65 --separate-stderr athena --max-scan 5k 'SELECT grows'
	[[ $stderr == *'has scanned 6000 bytes'* ]]
	[ "$(jq -r .operation far/calls | tail -n 1)" = StopQueryExecution ]
}

@test "dynamodb: a statement is paged to its end, numbers as they are" {
	cat > far/items <<- 'E'
		[{"Name":{"S":"a"},"d":{"N":"0.10000000000000000000000000000000000001"}},{"Name":{"S":"b"},"on":{"BOOL":true}},
		 {"Name":{"S":"c"},"d":{"N":"3"},"l":{"L":[{"N":"1.50"},{"NULL":true}]}},{"Name":{"S":"d"},"s":{"SS":["x","y"]}},{"Name":{"S":"e"}}]
	E
	ryde-query --engine dynamodb "SELECT * FROM \"rides\" WHERE begins_with(Name, 'a')" > out
	[ "$(head -n 3 out)" = '{"Name":"a","d":0.10000000000000000000000000000000000001,"on":null,"l":null,"s":null}
{"Name":"b","d":null,"on":true,"l":null,"s":null}
{"Name":"c","d":3,"on":null,"l":[1.50,null],"s":null}' ]
	[ "$(wc -l < out)" = 5 ]
	head -n 1 far/calls | jq -e '.Statement == "SELECT * FROM \"rides\" WHERE begins_with(Name, '"'a'"')" and (.NextToken | not)'
	[ "$(ryde-query --engine dynamodb -o csv "SELECT d, gone FROM rides" | sed -n '1p;4p' | tr -d '\r')" = 'd,gone
3,' ]
	run -64 ryde-query --engine dynamodb "DELETE FROM rides WHERE Name = 'a'"
	[[ $output == *SELECT* ]]
	run -66 ryde-query --engine dynamodb "SELECT a.b FROM nothere"
}
