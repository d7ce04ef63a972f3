"""What a slot reports to its observer: waits for another caller's attempt, and a rejected token, once."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager

import pytest

from doorkey.errors import UsageError
from doorkey.renewal.slot import Slot
from doorkey.renewal.state import reject, waiting
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow
from tests.support.flights import Renews


class Recorder:
    def __init__(self) -> None:
        self.events: list[str] = []

    def waiting(self) -> AbstractContextManager[None]:
        return self._wait()

    @contextmanager
    def _wait(self) -> Generator[None]:
        self.events.append("wait begins")
        yield
        self.events.append("wait ends")

    def rejected(self) -> None:
        self.events.append("rejected")


def never(_: OAuthToken | None) -> Flow[OAuthToken]:
    raise AssertionError("nothing here renews")


def slot_with(token: OAuthToken) -> Slot:
    slot = Slot(Renews(never))
    slot.set_token(token)
    return slot


TOKEN = OAuthToken(Secret("a"), "Bearer")


def test_a_rejected_token_is_reported_once_however_many_callers_were_refused() -> None:
    slot, recorder = slot_with(TOKEN), Recorder()
    slot.observer = recorder
    assert reject(slot, TOKEN)
    assert recorder.events == ["rejected"]
    assert reject(slot, TOKEN)
    assert recorder.events == ["rejected"]


def test_another_token_is_not_rejected_and_nothing_is_reported() -> None:
    slot, recorder = slot_with(TOKEN), Recorder()
    slot.observer = recorder
    assert not reject(slot, OAuthToken(Secret("b"), "Bearer"))
    assert recorder.events == []


def test_a_token_is_rejected_without_an_observer_too() -> None:
    slot = slot_with(TOKEN)
    assert reject(slot, TOKEN)
    assert slot.fresh_token(0.0) is None


def test_only_a_token_can_be_rejected() -> None:
    with pytest.raises(UsageError, match="OAuthToken"):
        reject(slot_with(TOKEN), "a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_wait_is_reported_from_its_begin_to_its_end() -> None:
    slot, recorder = slot_with(TOKEN), Recorder()
    with waiting(slot):
        pass
    slot.observer = recorder
    with waiting(slot):
        recorder.events.append("waits")
    assert recorder.events == ["wait begins", "waits", "wait ends"]
