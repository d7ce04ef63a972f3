"""What every framework's guard does with the same requests (RFC 6750 §3, RFC 9470, RFC 9728)."""

from __future__ import annotations

import httpx2
import pytest

from doorkey.resource import ProtectedResource
from tests.resource.frameworks.conftest import Make
from tests.support.fake_clock import START
from tests.support.framework_requests import Call, bearer
from tests.support.guarded_apis import Api
from tests.support.resource_server import API, ASKING, ISSUER, OTHER_KEY, Server, token

METADATA = "/.well-known/oauth-protected-resource"
NAMED = f'resource_metadata="{API}{METADATA}"'


def test_a_request_with_a_good_token_reaches_the_endpoint(api: Api) -> None:
    for path in ("/any", "/orders", "/optional"):
        answer = api(bearer(token(), path=path))
        assert (answer.status, answer.json) == (200, {"sub": "alice"})


REJECTED: list[tuple[str, Call, int, str]] = [
    ("no token", Call("/any"), 401, f'Bearer realm="orders", {NAMED}'),
    ("no token, with a scope", Call("/orders"), 401, f'Bearer realm="orders", scope="orders:read", {NAMED}'),
    (
        "another scheme",
        Call("/any", headers=(("Authorization", "Basic YTpi"),)),
        401,
        f'Bearer realm="orders", {NAMED}',
    ),
    (
        "a token of another key",
        bearer(token(OTHER_KEY), path="/any"),
        401,
        'Bearer realm="orders", error="invalid_token", error_description="',
    ),
    ("an expired token", bearer(token(exp=int(START) - 100), path="/any"), 401, 'error="invalid_token"'),
    ("a token for another API", bearer(token(aud="https://x.example"), path="/any"), 401, "aud does not contain"),
    ("an ID token", bearer(token(typ="JWT", nonce="n"), path="/any"), 401, 'error="invalid_token"'),
    ("no JWT", bearer("opaque", path="/any"), 401, 'error="invalid_token"'),
    ("a token of another issuer", bearer(token(issuer="https://evil.example"), path="/any"), 401, "invalid_token"),
    ("a token bound to a certificate", bearer(token(cnf={"x5t#S256": "x"}), path="/any"), 401, "invalid_token"),
    ("a token bound to a key", bearer(token(cnf={"jkt": "x"}), path="/any"), 401, 'error="invalid_token"'),
    ("a DPoP token", Call("/any", headers=(("Authorization", f"DPoP {token()}"),)), 401, 'error="invalid_token"'),
    ("too few scopes", bearer(token(), path="/both"), 403, 'error="insufficient_scope"'),
    ("a missing claim", bearer(token(), path="/admin"), 403, 'error="insufficient_scope"'),
    (
        "a weak login",
        bearer(token(acr="pwd", auth_time=int(START)), path="/fresh"),
        401,
        'error="insufficient_user_authentication"',
    ),
    ("an old login", bearer(token(acr="mfa", auth_time=int(START) - 4000), path="/fresh"), 401, 'max_age="600"'),
    ("a token in the query", Call("/any", query=f"access_token={token()}"), 400, 'error="invalid_request"'),
    ("a token in two places", bearer(token(), path="/any", query="access_token=x"), 400, 'error="invalid_request"'),
    (
        "two tokens",
        Call("/any", headers=(("Authorization", f"Bearer {token()}"), ("Authorization", f"Bearer {token()}"))),
        400,
        'error="invalid_request"',
    ),
    ("an empty token", Call("/any", headers=(("Authorization", "Bearer "),)), 400, 'error="invalid_request"'),
    ("bytes that are no text", Call("/any", headers=(("Authorization", "Bearer \xff\xfe"),)), 400, "invalid_request"),
    ("a wrong token where none is needed", bearer("x", path="/optional"), 401, 'error="invalid_token"'),
    ("HEAD", Call("/any", "HEAD"), 401, "Bearer"),
]


