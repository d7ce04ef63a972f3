"""Each guarantee of SECURITY.md names tests that exist, and each limit is a constant of the code."""

from __future__ import annotations

import re

import pytest

from doorkey.jose import compact
from tools.docs import guarantees
from tools.docs.guarantees import Guarantee


@pytest.mark.parametrize("guarantee", guarantees.guarantees(), ids=lambda one: one.text[:40])
def test_a_guarantee_has_tests_that_exist(guarantee: Guarantee) -> None:
    assert guarantee.tests, (
        f"add the tests of this line of SECURITY.md to {guarantees.FILE.name}: {guarantee.text[:80]}"
    )
    assert [test for test in guarantee.tests if not guarantees.exists(test)] == []


def test_each_entry_begins_a_line_of_the_page() -> None:
    assert guarantees.unknown_lines() == []


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert not guarantees.exists("tools/docs/test_guarantees.py::test_that_is_not_there")
    assert not guarantees.exists("tools/docs/test_no_such_file.py::test_x")
    assert guarantees.exists("tools/docs/test_guarantees.py::test_a_test_that_is_not_there_is_noticed")


def test_limits_are_those_of_the_code() -> None:
    assert ("A signed token", "64 KiB", "doorkey.jose.compact.MAX_BYTES") in guarantees.limits()
    assert compact.MAX_BYTES == 64 * 1024
    assert [what for what, most, _ in guarantees.limits() if not most[0].isdigit()] == []


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1 << 20, "bytes", "1 MiB"),
        (5 * 1024, "bytes", "5 KiB"),
        (5_000, "bytes", "5,000 bytes"),
        (15.0, "seconds", "15 seconds"),
    ],
)
def test_a_limit_has_its_unit(value: float, unit: str, expected: str) -> None:
    assert guarantees.quantity(value, unit) == expected


def test_each_advisory_is_listed_with_a_test() -> None:
    assert len(guarantees.advisories()) > 30
    assert [advisory for advisory, tests in guarantees.advisories() if not tests] == []


def test_the_page_has_the_words_of_the_sections_of_security_md() -> None:
    titles = re.findall(r"^##? (.*)$", guarantees.page(), flags=re.MULTILINE)
    assert titles[0].startswith(guarantees.SECTIONS[0])
    assert [one.split()[0] for one in titles[1:3]] == list(guarantees.SECTIONS)
