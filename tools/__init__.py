"""The commands of `./dev`. Those that run before an environment exists need only the standard library."""
