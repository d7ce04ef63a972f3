"""What token exchange promises beyond the recorded answers of the real Keycloak."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from doorkey.jose.signing import sign
from doorkey.jose.verification import unsafe_claims
from doorkey.protocol.grants import ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE
from doorkey.server.grants.token_exchange import ID_TOKEN_TYPE
from doorkey.server.model import Settings
from doorkey.server.sessions import end_grant
from doorkey.server.storage.effects import EndSession, FindSession
from doorkey.wire.flow import run
from tests.server.world import ALICE, APP, OTHER, SPA, Answer, World

SERVICE = replace(
    OTHER,
    client_id="service",
    grants=OTHER.grants | {TOKEN_EXCHANGE},
    optional_scopes=("openid", "store"),
    audiences={"profile": "service", "store": "warehouse"},
)
BASIC = ("service", "other-secret")


@pytest.fixture
def world() -> World:
    """`app` gets tokens that are meant for `service` too, and `service` may exchange them."""
    return World(clients=(replace(APP, audiences={"profile": "service"}), SPA, OTHER, SERVICE))


def exchange(world: World, token: str, basic: tuple[str, str] | None = BASIC, **more: str) -> Answer:
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN_TYPE}
    return world.token({**form, **more}, basic)


def subject(world: World) -> str:
    return str(world.login().json["access_token"])


def test_the_new_token_is_the_clients_and_still_about_the_user(world: World) -> None:
    token = subject(world)
    answer = exchange(world, token)
    claims = unsafe_claims(answer.json["access_token"])
    assert (claims["azp"], claims["sub"], claims["sid"]) == ("service", ALICE.sub, unsafe_claims(token)["sid"])
    assert answer.json["issued_token_type"] == ACCESS_TOKEN_TYPE
    assert "refresh_token" not in answer.json


ROLES = {"resource_access": {"warehouse": {"roles": ["read"]}, "service": {"roles": ["all"]}}}


@pytest.mark.parametrize("owner", ["realm", "client", "user"])
def test_only_the_roles_at_the_requested_audience_are_in_the_new_token(world: World, owner: str) -> None:
    client, user = (replace(SERVICE, access_token_claims=ROLES), ALICE) if owner == "client" else (SERVICE, ALICE)
    world.clients = (*world.clients[:-1], client)
    if owner == "realm":
        world.settings = replace(world.settings, access_token_claims=ROLES)
    if owner == "user":
        world.users = (replace(user, access_token_claims=ROLES),)
    scope = "profile store"
    all_roles = exchange(world, subject(world), scope=scope)
    assert unsafe_claims(all_roles.json["access_token"])["resource_access"] == ROLES["resource_access"]
    answer = exchange(world, subject(world), scope=scope, audience="warehouse")
    claims = unsafe_claims(answer.json["access_token"])
    assert (claims["aud"], claims["resource_access"]) == ("warehouse", {"warehouse": {"roles": ["read"]}})


def minted(world: World, claims: dict[str, Any]) -> str:
    """An access token of the realm with any claims."""
    return sign(claims, world.at.keys.signer("RS256"), alg="RS256", header={"typ": "JWT"})


@pytest.mark.parametrize("missing", ["realm_access", "email_verified"])
def test_the_token_of_an_account_may_lack_an_optional_claim(world: World, missing: str) -> None:
    account = world.token({"grant_type": "client_credentials"}, BASIC)
    claims = {name: value for name, value in unsafe_claims(account.json["access_token"]).items() if name != missing}
    answer = exchange(world, minted(world, claims))
    assert answer.status == 200
    assert missing not in unsafe_claims(answer.json["access_token"])


def test_only_the_audience_or_the_client_of_a_token_may_exchange_it(world: World) -> None:
    world.clients = (APP, SERVICE)  # no longer meant for it
    assert exchange(world, subject(world)).problem == (403, "access_denied")


def test_a_client_may_exchange_no_token_unless_it_is_configured_to(world: World) -> None:
    description = "Standard token exchange is not enabled for the requested client"
    assert exchange(world, subject(world), ("other", "other-secret")).json["error_description"] == description
    form = {"client_id": "spa"}
    world.clients = (APP, replace(SPA, grants=SPA.grants | {TOKEN_EXCHANGE}))  # a public client not even then
    assert exchange(world, subject(world), None, **form).json["error_description"] == description


def test_the_exchanged_token_ends_with_the_session_it_came_from(world: World) -> None:
    tokens = world.login().json
    token = exchange(world, tokens["access_token"]).json["access_token"]
    assert world.is_active(token, BASIC)
    world.perform(EndSession(tokens["session_state"]))
    assert not world.is_active(token, BASIC)


def test_the_exchanged_token_ends_with_the_grant_it_came_from(world: World) -> None:
    tokens = world.login().json
    token = exchange(world, tokens["access_token"]).json["access_token"]
    world.revoke(tokens["refresh_token"])
    assert not world.is_active(token, BASIC)


def test_reuse_of_a_refresh_token_ends_what_was_exchanged_from_its_family(world: World) -> None:
    world.settings = Settings(rotate_refresh_tokens=True)
    first = world.login().json
    latest = world.refresh(first["refresh_token"]).json
    token = exchange(world, latest["access_token"]).json["access_token"]
    assert world.is_active(token, BASIC)
    world.refresh(first["refresh_token"])
    assert not world.is_active(token, BASIC)


def test_an_expired_token_is_no_subject(world: World) -> None:
    token = subject(world)
    world.advance(60)
    assert exchange(world, token).json == {"error": "invalid_request", "error_description": "Invalid token"}


def test_an_exchanged_token_is_no_way_to_live_longer(world: World) -> None:
    begun, answer = world.now, world.login()
    while answer.status == 200:
        world.advance(50)
        answer = exchange(world, answer.json["access_token"])
    assert answer.problem == (400, "invalid_request")
    assert world.now - begun == Settings().session_idle


def test_an_audience_leaves_only_those_it_names(world: World) -> None:
    token = exchange(world, subject(world), scope="store", audience="warehouse").json["access_token"]
    assert unsafe_claims(token)["aud"] == "warehouse"
    both = exchange(world, subject(world), scope="store").json["access_token"]
    assert unsafe_claims(both)["aud"] == ["warehouse", "service"]


def test_an_audience_beyond_the_scope_is_refused(world: World) -> None:
    assert exchange(world, subject(world), audience="warehouse").problem == (400, "invalid_request")
    assert exchange(world, subject(world), audience="nobody").problem == (400, "invalid_client")


def test_an_id_token_by_exchange_is_for_the_client_and_opens_nothing(world: World) -> None:
    answer = exchange(world, subject(world), requested_token_type=ID_TOKEN_TYPE).json
    claims = unsafe_claims(answer["access_token"])
    assert (claims["typ"], claims["aud"], answer["token_type"]) == ("ID", "service", "N_A")
    assert exchange(world, answer["access_token"]).problem == (400, "invalid_request")


def test_a_clients_own_token_stays_about_that_client(world: World) -> None:
    token = world.token({"grant_type": "client_credentials"}).json["access_token"]
    exchanged = exchange(world, token).json["access_token"]
    claims = unsafe_claims(exchanged)
    assert (claims["azp"], claims["preferred_username"]) == ("service", "service-account-app")
    assert claims["sub"] == unsafe_claims(token)["sub"]
    assert world.is_active(exchanged, BASIC)


@pytest.mark.parametrize("names", [("audience",), ("resource",), ("audience", "resource")])
def test_audience_and_resource_may_repeat_and_nothing_else_may(world: World, names: tuple[str, ...]) -> None:
    form: dict[str, Any] = {"grant_type": TOKEN_EXCHANGE, "subject_token_type": ACCESS_TOKEN_TYPE}
    pairs = (*form.items(), ("subject_token", subject(world)), *((name, "service") for name in names * 2))
    assert world.token(pairs, BASIC).status == 200
    assert world.token((*pairs, ("subject_token", "x")), BASIC).problem == (400, "invalid_request")
    others = (("grant_type", "client_credentials"), *((name, "service") for name in names * 2))
    assert world.token(others, BASIC).json["error_description"] == "duplicated parameter"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"subject_token": ""}, "Parameter 'subject_token' required for standard token exchange"),
        ({"subject_token_type": ""}, "Parameter 'subject_token_type' required for standard token exchange"),
        ({"subject_token_type": ID_TOKEN_TYPE}, "Parameter 'subject_token' supports access tokens only"),
        ({"requested_token_type": "urn:other"}, "requested_token_type unsupported"),
        ({"subject_token": "garbage"}, "Invalid token"),
        ({"subject_issuer": "x"}, "Parameter 'subject_issuer' is not supported for standard token exchange"),
        ({"requested_issuer": "x"}, "Parameter 'requested_issuer' is not supported for standard token exchange"),
        ({"requested_subject": "x"}, "Parameter 'requested_subject' is not supported for standard token exchange"),
        ({"audience": "other"}, "Requested audience not available: other"),
    ],
)
def test_a_refused_exchange_is_described(world: World, changes: dict[str, Any], refusal: str) -> None:
    answer = exchange(world, subject(world), **changes)
    assert (answer.problem, answer.json["error_description"]) == ((400, "invalid_request"), refusal)


def test_an_unknown_audience_is_not_found_and_the_realms_own_is(world: World) -> None:
    answer = exchange(world, subject(world), audience="no-such-client")
    assert (answer.problem, answer.json["error_description"]) == ((400, "invalid_client"), "Audience not found")
    world.settings = Settings(audience="account")
    assert exchange(world, subject(world), audience="account").status == 200


def test_the_missing_audiences_are_each_named_once(world: World) -> None:
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": subject(world), "subject_token_type": ACCESS_TOKEN_TYPE}
    audiences = (("audience", "other"), ("audience", "app"), ("audience", "other"), ("audience", "service"))
    answer = world.token((*form.items(), *audiences), BASIC)
    assert answer.json["error_description"] == "Requested audience not available: other, app"


def test_an_id_token_comes_with_openid_asked_for_here_or_as_the_requested_type(world: World) -> None:
    asked = exchange(world, subject(world), scope="openid").json
    assert unsafe_claims(asked["id_token"])["sub"] == ALICE.sub
    assert "at_hash" in unsafe_claims(asked["id_token"])
    assert "id_token" not in exchange(world, subject(world)).json
    assert "id_token" not in exchange(world, subject(world), scope="store").json


def test_the_response_names_the_session_and_the_type_of_the_token(world: World) -> None:
    tokens = world.login().json
    answer = exchange(world, tokens["access_token"]).json
    assert answer["session_state"] == tokens["session_state"]
    assert exchange(world, tokens["access_token"], requested_token_type=ACCESS_TOKEN_TYPE).status == 200
    identity = exchange(world, tokens["access_token"], requested_token_type=ID_TOKEN_TYPE).json
    assert (identity["issued_token_type"], identity["session_state"]) == (ID_TOKEN_TYPE, tokens["session_state"])
    claims = unsafe_claims(identity["access_token"])
    assert (claims["sid"], claims["preferred_username"]) == (tokens["session_state"], "alice")
    own = world.token({"grant_type": "client_credentials"}).json["access_token"]
    assert "session_state" not in exchange(world, own).json
    assert "sid" not in unsafe_claims(exchange(world, own, requested_token_type=ID_TOKEN_TYPE).json["access_token"])


def test_a_client_may_exchange_a_token_that_was_issued_to_it(world: World) -> None:
    world.clients = (APP, replace(SERVICE, audiences={}))
    own = world.token({"grant_type": "client_credentials"}, BASIC).json["access_token"]
    assert "aud" not in unsafe_claims(own)
    assert exchange(world, own).status == 200


def test_without_a_scope_openid_comes_from_the_clients_own_grant_in_the_session_alone(world: World) -> None:
    theirs = exchange(world, subject(world)).json
    assert "openid" not in theirs["scope"].split()
    form = {"grant_type": "password", "username": "alice", "password": "wonderland"}
    own = world.token({**form, "scope": "openid"}, BASIC).json["access_token"]
    answer = exchange(world, own).json
    assert "openid" in answer["scope"].split()
    assert "id_token" not in answer
    assert "openid" not in exchange(world, own, scope="store").json["scope"].split()
    plain = world.token(form, BASIC).json["access_token"]
    assert "openid" not in exchange(world, plain).json["scope"].split()


def test_the_time_of_a_login_by_the_page_stays(world: World) -> None:
    world.clients = (replace(SPA, audiences={"profile": "service"}), SERVICE)
    token = world.exchange(world.code()).json["access_token"]
    assert unsafe_claims(exchange(world, token).json["access_token"])["auth_time"] == int(world.now)


def test_the_exchanged_token_has_the_users_claims_of_now_and_of_its_own_scope(world: World) -> None:
    token = subject(world)
    world.users = (replace(ALICE, email="new@example.org", roles=("writer",)),)
    claims = unsafe_claims(exchange(world, token).json["access_token"])
    assert (claims["email"], claims["realm_access"]) == ("new@example.org", {"roles": ["writer"]})
    world.clients = (world.clients[0], replace(SERVICE, default_scopes=()))
    assert "email" not in unsafe_claims(exchange(world, token).json["access_token"])


class Interrupted(World):
    """A world where something happens right after the next look at a session."""

    then: Callable[[], object] | None = None

    def perform(self, effect: Any) -> Any:
        found = super().perform(effect)
        if isinstance(effect, FindSession) and self.then is not None:
            then, self.then = self.then, None
            then()
        return found


@pytest.mark.parametrize("ended", ["the session", "the grant"])
def test_a_session_or_grant_that_ends_during_an_exchange_gives_no_openid(ended: str) -> None:
    world = Interrupted(clients=(APP, SERVICE))
    form = {"grant_type": "password", "username": "alice", "password": "wonderland", "scope": "openid"}
    token = world.token(form, BASIC).json["access_token"]
    claims = unsafe_claims(token)
    ends = {
        "the session": lambda: world.perform(EndSession(claims["sid"])),
        "the grant": lambda: run(end_grant(claims["sid"], claims["gid"]), world.perform),
    }
    world.then = ends[ended]
    answer = exchange(world, token)
    assert "openid" not in answer.json["scope"].split()
    assert not world.is_active(answer.json["access_token"], BASIC)
