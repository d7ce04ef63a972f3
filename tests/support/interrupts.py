"""What tests need that interrupt their own process."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def no_garbage_collection() -> Generator[None]:
    """Collect no garbage in the block: Python ignores an interrupt that strikes in a finalizer."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
