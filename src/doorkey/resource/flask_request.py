"""What is kept for the current request of a Flask application."""

from __future__ import annotations

from typing import Any, Final

from flask import g, has_app_context, has_request_context, request

__all__: list[str] = []

_KEPT: Final = "_doorkey"


def of_request() -> dict[str, Any] | None:
    """Return what is kept for the current request: in its own object, which no other request has.

    `flask.g` is that of the application context. Requests share it inside of ``with app.app_context()``, as tests have
    it, and a request that a view makes shares that of the view: the user of one would be the user of the other.

    Outside of a request, return what is kept for the application context, and None without one.
    """
    if not has_request_context() and not has_app_context():
        return None
    current: Any = request if has_request_context() else g
    attributes: dict[str, Any] = vars(current._get_current_object())
    kept: dict[str, Any] = attributes.setdefault(_KEPT, {})
    return kept
