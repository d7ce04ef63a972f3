"""The control page of the embedded provider, for changes by a developer while an application uses the provider."""

from __future__ import annotations

from doorkey.dev.control_page.page import PATH, ControlPage

__all__ = ["PATH", "ControlPage"]
