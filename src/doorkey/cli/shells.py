"""Completion in shells: click's scripts, with what each of them lacks.

Theory of operation. The script of a shell calls `doorkey` with what was typed in environment variables, and prints
what completes it. bash splits words at colons, which the name of an account has if its issuer has a port: the words are
joined again, and what is before the last colon is not repeated. The script of zsh, as a file of `$fpath`, completes
when it is loaded, and must do so when it is called again. That of fish splits each line at commas, which sentences
have: it must split at the first one only.
"""

from __future__ import annotations

from typing import Final

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

__all__: list[str] = []


class Bash(BashComplete):
    """The completion of bash."""

    _before_colon = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the complete words after the name of the program, and the incomplete one."""
        before, last = super().get_completion_args()
        split = [*before, last]
        words: list[str] = []
        for previous, word in zip(["", *split], split, strict=False):
            if words and word and (_is_colon(word) or _is_colon(previous)):
                words[-1] += word
            else:
                words.append(word)
        incomplete = words.pop()
        self._before_colon = incomplete[: incomplete.rfind(":") + 1]
        return words, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Return a line of the script's format."""
        return f"{item.type},{str(item.value).removeprefix(self._before_colon)}"


def _is_colon(word: str) -> bool:
    return bool(word) and not word.strip(":")


class Zsh(ZshComplete):
    """The completion of zsh."""

    source_template = ZshComplete.source_template.replace("== loadautofunc ", "== (loadautofunc|shfunc) ")


class Fish(FishComplete):
    """The completion of fish."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split --max 1 ","')


SHELLS: Final[dict[str, type[ShellComplete]]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def register() -> None:
    """Have click answer the scripts with these classes."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)
