"""A client that is closed while its token request is in flight: the connection of that request is closed after it."""

import gc
import warnings
from contextlib import suppress

import pytest

from doorkey.errors import OAuthError
from tests.support.every_adapter import Adapter, in_background
from tests.support.hostile_server import Held, Hostile, token

blocking = pytest.mark.parametrize("adapter", ["requests", "httpx2", "httpx"], indirect=True)


@blocking
def test_the_connection_of_a_request_is_closed_if_its_client_was_closed_meanwhile(
    adapter: Adapter, hostile: Hostile
) -> None:
    held = Held(token("new"))
    hostile.on("/token", held)
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint)

    def fetch() -> None:
        with suppress(OAuthError):  # httpx ends a request whose client is closed
            client.fetch_token()

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with in_background(fetch) as done:
            held.wait_for_arrival()
            client.close()
            held.release.set()
            done()
        gc.collect()
    assert [str(one.message) for one in seen] == []
