"""The loggers of uvicorn belong to the application: a provider in the same process neither changes nor uses them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import requests

from doorkey.dev import Provider

NAMES = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


class Kept(logging.Handler):
    """Keeps the messages of the records."""

    def __init__(self) -> None:
        super().__init__(1)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.fixture
def handler() -> Iterator[Kept]:
    """The handler of an application that logs what uvicorn logs."""
    added, loggers = Kept(), [logging.getLogger(name) for name in NAMES]
    before = [(one.level, one.propagate, list(one.handlers)) for one in loggers]
    for one in loggers:
        one.setLevel(logging.INFO)
        one.propagate = False
        one.handlers = [added]
    yield added
    for one, (level, propagate, handlers) in zip(loggers, before, strict=True):
        one.setLevel(level)
        one.propagate, one.handlers = propagate, handlers


def state() -> list[tuple[object, ...]]:
    loggers = [logging.getLogger(name) for name in NAMES]
    return [(one.level, one.propagate, list(one.handlers), one.disabled) for one in loggers]


def test_a_provider_does_not_change_the_loggers_of_the_application(handler: Kept) -> None:
    before = state()
    with Provider() as provider:
        assert requests.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=60).status_code == 200
        assert state() == before
        assert all(handler in logging.getLogger(name).handlers for name in NAMES)
    assert state() == before


def test_a_provider_writes_nothing_to_the_log_of_the_application(handler: Kept) -> None:
    with Provider() as provider:
        requests.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=60)
    assert handler.messages == []
    logging.getLogger("uvicorn.access").info("a request")
    assert handler.messages == ["a request"], "the handler does keep what is logged"
