"""What docs/from-authlib.md says is there can be imported, and what it says is not there cannot."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from doorkey.runtime.absent import INSTEAD, INSTEAD_OF_ALL

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "from-authlib.md").read_text("utf-8")
ROWS = [line.strip("|").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
SPAN = re.compile(r"`([\w.]+)`")
THERE = [row for row in ROWS if re.fullmatch(r" `doorkey[\w.]*`", row[0])]
IMPORTS = [(row[0].strip(" `"), name) for row in THERE for name in SPAN.findall(row[1])]
NOT_THERE = PAGE.split("## What is not there")[1].split("\n## ")[0].splitlines()
LISTED = [name for line in NOT_THERE for name in SPAN.findall(line.partition(" | ")[0]) if name.startswith("doorkey.")]
EMPTY = [name for name in LISTED if any(f"all of `{name}`" in line for line in NOT_THERE)]
ABSENT = [name for name in LISTED if name not in EMPTY]


@pytest.mark.parametrize(("module", "name"), IMPORTS)
def test_names_documented_as_present_exist(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize("path", ABSENT)
def test_names_documented_as_missing_do_not_exist(path: str) -> None:
    with pytest.raises((ImportError, AttributeError)):
        pkgutil.resolve_name(path)


@pytest.mark.parametrize(
    "path", [path for path in ABSENT if path.rpartition(".")[2] in INSTEAD] + ["doorkey.oauth2.rfc6749.grants"]
)
def test_the_import_of_a_missing_name_says_what_to_use_instead(path: str) -> None:
    package, _, name = path.rpartition(".")
    with pytest.raises(ImportError) as error:
        getattr(importlib.import_module(package), name)
    assert str(error.value) == f"{package} has no {name}: {INSTEAD[name]}"
    with pytest.raises(AttributeError, match="has no attribute 'Sessions'"):
        _ = importlib.import_module(package).Sessions


@pytest.mark.parametrize("module", EMPTY)
def test_an_import_from_a_missing_module_says_what_to_use_instead(module: str) -> None:
    with pytest.raises(ImportError) as error:
        pkgutil.resolve_name(f"{module}:AnyName")
    assert str(error.value) == f"{module} has no AnyName: {INSTEAD_OF_ALL[module]}"
    assert not hasattr(importlib.import_module(module), "__path__"), "tools that look for it get an AttributeError"


def test_each_missing_module_is_in_the_page() -> None:
    assert sorted(EMPTY) == sorted(INSTEAD_OF_ALL)


def test_the_page_names_much_of_both() -> None:
    assert len(IMPORTS) > 30
    assert len(ABSENT) > 10
    assert "doorkey.jose.JsonWebSignature.serialize" in ABSENT, "a method is looked for in its class"
    assert pkgutil.resolve_name("doorkey.jose.JsonWebSignature.serialize_compact")
