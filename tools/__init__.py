"""The commands of `./dev`. Only `tools.mutation` needs packages: the rest runs before any environment exists."""
