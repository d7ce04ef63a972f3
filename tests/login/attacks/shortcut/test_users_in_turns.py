"""Two users of a `Login` interleaved 2,000 times in each framework: neither ever sees the other's page or token.

On one Python only (`tools/test.py`).
"""

from __future__ import annotations

from doorkey.wire.strict_json import parse_object
from tests.login.attacks.shortcut.conftest import JSON, SID, Shortcut
from tests.support.hostile_server import Exchange, Whole, reply

TURNS = 2_000
API_TURNS = 200
"""So many of them call an API with the user's token."""


def echo(exchange: Exchange) -> None:
    """Answer with the token of the request."""
    exchange.send(reply(json={"token": exchange.request.token}))


def test_two_users_interleaved_2000_times_never_see_each_other(shortcut: Shortcut) -> None:
    shortcut.provider.server.on("/api", Whole(echo))
    browsers, tokens = [shortcut.browser(), shortcut.browser()], list[str]()
    urls = [shortcut.begin(browser) for browser in browsers]
    for name, browser, url in zip(("alice", "bob"), browsers, urls, strict=True):
        shortcut.provider.server.on("/userinfo", reply(json={"sub": name}))
        shortcut.provider.changed = {"sub": name, "sid": f"{SID}-{name}"}
        assert shortcut.finish(browser, url).status == 303
        tokens.append(browser.get("/api", JSON).text)
    assert tokens[0] != tokens[1]
    pages, called = [set[str](), set[str]()], [set[str](), set[str]()]
    for turn in range(TURNS):
        browser = browsers[turn % 2]
        if turn < API_TURNS:
            called[turn % 2].add(browser.get("/api", JSON).text)
        else:
            pages[turn % 2].add(browser.get("/open", JSON).text)
    assert called == [{token} for token in tokens]
    assert [[parse_object(page.encode())["sub"] for page in of_user] for of_user in pages] == [["alice"], ["bob"]]
