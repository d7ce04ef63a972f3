"""The programs of docs/migrating/: each prints the same before, with the other library, and after, with doorkey."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from doorkey.dev.config import parse_config
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.testing import Provider
from tests.servers.browser import Browser
from tests.servers.process import Unavailable, port_of_ones_own
from tests.support.own_environment import python_with
from tests.support.server_fixtures import unavailable

PROGRAMS = Path(__file__).resolve().parents[2] / "examples" / "migrating"
BEFORE_AND_AFTER = ("before", "after")
OF_ITS_OWN = {"httpx_oauth2": "bench-httpx-oauth2"}
"""The libraries whose environment is not `migrating`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program runs."""

    provider: Provider
    port: int

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    def environment(self) -> dict[str, str]:
        mine = {
            "ISSUER": self.provider.issuer,
            "API": self.provider.echo,
            "TOKEN": self.provider.token("alice", audience="orders-api"),
            "OTHER_TOKEN": self.provider.token("alice", audience="another-api"),
            "OAUTHLIB_INSECURE_TRANSPORT": "1",  # oauthlib and Flask-Dance: the provider of the test has no https
            "NO_PROXY": "*",
        }
        dropped = ("COV_", "DOORKEY_", "PYTHONPATH", "SSL_CERT_")
        return {name: value for name, value in os.environ.items() if not name.startswith(dropped)} | mine


def python(library: str, when: str) -> Path:
    """The interpreter that has the library, or doorkey."""
    if when == "after":
        return Path(sys.executable)
    try:
        return python_with(OF_ITS_OWN.get(library, "migrating"))
    except Unavailable as error:
        unavailable(library, error)


@pytest.fixture
def place() -> Iterator[Place]:
    port = port_of_ones_own()
    text = re.sub(r"localhost:\d+", f"localhost:{port}", (PROGRAMS / "provider.toml").read_text("utf-8"))
    with Provider(clients=parse_config(tomllib.loads(text)).clients) as provider:
        yield Place(provider, port)


def printed(library: str, when: str, place: Place, folder: Path, *, https: Mapping[str, str] | None = None) -> str:
    """Return what the program prints without the URL of a login, for which it waits."""
    errors = folder / "errors"
    command = [python(library, when), PROGRAMS / f"{library}_{when}.py"]
    environment = {**place.environment(), **(https or {})}
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as program,
    ):
        assert program.stdin
        assert program.stdout
        first = program.stdout.readline()
        if first.startswith("http"):
            program.stdin.write(place.provider.log_in(first.strip(), "alice") + "\n")
            first = ""
        program.stdin.close()
        rest = program.stdout.read()
    assert program.returncode == 0, errors.read_text()
    return first + rest


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        ("authlib", "call: 200\nrenewed: True\n"),
        ("requests_oauthlib", "user: alice@example.org\nuser: alice@example.org\nsaved: 1\n"),
        ("httpx_oauth2", "calls: [200, 200]\n"),
        ("httpx_auth", "calls: [200, 200]\n"),
        ("pyjwkclient", "valid: True\nfor another API: False\n"),
    ],
)
def test_the_program_prints_the_same_before_and_after(
    library: str, expected: str, place: Place, tmp_path: Path
) -> None:
    assert [printed(library, when, place, tmp_path) for when in BEFORE_AND_AFTER] == [expected] * 2


def test_the_program_of_msal_which_requires_https_prints_the_same_before_and_after(tmp_path: Path) -> None:
    with Provider(https=True) as provider:
        trusted = {"REQUESTS_CA_BUNDLE": str(provider.ca_file)}
        both = [printed("msal", when, Place(provider, 0), tmp_path, https=trusted) for when in BEFORE_AND_AFTER]
    assert both == ["calls: [200, 200]\n"] * 2


def test_the_program_of_authlib_is_migrated_by_one_substitution() -> None:
    before, after = (
        (PROGRAMS / f"authlib_{when}.py").read_text("utf-8").partition("\n")[2] for when in BEFORE_AND_AFTER
    )
    assert before.replace("authlib", "doorkey") == after


@pytest.mark.parametrize("when", BEFORE_AND_AFTER)
@pytest.mark.parametrize(
    ("library", "greeting"),
    [("flask_dance", "Hello Alice Example"), ("mozilla_django_oidc", "Hello alice@example.org")],
)
def test_users_of_the_application_log_in_before_and_after(
    library: str, greeting: str, when: str, place: Place, tmp_path: Path
) -> None:
    serve: list[str | Path]
    program, interpreter = PROGRAMS / f"{library}_{when}.py", python(library, when)
    if library == "flask_dance":
        serve = [interpreter, "-m", "flask", "--app", program, "run", "--host", "localhost", "--port", str(place.port)]
        ready = "Running on"
    else:
        migrate: list[str | Path] = [interpreter, program, "migrate"]
        subprocess.run(migrate, cwd=tmp_path, env=place.environment(), check=True, capture_output=True)
        if when == "after":
            _with_an_identity(program, place, tmp_path)
        serve = [interpreter, program, "runserver", "--noreload", f"localhost:{place.port}"]
        ready = "Quit the server"
    server = subprocess.Popen(
        serve, cwd=tmp_path, env=place.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert server.stdout
        assert any(ready in line for line in server.stdout)
        assert re.sub(r"<[^>]*>", "", _logged_in(place)) == greeting
        if library == "mozilla_django_oidc":
            with closing(sqlite3.connect(tmp_path / "project.sqlite3")) as database:
                assert database.execute("SELECT count(*) FROM auth_user").fetchone() == (1,)
    finally:
        server.terminate()
        server.communicate()


def _with_an_identity(program: Path, place: Place, folder: Path) -> None:
    """A user of the project from the time before doorkey, who is given the identity as the page says."""
    shell: list[str | Path] = [sys.executable, program, "shell"]
    made = "from django.contrib.auth.models import User; User.objects.create(username='alice-of-old')"
    subprocess.run([*shell, "-c", made], cwd=folder, env=place.environment(), check=True, capture_output=True)
    with OAuth2Session("web-app", "its-secret", issuer=place.provider.issuer, scope="openid") as session:
        claims = session.fetch_token(username="alice", password="wonderland").id_token_claims
    assert claims is not None
    (folder / "users.csv").write_text(f"alice-of-old,{claims['sub']}\n")
    with (PROGRAMS / "mozilla_django_oidc_users.py").open() as script:
        done = subprocess.run(
            shell, stdin=script, cwd=folder, env=place.environment(), capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr


def _logged_in(place: Place) -> str:
    """Return the page of the application after alice's login."""
    with requests.Session() as site, Browser("the embedded provider", "alice", "wonderland") as alice:
        site.trust_env, site.headers["Accept"] = False, "text/html"
        answer = site.get(f"{place.origin}/", allow_redirects=False)
        while not (target := answer.headers["Location"]).startswith(place.provider.origin):
            answer = site.get(urljoin(answer.url, target), allow_redirects=False)
        page = site.get(alice.authorize(target, place.origin))
        assert page.url == f"{place.origin}/", page.text[-2000:]
        return page.text
