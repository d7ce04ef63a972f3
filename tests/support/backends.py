"""Where async tests run: on asyncio, and with `@both_backends` on trio too."""

import pytest

both_backends = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
