"""Secrets never show themselves; scopes keep their order."""

import copy
import inspect
import json
import logging
import pickle
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.values import Scope, Secret, ShownDefaults

SECRET = Secret("hunter2")


@dataclass(frozen=True)
class Holder:
    name: str
    secret: Secret


def logged(value: object, caplog: pytest.LogCaptureFixture) -> str:
    logging.getLogger("tests").warning("%s %r", value, value)
    return caplog.text


def test_a_secret_is_revealed_by_name_alone(caplog: pytest.LogCaptureFixture) -> None:
    assert SECRET.reveal() == "hunter2"
    shown = [
        repr(SECRET),
        str(SECRET),
        f"{SECRET} {SECRET!r} {SECRET!s} {SECRET:>20}",
        "%s %r" % (SECRET, SECRET),  # noqa: UP031
        "{} {!r}".format(SECRET, SECRET),  # noqa: UP032
        repr([SECRET, {"a": SECRET}, Holder("n", SECRET)]),
        repr(copy.copy(SECRET)) + repr(copy.deepcopy([SECRET])),
        logged(SECRET, caplog),
        logged(Holder("n", SECRET), caplog),
        str(UsageError(f"no {SECRET}")),
    ]
    assert not [text for text in shown if "hunter2" in text]
    assert repr(SECRET) == "Secret('***')"


def test_a_mask_is_formatted_like_the_text_it_stands_for() -> None:
    assert f"{SECRET:>5}" == "  ***"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled_nor_anything_that_holds_one(protocol: int) -> None:
    for value in (SECRET, Holder("n", SECRET), [SECRET]):
        with pytest.raises(UsageError, match="not pickled"):
            pickle.dumps(value, protocol)


def test_a_secret_is_no_json() -> None:
    with pytest.raises(TypeError):
        json.dumps({"a": SECRET})


def test_a_secret_cannot_be_changed_and_has_no_other_attributes() -> None:
    for name in ("_value", "other"):
        with pytest.raises(UsageError, match="cannot be changed"):
            setattr(SECRET, name, "x")
    assert not hasattr(SECRET, "__dict__")


def test_secrets_are_compared_by_what_they_hold_and_never_equal_text() -> None:
    assert Secret("hunter2") == SECRET
    assert Secret("hunter3") != SECRET
    assert SECRET != "hunter2"
    assert len({SECRET, Secret("hunter2"), Secret("x")}) == 2
    assert bool(SECRET)
    assert not Secret("")


def test_secrets_beyond_ascii_and_utf_8_are_compared_too() -> None:
    assert Secret("é") == Secret("é")
    assert Secret("\ud800") != Secret("é")
    assert Secret("\ud800") == Secret("\ud800")


def test_a_copy_of_a_secret_is_itself() -> None:
    assert copy.copy(SECRET) is SECRET
    assert copy.deepcopy(SECRET) is SECRET


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        (None, ()),
        ("", ()),
        ("openid email", ("openid", "email")),
        ("  b   a b ", ("b", "a")),
        (["b", "a", "b"], ("b", "a")),
        (("a",), ("a",)),
        ((t for t in "ab"), ("a", "b")),
        ("https://a.example/!#[]~", ("https://a.example/!#[]~",)),
    ],
)
def test_a_scope_is_a_set_of_tokens_in_order(value: Any, tokens: tuple[str, ...]) -> None:
    scope = Scope.of(value)
    assert scope.tokens == tuple(scope) == tokens
    assert len(scope) == len(tokens)
    assert str(scope) == " ".join(tokens)
    assert bool(scope) == bool(tokens)
    assert Scope.of(scope) is scope


def test_a_scope_knows_what_is_in_it() -> None:
    scope = Scope.of("openid email")
    assert "openid" in scope
    assert "open" not in scope
    assert 7 not in scope
    assert scope == Scope(("openid", "email"))
    assert scope != Scope(("email", "openid"))


@pytest.mark.parametrize(
    "value",
    ['a"b', "a\\b", "é", "a\x00", ["a b"], [""], ["a", "\n"], [None, 7, "é"], 7, b"openid", [b"openid"], object()],
)
def test_a_value_that_is_not_a_scope_is_a_usage_error(value: Any) -> None:
    with pytest.raises(UsageError, match="scope"):
        Scope.of(value)


def test_two_scopes_in_one_token_of_a_list_are_told_apart_from_other_mistakes() -> None:
    with pytest.raises(UsageError, match="contains a space: give each token of a list by itself"):
        Scope.of(["openid email"])
    with pytest.raises(UsageError, match="not int"):
        Scope.of(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True, slots=True)
class Made:
    __signature__ = ShownDefaults()

    first: int
    scope: Scope = field(default_factory=Scope)
    members: dict[str, str] = field(default_factory=dict[str, str])
    event: threading.Event = field(default_factory=threading.Event)
    last: str = "a"


def test_the_signature_of_a_dataclass_shows_what_its_factories_make() -> None:
    shown = str(inspect.signature(Made)).replace("tests.test_values.", "")
    assert shown.partition(", event")[0] == (
        "(first: int, scope: doorkey.values.Scope = Scope(tokens=()), members: dict[str, str] = {}"
    )
    assert "event: threading.Event = Event(), last: str = 'a')" in shown
    given = inspect.signature(Made).bind(1)
    given.apply_defaults()
    made = Made(*given.args)
    assert (made.scope, made.members, made.last) == (Scope(), {}, "a")
    assert isinstance(made.event, threading.Event)
    assert Made(1).members is not Made(1).members
    assert not hasattr(made, "__signature__")
