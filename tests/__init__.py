"""The tests. A package, so that helpers are imported as `tests.…` and never from the `tests` of another project."""
