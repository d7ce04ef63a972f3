"""Logins of every response type, by query, fragment and form_post, and what an ID token is compared with."""

from typing import Any

import pytest

from doorkey import Issuer
from doorkey.errors import InvalidResponse, InvalidToken, TransportError, UsageError, VerificationError
from doorkey.jose.generation import generate_key
from doorkey.oidc.core import TenantIssuer
from doorkey.protocol.authorization import AuthorizationTransaction
from tests.support.hostile_server import reply
from tests.support.openid_provider import CLIENT, HOME, SECRET, SUB, OpenIDProvider, Signer
from tests.support.relying_party import RelyingParty, parameters


def decryption_key() -> dict[str, Any]:
    """Return a private key of the client for encrypted responses."""
    key = generate_key("ES256").as_dict(is_private=True)
    return {name: value for name, value in key.items() if name in ("kty", "crv", "x", "y", "d")}


TYPES = ("code", "id_token token", "code id_token", "code token", "code id_token token")


@pytest.mark.parametrize("mode", [None, "form_post"])
@pytest.mark.parametrize("response_type", TYPES)
def test_every_response_type_with_a_token_is_finished_by_its_transaction(
    party: RelyingParty, response_type: str, mode: str | None
) -> None:
    begun = party.begin(response_type=response_type, **({} if mode is None else {"response_mode": mode}))
    stored = AuthorizationTransaction.from_json(begun.to_json())
    other = party.session()
    token = other.fetch_token(authorization_response=party.provider.log_in(begun.url), transaction=stored)
    assert token.id_token_claims is not None
    assert (token.id_token_claims["sub"], token.id_token_claims["nonce"]) == (SUB, begun.nonce)
    assert other.token is token


@pytest.mark.parametrize("mode", [None, "form_post"])
@pytest.mark.parametrize("response_type", TYPES)
def test_every_response_type_with_a_token_is_finished_by_its_state(
    party: RelyingParty, response_type: str, mode: str | None
) -> None:
    url, _ = party.client.create_authorization_url(response_type=response_type, response_mode=mode)
    token = party.client.fetch_token(authorization_response=party.provider.log_in(url))
    assert token.id_token_claims is not None


def test_an_id_token_alone_is_verified_with_what_its_request_sent(party: RelyingParty) -> None:
    for mode in (None, "form_post"):
        url, _ = party.client.create_authorization_url(response_type="id_token", response_mode=mode)
        response = party.client.native.parse_authorization_response(party.provider.log_in(url))
        claims: Any = party.client.call("verify_id_token", response)
        assert claims["sub"] == SUB
    party.provider.changed = {"nonce": "of-another-login"}
    begun = party.begin(response_type="id_token")
    callback = party.provider.log_in(begun.url)
    response = party.client.native.parse_authorization_response(callback, transaction=begun)
    with pytest.raises(VerificationError, match="nonce"):
        party.client.call("verify_id_token", response)


def test_the_requested_max_age_and_acr_values_are_compared(party: RelyingParty) -> None:
    token = party.log_in(max_age=300, acr_values="2 1")
    assert token.id_token_claims is not None
    assert token.id_token_claims["acr"] == "2"
    other = RelyingParty(party.adapter, party.provider, {"max_age": 300, "acr_values": ["3", "4"]})
    assert other.log_in().id_token_claims is not None
    party.provider.changed = {"auth_time": int(party.provider.clock()) - 400}
    assert other.session().token is None
    with pytest.raises(VerificationError, match="auth_time"):
        other.log_in()
    party.provider.changed = {"acr": "1"}
    with pytest.raises(VerificationError, match="acr"):
        other.log_in()


@pytest.mark.parametrize("claim", ["iss", "sub", "acr"])
def test_the_id_tokens_of_both_channels_agree(party: RelyingParty, claim: str) -> None:
    party.provider.changed = {"acr": "1"}
    party.log_in(response_type="code id_token")
    party.provider.in_channel = {"back": {claim: "another"}}
    with pytest.raises(VerificationError) as error:
        party.log_in(response_type="code id_token")
    assert error.value.claim == claim


def test_a_login_of_another_session_needs_its_nonce(party: RelyingParty) -> None:
    begun = party.begin()
    other = party.session()
    callback = party.provider.log_in(begun.url)
    sent = {"state": begun.state, "code_verifier": begun.code_verifier.reveal()}
    with pytest.raises(UsageError, match="nonce"):
        other.fetch_token(authorization_response=callback, **sent)
    assert party.provider.request_count("/token") == 0
    token = other.fetch_token(authorization_response=callback, nonce=begun.nonce, **sent)
    assert token.id_token_claims is not None
    with pytest.raises(VerificationError, match="nonce"):
        other.fetch_token(code="code-0", nonce="another")


