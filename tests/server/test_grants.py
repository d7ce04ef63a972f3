from dataclasses import replace

import pytest

from doorkey.jose.keys import import_key
from doorkey.jose.verification import unsafe_claims, verify
from doorkey.server.endpoints.login import LoggedIn, LoginNeeded
from doorkey.server.model import Settings
from doorkey.server.sessions import change_session
from doorkey.server.storage.effects import EndSession
from doorkey.wire.flow import run
from tests.server.world import APP, CALLBACK, OTHER, SECRET, SPA, VERIFIER, World, callback

ROTATING = Settings(rotate_refresh_tokens=True)


@pytest.fixture
def world() -> World:
    return World()


def test_tokens_are_signed_by_the_published_key_and_say_what_they_are(world: World) -> None:
    tokens = world.login().json
    keys = world.at.keys.public_jwks()
    access = verify(tokens["access_token"], keys, algorithms=["RS256"]).claims
    identity = verify(tokens["id_token"], keys, algorithms=["RS256"]).claims
    assert (access["typ"], identity["typ"]) == ("Bearer", "ID")
    assert access["iss"] == identity["iss"] == world.at.issuer
    assert (identity["aud"], identity["sub"]) == ("app", "sub-of-alice")
    assert access["exp"] - access["iat"] == tokens["expires_in"] == 60


def test_the_published_keys_are_public_and_large_enough(world: World) -> None:
    keys = world.at.keys.public_jwks()["keys"]
    members = {"RS256": {"n", "e"}, "ES256": {"crv", "x", "y"}, "EdDSA": {"crv", "x"}}
    assert {jwk["alg"]: set(jwk) - {"kty", "kid", "use", "alg"} for jwk in keys} == members
    for jwk in keys:
        import_key(jwk).check(jwk["alg"], "verify")


def test_an_access_token_is_active_until_it_expires(world: World) -> None:
    world.clients = (replace(APP, audiences={"profile": "app"}),)
    token = world.login().json["access_token"]
    world.advance(59)
    assert world.is_active(token)
    world.advance(1)
    assert not world.is_active(token)


def test_no_kind_of_token_is_taken_for_another(world: World) -> None:
    world.clients = (replace(APP, audiences={"profile": "app"}),)
    tokens = world.login().json
    assert world.refresh(tokens["access_token"]).problem == (400, "invalid_grant")
    assert world.refresh(tokens["id_token"]).problem == (400, "invalid_grant")
    assert not world.is_active(tokens["id_token"])


def test_a_client_gets_a_token_for_itself_without_a_refresh_token(world: World) -> None:
    answer = world.token({"grant_type": "client_credentials"})
    assert answer.status == 200
    assert "refresh_token" not in answer.json
    assert "sid" not in unsafe_claims(answer.json["access_token"])


def test_only_registered_scopes_are_granted(world: World) -> None:
    form = {"grant_type": "client_credentials", "scope": "openid admin"}
    assert world.token(form).problem == (400, "invalid_scope")
    assert world.token({**form, "scope": 'quo"te'}).problem == (400, "invalid_scope")


def test_a_grant_that_is_not_registered_is_refused(world: World) -> None:
    world.clients = (replace(APP, grants=frozenset()),)
    assert world.login().problem == (400, "unauthorized_client")
    assert world.token({"grant_type": "client_credentials"}).problem == (401, "unauthorized_client")
    assert world.token({"grant_type": "authorization_code", "code": "x"}).problem == (400, "unauthorized_client")


def test_a_refresh_token_works_until_the_session_is_idle_too_long(world: World) -> None:
    tokens = world.login().json
    world.advance(1799)
    again = world.refresh(tokens["refresh_token"])
    assert again.status == 200
    world.advance(1799)
    assert world.refresh(again.json["refresh_token"]).status == 200
    world.advance(1800)
    assert world.refresh(again.json["refresh_token"]).problem == (400, "invalid_grant")


def test_a_session_ends_at_its_limit_however_busy(world: World) -> None:
    answer = world.login()
    for _ in range(20):
        world.advance(1700)
        answer = world.refresh(answer.json["refresh_token"])
    token = answer.json["refresh_token"]
    assert world.now < 1_800_000_000 + 36_000
    assert answer.json["refresh_expires_in"] == 1800  # idle, before the 2000 that are left
    world.advance(1700)
    assert world.refresh(token).json["refresh_expires_in"] == 300
    world.advance(300)
    assert world.refresh(token).problem == (400, "invalid_grant")


def test_a_removed_session_says_so(world: World) -> None:
    tokens = world.login().json
    assert world.perform(EndSession(tokens["session_state"]))
    answer = world.refresh(tokens["refresh_token"])
    assert (answer.status, answer.json["error_description"]) == (400, "Session not active")


