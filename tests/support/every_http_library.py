"""Every HTTP library that takes an auth object, behind one call, so that a test is written once."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
import httpx2
import requests
from anyio.from_thread import BlockingPortal

from tests.support.every_source import TLS


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """A request: one of `content` (bytes or text), `form`, `json`, `chunks`, `file` and `multipart` is its body."""

    url: str
    method: str = "GET"
    headers: dict[str, str] | None = None
    content: Any = None
    form: dict[str, str] | None = None
    json: Any = None
    chunks: list[bytes] | None = None
    file: bytes | None = None
    multipart: bytes | None = None
    follow: bool = True


class Caller:
    """A session of one library that has the auth object; `call` blocks, on asynchronous libraries too."""

    def __init__(self, session: Any, run: Callable[..., Any], send: Callable[[Any, Sent], Any], close: str) -> None:
        self.session = session
        self._run, self._send, self._close = run, send, close

    def call(self, url: str, method: str = "GET", **options: Any) -> Answer:
        answer: Answer = self._run(self._send, self.session, Sent(url, method, **options))
        return answer

    def status(self, url: str, method: str = "GET", **options: Any) -> int:
        return self.call(url, method, **options).status

    def close(self) -> None:
        self._run(getattr(self.session, self._close))


def _on_requests(session: requests.Session, sent: Sent) -> Answer:
    data: Any = sent.content if sent.content is not None else sent.form
    if sent.chunks is not None:
        data = iter(sent.chunks)
    if sent.file is not None:
        data = io.BytesIO(sent.file)
    files = None if sent.multipart is None else {"part": io.BytesIO(sent.multipart)}
    answer = session.request(
        sent.method, sent.url, headers=sent.headers, data=data, json=sent.json, files=files, allow_redirects=sent.follow
    )
    return Answer(answer.status_code, answer.content)


def _body_on_httpx(sent: Sent, chunks: Any) -> dict[str, Any]:
    body = {"content": sent.content, "data": sent.form, "json": sent.json}
    if sent.chunks is not None:
        body["content"] = chunks(sent.chunks)
    if sent.file is not None:
        body["content"] = chunks([sent.file])  # a file is read in pieces too, and asynchronous clients refuse one
    if sent.multipart is not None:
        body["files"] = {"part": io.BytesIO(sent.multipart)}
    return {name: value for name, value in body.items() if value is not None}


def _on_httpx(session: Any, sent: Sent) -> Answer:
    body = _body_on_httpx(sent, iter)
    answer = session.request(sent.method, sent.url, headers=sent.headers, follow_redirects=sent.follow, **body)
    return Answer(answer.status_code, answer.content)


async def _achunks(chunks: list[bytes]) -> Any:
    for chunk in chunks:
        yield chunk


async def _on_async_httpx(session: Any, sent: Sent) -> Answer:
    body = _body_on_httpx(sent, _achunks)
    answer = await session.request(sent.method, sent.url, headers=sent.headers, follow_redirects=sent.follow, **body)
    return Answer(answer.status_code, answer.content)


async def _on_aiohttp(session: Any, sent: Sent) -> Answer:
    data: Any = sent.content if sent.content is not None else sent.form
    if sent.chunks is not None:
        data = _achunks(sent.chunks)
    if sent.file is not None:
        data = io.BytesIO(sent.file)
    if sent.multipart is not None:
        data = aiohttp.FormData()
        data.add_field("part", io.BytesIO(sent.multipart), filename="part")
    async with session.request(
        sent.method, sent.url, headers=sent.headers, data=data, json=sent.json, allow_redirects=sent.follow
    ) as answer:
        return Answer(answer.status, await answer.read())


def _requests(auth: Any) -> requests.Session:
    session = requests.Session()
    session.auth = auth
    return session


async def _aiohttp(auth: Any) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(middlewares=(auth,), auto_decompress=True)


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    backend: str | None
    make: Callable[[Any], Any]
    send: Callable[[Any, Sent], Any]
    close: str = "close"


def _httpx_kind(name: str, client: Any, backend: str | None) -> Kind:
    if backend is None:
        return Kind(name, None, lambda auth: client(auth=auth, verify=TLS), _on_httpx)
    return Kind(name, backend, lambda auth: client(auth=auth, verify=TLS), _on_async_httpx, "aclose")


KINDS = {
    kind.name: kind
    for kind in (
        Kind("requests", None, _requests, _on_requests),
        _httpx_kind("httpx2", httpx2.Client, None),
        _httpx_kind("httpx", httpx.Client, None),
        _httpx_kind("httpx2-asyncio", httpx2.AsyncClient, "asyncio"),
        _httpx_kind("httpx2-trio", httpx2.AsyncClient, "trio"),
        _httpx_kind("httpx-asyncio", httpx.AsyncClient, "asyncio"),
        Kind("aiohttp", "asyncio", _aiohttp, _on_aiohttp),
    )
}
WITHOUT_AIOHTTP = [name for name in KINDS if name != "aiohttp"]


class Maker:
    """Makes callers of one kind, and closes them after the test."""

    def __init__(self, kind: Kind, portal: BlockingPortal | None) -> None:
        self.kind, self._portal = kind, portal
        self._made: list[Caller] = []

    @property
    def is_async(self) -> bool:
        return self.kind.backend is not None

    def __call__(self, auth: Any) -> Caller:
        session = self.run(self.kind.make, auth)
        self._made.append(Caller(session, self.run, self.kind.send, self.kind.close))
        return self._made[-1]

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        if self._portal is None:
            return function(*args)
        return self._portal.call(function, *args)

    def close(self) -> None:
        for caller in self._made:
            caller.close()


def makers(kinds: dict[str, Kind], portals: dict[str, BlockingPortal], name: str) -> Iterator[Maker]:
    kind = kinds[name]
    maker = Maker(kind, portals[kind.backend] if kind.backend else None)
    yield maker
    maker.close()
