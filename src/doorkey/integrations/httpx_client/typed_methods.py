"""The methods of the clients on httpx2 and httpx for type checkers: those of the library, with `withhold_token`.

At run time, `family` creates these methods from those of the library, and nothing imports this module.
"""

# ruff: noqa: D102
# mypy: disable-error-code="empty-body"

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from typing import TypeAlias, Unpack

    import httpx2

    from doorkey.integrations.httpx_client.option_types import BodyOptions, RequestOptions

    Url: TypeAlias = httpx2.URL | str

    class TypedClient(httpx2.Client):
        """`Client` of the library with `withhold_token` in each method."""

        def get(self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[RequestOptions]) -> httpx2.Response: ...
        def options(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[RequestOptions]
        ) -> httpx2.Response: ...
        def head(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[RequestOptions]
        ) -> httpx2.Response: ...
        def post(self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[BodyOptions]) -> httpx2.Response: ...
        def put(self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[BodyOptions]) -> httpx2.Response: ...
        def patch(self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[BodyOptions]) -> httpx2.Response: ...
        def delete(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[RequestOptions]
        ) -> httpx2.Response: ...
        def stream(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # as `family` makes it
            self, method: str, url: Url, withhold_token: bool = ..., **kwargs: Unpack[BodyOptions]
        ) -> AbstractContextManager[httpx2.Response]: ...

    class TypedAsyncClient(httpx2.AsyncClient):
        """`AsyncClient` of the library with `withhold_token` in each method."""

        async def get(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[RequestOptions]
        ) -> httpx2.Response: ...
        async def options(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[RequestOptions]
        ) -> httpx2.Response: ...
        async def head(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[RequestOptions]
        ) -> httpx2.Response: ...
        async def post(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[BodyOptions]
        ) -> httpx2.Response: ...
        async def put(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[BodyOptions]
        ) -> httpx2.Response: ...
        async def patch(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[BodyOptions]
        ) -> httpx2.Response: ...
        async def delete(
            self, url: Url, *, withhold_token: bool = ..., **kwargs: Unpack[RequestOptions]
        ) -> httpx2.Response: ...
        def stream(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # as `family` makes it
            self, method: str, url: Url, withhold_token: bool = ..., **kwargs: Unpack[BodyOptions]
        ) -> AbstractAsyncContextManager[httpx2.Response]: ...
