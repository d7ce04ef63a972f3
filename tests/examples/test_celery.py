"""The task of docs/how-to/celery-and-fork.md on a real worker of Celery, whose processes are forked."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from doorkey.dev import Provider
from doorkey.integrations.requests_client import OAuth2Session
from tests.servers.handle import RealServer
from tests.servers.process import Unavailable
from tests.support.own_environment import python_with
from tests.support.server_fixtures import unavailable

ROOT = Path(__file__).resolve().parents[2]


def test_the_forked_processes_of_a_worker_renew_a_token_once(redis_server: RealServer, tmp_path: Path) -> None:
    try:
        python = python_with("celery")
    except Unavailable as error:
        unavailable("celery", error)
    with Provider() as provider:
        issuer = provider.issuer_of("rotating")
        with OAuth2Session("client-1", "my-secret", issuer=issuer) as login:
            token = login.fetch_token(username="alice", password="wonderland")
        paths = os.pathsep.join([str(ROOT / "src"), str(ROOT / "examples")])
        before = provider.token_requests
        done = subprocess.run(
            [
                python,
                Path(__file__).with_name("on_celery.py"),
                provider.echo,
                token["access_token"],
                token["refresh_token"],
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": paths, "ISSUER": issuer, "REDIS": redis_server.origin, "NO_PROXY": "*"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert (done.returncode, done.stdout) == (0, f"{[200] * 12}\n"), done.stderr
        assert provider.token_requests == before + 1
