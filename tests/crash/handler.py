#!/usr/bin/python3
"""A kept handler (ryde-process --keep --event lambda) whose effects can be looked up: each record, or each window's sum, is
a line of FILE that is on disk before it answers. usage: handler partial|tumble FILE"""
import base64
import json
import os
import sys

form, path = sys.argv[1:3]
out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
tried = set()


def store(lines):
    """One write, so that a kill leaves no half of a line behind a whole one."""
    if lines:
        os.write(out, ("".join(line + "\n" for line in lines)).encode())
        os.fsync(out)


def partial(event):
    """Every 97th record fails when it is first seen: what stands before it is stored, and must not be lost."""
    lines = []
    for record in event["Records"]:
        number = record["kinesis"]["sequenceNumber"]
        if int(number.replace(".", "")) % 97 == 0 and number not in tried:
            tried.add(number)
            store(lines)
            return {"batchItemFailures": [{"itemIdentifier": number}]}
        lines.append(base64.b64decode(record["kinesis"]["data"]).decode().rstrip("\n"))
    store(lines)
    return {"batchItemFailures": []}


def tumble(event):
    """Adds numbers up; the sum is stored when the window is closed."""
    state = event["state"]
    for record in event["Records"]:
        state["n"] = state.get("n", 0) + 1
        state["sum"] = state.get("sum", 0) + int(json.loads(base64.b64decode(record["kinesis"]["data"]))["id"][1:])
    if event["isFinalInvokeForWindow"]:
        store([json.dumps([event["shardId"], event["window"]["start"], state.get("n", 0), state.get("sum", 0)])])
    return {"state": state}


for text in sys.stdin:
    print(json.dumps({"partial": partial, "tumble": tumble}[form](json.loads(text))), flush=True)
