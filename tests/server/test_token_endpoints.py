"""The endpoints that take or tell of a token: introspection, revocation, userinfo; and the published documents."""

import json
from dataclasses import replace

import pytest

from doorkey.server.endpoints.discovery import discovery
from doorkey.server.endpoints.introspect import introspect
from doorkey.server.endpoints.jwks import jwks
from doorkey.server.endpoints.revoke import revoke
from doorkey.server.endpoints.token import token
from doorkey.server.endpoints.userinfo import userinfo
from doorkey.server.model import Settings
from doorkey.server.storage.effects import EndSession
from doorkey.wire.flow import run
from doorkey.wire.messages import FORM, Request, Response
from tests.server.world import ALICE, APP, ENDPOINTS, ISSUER, OTHER, SECRET, SPA, Answer, World

BASIC = ("app", SECRET)
OTHER_BASIC = ("other", "other-secret")


@pytest.fixture
def world() -> World:
    return World(clients=(replace(APP, audiences={"profile": "app"}), SPA, OTHER))


def introspected(world: World, text: str, basic: tuple[str, str] | None = BASIC, **more: str) -> Answer:
    return Answer.of(world.post(introspect, {"token": text, **more}, basic))


def ask_userinfo(world: World, text: str | None = None, method: str = "GET", **form: str) -> Response:
    headers = (("Authorization", f"Bearer {text}"),) if text is not None else ()
    sent = (*headers, ("Content-Type", FORM)) if form else headers
    return run(userinfo(Request(method, ENDPOINTS.userinfo, sent, tuple(form.items())), world.at), world.perform)


def test_an_access_token_is_shown_with_its_user_and_client(world: World) -> None:
    told = introspected(world, world.login().json["access_token"]).json
    assert (told["active"], told["username"], told["client_id"], told["token_type"]) == (True, "alice", "app", "Bearer")
    assert told["sub"] == ALICE.sub
    assert "gid" not in told


def test_the_user_of_a_token_is_named_though_its_claims_do_not(world: World) -> None:
    world.clients = (replace(APP, default_scopes=("email",), audiences={"email": "app"}),)
    told = introspected(world, world.login().json["access_token"]).json
    assert (told["username"], "preferred_username" in told) == ("alice", False)


def test_a_clients_own_token_is_shown_with_its_account(world: World) -> None:
    told = introspected(world, world.token({"grant_type": "client_credentials"}).json["access_token"]).json
    assert (told["username"], told["client_id"]) == ("service-account-app", "app")


def test_a_refresh_token_is_shown_to_its_client_alone(world: World) -> None:
    text = world.login().json["refresh_token"]
    told = introspected(world, text).json
    assert (told["active"], told["username"], told["token_type"]) == (True, "alice", "Refresh")
    assert "gid" not in told
    assert introspected(world, text, OTHER_BASIC).json == {"active": False}


def test_an_access_token_is_introspected_only_by_its_audience(world: World) -> None:
    text = world.login().json["access_token"]
    assert introspected(world, text, OTHER_BASIC).json == {"active": False}


def test_a_refresh_token_ends_with_its_time_its_session_and_its_grant(world: World) -> None:
    for end in ("time", "session", "grant", "user"):
        fresh = replace(world, users=(ALICE,))
        tokens = fresh.login().json
        match end:
            case "time":
                fresh.advance(1800)
            case "session":
                fresh.perform(EndSession(tokens["session_state"]))
            case "grant":
                fresh.revoke(tokens["refresh_token"])
            case _:
                fresh.users = ()
        active = introspected(fresh, tokens["refresh_token"]).json["active"]
        assert active is (end == "user")  # the removed user is noticed when the token is used
        assert fresh.refresh(tokens["refresh_token"]).problem == (400, "invalid_grant")


def test_a_refresh_token_that_is_expired_is_refused_though_its_session_goes_on(world: World) -> None:
    old = world.login().json["refresh_token"]
    world.advance(1000)
    assert world.refresh(old).status == 200  # the session goes on until 2800
    world.advance(900)
    assert introspected(world, old).json == {"active": False}
    assert world.refresh(old).json["error_description"] == "Token is not active"


def test_a_rotated_refresh_token_is_no_longer_active() -> None:
    world = World(Settings(rotate_refresh_tokens=True), (APP,))
    first = world.login().json["refresh_token"]
    second = world.refresh(first).json["refresh_token"]
    assert introspected(world, first).json == {"active": False}
    assert introspected(world, second).json["active"] is True


def test_only_an_authenticated_client_may_introspect(world: World) -> None:
    text = world.login().json["access_token"]
    public = introspected(world, text, None, client_id="spa")
    assert (public.problem, public.json["error_description"]) == ((403, "invalid_request"), "Client not allowed.")
    wrong = world.post(introspect, {"token": text}, ("app", "wrong"))
    assert (wrong.status, "authentication failed" in wrong.body.decode()) == (401, True)
    assert (wrong.header("www-authenticate") or "").startswith("Basic")
    assert introspected(world, "", BASIC).json["error_description"] == "Token not provided."
    assert introspected(world, "garbage").json == {"active": False}


