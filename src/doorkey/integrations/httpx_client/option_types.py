"""The keyword options of the clients on httpx2 and httpx as types (PEP 692), for type checkers and editors."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypedDict, TypeVar

from doorkey.sessions.option_types import AssertionOptions, KeyFileOptions, SharedOptions

if TYPE_CHECKING:
    import httpx2

TransportT = TypeVar("TransportT")

ParamPairs: TypeAlias = "list[tuple[str, Any]] | tuple[tuple[str, Any], ...]"
Params: TypeAlias = "httpx2.QueryParams | Mapping[str, Any] | ParamPairs | str | bytes | None"
HeaderPairs: TypeAlias = "Sequence[tuple[str, str]] | Sequence[tuple[bytes, bytes]]"
Headers: TypeAlias = "httpx2.Headers | Mapping[str, str] | Mapping[bytes, bytes] | HeaderPairs | None"
Cookies: TypeAlias = "httpx2.Cookies | CookieJar | dict[str, str] | list[tuple[str, str]] | None"
Timeout: TypeAlias = "httpx2.Timeout | float | tuple[float | None, float | None, float | None, float | None] | None"


class ClientSettings(TypedDict, Generic[TransportT], total=False):
    """The options of the HTTP library's client, except `auth`."""

    base_url: httpx2.URL | str
    cert: str | tuple[str, str] | tuple[str, str, str] | None
    cookies: Cookies
    default_encoding: str | Callable[[bytes], str]
    event_hooks: Mapping[str, list[Callable[..., Any]]] | None
    follow_redirects: bool
    headers: Headers
    http1: bool
    http2: bool
    limits: httpx2.Limits
    max_redirects: int
    mounts: Mapping[str, TransportT | None] | None
    params: Params
    proxy: httpx2.Proxy | httpx2.URL | str | None
    timeout: Timeout
    transport: TransportT | None
    trust_env: bool
    verify: ssl.SSLContext | str | bool


class ClientOptions(SharedOptions, ClientSettings[TransportT], Generic[TransportT], total=False):
    """The options of `OAuth2Client` and `AsyncOAuth2Client`."""

    state: str | None


class AssertionClientOptions(AssertionOptions, ClientSettings[TransportT], Generic[TransportT], total=False):
    """The options of `AssertionClient` and `AsyncAssertionClient`."""


class KeyFileClientOptions(KeyFileOptions, ClientSettings[TransportT], Generic[TransportT], total=False):
    """The options of `from_file` of `AssertionClient` and `AsyncAssertionClient`."""


class RequestOptions(TypedDict, total=False):
    """The options of a request without a body."""

    auth: Any
    cookies: Cookies
    extensions: Mapping[str, Any] | None
    follow_redirects: Any
    headers: Headers
    params: Params
    timeout: Any


class BodyOptions(RequestOptions, total=False):
    """The options of a request that may have a body."""

    content: str | bytes | Iterable[bytes] | AsyncIterable[bytes] | None
    data: Mapping[str, Any] | None
    files: Any
    json: Any