def test_claims_are_not_stored_with_the_token(party: RelyingParty) -> None:
    import copy
    import pickle

    token = party.log_in()
    assert token.id_token_claims is not None
    assert set(token) == {"access_token", "token_type", "expires_in", "expires_at", "refresh_token", "id_token"}
    restored = pickle.loads(pickle.dumps(token))  # noqa: S301  # our own
    assert restored.id_token_claims is None
    assert copy.copy(token).id_token_claims is token.id_token_claims
    assert SUB not in repr(token.id_token_claims) + repr(token.value)


def test_an_id_token_that_the_caller_has_is_verified(party: RelyingParty) -> None:
    begun = party.begin()
    token = party.client.fetch_token(authorization_response=party.provider.log_in(begun.url), transaction=begun)
    with_values: Any = party.client.call(
        "verify_id_token", token.id_token, nonce=begun.nonce, access_token=token.access_token, code="code-0"
    )
    assert with_values["sub"] == SUB
    own: Any = party.client.call("verify_id_token")
    assert own["nonce"] == begun.nonce
    by_transaction: Any = party.client.call("verify_id_token", token.id_token, transaction=begun)
    assert by_transaction["sub"] == SUB
    for wrong in ({"nonce": "another"}, {}, {"nonce": begun.nonce, "access_token": "another"}):
        with pytest.raises(VerificationError):
            party.client.call("verify_id_token", token.id_token, **wrong)
    party.provider.clock.advance(3900)
    with pytest.raises(VerificationError, match="3600 seconds ago"):
        party.client.call("verify_id_token")


def test_without_an_issuer_nothing_is_verified_and_nothing_is_claimed(party: RelyingParty) -> None:
    party.provider.forges = True
    endpoint = party.provider.metadata["token_endpoint"]
    client = party.session(metadata=None, authorization_endpoint=party.provider.metadata["authorization_endpoint"])
    url, _ = client.create_authorization_url()
    token = client.fetch_token(endpoint, authorization_response=party.provider.log_in(url))
    assert token.id_token_claims is None
    assert party.provider.request_count("/jwks") == 0
    for call in ("verify_id_token",):
        with pytest.raises(UsageError, match="issuer"):
            client.call(call)


def test_an_issuer_that_is_shared_fetches_its_keys_once(party: RelyingParty) -> None:
    with Issuer(party.provider.issuer, metadata=party.provider.metadata, clock=party.provider.clock) as issuer:
        party.options |= {"issuer": issuer, "metadata": None}
        party.log_in()
        other = RelyingParty(party.adapter, party.provider, party.options)
        other.log_in()
    assert party.provider.request_count("/jwks") == 1
    with pytest.raises(UsageError, match="metadata"):
        party.session(metadata=party.provider.metadata)


def test_an_issuer_and_its_token_endpoint_are_enough(party: RelyingParty) -> None:
    document = party.provider.metadata
    options = {name: document[name] for name in ("issuer", "token_endpoint", "authorization_endpoint")}
    party.options |= {"metadata": None, **options}
    assert party.log_in().id_token_claims is not None
    assert (
        party.provider.request_count("/.well-known/openid-configuration"),
        party.provider.request_count("/jwks"),
    ) == (1, 1)


def test_a_document_may_name_the_issuer_with_a_slash(party: RelyingParty) -> None:
    slashed = f"{party.provider.issuer}/"
    party.provider.server.on(
        "/.well-known/openid-configuration", reply(json={**party.provider.metadata, "issuer": slashed})
    )
    party.provider.changed = {"iss": slashed}
    party.options |= {
        "metadata": None,
        "server_metadata_url": f"{party.provider.issuer}/.well-known/openid-configuration",
    }
    party.client.call("discover")
    assert party.log_in().id_token_claims is not None
    assert party.client.native.metadata.issuer == slashed


