"""Runs where Celery is: starts a worker of examples/celery_tasks.py, and prints what twelve tasks return."""

import subprocess
import sys
from importlib import import_module
from typing import Any

tasks: Any = import_module("celery_tasks")
group: Any = import_module("celery").group

api, access_token, refresh_token = sys.argv[1:]
token = {"access_token": access_token, "refresh_token": refresh_token, "token_type": "Bearer", "expires_at": 1}
tasks.vault.save("alice", token)
options = ["--concurrency", "4", "--pool", "prefork", "--without-mingle", "--without-gossip"]
worker = subprocess.Popen(
    [sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", *options], stdout=subprocess.DEVNULL
)
try:
    print(group(tasks.call.s("alice", api) for _ in range(12))().get(timeout=60))
finally:
    worker.terminate()
    worker.wait()
