"""A session that is derived from another one: the same client at the same server, for another user."""

from typing import Any

from doorkey.sessions.siblings import sibling_of
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Hostile, reply, token


def test_a_sibling_has_the_hooks_of_its_origin_and_may_have_more(adapter: Adapter, hostile: Hostile) -> None:
    seen: list[str] = []
    hostile.on("/token", token(refresh_token="rt-1"))

    def noted(name: str) -> Any:
        def hook(response: Any) -> Any:
            seen.append(name)
            return response

        return hook

    origin = adapter.client(token_endpoint=hostile.url("/token")).native
    origin.register_compliance_hook("access_token_response", noted("of all"))
    one, other = (adapter.adopt(sibling_of(origin)) for _ in range(2))
    one.native.register_compliance_hook("access_token_response", noted("of one"))
    one.fetch_token(grant_type="client_credentials")
    assert seen == ["of all", "of one"]
    other.fetch_token(grant_type="client_credentials")
    assert seen == ["of all", "of one", "of all"]


def test_a_sibling_has_the_client_authentication_of_its_origin(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())

    def signed(client: Any, method: str, uri: str, headers: Any, body: Any) -> tuple[str, Any, Any]:
        return uri, {**headers, "X-Signed": "yes"}, body

    options = {"token_endpoint": hostile.url("/token"), "token_endpoint_auth_method": "own"}
    origin = adapter.client("c", "s", **options).native
    origin.register_client_auth_method(("own", signed))
    adapter.adopt(sibling_of(origin)).fetch_token(grant_type="client_credentials")
    assert hostile.received[-1].header("x-signed") == "yes"


def test_a_sibling_has_its_own_token_and_options(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/api", reply(200, "fine"))
    origin = adapter.client("c", scope="a", token={"access_token": "of-origin", "token_type": "Bearer"}).native
    sibling = adapter.adopt(sibling_of(origin, {"access_token": "of-sibling", "token_type": "Bearer"}, {"scope": "b"}))
    assert sibling.get(hostile.url("/api")).text == "fine"
    assert hostile.received[-1].token == "of-sibling"
    assert (origin.token["access_token"], origin.scope, sibling.native.scope) == ("of-origin", "a", "b")
    sibling.native.scope = "c"
    assert origin.scope == "a"
