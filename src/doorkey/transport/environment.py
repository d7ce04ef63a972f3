"""The settings of a session of requests for one exchange, merged with the environment by the rules of requests."""

from __future__ import annotations

import os
import urllib.request
from typing import Any, Final, cast

import requests
from requests import sessions

_CA_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def merged_settings(session: requests.Session, url: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the settings `proxies`, `verify` and `cert`: of the call's `options`, the environment, or `session`.

    requests parses the whole environment three times for that, which takes longer than all other work of a token
    request. Most environments name no proxy. Then this function merges the other settings itself.
    """
    given: dict[str, str] = options.get("proxies") or {}
    merge: Any = cast("Any", sessions).merge_setting
    own = type(session).merge_environment_settings is not requests.Session.merge_environment_settings
    if own or (session.trust_env and _may_name_a_proxy()):
        merged = session.merge_environment_settings(
            url,
            given,
            True,  # noqa: FBT003  # requests' own positional
            options.get("verify"),
            options.get("cert"),
        )
        return cast("dict[str, Any]", {**merged, "stream": True})
    verify = options.get("verify")
    if session.trust_env and (verify is True or verify is None):
        verify = next((path for name in _CA_BUNDLES if (path := os.environ.get(name))), verify)
    return {
        "proxies": merge(given, session.proxies),
        "verify": merge(verify, session.verify),
        "cert": merge(options.get("cert"), session.cert),
        "stream": True,
    }


def _may_name_a_proxy() -> bool:
    if urllib.request.getproxies is not urllib.request.getproxies_environment:  # macOS and Windows have other places
        return True
    return any(name[-6:].lower() == "_proxy" and name.lower() != "no_proxy" for name in os.environ)


def ca_variable(session: requests.Session, verify: Any, merged: Any) -> str | None:
    """Return the environment variable that contains the CA path `merged`, or None.

    requests prefers this variable to `verify` of the session, but not to the call's own `verify`, which is passed here.
    """
    if not session.trust_env or (verify is not True and verify is not None):
        return None
    name = next((one for one in _CA_BUNDLES if os.environ.get(one)), None)
    return name if name is not None and os.environ[name] == merged else None