def test_a_multi_tenant_server_is_a_policy(party: RelyingParty) -> None:
    provider = party.provider
    template = f"{provider.issuer}/{{tenantid}}/v2.0"
    document = {**provider.metadata, "issuer": template}
    provider.server.on("/.well-known/openid-configuration", reply(json=document))
    party.options |= {"metadata": None, "issuer": provider.issuer, "tenant_issuer": TenantIssuer(template, ["ours"])}
    party.client.call("discover")
    ours, theirs = (template.replace("{tenantid}", tenant) for tenant in ("ours", "theirs"))
    provider.changed = {"iss": ours, "tid": "ours"}
    assert party.log_in().id_token_claims is not None
    begun = party.begin()
    callback = provider.log_in(begun.url)
    with pytest.raises(VerificationError, match="another authorization server"):
        party.client.fetch_token(authorization_response=f"{callback}&iss={theirs}", transaction=begun)
    named = f"{callback}&iss={ours}"
    assert party.client.fetch_token(authorization_response=named, transaction=begun).id_token_claims is not None
    for tid, claim in (("theirs", "tid"), (None, "tid"), ("../ours", "tid")):
        provider.changed = {"iss": template.replace("{tenantid}", str(tid)), "tid": tid}
        with pytest.raises(VerificationError) as error:
            party.log_in()
        assert error.value.claim == claim
    provider.changed = {"iss": provider.issuer, "tid": "ours"}
    with pytest.raises(VerificationError, match="iss"):
        party.log_in()


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "PS256"])
def test_each_algorithm_that_both_sides_have_is_accepted_unless_another_is_registered(
    party: RelyingParty, alg: str
) -> None:
    party.provider.signer = Signer(alg)
    assert party.log_in().id_token_claims is not None
    other = RelyingParty(party.adapter, party.provider, {"id_token_signed_response_alg": "RS256"})
    with pytest.raises(VerificationError, match="alg is not the registered one"):
        other.log_in()


def test_an_hmac_is_accepted_only_where_it_is_registered(party: RelyingParty) -> None:
    party.provider.hmac_secret = SECRET
    party.refuses("alg")
    registered = RelyingParty(party.adapter, party.provider, {"id_token_signed_response_alg": "HS256"})
    assert registered.log_in().id_token_claims is not None
    assert party.provider.request_count("/jwks") == 0


def test_encrypted_id_tokens_and_userinfo_are_decrypted_with_the_keys_of_the_client(party: RelyingParty) -> None:
    key = decryption_key()
    party.provider.encrypts_to = {name: value for name, value in key.items() if name != "d"}
    party.provider.userinfo_signer = party.provider.signer
    party.options["decryption_keys"] = [key]
    token = party.log_in()
    assert str(token.id_token).count(".") == 4
    assert token.id_token_claims is not None
    assert party.userinfo()["sub"] == SUB
    assert party.client.refresh_token().id_token_claims is not None
    without = RelyingParty(party.adapter, party.provider)
    with pytest.raises(UsageError, match="decryption_keys"):
        without.log_in()
    other = RelyingParty(party.adapter, party.provider, {"decryption_keys": decryption_key()})
    with pytest.raises(VerificationError, match="decrypted"):
        other.log_in()


def test_a_response_without_its_registered_encryption_or_signature_is_refused(party: RelyingParty) -> None:
    options = {"decryption_keys": decryption_key(), "id_token_encrypted_response_alg": "ECDH-ES+A128KW"}
    with pytest.raises(VerificationError, match="not encrypted"):
        RelyingParty(party.adapter, party.provider, options).log_in()
    signed = RelyingParty(party.adapter, party.provider, {"userinfo_signed_response_alg": "ES256"})
    signed.log_in()
    with pytest.raises(VerificationError, match="not signed or encrypted as the client registered it"):
        signed.userinfo()


@pytest.mark.parametrize(
    ("claim", "value"), [("iss", "https://other.example"), ("aud", "another-client"), ("exp", 1), ("sub", "another")]
)
def test_a_signed_userinfo_response_is_for_this_client_and_user(party: RelyingParty, claim: str, value: Any) -> None:
    party.provider.userinfo_signer = party.provider.signer
    party.provider.user = {"sub": SUB, claim: value}
    party.log_in()
    with pytest.raises(VerificationError) as error:
        party.userinfo()
    assert error.value.claim == claim


def test_userinfo_says_why_it_has_no_claims(party: RelyingParty) -> None:
    party.log_in()
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    party.provider.server.on("/userinfo", reply(401, "", challenge), reply(500, "broken"), reply(json={"name": "A"}))
    with pytest.raises(InvalidToken):
        party.userinfo()
    with pytest.raises(InvalidResponse):
        party.userinfo()
    with pytest.raises(VerificationError, match="sub"):
        party.userinfo()


def test_a_plain_session_has_userinfo_too(party: RelyingParty) -> None:
    document = party.provider.metadata
    client = party.session(
        metadata={"userinfo_endpoint": document["userinfo_endpoint"]}, token={"access_token": "at-of-another"}
    )
    info: Any = client.call("userinfo", sub=SUB)
    assert info["sub"] == SUB
    with pytest.raises(VerificationError, match="another user"):
        client.call("userinfo", sub="another")
    party.provider.user = {"name": "no sub"}
    with pytest.raises(VerificationError, match="sub"):
        client.call("userinfo")
    with pytest.raises(UsageError, match="userinfo_endpoint"):
        party.session(metadata=None, token={"access_token": "a"}).call("userinfo")


