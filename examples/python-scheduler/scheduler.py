#!/usr/bin/env python3
"""Runs one shell command on a cluster, through the scheduler API and nothing else.

    python3 scheduler.py --master=127.0.0.1:5050 'echo hello; exit 3'

The exit status is the command's own: 128 and the signal's number if a signal
ended it, and 1 if it is not known how it ended.
"""

import argparse
import base64
import getpass
import http.client
import json
import os
import random
import re
import signal
import sys
import time
import urllib.parse
import uuid

PATH = "/api/v1/scheduler"
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
# States after which nothing more happens to a task.
ENDS = {"TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_ERROR", "TASK_LOST",
        "TASK_DROPPED", "TASK_GONE", "TASK_GONE_BY_OPERATOR"}


class Ended(Exception):
    """The framework's end; status is for the process to exit with."""

    def __init__(self, status):
        super().__init__()
        self.status = status


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def exit_status(status):
    """What a shell would put into $? for the task's last status."""
    message = status.get("message", "")
    if found := re.search(r"exited with status (\d+)$", message):
        return int(found[1])
    if found := re.search(r"terminated with signal ([^(]+)", message):
        for number in signal.Signals:
            if signal.strsignal(number) == found[1].strip():
                return 128 + number
    return 0 if status["state"] == "TASK_FINISHED" else 1


def records(stream):
    """The records of a RecordIO stream: a length in decimal, a line feed, so many bytes."""
    while line := stream.readline():
        if line == b"\n":
            continue
        record = stream.read(int(line))
        if len(record) < int(line):
            return
        yield json.loads(record)


