"""A loop that stops in the middle of a renewal, which it may go on with later, freezes no thread meanwhile."""

import asyncio
from typing import Any

import pytest

from doorkey import OAuth2Auth
from doorkey.errors import UsageError
from tests.support.hostile_server import Held, Hostile, token
from tests.support.source_requests import CLIENT, on_token


def test_a_loop_that_stopped_in_the_middle_of_a_renewal_does_not_freeze_its_thread(hostile: Hostile) -> None:
    held = Held(token("at-1"))
    signer: Any = OAuth2Auth(CLIENT, **on_token(hostile, held))._signer
    loop = asyncio.new_event_loop()
    try:
        leader = loop.create_task(signer._asource.token())
        while not held.arrived.is_set():
            loop.run_until_complete(asyncio.sleep(0))
        with pytest.raises(UsageError, match="event loop that this thread runs"):
            signer.token()
        held.release.set()
        assert loop.run_until_complete(leader).access_token.reveal() == "at-1"
        assert signer.token().access_token.reveal() == "at-1"
        loop.run_until_complete(signer._asource.aclose())
    finally:
        loop.close()
