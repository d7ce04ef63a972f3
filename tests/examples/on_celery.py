"""Runs where Celery is: starts a worker of examples/celery_tasks.py, and prints what twelve tasks return."""

import subprocess
import sys

import celery_tasks  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from celery import group  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

api, access_token, refresh_token = sys.argv[1:]
token = {"access_token": access_token, "refresh_token": refresh_token, "token_type": "Bearer", "expires_at": 1}
celery_tasks.vault.save("alice", token)
options = ["--concurrency", "4", "--pool", "prefork", "--without-mingle", "--without-gossip"]
worker = subprocess.Popen(
    [sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", *options], stdout=subprocess.DEVNULL
)
try:
    print(group(celery_tasks.call.s("alice", api) for _ in range(12))().get(timeout=60))
finally:
    worker.terminate()
    worker.wait()
