"""The tests. A package, so that helpers are imported as `tests.…` and never from somebody else's `tests`."""
