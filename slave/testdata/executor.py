"""An executor for the tests, written against Mesos's v1 API alone, with
nothing but Python's standard library. Each of its tasks runs until there is a
file of its name in the sandbox, and then finishes with what is in the file."""

import base64
import http.client
import json
import os
import sys
import threading
import time
import uuid

AGENT = os.environ["MESOS_AGENT_ENDPOINT"]
IDS = {
    "executor_id": {"value": os.environ["MESOS_EXECUTOR_ID"]},
    "framework_id": {"value": os.environ["MESOS_FRAMEWORK_ID"]},
}
NEEDED = [
    "MESOS_DIRECTORY", "MESOS_SANDBOX", "MESOS_SLAVE_ID", "MESOS_SLAVE_PID", "MESOS_RECOVERY_TIMEOUT",
    "MESOS_SUBSCRIPTION_BACKOFF_MAX", "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "LIBPROCESS_PORT",
]

lock = threading.Lock()
tasks = {}  # launched, without an acknowledged update: by task id
updates = {}  # not acknowledged: by uuid
running = set()


def post(call, **options):
    connection = http.client.HTTPConnection(AGENT, **options)
    connection.request("POST", "/api/v1/executor", json.dumps(dict(IDS, **call)),
                       {"Content-Type": "application/json", "Accept": "application/json"})
    return connection.getresponse()


def update(task_id, state, data=None):
    status = {
        "task_id": task_id, "state": state, "source": "SOURCE_EXECUTOR", "executor_id": IDS["executor_id"],
        "uuid": base64.b64encode(uuid.uuid4().bytes).decode(), "timestamp": time.time(),
    }
    if data is not None:
        status["data"] = base64.b64encode(data).decode()
    with lock:
        updates[status["uuid"]] = {"status": status}
    try:
        post({"type": "UPDATE", "update": {"status": status}}, timeout=10).read()
    except OSError:
        pass  # it is in the next SUBSCRIBE


def run(task):
    name = task["task_id"]["value"]
    update(task["task_id"], "TASK_RUNNING")
    while not os.path.exists(name):
        time.sleep(0.01)
    with open(name, "rb") as f:
        data = f.read()
    update(task["task_id"], "TASK_FINISHED", data)


def handle(event):
    kind = event["type"]
    if kind == "LAUNCH":
        task = event["launch"]["task"]
        with lock:
            tasks[task["task_id"]["value"]] = task
            known = task["task_id"]["value"] in running
            running.add(task["task_id"]["value"])
        if not known:
            threading.Thread(target=run, args=(task,), daemon=True).start()
    elif kind == "KILL":
        update(event["kill"]["task_id"], "TASK_KILLED")
    elif kind == "ACKNOWLEDGED":
        with lock:
            updates.pop(event["acknowledged"]["uuid"], None)
            tasks.pop(event["acknowledged"]["task_id"]["value"], None)
    elif kind == "MESSAGE":
        post({"type": "MESSAGE", "message": {"data": event["message"]["data"]}}, timeout=10).read()
    elif kind == "SHUTDOWN":
        sys.exit(0)
    elif kind == "ERROR":
        sys.exit("the agent says: " + event["error"]["message"])


def subscribe():
    with lock:
        call = {"type": "SUBSCRIBE", "subscribe": {
            "unacknowledged_tasks": list(tasks.values()), "unacknowledged_updates": list(updates.values())}}
    answer = post(call)
    if answer.status != 200:
        raise OSError("SUBSCRIBE: %d %s" % (answer.status, answer.read()))
    while True:
        size = answer.readline().strip()
        if not size:
            raise OSError("the stream has ended")
        record = answer.read(int(size))
        if len(record) < int(size):
            raise OSError("the stream ends within a record")
        handle(json.loads(record))


missing = [name for name in NEEDED if name not in os.environ]
if missing:
    sys.exit("the environment lacks " + ", ".join(missing))
while True:
    try:
        subscribe()
    except (OSError, http.client.HTTPException) as error:
        print(error, file=sys.stderr, flush=True)
    time.sleep(0.05)
