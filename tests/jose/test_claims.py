import contextlib
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import UsageError, VerificationError
from doorkey.jose import JWTClaims
from doorkey.jose.claim_rules import LEEWAY, MAX_LEEWAY
from tests.support.json_values import JSON

NOW = 1_700_000_000


def refused(claims: dict[str, Any], options: Any = None, leeway: float = 0) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        JWTClaims(claims, {}, options).validate(NOW, leeway)
    return caught.value


def accept(claims: dict[str, Any], options: Any = None, leeway: float = 0) -> None:
    JWTClaims(claims, {}, options).validate(NOW, leeway)


def test_no_claims_are_good_claims_until_something_is_asked() -> None:
    accept({})


def test_a_token_counts_from_nbf_to_exp_and_not_before_it_was_issued() -> None:
    accept({"exp": NOW + 1, "nbf": NOW, "iat": NOW})
    assert refused({"exp": NOW}).claim == "exp"
    assert refused({"nbf": NOW + 1}).claim == "nbf"
    assert refused({"iat": NOW + 1}).claim == "iat"


def test_clocks_may_differ_by_the_leeway_and_no_more() -> None:
    accept({"exp": NOW - 29, "nbf": NOW + 30, "iat": NOW + 30}, leeway=30)
    for claims in ({"exp": NOW - 30}, {"nbf": NOW + 30.5}, {"iat": NOW + 30.5}):
        refused(claims, leeway=30)


def test_the_leeway_is_a_minute_by_default() -> None:
    assert LEEWAY <= 60
    JWTClaims({"exp": NOW - 59}).validate(NOW)
    with pytest.raises(VerificationError):
        JWTClaims({"exp": NOW - 60}).validate(NOW)


def test_without_now_the_clock_tells_the_time() -> None:
    JWTClaims({"exp": 9e9, "iat": NOW}).validate()
    with pytest.raises(VerificationError, match="expired"):
        JWTClaims({"exp": NOW}).validate()


@pytest.mark.parametrize("leeway", [-1, float("nan"), float("inf"), True, "60", None, MAX_LEEWAY + 1])
def test_a_leeway_that_would_switch_the_check_off_is_refused(leeway: Any) -> None:
    with pytest.raises(UsageError, match="leeway"):
        JWTClaims({}).validate(NOW, leeway)


@pytest.mark.parametrize("now", [-1, float("nan"), float("inf"), True, "now"])
def test_now_is_a_number_of_seconds(now: Any) -> None:
    with pytest.raises(UsageError, match="now"):
        JWTClaims({}).validate(now)


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["1800000000", True, None, [], {}, float("nan"), float("inf"), 10**400, -1e300])
def test_times_are_numbers(name: str, value: object) -> None:
    assert refused({name: value}).claim == name


@pytest.mark.parametrize("name", ["iss", "sub", "jti"])
@pytest.mark.parametrize("value", ["", 1, None, ["https://as.example"], True])
def test_names_are_texts(name: str, value: object) -> None:
    assert refused({name: value}).claim == name


@pytest.mark.parametrize("value", ["", [], None, 1, [1], ["a", ""], {"a": "b"}, [["a"]]])
def test_an_audience_is_text_or_a_list_of_texts(value: object) -> None:
    assert refused({"aud": value}).claim == "aud"


def test_a_claim_that_is_essential_is_there() -> None:
    options = {"email": {"essential": True}}
    accept({"email": "a@b"}, options)
    accept({"email": False}, options)
    for claims in ({}, {"email": None}, {"email": ""}):
        assert refused(claims, options).reason == "is missing"


def test_a_claim_equals_the_value_that_is_asked_for() -> None:
    options = {"iss": {"essential": True, "value": "https://as.example"}}
    accept({"iss": "https://as.example"}, options)
    for claims in ({}, {"iss": "https://as.example/"}, {"iss": "https://as.exampl"}, {"iss": "HTTPS://as.example"}):
        assert refused(claims, options).claim == "iss"
    assert refused({"iss": "x"}, options).expected == "https://as.example"
    assert "slash" not in refused({"iss": "x"}, options).reason
    assert "differ by a slash" in refused({"iss": "https://as.example/"}, options).reason
    assert "slash" not in refused({"sub": "https://as.example/"}, {"sub": options["iss"]}).reason


