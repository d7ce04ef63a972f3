"""Several runs of pytest at the same time share a server: the first one starts it, and `./dev test` stops it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.running import SharedServers
from tools.running import ROOT


@pytest.mark.usefixtures("redis_server")
def test_a_server_of_several_runs_is_started_once_and_stopped_by_its_folder(tmp_path: Path) -> None:
    first, second = (SharedServers(tmp_path, os.getpid()).get("redis") for _ in range(2))
    assert first == second
    socket.create_connection(("127.0.0.1", first.port), 60).close()
    subprocess.run([sys.executable, "-m", "tests.servers", "stop", str(tmp_path)], cwd=ROOT, check=True)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", first.port)) != 0
