"""What the migration guides say about eight threads that need a token, and about a token that the API rejects."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from doorkey.dev import Provider, Settings
from tests.servers.process import Unavailable
from tests.support.own_environment import python_with
from tests.support.server_fixtures import unavailable

PROGRAM = Path(__file__).with_name("eight_threads.py")
ENVIRONMENTS = {"doorkey": None, "httpx_oauth2": "bench-httpx-oauth2"}
ALL_WELL = " ".join(["200"] * 8)


@pytest.mark.parametrize(
    ("library", "sent", "in_flight", "outcomes", "after_a_rejection"),
    [
        ("doorkey", 1, 1, ALL_WELL, "200"),
        ("httpx_oauth2", 1, 1, ALL_WELL, "401"),
        ("httpx_auth", 8, 1, ALL_WELL, "401"),
        ("msal", 8, 8, ALL_WELL, "401"),
        ("requests_oauthlib", 8, 8, None, "401"),
    ],
)
def test_token_requests_of_eight_threads(
    library: str, sent: int, in_flight: int, outcomes: str | None, after_a_rejection: str, tmp_path: Path
) -> None:
    """`in_flight` token requests are sent before the first one is answered, and `sent` in all."""
    try:
        environment = ENVIRONMENTS.get(library, "migrating")
        python = python_with(environment) if environment else Path(sys.executable)
    except Unavailable as error:
        unavailable(library, error)
    long, needs_https = Settings(access_token_lifetime=3600), library == "msal"
    with Provider(https=needs_https, realms={"master": long}) as provider:
        issuer = provider.issuer_of("rotating") if library in {"doorkey", "requests_oauthlib"} else provider.issuer
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT_")}
        mine = {"NO_PROXY": "*", "OAUTHLIB_INSECURE_TRANSPORT": "1"}
        if needs_https:
            mine["REQUESTS_CA_BUNDLE"] = str(provider.ca_file)
        with subprocess.Popen(
            [python, PROGRAM, library, issuer, provider.echo],
            cwd=tmp_path,
            env={**kept, **mine},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as program:
            assert program.stdin
            assert program.stdout
            assert program.stdout.readline() == "ready\n"
            before, answer = provider.token_requests, Event()
            faults = [provider.faults.add("/token", hold=answer) for _ in range(in_flight)]
            print(file=program.stdin, flush=True)
            assert all(fault.arrived.wait(60) for fault in faults)
            answer.set()
            ended = program.stdout.readline().strip()
            assert provider.token_requests == before + sent
            provider.expire_access_tokens()
            print(file=program.stdin, flush=True)
            assert program.stdout.readline().strip() == after_a_rejection
        assert program.returncode == 0
    if outcomes is not None:
        assert ended == outcomes
    else:  # the server took the second use of the refresh token for theft
        assert "200" not in ended.split()
