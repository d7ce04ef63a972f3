"""Each grant knows its parameters, and shows none of its secrets."""

import pytest

from doorkey.errors import UsageError
from doorkey.protocol.grants import (
    ACCESS_TOKEN_TYPE,
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    DeviceCodeGrant,
    ExtensionGrant,
    Grant,
    JWTBearerGrant,
    PasswordGrant,
    RefreshTokenGrant,
    SelfSignedGrant,
    TokenExchangeGrant,
    grant_to_send,
)
from doorkey.values import Secret
from doorkey.wire.flow import Flow, arun, maybe_await, run
from doorkey.wire.messages import Pairs

S = Secret("hunter2")
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

ALL: list[tuple[Grant, Pairs]] = [
    (  # RFC 6749 §4.1.3
        AuthorizationCodeGrant(Secret("SplxlOBeZQQYbYS6WxSbIA"), "https://client.example.com/cb"),
        (
            ("grant_type", "authorization_code"),
            ("code", "SplxlOBeZQQYbYS6WxSbIA"),
            ("redirect_uri", "https://client.example.com/cb"),
        ),
    ),
    (  # RFC 7636 §4.5
        AuthorizationCodeGrant(S, code_verifier=Secret(VERIFIER)),
        (("grant_type", "authorization_code"), ("code", "hunter2"), ("code_verifier", VERIFIER)),
    ),
    (  # RFC 6749 §4.3.2
        PasswordGrant("johndoe", Secret("A3ddj3w")),
        (("grant_type", "password"), ("username", "johndoe"), ("password", "A3ddj3w")),
    ),
    (ClientCredentialsGrant(), (("grant_type", "client_credentials"),)),  # RFC 6749 §4.4.2
    (  # RFC 8628 §3.4
        DeviceCodeGrant(Secret("GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS")),
        (
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS"),
        ),
    ),
    (  # RFC 6749 §6
        RefreshTokenGrant(Secret("tGzv3JOkF0XG5Qx2TlKWIA")),
        (("grant_type", "refresh_token"), ("refresh_token", "tGzv3JOkF0XG5Qx2TlKWIA")),
    ),
    (  # RFC 7523 §2.1
        JWTBearerGrant(Secret("eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0.")),
        (
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", "eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0."),
        ),
    ),
    (
        SelfSignedGrant(lambda: "eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0."),
        (("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),),
    ),
    (  # RFC 8693 §2.3
        TokenExchangeGrant(Secret("accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC")),
        (
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", "accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ),
    ),
    (
        TokenExchangeGrant(S, "urn:x", Secret("act"), None, "urn:y"),
        (
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", "hunter2"),
            ("subject_token_type", "urn:x"),
            ("actor_token", "act"),
            ("actor_token_type", ACCESS_TOKEN_TYPE),
            ("requested_token_type", "urn:y"),
        ),
    ),
    (ExtensionGrant("urn:example:ours"), (("grant_type", "urn:example:ours"),)),  # RFC 6749 §4.5
]


@pytest.mark.parametrize(("grant", "parameters"), ALL)
def test_a_grant_asks_with_the_parameters_its_specification_names(grant: Grant, parameters: Pairs) -> None:
    assert grant.parameters() == parameters
    assert grant.grant_type == parameters[0][1]


@pytest.mark.parametrize("grant", [grant for grant, _ in ALL])
def test_no_grant_shows_its_secrets(grant: Grant) -> None:
    shown = repr(grant) + str(grant) + f"{grant}"
    assert not any(secret in shown for secret in ("hunter2", "A3ddj3w", "Splxl", "tGzv3", "eyJ", "accVk", VERIFIER))


def test_a_self_signed_grant_is_presented_with_an_assertion_of_its_own_each_time() -> None:
    made = iter(["first.as.sertion", "second.as.sertion"])
    grant = SelfSignedGrant(lambda: next(made))
    for assertion in ("first.as.sertion", "second.as.sertion"):
        shown = run(grant_to_send(grant), pytest.fail)
        assert shown == JWTBearerGrant(Secret(assertion))
        assert assertion not in repr(shown)


@pytest.mark.anyio
async def test_the_assertion_of_a_self_signed_grant_may_be_awaited() -> None:
    async def signer() -> str:
        return "as.ser.tion"

    def sign() -> Flow[str]:
        return maybe_await(signer())

    assert await arun(grant_to_send(SelfSignedGrant(sign)), pytest.fail) == JWTBearerGrant(Secret("as.ser.tion"))


def test_every_other_grant_is_presented_as_it_is() -> None:
    grant = ClientCredentialsGrant()
    assert run(grant_to_send(grant), pytest.fail) is grant


def test_only_grants_that_need_no_person_and_burn_nothing_are_repeatable() -> None:
    assert {type(grant) for grant, _ in ALL if grant.repeatable} == {
        PasswordGrant,
        ClientCredentialsGrant,
        SelfSignedGrant,
    }


def test_the_text_of_a_printed_token_is_no_token() -> None:
    mask = Secret("***")
    for make in (
        lambda: RefreshTokenGrant(mask),
        lambda: JWTBearerGrant(mask),
        lambda: TokenExchangeGrant(mask),
        lambda: TokenExchangeGrant(S, actor_token=mask),
    ):
        with pytest.raises(UsageError, match="store dict"):
            make().parameters()
