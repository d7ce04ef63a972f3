"""The real servers answer, and their handles say where."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.servers.browser import Browser
from tests.servers.handle import CALLBACK, RealServer
from tests.servers.process import Unavailable
from tests.servers.running import SharedServers, started


def document(server: RealServer) -> dict[str, object]:
    answer = requests.get(server.discovery, timeout=30)
    assert answer.status_code == 200
    members: dict[str, object] = answer.json()
    return members


def test_keycloak_answers_for_its_issuer(keycloak: RealServer) -> None:
    assert document(keycloak)["issuer"] == keycloak.issuer == keycloak.realm("master")
    assert (keycloak.keys / "rs256.pem").exists()


def test_oidc_provider_answers_for_its_issuer(oidc_provider: RealServer) -> None:
    assert document(oidc_provider)["issuer"] == oidc_provider.issuer == oidc_provider.origin
    assert (oidc_provider.keys / "client-keys.json").exists()


def test_django_oauth_toolkit_answers_for_its_issuer(django_oauth: RealServer) -> None:
    assert document(django_oauth)["issuer"] == django_oauth.issuer == f"{django_oauth.origin}/o"


@pytest.mark.parametrize(
    ("fixture", "client"),
    [("keycloak", "client-1"), ("oidc_provider", "web-basic"), ("django_oauth", "web")],
)
def test_the_browser_logs_in_and_comes_back_with_a_code(
    fixture: str, client: str, request: pytest.FixtureRequest
) -> None:
    server: RealServer = request.getfixturevalue(fixture)
    parameters = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "a-state",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",  # of RFC 7636, appendix B
        "code_challenge_method": "S256",
    }
    url = requests.Request("GET", str(document(server)["authorization_endpoint"]), params=parameters).prepare().url
    assert url
    with Browser(server.name) as browser:
        callback = browser.authorize(url, CALLBACK)
    assert "code=" in callback
    assert "state=a-state" in callback


def test_a_server_with_settings_of_its_own_stops_with_the_block(oidc_provider: RealServer) -> None:
    with started("oidc-provider", tls=True, TTL_ACCESS="2") as server:
        assert requests.get(server.discovery, verify=str(server.ca), timeout=30).json()["issuer"] == server.issuer
        assert server.issuer.startswith("https://127.0.0.1:")
    with pytest.raises(requests.ConnectionError):
        requests.get(server.discovery, timeout=5)
    assert server.port != oidc_provider.port


def test_a_server_that_cannot_start_says_why_once_and_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORKEY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DOORKEY_NODE", "/nonexistent/node")
    shared = SharedServers(tmp_path, os.getpid())
    for _ in range(2):
        with pytest.raises(Unavailable, match="DOORKEY_NODE"):
            shared.get("oidc-provider")
    assert list(shared.unavailable()) == ["oidc-provider"]


def test_a_server_stops_when_the_process_it_is_for_is_gone() -> None:
    owner = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    command = [sys.executable, "-m", "tests.servers", "run", "oidc-provider", "--until", str(owner.pid)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdout
        line = keeper.stdout.readline()
        if "unavailable" in line:
            pytest.skip(line)
        server = RealServer.from_json(line)
        owner.communicate(b"\n")
        assert keeper.wait(120) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(server.discovery, timeout=5)
