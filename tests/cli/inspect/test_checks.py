"""Every problem of a token is found, in words: claim, expected, got, and by how much."""

from typing import Any

import pytest

from doorkey.cli.inspection.checks import Expected, assess, kind_of
from doorkey.protocol.token_profiles import PROFILES
from tests.cli.inspect.tokens import GOOD, ISSUER, NOW

HEADER = {"alg": "ES256"}
AT_JWT = {"alg": "ES256", "typ": "at+jwt"}
ACCESS = {**GOOD, "client_id": "app", "jti": "j1", "scope": "read"}


def problems(claims: dict[str, Any], header: dict[str, Any] | None = None, **expected: Any) -> dict[str, str]:
    given: dict[str, Any] = {"issuer": ISSUER, "audience": ("app",), **expected}
    assessment = assess(header or HEADER, claims, Expected(**given), NOW)
    return {problem.claim: problem.message for problem in assessment.problems}


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, "other"),
        ({"nonce": "n"}, "id"),
        ({"typ": "ID"}, "id"),
        ({"typ": "Bearer", "nonce": "n"}, "access"),
        ({"scope": "a"}, "access"),
        ({"typ": "Refresh"}, "other"),
        ({"events": {}, "nonce": "n"}, "other"),
    ],
)
def test_claims_tell_the_kind_of_a_token(changed: dict[str, Any], kind: str) -> None:
    assert kind_of(HEADER, {**GOOD, **changed}) == kind


@pytest.mark.parametrize(("typ", "kind"), [("at+jwt", "access"), ("application/at+jwt", "access"), ("x", "other")])
def test_the_header_tells_the_kind_of_a_token(typ: str, kind: str) -> None:
    assert kind_of({"typ": typ}, {**GOOD, "nonce": "n"}) == kind


@pytest.mark.parametrize("kind", ["id", "access", None])
def test_a_good_token_has_no_problem(kind: str | None) -> None:
    claims = ACCESS if kind == "access" else GOOD
    assert problems(claims, kind=kind) == {}
    assert problems(ACCESS, AT_JWT) == {}


def test_an_expired_token_says_when_it_expired_and_how_long_ago() -> None:
    expired = {**GOOD, "exp": int(NOW) - 190}
    assert problems(expired, kind="id") == {"exp": "expired 3 minutes ago: 2026-11-29 02:06:54 UTC"}


@pytest.mark.parametrize("kind", ["id", "access"])
def test_all_problems_are_found_at_once(kind: str) -> None:
    claims = {
        **ACCESS,
        "iss": f"{ISSUER}/",
        "aud": ["other"],
        "exp": int(NOW) - 7200,
        "iat": int(NOW) + 600,
        "nbf": int(NOW) + 86_400,
        "sub": 7,
    }
    found = problems(claims, kind=kind)
    assert found["exp"].startswith("expired 2 hours ago")
    assert found["iat"].startswith("issued 10 minutes in the future")
    assert found["nbf"].startswith("not valid yet: it begins in 1 day")
    assert found["iss"].endswith("they differ by a slash at the end")
    assert found["sub"] == "sub is not a text"
    assert "aud" in found
    assert len(found) == 6


def test_a_problem_names_what_was_expected_and_what_the_token_has() -> None:
    assessment = assess(HEADER, {**GOOD, "aud": "other"}, Expected(issuer=ISSUER, audience=("app",), kind="id"), NOW)
    (problem,) = assessment.problems
    assert (problem.claim, problem.expected, problem.got) == ("aud", "app", "other")


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat"])
def test_each_missing_claim_of_an_id_token_is_named(name: str) -> None:
    claims = {key: value for key, value in GOOD.items() if key not in (name, "jti")}
    assert problems(claims, kind="id") == {name: f"{name} is missing"}


def test_all_missing_claims_are_named() -> None:
    assert set(problems({}, kind="id")) == {"iss", "sub", "aud", "exp", "iat"}


def test_an_id_token_is_no_access_token_and_the_other_way_round() -> None:
    assert "typ" in problems({**ACCESS, "typ": "Bearer"}, kind="id")
    assert "at_hash" in problems({**ACCESS, "at_hash": "x"}, AT_JWT)
    assert problems(ACCESS, AT_JWT, kind="id")["typ"].startswith("typ belongs to another kind of token")


@pytest.mark.parametrize(
    ("header_typ", "claim_typ", "kind", "shown"),
    [
        ("other+jwt", "Bearer", "access", ["other+jwt"]),
        ("JWT", "Refresh", "access", ["Refresh"]),
        ("other+jwt", "Refresh", "access", ["other+jwt", "Refresh"]),
        ("at+jwt", "ID", "id", ["at+jwt"]),
        ("JWT", "Bearer", "id", ["Bearer"]),
        ("at+jwt", "Bearer", "id", ["at+jwt", "Bearer"]),
    ],
)
def test_a_wrong_typ_is_that_of_the_header_or_of_the_claim_or_of_both(
    header_typ: str, claim_typ: str, kind: str, shown: list[str]
) -> None:
    expected = Expected(issuer=ISSUER, audience=("app",), kind=kind, profile=PROFILES["keycloak"])
    assessment = assess({**HEADER, "typ": header_typ}, {**ACCESS, "azp": "app", "typ": claim_typ}, expected, NOW)
    assert [(one.claim, one.got) for one in assessment.problems] == [("typ", got) for got in shown]


def test_a_time_that_is_no_number_is_said_to_be_none() -> None:
    assert problems({**GOOD, "exp": "tomorrow"}, kind="id") == {"exp": "exp is not a time in seconds (RFC 7519 §2)"}


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_of_access_tokens_finds_what_the_token_lacks(profile: str) -> None:
    found = problems({"iss": ISSUER}, {"typ": PROFILES[profile].types[0]}, kind="access", profile=PROFILES[profile])
    assert {"exp", "aud"} <= set(found)


def test_what_cannot_be_verified_is_said() -> None:
    assessment = assess(HEADER, {**GOOD, "nonce": "n", "cnf": {"jkt": "x"}}, Expected(), NOW)
    told = " ".join(assessment.unverified)
    assert assessment.problems == ()
    for what in ("the issuer", "the audience", "the nonce", "the sender"):
        assert what in told


def test_a_nonce_is_in_no_problem() -> None:
    assessment = assess(HEADER, {**GOOD, "nonce": ["secret-nonce"]}, Expected(kind="id"), NOW)
    assert [problem.claim for problem in assessment.problems] == ["nonce"]
    assert "secret-nonce" not in repr(assessment)


def test_a_token_of_many_audiences_needs_azp() -> None:
    assert "azp" in problems({**GOOD, "aud": ["app", "b"]}, kind="id")
    assert problems({**GOOD, "aud": ["app", "b"], "azp": "app"}, kind="id", audience=()) == {}
