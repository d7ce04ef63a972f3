"""A `.netrc` that names the API's host replaces no token, on the way of a redirect neither."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from anyio.from_thread import BlockingPortal

from tests.auth.test_refused import api, asking
from tests.support.every_http_library import Caller, Maker, _on_aiohttp
from tests.support.hostile_server import Hostile, echo, reply, token


@pytest.fixture(autouse=True)
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login of-the-netrc password pass-word\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))


@pytest.fixture
def trusting(portals: dict[str, BlockingPortal]) -> Iterator[Any]:
    """Makes sessions of aiohttp that trust the environment."""
    made: list[Caller] = []

    async def session(auth: Any) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(middlewares=(auth,), trust_env=True)

    def make(auth: Any) -> Caller:
        portal = portals["asyncio"]
        made.append(Caller(portal.call(session, auth), portal.call, _on_aiohttp, "close"))
        return made[-1]

    yield make
    for caller in made:
        caller.close()


def authorizations(hostile: Hostile, path: str = "/api") -> list[str | None]:
    return [request.header("authorization") for request in hostile.to(path)]


def test_the_token_follows_a_redirect_within_the_origin(caller: Maker, hostile: Hostile) -> None:
    hostile.on("/old", reply(302, headers={"Location": "/api"}))
    hostile.on("/api", reply(302, headers={"Location": "/new"}))
    hostile.on("/new", echo)
    assert caller(asking(hostile)).status(hostile.url("/old")) == 200
    assert [api(hostile, path) for path in ("/old", "/api", "/new")] == [["at-1"], ["at-1"], ["at-1"]]


def test_on_aiohttp_the_token_is_sent_in_place_of_it(trusting: Any, hostile: Hostile) -> None:
    hostile.on("/api", reply(302, headers={"Location": "/new"}))
    hostile.on("/new", reply(401, "no"), echo)
    assert trusting(asking(hostile)).status(hostile.url("/api")) == 200
    assert (api(hostile), api(hostile, "/new")) == (["at-1"], ["at-1", "at-2"])


@pytest.mark.parametrize("file", ["", "machine", "machine other.example login a password b\n"])
def test_an_account_that_no_netrc_names_is_kept(
    trusting: Any, hostile: Hostile, tmp_path: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile.on("/api", echo)
    monkeypatch.setenv("NETRC", str(tmp_path / "other"))
    if file:
        (tmp_path / "other").write_text(file)
    own = "Basic b2YtdGhlLW5ldHJjOnBhc3Mtd29yZA=="
    trusting(asking(hostile)).call(hostile.url("/api"), headers={"Authorization": own})
    assert authorizations(hostile) == [own]
    assert hostile.token_requests == []


def test_on_aiohttp_no_netrc_is_read_for_a_session_that_does_not_trust_the_environment(
    caller: Maker, hostile: Hostile
) -> None:
    hostile.on("/api", echo)
    own = "Basic b2YtdGhlLW5ldHJjOnBhc3Mtd29yZA=="
    caller(asking(hostile, token("at-1"))).call(hostile.url("/api"), headers={"Authorization": own})
    assert authorizations(hostile) == [own]
