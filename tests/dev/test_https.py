"""A provider that serves HTTPS, with a certificate that it makes itself."""

import socket
import ssl
import tempfile
import threading
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from doorkey.dev import Provider
from doorkey.dev.certificates import Certificates
from doorkey.errors import UsageError
from doorkey.integrations.requests_client import OAuth2Session

CALLBACK = "http://127.0.0.1:9499/cb"


def test_clients_that_trust_its_certificate_reach_it_under_every_name(http: requests.Session) -> None:
    with Provider(https=True, host_names=["keycloak"]) as provider:
        assert provider.issuer.startswith("https://127.0.0.1:")
        for host in ("127.0.0.1", "localhost"):
            issuer = f"https://{host}:{provider.port}/realms/master"
            metadata = http.get(f"{issuer}/.well-known/openid-configuration", verify=provider.ca_file).json()
            assert metadata["issuer"] == issuer
        with pytest.raises(requests.exceptions.SSLError):
            http.get(provider.jwks_uri)
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=provider.ssl_context))
        with opener.open(provider.jwks_uri) as answer:
            assert answer.status == 200
        path = Path(provider.ca_file)
        assert "PRIVATE KEY" not in "".join(file.read_text() for file in path.parent.iterdir())
    assert not path.parent.exists()


def test_a_session_and_a_login_work_over_https() -> None:
    with Provider(https=True) as provider, OAuth2Session("client-1", "my-secret", redirect_uri=CALLBACK) as session:
        session.trust_env, session.verify = False, provider.ca_file
        url, state = session.create_authorization_url(provider.authorization_endpoint, scope="openid")
        callback = provider.log_in(url, "alice")
        session.fetch_token(provider.token_endpoint, authorization_response=callback, state=state)
        assert session.get(provider.userinfo_endpoint).status_code == 200


def test_a_public_name_is_in_the_certificate() -> None:
    with Provider(https=True, public_url="https://login.example:8443", host_names=["10.0.0.1"]) as provider:
        asked = {"client_id": "client-1", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
        callback = provider.log_in(f"{provider.authorization_endpoint}?{urlencode(asked)}", "alice")
        assert f"iss={provider.issuer}".replace(":", "%3A").replace("/", "%2F") in callback


def test_cookies_over_https_belong_to_this_host_alone(http: requests.Session) -> None:
    with Provider(https=True) as provider:
        asked = {"client_id": "client-1", "redirect_uri": CALLBACK, "response_type": "code"}
        answer = http.get(provider.authorization_endpoint, params=asked, verify=provider.ca_file)
        assert answer.headers["set-cookie"].startswith("__Host-")


def test_a_provider_over_http_has_no_certificate() -> None:
    with Provider() as provider:
        for name in ("ca_file", "ssl_context"):
            with pytest.raises(UsageError, match="Provider\\(https=True\\)"):
                getattr(provider, name)


def test_a_name_that_no_certificate_can_have_is_refused() -> None:
    with pytest.raises(UsageError, match="host_names are host names"):
        Provider(https=True, host_names=["caf\u00e9"]).start()


def test_a_certificate_that_cannot_be_made_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(UsageError, match="not a host name that a certificate can contain"):
        Certificates(["caf\u00e9"])
    assert list(tmp_path.iterdir()) == []


def test_each_start_has_an_authority_of_its_own() -> None:
    first, second = Certificates(["localhost"]), Certificates(["localhost"])
    try:
        contexts = [ssl.create_default_context(cafile=one.ca_file) for one in (first, second)]
        assert [len(context.get_ca_certs()) for context in contexts] == [1, 1]
        assert contexts[0].get_ca_certs(binary_form=True) != contexts[1].get_ca_certs(binary_form=True)
    finally:
        first.close()
        second.close()


def test_a_handshake_that_never_ends_does_not_outlive_the_provider(http: requests.Session) -> None:
    with Provider(https=True) as provider:
        silent = socket.create_connection(("127.0.0.1", provider.port))
        assert http.get(provider.jwks_uri, verify=provider.ca_file).status_code == 200
    with silent:
        assert silent.recv(1) == b""  # an end, and no handshake


def test_ctrl_c_while_it_stops_leaves_no_key_and_no_log_of_the_store(tmp_path: Path) -> None:
    class Interrupted(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            raise KeyboardInterrupt

    store = tmp_path / "store.sqlite"
    provider = Provider(https=True, store=store).start()
    ca_file, serving = Path(provider.ca_file), provider._thread
    assert serving is not None
    provider._thread = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        provider.stop()
    serving.join(60)
    assert not ca_file.parent.exists()
    assert list(tmp_path.iterdir()) == [store]
