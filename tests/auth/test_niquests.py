"""The auth object on niquests, in an environment of its own, where doorkey is what stands in this checkout."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.servers.process import Unavailable
from tests.support.hostile_server import Hostile, echo, reply, token
from tests.support.own_environment import python_with

SOURCE = Path(__file__).resolve().parents[2] / "src"
NO = reply(401)


@pytest.fixture(scope="session")
def python() -> Path:
    """Skips with the reason where the environment cannot be made, or fails where that is demanded."""
    try:
        return python_with("niquests")
    except Unavailable as error:
        text = f"niquests left out: {error}"
    if os.environ.get("DOORKEY_REQUIRE_SERVERS") == "1":
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


def test_niquests_is_served_as_requests_is(python: Path, hostile: Hostile) -> None:
    hostile.on("/token", *(token(f"at-{number}") for number in range(1, 30)))
    for path in ("form", "json", "generator", "file"):
        hostile.on(f"/{path}", NO, echo)
    hostile.on("/twice", NO)
    hostile.on("/query", NO, echo)
    hostile.on("/body", NO, echo)
    hostile.on("/redirect", reply(302, headers={"Location": hostile.url("/elsewhere", host="localhost")}))
    hostile.on("/detour", reply(302, headers={"Location": hostile.url("/away", host="localhost")}))
    hostile.on("/away", reply(302, headers={"Location": hostile.url("/chosen")}))
    hostile.on("/chosen", NO)
    done = subprocess.run(
        [
            python,
            Path(__file__).with_name("on_niquests.py"),
            hostile.token_endpoint,
            hostile.url(""),
            hostile.url("", host="localhost"),
        ],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told.pop("proxied") == [200, 200]
    (warned,) = told.pop("warned")
    assert warned.startswith(
        "RuntimeWarning: the calling client has a proxy, which the token request to http://127.0.0.1"
    )
    assert "http_client=" in warned
    assert told.pop("elsewhere").startswith("the token may not be sent to")
    assert told == {
        **dict.fromkeys(("plain", "form", "json", "redirect", "own", "static", "query", "body"), 200),
        **dict.fromkeys(("generator", "file", "twice", "detour"), 401),
    }

    def sent(path: str) -> list[str | None]:
        return [request.token for request in hostile.to(path)]

    assert sent("/plain") == ["at-1", "at-4"]
    assert sent("/form") == ["at-1", "at-2"]
    assert [request.body for request in hostile.to("/form")] == [b"a=1", b"a=1"]
    assert sent("/json") == ["at-2", "at-3"]
    assert [json.loads(request.body) for request in hostile.to("/json")] == [{"a": 1}] * 2
    assert sent("/generator") == ["at-3"]
    assert sent("/file") == ["at-4"]  # the one that was refused with the generator is forgotten
    assert sent("/twice") == ["at-4", "at-5"]
    assert sent("/redirect") == ["at-5"]
    assert sent("/elsewhere") == [None]
    assert (sent("/detour"), sent("/away"), sent("/chosen")) == (["at-5"], [None], [None])
    assert hostile.to("/own")[0].header("authorization") == "Mine 1"
    assert sent("/static") == ["static-1"]
    assert sent("/proxied") == ["at-6", "at-6"]
    assert [request.query for request in hostile.to("/query")] == [{"access_token": "at-7"}, {"access_token": "at-8"}]
    assert [request.body for request in hostile.to("/body")] == [b"a=1&access_token=at-9", b"a=1&access_token=at-10"]
    assert hostile.to("/never") == []
