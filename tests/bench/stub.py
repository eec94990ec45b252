#!/usr/bin/env python3
"""A Kinesis that does nothing: every PutRecords is a success, every GetRecords the same page of 10,000 records, at
once, and a subscription PAGES * 10 events of 1,000 records. It serves to measure clients alone. usage: stub.py PORT-FILE PAGES   (then the shard has ended)"""
import base64
import os
import socket
import struct
import sys
import threading
import zlib

PAGES = int(sys.argv[2])
ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
SEQ = "49590338271490256608559692538361571095921575989136588898"
line = ('{"Name":"Shadowfax","StatusTime":"2026-11-23 14:00:00.000","Latitude":40.749167,"Longitude":-73.985184,'
        '"Distance":30.2,"MagicPoints":150,"HealthPoints":150,"n":%d}')
puts = {}


def put(n):
    if n not in puts:
        puts[n] = b'{"FailedRecordCount":0,"Records":[' + b",".join(
            [b'{"SequenceNumber":"' + SEQ.encode() + b'","ShardId":"shardId-000000000000"}'] * n) + b"]}"
    return puts[n]


records = ",".join('{"SequenceNumber":"%s","ApproximateArrivalTimestamp":1.7E9,"Data":"%s","PartitionKey":"Shadowfax"}' % (
    str(int(SEQ) + i), base64.b64encode((line % (1000000 + i)).encode()).decode()) for i in range(10000))
one_record = records[:records.index("},") + 1]
fixed = {
    b"DescribeStreamSummary": ('{"StreamDescriptionSummary":{"StreamName":"s","StreamARN":"%s","StreamStatus":"ACTIVE",'
                               '"RetentionPeriodHours":24,"OpenShardCount":1}}' % ARN).encode(),
    b"DescribeStream": ('{"StreamDescription":{"StreamName":"s","StreamARN":"%s","StreamStatus":"ACTIVE","Shards":[],'
                        '"HasMoreShards":false,"RetentionPeriodHours":24,"EnhancedMonitoring":[]}}' % ARN).encode(),
    b"ListShards": b'{"Shards":[{"ShardId":"shardId-000000000000","HashKeyRange":{"StartingHashKey":"0","EndingHashKey":'
                   b'"340282366920938463463374607431768211455"},"SequenceNumberRange":{"StartingSequenceNumber":"1"}}]}',
    b"DescribeStreamConsumer": ('{"ConsumerDescription":{"ConsumerName":"c","ConsumerARN":"%s/consumer/c:1",'
                                '"ConsumerStatus":"ACTIVE"}}' % ARN).encode(),
    b"GetShardIterator": b'{"ShardIterator":"0"}',
}


def page(body):
    at = int(body.split(b'"ShardIterator"')[1].split(b'"')[1])
    next_ = '"NextShardIterator":"%d",' % (at + 1) if at + 1 < PAGES else ""
    return ('{"MillisBehindLatest":%d,%s"Records":[' % (1000 if next_ else 0, next_) + records + "]}").encode()


def event(payload):
    """A message of an event stream, as a chunk of HTTP/1.1."""
    headers = b"".join(bytes([len(k)]) + k + b"\x07" + struct.pack(">H", len(v)) + v for k, v in (
        (b":message-type", b"event"), (b":event-type", b"SubscribeToShardEvent"),
        (b":content-type", b"application/x-amz-json-1.1")))
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    whole = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    whole += struct.pack(">I", zlib.crc32(whole))
    return b"%x\r\n" % len(whole) + whole + b"\r\n"


def subscribe(c):
    part = ('{"MillisBehindLatest":1000,"ContinuationSequenceNumber":"%s","Records":[' % SEQ +
            ",".join(one_record for _ in range(1000)) + "]}").encode()
    one = event(part)
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(PAGES * 10 - 1):
        c.sendall(one)
    c.sendall(event(part.replace(b'"%s","Records' % SEQ.encode(), b'null,"Records')) + b"0\r\n\r\n")


def serve(c):
    buf = b""
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        while b"\r\n\r\n" not in buf:
            d = c.recv(262144)
            if not d:
                return c.close()
            buf += d
        head, buf = buf.split(b"\r\n\r\n", 1)
        low = head.lower()
        n = int(low.split(b"content-length:")[1].split(b"\r\n")[0]) if b"content-length:" in low else 0
        if b"expect: 100-continue" in low:
            c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        parts = [buf]
        have = len(buf)
        while have < n:
            d = c.recv(1048576)
            if not d:
                return c.close()
            parts.append(d)
            have += len(d)
        buf = b"".join(parts)
        body, buf = buf[:n], buf[n:]
        op = low.split(b"x-amz-target:")[1].split(b"\r\n")[0].split(b".")[-1].strip()
        answer = {k.lower(): v for k, v in fixed.items()}.get(op)
        if op == b"putrecords":
            answer = put(body.count(b'"PartitionKey"'))
        elif op == b"getrecords":
            answer = page(body)
        elif op == b"subscribetoshard":
            subscribe(c)
            continue
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nx-amzn-RequestId: 1\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(answer) + answer)


s = socket.create_server(("127.0.0.1", 0), backlog=64)
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(s.getsockname()[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
