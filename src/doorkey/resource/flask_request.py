"""The current request of a Flask application: its values, and its form within a bound."""

from __future__ import annotations

from typing import Any, Final

from flask import g, has_app_context, has_request_context, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import LimitedStream

__all__: list[str] = []

_KEPT: Final = "_doorkey"


def of_request() -> dict[str, Any] | None:
    """Return the dictionary of values of the current request. It is an attribute of the request object.

    `flask.g` belongs to the application context. Requests within ``with app.app_context()``, as in tests, share it, and
    so do a view and a request that it makes: the user of one request would be the user of the other.

    Outside of a request, return the dictionary of the application context, and None without one.
    """
    if not has_request_context() and not has_app_context():
        return None
    current: Any = request if has_request_context() else g
    owner: object = current._get_current_object()
    if not hasattr(owner, _KEPT):
        setattr(owner, _KEPT, {})
    kept: dict[str, Any] = getattr(owner, _KEPT)
    return kept


def bounded_form(most: int) -> Any:
    """Return the posted form of the current request. Raises `RequestEntityTooLarge`, and other errors of Werkzeug.

    Werkzeug reads a form-encoded body whole, whatever its length is. The program may have read it before, and may do
    so afterwards.

    most: bytes of the body.
    """
    current: Any = request
    length = request.content_length
    if length is not None and length > most:
        raise RequestEntityTooLarge
    if length is None and "stream" not in vars(current._get_current_object()):  # chunked, and nothing has read it
        request.environ["wsgi.input"] = LimitedStream(request.environ["wsgi.input"], most + 1, is_max=True)
    return request.form
