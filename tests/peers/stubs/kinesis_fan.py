#!/usr/bin/env python3
"""A Kinesis with enhanced fan-out, and with every fault that a stream of events can have.
usage: kinesis_fan.py PORT-FILE PLAN LOG [CERT KEY]   (with a certificate: TLS, HTTP/2 where python3-h2 is there)

PLAN is JSON, read anew for each request: {"shards": [{"records": N, "closed": true, "parents": [INDEX...], "faults":
[FAULT...], "pack": LINES}], "per_event": N, "life_s": S, "again_s": S, "gone": true where the stream was deleted}. Each
subscription to a shard takes the next one of its faults, if any is left: "crc", "prelude", "cut", "silence", "garbage",
"headers", "exception:TYPE", "error", "http:CODE:TYPE", "hangup", "gone". With "pack" each record is an aggregate of so many
lines. LOG gets a JSON line a request."""
import base64
import hashlib
import http.server
import json
import os
import socket
import struct
import sys
import threading
import time
import zlib

PORT_FILE, PLAN, LOG = sys.argv[1:4]
ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/"
BASE = 49590338271490256608559692538361571095921575989136588898
lock = threading.Lock()
consumers = {}  # name: ARN
leaving = {}    # name: how many times it is still to be seen
taken = {}      # (consumer, shard): when it was last subscribed to
spent = {}      # shard: how many of its faults are spent


def plan():
    with open(PLAN, encoding="utf-8") as f:
        return json.load(f)


def note(**what):
    with lock, open(LOG, "a", encoding="utf-8") as f:
        f.write(json.dumps(what) + "\n")


def shard_id(i):
    return "shardId-%012d" % i


def seq(shard, n):
    return BASE + (shard << 32) + 10 * n


def header(name, value):
    name, value = name.encode(), value.encode()
    return bytes([len(name)]) + name + b"\x07" + struct.pack(">H", len(value)) + value


def message(headers, payload):
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return body + struct.pack(">I", zlib.crc32(body))


def event(kind, payload):
    return message(header(":message-type", "event") + header(":event-type", kind) +
                   header(":content-type", "application/x-amz-json-1.1"), json.dumps(payload).encode())


def field(number, data):
    """Of a protocol buffer, shorter than 128 bytes or than 16384."""
    n = len(data)
    return bytes([number << 3 | 2]) + (bytes([n]) if n < 128 else bytes([n & 127 | 128, n >> 7])) + data


def packed(lines):
    """An aggregate as the KPL makes it."""
    body = field(1, b"k") + b"".join(field(3, b"\x08\x00" + field(3, line)) for line in lines)
    return b"\xf3\x89\x9a\xc2" + body + hashlib.md5(body).digest()


def line_of(**what):
    return json.dumps(what, separators=(",", ":")).encode()


def record(shard, n):
    pack = plan()["shards"][shard].get("pack")
    data = packed([line_of(shard=shard, n=n, part=i) for i in range(pack)]) if pack else line_of(shard=shard, n=n)
    return {"SequenceNumber": str(seq(shard, n)), "ApproximateArrivalTimestamp": 1764000000 + n / 1000,
            "Data": base64.b64encode(data).decode(), "PartitionKey": "k%d" % shard}


