"""What a request may need of its token: scopes, claims, a recent or strong authentication, the proof of a key."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from doorkey import UsageError
from doorkey.resource import InsufficientPrivileges, InvalidAccessToken, Requirement, StepUpRequired
from tests.support.fake_clock import START
from tests.support.resource_server import Api, token

CERTIFICATE = b"the DER form of a certificate"
THUMBPRINT = urlsafe_b64encode(sha256(CERTIFICATE).digest()).decode().rstrip("=")


def test_all_scopes_are_needed(api: Api) -> None:
    text = token(scope="orders:read orders:write")
    for scopes in ("orders:read", "orders:read orders:write", ["orders:write"], ()):
        api.verify(text, scopes=scopes)
    with pytest.raises(InsufficientPrivileges) as caught:
        api.verify(text, scopes=["orders:read", "admin"])
    assert (caught.value.status, caught.value.scopes) == (403, ("orders:read", "admin"))
    assert 'scope="orders:read admin"' in caught.value.challenge()


def test_a_token_without_scopes_permits_no_request_that_needs_one(api: Api) -> None:
    with pytest.raises(InsufficientPrivileges):
        api.verify(token(scope=None), scopes="orders:read")


GOOD: list[dict[Any, Any]] = [
    {"tenant": "acme"},
    {"groups": "b"},
    {"level": 3},
    {"verified": True},
    {("realm_access", "roles"): "admin"},
    {"groups": lambda groups: len(groups) == 2},  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    {"tenant": "acme", "level": (2).__lt__},
]
BAD: list[tuple[dict[Any, Any], str]] = [
    ({"tenant": "other"}, "tenant"),
    ({"groups": "c"}, "groups"),
    ({"level": True}, "level"),
    ({"level": "3"}, "level"),
    ({"one": True}, "one"),
    ({"verified": 1}, "verified"),
    ({"missing": None}, "missing"),
    ({"missing": bool}, "missing"),
    ({("realm_access", "roles"): "owner"}, "realm_access.roles"),
    ({("tenant", "roles"): "admin"}, "tenant.roles"),
    ({"tenant": str.isupper}, "tenant"),
]
HAS: dict[str, Any] = {
    "tenant": "acme",
    "groups": ["a", "b"],
    "level": 3,
    "one": 1,
    "verified": True,
    "realm_access": {"roles": ["user", "admin"]},
}


@pytest.mark.parametrize("claims", GOOD)
def test_claims_have_values_that_the_request_needs(api: Api, claims: dict[Any, Any]) -> None:
    api.verify(token(**HAS), claims=claims)


@pytest.mark.parametrize(("claims", "name"), BAD)
def test_a_claim_with_another_value_is_403(api: Api, claims: dict[Any, Any], name: str) -> None:
    with pytest.raises(InsufficientPrivileges) as caught:
        api.verify(token(**HAS), claims=claims)
    assert (caught.value.claim, caught.value.status, caught.value.error) == (name, 403, "insufficient_scope")


async def later(_: Any) -> bool:
    return True


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": 5},
        {"scopes": ["a b"]},
        {"claims": ["tenant"]},
        {"claims": {5: "x"}},
        {"claims": {"tenant": later}},
        {"acr": 5},
        {"max_age": -1},
        {"max_age": "60"},
    ],
)
def test_a_requirement_that_cannot_be_met_is_an_error_of_the_program(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Requirement(**wrong)


def test_a_check_that_returns_something_to_await_is_not_taken_for_a_yes(api: Api) -> None:
    def unawaited(value: object) -> object:
        return later(value)

    def future(_: object) -> object:
        return Awaitable()

    for check in (unawaited, future):
        with pytest.raises(UsageError, match="a synchronous function"):
            api.verify(token(tenant="acme"), claims={"tenant": check})


class Awaitable:
    def __await__(self) -> Iterator[None]:
        yield


def test_a_strong_authentication_is_one_of_those_that_the_request_accepts(api: Api) -> None:
    api.verify(token(acr="gold"), acr="gold")
    api.verify(token(acr="gold"), acr=["silver", "gold"])
    for acr in ("bronze", None, 5, ["gold"]):
        with pytest.raises(StepUpRequired) as caught:
            api.verify(token(acr=acr), acr=["silver", "gold"])
        assert (caught.value.status, caught.value.claim) == (401, "acr")
        assert 'acr_values="silver gold"' in caught.value.challenge()


def test_a_recent_authentication_is_not_older_than_the_request_allows(api: Api) -> None:
    api.verify(token(auth_time=int(START) - 300), max_age=300)
    for auth_time in (int(START) - 361, None):
        with pytest.raises(StepUpRequired) as caught:
            api.verify(token(auth_time=auth_time), max_age=300, acr=())
        assert caught.value.claim == "auth_time"
        assert 'max_age="300"' in caught.value.challenge()


def test_a_step_up_names_both_requirements(api: Api) -> None:
    with pytest.raises(StepUpRequired) as caught:
        api.verify(token(acr="gold", auth_time=1), acr="gold", max_age=60)
    assert caught.value.challenge().endswith('acr_values="gold", max_age="60"')


def test_a_token_that_is_bound_to_a_certificate_needs_that_certificate(api: Api) -> None:
    text = token(cnf={"x5t#S256": THUMBPRINT})
    api.verify(text, certificate=CERTIFICATE)
    for sent in ({}, {"certificate": b"another"}, {"proven_key": THUMBPRINT}):
        with pytest.raises(InvalidAccessToken) as caught:
            api.verify(text, **sent)
        assert (caught.value.claim, caught.value.status) == ("cnf", 401)


def test_a_bound_token_that_is_sent_as_bearer_is_rejected_though_it_was_verified_before(api: Api) -> None:
    text = token(cnf={"jkt": "thumbprint"})
    api.verify(text, scheme="DPoP", proven_key="thumbprint")
    with pytest.raises(InvalidAccessToken, match="DPoP proof"):
        api.verify(text)


def test_a_token_that_is_not_bound_is_not_sent_as_dpop(api: Api) -> None:
    with pytest.raises(InvalidAccessToken, match="send it as Bearer"):
        api.verify(token(), scheme="DPoP", proven_key="thumbprint")
