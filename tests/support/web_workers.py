"""Web applications under real web servers: Gunicorn and uvicorn, with several worker processes.

with running(GUNICORN, "tests.support.login_programs.served:flask", environment) as origin: …
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.servers.process import die_with_parent, port_of_ones_own

ROOT: Final = Path(__file__).resolve().parents[2]
GUNICORN: Final = "gunicorn"
UVICORN: Final = "uvicorn"
WORKERS: Final = 4
PATIENCE: Final = 60.0
"""Seconds in which a server must accept connections."""


@contextmanager
def running(
    server: str,
    application: str,
    environment: Mapping[str, str],
    *,
    port: int | None = None,
    workers: int = WORKERS,
    folder: Path = ROOT,
) -> Generator[str]:
    """Run an application (`module:name`) and yield its origin. `environment` is added to that of this process."""
    port = port or port_of_ones_own()
    command = [sys.executable, "-m", server, application]
    if server == GUNICORN:
        command += ["--workers", str(workers), "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    else:
        command += ["--workers", str(workers), "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    path = os.pathsep.join([str(folder), str(ROOT), str(ROOT / "src")])
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "NO_PROXY": "*", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=die_with_parent,  # noqa: PLW1509  # it calls one function of the system and takes no lock
    )
    try:
        _wait_for(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in output, output[-4000:]


def _wait_for(process: subprocess.Popen[str], port: int) -> None:
    """Return when the server accepts connections."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"the web server did not start: {process.communicate()[0][-4000:]}")
