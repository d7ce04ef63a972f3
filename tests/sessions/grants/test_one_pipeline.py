"""What sessions share with sources and vaults: selection of the client authentication, discovery, the next token."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import InvalidClient, MissingTokenError, OAuthError, UsageError
from doorkey.jose.generation import private_jwk
from doorkey.jose.keys import import_key
from doorkey.protocol.grants import JWT_BEARER
from tests.servers.signing_keys import rsa_key
from tests.support.every_adapter import Adapter, Client
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, Received, reply, token

WELL_KNOWN = "/.well-known/openid-configuration"
HOME = "https://app.example/callback"
SENDS_THE_SECRET = ("client_secret_basic", "client_secret_basic_unencoded", "client_secret_post")


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A private key."""
    path = tmp_path_factory.mktemp("keys") / "rsa.pem"
    rsa_key(path)
    return path.read_text()


def published(hostile: Hostile, **members: Any) -> None:
    """Have the server publish metadata, and answer at the endpoints that it names."""
    hostile.on(
        WELL_KNOWN,
        reply(
            json={
                "issuer": hostile.url(""),
                "token_endpoint": hostile.token_endpoint,
                "authorization_endpoint": hostile.url("/authorize"),
                "revocation_endpoint": hostile.url("/revoke"),
                **members,
            }
        ),
    )


def renewed(client: Client, hostile: Hostile, clock: Clock) -> dict[str, str]:
    """Have the client renew an expired token, and return the parameters of the last token request."""
    clock.advance(3600)
    assert client.get(hostile.url()).status_code == 200
    return hostile.token_requests[-1].form


# -- client authentication -----------------------------------------------------------------------------------------


