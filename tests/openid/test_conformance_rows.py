"""The checklist and the tests: each row has a test of its name, and no test is without a row."""

import inspect
import re
from pathlib import Path

from tests.openid import test_conformance, test_conformance_after_login

ROWS = re.findall(r"^\| (oidcc-client-test[a-z0-9-]*) \|", Path(__file__).with_name("conformance.md").read_text(), re.M)


def test_every_row_of_the_checklist_has_a_test_of_its_name() -> None:
    named = [*vars(test_conformance).items(), *vars(test_conformance_after_login).items()]
    tests = {name for name, item in named if name.startswith("test_oidcc_") and inspect.isfunction(item)}
    assert {f"test_{row.replace('-', '_')}" for row in ROWS} == tests
    assert len(ROWS) == len(set(ROWS)) > 50
