"""`doorkey completion`: the script that completes commands, options and accounts in a shell."""

from __future__ import annotations

from typing import Final

import click

from doorkey.cli.terminal import out

__all__: list[str] = []

SHELLS: Final = ("bash", "zsh", "fish")
_VARIABLE: Final = "_DOORKEY_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: doorkey completion bash > ~/.local/share/bash-completion/completions/doorkey
    zsh:  doorkey completion zsh > a file _doorkey in a directory of $fpath
    fish: doorkey completion fish > ~/.config/fish/completions/doorkey.fish
    """
    from click.shell_completion import get_completion_class

    from doorkey.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None, "click has a class for each of SHELLS"
    out(kind(cli, {}, "doorkey", _VARIABLE).source())
