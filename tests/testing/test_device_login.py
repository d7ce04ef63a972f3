"""A test answers the login of a device without a browser window."""

from collections.abc import Iterator

import pytest
import requests

from doorkey.dev.control import Control
from doorkey.errors import AccessDenied, ExpiredDeviceCode, UsageError
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.testing import Provider, RemoteProvider, Settings, client
from tests.support.fake_clock import Clock


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    realms = {"short": Settings(signing_alg="ES256", device_code_lifetime=30, device_interval=1)}
    clients = [client("tv"), client("no-tv", grants=["password"])]
    with Provider(clients=clients, realms=realms, clock=Clock()) as provider:  # both sides see a code expire at once
        yield provider


def session(provider: Provider, realm: str = "short") -> OAuth2Session:
    return OAuth2Session(
        "tv", issuer=provider.issuer_of(realm), scope="openid", clock=provider.clock, sleep=provider.advance
    )


@pytest.mark.parametrize("realm", ["master", "short"])
def test_a_device_is_approved_with_one_call(provider: Provider, realm: str) -> None:
    with session(provider, realm) as tv:
        device = tv.begin_device_authorization()
        assert device.interval == {"master": 5, "short": 1}[realm]
        provider.approve_device(device.user_code, "alice", realm=realm)
        token = tv.finish_device_authorization(device)
        assert token.id_token_claims is not None
        assert token.id_token_claims["preferred_username"] == "alice"
        assert tv.get(provider.echo).status_code == 200


def test_a_device_is_denied_with_one_call(provider: Provider) -> None:
    with session(provider) as tv:
        device = tv.begin_device_authorization()
        provider.deny_device(device.user_code, "user", realm="short")
        with pytest.raises(AccessDenied):
            tv.finish_device_authorization(device)


def test_a_device_that_gets_no_answer_expires(provider: Provider) -> None:
    with session(provider) as tv:
        device = tv.begin_device_authorization()
        with pytest.raises(ExpiredDeviceCode):
            tv.finish_device_authorization(device)
        with pytest.raises(UsageError, match="no device with this code"):
            provider.approve_device(device.user_code, "alice", realm="short")


def test_what_cannot_be_answered_is_an_error(provider: Provider) -> None:
    with session(provider) as tv:
        device = tv.begin_device_authorization()
        for wrong in ("BCDF-GHJK", "nonsense", ""):
            with pytest.raises(UsageError):
                provider.approve_device(wrong, "alice", realm="short")
        with pytest.raises(UsageError, match="password is wrong"):
            provider.approve_device(device.user_code, "alice", "guess", realm="short")
        provider.approve_device(device.user_code, "alice", realm="short")
        with pytest.raises(UsageError, match="no device with this code"):
            provider.deny_device(device.user_code, "alice", realm="short")


def test_a_provider_in_another_process_answers_too(provider: Provider) -> None:
    with Control(provider) as control, RemoteProvider(control.url, control.token) as remote, session(provider) as tv:
        device = tv.begin_device_authorization()
        remote.approve_device(device.user_code, "alice", realm="short")
        assert tv.finish_device_authorization(device)["access_token"]
        device = tv.begin_device_authorization()
        remote.deny_device(device.user_code, "alice", realm="short")
        with pytest.raises(AccessDenied):
            tv.finish_device_authorization(device)


def test_the_endpoint_is_discovered_and_named(provider: Provider) -> None:
    document = requests.get(provider.issuer + "/.well-known/openid-configuration", timeout=60).json()
    assert document["device_authorization_endpoint"] == provider.device_authorization_endpoint
    assert "urn:ietf:params:oauth:grant-type:device_code" in document["grant_types_supported"]
    refused = requests.post(provider.device_authorization_endpoint, {"client_id": "no-tv"}, timeout=60)
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")


def test_the_page_shows_the_code_the_client_and_what_it_asks_for(provider: Provider) -> None:
    with session(provider, "master") as tv:
        device = tv.begin_device_authorization("openid email")
    assert device.verification_uri_complete is not None
    page = requests.get(device.verification_uri_complete, timeout=60)
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert f'value="{device.user_code}"' in page.text
    assert "Check that the device shows this code" in page.text
    assert "<strong>tv</strong>" not in page.text, "the client is named once the code is entered"
