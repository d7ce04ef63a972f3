"""A token as a value, and as the read-only dictionary that users' programs hold; neither shows its secrets."""

import copy
import dataclasses
import json
import logging
import pickle
import pprint
from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.stores.envelope import open_record, pack
from doorkey.tokens import TEN_YEARS, OAuth2Token, OAuthToken, legal_token, lifetime_of, moment_of
from doorkey.values import Scope, Secret

NOW = 1_800_000_000
MEMBERS: dict[str, Any] = {
    "access_token": "at-hunter2",
    "token_type": "Bearer",
    "expires_in": 300,
    "expires_at": NOW + 300,
    "refresh_token": "rt-hunter2",
    "scope": "openid email",
    "id_token": "a.b.hunter2",
    "session_state": "s-1",
}
TOKEN = OAuth2Token(MEMBERS)


def odd(*cases: tuple[Any, float | None]) -> list[tuple[Any, float | None]]:
    return list(cases)


# -- the value ---------------------------------------------------------------------------------------------------------


def test_a_mapping_of_the_shape_of_fetch_token_is_a_token_and_back() -> None:
    value = OAuthToken.from_mapping(MEMBERS, now=0)
    assert value == OAuthToken(
        Secret("at-hunter2"),
        "Bearer",
        float(NOW + 300),
        300.0,
        Secret("rt-hunter2"),
        Scope(("openid", "email")),
        Secret("a.b.hunter2"),
    )
    assert value.extra == {"session_state": "s-1"}
    assert value.to_dict() == MEMBERS


def test_an_access_token_alone_is_a_bearer_token_of_unknown_lifetime() -> None:
    assert OAuthToken.from_mapping({"access_token": "a"}, now=NOW) == OAuthToken(Secret("a"))
    assert OAuthToken(Secret("a")).to_dict() == {"access_token": "a", "token_type": "Bearer"}


@pytest.mark.parametrize(
    ("stored", "expires_at"),
    [
        ({"expires_at": str(NOW + 5)}, NOW + 5),
        ({"expires_at": f"{NOW}.5", "expires_in": "300"}, NOW + 0.5),
        ({"expires_in": "300"}, NOW + 300),
        ({"expires_at": None, "expires_in": 300}, NOW + 300),
        ({"expires_at": "soon", "expires_in": 300}, NOW + 300),
        ({"expires_at": 0}, 0),
        ({}, None),
    ],
)
def test_a_token_restored_from_strings_knows_when_it_expires(stored: dict[str, Any], expires_at: float | None) -> None:
    assert OAuthToken.from_mapping({"access_token": "a", **stored}, now=NOW).expires_at == expires_at


@pytest.mark.parametrize(
    ("value", "moment"),
    odd(
        *((text, None) for text in ("", "soon", "nan", "inf", "-1", "1e999", "\ud800")),
        *((value, None) for value in (None, True, [1], {"a": 1}, float("nan"), float("inf"), -1, 10**400, "9" * 5000)),
        *((value, 1.5) for value in (1.5, "1.5", " 1.5 ")),
    ),
)
def test_a_stored_moment_is_a_number_or_unknown_and_never_a_builtin_error(value: Any, moment: float | None) -> None:
    assert moment_of(value) == moment


@pytest.mark.parametrize(
    ("value", "lifetime"),
    odd(
        *((value, float(value)) for value in (1, 300.0, "300", TEN_YEARS)),
        *((value, 3599.0) for value in (3599.5, "3599.5")),
        *(
            (value, None)
            for value in (0, "0", None, True, False, -1, "-1", "1e3", "", " 1", "٣", [1], {"a": 1}, "9" * 5000)
        ),
        *((value, None) for value in (float("nan"), float("inf"), 10**400, TEN_YEARS + 1, b"300")),
    ),
)
def test_a_lifetime_is_whole_seconds_up_to_ten_years_or_unknown(value: Any, lifetime: float | None) -> None:
    assert lifetime_of(value) == lifetime


@pytest.mark.parametrize(
    ("value", "legal"), [("a", True), ("!~", True), ("", False), ("a b", False), ("é", False), (7, False)]
)
def test_a_token_that_can_be_sent_is_visible_ascii(value: Any, legal: bool) -> None:
    assert legal_token(value) is legal


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"access_token": ""},
        {"access_token": None},
        {"access_token": 7},
        {"access_token": "a\r\nX: y"},
        {"access_token": "a", "token_type": "Bea rer"},
        {"access_token": "a", "token_type": 7},
        {"access_token": "***"},
        {"access_token": "a", "refresh_token": "***"},
        "at-hunter2",
        ["access_token"],
        7,
    ],
)
def test_a_value_that_is_not_a_token_is_a_usage_error_that_does_not_show_it(members: Any) -> None:
    with pytest.raises(UsageError) as caught:
        OAuth2Token(members)
    assert "hunter2" not in str(caught.value)