def test_a_session_without_a_method_uses_one_that_the_server_lists(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    metadata = {
        "issuer": hostile.url(""),
        "token_endpoint": hostile.token_endpoint,
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    }
    adapter.client("c", "s3cret", metadata=metadata).fetch_token()
    [request] = hostile.token_requests
    assert request.header("Authorization") is None
    assert (request.form["client_id"], request.form["client_secret"]) == ("c", "s3cret")


def test_a_method_that_is_specified_is_used_whatever_the_server_lists(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    metadata = {"token_endpoint": hostile.token_endpoint, "token_endpoint_auth_methods_supported": ["none"]}
    adapter.client("c", "s", metadata=metadata, token_endpoint_auth_method="client_secret_basic").fetch_token()
    assert str(hostile.token_requests[0].header("Authorization")).startswith("Basic ")


def as_pem_text(pem: str) -> Any:
    return pem


def as_pem_bytes(pem: str) -> Any:
    return pem.encode()


def as_jwk_text(pem: str) -> Any:
    return private_jwk(import_key(pem)).reveal()


def as_jwk(pem: str) -> Any:
    return json.loads(as_jwk_text(pem))


def as_key_object(pem: str) -> Any:
    return import_key(pem)


FORMS = (as_pem_text, as_pem_bytes, as_jwk_text, as_jwk, as_key_object)


def everything_sent(request: Received) -> str:
    return f"{request.target} {request.headers} {request.body!r}"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_key_passed_as_client_secret_signs_and_is_never_sent(
    adapter: Adapter, hostile: Hostile, pem: str, form: Callable[[str], Any]
) -> None:
    hostile.on("/token", token())
    hostile.on("/revoke", reply(200))
    client = adapter.client("c", form(pem), token_endpoint=hostile.token_endpoint)
    client.fetch_token()
    client.revoke_token(hostile.url("/revoke"))
    secret = pem.splitlines()[1]
    for request in (hostile.token_requests[0], hostile.to("/revoke")[0]):
        assert request.header("Authorization") is None
        assert request.form["client_assertion"].count(".") == 2
        assert secret not in everything_sent(request)


@pytest.mark.parametrize("method", SENDS_THE_SECRET)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_method_that_sends_the_secret_refuses_a_key(
    adapter: Adapter, hostile: Hostile, pem: str, form: Callable[[str], Any], method: str
) -> None:
    client = adapter.client("c", form(pem), token_endpoint=hostile.token_endpoint, token_endpoint_auth_method=method)
    for call in (client.fetch_token, lambda: client.revoke_token(hostile.url("/revoke"), "a-token")):
        with pytest.raises(UsageError, match="must be text and not a key: use private_key_jwt"):
            call()
    assert hostile.token_requests == hostile.to("/revoke") == []


@pytest.mark.parametrize("what", ["fetch_token", "revoke_token", "introspect_token"])
def test_a_refused_assertion_is_explained_by_the_audience_that_was_sent(
    adapter: Adapter, hostile: Hostile, pem: str, what: str
) -> None:
    for path in ("/token", "/revoke", "/introspect"):
        hostile.on(path, reply(401, json={"error": "invalid_client"}))
    client = adapter.client(
        "c",
        pem,
        metadata={"issuer": hostile.url("")},
        token_endpoint=hostile.token_endpoint,
        revocation_endpoint=hostile.url("/revoke"),
        introspection_endpoint=hostile.url("/introspect"),
        token={"access_token": "at"},
    )
    with pytest.raises(InvalidClient, match=f"the audience {hostile.url('')}: .*PrivateKeyJWT\\(audience=…\\)"):
        getattr(client, what)()


def test_a_refused_secret_that_encoding_has_changed_is_explained(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", reply(401, json={"error": "invalid_client"}))
    with pytest.raises(InvalidClient, match="client_secret_basic_unencoded or client_secret_post") as error:
        adapter.client("c", "aB/c+d==", token_endpoint=hostile.token_endpoint).fetch_token()
    assert "aB/c" not in str(error.value)


# -- the first token -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["token_endpoint", "metadata", "issuer"])
def test_a_session_whose_grant_needs_no_user_gets_its_first_token_by_itself(
    adapter: Adapter, hostile: Hostile, how: str
) -> None:
    published(hostile)
    hostile.on("/token", token())
    known: dict[str, Any] = {
        "token_endpoint": hostile.token_endpoint,
        "metadata": {"token_endpoint": hostile.token_endpoint},
        "issuer": hostile.url(""),
    }
    client = adapter.client("c", "s", grant_type="client_credentials", scope="a", **{how: known[how]})
    assert client.get(hostile.url()).status_code == 200
    assert hostile.to("/api")[0].token == "at-1"
    assert hostile.token_requests[0].form == {"grant_type": "client_credentials", "scope": "a"}


def test_a_session_that_names_no_grant_asks_for_no_first_token(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint)
    with pytest.raises(UsageError, match="fetch_token"):
        client.get(hostile.url())
    assert hostile.token_requests == []


def test_a_custom_grant_of_the_constructor_is_repeated_with_its_parameters(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1", expires_in=60), token("at-2"))
    clock = Clock()
    client = adapter.client(
        "c",
        "s",
        token_endpoint=hostile.token_endpoint,
        grant_type="account_credentials",
        token_params={"account_id": "7"},
        clock=clock,
    )
    client.fetch_token()
    expected = {"grant_type": "account_credentials", "account_id": "7"}
    assert renewed(client, hostile, clock) == hostile.token_requests[0].form == expected


def test_an_assertion_of_the_constructor_is_presented_for_the_first_and_the_next_token(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-1"), token("at-2"), reply(400, json={"error": "invalid_grant: a.b.c"}))
    given: dict[str, Any] = {"grant_type": JWT_BEARER, "token_params": {"assertion": "a.b.c"}, "clock": clock}
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint, **given)
    assert client.get(hostile.url()).status_code == 200
    assert renewed(client, hostile, clock) == {"grant_type": JWT_BEARER, "assertion": "a.b.c"}
    with pytest.raises(OAuthError) as caught:
        renewed(client, hostile, clock)
    assert "a.b.c" not in f"{caught.value!r} {client.native!r}"
    assert [request.form["assertion"] for request in hostile.token_requests] == ["a.b.c"] * 3


def test_the_grant_of_an_assertion_without_an_assertion_asks_for_no_first_token(
    adapter: Adapter, hostile: Hostile
) -> None:
    client = adapter.client(
        token_endpoint=hostile.token_endpoint, grant_type=JWT_BEARER, token_params={"audience": "api"}
    )
    with pytest.raises(MissingTokenError):
        client.get(hostile.url())
    assert hostile.token_requests == []


def test_the_parameters_and_headers_of_every_token_request_are_sent_with_each(
    adapter: Adapter, hostile: Hostile
) -> None:
    hostile.on("/token", token("at-2"))
    old = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START - 1}
    client = adapter.client(
        "c",
        "s",
        token=old,
        token_endpoint=hostile.token_endpoint,
        token_params={"tenant": "t", "audience": "api"},
        token_request_headers={"X-Tenant": "t"},
        clock=Clock(),
    )
    assert renewed(client, hostile, Clock()) == {
        "grant_type": "refresh_token",
        "refresh_token": "rt-1",
        "tenant": "t",
        "audience": "api",
    }
    assert hostile.token_requests[0].header("X-Tenant") == "t"
    client.fetch_token(audience="other")
    assert hostile.token_requests[1].form == {"grant_type": "client_credentials", "tenant": "t", "audience": "other"}


def test_an_authorization_header_for_every_token_request_is_refused(adapter: Adapter) -> None:
    with pytest.raises(UsageError, match="Authorization"):
        adapter.client("c", "s", token_request_headers={"authorization": "Basic eDp5"})


# -- the next token ------------------------------------------------------------------------------------------------


def test_a_refresh_asks_for_the_requested_scope_without_what_was_not_granted(
    adapter: Adapter, hostile: Hostile
) -> None:
    clock = Clock()
    hostile.on("/token", token("at-1", refresh_token="rt-1", scope="read", expires_in=60), token("at-2"))
    client = adapter.client(
        "c", "s", token_endpoint=hostile.token_endpoint, scope="offline_access read write", clock=clock
    )
    client.fetch_token()
    assert renewed(client, hostile, clock)["scope"] == "offline_access read"


REFUSALS = {
    "empty 400": reply(400),
    "empty 401": reply(401),
    "empty 403": reply(403),
    "invalid_request": reply(400, json={"error": "invalid_request"}),
    "invalid_grant": reply(400, json={"error": "invalid_grant"}),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refresh_token_that_is_refused_in_any_words_is_dropped_for_the_first_grant(
    adapter: Adapter, hostile: Hostile, refusal: str
) -> None:
    clock = Clock()
    first = token("at-1", refresh_token="rt-1", expires_in=60)
    hostile.on("/token", first, REFUSALS[refusal], reply(503), token("at-2"))
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint, clock=clock)
    client.fetch_token()
    clock.advance(3600)
    with pytest.raises(OAuthError):
        client.get(hostile.url())
    clock.advance(3600)
    assert client.get(hostile.url()).status_code == 200
    kinds = [request.form["grant_type"] for request in hostile.token_requests]
    assert kinds == ["client_credentials", "refresh_token", "client_credentials", "client_credentials"]


def test_a_refresh_token_without_another_way_is_kept_where_the_refusal_does_not_mean_it(
    adapter: Adapter, hostile: Hostile
) -> None:
    hostile.on("/token", reply(401, json={"error": "invalid_client"}), token("at-2"))
    old = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START - 1}
    client = adapter.client("c", "s", token=old, token_endpoint=hostile.token_endpoint, clock=Clock())
    with pytest.raises(InvalidClient):
        client.get(hostile.url())
    assert client.get(hostile.url()).status_code == 200


# -- update_token and clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("renews", [False, True])
@pytest.mark.parametrize("call", ["fetch_token", "refresh_token"])
def test_an_update_token_that_requests_a_token_gets_an_error_before_a_request(
    adapter: Adapter, hostile: Hostile, call: str, renews: bool
) -> None:
    session: list[Any] = []
    hostile.on("/token", token("at-2", refresh_token="rt-2"))

    def update_token(*_: Any, **__: Any) -> Any:
        return getattr(session[0], call)()

    async def update_token_async(*_: Any, **__: Any) -> Any:
        return await getattr(session[0], call)()

    old = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START - 1}
    client = adapter.client(
        "c",
        "s",
        token=old if renews else None,
        token_endpoint=hostile.token_endpoint,
        update_token=update_token_async if adapter.kind.is_async else update_token,
        clock=Clock(),
    )
    session.append(client.native)
    with pytest.raises(UsageError, match="during its own renewal"):
        client.get(hostile.url()) if renews else client.fetch_token()
    assert len(hostile.token_requests) == 1


def test_the_lifetime_of_a_token_that_is_given_counts_on_the_sessions_clock(adapter: Adapter) -> None:
    clock = Clock()
    client = adapter.client("c", token={"access_token": "at", "expires_in": 60}, clock=clock)
    assert client.token is not None
    assert client.token.expires_at == START + 60
    clock.advance(100)
    client.token = {"access_token": "at-2", "expires_in": 60}
    assert client.native.token.expires_at == START + 160
