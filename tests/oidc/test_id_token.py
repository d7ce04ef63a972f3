import contextlib
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import UsageError, VerificationError
from doorkey.oidc.core import CodeIDToken, HybridIDToken, IDToken, ImplicitIDToken, UserInfo
from doorkey.values import Secret
from tests.support.id_tokens import LOGIN, NOW, accept, claims, id_token, refused
from tests.support.json_values import JSON


def test_without_params_what_the_token_says_of_itself_is_judged() -> None:
    accept(claims(), {})
    assert refused(claims(exp=NOW), {}).claim == "exp"
    assert refused(claims(sub=""), {}).claim == "sub"


def test_params_may_be_secrets() -> None:
    accept(claims(), {**LOGIN, "nonce": Secret(str(LOGIN["nonce"]))})
    assert refused(claims(), {**LOGIN, "nonce": Secret("another")}).claim == "nonce"


@pytest.mark.parametrize("name", [name for name in IDToken.PARAMS if name != "trusted_audiences"])
@pytest.mark.parametrize("value", [None, "", Secret(""), [], object()])
def test_a_param_that_is_missing_is_no_check_that_is_omitted(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=name):
        id_token(claims(), {name: value})


@pytest.mark.parametrize("trusted", [None, "", "a-client", 1, [1], [["a"]]])
def test_trusted_audiences_are_a_list_of_texts(trusted: object) -> None:
    with pytest.raises(UsageError, match="trusted_audiences"):
        id_token(claims(), {"trusted_audiences": trusted})


def test_an_unknown_param_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"has no claims parameter 'clientid'.*client_id"):
        id_token(claims(), {"clientid": "a-client"})


@pytest.mark.parametrize("amr", ["pwd", [1], {}, 1])
def test_amr_is_a_list_of_texts(amr: object) -> None:
    accept(claims(amr=["pwd", "otp"]))
    assert refused(claims(amr=amr)).claim == "amr"


@pytest.mark.parametrize("name", ["nonce", "acr", "azp", "at_hash", "c_hash", "s_hash"])
@pytest.mark.parametrize("value", ["", 1, True, ["a"], {}])
def test_a_claim_without_an_expected_value_is_still_checked_for_form(name: str, value: object) -> None:
    accept(claims(**{name: "a"}), {})
    assert refused(claims(**{name: value}), {}).claim == name


def test_each_kind_says_for_which_response_types_it_is() -> None:
    assert CodeIDToken.RESPONSE_TYPES == ("code",)
    assert "id_token token" in ImplicitIDToken.RESPONSE_TYPES
    assert "code id_token" in HybridIDToken.RESPONSE_TYPES


def test_a_program_may_add_to_what_is_checked() -> None:
    class Ours(CodeIDToken):
        PARAMS = (*CodeIDToken.PARAMS, "tenant")

        def validate(self, now: float | None = None, leeway: float = 60) -> None:
            super().validate(now, leeway)
            if self.get("tenant") != self._params["tenant"]:
                raise VerificationError("tenant", "is another")

    accept(claims(tenant="t"), {**LOGIN, "tenant": "t"}, kind=Ours)
    assert refused(claims(tenant="u"), {**LOGIN, "tenant": "t"}, kind=Ours).claim == "tenant"
    assert refused(claims(tenant="t", exp=NOW), {**LOGIN, "tenant": "t"}, kind=Ours).claim == "exp"


def test_claims_and_what_they_are_compared_with_are_not_shown() -> None:
    token = id_token(claims(email="alice@example.org"), {**LOGIN, "access_token": "do-not-tell"})
    assert repr(token) == "<CodeIDToken with aud, email, exp, iat, iss, nonce, sub>"
    assert "do-not-tell" not in repr(token._params)


def test_user_info_is_read_by_name_and_by_attribute_and_shows_no_value() -> None:
    info = UserInfo({"sub": "a", "email": "alice@example.org", "mine": 1})
    assert (info.sub, info["email"], info.name, info["mine"]) == ("a", "alice@example.org", None, 1)
    assert str(info) == "<UserInfo with email, mine, sub>"
    assert not hasattr(info, "mine")
    with pytest.raises(UsageError, match="read-only"):
        info["sub"] = "b"


def test_user_info_takes_a_mapping_and_refuses_other_values() -> None:
    assert UserInfo() == {}
    assert UserInfo({"sub": "a"}, name="Alice") == {"sub": "a", "name": "Alice"}
    for wrong in ("text", 5, [("sub", "a")]):
        with pytest.raises(UsageError, match="must be a mapping"):
            UserInfo(cast("dict[str, Any]", wrong))


def test_user_info_is_pickled_whole() -> None:
    import pickle

    back = pickle.loads(pickle.dumps(UserInfo({"sub": "a"})))  # noqa: S301  # our own
    assert isinstance(back, UserInfo)
    assert back == {"sub": "a"}


NAMES = st.sampled_from([*HybridIDToken.REGISTERED_CLAIMS, "typ", "events"])
HEADERS = st.dictionaries(st.sampled_from(["alg", "typ"]), JSON)
PARAMS = {**LOGIN, "access_token": "at", "code": "c", "state": "s", "max_age": 1, "trusted_audiences": ["b"]}


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(NAMES, JSON, max_size=4), HEADERS, st.sampled_from([CodeIDToken, HybridIDToken]))
def test_no_builtin_error_comes_of_any_id_token(changed: dict[str, Any], header: dict[str, Any], kind: Any) -> None:
    for params in ({}, PARAMS):
        with contextlib.suppress(VerificationError):
            kind({**claims(), **changed}, header, None, params).validate(NOW)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from(IDToken.PARAMS), JSON, min_size=1))
def test_no_builtin_error_comes_of_any_params(params: dict[str, Any]) -> None:
    with contextlib.suppress(VerificationError, UsageError):
        CodeIDToken(claims(), {"alg": "RS256"}, None, params).validate(NOW)


def test_an_issuer_that_differs_by_a_slash_is_refused_and_the_slash_is_named() -> None:
    issuer = str(LOGIN["issuer"])
    assert "differ by a slash" in refused(claims(iss=f"{issuer}/")).reason
    assert "slash" not in refused(claims(iss="https://other.example")).reason