@pytest.mark.parametrize(("call", "status", "challenge"), [case[1:] for case in REJECTED], ids=[c[0] for c in REJECTED])
def test_a_rejected_request_gets_the_status_and_the_challenge(
    api: Api, call: Call, status: int, challenge: str
) -> None:
    answer = api(call)
    assert answer.status == status
    assert challenge in (answer.challenge or "")
    assert (answer.challenge or "").startswith('Bearer realm="orders"')
    assert (answer.challenge or "").endswith(NAMED)


def test_the_body_of_a_rejection_is_json_and_has_the_error(api: Api) -> None:
    answer = api(bearer(token(), path="/both"))
    assert answer.all("content-type") == ["application/json"]
    body = answer.json.get("detail", answer.json)  # FastAPI's own errors have their members there
    assert body["error"] == "insufficient_scope"
    assert 'scope="orders:read orders:write"' in (answer.challenge or "")


def test_an_endpoint_that_needs_no_token_gets_none(api: Api) -> None:
    answer = api(Call("/optional"))
    assert (answer.status, answer.json) == (200, {"sub": None})


def test_claims_and_logins_that_suffice_are_accepted(api: Api) -> None:
    assert api(bearer(token(role=["user", "admin"]), path="/admin")).status == 200
    assert api(bearer(token(acr="mfa", auth_time=int(START) - 60), path="/fresh")).status == 200
    assert api(bearer(token(scope="orders:write orders:read"), path="/both")).status == 200


def test_a_server_that_does_not_respond_is_503_without_a_challenge(make: Make, server: Server) -> None:
    server.instead["/introspect"] = lambda _: httpx2.Response(503, headers={"Retry-After": "7"})
    answer = make({"introspection": ASKING})(bearer("opaque", path="/any"))
    assert answer.status == 503
    assert answer.challenge is None
    assert answer.all("retry-after") == ["7"]
    assert "opaque" not in answer.body.decode()


def test_an_opaque_token_is_introspected(make: Make, server: Server) -> None:
    server.tokens["opaque"] = {"active": True, "sub": "bob", "aud": API, "scope": "orders:read"}
    api = make({"introspection": ASKING})
    assert api(bearer("opaque")).json == {"sub": "bob"}
    assert api(bearer("revoked")).status == 401


def test_the_metadata_of_the_api_is_served_without_a_token(make: Make) -> None:
    resource = ProtectedResource(resource=API, authorization_servers=(ISSUER,), scopes_supported=("orders:read",))
    answer = make(resource=resource)(Call(METADATA))
    assert answer.status == 200
    assert answer.all("content-type") == ["application/json"]
    assert answer.json["resource"] == API
    assert answer.json["authorization_servers"] == [ISSUER]
    assert answer.json["scopes_supported"] == ["orders:read"]


def test_an_api_without_metadata_names_none(make: Make) -> None:
    api = make(resource=None)
    assert api(Call("/any")).challenge == "Bearer"
    assert api(Call(METADATA)).status in (401, 404)


def test_a_token_in_the_query_is_accepted_on_request(make: Make) -> None:
    api = make(token_in_query=True)
    assert api(Call("/orders", query=f"x=1&access_token={token()}")).status == 200
    assert api(bearer(token(), query=f"access_token={token()}")).status == 400


def test_two_guards_of_one_program_do_not_accept_the_tokens_of_each_other(make: Make) -> None:
    ours, theirs = make(), make({"issuer": "https://other.example", "audience": "https://theirs.example"})
    mine, other = token(), token(issuer="https://other.example", aud="https://theirs.example")
    assert [ours(bearer(mine)).status, theirs(bearer(other)).status] == [200, 200]
    assert [ours(bearer(other)).status, theirs(bearer(mine)).status] == [401, 401]


def test_keys_are_fetched_once_for_all_requests(make: Make, server: Server) -> None:
    api = make()
    for subject in ("alice", "bob", "carol"):
        assert api(bearer(token(sub=subject))).json == {"sub": subject}
    assert server.paths.count("/jwks_uri") == 1


def test_a_wrong_option_is_a_usage_error(make: Make) -> None:
    with pytest.raises(ValueError, match="client_certificate"):
        make(client_certificate="yes")
