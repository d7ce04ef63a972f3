"""The current request of a Flask application: doorkey's values for it, and its form with a size limit."""

from __future__ import annotations

from typing import Any, Final

from flask import g, has_app_context, has_request_context, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import LimitedStream

__all__: list[str] = []

_KEPT: Final = "_doorkey"


def request_values() -> dict[str, Any] | None:
    """Return doorkey's dictionary of values for the current request, which is an attribute of the request object.

    `flask.g` is not used, because it belongs to the application context. Requests within ``with app.app_context()``, as
    in tests, share it, and so do a view and a request that the view makes. The user of one request would then be the
    user of the other.

    Outside of a request, return the dictionary of the application context, or None without an application context.
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

    most: the maximum length of the body in bytes. Werkzeug itself reads a form-encoded body of any length.

    The program may read the form before this call or after it.
    """
    current: Any = request
    length = request.content_length
    if length is not None and length > most:
        raise RequestEntityTooLarge
    if length is None and "stream" not in vars(current._get_current_object()):  # chunked, and not read yet
        request.environ["wsgi.input"] = LimitedStream(request.environ["wsgi.input"], most + 1, is_max=True)
    return request.form
