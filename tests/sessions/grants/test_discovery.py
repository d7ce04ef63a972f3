"""A session that knows its issuer discovers the endpoints, once, when it needs one that it does not know."""

import pytest

from doorkey import Issuer
from doorkey.errors import InvalidResponse, OAuthError, UsageError
from tests.sessions.grants.test_one_pipeline import HOME, WELL_KNOWN, published
from tests.support.every_adapter import Adapter, together
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, reply, token


def test_a_session_that_knows_its_issuer_discovers_the_endpoints_once(adapter: Adapter, hostile: Hostile) -> None:
    published(hostile, token_endpoint_auth_methods_supported=["client_secret_post"])
    hostile.on("/token", token())
    hostile.on("/revoke", reply(200))
    client = adapter.client("c", "s", issuer=hostile.url(""))
    client.fetch_token()
    client.fetch_token()
    client.revoke_token()
    assert len(hostile.to(WELL_KNOWN)) == 1
    assert [request.form["client_secret"] for request in hostile.token_requests] == ["s", "s"]
    assert len(hostile.to("/revoke")) == 1
    assert client.native.token_endpoint == hostile.token_endpoint


def test_a_session_that_knows_its_token_endpoint_discovers_another_endpoint_when_it_needs_one(
    adapter: Adapter, hostile: Hostile
) -> None:
    elsewhere = hostile.url("/elsewhere")
    published(hostile)
    hostile.on("/elsewhere", token(refresh_token="rt-1"))
    hostile.on("/revoke", reply(200))
    client = adapter.client("c", "s", issuer=hostile.url(""), token_endpoint=elsewhere)
    client.fetch_token(username="alice", password="wonderland")
    assert not hostile.to(WELL_KNOWN)
    client.revoke_token()
    client.revoke_token()
    client.fetch_token(username="alice", password="wonderland")
    assert (len(hostile.to(WELL_KNOWN)), len(hostile.to("/revoke")), len(hostile.to("/elsewhere"))) == (1, 2, 2)


def test_an_endpoint_that_the_given_metadata_does_not_name_is_not_discovered(
    adapter: Adapter, hostile: Hostile
) -> None:
    metadata = {"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint}
    client = adapter.client("c", "s", metadata=metadata, token={"access_token": "at-1"})
    with pytest.raises(
        UsageError,
        match=r"has no revocation_endpoint: give its url, or construct the session with revocation_endpoint=$",
    ):
        client.revoke_token()
    assert not hostile.to(WELL_KNOWN)


NEED_AN_ENDPOINT = {
    "token": "fetch_token",
    "revocation": "revoke_token",
    "introspection": "introspect_token",
    "userinfo": "userinfo",
    "authorization": "create_authorization_url",
    "end_session": "create_logout_url",
    "device_authorization": "begin_device_authorization",
}


@pytest.mark.parametrize("kind", NEED_AN_ENDPOINT)
def test_the_error_for_an_unknown_endpoint_names_the_options_that_give_it(adapter: Adapter, kind: str) -> None:
    client = adapter.client("c", "s", token={"access_token": "at-1"})
    with pytest.raises(UsageError) as caught:
        client.call(NEED_AN_ENDPOINT[kind])
    fix = f"give its url, or construct the session with {kind}_endpoint= or issuer="
    assert str(caught.value) == f"the {kind.replace('_', ' ')} endpoint is unknown: {fix}"


def test_callers_at_the_same_time_discover_the_issuer_once(adapter: Adapter, hostile: Hostile) -> None:
    published(hostile)
    hostile.on("/token", token())
    client = adapter.client("c", "s", issuer=hostile.url(""))
    assert [one["access_token"] for one in together(8, client.fetch_token)] == ["at-1"] * 8
    assert len(hostile.to(WELL_KNOWN)) == 1


def test_the_metadata_of_another_issuer_is_refused(adapter: Adapter, hostile: Hostile) -> None:
    published(hostile, issuer="https://evil.example")
    client = adapter.client("c", "s", issuer=hostile.url(""))
    with pytest.raises(OAuthError, match="issuer"):
        client.fetch_token()
    assert hostile.token_requests == []


def test_a_login_discovers_the_authorization_endpoint_or_says_how(adapter: Adapter, hostile: Hostile) -> None:
    published(hostile)
    client = adapter.client("c", "s", issuer=hostile.url(""), redirect_uri=HOME)
    for begin in (client.native.create_authorization_url, client.native.begin_authorization):
        if adapter.kind.is_async:
            with pytest.raises(UsageError, match=r"await client\.discover\(\)"):
                begin()
        else:
            begin()
    client.call("discover")
    url, _ = client.native.create_authorization_url()
    assert url.startswith(hostile.url("/authorize?"))
    assert len(hostile.to(WELL_KNOWN)) == 1


def test_an_expired_token_of_a_restored_session_is_renewed_after_discovery(adapter: Adapter, hostile: Hostile) -> None:
    published(hostile)
    hostile.on("/token", token("at-2"))
    old = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START - 1}
    client = adapter.client("c", "s", issuer=hostile.url(""), token=old, clock=Clock())
    assert client.get(hostile.url()).status_code == 200
    assert hostile.to("/api")[0].token == "at-2"
    assert len(hostile.to(WELL_KNOWN)) == 1


