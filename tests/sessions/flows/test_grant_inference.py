"""Which grant a call means, and what belongs to it: inferred per call from what is given."""

from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.protocol import grants
from doorkey.sessions.grant_inference import grant_of, grant_type_of
from doorkey.values import Secret


@pytest.mark.parametrize(
    ("named", "parameters", "default", "kind"),
    [
        (None, {}, None, "client_credentials"),
        (None, {}, "password", "password"),
        (None, {"code": "c"}, "client_credentials", "authorization_code"),
        (None, {"code": None, "username": "u", "password": "p"}, None, "password"),
        (None, {"password": "p"}, "urn:x", "urn:x"),
        ("urn:x", {"code": "c"}, "password", "urn:x"),
        ("refresh_token", {}, None, "refresh_token"),
    ],
)
def test_the_grant_is_the_one_named_then_the_one_meant_then_the_sessions(
    named: str | None, parameters: dict[str, Any], default: str | None, kind: str
) -> None:
    assert grant_type_of(named, parameters, default) == kind


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"username": "u"}, "only username="),
        ({"password": "p"}, "only password="),
        ({"code": "c", "username": "u"}, "belong to different grants"),
        ({"code": "c", "password": "p"}, "belong to different grants"),
    ],
)
@pytest.mark.parametrize("default", [None, "client_credentials"])
def test_an_account_that_no_grant_wants_is_a_usage_error(
    parameters: dict[str, Any], says: str, default: str | None
) -> None:
    with pytest.raises(UsageError, match=says):
        grant_type_of(None, parameters, default)


S = Secret("s")


@pytest.mark.parametrize(
    ("kind", "given", "grant"),
    [
        ("client_credentials", {}, grants.ClientCredentialsGrant()),
        ("password", {"username": "u", "password": "s"}, grants.PasswordGrant("u", S)),
        ("password", {"username": "u", "password": S}, grants.PasswordGrant("u", S)),
        ("authorization_code", {"code": "s"}, grants.AuthorizationCodeGrant(S)),
        (
            "authorization_code",
            {"code": "s", "redirect_uri": "https://c.example", "code_verifier": "s"},
            grants.AuthorizationCodeGrant(S, "https://c.example", S),
        ),
        (
            "authorization_code",
            {"code": "s", "redirect_uri": "", "code_verifier": None},
            grants.AuthorizationCodeGrant(S),
        ),
        ("refresh_token", {"refresh_token": "s"}, grants.RefreshTokenGrant(S)),
        (grants.JWT_BEARER, {"assertion": "s"}, grants.JWTBearerGrant(S)),
        (grants.TOKEN_EXCHANGE, {"subject_token": "s"}, grants.TokenExchangeGrant(S)),
        (
            grants.TOKEN_EXCHANGE,
            {
                "subject_token": "s",
                "subject_token_type": "urn:a",
                "actor_token": "s",
                "actor_token_type": "urn:b",
                "requested_token_type": "urn:c",
            },
            grants.TokenExchangeGrant(S, "urn:a", S, "urn:b", "urn:c"),
        ),
        ("urn:x", {}, grants.ExtensionGrant("urn:x")),
    ],
)
def test_a_grant_reads_only_its_own_parameters(kind: str, given: dict[str, Any], grant: grants.Grant) -> None:
    parameters = {**given, "scope": "a"}
    assert grant_of(kind, parameters) == grant
    assert parameters == {"scope": "a"}


@pytest.mark.parametrize(
    ("kind", "given", "missing"),
    [
        ("password", {}, "username"),
        ("password", {"username": "u"}, "password"),
        ("password", {"username": 7, "password": "p"}, "username"),
        ("authorization_code", {"code": ""}, "code"),
        ("authorization_code", {"code": "c", "redirect_uri": 7}, "redirect_uri"),
        ("refresh_token", {}, "refresh_token"),
        (grants.JWT_BEARER, {}, "assertion"),
        (grants.TOKEN_EXCHANGE, {}, "subject_token"),
    ],
)
def test_a_missing_argument_is_named(kind: str, given: dict[str, Any], missing: str) -> None:
    with pytest.raises(UsageError, match=missing):
        grant_of(kind, given)
