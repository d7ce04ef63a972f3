"""Logins on every adapter: begun, finished once, and refused for each cause by its own error."""

from traceback import format_exception
from typing import Any

import pytest

from doorkey.errors import MismatchingStateError, OAuthError, TransportError, UsageError, VerificationError
from doorkey.login import LoginError, PendingLogin
from doorkey.login.errors import (
    LoginExpired,
    LoginRefused,
    LoginReplayed,
    NoPendingLogin,
    OtherProvider,
    WrongState,
)
from doorkey.values import Scope
from tests.login.core.conftest import Application
from tests.support.hostile_server import Hostile, reply
from tests.support.openid_provider import SUB
from tests.support.relying_party import parameters


def test_a_login_says_who_the_user_is_and_where_to_go_next(app: Application) -> None:
    begun = app.begin(next="/orders?page=2")
    asked = parameters(begun.url)
    assert asked["scope"] == "openid"
    assert asked["code_challenge_method"] == "S256"
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    stored = PendingLogin.from_dict(begun.pending.to_dict())
    assert stored == begun.pending
    result = app.finish(app.provider.log_in(begun.url), stored)
    assert (result.iss, result.sub) == (app.provider.issuer, SUB)
    assert result.claims is not None
    assert result.claims["nonce"] == asked["nonce"]
    assert result.userinfo is None
    assert result.next == "/orders?page=2"
    assert result.provider == app.native.name == app.provider.issuer
    assert result.token["access_token"].startswith("at-")
    assert app.provider.request_count("/userinfo") == 0


def test_the_verifier_goes_to_the_token_endpoint_and_the_challenge_to_the_browser(app: Application) -> None:
    begun = app.begin()
    app.finish(app.provider.log_in(begun.url), begun.pending)
    sent = app.provider.server.to("/token")[0].form
    assert sent["code_verifier"] == begun.pending.transaction.code_verifier.reveal()
    assert sent["code_verifier"] not in begun.url


def test_the_response_may_be_a_posted_form(app: Application) -> None:
    begun = app.begin(response_mode="form_post")
    form = app.provider.log_in(begun.url)
    assert isinstance(form, dict)
    assert app.finish(form, begun.pending).sub == SUB


@pytest.mark.parametrize("path", ["/auth/callback", "rp.example/cb", "//rp.example/cb"])
def test_a_redirect_uri_without_a_scheme_is_refused_before_the_user_sees_the_providers_error(
    app: Application, path: str
) -> None:
    with pytest.raises(UsageError, match="redirect_uri must be a complete URL"):
        app.begin(path)
    assert app.begin("com.example.app:/cb").pending.transaction.redirect_uri == "com.example.app:/cb"


def test_the_scope_of_one_login_is_text_or_tokens(app: Application) -> None:
    for scope in ("openid email", ["openid", "email"]):
        assert app.begin(scope=scope).pending.transaction.scope == Scope.of("openid email")


def test_any_number_of_tabs_may_be_at_the_provider_at_once(app: Application) -> None:
    tabs = [app.begin(next=f"/tab/{number}") for number in range(4)]
    back = [(app.provider.log_in(tab.url), tab.pending) for tab in tabs]
    assert [app.finish(*one).next for one in reversed(back)] == [f"/tab/{number}" for number in (3, 2, 1, 0)]


def test_a_login_is_finished_once(app: Application) -> None:
    begun = app.begin()
    callback = app.provider.log_in(begun.url)
    app.finish(callback, begun.pending)
    with pytest.raises(LoginReplayed):
        app.finish(callback, begun.pending)
    assert app.provider.request_count("/token") == 1


def test_a_login_that_this_browser_has_not_begun_is_refused(app: Application) -> None:
    begun = app.begin()
    with pytest.raises(NoPendingLogin) as error:
        app.finish(app.provider.log_in(begun.url), None)
    assert isinstance(error.value, MismatchingStateError)
    assert app.provider.request_count("/token") == 0


def test_the_callback_of_another_login_is_refused_and_uses_up_nothing(app: Application) -> None:
    mine, strangers = app.begin(), app.begin()
    for callback in (app.provider.log_in(strangers.url), "https://rp.example/cb?code=c", "https://rp.example/cb"):
        with pytest.raises(WrongState) as error:
            app.finish(callback, mine.pending)
        assert isinstance(error.value, MismatchingStateError)
    assert app.provider.request_count("/token") == 0
    assert app.finish(app.provider.log_in(mine.url), mine.pending).sub == SUB


