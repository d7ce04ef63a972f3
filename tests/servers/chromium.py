"""Chromium from Debian's packages: the browser that the tests of tests/browser/ drive.

It is no server: it is installed like one, and each test that needs it starts its own.
"""

import shutil
from pathlib import Path

from tests.servers.prerequisites import from_debian
from tests.servers.process import Unavailable


class Chromium:
    """The browser of this machine, installed where we may."""

    name = "chromium"
    megabytes = 130
    """With the libraries that a machine without a desktop lacks."""

    def program(self) -> Path | None:
        """Return where it is, or None."""
        found = shutil.which("chromium") or shutil.which("chromium-browser")
        return Path(found) if found else None

    def ensure_installed(self) -> bool:
        """Install it if needed; return whether anything had to be done. Raises Unavailable."""
        if self.program() is not None:
            return False
        from_debian("chromium", "fonts-liberation")
        if self.program() is None:
            raise Unavailable("needs Chromium: apt-get install chromium (or your system's package)")
        return True