def test_a_value_that_is_asked_for_is_essential_without_saying_so() -> None:
    assert refused({}, {"iss": {"values": ["https://as.example"]}}).reason == "is missing"


def test_one_of_several_values_is_enough() -> None:
    options = {"iss": {"values": ["accounts.example", "https://accounts.example"]}}
    accept({"iss": "accounts.example"}, options)
    assert refused({"iss": "mallory.example"}, options).claim == "iss"


def test_one_of_several_audiences_is_enough_and_no_other_claim_is_taken_apart() -> None:
    accept({"aud": ["other", "me"]}, {"aud": {"value": "me"}})
    accept({"aud": "me"}, {"aud": {"values": ["me", "myself"]}})
    assert refused({"aud": ["other"]}, {"aud": {"value": "me"}}).claim == "aud"
    assert refused({"groups": ["admins"]}, {"groups": {"value": "admins"}}).claim == "groups"


@pytest.mark.parametrize(("value", "wanted"), [(True, 1), (1, True), (0, False), ("1", 1), ("True", True)])
def test_values_of_other_types_are_not_equal(value: object, wanted: object) -> None:
    assert refused({"x": value}, {"x": {"value": wanted}}).claim == "x"
    accept({"x": wanted}, {"x": {"value": wanted}})


def test_a_function_of_the_program_may_refuse() -> None:
    seen: list[Any] = []

    def agrees(claims: JWTClaims, value: object) -> bool:
        seen.append((claims.sub, value))
        return value == 1

    accept({"sub": "a", "x": 1}, {"x": {"validate": agrees}})
    accept({"sub": "a"}, {"x": {"validate": agrees}})
    assert refused({"sub": "a", "x": 2}, {"x": {"validate": agrees}}).claim == "x"
    assert seen == [("a", 1), ("a", 2)]


def test_an_error_tells_no_value_that_may_be_secret() -> None:
    error = refused({"nonce": "theirs"}, {"nonce": {"value": "do-not-tell"}})
    assert "do-not-tell" not in repr(error) + str(error)
    assert error.expected is None


@pytest.mark.parametrize(
    "options",
    [
        {"iss": {"value": None}},
        {"iss": {"value": ""}},
        {"iss": {"values": []}},
        {"iss": {"values": [None]}},
        {"iss": {"values": "https://as.example"}},
        {"iss": {"values": 1}},
        {"iss": {"esential": True}},
        {"iss": {"validate": "yes"}},
        {"iss": "https://as.example"},
        {"iss": None},
        ["iss"],
        "iss",
    ],
)
def test_options_that_check_nothing_are_an_error(options: Any) -> None:
    with pytest.raises(UsageError):
        JWTClaims({}, {}, options)


def test_a_param_that_nothing_is_compared_with_is_an_error() -> None:
    with pytest.raises(UsageError, match="has no claims parameter 'nonce'"):
        JWTClaims({}, {}, None, {"nonce": "n"})


@pytest.mark.parametrize("wrong", [{"payload": None}, {"payload": "x"}, {"header": "x"}, {"params": ["x"]}])
def test_a_value_that_is_not_a_mapping_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="must be a mapping"):
        cast(Any, JWTClaims)(**{"payload": {}, **wrong})


NAMES = st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "x"])


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(NAMES, JSON), JSON)
def test_no_builtin_error_comes_of_any_claims(claims: dict[str, Any], wanted: object) -> None:
    for options in (None, {"x": {"values": [wanted, 1]}}, {"aud": {"values": [1, wanted, "a"]}}):
        with contextlib.suppress(VerificationError, UsageError):
            JWTClaims(claims, {}, options).validate(NOW)
