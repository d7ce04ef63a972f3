"""Names of a package whose modules are imported when somebody asks for them (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

__all__: list[str] = []


def named(package: str, homes: Mapping[str, str], name: str) -> Any:
    """Return `name` of a `package`, from the module that `homes` says, and keep it in the package.

    Raises `AttributeError`, as Python wants of a module's `__getattr__`, for a name that is in none.
    """
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    value = vars(sys.modules[package])[name] = getattr(import_module(homes[name]), name)
    return value
