#!/usr/bin/env python3
"""A Kinesis that is asked for records, with what can become of a stream under its reader: iterators expire, the stream is
deleted, a closed shard never says that it has ended, readers are refused.
usage: kinesis_poll.py PORT-FILE PLAN LOG

PLAN is JSON, read anew for each request: {"shards": [{"records": N, "closed": true, "endless": true, "parents": [INDEX...]}],
"page": N, "pad": N more bytes a record, "expired_before": T, "gone": true}. Iterators that were given before T (seconds
since 1970) have expired; a closed shard that is endless goes on giving iterators, and no records. LOG gets a line a request:
its name, the shard, and the error."""
import base64
import http.server
import json
import os
import sys
import time

PORT_FILE, PLAN, LOG = sys.argv[1:4]
BASE = 49590338271490256608559692538361571095921575989136588898


def plan():
    with open(PLAN, encoding="utf-8") as f:
        return json.load(f)


class Refused(Exception):
    """An error in place of an answer."""


def shard_id(i):
    return "shardId-%012d" % i


def seq(shard, n):
    return BASE + (shard << 32) + 10 * n


def record(p, shard, n):
    data = json.dumps({"shard": shard, "n": n, "pad": "x" * p.get("pad", 0)}, separators=(",", ":")).encode()
    return {"SequenceNumber": str(seq(shard, n)), "ApproximateArrivalTimestamp": 1764000000 + n / 1000,
            "Data": base64.b64encode(data).decode(), "PartitionKey": "k%d" % shard}


def iterator(p, ask):
    shard = int(ask["ShardId"][-12:])
    kind = ask["ShardIteratorType"]
    if kind == "LATEST":
        at = p["shards"][shard]["records"]
    elif kind in ("TRIM_HORIZON", "AT_TIMESTAMP"):
        at = 0
    else:
        number = int(ask["StartingSequenceNumber"]) - seq(shard, 0)
        at = max(0, -(-number // 10) if kind == "AT_SEQUENCE_NUMBER" else number // 10 + 1)
    return {"ShardIterator": "%d:%d:%f" % (shard, at, time.time())}


def records(p, ask):
    shard, at, given = ask["ShardIterator"].split(":")
    shard, at = int(shard), int(at)
    mine = p["shards"][shard]
    if float(given) < p.get("expired_before", 0):
        raise Refused("ExpiredIteratorException")
    n = max(0, min(p.get("page", 100), ask.get("Limit", 10000), mine["records"] - at))
    tip = at + n >= mine["records"]
    answer = {"Records": [record(p, shard, at + i) for i in range(n)], "MillisBehindLatest": 0 if tip else 1000}
    if mine.get("closed") and tip and not mine.get("endless"):
        answer["ChildShards"] = [{"ShardId": shard_id(i)} for i, s in enumerate(p["shards"]) if shard in s.get("parents", [])]
    else:
        answer["NextShardIterator"] = "%d:%d:%f" % (shard, at + n, time.time())
    return answer


def list_shards(p):
    return {"Shards": [dict({"ShardId": shard_id(i), "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"},
                             "SequenceNumberRange": dict({"StartingSequenceNumber": str(seq(i, 0))}, **(
                                 {"EndingSequenceNumber": str(seq(i, s["records"]))} if s.get("closed") else {}))},
                            **dict(zip(("ParentShardId", "AdjacentParentShardId"), map(shard_id, s.get("parents", [])))))
                       for i, s in enumerate(p["shards"])]}


def answer(operation, ask):
    p = plan()
    if p.get("gone"):
        raise Refused("ResourceNotFoundException")
    if operation == "DescribeStreamSummary":
        return {"StreamDescriptionSummary": {"StreamName": ask["StreamName"], "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24,
                                             "StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/" + ask["StreamName"]}}
    if operation == "ListShards":
        return list_shards(p)
    if operation == "GetShardIterator":
        return iterator(p, ask)
    if operation == "GetRecords":
        return records(p, ask)
    raise Refused("UnknownOperationException")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        ask = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].split(".")[1]
        said = "fine"
        try:
            status, body = 200, answer(operation, ask)
        except Refused as r:
            said = str(r)
            status, body = 400, {"__type": said, "message": "as planned"}
        with open(LOG, "a", encoding="utf-8") as log:
            log.write("%s %s %s\n" % (operation, ask.get("ShardId") or ask.get("ShardIterator", "-").split(":")[0], said))
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(PORT_FILE + ".new", "w", encoding="utf-8") as ready:
    ready.write(str(server.server_port))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