def place(shard, position, total):
    """The number of the first record to be sent."""
    kind = position["Type"]
    if kind == "LATEST":
        return total
    if kind in ("TRIM_HORIZON", "AT_TIMESTAMP"):
        return 0
    at = int(position["SequenceNumber"]) - seq(shard, 0)
    return max(0, -(-at // 10) if kind == "AT_SEQUENCE_NUMBER" else at // 10 + 1)


def broken(fault, whole):
    """The bytes of an event with a fault in them; None: the connection ends there."""
    if fault == "crc":
        return whole[:-1] + bytes([whole[-1] ^ 1])
    if fault == "prelude":
        return whole[:9] + bytes([whole[9] ^ 1]) + whole[10:]
    if fault == "garbage":
        return b"<html>Service Unavailable</html>" * 4
    if fault == "headers":
        return message(header("a", "x") * 2, b"{}")
    if fault.startswith("exception:"):
        return message(header(":message-type", "exception") + header(":exception-type", fault[10:]),
                       b'{"message":"as planned"}')
    if fault == "error":
        return message(header(":message-type", "error") + header(":error-code", "500") +
                       header(":error-message", "as planned"), b"")
    return None


def events(shard, position, fault):
    """The bytes of one subscription. An event with a fault comes in the middle of the records."""
    p = plan()
    mine, per = p["shards"][shard], p.get("per_event", 7)
    at, end = place(shard, position, mine["records"]), time.monotonic() + p.get("life_s", 300)
    yield event("initial-response", {})
    first = True
    while first or time.monotonic() < end:
        if plan().get("gone"):
            return
        mine = plan()["shards"][shard]
        n = min(per, mine["records"] - at)
        last = mine.get("closed", False) and at + n >= mine["records"]
        payload = {"Records": [record(shard, at + i) for i in range(n)],
                   # it moves on also where no records come
                   "ContinuationSequenceNumber": None if last else str(seq(shard, at + n - 1) + 3),
                   "MillisBehindLatest": 0 if at + n >= mine["records"] else 1000}
        if last:
            payload["ChildShards"] = [{"ShardId": shard_id(i)} for i, s in enumerate(plan()["shards"])
                                      if shard in s.get("parents", [])]
        whole = event("SubscribeToShardEvent", payload)
        if fault and not first:
            if fault == "silence":
                time.sleep(60)
                return
            if fault == "cut":
                yield whole[:len(whole) // 2]
                return
            if fault == "hangup":
                raise ConnectionError
            yield broken(fault, whole)
            return
        first = False
        yield whole
        at += n
        if last:
            return
        if n == 0:
            time.sleep(0.1)


class Refused(Exception):
    """An answer in place of a stream of events."""

    def __init__(self, status, kind):
        super().__init__(kind)
        self.status, self.body = status, json.dumps({"__type": kind, "message": "as planned"}).encode()


def subscribe(ask):
    """What one subscription sends; raises Refused."""
    shard, p = int(ask["ShardId"][-12:]), plan()
    if p.get("gone"):
        raise Refused(400, "ResourceNotFoundException")
    key = ask["ConsumerARN"], shard
    if ask["ConsumerARN"] not in consumers.values():
        raise Refused(400, "ResourceNotFoundException")
    with lock:
        faults = p["shards"][shard].get("faults", [])
        fault = faults[spent.get(shard, 0)] if spent.get(shard, 0) < len(faults) else ""
        spent[shard] = spent.get(shard, 0) + 1
        early = time.monotonic() - taken.get(key, -1e9) < p.get("again_s", 5) - 0.05
        if not early and not fault.startswith("http:"):
            taken[key] = time.monotonic()
    note(operation="SubscribeToShard", shard=shard, position=ask["StartingPosition"], early=early, fault=fault)
    if early:
        raise Refused(400, "ResourceInUseException")
    if fault.startswith("http:"):
        raise Refused(int(fault.split(":")[1]), fault.split(":")[2])
    if fault == "gone":
        consumers.clear()
        raise Refused(400, "ResourceNotFoundException")
    return events(shard, ask["StartingPosition"], fault)


def list_shards():
    return {"Shards": [dict({"ShardId": shard_id(i), "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"},
                             "SequenceNumberRange": dict({"StartingSequenceNumber": str(seq(i, 0))}, **(
                                 {"EndingSequenceNumber": "9"} if s.get("closed") else {}))},
                            **dict(zip(("ParentShardId", "AdjacentParentShardId"), map(shard_id, s.get("parents", [])))))
                       for i, s in enumerate(plan()["shards"])]}


def answer(operation, ask):
    """Of an operation that is answered at once."""
    if plan().get("gone"):
        raise Refused(400, "ResourceNotFoundException")
    if operation == "DescribeStreamSummary":
        return {"StreamDescriptionSummary": {"StreamName": ask["StreamName"], "StreamARN": ARN + ask["StreamName"],
                                             "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24}}
    if operation == "ListShards":
        return list_shards()
    if operation == "ListStreamConsumers":  # two a page
        at = int(ask.get("NextToken", 0))
        page = {"Consumers": [{"ConsumerName": n, "ConsumerARN": consumers[n], "ConsumerStatus": "ACTIVE",
                               "ConsumerCreationTimestamp": 1.764e9} for n in sorted(consumers)[at:at + 2]]}
        return dict(page, NextToken=str(at + 2)) if len(consumers) > at + 2 else page
    name = ask["ConsumerName"]
    if operation == "RegisterStreamConsumer":
        if name in consumers:
            raise Refused(400, "ResourceInUseException")
        consumers[name] = "%s/consumer/%s:%d" % (ask["StreamARN"], name, time.time())
        note(operation=operation, name=name)
        return {"Consumer": {"ConsumerName": name, "ConsumerARN": consumers[name], "ConsumerStatus": "CREATING"}}
    if operation == "DeregisterStreamConsumer":
        if name not in consumers:
            raise Refused(400, "ResourceNotFoundException")
        if leaving.get(name, 0) == 0:
            leaving[name] = 3
        note(operation=operation, name=name)
        return {}
    if operation == "DescribeStreamConsumer":
        if name in leaving:
            leaving[name] -= 1
            if leaving[name] == 0:
                del leaving[name], consumers[name]
        if name not in consumers:
            raise Refused(400, "ResourceNotFoundException")
        return {"ConsumerDescription": {"ConsumerName": name, "ConsumerARN": consumers[name],
                                        "ConsumerStatus": "DELETING" if name in leaving else "ACTIVE"}}
    raise Refused(400, "UnknownOperationException")


class Handler(http.server.BaseHTTPRequestHandler):
    """HTTP/1.1: one connection a subscription."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        ask = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].split(".")[1]
        try:
            if operation != "SubscribeToShard":
                self.send(200, json.dumps(answer(operation, ask)).encode())
                return
            pieces = subscribe(ask)
        except Refused as r:
            self.send(r.status, r.body)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.amazon.eventstream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for piece in pieces:
                # cut where it does not suit
                for i in range(0, len(piece), 1000):
                    part = piece[i:i + 1000]
                    self.wfile.write(b"%x\r\n" % len(part) + part + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except ConnectionError:
            self.close_connection = True
            try:
                self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(PORT_FILE + ".new", "w", encoding="utf-8") as ready:
    ready.write(str(server.server_port))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
