"""The OpenID Foundation's tests for relying parties: each row of conformance.md is the test of the same name here.

The provider of the tests takes the part of the suite. A relying party passes when it does not make the next call after
a bad response, or makes it after a good one. A row that is not met is an expected failure with its reason.
"""

import json
from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import urlencode

import anyio
import pytest

from doorkey import adiscover_issuer, aregister_client, discover_issuer, register_client
from doorkey.errors import LoginRequired, VerificationError
from doorkey.jose import jwt
from doorkey.oidc.core.claim_sources import only_named
from tests.support.openid_provider import CLIENT, HOME, SECRET, SUB, Signer, key_for
from tests.support.relying_party import RelyingParty, parameters

# -- logins ------------------------------------------------------------------------------------------------------------


def test_oidcc_client_test(party: RelyingParty) -> None:
    token = party.log_in()
    assert token.id_token_claims is not None
    assert token.id_token_claims["sub"] == SUB
    assert party.userinfo()["sub"] == SUB


def test_oidcc_client_test_3rd_party_init_login(party: RelyingParty) -> None:
    """The provider sends the browser to `initiate_login_uri` with a query (Core 1.0 §4)."""
    sent = {"iss": party.provider.issuer, "login_hint": "alice & co", "target_link_uri": "https://rp.example/inbox"}
    started = parameters(f"https://rp.example/start?{urlencode(sent)}")
    party.options |= {"metadata": None, "issuer": started["iss"]}
    party.client.call("discover")
    begun = party.begin(login_hint=started["login_hint"])
    assert begun.url.startswith(f"{party.provider.metadata['authorization_endpoint']}?")
    asked = parameters(begun.url)
    assert asked.pop("code_challenge")
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": HOME,
        "scope": "openid",
        "login_hint": "alice & co",
        "state": begun.state,
        "nonce": begun.nonce,
        "code_challenge_method": "S256",
    }
    token = party.client.fetch_token(authorization_response=party.provider.log_in(begun.url), transaction=begun)
    assert token.id_token_claims is not None
    assert token.id_token_claims["iss"] == started["iss"]


def test_oidcc_client_test_aggregated_claims(party: RelyingParty) -> None:
    bank = Signer("ES256", 5)
    made = bank.sign({"iss": "https://bank.example", "address": "Main St", "email": "not-yours@bank.example"}, {})
    names, sources = {"address": "bank"}, {"bank": {"JWT": made}}
    party.provider.user = {"sub": SUB, "_claim_names": names, "_claim_sources": sources}
    party.log_in()
    info = party.userinfo()
    (source,) = info.aggregated
    claims = jwt.decode(source.jwt, {"keys": [bank.jwk]})
    assert only_named(claims, source.names) == {"address": "Main St"}
    assert info.address is None


def test_oidcc_client_test_distributed_claims(party: RelyingParty) -> None:
    bank = Signer("ES256", 5)
    made = bank.sign({"iss": "https://bank.example", "score": 7}, {})
    party.provider.server.on("/claims", _text(made))
    source = {"endpoint": party.provider.server.url("/claims"), "access_token": "at-of-the-bank"}
    party.provider.user = {"sub": SUB, "_claim_names": {"score": "bank"}, "_claim_sources": {"bank": source}}
    party.log_in()
    (found,) = party.userinfo().distributed
    assert found.access_token is not None
    headers = {"Authorization": f"Bearer {found.access_token.reveal()}"}
    answer = party.client.get(found.endpoint, headers=headers, withhold_token=True)
    assert party.provider.server.to("/claims")[0].token == "at-of-the-bank"
    assert only_named(jwt.decode(answer.text, {"keys": [bank.jwk]}), found.names) == {"score": 7}


def test_oidcc_client_test_client_secret_basic(party: RelyingParty) -> None:
    party.log_in()
    assert (party.provider.server.token_requests[0].header("authorization") or "").startswith("Basic ")
    assert "client_secret" not in party.provider.server.token_requests[0].form


def test_oidcc_client_test_form_post_error(party: RelyingParty) -> None:
    begun = party.begin(response_mode="form_post", max_age=0, prompt="none")
    assert (parameters(begun.url)["max_age"], parameters(begun.url)["prompt"]) == ("0", "none")
    with pytest.raises(LoginRequired):
        party.client.fetch_token(
            authorization_response=party.provider.fail(begun.url, "login_required"), transaction=begun
        )
    assert party.provider.request_count("/token") == 0