def test_a_failed_discovery_of_a_session_has_a_pause(adapter: Adapter, hostile: Hostile) -> None:
    clock = Clock()
    hostile.on(WELL_KNOWN, reply(502, "<html>"))
    client = adapter.client("c", "s", issuer=hostile.url(""), clock=clock)
    for _ in range(3):
        with pytest.raises(InvalidResponse):
            client.fetch_token()
    assert len(hostile.to(WELL_KNOWN)) == 1
    clock.advance(1)
    published(hostile)
    hostile.on("/token", token())
    assert client.fetch_token()["access_token"] == "at-1"


def test_retry_now_of_the_issuer_of_a_session_ends_the_pause_after_a_failed_discovery(
    adapter: Adapter, hostile: Hostile
) -> None:
    clock = Clock()
    hostile.on(WELL_KNOWN, reply(502, "<html>"))
    issuer = Issuer(hostile.url(""), clock=clock)
    client = adapter.client("c", "s", issuer=issuer, clock=clock)
    for _ in range(2):
        with pytest.raises(InvalidResponse):
            client.fetch_token()
    assert len(hostile.to(WELL_KNOWN)) == 1, "the second call is in the pause"
    published(hostile)
    hostile.on("/token", token())
    issuer.retry_now()
    assert client.fetch_token()["access_token"] == "at-1"


def test_retry_now_of_a_session_ends_the_pause_after_a_failed_discovery(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on(WELL_KNOWN, reply(502, "<html>"))
    client = adapter.client("c", "s", issuer=hostile.url(""), clock=Clock())
    with pytest.raises(InvalidResponse):
        client.fetch_token()
    with pytest.raises(InvalidResponse) as error:
        client.fetch_token()
    assert error.value.retry_at is not None
    assert len(hostile.to(WELL_KNOWN)) == 1, "the second call is in the pause"
    published(hostile)
    hostile.on("/token", token())
    client.native.retry_now()
    assert client.fetch_token()["access_token"] == "at-1"
    client.native.retry_now()  # there is no pause
    assert len(hostile.to(WELL_KNOWN)) == 2


def test_retry_now_of_a_session_does_so_for_all_that_share_its_issuer(adapter: Adapter, hostile: Hostile) -> None:
    clock = Clock()
    hostile.on(WELL_KNOWN, reply(502, "<html>"))
    issuer = Issuer(hostile.url(""), clock=clock)
    first, second = (adapter.client("c", "s", issuer=issuer, clock=clock) for _ in range(2))
    with pytest.raises(InvalidResponse):
        first.fetch_token()
    published(hostile)
    hostile.on("/token", token())
    with pytest.raises(InvalidResponse):
        second.fetch_token()
    first.native.retry_now()
    assert second.fetch_token()["access_token"] == "at-1"


def test_retry_now_of_a_session_without_an_issuer_changes_nothing(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint)
    client.native.retry_now()
    assert client.fetch_token()["access_token"] == "at-1"


def test_an_issuer_that_is_given_with_a_well_known_suffix_is_told_to_omit_it(
    adapter: Adapter, hostile: Hostile
) -> None:
    published(hostile)
    hostile.on(WELL_KNOWN + WELL_KNOWN, reply(404))
    hostile.on("/.well-known/oauth-authorization-server" + WELL_KNOWN, reply(404))
    client = adapter.client("c", "s", issuer=hostile.url(WELL_KNOWN))
    with pytest.raises(InvalidResponse, match=r"without its /\.well-known/ suffix"):
        client.fetch_token()
    assert hostile.token_requests == []
