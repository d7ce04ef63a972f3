"""Completion in shells: click's completion scripts, with a correction for each shell.

Theory of operation. The script of a shell calls `doorkey` with the typed words in environment variables, and passes its
output to the shell as completions. bash splits words at colons, and the name of an account has a colon if its issuer
has a port. So the words are joined again, and the text before the last colon is removed from a completion. click's
script for zsh, as a file in `$fpath`, completes only when it is loaded; here it also completes in later calls. click's
script for fish splits each line at every comma, and help texts have commas; here it splits at the first comma only.
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
        """Return the complete words after the name of the program, and the incomplete word."""
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
        """Return the line for `item` that bash's completion script reads."""
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
    """Register these classes as click's completion of the shells."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)
