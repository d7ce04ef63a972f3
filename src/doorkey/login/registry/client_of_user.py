"""A registered client whose requests carry the token of one user: the argument of `userinfo_compliance_fix`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ClientOfUser:
    """A registered client whose requests carry the token of one user, unless the call has another `token`."""

    def __init__(self, client: Any, token: Mapping[str, Any]) -> None:
        self._client = client
        self._token = token

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Send a request as the registered client does."""
        return self._client.request(method, url, **{"token": self._token, **options})

    def get(self, url: str, **options: Any) -> Any:
        """Send a GET request as the registered client does."""
        return self._client.get(url, **{"token": self._token, **options})

    def post(self, url: str, **options: Any) -> Any:
        """Send a POST request as the registered client does."""
        return self._client.post(url, **{"token": self._token, **options})