def test_oidcc_client_test_nonce_unless_code_flow(party: RelyingParty) -> None:
    for response_type in ("id_token token", "code id_token", "code token", "code id_token token", "code"):
        begun = party.begin(response_type=response_type)
        assert parameters(begun.url)["nonce"] == begun.nonce
        assert len(begun.nonce) >= 22
        token = party.client.fetch_token(authorization_response=party.provider.log_in(begun.url), transaction=begun)
        assert token.id_token_claims is not None
        assert token.id_token_claims["nonce"] == begun.nonce


def test_oidcc_client_test_scope_userinfo_claims(party: RelyingParty) -> None:
    party.provider.user = {"sub": SUB, "name": "Alice", "email": "alice@example.org", "phone_number": "+1 555"}
    begun = party.begin(scope="openid profile email phone address")
    assert parameters(begun.url)["scope"] == "openid profile email phone address"
    party.client.fetch_token(authorization_response=party.provider.log_in(begun.url), transaction=begun)
    info = party.userinfo()
    assert (info.name, info.email, info.phone_number, info.address) == ("Alice", "alice@example.org", "+1 555", None)


@pytest.mark.xfail(reason="request objects (JAR) belong to a later profile", strict=True, raises=AssertionError)
def test_oidcc_client_test_request_uri_signed_none(party: RelyingParty) -> None:
    _logs_in_by_a_request_object(party, "none", SECRET)


@pytest.mark.xfail(reason="request objects (JAR) belong to a later profile", strict=True, raises=AssertionError)
def test_oidcc_client_test_request_uri_signed_rs256(party: RelyingParty) -> None:
    key = key_for("RS256", 3).as_dict(is_private=True)
    _logs_in_by_a_request_object(party, "RS256", key, token_endpoint_auth_method="private_key_jwt")


def _logs_in_by_a_request_object(party: RelyingParty, alg: str, secret: Any, **options: Any) -> None:
    """Log in at a provider that takes request objects only: it reads the request at `request_uri` (RFC 9101 §5.2)."""
    supported = {
        "request_uri_parameter_supported": True,
        "require_signed_request_object": alg != "none",
        "request_object_signing_alg_values_supported": [alg],
    }
    usual = {"redirect_uri": HOME, "scope": "openid", "clock": party.provider.clock, **options}
    client = party.adapter.client(CLIENT, secret, metadata={**party.provider.metadata, **supported}, **usual)
    begun = client.begin_authorization()
    asked = parameters(begun.url)
    assert "request_uri" in asked, "the request is in the URL itself"
    made = client.get(asked["request_uri"], withhold_token=True).text
    header, claims = (json.loads(urlsafe_b64decode(f"{part}==")) for part in made.split(".")[:2])
    assert (header["alg"], claims["client_id"], claims["state"]) == (alg, CLIENT, begun.state)
    if alg != "none":
        assert jwt.decode(made, {"keys": [key_for(alg, 3).public_jwk()]})["nonce"] == begun.nonce
    callback = party.provider.log_in(f"{party.provider.metadata['authorization_endpoint']}?{urlencode(claims)}")
    assert client.fetch_token(authorization_response=callback, transaction=begun).id_token_claims is not None


# -- discovery and registration ----------------------------------------------------------------------------------------


def test_oidcc_client_test_discovery_issuer_mismatch(party: RelyingParty) -> None:
    document = {**party.provider.metadata, "issuer": "https://other.example"}
    party.provider.server.on("/.well-known/openid-configuration", _json(document))
    for how in ({"issuer": party.provider.issuer}, {"server_metadata_url": _well_known(party)}):
        client = party.session(metadata=None, **how)
        with pytest.raises(VerificationError, match="issuer"):
            client.call("discover")
    assert {request.path for request in party.provider.server.received} == {"/.well-known/openid-configuration"}


def test_oidcc_client_test_discovery_jwks_uri_keys(party: RelyingParty) -> None:
    party.options |= {"metadata": None, "issuer": party.provider.issuer}
    party.client.call("discover")
    party.log_in()
    assert party.provider.request_count("/jwks") == 1


def test_oidcc_client_test_discovery_openid_config(party: RelyingParty) -> None:
    party.options |= {"metadata": None, "server_metadata_url": _well_known(party)}
    party.client.call("discover")
    assert party.client.native.metadata.userinfo_endpoint == party.provider.metadata["userinfo_endpoint"]
    assert party.log_in().id_token_claims is not None
    assert party.provider.request_count("/.well-known/openid-configuration") == 1


def test_oidcc_client_test_discovery_webfinger_acct(party: RelyingParty) -> None:
    _logs_in_by_webfinger(party, f"acct:alice@127.0.0.1:{party.provider.server.port}")


