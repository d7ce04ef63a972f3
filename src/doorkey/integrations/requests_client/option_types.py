"""The keyword options of the constructors on requests as types (PEP 692), for type checkers and editors."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar
from typing import Any, TypedDict

from requests.adapters import BaseAdapter

from doorkey.sessions.option_types import AssertionOptions, KeyFileOptions, SharedOptions


class RequestsSettings(TypedDict, total=False):
    """The settings of a `requests.Session`. Headers, cookies, proxies, hooks and adapters are added to its defaults."""

    adapters: Mapping[str, BaseAdapter] | None
    cert: str | os.PathLike[str] | tuple[str | os.PathLike[str], str | os.PathLike[str]] | None
    cookies: CookieJar | Mapping[str, str] | None
    headers: Mapping[str, str | bytes] | None
    hooks: Mapping[str, Any] | None
    max_redirects: int | None
    params: Any
    proxies: Mapping[str, str] | None
    stream: bool | None
    trust_env: bool | None
    verify: bool | str | os.PathLike[str] | ssl.SSLContext | None


class OptionsWithoutBody(TypedDict, total=False):
    """The options of a request, except those of its body."""

    params: Any
    headers: Mapping[str, str | bytes | None] | None
    cookies: CookieJar | Mapping[str, str] | None
    files: Any
    auth: Any
    timeout: float | tuple[float | None, float | None] | None
    allow_redirects: bool
    proxies: Mapping[str, str] | None
    hooks: Mapping[str, Any] | None
    stream: bool | None
    verify: bool | str | None
    cert: str | tuple[str, str] | None


class OptionsWithoutData(OptionsWithoutBody, total=False):
    """The options of a request, except `data`."""

    json: Any


class RequestOptions(OptionsWithoutData, total=False):
    """The options of a request, as `requests.Session.request` takes them."""

    data: Any


class SessionOptions(SharedOptions, RequestsSettings, total=False):
    """The options of `OAuth2Session`."""


class AssertionSessionOptions(AssertionOptions, RequestsSettings, total=False):
    """The options of `AssertionSession`."""


class KeyFileSessionOptions(KeyFileOptions, RequestsSettings, total=False):
    """The options of `AssertionSession.from_file`."""

    default_timeout: float | tuple[float, float] | None