def test_a_scope_may_be_stored_as_a_list_and_odd_optional_members_count_as_missing() -> None:
    value = OAuthToken.from_mapping(
        {"access_token": "a", "token_type": None, "scope": ["a", "b"], "refresh_token": "", "id_token": 7}, now=NOW
    )
    assert value == OAuthToken(Secret("a"), scope=Scope(("a", "b")))


@pytest.mark.parametrize(
    ("lifetime", "leeway", "margin"),
    [(300.0, None, 60.0), (60.0, None, 30.0), (None, None, 60.0), (60.0, 60.0, 60.0), (60.0, 0.0, 0.0)],
)
def test_the_margin_is_a_minute_or_half_the_life_or_the_leeway_as_given(
    lifetime: float | None, leeway: float | None, margin: float
) -> None:
    assert OAuthToken(Secret("a"), lifetime=lifetime).margin(leeway) == margin


def test_a_copy_with_another_refresh_token_leaves_the_first_as_it_is() -> None:
    value = TOKEN.value
    assert value.with_refresh_token(Secret("rt-2")).refresh_token == Secret("rt-2")
    assert value.with_refresh_token(None).refresh_token is None
    assert value.refresh_token == Secret("rt-hunter2")


def test_a_value_is_frozen_and_copied_as_itself() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TOKEN.value.token_type = "DPoP"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(UsageError, match="read-only"):
        TOKEN.value.extra["x"] = 1  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
    assert copy.copy(TOKEN.value) == TOKEN.value
    assert copy.deepcopy(TOKEN.value) == TOKEN.value


# -- the dictionary ----------------------------------------------------------------------------------------------------


def test_a_token_is_a_dictionary_with_named_members() -> None:
    assert TOKEN == MEMBERS
    assert TOKEN["access_token"] == TOKEN.access_token == "at-hunter2"
    assert (TOKEN.token_type, TOKEN.refresh_token, TOKEN.id_token) == ("Bearer", "rt-hunter2", "a.b.hunter2")
    assert (TOKEN.expires_at, TOKEN.scope) == (NOW + 300, "openid email")
    assert TOKEN.get("session_state") == "s-1"
    assert {**TOKEN} == dict(TOKEN) == TOKEN.copy() == MEMBERS
    assert type(TOKEN.copy()) is dict


@pytest.mark.parametrize(
    ("written", "known"), [("bearer", "Bearer"), ("BEARER", "Bearer"), ("dpop", "DPoP"), ("N_A", "N_A")]
)
def test_the_dictionary_keeps_the_spelling_of_the_type_that_the_value_knows(written: str, known: str) -> None:
    token = OAuth2Token({**MEMBERS, "token_type": written})
    assert (token["token_type"], token.token_type, token.value.token_type) == (written, known, known)
    assert token.value == OAuth2Token({**MEMBERS, "token_type": known}).value
    assert OAuth2Token(json.loads(json.dumps(token))) == token
    assert OAuth2Token(pickle.loads(pickle.dumps(dict(token)))) == token  # noqa: S301  # our own
    assert open_record(pack(token.value))[0].to_dict() == token
    assert token.value.with_refresh_token(None).to_dict()["token_type"] == written


def test_a_missing_member_is_none() -> None:
    token = OAuth2Token({"access_token": "a"})
    assert (token.refresh_token, token.id_token, token.expires_at, token.scope) == (None, None, None, None)
    assert "refresh_token" not in token


def test_a_token_goes_through_json_and_comes_back_the_same() -> None:
    assert OAuth2Token(json.loads(json.dumps(TOKEN))) == TOKEN
    assert OAuth2Token(json.loads(json.dumps(TOKEN))).value == TOKEN.value


def test_a_token_restored_from_strings_alone_is_a_token() -> None:
    stored = {name: str(value) for name, value in MEMBERS.items()}
    token = OAuth2Token(stored)
    assert token.expires_at == NOW + 300
    assert token == MEMBERS


