"""New authorization requests, what is remembered of them, and which callback finishes which."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from doorkey.errors import AccessDenied, MismatchingStateError, UsageError, VerificationError
from doorkey.protocol.authorization import AuthorizationTransaction
from doorkey.protocol.pkce import challenge_of
from doorkey.sessions.authorizations import Pending, begun, pending_of, state_in, transaction_of
from doorkey.sessions.callbacks import finish, response_is_in_fragment
from doorkey.sessions.options import SessionOptions, session_options
from doorkey.sessions.pending import MOST_PENDING, Authorizations
from doorkey.values import Scope, Secret

NOW = 1_800_000_000.0
URL, CB, ISSUER = "https://as.example/auth", "https://client.example/cb", "https://as.example"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def options(**given: Any) -> SessionOptions:
    every = {"client_id": "id", "redirect_uri": CB, "clock": lambda: NOW, **given}
    return session_options(every, known_elsewhere=(), blocking=True)[0]


def query(url: str) -> dict[str, str]:
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def back(mark: str = "?", **parameters: str) -> str:
    return f"{CB}{mark}{urlencode(parameters)}"


# -- the request -------------------------------------------------------------------------------------------------------


def test_a_request_has_what_the_session_knows() -> None:
    url, state, pending, _ = begun(options(scope="a b"), URL, {}, with_pkce=False)
    assert query(url) == {
        "response_type": "code",
        "client_id": "id",
        "redirect_uri": CB,
        "scope": "a b",
        "state": state,
    }
    assert pending == Pending(redirect_uri=CB, scope=Scope(("a", "b")))


def test_an_argument_of_a_call_replaces_the_sessions_option() -> None:
    extra = {"redirect_uri": CB + "2", "scope": ["x"], "prompt": "login", "nonce": "n"}
    url, state, pending, _ = begun(options(scope="a"), URL, extra, state="mine", with_pkce=False)
    assert state == "mine"
    assert query(url) == {
        "response_type": "code",
        "client_id": "id",
        "redirect_uri": CB + "2",
        "scope": "x",
        "state": "mine",
        "nonce": "n",
        "prompt": "login",
    }
    assert (pending.redirect_uri, pending.scope) == (CB + "2", Scope(("x",)))
    assert extra["redirect_uri"] == CB + "2"


def test_a_nonce_is_there_whenever_openid_is_asked() -> None:
    url, *_ = begun(options(scope="openid"), URL, {}, with_pkce=False)
    assert len(query(url)["nonce"]) >= 22
    assert "nonce" not in query(begun(options(scope="email"), URL, {}, with_pkce=False)[0])


@pytest.mark.parametrize(
    ("given", "extra", "always"),
    [({"code_challenge_method": "S256"}, {}, False), ({}, {"code_challenge_method": "S256"}, False), ({}, {}, True)],
)
def test_pkce_is_s256_with_a_fresh_verifier(given: dict[str, Any], extra: dict[str, Any], always: bool) -> None:
    url, _, pending, _ = begun(options(**given), URL, extra, with_pkce=always)
    assert pending.code_verifier is not None
    assert query(url)["code_challenge"] == challenge_of(pending.code_verifier.reveal())
    assert query(url)["code_challenge_method"] == "S256"
    assert begun(options(**given), URL, extra, with_pkce=always)[2].code_verifier != pending.code_verifier


def test_a_verifier_that_is_given_is_used_and_not_sent() -> None:
    url, _, pending, _ = begun(options(), URL, {}, code_verifier=VERIFIER, with_pkce=False)
    assert query(url)["code_challenge"] == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert pending.code_verifier == Secret(VERIFIER)
    assert VERIFIER not in url


def test_without_a_code_there_is_nothing_to_prove() -> None:
    url, _, pending, _ = begun(options(code_challenge_method="S256"), URL, {"response_type": "token"}, with_pkce=False)
    assert pending.code_verifier is None
    assert "code_challenge" not in query(url)


@pytest.mark.parametrize(
    ("extra", "fragment"),
    [
        ({}, False),
        ({"response_type": "token"}, True),
        ({"response_type": "code id_token"}, True),
        ({"response_mode": "fragment"}, True),
        ({"response_mode": "fragment.jwt"}, True),
        ({"response_type": "token", "response_mode": "query"}, False),
    ],
)
def test_a_fragment_is_promised_only_where_it_is_asked_for(extra: dict[str, str], fragment: bool) -> None:
    assert begun(options(), URL, extra, with_pkce=False)[2].fragment is fragment


@pytest.mark.parametrize(
    ("url", "extra", "why"),
    [
        (None, {}, "authorization_endpoint="),
        ("http://as.example/auth", {}, "https"),
        (URL, {"code_challenge_method": "plain"}, "S256"),
        (URL, {"client_id": "other"}, "reserved"),
        (URL, {"scope": 'a"'}, "scope"),
        (URL, {"response_mode": 7}, "response_mode"),
        (URL, {"claims": object()}, "claims"),
        (URL, {"client_secret": "s"}, "client_secret"),
        (URL, {"code_verifier": VERIFIER}, "code_verifier"),
    ],
)
def test_a_grant_that_cannot_be_requested_is_refused(url: str | None, extra: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        begun(options(), url, extra, with_pkce=False)
    with pytest.raises(UsageError, match=why):
        transaction_of(options(), url, extra, NOW)


@pytest.mark.parametrize("verifier", ["short", 7, "a" * 129])
def test_a_verifier_that_cannot_be_is_refused(verifier: Any) -> None:
    with pytest.raises(UsageError, match="code_verifier"):
        begun(options(), URL, {}, code_verifier=verifier, with_pkce=False)


def test_a_transaction_has_state_nonce_and_pkce_and_ten_minutes() -> None:
    made = transaction_of(options(issuer=ISSUER, authorization_endpoint=URL), None, {"prompt": "login"}, NOW)
    sent = query(made.url)
    assert (sent["state"], sent["nonce"], sent["prompt"]) == (made.state, made.nonce, "login")
    assert sent["code_challenge"] == challenge_of(made.code_verifier.reveal())
    assert (made.issuer, made.redirect_uri, made.response_mode) == (ISSUER, CB, "query")
    assert made.expires_at == NOW + 600
    assert pending_of(made) == Pending(redirect_uri=CB, code_verifier=made.code_verifier, nonce=Secret(made.nonce))


def test_a_transaction_keeps_what_its_id_token_is_compared_with() -> None:
    asked = {"response_type": "code id_token", "max_age": "300", "acr_values": ["1", "2 3"], "nonce": "n-1"}
    made = transaction_of(options(authorization_endpoint=URL), None, asked, NOW)
    sent = query(made.url)
    assert (sent["max_age"], sent["acr_values"], sent["nonce"]) == ("300", "1 2 3", "n-1")
    kept = pending_of(AuthorizationTransaction.from_json(made.to_json()))
    assert (kept.response_type, kept.max_age, kept.acr_values) == ("code id_token", 300.0, ("1", "2", "3"))
    assert (kept.nonce, kept.fragment) == (Secret("n-1"), True)


@pytest.mark.parametrize("wrong", [{"max_age": "soon"}, {"max_age": -1}, {"acr_values": 7}, {"max_age": True}])
def test_what_no_id_token_can_be_compared_with_is_a_usage_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        transaction_of(options(authorization_endpoint=URL), None, wrong, NOW)


def test_a_transaction_makes_its_own_state() -> None:
    with pytest.raises(UsageError):
        transaction_of(options(), URL, {"state": "mine"}, NOW)


# -- what is remembered ------------------------------------------------------------------------------------------------


def test_requests_are_remembered_by_their_state_and_the_oldest_are_forgotten() -> None:
    authorizations = Authorizations()
    for number in range(MOST_PENDING + 1):
        authorizations.remember(str(number), Pending())
    assert authorizations.find("0") is None
    assert authorizations.find("1") == authorizations.find(str(MOST_PENDING)) == Pending()
    authorizations.forget("1")
    authorizations.forget("1")
    authorizations.forget(None)
    assert authorizations.find("1") is None
    assert authorizations.find(None) is None


# -- the callback ------------------------------------------------------------------------------------------------------


def remembering(**pending: Any) -> Authorizations:
    authorizations = Authorizations()
    authorizations.remember("s", Pending(redirect_uri=CB, **pending))
    return authorizations


def test_a_callback_finishes_the_request_of_its_state_once() -> None:
    authorizations = remembering()
    finished = finish(back(code="c", state="s"), options(), authorizations)
    assert finished.code() == "c"
    assert finished.pending == Pending(redirect_uri=CB)
    assert not finished.is_token_response
    with pytest.raises(MismatchingStateError, match="does not belong to a login"):
        finish(back(code="c", state="s"), options(), authorizations)


def test_a_state_may_come_from_the_call_or_from_the_option() -> None:
    for given, state in ((options(scope="a"), "s"), (options(scope="a", state="s"), None)):
        finished = finish(back(code="c", state="s"), given, Authorizations(), state=state)
        assert finished.pending == Pending(redirect_uri=CB, scope=Scope(("a",)))


def test_a_callback_of_another_login_does_not_use_up_ours_and_an_error_does() -> None:
    authorizations = remembering()
    with pytest.raises(MismatchingStateError):
        finish(back(code="c", state="other"), options(), authorizations, state="s")
    assert authorizations.find("s")
    with pytest.raises(AccessDenied):
        finish(back(error="access_denied", state="s"), options(), authorizations)
    assert authorizations.find("s") is None


def test_a_callback_without_a_code_has_none() -> None:
    with pytest.raises(VerificationError, match="code is missing"):
        finish(back(state="s"), options(), remembering()).code()


def test_a_fragment_is_read_where_it_was_promised_and_brings_a_token() -> None:
    url = back("#", access_token="at", state="s")
    assert finish(url, options(), remembering(fragment=True)).is_token_response
    with pytest.raises(MismatchingStateError):
        finish(url, options(), remembering())
    assert finish(url, options(), Authorizations(), state="s", may_read_fragment=True).is_token_response


def test_the_issuer_must_come_where_metadata_promises_it() -> None:
    metadata = {"issuer": ISSUER, "authorization_response_iss_parameter_supported": True}
    with pytest.raises(VerificationError, match="iss"):
        finish(back(code="c", state="s"), options(metadata=metadata), remembering())
    assert finish(back(code="c", state="s", iss=ISSUER), options(metadata=metadata), remembering()).code() == "c"


def test_a_transaction_is_finished_by_any_session_of_its_server_until_it_expires() -> None:
    made = transaction_of(options(issuer=ISSUER), URL, {}, NOW)
    url = back(code="c", state=made.state, iss=ISSUER)
    assert finish(url, options(), Authorizations(), transaction=made).pending.code_verifier == made.code_verifier
    with pytest.raises(VerificationError, match="iss"):
        finish(back(code="c", state=made.state, iss="https://evil"), options(), Authorizations(), transaction=made)
    with pytest.raises(UsageError, match="another authorization server"):
        finish(url, options(issuer="https://other.example"), Authorizations(), transaction=made)
    late = options(clock=lambda: NOW + 600)
    with pytest.raises(VerificationError, match="has expired"):
        finish(url, late, Authorizations(), transaction=made)


@pytest.mark.parametrize(
    ("url", "fragment", "state"),
    [
        (back(state="s"), False, "s"),
        (back("#", state="s"), True, "s"),
        (back("#", state="s"), False, None),
        (CB, False, None),
        ("https://[", False, None),
        (CB + "?" + "a&" * 2000, False, None),
    ],
)
def test_the_state_in_a_callback_is_looked_up_without_trusting_it(url: str, fragment: bool, state: str | None) -> None:
    assert state_in(url, fragment=fragment) == state


@pytest.mark.parametrize(
    ("url", "speaks"),
    [
        (CB + "#access_token=a", True),
        (CB + "?code=c#access_token=a", False),
        (CB + "?code=c", False),
        ("https://[#access_token=", False),
    ],
)
def test_a_callback_without_its_fragment_is_an_error_that_names_the_fragment(url: str, speaks: bool) -> None:
    assert response_is_in_fragment(url) is speaks
