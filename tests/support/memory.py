"""A bound on the memory that a block allocates."""

import tracemalloc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def little_memory(limit: int) -> Generator[None]:
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < limit, f"{peak} bytes were used"