class Scheduler:
    def __init__(self, masters, name, command, cpus, mem, principal=None, secret=None):
        self.masters = masters
        self.headers = dict(JSON)
        if secret:
            self.headers["Authorization"] = "Basic " + base64.b64encode(f"{principal}:{secret}".encode()).decode()
        self.needs = {"cpus": cpus, "mem": mem}
        self.info = {"user": getpass.getuser(), "name": name, "roles": ["*"], "failover_timeout": 60.0,
                     "capabilities": [{"type": "MULTI_ROLE"}, {"type": "RESERVATION_REFINEMENT"}]}
        if principal:
            self.info["principal"] = principal
        self.task = {"name": name, "task_id": {"value": str(uuid.uuid4())}, "command": {"value": command}}
        self.launched = False
        self.leader = self.stream_id = self.stream = None

    def run(self):
        """Subscribes until the task has ended; waits longer and longer while nobody leads."""
        pause, attempt = 0.5, 0
        while True:
            address = self.leader or self.masters[attempt % len(self.masters)]
            try:
                for event in self.subscribe(address):
                    pause = 0.5
                    self.handle(event)
                say("the stream ended")
            except (OSError, http.client.HTTPException, ValueError) as error:
                say(f"{address}: {error}")
            self.leader, attempt = None, attempt + 1
            time.sleep(random.uniform(0, pause))
            pause = min(2 * pause, 15)

    def post(self, address, call, headers, timeout):
        connection = http.client.HTTPConnection(address, timeout=timeout)
        connection.request("POST", PATH, json.dumps(call), {**self.headers, **headers})
        return connection, connection.getresponse()

    def subscribe(self, address):
        """The events of a new subscription, from whoever leads. It lasts until the next."""
        call = {"type": "SUBSCRIBE", "subscribe": {"framework_info": self.info}}
        if "id" in self.info:
            call["framework_id"] = self.info["id"]
        for _ in range(5):
            connection, answer = self.post(address, call, {}, timeout=75)  # five heartbeats
            if answer.status != 307:
                break
            address = urllib.parse.urlsplit(answer.headers["Location"]).netloc
        if answer.status != 200:
            words = f"{answer.status} {answer.read().decode().strip()}"
            connection.close()
            if answer.status in (401, 403):  # nor would it help to ask again
                say(f"{address}: {words}")
                raise Ended(1)
            raise OSError(words)
        self.leader, self.stream_id, self.stream = address, answer.headers["Mesos-Stream-Id"], (connection, answer)
        return records(answer)

    def call(self, kind, **part):
        """Says something on a connection of its own; the subscription's is busy."""
        call = {"type": kind, "framework_id": self.info["id"], **part}
        connection, answer = self.post(self.leader, call, {"Mesos-Stream-Id": self.stream_id}, timeout=15)
        text = answer.read().decode().strip()
        connection.close()
        if answer.status not in (200, 202):
            raise OSError(f"{kind}: {answer.status} {text}")

    def handle(self, event):
        if event["type"] == "SUBSCRIBED":
            self.info["id"] = event["subscribed"]["framework_id"]
            say("subscribed as", self.info["id"]["value"])
            if self.launched:  # what happened meanwhile
                self.call("RECONCILE", reconcile={"tasks": [{"task_id": self.task["task_id"]}]})
        elif event["type"] == "OFFERS":
            for offer in event["offers"]["offers"]:
                self.offered(offer)
        elif event["type"] == "UPDATE":
            self.updated(event["update"]["status"])
        elif event["type"] == "ERROR":
            say("refused:", event["error"]["message"])
            raise Ended(1)

    def offered(self, offer):
        free = {r["name"]: r["scalar"]["value"] for r in offer["resources"]
                if r["type"] == "SCALAR" and not r.get("reservations") and not r.get("disk")}
        answer = {"offer_ids": [offer["id"]], "filters": {"refuse_seconds": 5.0}}
        if self.launched or any(free.get(name, 0) < need for name, need in self.needs.items()):
            self.call("DECLINE", decline=answer)
            return
        self.task["agent_id"] = offer["agent_id"]
        self.task["resources"] = [{"name": name, "type": "SCALAR", "scalar": {"value": need}}
                                  for name, need in self.needs.items()]
        answer["operations"] = [{"type": "LAUNCH", "launch": {"task_infos": [self.task]}}]
        self.launched = True
        self.call("ACCEPT", accept=answer)
        self.call("SUPPRESS", suppress={})

    def updated(self, status):
        say(self.task["name"], status["state"], status.get("message", ""))
        if "uuid" in status:  # else nobody waits for an answer
            self.call("ACKNOWLEDGE", acknowledge={
                "agent_id": status["agent_id"], "task_id": status["task_id"], "uuid": status["uuid"]})
        if status["state"] in ENDS:
            raise Ended(exit_status(status))

    def teardown(self):
        """Ends the framework; without a leader the master does, after failover_timeout."""
        if self.leader and "id" in self.info:
            self.call("TEARDOWN")


def interrupted(number, _):
    raise Ended(128 + number)


def main():
    options = argparse.ArgumentParser(description="Runs one shell command on a cluster.")
    options.add_argument("--master", default="127.0.0.1:5050", help="host:port of the masters, with commas between")
    options.add_argument("--name", default="python")
    options.add_argument("--cpus", type=float, default=0.1)
    options.add_argument("--mem", type=float, default=32, help="in MB")
    options.add_argument("--principal", default=os.environ.get("TROUPE_PRINCIPAL"), help="who to be, where the masters ask for credentials; or TROUPE_PRINCIPAL")
    options.add_argument("--secret", default=os.environ.get("TROUPE_SECRET"), help="the principal's secret; better TROUPE_SECRET, which others do not see")
    options.add_argument("command", help="a line for the shell")
    given = options.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    scheduler = Scheduler(given.master.split(","), given.name, given.command, given.cpus, given.mem, given.principal, given.secret)
    try:
        scheduler.run()
    except Ended as end:
        try:
            scheduler.teardown()
        except OSError as error:
            say(error)
        return end.status


if __name__ == "__main__":
    sys.exit(main())