def test_a_login_expires(app: Application) -> None:
    begun = app.begin()
    callback = app.provider.log_in(begun.url)
    app.provider.clock.advance(600)
    with pytest.raises(LoginExpired):
        app.finish(callback, begun.pending)
    assert app.provider.request_count("/token") == 0


def test_an_error_of_the_provider_is_told_in_bounded_words_and_requests_no_token(app: Application) -> None:
    begun = app.begin()
    state = begun.pending.state
    long = "no\x1b[31m" + "x" * 10_000
    with pytest.raises(LoginRefused) as error:
        app.finish({"error": "access_denied", "error_description": long, "state": state}, begun.pending)
    assert error.value.error == "access_denied"
    assert error.value.description.startswith("no\\x1b[31mxxx")
    assert len(str(error.value)) < 1000
    assert len(error.value.problem) < 1000
    assert app.provider.request_count("/token") == 0


@pytest.mark.parametrize("iss", [None, "https://other.example"])
@pytest.mark.parametrize("answer", ["code", "error"])
@pytest.mark.parametrize("discovered", [True, False])
def test_neither_code_nor_error_is_used_without_the_issuer_that_is_promised(
    app: Application, iss: str | None, answer: str, discovered: bool
) -> None:
    metadata = {**app.provider.metadata, "authorization_response_iss_parameter_supported": True}
    app.provider.server.on("/.well-known/openid-configuration", reply(json=metadata))
    app.client(**({} if discovered else {"issuer": None, "metadata": metadata}))
    begun = app.begin()
    params = {answer: "access_denied", "state": begun.pending.state, **({} if iss is None else {"iss": iss})}
    with pytest.raises(VerificationError) as error:
        app.finish(params, begun.pending)
    assert error.value.claim == "iss"
    assert "access_denied" not in str(error.value)
    assert app.provider.request_count("/token") == 0


def test_a_login_is_not_finished_at_another_token_endpoint(app: Application) -> None:
    moved = {**app.provider.metadata, "token_endpoint": app.provider.server.url("/other")}
    first = app.client(issuer=None, metadata=app.provider.metadata, name="one")
    other = app.client(issuer=None, metadata=moved, name="one")
    begun = app.call(first.begin)
    with pytest.raises(UsageError, match="another authorization server"):
        app.call(other.finish, app.provider.log_in(begun.url), begun.pending)
    assert app.provider.request_count("/token") == app.provider.request_count("/other") == 0


def test_a_login_is_finished_by_a_process_that_did_not_begin_it(app: Application) -> None:
    first, other = app.client(), app.client()
    begun = app.call(first.begin)
    stored = PendingLogin.from_dict(begun.pending.to_dict())
    assert app.call(other.finish, app.provider.log_in(begun.url), stored).sub == SUB


def test_a_login_of_another_provider_is_refused(app: Application) -> None:
    first, other = app.client(name="first"), app.client(name="other")
    begun = app.call(first.begin)
    with pytest.raises(OtherProvider):
        app.call(other.finish, app.provider.log_in(begun.url), begun.pending)
    assert app.provider.request_count("/token") == 0


@pytest.mark.parametrize("claim", ["nonce", "iss", "aud"])
def test_an_id_token_of_another_login_issuer_or_client_is_refused(app: Application, claim: str) -> None:
    app.provider.changed = {claim: "another"}
    with pytest.raises(VerificationError) as error:
        app.log_in()
    assert error.value.claim == claim


def test_userinfo_of_another_user_is_refused(app: Application) -> None:
    app.client(fetch_userinfo=True)
    app.provider.user = {"sub": "another"}
    with pytest.raises(VerificationError) as error:
        app.log_in()
    assert error.value.claim == "sub"


def test_userinfo_is_requested_on_demand(app: Application) -> None:
    app.client(fetch_userinfo=True)
    app.provider.user = {"sub": SUB, "name": "Alice"}
    result = app.log_in()
    assert result.userinfo == {"sub": SUB, "name": "Alice"}
    assert app.call(app.native.userinfo, result.token) == {"sub": SUB, "name": "Alice"}
    assert app.provider.request_count("/userinfo") == 2


def test_a_next_that_is_no_path_of_this_site_is_the_start_page(app: Application) -> None:
    begun = app.begin(next="//evil.example")
    assert begun.pending.next == "/"
    planted = PendingLogin(begun.pending.provider, begun.pending.transaction, "//evil.example")
    assert app.finish(app.provider.log_in(begun.url), planted).next == "/"


