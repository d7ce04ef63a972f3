"""The lines on resource servers of the security requirements, each a test that is named after it."""

from typing import Any

import pytest

from doorkey.resource import ApiRequest, Guard, Rejection, Requirement
from doorkey.values import Secret
from tests.resource.test_guard import Decides, bearer, decides, request
from tests.resource.test_requirement import CERTIFICATE, THUMBPRINT
from tests.support.fake_clock import START, Clock
from tests.support.resource_server import OTHER_KEY, page, token

__all__ = ["decides"]

READ = Requirement("orders:read")
WRONG: dict[str, tuple[dict[str, Any], int]] = {
    "signature": ({"key": OTHER_KEY}, 401),
    "iss": ({"issuer": "https://mallory.example"}, 401),
    "aud": ({"aud": "https://other.example"}, 401),
    "exp": ({"exp": int(START) - 3600}, 401),
    "typ": ({"typ": "JWT"}, 401),
    "scopes": ({"scope": "other"}, 403),
    "cnf": ({"cnf": {"x5t#S256": THUMBPRINT}}, 401),
}


def rejected(decides: Decides, guard: Guard, sent: ApiRequest) -> Rejection:
    return decides.rejected(guard, sent, READ)


@pytest.mark.parametrize(("wrong", "status"), WRONG.values(), ids=list(WRONG))
def test_on_every_request_check_the_signature_iss_aud_exp_typ_scopes_and_cnf(
    decides: Decides, wrong: dict[str, Any], status: int
) -> None:
    guard = decides.guard()
    for _ in range(2):
        assert rejected(decides, guard, bearer(token(**wrong))).status == status


def test_what_was_verified_before_is_checked_on_every_request_too(decides: Decides, clock: Clock) -> None:
    guard, text = decides.guard(), token(cnf={"x5t#S256": THUMBPRINT})
    header = ("Authorization", f"Bearer {text}")
    assert not isinstance(decides.decide(guard, request(header, certificate=CERTIFICATE), READ), Rejection)
    assert rejected(decides, guard, request(header)).status == 401
    admin = decides.rejected(guard, request(header, certificate=CERTIFICATE), Requirement("admin"))
    assert admin.status == 403
    clock.advance(3600)
    assert rejected(decides, guard, request(header, certificate=CERTIFICATE)).status == 401


def test_return_400_if_a_request_sends_a_token_in_two_ways_at_once(decides: Decides) -> None:
    header, guard = ("Authorization", f"Bearer {token()}"), decides.guard(token_in_query=True)
    for sent in (
        request(header, header),
        request(header, url=f"/orders?access_token={token()}"),
        request(header, form=(("access_token", token()),)),
        request(url=f"/orders?access_token={token()}&access_token={token()}"),
    ):
        assert rejected(decides, guard, sent).status == 400


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        (request(), 401, None),
        (request(("Authorization", "Bearer")), 400, "invalid_request"),
        (bearer(token(OTHER_KEY)), 401, "invalid_token"),
        (bearer(token(scope="other")), 403, "insufficient_scope"),
    ],
)
def test_follow_the_challenge_table_of_rfc_6750_section_3_1(
    decides: Decides, sent: ApiRequest, status: int, error: str | None
) -> None:
    found = rejected(decides, decides.guard(), sent)
    challenge = found.challenge or ""
    assert found.status == status
    assert challenge.startswith("Bearer")
    assert ("error=" in challenge) == (error is not None)
    assert error is None or f'error="{error}"' in challenge
    assert ('scope="orders:read"' in challenge) == (error in (None, "insufficient_scope"))


@pytest.mark.parametrize("answer", [page({}, 500), page("<html>"), page({"active": "true"}), page({"active": False})])
def test_deny_access_if_introspection_fails(decides: Decides, answer: Any) -> None:
    decides.server.instead["/introspect"] = lambda _: answer
    assert rejected(decides, decides.guard(), bearer("opaque")).status in (401, 503)


def test_a_cached_response_never_outlives_exp(decides: Decides, clock: Clock) -> None:
    active = {"active": True, "aud": "https://api.example", "scope": "orders:read", "exp": int(START) + 10}
    decides.server.tokens["opaque"] = active
    guard = decides.guard()
    assert not isinstance(decides.decide(guard, bearer("opaque"), READ), Rejection)
    clock.advance(10)
    decides.server.tokens["opaque"] = {"active": False}
    assert rejected(decides, guard, bearer("opaque")).status == 401


def test_reject_a_bound_token_that_is_sent_as_bearer(decides: Decides) -> None:
    def dpop(sent: ApiRequest, presented: Secret) -> str:
        return "k"

    guard = decides.guard(dpop=dpop)
    text = token(cnf={"jkt": "k"})
    assert not isinstance(decides.decide(guard, request(("Authorization", f"DPoP {text}")), READ), Rejection)
    assert rejected(decides, guard, bearer(text)).status == 401
    assert rejected(decides, decides.guard(), bearer(text)).status == 401
