"""A browser for tests: Python's `webbrowser` opens it, and the user in it logs in at the embedded provider at once."""

from __future__ import annotations

import webbrowser
from urllib.request import urlopen

from doorkey.dev import Provider


class LogsInAtOnce(webbrowser.BaseBrowser):
    """Logs alice in at the URL that it opens, and follows the redirect to the program."""

    def __init__(self, provider: Provider) -> None:
        super().__init__("test")
        self._provider = provider
        self.opened: list[str] = []

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self.opened.append(url)
        with urlopen(self.callback(url), timeout=60) as response:
            response.read()
        return True

    def callback(self, url: str) -> str:
        """Return the URL to which the provider redirects after the login."""
        return self._provider.log_in(url, "alice")
