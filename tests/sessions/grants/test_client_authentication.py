"""How a client proves who it is (RFC 6749 §2.3, RFC 7523 §2.2)."""

import json
from base64 import b64decode, urlsafe_b64decode
from typing import Any
from urllib.parse import parse_qsl

import pytest
from requests.auth import AuthBase

from doorkey.errors import OAuthError, UsageError
from doorkey.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from tests.servers.signing_keys import ec_key, rsa_key
from tests.support.contract_servers import ClientCredentials, KeyAssertion, Odd, SecretAssertion, SecretInBody, Site, on
from tests.support.every_adapter import Adapter
from tests.support.fake_clock import START
from tests.support.hostile_server import Hostile, Received, token

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
HMAC = "a-secret-of-at-least-32-bytes-for-hs256"


def asked(adapter: Adapter, hostile: Hostile, client_id: str, secret: Any, **options: Any) -> Received:
    """Return the token request that such a client makes."""
    hostile.on("/token", token())
    adapter.client(client_id, secret, token_endpoint=hostile.token_endpoint, **options).fetch_token()
    return hostile.token_requests[-1]


def claims(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims, unverified: real servers verify them."""
    header, payload, _ = (urlsafe_b64decode(part + "===") for part in assertion.split("."))
    return json.loads(header), json.loads(payload)


@on(Odd)
def test_odd_characters_in_id_and_secret_survive_basic(adapter: Adapter, site: Site) -> None:
    client = adapter.client(*site.ability(Odd).client, **site.options)
    assert client.fetch_token(grant_type="client_credentials")["access_token"]


@on(SecretInBody)
def test_the_secret_can_go_in_the_body(adapter: Adapter, site: Site) -> None:
    options = {**site.options, "token_endpoint_auth_method": "client_secret_post"}
    client = adapter.client(*site.ability(SecretInBody).client, **options)
    assert client.fetch_token(grant_type="client_credentials")["access_token"]


@on(SecretAssertion)
def test_a_client_can_sign_with_its_secret(adapter: Adapter, site: Site) -> None:
    options = {**site.options, "token_endpoint_auth_method": "client_secret_jwt"}
    client = adapter.client(*site.ability(SecretAssertion).client, **options)
    for _ in range(2):  # a jti works once, so a second assertion must be another
        assert client.fetch_token(grant_type="client_credentials")["access_token"]


@on(KeyAssertion)
@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_a_client_can_sign_with_its_private_key(adapter: Adapter, site: Site, alg: str) -> None:
    name = alg.lower()
    key = site.ability(KeyAssertion).key(site.keys, name)
    # A PEM says nothing of the algorithm where the server wants another than RS256; a JWK says its own.
    method = PrivateKeyJWT(alg=alg, headers={"kid": _kid(key, name)})
    client = adapter.client(f"pkjwt-{name}", key, token_endpoint_auth_method=method, **site.options)
    for _ in range(2):
        assert client.fetch_token(grant_type="client_credentials")["access_token"]


def _kid(key: Any, name: str) -> str:
    return name if isinstance(key, str) else str(key["kid"])


@on(KeyAssertion)
def test_a_key_for_rs256_needs_only_the_methods_name(adapter: Adapter, site: Site) -> None:
    key = site.ability(KeyAssertion).key(site.keys, "rs256")
    client = adapter.client("pkjwt-rs256", key, token_endpoint_auth_method="private_key_jwt", **site.options)
    assert client.fetch_token(grant_type="client_credentials")["access_token"]


@on(KeyAssertion)
def test_the_documents_way_of_naming_the_token_endpoint_as_audience(adapter: Adapter, site: Site) -> None:
    key = site.ability(KeyAssertion).key(site.keys, "rs256")
    client = adapter.client("pkjwt-rs256", key, token_endpoint_auth_method="private_key_jwt", **site.options)
    client.native.register_client_auth_method(PrivateKeyJWT(site.token_endpoint))
    assert client.fetch_token(grant_type="client_credentials")["access_token"]


@on(ClientCredentials)
def test_the_http_librarys_own_auth_can_be_given(adapter: Adapter, site: Site) -> None:
    client_id, secret = site.ability(ClientCredentials).client
    client = adapter.client("another", "another-secret", **site.options)
    client.fetch_token(auth=(client_id, secret), grant_type="client_credentials")
    client.fetch_token(auth=adapter.kind.basic(client_id, str(secret)), grant_type="client_credentials")


def test_basic_encodes_id_and_secret_first(adapter: Adapter, hostile: Hostile) -> None:
    request = asked(adapter, hostile, "odd:id +1", "p%41+q/r:s&t=u v")
    scheme, _, encoded = (request.header("authorization") or "").partition(" ")
    assert scheme == "Basic"
    assert b64decode(encoded) == b"odd%3Aid++1".replace(b"++", b"+%2B") + b":p%2541%2Bq%2Fr%3As%26t%3Du+v"
    assert request.form == {"grant_type": "client_credentials"}


def test_the_encoding_can_be_switched_off_by_name(adapter: Adapter, hostile: Hostile) -> None:
    method = "client_secret_basic_unencoded"
    request = asked(adapter, hostile, "an id", "p%41+q/r", token_endpoint_auth_method=method)
    assert b64decode((request.header("authorization") or "")[6:]) == b"an id:p%41+q/r"
    with pytest.raises(UsageError, match="client_secret_basic"):
        asked(adapter, hostile, "a:id", "s", token_endpoint_auth_method=method)


def test_in_the_body_they_are_parameters_like_any_other(adapter: Adapter, hostile: Hostile) -> None:
    request = asked(adapter, hostile, "a id", "s&=+%", token_endpoint_auth_method="client_secret_post")
    assert request.header("authorization") is None
    assert request.form == {"grant_type": "client_credentials", "client_id": "a id", "client_secret": "s&=+%"}


@pytest.mark.parametrize("method", [None, "none"])
def test_a_public_client_says_its_name(adapter: Adapter, hostile: Hostile, method: str | None) -> None:
    request = asked(adapter, hostile, "public", None, token_endpoint_auth_method=method)
    assert request.header("authorization") is None
    assert request.form == {"grant_type": "client_credentials", "client_id": "public"}


def test_a_secret_never_goes_into_the_url_of_a_get(adapter: Adapter, hostile: Hostile) -> None:
    for method in ("client_secret_post", "client_secret_jwt"):
        client = adapter.client("c", HMAC, token_endpoint_auth_method=method)
        with pytest.raises(UsageError, match="POST"):
            client.fetch_token(hostile.token_endpoint, method="GET")
    assert hostile.received == []


def test_a_get_is_possible_for_servers_that_want_it(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    adapter.client("c", "s").fetch_token(hostile.token_endpoint, method="GET", audience="api")
    request = hostile.token_requests[0]
    assert (request.method, request.body) == ("GET", b"")
    assert request.query == {"grant_type": "client_credentials", "audience": "api"}


def test_an_assertion_has_a_fresh_id_and_a_short_life_and_is_for_the_issuer(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client = adapter.client(
        "c",
        HMAC,
        token_endpoint_auth_method="client_secret_jwt",
        metadata={"issuer": "http://127.0.0.1", "token_endpoint": hostile.token_endpoint},
        clock=lambda: START,
    )
    client.fetch_token()
    client.fetch_token()
    seen = [claims(request.form["client_assertion"])[1] for request in hostile.token_requests]
    assert seen[0]["jti"] != seen[1]["jti"]
    assert {**seen[0], "jti": ""} == {
        "iss": "c",
        "sub": "c",
        "aud": "http://127.0.0.1",
        "iat": START,
        "exp": START + 60,
        "jti": "",
    }
    assert hostile.token_requests[0].form["client_assertion_type"] == ASSERTION
    assert HMAC not in hostile.token_requests[0].body.decode()


def test_without_an_issuer_an_assertion_is_for_the_endpoint_that_is_asked(adapter: Adapter, hostile: Hostile) -> None:
    request = asked(adapter, hostile, "c", HMAC, token_endpoint_auth_method="client_secret_jwt")
    assert claims(request.form["client_assertion"])[1]["aud"] == hostile.token_endpoint


def test_audience_claims_and_headers_of_an_assertion_can_be_given(adapter: Adapter, hostile: Hostile) -> None:
    method = ClientSecretJWT(audience="https://as.example", claims={"tenant": "7", "sub": "mallory"}, alg="HS512")
    request = asked(adapter, hostile, "c", HMAC * 2, token_endpoint_auth_method=method)
    header, body = claims(request.form["client_assertion"])
    assert header["alg"] == "HS512"
    assert (body["aud"], body["tenant"], body["sub"]) == ("https://as.example", "7", "c")


def test_a_short_secret_signs_nothing(adapter: Adapter, hostile: Hostile) -> None:
    with pytest.raises(OAuthError):
        asked(adapter, hostile, "c", "short", token_endpoint_auth_method="client_secret_jwt")
    assert hostile.received == []


def test_a_public_key_in_pem_is_no_secret_to_sign_with(adapter: Adapter, hostile: Hostile, tmp_path: Any) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = rsa_key(tmp_path / "k.pem").public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for method in ("client_secret_jwt", "private_key_jwt"):
        with pytest.raises(OAuthError):
            asked(adapter, hostile, "c", pem, token_endpoint_auth_method=method)
    assert hostile.received == []


def test_a_key_object_signs_too(adapter: Adapter, hostile: Hostile, tmp_path: Any) -> None:
    request = asked(
        adapter,
        hostile,
        "c",
        ec_key(tmp_path / "k.pem"),
        token_endpoint_auth_method=PrivateKeyJWT(alg="ES256"),
    )
    assert claims(request.form["client_assertion"])[0]["alg"] == "ES256"


def test_a_key_that_does_not_fit_is_named_before_anything_is_sent(
    adapter: Adapter, hostile: Hostile, tmp_path: Any
) -> None:
    ec_key(tmp_path / "k.pem")
    pem = (tmp_path / "k.pem").read_text()
    with pytest.raises(OAuthError):
        asked(adapter, hostile, "c", pem, token_endpoint_auth_method=PrivateKeyJWT(alg="RS256"))
    with pytest.raises(OAuthError):
        asked(adapter, hostile, "c", "no key", token_endpoint_auth_method="private_key_jwt")
    with pytest.raises(UsageError, match="needs a key"):
        asked(adapter, hostile, "c", None, token_endpoint_auth_method="private_key_jwt")
    assert hostile.received == []


def in_a_header(client: Any, method: str, uri: str, headers: Any, body: Any) -> Any:
    """A method of a user's own, in the documents' shape."""
    headers["X-Client"] = f"{client.client_id}/{client.client_secret}"
    return uri, headers, body + "&signed=yes"


def test_a_callable_is_a_method(adapter: Adapter, hostile: Hostile) -> None:
    request = asked(adapter, hostile, "c", "s", token_endpoint_auth_method=in_a_header)
    assert request.header("x-client") == "c/s"
    assert request.form == {"grant_type": "client_credentials", "signed": "yes"}


def test_a_registered_name_is_a_method(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client = adapter.client("c", "s", token_endpoint_auth_method="mine", token_endpoint=hostile.token_endpoint)
    with pytest.raises(UsageError, match="'mine'"):
        client.fetch_token()
    client.native.register_client_auth_method(("mine", in_a_header))
    client.fetch_token()
    assert hostile.token_requests[0].header("x-client") == "c/s"


def test_an_unknown_method_names_the_nearest(adapter: Adapter, hostile: Hostile) -> None:
    with pytest.raises(UsageError, match="did you mean 'client_secret_post'"):
        asked(adapter, hostile, "c", "s", token_endpoint_auth_method="client_secret_pots")


@pytest.mark.parametrize("returned", [None, "x", (), ("a", {})])
def test_a_method_that_returns_something_else_is_named(adapter: Adapter, hostile: Hostile, returned: Any) -> None:
    def method(*_: Any) -> Any:
        return returned

    with pytest.raises(UsageError, match=r"must return \(uri, headers, body\)"):
        asked(adapter, hostile, "c", "s", token_endpoint_auth_method=method)


def test_auth_for_one_call_replaces_the_sessions(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint)
    for auth in ("client_secret_post", in_a_header, ("u:1", "p 2"), adapter.kind.basic("u", "p")):
        client.fetch_token(auth=auth)
    posted, callable_, pair, native = hostile.token_requests
    assert posted.form["client_secret"] == "s"
    assert callable_.header("x-client") == "c/s"
    assert b64decode((pair.header("authorization") or "")[6:]) == b"u%3A1:p+2"
    assert b64decode((native.header("authorization") or "")[6:]) == b"u:p"
    for request in (callable_, pair, native):
        assert dict(parse_qsl(request.body.decode()))["grant_type"] == "client_credentials"


@pytest.mark.parametrize("auth", [7, object(), ["a"], (1, 2)])
def test_an_auth_that_is_none_is_named(adapter: Adapter, hostile: Hostile, auth: Any) -> None:
    with pytest.raises(UsageError, match="auth is a"):
        adapter.client().fetch_token(hostile.token_endpoint, auth=auth)


def test_a_custom_auth_class_signs_the_token_request(adapter: Adapter, hostile: Hostile) -> None:
    class OnRequests(AuthBase):
        def __call__(self, r: Any) -> Any:
            r.headers["X-Signature"] = "over " + str(len(r.body))
            return r

    def auth_flow(_: Any, request: Any) -> Any:
        request.headers["X-Signature"] = "over " + str(len(request.content))
        yield request

    hostile.on("/token", token())
    native: Any = getattr(adapter.kind.library, "Auth", None)
    auth: Any = type("OnHttpx", (native,), {"auth_flow": auth_flow})() if native else OnRequests()
    adapter.client("c").fetch_token(hostile.token_endpoint, auth=auth)
    assert hostile.token_requests[0].header("x-signature") == "over 29"
    assert hostile.token_requests[0].body == b"grant_type=client_credentials"


def test_renewals_authenticate_as_the_first_request_did(adapter: Adapter, hostile: Hostile, clock: Any) -> None:
    hostile.on("/token", token("at-1", refresh_token="rt-1"), token("at-2"))
    client = adapter.client("c", "s", clock=clock)
    client.fetch_token(hostile.token_endpoint, auth=in_a_header, code="a-code")
    clock.advance(300)
    client.get(hostile.url())
    assert [request.header("x-client") for request in hostile.token_requests] == ["c/s", "c/s"]
