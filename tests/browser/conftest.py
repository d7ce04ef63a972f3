"""The one Chromium of all tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.browser_fixtures import running_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="package")
def browser_process() -> Iterator[Browser]:
    """A running Chromium. It ends with the tests of this folder, and Playwright's event loop with it."""
    with running_chromium() as browser:
        yield browser
