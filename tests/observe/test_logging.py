"""Events as log records."""

import logging
import subprocess
import sys
from contextlib import suppress

import pytest

from doorkey import OAuthError
from tests.observe.conftest import ACCESS, REFRESH, World
from tests.support.hostile_server import reply, token


def records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "doorkey"]


def test_what_goes_well_is_debug_and_what_does_not_a_warning(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "doorkey")
    world.server.on("/token", token("first", refresh_token=REFRESH), reply(503), token(ACCESS))
    world.server.on("/api", reply(401))
    with suppress(OAuthError):
        world.call()
    levels = {record.__dict__["doorkey_kind"]: record.levelname for record in records(caplog)}
    assert levels == {"requested": "DEBUG", "renewed": "DEBUG", "rejected": "WARNING", "failed": "WARNING"}


def test_a_record_says_what_happened_and_carries_the_fields_of_the_event(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "doorkey")
    world.server.on("/token", token(ACCESS))
    world.call()
    place = world.server.token_endpoint
    requested, renewed = records(caplog)
    assert requested.getMessage() == f"token requested: c at {place}, {world.grant_type}"
    assert renewed.getMessage() == f"token renewed: c at {place}, {world.grant_type}, 0.000 s"
    assert {name: value for name, value in vars(renewed).items() if name.startswith("doorkey_")} == {
        "doorkey_kind": "renewed",
        "doorkey_source": f"c at {place}",
        "doorkey_client_id": "c",
        "doorkey_server": place,
        "doorkey_grant_type": world.grant_type,
        "doorkey_duration": 0.0,
        "doorkey_error": None,
    }


def test_a_logger_that_does_not_want_debug_gets_none(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "doorkey")
    world.server.on("/token", token(ACCESS))
    world.call()
    assert records(caplog) == []


def test_a_filter_that_raises_breaks_nothing(world: World) -> None:
    def breaks(_: logging.LogRecord) -> bool:
        raise LookupError

    logger = logging.getLogger("doorkey")
    logger.addFilter(breaks)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        world.server.on("/token", token(ACCESS))
        assert world.call() == 200
    finally:
        logger.setLevel(level)
        logger.removeFilter(breaks)
    assert world.events.kinds == ["requested", "renewed"]


def test_a_program_without_logging_prints_nothing_of_ours() -> None:
    program = """
from doorkey import ClientCredentials, OAuthError, TokenSource
try:
    TokenSource(ClientCredentials("c", "s"), token_endpoint="http://127.0.0.1:1/token").token()
except OAuthError:
    print("failed, as it should")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("failed, as it should", "")