def test_a_refresh_token_is_bound_to_its_client(world: World) -> None:
    assert world.refresh(world.login().json["refresh_token"], ("other", "other-secret")).status == 400


def test_without_rotation_a_refresh_token_works_again(world: World) -> None:
    token = world.login().json["refresh_token"]
    assert [world.refresh(token).status for _ in range(3)] == [200, 200, 200]


def test_with_rotation_a_refresh_token_works_once_and_its_reuse_ends_the_grant() -> None:
    world = World(ROTATING)
    first = world.login().json["refresh_token"]
    second = world.refresh(first).json["refresh_token"]
    third = world.refresh(second).json["refresh_token"]
    stolen = world.refresh(first)
    assert stolen.json["error_description"] == "Maximum allowed refresh token reuse exceeded"
    assert world.refresh(third).problem == (400, "invalid_grant")


def test_refresh_gives_at_most_what_was_granted(world: World) -> None:
    token = world.login().json["refresh_token"]
    narrow = world.token({"grant_type": "refresh_token", "refresh_token": token, "scope": "email"})
    assert set(narrow.json["scope"].split()) == {"email", "profile"}
    wide = world.token({"grant_type": "refresh_token", "refresh_token": token, "scope": "openid phone"})
    assert "phone" not in wide.json["scope"]


def test_revoking_a_refresh_token_ends_everything_it_gave(world: World) -> None:
    world.clients = (replace(APP, audiences={"profile": "app"}),)
    tokens = world.login().json
    assert world.revoke(tokens["refresh_token"]).status == 200
    assert world.refresh(tokens["refresh_token"]).problem == (400, "invalid_grant")
    assert not world.is_active(tokens["access_token"])


def test_revoking_an_access_token_ends_only_that_one(world: World) -> None:
    world.clients = (replace(APP, audiences={"profile": "app"}),)
    tokens = world.login().json
    assert world.revoke(tokens["access_token"]).status == 200
    assert not world.is_active(tokens["access_token"])
    assert world.is_active(world.refresh(tokens["refresh_token"]).json["access_token"])


def test_a_client_looks_only_into_tokens_that_are_meant_for_it(world: World) -> None:
    world.clients = (replace(APP, audiences={"profile": "app"}), OTHER)
    token = world.login().json["access_token"]
    assert world.is_active(token)
    assert not world.is_active(token, ("other", "other-secret"))


def test_a_code_gives_tokens_only_with_the_verifier(world: World) -> None:
    answer = world.exchange(world.code())
    assert answer.status == 200
    assert unsafe_claims(answer.json["id_token"])["nonce"] == "a-nonce"


def test_a_code_works_once_and_its_replay_revokes_what_it_gave(world: World) -> None:
    world.clients = (SPA, replace(APP, client_id="app"))
    code = world.code()
    tokens = world.exchange(code).json
    assert world.exchange(code).problem == (400, "invalid_grant")
    assert world.refresh_public(tokens["refresh_token"]).problem == (400, "invalid_grant")


def test_a_replay_long_after_still_revokes(world: World) -> None:
    code = world.code()
    tokens = world.exchange(code).json
    world.advance(1000)
    assert world.exchange(code).problem == (400, "invalid_grant")
    assert world.refresh_public(tokens["refresh_token"]).problem == (400, "invalid_grant")


def test_a_code_lives_sixty_seconds_at_most(world: World) -> None:
    assert Settings().code_lifetime <= 60
    code = world.code()
    world.advance(60)
    assert world.exchange(code).problem == (400, "invalid_grant")


@pytest.mark.parametrize(
    "wrong",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"code_verifier": "short"},
        {"redirect_uri": "https://app.example/cb"},
        {"redirect_uri": ""},
    ],
)
def test_a_code_is_used_up_by_a_wrong_exchange(world: World, wrong: dict[str, str]) -> None:
    code = world.code()
    assert world.exchange(code, **wrong).problem == (400, "invalid_grant")
    assert world.exchange(code).problem == (400, "invalid_grant")


def test_a_replay_is_refused_as_an_invalid_code(world: World) -> None:
    code = world.code()
    world.exchange(code)
    assert world.exchange(code).json["error_description"] == "Code not valid"
    assert world.exchange("no-such-code").json["error_description"] == "Code not valid"
    assert world.exchange("").problem == (400, "invalid_request")