@pytest.mark.parametrize("name", ["state", "client_id", "code_challenge", "code_challenge_method", "response_type"])
def test_no_further_parameter_replaces_one_of_the_login(app: Application, name: str) -> None:
    with pytest.raises(UsageError):
        app.begin(**{name: "another"})


@pytest.mark.parametrize("name", ["transaction", "authorization_response", "state", "nonce", "code"])
def test_no_argument_of_the_token_request_replaces_one_of_the_login(app: Application, name: str) -> None:
    begun = app.begin()
    with pytest.raises(UsageError, match=name):
        app.finish(app.provider.log_in(begun.url), begun.pending, **{name: "another"})


def test_a_provider_without_openid_connect_is_asked_about_the_user(app: Application) -> None:
    seen: list[Any] = []

    def with_sub(session: Any, claims: dict[str, Any]) -> dict[str, Any]:
        seen.append(session.token["access_token"])
        return {**claims, "sub": str(claims["id"])}

    url = app.provider.server.url
    app.client(
        issuer=None,
        authorization_endpoint=url("/authorize"),
        token_endpoint=url("/token"),
        userinfo_endpoint=url("/userinfo"),
        userinfo_compliance_fix=app.adapter.function(with_sub),
        scope="read:user",
    )
    app.provider.tokens, app.provider.user = {"id_token": None}, {"id": 7, "login": "alice"}
    result = app.log_in()
    assert result.claims is None
    assert result.userinfo == {"id": 7, "login": "alice", "sub": "7"}
    assert (result.iss, result.sub) == (url(""), "7")
    assert seen == [result.token["access_token"]]


def test_a_provider_that_promised_an_id_token_must_send_it(app: Application) -> None:
    app.provider.tokens = {"id_token": None}
    with pytest.raises(OAuthError, match="id_token"):
        app.log_in()


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
def test_a_provider_that_returns_a_page_or_an_error_causes_an_error_of_ours(app: Application, path: str) -> None:
    for answer in (reply(200, "<html>busy</html>", {"Content-Type": "text/html"}), reply(502, "<html>down</html>")):
        app.provider.server.on(path, answer)
        with pytest.raises(OAuthError):
            app.log_in()


def test_a_provider_that_is_down_causes_an_error_that_may_be_retried(app: Application) -> None:
    app.client(issuer="http://127.0.0.1:9")
    with pytest.raises(TransportError) as error:
        app.begin()
    assert error.value.retryable


def test_an_untrusted_certificate_of_the_provider_is_named_with_its_remedy(app: Application, stranger: Hostile) -> None:
    app.client(issuer=stranger.url(""))
    with pytest.raises(TransportError, match="certificate"):
        app.begin()
    assert not stranger.received


def test_no_secret_of_a_login_is_shown(app: Application) -> None:
    begun = app.begin()
    result = app.finish(app.provider.log_in(begun.url), begun.pending)
    transaction = begun.pending.transaction
    secrets = [begun.pending.state, transaction.nonce, transaction.code_verifier.reveal()]
    secrets += [result.token["access_token"], result.token["id_token"]]
    shown = f"{begun!r} {begun.pending!r} {result!r} {app.native!r}"
    assert [secret for secret in secrets if secret in shown] == []


def test_a_logout_url_names_the_user_and_comes_with_a_state(app: Application) -> None:
    result = app.log_in()
    hint = result.token["id_token"]
    url, state = app.call(app.native.logout_url, hint, post_logout_redirect_uri="https://rp.example/bye")
    sent = parameters(url)
    assert url.startswith(app.provider.server.url("/logout?"))
    assert (sent["id_token_hint"], sent["state"]) == (hint, state)


def test_every_error_of_a_login_has_its_own_code_its_problem_and_its_fix() -> None:
    kinds = [kind for kind in LoginError.__subclasses__() if kind.__module__ == "doorkey.login.errors"]
    assert len(kinds) == len({kind.code for kind in kinds}) == 8
    for kind in kinds:
        error = kind()
        assert error.title
        assert error.problem.endswith(".")
        assert error.fix.endswith(".")
        assert error.for_developers.endswith(".")
        assert isinstance(error, VerificationError)
        again = error.for_waiter()
        assert (str(again), again.problem) == (str(error), error.problem)
        assert [*format_exception(again)][-1] == f"{error.for_developers}\n"
