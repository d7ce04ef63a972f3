"""The methods of the session on requests for type checkers: those of the library, with `withhold_token`.

At run time, the methods of the session call those of requests, which pass on unknown arguments.
"""

# ruff: noqa: D102
# mypy: disable-error-code="empty-body"

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.cookiejar import CookieJar
    from typing import Any, TypeAlias, Unpack

    import requests

    from doorkey.integrations.requests_client.option_types import OptionsWithoutBody, OptionsWithoutData, RequestOptions

    Url: TypeAlias = str | bytes

    class TypedSession(requests.Session):
        """`Session` of requests with `withhold_token` in each method."""

        def request(
            self,
            method: str | bytes,
            url: Url,
            params: Any = ...,
            data: Any = ...,
            headers: Mapping[str, str | bytes | None] | None = ...,
            cookies: CookieJar | Mapping[str, str] | None = ...,
            files: Any = ...,
            auth: Any = ...,
            timeout: float | tuple[float | None, float | None] | None = ...,
            allow_redirects: bool = ...,
            proxies: Mapping[str, str] | None = ...,
            hooks: Mapping[str, Any] | None = ...,
            stream: bool | None = ...,
            verify: bool | str | None = ...,
            cert: str | tuple[str, str] | None = ...,
            json: Any = ...,
            *,
            withhold_token: bool = ...,
        ) -> requests.Response: ...

        def get(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[RequestOptions]
        ) -> requests.Response: ...
        def options(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[RequestOptions]
        ) -> requests.Response: ...
        def head(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[RequestOptions]
        ) -> requests.Response: ...
        def post(
            self,
            url: Url,
            data: Any = ...,
            json: Any = ...,
            *,
            withhold_token: bool = ...,
            **kwargs: Unpack[OptionsWithoutBody],
        ) -> requests.Response: ...
        def put(
            self, url: Url, data: Any = ..., *, withhold_token: bool = ..., **kwargs: Unpack[OptionsWithoutData]
        ) -> requests.Response: ...
        def patch(
            self, url: Url, data: Any = ..., *, withhold_token: bool = ..., **kwargs: Unpack[OptionsWithoutData]
        ) -> requests.Response: ...
        def delete(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[RequestOptions]
        ) -> requests.Response: ...
