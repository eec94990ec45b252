#!/usr/bin/env python3
"""A Kinesis that is resharded: UpdateShardCount, SplitShard and MergeShards take their time, in which the stream is UPDATING,
and are refused as the service refuses them. There is one stream, and nobody reads or writes.
usage: kinesis_reshard.py PORT-FILE PLAN LOG

PLAN is JSON, read once: {"shards": N, "on_demand": true, "looks": how often it is seen UPDATING, "per_day": how many
UpdateShardCount it takes (10), "refuse": [ERROR...] what the next orders are answered with, "stream": its name}. LOG gets a
line an order: its name and what came of it."""
import http.server
import json
import os
import sys

PORT_FILE, PLAN, LOG = sys.argv[1:4]
TOP = 1 << 128
with open(PLAN, encoding="utf-8") as plan_file:
    PLAN = json.load(plan_file)
NAME = PLAN.get("stream", "s")
shards = []  # {"id", "first", "last", "parents", "open"}
updating = 0
updates = 0


class Refused(Exception):
    """An error in place of an answer."""


def add(first, last, parents=()):
    shards.append({"id": "shardId-%012d" % len(shards), "first": first, "last": last, "parents": list(parents), "open": True})


def open_ones():
    return sorted((s for s in shards if s["open"]), key=lambda s: s["first"])


def find(name):
    for s in shards:
        if s["id"] == name:
            if not s["open"]:
                raise Refused("InvalidArgumentException")
            return s
    raise Refused("ResourceNotFoundException")


def split(s, at):
    if not s["first"] < at <= s["last"]:
        raise Refused("InvalidArgumentException")
    s["open"] = False
    add(s["first"], at - 1, [s["id"]])
    add(at, s["last"], [s["id"]])


def merge(a, b):
    if a["last"] + 1 != b["first"] and b["last"] + 1 != a["first"]:
        raise Refused("InvalidArgumentException")
    a["open"] = b["open"] = False
    add(min(a["first"], b["first"]), max(a["last"], b["last"]), [a["id"], b["id"]])


def update(target):
    """To so many shards of equal width, by splits and merges."""
    global updates
    now = len(open_ones())
    if PLAN.get("on_demand"):
        raise Refused("ValidationException")
    if target > 2 * now or 2 * target < now:
        raise Refused("InvalidArgumentException")
    if updates >= PLAN.get("per_day", 10):
        raise Refused("LimitExceededException")
    updates += 1
    while len(open_ones()) < target:
        widest = max(open_ones(), key=lambda s: s["last"] - s["first"])
        split(widest, (widest["first"] + widest["last"]) // 2 + 1)
    while len(open_ones()) > target:
        merge(*open_ones()[:2])


def order(operation, ask):
    global updating
    if PLAN.get("refuse"):
        raise Refused(PLAN["refuse"].pop(0))
    if updating > 0:
        raise Refused("ResourceInUseException")
    if operation == "UpdateShardCount":
        if ask["ScalingType"] != "UNIFORM_SCALING":
            raise Refused("ValidationException")
        update(ask["TargetShardCount"])
    elif operation == "SplitShard":
        split(find(ask["ShardToSplit"]), int(ask["NewStartingHashKey"]))
    else:
        merge(find(ask["ShardToMerge"]), find(ask["AdjacentShardToMerge"]))
    updating = PLAN.get("looks", 3)
    return {}


def describe():
    global updating
    status = "UPDATING" if updating > 0 else "ACTIVE"
    updating = max(0, updating - 1)
    return {"StreamDescriptionSummary": {
        "StreamName": NAME, "StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/" + NAME, "StreamStatus": status,
        "StreamModeDetails": {"StreamMode": "ON_DEMAND" if PLAN.get("on_demand") else "PROVISIONED"},
        "RetentionPeriodHours": 24, "OpenShardCount": len(open_ones())}}


def listed(s):
    numbers = {"StartingSequenceNumber": "1"}
    if not s["open"]:
        numbers["EndingSequenceNumber"] = "9"
    return dict({"ShardId": s["id"], "HashKeyRange": {"StartingHashKey": str(s["first"]), "EndingHashKey": str(s["last"])},
                 "SequenceNumberRange": numbers}, **dict(zip(("ParentShardId", "AdjacentParentShardId"), s["parents"])))


def answer(operation, ask):
    if operation == "ListShards":  # two a page
        at = int(ask.get("NextToken", 0))
        page = {"Shards": [listed(s) for s in shards[at:at + 2]]}
        return dict(page, NextToken=str(at + 2)) if len(shards) > at + 2 else page
    if ask["StreamName"] != NAME:
        raise Refused("ResourceNotFoundException")
    if operation == "DescribeStreamSummary":
        return describe()
    said = "done"
    try:
        return order(operation, ask)
    except Refused as r:
        said = str(r)
        raise
    finally:
        with open(LOG, "a", encoding="utf-8") as log:
            log.write("%s %s\n" % (operation, said))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        ask = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, body = 200, answer(self.headers["X-Amz-Target"].split(".")[1], ask)
        except Refused as r:
            status, body = 400, {"__type": str(r), "message": "as planned"}
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


for i in range(PLAN["shards"]):
    add(TOP * i // PLAN["shards"], TOP * (i + 1) // PLAN["shards"] - 1)
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open(PORT_FILE + ".new", "w", encoding="utf-8") as ready:
    ready.write(str(server.server_port))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