def test_a_token_of_another_audience_needs_trust(party: RelyingParty) -> None:
    party.provider.changed = {"aud": [CLIENT, "their-api"], "azp": CLIENT}
    party.refuses("aud")
    trusting = RelyingParty(party.adapter, party.provider, {"trusted_audiences": ["their-api"]})
    assert trusting.log_in().id_token_claims is not None


def test_a_clock_that_is_off_by_an_hour_is_named_and_may_be_allowed_for(party: RelyingParty) -> None:
    provider = party.provider
    provider.changed = {"iat": int(provider.clock()) + 3600, "exp": int(provider.clock()) + 7200}
    error = party.refuses("iat")
    assert "3600 seconds in the future" in str(error)
    assert RelyingParty(party.adapter, provider, {"id_token_leeway": 3600}).log_in().id_token_claims is not None


@pytest.mark.parametrize("answer", [reply(200, "<html>login</html>", {"Content-Type": "text/html"}), reply(503)])
def test_keys_that_cannot_be_fetched_end_the_login_and_not_the_next_one(party: RelyingParty, answer: bytes) -> None:
    provider: OpenIDProvider = party.provider
    provider.server.on("/jwks", answer)
    with pytest.raises((InvalidResponse, TransportError, VerificationError, Exception)) as error:
        party.log_in()
    assert type(error.value).__module__.startswith("doorkey.")
    assert party.client.token is None


@pytest.mark.parametrize(
    "options",
    [
        {"id_token_signed_response_alg": "RS257"},
        {"id_token_encrypted_response_alg": "RSA1_5"},
        {"userinfo_encrypted_response_enc": "A1"},
        {"decryption_keys": 7},
        {"trusted_audiences": 7},
        {"id_token_leeway": 7200},
        {"tenant_issuer": "https://as.example/{tenantid}"},
        {"server_metadata_url": "https://as.example/metadata.json", "metadata": None},
        {"issuer": 7, "metadata": None},
    ],
)
def test_an_option_that_cannot_be_is_a_usage_error(party: RelyingParty, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        party.session(**options)


def test_a_logout_url_has_a_hint_a_client_and_a_state(party: RelyingParty) -> None:
    native: Any = party.client.native
    url, state = native.create_logout_url()
    assert (parameters(url), state) == ({"client_id": CLIENT}, None)
    url, state = native.create_logout_url(
        id_token_hint="h.p.s", post_logout_redirect_uri=HOME, state="mine", ui_locales="de fr"
    )
    asked = parameters(url)
    assert asked == {
        "id_token_hint": "h.p.s",
        "client_id": CLIENT,
        "post_logout_redirect_uri": HOME,
        "state": "mine",
        "ui_locales": "de fr",
    }
    party.session().native.validate_logout_response(f"{HOME}?state=mine", state="mine")
    native.validate_logout_response({"state": "mine"})
    with pytest.raises(VerificationError):
        native.validate_logout_response({"state": "mine"})
    for wrong in ({"state": "mine"}, {"post_logout_redirect_uri": 7}, {"id_token_hint": 7}):
        with pytest.raises(UsageError):
            native.create_logout_url(**wrong)
    with pytest.raises(UsageError, match="end_session_endpoint"):
        party.session(metadata={"token_endpoint": party.provider.metadata["token_endpoint"]}).native.create_logout_url()


def test_a_logout_token_is_used_once(party: RelyingParty) -> None:
    seen: dict[str, float] = {}

    def first_use(identifier: str, expires_at: float) -> bool:
        is_new = identifier not in seen
        seen[identifier] = expires_at
        return is_new

    sent = party.provider.logout_token()
    once = party.adapter.function(first_use)
    assert party.backchannel_status(sent, first_use=once) == 200
    assert party.backchannel_status(sent, first_use=once) == 400
    assert party.backchannel_status(party.provider.logout_token(), first_use=once) == 200
    assert list(seen) == [f"{party.provider.issuer} j-1", f"{party.provider.issuer} j-2"]
    assert set(seen.values()) == {party.provider.clock() + 180}
    begun = party.begin()
    id_token = party.provider.id_token({"nonce": begun.nonce})
    assert party.backchannel_status(id_token) == 400


def test_the_iss_of_a_verified_id_token_replaces_the_parameter_that_the_server_promises(party: RelyingParty) -> None:
    promised = {**party.provider.metadata, "authorization_response_iss_parameter_supported": True}
    party.options["metadata"] = promised
    assert party.log_in(response_type="code id_token").id_token_claims is not None
    with pytest.raises(VerificationError, match="iss is missing"):
        party.log_in()
    party.provider.in_channel = {"front": {"iss": "https://other.example"}}
    with pytest.raises(VerificationError, match="iss"):
        party.log_in(response_type="code id_token")
    assert party.provider.request_count("/token") == 1, "the code of the second login is not used"
