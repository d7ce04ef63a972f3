import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import pytest
import requests

from doorkey.dev import Provider, config
from doorkey.dev.__main__ import main
from doorkey.dev.command import LAST_LINE
from doorkey.dev.config import parse_config, read_config
from doorkey.errors import UsageError
from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign
from doorkey.jose.verification import unsafe_claims
from doorkey.login.web.login import Login
from doorkey.protocol.grants import JWT_BEARER

TOML = """
[realms.third]
access_token_lifetime = 5
[[clients]]
client_id = "mine"
secret = "my-own-secret"
grants = ["password", "refresh_token"]
[[clients]]
client_id = "phone"
redirect_uris = ["http://127.0.0.1/cb"]
[[users]]
username = "bob"
password = "builder"
roles = ["admin"]
"""


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C works as in a terminal; a process that a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_in_a_terminal_until_it_is_stopped(
    tmp_path: Path, http: requests.Session, stop: signal.Signals
) -> None:
    (tmp_path / "config.toml").write_text(TOML)
    command = [sys.executable, "-m", "doorkey.dev", "--port", "0", "--config", str(tmp_path / "config.toml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        issuer = re.sub("/master$", "/third", first.split()[1])
        form = {"grant_type": "password", "client_id": "mine", "client_secret": "my-own-secret"}
        answer = http.post(
            f"{issuer}/protocol/openid-connect/token", {**form, "username": "bob", "password": "builder"}
        )
        assert answer.json()["expires_in"] == 5
        process.send_signal(stop)
        rest = process.stdout.read()
        assert process.wait(60) == 0
    assert "admin / admin" in rest
    assert "mine / my-own-secret" in rest
    assert LAST_LINE in rest


@contextmanager
def running(*arguments: str) -> Generator[str]:
    """What the command prints once it serves; it is stopped after the block, by Ctrl-C."""
    command = [sys.executable, "-m", "doorkey.dev", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield "".join(takewhile(lambda line: LAST_LINE not in line, process.stdout))
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def test_what_it_prints_runs_when_it_is_pasted(http: requests.Session, capsys: pytest.CaptureFixture[str]) -> None:
    with running() as printed:
        parts = dict(
            re.findall(r"^# ([^\n]+)\n(.*?)(?:\n\n|\Z)", printed.split("\n\n", 1)[1], re.DOTALL | re.MULTILINE)
        )
        program = printed.split("# a program in Python\n")[1].split("\n\n# ")[0]
        exec(compile(program, "snippet", "exec"), {})  # noqa: S102  # our own
        assert json.loads(capsys.readouterr().out.replace("'", '"'))["method"] == "GET"
        environment = dict(re.findall(r"(DOORKEY_\w+)=(\S+)", printed))
        assert set(environment) == {"DOORKEY_ISSUER", "DOORKEY_CLIENT_ID", "DOORKEY_CLIENT_SECRET"}
        assert "Login at" in repr(Login.from_env(environment))
        curl = shlex.split(parts["curl"].replace("\\\n", ""))
        assert curl[:5] == ["curl", "-u", "client-1:my-secret", "-d", "grant_type=client_credentials"]
        client_id, _, secret = curl[2].partition(":")
        answer = http.post(curl[5], dict([curl[4].split("=")]), auth=(client_id, secret))
        assert answer.json()["token_type"] == "Bearer"
        issuer = re.findall(r"^doorkey login (\S+) --client-id public-native$", parts["the command line"])
        assert http.get(issuer[0] + "/.well-known/openid-configuration").json()["issuer"] == issuer[0]
        page = re.findall(r"^page +(\S+)$", printed, re.MULTILINE)
        assert "Development provider" in http.get(page[0]).text


@pytest.mark.parametrize("arguments", [["--no-page"], ["--host-name", "keycloak"]])
def test_it_serves_no_page_if_it_is_not_to_or_if_others_reach_it(arguments: list[str], http: requests.Session) -> None:
    with running(*arguments) as printed:
        assert "page " not in printed
        origin = printed.split()[1].removesuffix("/realms/master")
        assert http.get(origin + "/dev").status_code == 404


def test_a_description_that_cannot_be_written_is_an_error_of_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("/dev/full").open("w") as full, Path(os.devnull).open("w") as null, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", full)
        assert main(["--port", "0"]) == 5
        os.dup2(null.fileno(), full.fileno())  # where the rest goes at the end
    told = "doorkey.dev: stdout cannot be written to: No space left on device\n"
    assert capsys.readouterr().err == told
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["--port", "0"]) == 2
    assert capsys.readouterr().err.startswith("doorkey.dev: stdout is closed")
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["--port", "0"]) == 2


def test_a_busy_port_is_an_error_of_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Provider() as provider:
        assert main(["--port", str(provider.port)]) == 2
    told = f"doorkey.dev: cannot listen at 127.0.0.1:{provider.port} (Address already in use): choose another port\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    "arguments", [["--host", "192.0.2.1"], ["--config", "/no/such/file"], ["--store", "/no/such/folder/file"]]
)
def test_a_wrong_command_line_is_an_error_of_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("doorkey.dev: ")
    assert told.err.count("\n") == 1


