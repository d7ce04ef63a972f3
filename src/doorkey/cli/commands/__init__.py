"""The commands, one module each; `doorkey.cli.main.COMMANDS` names them."""
