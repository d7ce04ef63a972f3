"""Several runs of pytest at the same time share a server: the first one starts it, and `./dev test` stops it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.process import CLIENTS_PORTS, PORTS_OF_ONE, Unavailable, hundred_ports, port_of_ones_own
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


@pytest.mark.skipif(not CLIENTS_PORTS.exists(), reason="only Linux tells which ports clients are given")
def test_the_ports_of_a_process_of_tests_are_given_to_no_other_process() -> None:
    first = port_of_ones_own() // PORTS_OF_ONE * PORTS_OF_ONE
    assert {port_of_ones_own() // PORTS_OF_ONE * PORTS_OF_ONE for _ in range(3)} == {first}
    with pytest.raises(Unavailable):
        hundred_ports([first])
    other = f"from tests.servers.process import hundred_ports; hundred_ports([{first}])"
    done = subprocess.run([sys.executable, "-c", other], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Unavailable" in done.stderr
