"""The browser of the user, opened without waiting for it and without its output in the terminal."""

from __future__ import annotations

import os
import subprocess
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from shutil import which
from typing import Any, Final
from urllib.parse import quote

from doorkey.native.console import write_stderr

_IN_THE_TERMINAL: Final = frozenset({"www-browser", "links", "elinks", "lynx", "w3m", "browsh", "carbonyl"})
"""Browsers that would take over the terminal. They are not used."""


def graphical_browser() -> Any:
    """Return the controller of the browser that opens windows, or None."""
    try:
        if os.environ.get("WSL_DISTRO_NAME") and not os.environ.get("BROWSER") and which("wslview"):
            return webbrowser.BackgroundBrowser("wslview")  # the browser of Windows
        found: Any = webbrowser.get()
    except webbrowser.Error:
        return None
    return None if _name(found) in _IN_THE_TERMINAL else found


def open_quietly(url: str) -> bool:
    """Open `url` in the user's browser, and return whether there is one. Its output is dropped."""
    browser = graphical_browser()
    if browser is None:
        return False
    url = _without_quotes(url)
    if type(browser) in (webbrowser.GenericBrowser, webbrowser.BackgroundBrowser):
        command = [browser.name, *(one.replace("%s", url) for one in browser.args)]
        quiet: Any = subprocess.DEVNULL
        # A new session, so that a Ctrl-C in the terminal does not reach the browser.
        subprocess.run(command, stdin=quiet, stdout=quiet, stderr=quiet, check=False, start_new_session=True)  # noqa: S603  # the user chose it
        return True
    return bool(browser.open(url))  # these controllers drop the output


def open_in_background(url: str, open_browser: Callable[[str], Any]) -> None:
    """Call `open_browser(url)` in a thread, because it may return only when the browser is closed.

    A failure is ignored, because the URL has been shown before.
    """

    def call() -> None:
        try:
            open_browser(url)
        except Exception:  # noqa: BLE001  # a program's own callable may raise any error
            from doorkey.observe.logs import logger

            logger.info("the browser could not be opened")

    with suppress(RuntimeError):  # no further thread can be started
        threading.Thread(target=call, name="doorkey-browser", daemon=True).start()


def show_url(url: str) -> None:
    """Show the URL on standard error."""
    write_stderr(f"To log in, open this URL in a browser:\n\n  {url}\n\n")


def _without_quotes(url: str) -> str:
    """Return the URL with percent-encoding for the special characters of shells, PowerShell and AppleScript.

    A server determines the beginning of the URL, and programs such as `wslview` and `osascript` put it into a script.
    """
    return quote(url, safe="%:/?#[]@&=+,;~")


def _name(browser: Any) -> str:
    name = getattr(browser, "name", "")
    return str(name).replace("\\", "/").rpartition("/")[2]
