"""Garbage collection in a run of thousands of tests: objects that live until its end are not looked through each time.

Without this, one full collection took 0.3 s at the middle of a run, and there were 140 of them.
"""

import gc
import itertools
from collections.abc import Generator

import pytest

MODULES = 10
"""After so many modules of tests, what is left is kept by pytest, by libraries, or for the whole run."""
_modules = itertools.count(1)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Do not look for garbage among thousands of tests while they are collected: there is none."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Take the collected tests out of garbage collection."""
    _freeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Take out what is left between two modules, when the fixtures of the first one are gone."""
    done = yield
    if nextitem is not None and nextitem.path != item.path and not next(_modules) % MODULES:
        _freeze()
    return done


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Let the last collection, in which pytest looks for files that were not closed, find everything."""
    gc.unfreeze()


def _freeze() -> None:
    gc.collect()
    gc.freeze()
