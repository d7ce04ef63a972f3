"""The command line `doorkey`, built on click: `main` has the table of commands, `commands/` has one module for each.

A module of `commands/` imports only click and light modules of `cli/`. A command imports its other modules when it
runs, so `doorkey --help` and completion start as fast as Python does. stdout is for results, stderr for all other text.
"""
