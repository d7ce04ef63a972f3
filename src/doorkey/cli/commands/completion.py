"""`doorkey completion`: the script that completes commands, options and accounts in a shell."""

from __future__ import annotations

from typing import Final

import click

from doorkey.cli.terminal import out

__all__: list[str] = []

NAMES: Final = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(NAMES))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: doorkey completion bash > ~/.local/share/bash-completion/completions/doorkey
    zsh:  doorkey completion zsh > a file _doorkey in a directory of $fpath
    fish: doorkey completion fish > ~/.config/fish/completions/doorkey.fish
    """
    from doorkey.cli.main import COMPLETION, cli
    from doorkey.cli.shells import SHELLS

    out(SHELLS[shell](cli, {}, "doorkey", COMPLETION).source())
