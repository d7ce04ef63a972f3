"""Programs from Debian's packages that tests drive: Chromium, tmux, and two shells.

They are no servers: they are installed like them, and each test that needs one starts its own.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.servers.prerequisites import from_debian
from tests.servers.process import Unavailable


@dataclass(frozen=True, slots=True)
class Program:
    """A program of this machine, installed where we may.

    megabytes: of its packages, with the libraries that a machine without a desktop lacks.
    commands: the names that it may have.
    """

    name: str
    megabytes: int
    commands: tuple[str, ...]
    packages: tuple[str, ...]

    def path(self) -> Path | None:
        """Return where it is, or None."""
        found = next(filter(None, map(shutil.which, self.commands)), None)
        return Path(found) if found else None

    def ensure_installed(self) -> bool:
        """Install it if needed; return whether anything had to be done. Raises Unavailable."""
        if self.path() is not None:
            return False
        from_debian(*self.packages)
        if self.path() is None:
            raise Unavailable(f"needs {self.name}: apt-get install {self.packages[0]} (or your system's package)")
        return True


CHROMIUM = Program("chromium", 130, ("chromium", "chromium-browser"), ("chromium", "fonts-liberation"))
TMUX = Program("tmux", 1, ("tmux",), ("tmux",))
ZSH = Program("zsh", 16, ("zsh",), ("zsh",))
FISH = Program("fish", 17, ("fish",), ("fish",))
PROGRAMS = {program.name: program for program in (CHROMIUM, TMUX, ZSH, FISH)}
