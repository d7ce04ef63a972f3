"""A release of aiohttp that does not tell redirects from requests gets no token, rather than send it anywhere."""

from types import SimpleNamespace
from typing import Any

import pytest

from doorkey import OAuth2Auth
from doorkey.errors import UsageError


@pytest.mark.anyio
async def test_a_request_without_a_timer_gets_no_token() -> None:
    async def handler(request: Any) -> Any:
        raise AssertionError("nothing is sent")

    request = SimpleNamespace(url="https://api.example/", headers={}, body=b"")
    with pytest.raises(UsageError, match="aiohttp"):
        await OAuth2Auth({"access_token": "a"})(request, handler)