def test_oidcc_client_test_discovery_webfinger_url(party: RelyingParty) -> None:
    _logs_in_by_webfinger(party, party.provider.server.url("/alice"))


def _logs_in_by_webfinger(party: RelyingParty, identifier: str) -> None:
    """Log in where only the identifier of the user is known: WebFinger tells the issuer (Discovery 1.0 §2)."""
    link = {"rel": "http://openid.net/specs/connect/1.0/issuer", "href": party.provider.issuer}
    party.provider.server.on("/.well-known/webfinger", _json({"subject": identifier, "links": [link]}))
    issuer = _called(party, discover_issuer, adiscover_issuer, identifier)
    (found,) = party.provider.server.to("/.well-known/webfinger")
    assert found.query == {"resource": identifier, "rel": link["rel"]}
    party.options |= {"metadata": None, "issuer": issuer}
    party.client.call("discover")
    assert party.log_in().id_token_claims is not None


def _called(party: RelyingParty, blocking: Any, awaiting: Any, *given: Any, **options: Any) -> Any:
    """Call a function of the package, or its twin, with the HTTP library of the relying party."""
    kind = party.adapter.kind
    if not kind.is_async:
        with kind.library.Session() if kind.name == "requests" else kind.library.Client() as client:
            return blocking(*given, http_client=client, **options)

    async def call() -> Any:
        async with kind.library.AsyncClient() as client:
            return await awaiting(*given, http_client=client, **options)

    return anyio.run(call)


def test_oidcc_client_test_dynamic_registration(party: RelyingParty) -> None:
    """A program without a client ID registers itself at the endpoint that the metadata names (RFC 7591 §3)."""
    server = party.provider.server
    document = {**party.provider.metadata, "registration_endpoint": server.url("/register")}
    server.on("/.well-known/openid-configuration", _json(document))
    issued = {"client_id": CLIENT, "client_secret": SECRET, "client_secret_expires_at": 0, "redirect_uris": [HOME]}
    server.on("/register", _json(issued))
    registered = _called(party, register_client, aregister_client, party.provider.issuer, redirect_uris=[HOME])
    assert [json.loads(request.body)["redirect_uris"] for request in server.to("/register")] == [[HOME]]
    usual = {"redirect_uri": HOME, "scope": "openid", "clock": party.provider.clock}
    client = party.adapter.client(registered.client_id, registered.client_secret, issuer=registered.issuer, **usual)
    client.call("discover")
    begun = client.begin_authorization()
    assert parameters(begun.url)["client_id"] == CLIENT
    callback = party.provider.log_in(begun.url)
    assert client.fetch_token(authorization_response=callback, transaction=begun).id_token_claims is not None


def test_oidcc_client_test_mtls_endpoint_aliases(party: RelyingParty) -> None:
    server = party.provider.server
    aliases = {
        "token_endpoint": server.url("/token", host="localhost"),
        "userinfo_endpoint": server.url("/userinfo", host="localhost"),
    }
    party.options |= {
        "metadata": {**party.provider.metadata, "mtls_endpoint_aliases": aliases},
        "token_endpoint_auth_method": "tls_client_auth",
    }
    party.log_in()
    party.userinfo()
    hosts = {request.path: request.header("host") for request in server.received}
    assert hosts["/token"] == hosts["/userinfo"] == f"localhost:{server.port}"


# -- ID tokens that are refused ----------------------------------------------------------------------------------------

FRONT = ("id_token token", "code id_token", "code id_token token")
EVERY = ("code", *FRONT)


@pytest.mark.parametrize("response_type", EVERY)
def test_oidcc_client_test_invalid_iss(party: RelyingParty, response_type: str) -> None:
    party.provider.changed = {"iss": "https://other.example"}
    party.refuses("iss", response_type=response_type)


@pytest.mark.parametrize("response_type", EVERY)
def test_oidcc_client_test_invalid_aud(party: RelyingParty, response_type: str) -> None:
    party.provider.changed = {"aud": "another-client"}
    party.refuses("aud", response_type=response_type)


def test_oidcc_client_test_missing_aud(party: RelyingParty) -> None:
    party.provider.changed = {"aud": None}
    party.refuses("aud")


@pytest.mark.parametrize("response_type", EVERY)
def test_oidcc_client_test_missing_iat(party: RelyingParty, response_type: str) -> None:
    party.provider.changed = {"iat": None}
    party.refuses("iat", response_type=response_type)


@pytest.mark.parametrize("response_type", EVERY)
def test_oidcc_client_test_missing_sub(party: RelyingParty, response_type: str) -> None:
    party.provider.changed = {"sub": None}
    party.refuses("sub", response_type=response_type)