def test_a_client_without_a_secret_is_public_and_needs_pkce(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(TOML)
    mine, phone = read_config(tmp_path / "config.toml").clients
    assert (mine.is_public, phone.is_public, phone.require_pkce) == (False, True, True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[clients]]\nclient_id = 'a'\nsecrets = 'b'", "clients has no 'secrets'"),
        ("[[clients]]\nsecret = 'b'", "no client_id"),
        (
            "[[clients]]\nclient_id = 'a'\naudiences = { profile = 5 }",
            "'a' of clients: each value of audiences",
        ),
        ("[[users]]\nusername = 'a'", "neither a password nor links"),
        ("[[users]]\npassword = 'a'", "no username"),
        ("[realms.a.trusted_issuers]\nx = 1", "must be a table"),
        ("[realms.a.trusted_issuers.x]\nkey = []", "x has no 'key'"),
        ("[[users]]\nusername = 7", "must be of type str"),
        ("[realms.a]\naccess_token_lifetime = true", "must be of type int"),
        ("realms = 1", "must be of type dict"),
        ("clients = [1]", "must be a table"),
        ("[[clients]", "is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=problem) as caught:
        read_config(path)
    assert "config.toml" in str(caught.value)


def test_the_documented_example_is_a_good_file() -> None:
    import tomllib

    import doorkey.dev.config

    example = "\n".join(line[4:] for line in (doorkey.dev.config.__doc__ or "").splitlines() if line.startswith("    "))
    config = parse_config(tomllib.loads(example))
    assert [(one.client_id, one.audiences) for one in config.clients] == [("my-app", {"profile": "client-1"})]
    assert [one.username for one in config.users] == ["bob"]


def test_the_help_shows_every_key_of_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "[[clients]]\n" in told  # line by line, as in a file
    for keys in (config._REALM, config._CLIENT, config._USER):
        assert [key for key in keys if f"{key} = " not in told and f".{key}." not in told] == []


def test_a_realm_may_trust_an_issuer_by_the_file(tmp_path: Path, http: requests.Session) -> None:
    key = generate_key("ES256")
    text = f"""
[realms.master.trusted_issuers."https://factory.example"]
keys = [{", ".join(f"{name} = {value!r}" for name, value in key.public_jwk().items()).join("{}")}]
[[users]]
username = "arm"
links = {{ "https://factory.example" = "arm-1" }}
"""
    (tmp_path / "config.toml").write_text(text)
    config = read_config(tmp_path / "config.toml")
    with Provider(users=config.users, realms=config.realms) as provider:
        now = int(provider.clock())
        claims = {"iss": "https://factory.example", "sub": "arm-1", "aud": provider.issuer, "exp": now + 60, "jti": "1"}
        form = {"grant_type": JWT_BEARER, "client_id": "assertion-client", "client_secret": "assertion-secret"}
        answer = http.post(provider.token_endpoint, {**form, "assertion": sign(claims, key, alg="ES256")})
        assert unsafe_claims(answer.json()["access_token"])["preferred_username"] == "arm"
