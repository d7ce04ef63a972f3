"""What tests need that interrupt their own process."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def no_garbage_collection() -> Generator[None]:
    """Collect garbage before the block, and not in it: Python ignores an interrupt that strikes in a finalizer."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