def test_a_token_of_another_client_is_not_revoked(world: World) -> None:
    tokens = world.login().json
    for kind in ("access_token", "refresh_token"):
        answer = Answer.of(world.post(revoke, {"token": tokens[kind]}, OTHER_BASIC))
        assert (answer.problem, answer.json["error_description"]) == ((400, "invalid_request"), "Unmatching clients")
        assert Answer.of(world.post(revoke, {"token": tokens[kind], "client_id": "spa"})).status == 400
    assert world.is_active(tokens["access_token"])
    assert world.refresh(tokens["refresh_token"]).status == 200


def test_a_token_that_cannot_be_revoked_counts_as_revoked(world: World) -> None:
    answer = world.revoke("garbage")
    assert (answer.status, answer.json["error"]) == (200, "invalid_token")
    assert world.revoke("").json["error_description"] == "Token not provided"
    assert Answer.of(world.post(revoke, {"token": "x"}, ("app", "wrong"))).problem == (401, "unauthorized_client")


def test_revocation_answers_nothing_and_is_not_cached(world: World) -> None:
    answer = world.post(revoke, {"token": world.login().json["access_token"]}, BASIC)
    assert (answer.status, answer.body, answer.header("cache-control")) == (200, b"", "no-store")


def test_revoking_the_last_grant_of_a_session_ends_it_and_another_one_does_not(world: World) -> None:
    first = world.login().json
    assert world.revoke(first["refresh_token"]).status == 200
    assert not world.perform(EndSession(first["session_state"]))  # it has ended already


def test_userinfo_tells_what_the_scope_opens(world: World) -> None:
    answer = ask_userinfo(world, world.login().json["access_token"])
    told = json.loads(answer.body)
    assert (answer.status, told["sub"], told["email"]) == (200, ALICE.sub, "alice@example.org")
    assert answer.header("cache-control") == "no-store, no-cache"


def test_userinfo_takes_the_token_from_a_form_but_not_from_two_places(world: World) -> None:
    text = world.login().json["access_token"]
    assert ask_userinfo(world, method="POST", access_token=text).status == 200
    assert ask_userinfo(world, text, "POST", access_token=text).status == 400
    assert ask_userinfo(world, method="GET", access_token=text).status == 401


def test_userinfo_answers_a_form_that_repeats_a_parameter_with_400(world: World) -> None:
    text = world.login().json["access_token"]
    pairs = (("access_token", text), ("access_token", text))
    request = Request("POST", ENDPOINTS.userinfo, (("Content-Type", FORM),), pairs)
    assert run(userinfo(request, world.at), world.perform).status == 400


@pytest.mark.parametrize(
    ("scope", "status", "error"),
    [("profile", 403, 'error="insufficient_scope"'), (None, 401, 'Bearer realm="one"')],
)
def test_userinfo_says_in_a_challenge_why_it_refuses(world: World, scope: str | None, status: int, error: str) -> None:
    form = {"grant_type": "password", "username": "alice", "password": "wonderland", "scope": scope or ""}
    text = world.token(form).json["access_token"] if scope else None
    answer = ask_userinfo(world, text)
    assert (answer.status, answer.body, error in (answer.header("www-authenticate") or "")) == (status, b"", True)
    assert answer.header("cache-control") == "no-store"
    assert ("error=" in (answer.header("www-authenticate") or "")) is (scope is not None)


def test_userinfo_has_nothing_about_a_client_itself_and_refuses_what_is_no_token(world: World) -> None:
    own = world.token({"grant_type": "client_credentials", "scope": "openid"}).json["access_token"]
    for text in (own, "garbage"):
        answer = ask_userinfo(world, text)
        assert (answer.status, 'error="invalid_token"' in (answer.header("www-authenticate") or "")) == (401, True)


def test_a_token_request_names_a_known_grant_once(world: World) -> None:
    assert world.token({}).json["error_description"] == "Missing form parameter: grant_type"
    assert world.token({}).problem == (400, "invalid_request")
    assert world.token({"grant_type": "no-such-grant"}).problem == (400, "unsupported_grant_type")
    assert world.token((("grant_type", "password"), ("audience", "a"), ("audience", "b"))).problem == (
        400,
        "invalid_request",
    )


def test_a_body_that_is_no_form_has_no_parameters(world: World) -> None:
    request = Request("POST", ENDPOINTS.token, (("Content-Type", "text/plain"),), body=b"grant_type=password")
    assert Answer.of(run(token(request, world.at), world.perform)).problem == (400, "invalid_request")


def test_the_documents_name_the_endpoints_and_the_keys(world: World) -> None:
    request = Request("GET", ISSUER)
    document = run(discovery(request, world.at), world.perform)
    told = json.loads(document.body)
    assert (told["issuer"], document.header("cache-control")) == (ISSUER, "no-cache")
    assert [
        told[f"{name}_endpoint"] for name in ("authorization", "token", "introspection", "revocation", "userinfo")
    ] == [
        ENDPOINTS.authorization,
        ENDPOINTS.token,
        ENDPOINTS.introspection,
        ENDPOINTS.revocation,
        ENDPOINTS.userinfo,
    ]
    assert (told["jwks_uri"], told["end_session_endpoint"]) == (ENDPOINTS.jwks, ENDPOINTS.end_session)
    assert told["authorization_response_iss_parameter_supported"] is True
    for name in ("claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported"):
        assert told[name] is False
    keys = run(jwks(request, world.at), world.perform)
    assert (json.loads(keys.body), keys.header("cache-control")) == (world.at.keys.public_jwks(), "no-cache")
