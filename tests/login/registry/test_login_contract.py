"""A login through a registry: what programs call, in every framework."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from doorkey.errors import MismatchingStateError, OAuthError, TransportError, UsageError, VerificationError
from doorkey.login.errors import LoginExpired, LoginRefused, LoginReplayed, NoPendingLogin
from doorkey.oauth2.rfc6749 import OAuth2Token
from doorkey.oidc.core import CodeIDToken, UserInfo
from tests.support.hostile_server import reply
from tests.support.openid_provider import SUB
from tests.support.registries import CONFIGURATION, HOME, NAME, Steps, Visit, World
from tests.support.relying_party import parameters


def test_a_login_returns_the_token_and_the_verified_claims(world: World) -> None:
    token: Any = world.log_in()
    assert type(token).__mro__[0] is OAuth2Token
    assert type(token["userinfo"]).__mro__[0] is UserInfo
    assert token.get("userinfo") is token["userinfo"]
    assert token["userinfo"].sub == token["userinfo"]["sub"] == dict(token["userinfo"])["sub"] == SUB
    assert token["userinfo"].name is None
    assert token["userinfo"]["iss"] == world.provider.issuer


def test_the_token_and_the_claims_go_into_a_json_session(world: World) -> None:
    token = world.log_in()
    stored = json.loads(json.dumps(token))
    assert stored["userinfo"]["sub"] == SUB
    assert stored["access_token"] == token["access_token"]
    browser = world.browser()

    def keep(visit: Visit) -> Steps:
        yield None
        visit.session["user"] = token["userinfo"]
        visit.session["token"] = token

    def read(visit: Visit) -> Steps:
        yield None
        return visit.session["user"]["sub"], visit.session["token"]["access_token"]

    world.visit(keep, browser)
    assert world.ask(read, browser) == (SUB, token["access_token"])


def test_the_request_has_state_nonce_and_pkce(world: World) -> None:
    sent = parameters(world.begin(world.browser()))
    assert sent["redirect_uri"] == HOME
    assert sent["response_type"] == "code"
    assert sent["code_challenge_method"] == "S256"
    assert min(len(sent[name]) for name in ("state", "nonce", "code_challenge")) >= 22


def test_the_redirect_uri_may_be_named_and_may_be_an_object(world: World) -> None:
    from starlette.datastructures import URL

    def view(visit: Visit) -> Steps:
        return (yield visit.client.authorize_redirect(*visit.request, redirect_uri=URL(HOME)))

    browser = world.browser()
    url = world.visit(view, browser).location
    assert parameters(url)["redirect_uri"] == HOME
    assert world.finish(browser, world.answer(url))["userinfo"]["sub"] == SUB
    assert world.provider.server.token_requests[-1].form["redirect_uri"] == HOME


def test_parameters_of_the_request_are_sent(world: World) -> None:
    world.register(authorize_params={"access_type": "offline"})
    sent = parameters(world.begin(world.browser(), prompt="login", acr_values="2", nonce="the-nonce", ui_locales="de"))
    names = ("access_type", "prompt", "acr_values", "nonce", "ui_locales")
    assert [sent[name] for name in names] == ["offline", "login", "2", "the-nonce", "de"]


def test_a_state_and_a_scope_of_the_program_are_used(world: World) -> None:
    browser = world.browser()
    url = world.begin(browser, state="the-state", scope="openid email")
    assert (parameters(url)["state"], parameters(url)["scope"]) == ("the-state", "openid email")
    assert world.finish(browser, world.answer(url))["userinfo"]["sub"] == SUB


def test_a_nonce_and_a_code_verifier_of_the_program_are_used(world: World) -> None:
    browser, verifier = world.browser(), "v" * 43
    url = world.begin(browser, nonce="the-nonce", code_verifier=verifier)
    assert world.finish(browser, world.answer(url))["userinfo"]["nonce"] == "the-nonce"
    assert world.provider.server.token_requests[-1].form["code_verifier"] == verifier


def test_parameters_of_the_token_request_are_sent(world: World) -> None:
    world.register(access_token_params={"audience": "orders"})
    browser = world.browser()
    response = world.answer(world.begin(browser))
    world.finish(browser, response, resource="https://api.example", code_verifier="w" * 43)
    form = world.provider.server.token_requests[-1].form
    assert (form["audience"], form["resource"], form["code_verifier"]) == ("orders", "https://api.example", "w" * 43)


def test_the_state_is_in_the_session_as_programs_read_it(world: World) -> None:
    browser = world.browser()
    sent = parameters(world.begin(browser))
    (key, entry), *others = world.state_of(browser).items()
    assert not others
    assert key == f"_state_{NAME}_{sent['state']}"
    assert entry["data"]["nonce"] == sent["nonce"]
    assert entry["data"]["redirect_uri"] == HOME
    assert len(entry["data"]["code_verifier"]) >= 43
    assert world.provider.clock() < entry["exp"] <= world.provider.clock() + 3600


def test_a_cache_holds_the_data_and_the_session_the_expiry(world: World) -> None:
    kept: dict[str, Any] = {}

    def store(key: str, value: Any, expires: float) -> None:
        assert 0 < expires <= 3600
        kept[key] = value

    def delete(key: str) -> None:
        kept.pop(key, None)

    cache = SimpleNamespace(get=world.callback(kept.get), set=world.callback(store), delete=world.callback(delete))
    world.registry(cache=cache)
    browser = world.browser()
    url = world.begin(browser)
    (key, entry), *_ = world.state_of(browser).items()
    assert list(entry) == ["exp"]
    assert json.loads(kept[key])["data"]["redirect_uri"] == HOME
    assert world.finish(browser, world.answer(url))["userinfo"]["sub"] == SUB


def test_the_framework_object_reads_and_removes_a_pending_login(world: World) -> None:
    browser = world.browser()
    sent = parameters(world.begin(browser))

    def view(visit: Visit) -> Steps:
        framework = visit.client.framework
        data = yield framework.get_state_data(visit.session, sent["state"])
        yield framework.clear_state_data(visit.session, sent["state"])
        after = yield framework.get_state_data(visit.session, sent["state"])
        return data["nonce"], after

    assert world.ask(view, browser) == (sent["nonce"], None)
    assert world.state_of(browser) == {}


def test_a_program_may_make_and_save_the_request_itself(world: World) -> None:
    def begin(visit: Visit) -> Steps:
        begun = yield visit.client.create_authorization_url(HOME, prompt="consent")
        yield visit.client.save_authorize_data(*visit.request, redirect_uri=HOME, **begun)
        return begun

    browser = world.browser()
    begun = world.ask(begin, browser)
    assert parameters(begun["url"])["state"] == begun["state"]
    assert parameters(begun["url"])["prompt"] == "consent"
    assert world.finish(browser, world.answer(begun["url"]))["userinfo"]["sub"] == SUB


def test_data_that_a_program_saved_in_its_own_way_is_enough(world: World) -> None:
    browser = world.browser()
    begun: dict[str, Any] = {}

    def begin(visit: Visit) -> Steps:
        begun.update((yield visit.client.create_authorization_url(HOME)))
        data = {name: begun[name] for name in ("state", "nonce", "code_verifier")}
        yield visit.client.save_authorize_data(*visit.request, redirect_uri=HOME, **data)

    world.visit(begin, browser)
    assert world.finish(browser, world.answer(begun["url"]))["userinfo"]["sub"] == SUB
    form = world.provider.server.token_requests[-1].form
    assert form["redirect_uri"] == HOME
    assert form["code_verifier"] == begun["code_verifier"]


def test_a_login_that_was_begun_without_pkce_ends_without_it(world: World) -> None:
    browser = world.browser()
    begun: dict[str, Any] = {}

    def begin(visit: Visit) -> Steps:  # what Authlib stores: a deploy may come in the middle of a login
        begun.update((yield visit.client.create_authorization_url(HOME)))
        data = {name: begun[name] for name in ("state", "nonce", "url")}
        yield visit.client.save_authorize_data(*visit.request, redirect_uri=HOME, **data)

    world.visit(begin, browser)
    with pytest.raises(NoPendingLogin):
        world.finish(browser, {**world.answer(begun["url"]), "state": "another"})
    assert world.finish(browser, world.answer(begun["url"]))["userinfo"]["nonce"] == begun["nonce"]
    form = world.provider.server.token_requests[-1].form
    assert form["redirect_uri"] == HOME
    assert "code_verifier" not in form


def test_data_without_a_state_is_a_usage_error(world: World) -> None:
    def view(visit: Visit) -> Steps:
        yield visit.client.save_authorize_data(*visit.request, redirect_uri=HOME)

    with pytest.raises(UsageError, match="needs the state="):
        world.visit(view)


def test_form_post_is_read_from_the_form(world: World) -> None:
    browser = world.browser()
    response = world.answer(world.begin(browser, response_mode="form_post"))
    assert world.finish(browser, response, post=True)["userinfo"]["sub"] == SUB


def test_a_callback_of_nobody_deletes_nothing(world: World) -> None:
    browser = world.browser()
    url = world.begin(browser)
    for query in ({"state": "another", "code": "c"}, {"error": "access_denied"}, {"code": "c"}, {}):
        with pytest.raises(NoPendingLogin):
            world.finish(browser, query)
    with pytest.raises(NoPendingLogin):
        world.finish(world.browser(), world.answer(url))
    assert not world.provider.server.token_requests
    assert world.finish(browser, world.answer(url))["userinfo"]["sub"] == SUB


@pytest.mark.parametrize("query", [{"code": "c"}, {"code": "c", "state": ""}, {}], ids=str)
def test_a_callback_without_a_state_names_what_is_missing(world: World, query: dict[str, str]) -> None:
    browser = world.browser()
    world.begin(browser)
    with pytest.raises(NoPendingLogin, match="no parameter `state`") as error:
        world.finish(browser, query)
    assert "cookie" not in str(error.value.for_developers)


def test_a_login_ends_once(world: World) -> None:
    browser = world.browser()
    response = world.answer(world.begin(browser))
    world.finish(browser, response)
    with pytest.raises(LoginReplayed):
        world.finish(browser, response)
    assert len(world.provider.server.token_requests) == 1


def test_a_login_expires(world: World) -> None:
    browser = world.browser()
    response = world.answer(world.begin(browser))
    world.client.framework.clock = lambda: world.provider.clock() + 3601
    with pytest.raises(LoginExpired):
        world.finish(browser, response)
    assert not world.provider.server.token_requests


def test_the_iss_of_another_server_uses_neither_the_code_nor_the_login(world: World) -> None:
    browser = world.browser()
    response = world.answer(world.begin(browser))
    with pytest.raises(VerificationError) as error:
        world.finish(browser, {**response, "iss": "https://evil.example"})
    assert error.value.claim == "iss"
    assert not world.provider.server.token_requests
    assert world.finish(browser, response)["userinfo"]["sub"] == SUB


def test_a_repeated_parameter_is_rejected(world: World) -> None:
    browser = world.browser()
    response = world.answer(world.begin(browser))
    world.view = _finishing
    query = f"state={response['state']}&code={response['code']}&code=another"
    browser.get(f"/view?{query}")
    error: Any = world.error
    assert isinstance(error, VerificationError)
    assert error.claim == "code"
    assert not world.provider.server.token_requests


def _finishing(visit: Visit) -> Steps:
    return (yield visit.client.authorize_access_token(*visit.request))


def test_an_error_of_the_provider_has_its_words_and_ends_the_login(world: World) -> None:
    browser = world.browser()
    state = parameters(world.begin(browser))["state"]
    answer = {"error": "access_denied", "error_description": "Alice said no", "state": state}
    with pytest.raises(LoginRefused) as error:
        world.finish(browser, answer)
    assert (error.value.error, error.value.description) == ("access_denied", "Alice said no")
    assert isinstance(error.value, OAuthError)
    assert "Alice said no" in str(error.value)
    with pytest.raises(LoginReplayed):
        world.finish(browser, answer)


def test_two_tabs_end_in_any_order(world: World) -> None:
    browser = world.browser()
    first, second = world.begin(browser), world.begin(browser)
    assert world.finish(browser, world.answer(first))["userinfo"]["sub"] == SUB
    assert world.finish(browser, world.answer(second))["userinfo"]["sub"] == SUB


def test_an_id_token_of_another_client_is_rejected(world: World) -> None:
    world.provider.changed = {"aud": "another"}
    with pytest.raises(VerificationError) as error:
        world.log_in()
    assert error.value.claim == "aud"
    assert isinstance(error.value, OAuthError)


def test_claims_options_add_conditions(world: World) -> None:
    browser = world.browser()
    response = world.answer(world.begin(browser))
    with pytest.raises(VerificationError) as error:
        world.finish(browser, response, claims_options={"email": {"essential": True}})
    assert error.value.claim == "email"
    issuer = {"iss": {"values": [world.provider.issuer]}}
    response = world.answer(world.begin(browser))
    assert world.finish(browser, response, claims_options=issuer)["userinfo"]["sub"] == SUB


def test_a_class_of_claims_adds_conditions(world: World) -> None:
    class Mine(CodeIDToken):
        __slots__ = ()

        def validate(self, now: float | None = None, leeway: float = 0) -> None:
            super().validate(now, leeway)
            raise VerificationError("sub", "is not welcome here")

    browser = world.browser()
    with pytest.raises(VerificationError, match="is not welcome here"):
        world.finish(browser, world.answer(world.begin(browser)), claims_cls=Mine)


def test_the_leeway_is_that_of_the_call(world: World) -> None:
    browser = world.browser()
    world.provider.changed = {"exp": int(world.provider.clock()) - 100}
    with pytest.raises(VerificationError) as error:
        world.finish(browser, world.answer(world.begin(browser)))
    assert error.value.claim == "exp"
    assert world.finish(browser, world.answer(world.begin(browser)), leeway=200)["userinfo"]["sub"] == SUB


def test_a_code_that_a_program_checked_itself_is_exchanged(world: World) -> None:
    browser = world.browser()
    url = world.begin(browser)
    token = world.call("fetch_access_token", code=world.answer(url)["code"], redirect_uri=HOME)
    assert token["id_token"]
    assert "userinfo" not in token
    claims = world.call("parse_id_token", token, nonce=parameters(url)["nonce"])
    assert claims["sub"] == SUB
    assert world.provider.server.token_requests[-1].form["redirect_uri"] == HOME


def test_a_provider_that_is_down_is_an_oauth_error(world: World) -> None:
    world.register(server_metadata_url="http://127.0.0.1:9/.well-known/openid-configuration")
    with pytest.raises(TransportError) as error:
        world.begin(world.browser())
    assert isinstance(error.value, OAuthError)
    assert error.value.error
    assert error.value.description
    assert str(error.value)


def test_the_code_and_the_secret_do_not_follow_a_redirect(world: World) -> None:
    browser = world.browser()
    response = world.answer(world.begin(browser))
    elsewhere = world.provider.server.url("/elsewhere")
    world.provider.server.on("/token", reply(307, headers={"Location": elsewhere}))
    with pytest.raises(OAuthError):
        world.finish(browser, response)
    assert world.provider.request_count("/elsewhere") == 0


def test_ten_logins_fetch_the_metadata_and_the_keys_once(world: World) -> None:
    browser = world.browser()
    for _ in range(10):
        world.log_in(browser)
    assert (world.provider.request_count(CONFIGURATION), world.provider.request_count("/jwks")) == (1, 1)


def test_another_process_finishes_a_login(world: World, another: Callable[[], World]) -> None:
    browser = world.browser()
    url = world.begin(browser)
    other = another()
    other.register()
    browser.site = other.browser().site
    assert other.finish(browser, other.answer(url))["userinfo"]["sub"] == SUB


def test_a_state_mismatch_is_the_error_that_programs_catch(world: World) -> None:
    with pytest.raises(MismatchingStateError) as error:
        world.finish(world.browser(), {"state": "s", "code": "c"})
    assert isinstance(error.value, OAuthError)
    assert "s" not in error.value.args
