"""An API that rejects the replacement of a rejected token causes no renewal; its verdict counts for itself alone."""

from collections.abc import Callable
from typing import Any

import pytest

from doorkey.renewal.api_rejections import MAX_ORIGINS, ApiRejections, RecordedSource, RejectableSource
from doorkey.tokens import OAuthToken
from doorkey.values import Secret

TOKEN, NEXT = Secret("at-2"), Secret("at-3")
FIRST, SECOND, THIRD = (OAuthToken(Secret(name)) for name in ("at-1", "at-2", "at-3"))


class State:
    """The state of a token, which `Shared` replaces when it is rejected."""

    def __init__(self, *tokens: OAuthToken) -> None:
        self.tokens, self.rejections = list(tokens), ApiRejections()

    @property
    def token(self) -> OAuthToken | None:
        return self.tokens[0] if self.tokens else None


class Shared(RejectableSource):
    """A source of ours: its state notes which token replaces a rejected one."""

    def __init__(self, *tokens: OAuthToken) -> None:
        self.state = State(*tokens)

    def _token_state(self) -> State:
        return self.state

    def token(self) -> OAuthToken:
        return self.state.tokens[0]

    def reject(self, token: OAuthToken) -> bool:
        state = self.state
        if token == state.token:
            state.tokens.pop(0)
            state.rejections.replaced_by(state.tokens[0].access_token)
        return True


class Own:
    """A source of a program's own, which keeps no record."""

    def __init__(self, *tokens: OAuthToken) -> None:
        self.tokens = list(tokens)

    def token(self) -> OAuthToken:
        return self.tokens[0]

    def reject(self, token: OAuthToken) -> None:
        if token == self.tokens[0]:
            self.tokens.pop(0)


def rejected_by(*origins: str) -> ApiRejections:
    made = ApiRejections()
    for origin in origins:
        made.note(origin)
    made.replaced_by(TOKEN)
    return made


def test_an_api_that_rejects_a_token_and_its_replacement_is_final() -> None:
    made = rejected_by("a")
    assert made.is_final(TOKEN, "a")
    assert not made.is_final(TOKEN, "b")
    assert not made.is_final(NEXT, "a")


def test_a_token_that_one_api_accepted_another_may_still_reject() -> None:
    made = rejected_by("a", "b")
    made.accepted(TOKEN, "b")
    assert made.is_final(TOKEN, "a")
    assert not made.is_final(TOKEN, "b")


def test_two_apis_that_reject_every_token_are_both_final() -> None:
    made = rejected_by("a")
    made.note("b")
    made.replaced_by(NEXT)
    assert made.is_final(NEXT, "a")
    assert made.is_final(NEXT, "b")


def test_once_every_api_has_accepted_the_replacement_no_token_is_unproven() -> None:
    made = rejected_by("a")
    made.accepted(TOKEN, "b")
    assert made.unproven == TOKEN
    made.accepted(TOKEN, "a")
    assert made.unproven is None


def test_only_the_replacement_that_an_api_accepted_counts() -> None:
    made = rejected_by("a")
    made.accepted(NEXT, "a")
    assert made.is_final(TOKEN, "a")


def test_a_handful_of_apis_is_remembered() -> None:
    made = rejected_by(*map(str, range(MAX_ORIGINS + 1)))
    assert not made.is_final(TOKEN, "0")
    assert all(made.is_final(TOKEN, str(one)) for one in range(1, MAX_ORIGINS + 1))


def recorded(*tokens: OAuthToken) -> RecordedSource:
    return RecordedSource(Own(*tokens))


@pytest.mark.parametrize("kind", [Shared, recorded])
def test_every_source_awaits_the_verdict_on_a_replacement_and_keeps_a_token_that_is_rejected_for_ever(
    kind: Callable[..., Any],
) -> None:
    source = kind(FIRST, SECOND, THIRD)
    assert not source._awaits_verdict
    assert source._rejected(FIRST, "a") is not False
    source._replaced(source.token())
    assert source._awaits_verdict
    assert source._rejected(SECOND, "a") is False
    assert source.token() is SECOND
    source._accepted(SECOND, "a")
    assert not source._awaits_verdict
    assert source._rejected(SECOND, "a") is not False
    assert source.token() is THIRD


def test_an_api_that_rejects_a_token_that_was_replaced_already_may_reject_the_current_one_once() -> None:
    source = Shared(FIRST, SECOND, THIRD)
    source._rejected(FIRST, "a")
    source._rejected(FIRST, "b")
    assert source._rejected(SECOND, "b") is not False
    assert source.token() is THIRD


def test_an_api_that_rejects_a_token_is_noted_though_the_source_has_none_any_more() -> None:
    source = Shared()
    source._rejected(FIRST, "a")
    source.state.rejections.replaced_by(SECOND.access_token)
    assert source._rejected(SECOND, "a") is False
