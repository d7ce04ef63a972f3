"""The command line `doorkey`, on click: `main` has the table of its commands, `commands/` one module for each.

A module of `commands/` imports only click and light modules of `cli/`; a command imports what it needs when it runs.
So `doorkey --help` and completion start as fast as Python does. stdout is for results, stderr for everything else.
"""