@pytest.mark.parametrize("gone", ["session", "grant", "user"])
def test_a_code_whose_session_grant_or_user_is_gone_gives_nothing(world: World, gone: str) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    done = world.fill_in(needed)
    assert isinstance(done, LoggedIn)
    brought = callback(done.response)
    if gone == "session":
        assert world.perform(EndSession(brought["session_state"]))
    elif gone == "grant":
        change = change_session(brought["session_state"], lambda session: replace(session, grants=()))
        assert run(change, world.perform) is not None
    else:
        world.users = ()
    answer = world.exchange(brought["code"])
    assert (answer.status, answer.json["error_description"]) == (400, "Session not active")


def test_a_redirect_uri_that_the_request_omitted_may_be_omitted_of_the_exchange_too(world: World) -> None:
    assert world.exchange(world.code(redirect_uri=None), redirect_uri="").status == 200
    assert world.exchange(world.code(redirect_uri=None)).status == 200
    wrong = world.exchange(world.code(redirect_uri=None), redirect_uri="https://app.example/other")
    assert wrong.json["error_description"] == "Incorrect redirect_uri"
    assert world.exchange(world.code(), redirect_uri="").json["error_description"] == "Incorrect redirect_uri"


@pytest.mark.parametrize(
    ("verifier", "description"),
    [
        ("w" * 43, "PKCE verification failed: Code mismatch"),
        ("", "PKCE code verifier not specified"),
        ("short", "PKCE verification failed: Invalid code verifier"),
    ],
)
def test_a_refused_verifier_is_described(world: World, verifier: str, description: str) -> None:
    assert world.exchange(world.code(), code_verifier=verifier).json["error_description"] == description


def test_a_confidential_client_may_do_without_pkce(world: World) -> None:
    code = world.code(client_id="app", code_challenge=None, code_challenge_method=None)
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": code}
    assert world.token(form).status == 200


def test_a_public_client_gets_no_token_for_itself(world: World) -> None:
    public = replace(SPA, grants=frozenset({"client_credentials"}))
    world.clients = (public,)
    answer = world.token({"grant_type": "client_credentials", "client_id": "spa"}, None)
    assert (answer.problem, "Public client" in answer.json["error_description"]) == ((401, "unauthorized_client"), True)


def test_a_client_gets_an_id_token_for_itself_only_with_openid(world: World) -> None:
    form = {"grant_type": "client_credentials"}
    assert "id_token" not in world.token(form).json
    claims = unsafe_claims(world.token({**form, "scope": "openid"}).json["id_token"])
    assert claims["preferred_username"] == "service-account-app"


def test_a_token_of_a_client_names_it_and_gives_it_no_roles(world: World) -> None:
    claims = unsafe_claims(world.token({"grant_type": "client_credentials"}).json["access_token"])
    assert (claims["client_id"], claims["realm_access"], claims["email_verified"]) == ("app", {"roles": []}, False)


def test_a_password_request_without_a_name_or_a_password_is_refused(world: World) -> None:
    assert world.token({"grant_type": "password", "password": "wonderland"}).problem == (401, "invalid_request")
    assert world.token({"grant_type": "password", "username": "alice"}).problem == (400, "invalid_grant")


def test_a_code_is_bound_to_its_client(world: World) -> None:
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    assert world.token({**form, "code": world.code()}, ("app", SECRET)).problem == (400, "invalid_grant")


def test_a_code_that_another_client_presents_without_proof_stays_usable(world: World) -> None:
    code = world.code(client_id="app")
    assert world.exchange(code).problem == (400, "invalid_grant")  # by the public client `spa`
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": code, "code_verifier": VERIFIER}
    assert world.token(form).status == 200


def test_a_used_code_that_another_client_presents_without_proof_ends_no_grant(world: World) -> None:
    code = world.code(client_id="app")
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": code, "code_verifier": VERIFIER}
    tokens = world.token(form).json
    assert world.exchange(code).problem == (400, "invalid_grant")
    assert world.refresh(tokens["refresh_token"]).status == 200
    assert world.token(form).problem == (400, "invalid_grant")  # its own client's replay ends it
    assert world.refresh(tokens["refresh_token"]).problem == (400, "invalid_grant")


def test_pkce_cannot_be_taken_out_of_the_request(world: World) -> None:
    code = world.code(client_id="app", code_challenge=None, code_challenge_method=None)
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": code}
    answer = world.token({**form, "code_verifier": VERIFIER})
    assert answer.problem == (400, "invalid_grant")


def test_a_password_grant_checks_the_password(world: World) -> None:
    form = {"grant_type": "password", "username": "alice", "password": "wrong"}
    assert world.token(form).problem == (400, "invalid_grant")
    assert world.token({**form, "username": "nobody"}).problem == (400, "invalid_grant")