def test_from_dict_leaves_none_and_tokens_as_they_are() -> None:
    assert OAuth2Token.from_dict(None) is None
    assert OAuth2Token.from_dict(TOKEN) is TOKEN
    assert OAuth2Token.from_dict(MEMBERS) == TOKEN
    assert OAuth2Token(TOKEN.value) == TOKEN


@pytest.mark.parametrize(
    ("now", "leeway", "expired"),
    [
        (NOW, None, False),
        (NOW + 239, None, False),
        (NOW + 240, None, True),
        (NOW + 240, 0, False),
        (NOW + 300, 0, True),
        (NOW, 300, True),
    ],
)
def test_a_token_says_whether_it_expires_within_the_leeway(now: float, leeway: float | None, expired: bool) -> None:
    assert TOKEN.is_expired(leeway, now=now) is expired


def test_without_a_moment_the_clock_says_what_time_it_is() -> None:
    assert OAuth2Token({"access_token": "a", "expires_at": 1}).is_expired()
    assert not OAuth2Token({"access_token": "a", "expires_in": 3600}).is_expired()
    assert not OAuth2Token({"access_token": "a"}).is_expired()


CHANGES: list[Callable[[Any], object]] = [
    lambda token: token.__setitem__("access_token", "x"),
    lambda token: token.__delitem__("access_token"),
    lambda token: token.__ior__({"a": 1}),
    lambda token: token.update(a=1),
    lambda token: token.setdefault("a", 1),
    lambda token: token.pop("access_token"),
    lambda token: token.popitem(),
    lambda token: token.clear(),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_token_is_read_only_and_says_what_to_do(change: Callable[[Any], object]) -> None:
    token = OAuth2Token(MEMBERS)
    with pytest.raises(UsageError, match=r"dict\(token\)"):
        change(token)
    assert token == MEMBERS


def test_what_was_given_is_neither_changed_nor_changed_later() -> None:
    given = dict(MEMBERS)
    token = OAuth2Token(given)
    given["access_token"] = "other"
    assert token.access_token == "at-hunter2"


def test_a_token_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("tests").warning("%s %r", TOKEN, TOKEN.value)
    logging.getLogger("tests").warning("one %s", TOKEN)
    logging.getLogger("tests").warning(TOKEN)
    shown = [
        repr(TOKEN),
        str(TOKEN),
        f"{TOKEN} {TOKEN!r}",
        "%s" % TOKEN,  # noqa: UP031
        "{}".format(TOKEN),  # noqa: UP032
        repr([TOKEN]),
        pprint.pformat(TOKEN),
        pprint.pformat([TOKEN] * 20),
        repr(copy.copy(TOKEN)) + repr(copy.deepcopy(TOKEN)),
        repr(TOKEN.value),
        str(TOKEN.value),
        repr(TOKEN.value.with_refresh_token(None)),
        caplog.text,
    ]
    assert not [text for text in shown if "hunter2" in text]
    assert "session_state" in repr(TOKEN)
    assert "'access_token': '***'" in repr(TOKEN)


def test_a_repr_shows_no_value_of_a_member_that_the_protocol_does_not_define() -> None:
    others: dict[str, Any] = {
        "authed_user": {"access_token": "xoxp-hunter2"},
        "incoming_webhook": {"url": "https://hooks.example/hunter2"},
        "api_key": "hunter2",
        "instance_url": "https://hunter2.example",
        "refresh_expires_in": "hunter2",
        "issued_token_type": {"a": "hunter2"},
    }
    token = OAuth2Token({**MEMBERS, **others})
    for text in (repr(token), str(token), f"{token}", pprint.pformat(token), repr(token.value)):
        assert "hunter2" not in text
    assert all(repr(name) in repr(token) for name in others)
    for members in (token.value.extra, dataclasses.asdict(token.value), copy.deepcopy(token.value.extra)):
        assert "hunter2" not in f"{members} {members!r}"
        assert "api_key" in repr(members)
    assert "'expires_in': 300" in repr(token)
    assert "'scope': 'openid email'" in repr(token)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_dictionary_is_pickled_as_any_other_and_the_value_is_not(protocol: int) -> None:
    again = pickle.loads(pickle.dumps(TOKEN, protocol))  # noqa: S301  # our own
    assert type(again) is OAuth2Token
    assert again == TOKEN
    assert again.value == TOKEN.value
    assert pickle.loads(pickle.dumps([TOKEN], protocol)) == [TOKEN]  # noqa: S301
    with pytest.raises(UsageError, match="not pickled"):
        pickle.dumps(TOKEN.value, protocol)
