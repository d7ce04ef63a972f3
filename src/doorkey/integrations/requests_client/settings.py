"""The settings of a `requests.Session` as constructor options. The constructor of requests has no options."""

from __future__ import annotations

import os
import ssl
from http.cookiejar import CookieJar
from typing import Any, Final, cast

import requests

from doorkey.arguments import mapping
from doorkey.errors import UsageError
from doorkey.integrations.requests_client.context_adapter import ContextAdapter

SETTINGS: Final = frozenset(requests.Session.__attrs__)
"""The names of the settings."""

_ADDED_TO: Final = ("headers", "proxies", "hooks")


def apply_settings(session: requests.Session, given: dict[str, Any]) -> None:
    """Apply the `given` settings to `session`. Headers, cookies, proxies, hooks and adapters are added to its defaults.

    None leaves a setting unchanged. Raises `UsageError` for an invalid value, and for `auth`.
    """
    given = {name: value for name, value in given.items() if value is not None}
    if isinstance(given.get("verify"), ssl.SSLContext):
        session.mount("https://", ContextAdapter(given.pop("verify")))
    if "auth" in given:
        raise UsageError("auth= would replace the token: pass it to single requests, or use a plain session")
    for name in _ADDED_TO:
        getattr(session, name).update(mapping(given.pop(name, {}), name))
    for prefix, adapter in mapping(given.pop("adapters", {}), "adapters").items():
        session.mount(prefix, adapter)
    if not isinstance(given.get("cookies"), CookieJar):  # a cookie jar is used itself, and not copied
        jar: Any = session.cookies
        jar.update(mapping(given.pop("cookies", {}), "cookies"))
    most: object = given.get("max_redirects", 0)
    if not isinstance(most, int) or most < 0:
        raise UsageError("max_redirects must be a whole number, 0 or more")
    _check_tls(given.get("verify", True), given.get("cert"))
    for name, value in given.items():
        setattr(session, name, value)


def _check_tls(verify: object, cert: object) -> None:
    if not isinstance(verify, bool | str | os.PathLike):
        raise UsageError("verify must be True, False, the path of the CA certificates, or an ssl.SSLContext")
    paths = cast("tuple[object, ...]", cert) if isinstance(cert, tuple) else (cert,)
    if len(paths) > 2 or not all(path is None or isinstance(path, str | os.PathLike) for path in paths):
        raise UsageError("cert must be the path of a client certificate, or a pair of that and the path of its key")