@pytest.mark.parametrize("response_type", EVERY)
def test_oidcc_client_test_nonce_invalid(party: RelyingParty, response_type: str) -> None:
    party.provider.changed = {"nonce": "of-another-login"}
    party.refuses("nonce", response_type=response_type)


@pytest.mark.parametrize("response_type", ["id_token token", "code id_token token"])
def test_oidcc_client_test_invalid_athash(party: RelyingParty, response_type: str) -> None:
    party.provider.wrong = ("at_hash",)
    party.refuses("at_hash", response_type=response_type)


@pytest.mark.parametrize("response_type", ["id_token token", "code id_token token"])
def test_oidcc_client_test_missing_athash(party: RelyingParty, response_type: str) -> None:
    party.provider.omits = ("at_hash",)
    party.refuses("at_hash", response_type=response_type)


@pytest.mark.parametrize("response_type", ["code id_token", "code id_token token"])
def test_oidcc_client_test_invalid_chash(party: RelyingParty, response_type: str) -> None:
    party.provider.wrong = ("c_hash",)
    party.refuses("c_hash", response_type=response_type)
    assert party.provider.request_count("/token") == 0, "the code is not used"


@pytest.mark.parametrize("response_type", ["code id_token", "code id_token token"])
def test_oidcc_client_test_missing_chash(party: RelyingParty, response_type: str) -> None:
    party.provider.omits = ("c_hash",)
    party.refuses("c_hash", response_type=response_type)
    assert party.provider.request_count("/token") == 0


@pytest.mark.parametrize("response_type", EVERY)
def test_oidcc_client_test_invalid_sig_es256(party: RelyingParty, response_type: str) -> None:
    party.provider.forges = True
    party.refuses("signature", response_type=response_type)


@pytest.mark.parametrize("response_type", EVERY)
def test_oidcc_client_test_invalid_sig_rs256(party: RelyingParty, response_type: str) -> None:
    party.provider.signer, party.provider.forges = Signer("RS256"), True
    party.refuses("signature", response_type=response_type)


def test_oidcc_client_test_invalid_sig_hs256(party: RelyingParty) -> None:
    party.options["id_token_signed_response_alg"] = "HS256"
    party.provider.hmac_secret, party.provider.forges = SECRET, True
    party.refuses("signature")


# -- algorithms and keys -----------------------------------------------------------------------------------------------


def test_oidcc_client_test_idtoken_sig_rs256(party: RelyingParty) -> None:
    party.provider.signer = Signer("RS256")
    assert party.log_in().id_token_claims is not None
    party.userinfo()


def test_oidcc_client_test_idtoken_sig_none(party: RelyingParty) -> None:
    party.provider.unsigned = True
    party.refuses("alg")
    registered = RelyingParty(party.adapter, party.provider, {"id_token_signed_response_alg": "none"})
    assert registered.log_in().id_token_claims is not None
    registered.userinfo()
    with pytest.raises(VerificationError, match="alg"):
        registered.log_in(response_type="code id_token")


def test_oidcc_client_test_kid_absent_single_jwks(party: RelyingParty) -> None:
    party.provider.signer = Signer("RS256", kid=None)
    assert party.log_in().id_token_claims is not None


def test_oidcc_client_test_kid_absent_multiple_jwks(party: RelyingParty) -> None:
    party.provider.signer = Signer("ES256", 1, kid=None)
    party.provider.published = [Signer("ES256", number, f"k{number}").jwk for number in range(3)]
    assert party.log_in().id_token_claims is not None


def test_oidcc_client_test_signing_key_rotation(party: RelyingParty) -> None:
    party.log_in()
    party.provider.clock.advance(100)
    party.provider.signer = Signer("ES256", 1, "k1")
    assert party.log_in().id_token_claims is not None
    assert party.provider.request_count("/jwks") == 2


def test_oidcc_client_test_signing_key_rotation_just_before_signing(party: RelyingParty) -> None:
    party.log_in()
    begun = party.begin()
    callback = party.provider.log_in(begun.url)
    party.provider.signer = Signer("ES256", 1, kid="k0")  # even under the name of the old key
    token = party.client.fetch_token(authorization_response=callback, transaction=begun)
    assert token.id_token_claims is not None


def _well_known(party: RelyingParty) -> str:
    return f"{party.provider.issuer}/.well-known/openid-configuration"


def _json(document: dict[str, Any]) -> bytes:
    from tests.support.hostile_server import reply

    return reply(json=document)


def _text(text: str) -> bytes:
    from tests.support.hostile_server import reply

    return reply(200, text, {"Content-Type": "application/jwt"})
