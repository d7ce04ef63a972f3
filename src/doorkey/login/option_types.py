"""The keyword options of login clients, providers and logins as types (PEP 692), for type checkers and editors.

A test keeps them equal to the real options. Nothing imports this module at run time.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterable, Mapping
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, TypedDict

from doorkey.integrations.httpx_client.option_types import Cookies, Headers, Timeout
from doorkey.login.presets import Preset
from doorkey.protocol.client_identity import ClientAuthMethod
from doorkey.protocol.metadata import ServerMetadata
from doorkey.sessions.option_types import RegistrationOptions
from doorkey.sessions.options import UpdateToken
from doorkey.sources.issuer import Issuer
from doorkey.stores.protocol import AsyncStoreCalls, StoreCalls
from doorkey.values import Secret

if TYPE_CHECKING:
    import httpx2
    from requests.adapters import BaseAdapter


class HTTPSettings(TypedDict, total=False):
    """The settings of the HTTP client: those of requests, and those of httpx2 and httpx, except `base_url`.

    Only the settings of the installed or chosen library are valid, which is not known before run time.
    """

    adapters: Mapping[str, BaseAdapter] | None
    cert: str | os.PathLike[str] | tuple[str | os.PathLike[str], ...] | None
    cookies: Cookies | CookieJar | Mapping[str, str]
    default_encoding: str | Callable[[bytes], str]
    default_timeout: float | tuple[float, float] | None
    event_hooks: Mapping[str, list[Callable[..., Any]]] | None
    follow_redirects: bool
    headers: Headers | Mapping[str, str | bytes]
    hooks: Mapping[str, Any] | None
    http1: bool
    http2: bool
    limits: httpx2.Limits
    max_redirects: int | None
    mounts: Mapping[str, Any] | None
    params: Any
    proxies: Mapping[str, str] | None
    proxy: httpx2.Proxy | httpx2.URL | str | None
    stream: bool | None
    timeout: Timeout
    transport: httpx2.BaseTransport | httpx2.AsyncBaseTransport | None
    trust_env: bool | None
    verify: bool | str | os.PathLike[str] | ssl.SSLContext | None


class BaseURLSetting(TypedDict, total=False):
    """The setting of httpx2 and httpx that has the name of a parameter of `Login`."""

    base_url: httpx2.URL | str


class SharedOptions(RegistrationOptions, HTTPSettings, total=False):
    """The options of a registration that no constructor of a login has as a parameter."""

    grant_type: str | None
    leeway: float | None
    revocation_endpoint_auth_method: str | ClientAuthMethod | None
    token_endpoint_auth_method: str | ClientAuthMethod | None
    token_placement: str
    update_token: UpdateToken | None


class LoginClientOptions(SharedOptions, BaseURLSetting, total=False):
    """The options of `LoginClient` and `AsyncLoginClient`: those of `doorkey.oauth2.client.OAuth2Client`."""

    clock: Callable[[], float] | None


class ProviderOptions(SharedOptions, total=False):
    """The options of `LoginProvider` that are parameters of `LoginClient`, in addition to the shared options."""

    authorization_endpoint: str | None
    client_cls: Any
    fetch_userinfo: bool | None
    http_client: Any
    issuer: str | Issuer | None
    metadata: ServerMetadata | Mapping[str, Any] | None
    redirect_uri: str | None
    scope: str | Iterable[str] | None
    token_endpoint: str | None
    userinfo_compliance_fix: Callable[[Any, dict[str, Any]], Any] | None
    userinfo_endpoint: str | None


class LoginProviderOptions(ProviderOptions, BaseURLSetting, total=False):
    """The options of `LoginProvider`: those of `LoginClient` and `doorkey.oauth2.client.OAuth2Client`."""

    clock: Callable[[], float] | None


class LoginOptions(ProviderOptions, total=False):
    """The options of `Login`: those of `LoginProvider`, `LoginClient` and `doorkey.oauth2.client.OAuth2Client`."""

    client_id: str
    client_secret: Any
    label: str | None
    preset: str | Preset | None
    revoke_at_logout: bool


class EnvironmentOptions(LoginOptions, total=False):
    """The options of `Login.from_env` and `Login.dev`: all arguments of `Login`, except the providers."""

    after_login: str
    after_logout: str
    base_url: str | None
    clock: Callable[[], float] | None
    cookie: str
    lifetime: float
    name: str
    prefix: str
    secret: str | Secret | Iterable[str] | None
    sessions: str | StoreCalls | AsyncStoreCalls | None
