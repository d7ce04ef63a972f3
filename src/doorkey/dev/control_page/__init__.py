"""The control page of the embedded provider: what a developer changes while an application runs against it."""

from __future__ import annotations

from doorkey.dev.control_page.page import PATH, ControlPage

__all__ = ["PATH", "ControlPage"]
