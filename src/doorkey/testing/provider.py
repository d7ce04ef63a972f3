"""The embedded provider for tests."""

from __future__ import annotations

from types import TracebackType

import doorkey.dev.provider


class Provider(doorkey.dev.provider.Provider):
    """`doorkey.dev.Provider`, which fails the test if a fault was never triggered.

    It is a context manager with the same options. At the end of the block it raises `UnusedFault`, which is also an
    `AssertionError`, unless another error ended the block.
    """

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if error is None:
            self.faults.check_all_used()
