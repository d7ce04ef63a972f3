"""Members of a token response that no store could hold: they are named in the log, and the token is kept."""

import logging
from typing import Any

import pytest

from doorkey.credentials import ClientCredentials
from doorkey.sources import TokenSource
from tests.support.hostile_server import Hostile, reply

LONE = '{"access_token": "at-1", "token_type": "Bearer", "one": 1e400, "two": "\\ud800", "ok": "kept-value"}'


def answering(hostile: Hostile, text: str) -> TokenSource:
    hostile.on("/token", reply(200, text.encode(), {"Content-Type": "application/json"}))
    return TokenSource(ClientCredentials("app", "s"), token_endpoint=hostile.token_endpoint)


def records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "doorkey"]


def test_members_that_are_not_kept_are_named_in_one_warning(hostile: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "doorkey")
    token = answering(hostile, LONE).token()
    assert dict(token.extra) == {"ok": "kept-value"}
    [record] = records(caplog)
    assert record.getMessage().endswith("members that no store could hold are not kept: one, two")
    assert record.__dict__["doorkey_dropped"] == ("one", "two")
    assert record.__dict__["doorkey_client_id"] == "app"


def test_many_names_are_bounded(hostile: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "doorkey")
    members = ", ".join(f'"m{number:03}": 1e400' for number in range(200))
    answering(hostile, f'{{"access_token": "at-1", "token_type": "Bearer", {members}}}').token()
    [record] = records(caplog)
    assert record.getMessage().endswith("m008, m009 and 190 more")
    assert len(record.__dict__["doorkey_dropped"]) == 10


def test_a_response_that_is_kept_whole_is_not_mentioned(hostile: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "doorkey")
    answering(hostile, '{"access_token": "at-1", "token_type": "Bearer", "ok": 1}').token()
    assert records(caplog) == []


def test_a_filter_of_the_program_that_raises_does_not_lose_the_token(hostile: Hostile) -> None:
    class Broken(logging.Filter):
        def filter(self, record: logging.LogRecord) -> Any:
            raise RuntimeError("filter")

    broken = Broken()
    logger = logging.getLogger("doorkey")
    logger.addFilter(broken)
    try:
        assert answering(hostile, LONE).token().access_token.reveal() == "at-1"
    finally:
        logger.removeFilter(broken)
