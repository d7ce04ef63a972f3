"""Names of a package whose modules are imported on first use (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from doorkey.runtime.absent import absent

__all__: list[str] = []


def lazy_name(package: str, modules: Mapping[str, str], name: str) -> Any:
    """Import `name` of a `package` from its module in `modules`, store it in the package, and return it.

    For a name that is not in `modules`, raises `AttributeError`, as Python requires of a module's `__getattr__`, or
    `ImportError` if it is a name of Authlib. Raises `MissingLibraryError` if the module needs an optional library that
    is not installed.
    """
    if name not in modules:
        raise absent(package, name)
    try:
        module = import_module(modules[name])
    except ModuleNotFoundError as error:
        from doorkey.runtime.extras import explained

        raise explained(error, package) from None
    value = vars(sys.modules[package])[name] = getattr(module, name)
    return value
