"""A timeout of the caller that is longer than the deadline keeps no connection open beyond it, in any of its forms."""

from collections.abc import Callable
from typing import Any

import pytest
import urllib3

from doorkey.errors import TransportError
from doorkey.wire.limits import ExchangePolicy
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Exchange, Hostile

SHORT = ExchangePolicy(deadline=0.15)

TIMEOUTS: dict[str, Callable[[Any], Any]] = {
    "a number": lambda library: 600,
    "a float": lambda library: 600.5,
    "two numbers": lambda library: (3.05, 600),
    "no end": lambda library: (3.05, None) if library.__name__ == "requests" else library.Timeout(None),
    "the library's own": lambda library: (
        urllib3.Timeout(connect=3, read=600) if library.__name__ == "requests" else library.Timeout(3, read=600)
    ),
    "a total": lambda library: urllib3.Timeout(total=600) if library.__name__ == "requests" else library.Timeout(600),
}


@pytest.mark.parametrize("timeout", list(TIMEOUTS))
def test_a_silent_server_is_left_at_the_deadline_whatever_the_timeout(
    adapter: Adapter, hostile: Hostile, timeout: str
) -> None:
    hostile.on("/token", Exchange.until_hung_up)
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint, exchange=SHORT)
    with pytest.raises(TransportError):
        client.fetch_token(timeout=TIMEOUTS[timeout](adapter.kind.library))
    hostile.wait_until_left()
