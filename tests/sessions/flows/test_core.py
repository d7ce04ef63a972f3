"""What a session does, step by step and with no HTTP: which requests it makes, in which order, and what it keeps."""

import json
from typing import Any

import pytest

from doorkey.errors import (
    AccessDenied,
    InvalidGrant,
    InvalidResponse,
    MissingTokenError,
    TokenExpiredError,
    UsageError,
)
from doorkey.protocol.authorization import AuthorizationTransaction
from doorkey.renewal.effects import Renewed
from doorkey.sessions.call_arguments import extra_pairs
from doorkey.tokens import OAuth2Token
from doorkey.wire.messages import Request, Response
from tests.sessions.flows.bare import NOW, TOKEN_URL, Bare, drive, form_of, refuses

OLD: dict[str, Any] = {
    "access_token": "at-1",
    "refresh_token": "rt-1",
    "expires_in": 300,
    "expires_at": NOW,
    "scope": "openid",
}
REFUSED = Response(400, (), b'{"error": "invalid_grant", "error_description": "Session not active"}')


def token(number: int, **members: Any) -> Response:
    body = {"access_token": f"at-{number}", "token_type": "Bearer", "expires_in": 300, **members}
    return Response(200, (("Content-Type", "application/json"),), json.dumps(body).encode())


class Saved:
    """An update_token that remembers what it was told."""

    def __init__(self, session: list[Bare] | None = None) -> None:
        self.told: list[tuple[str, dict[str, str]]] = []

    def __call__(self, token: OAuth2Token, **replaced: str) -> None:
        self.told.append((token.access_token, replaced))


# -- getting a token ---------------------------------------------------------------------------------------------------


def test_client_credentials_is_one_request_with_the_sessions_scope() -> None:
    session, saved = Bare(scope="a b", token_endpoint=TOKEN_URL), Saved()
    got, asked = drive(session, session._fetch_token(), [token(1)])
    assert [(request.method, request.url) for request in asked] == [("POST", TOKEN_URL)]
    assert form_of(asked[0]) == {"grant_type": "client_credentials", "scope": "a b"}
    assert asked[0].header("authorization") == "Basic aWQ6c2VjcmV0"
    assert got["expires_at"] == NOW + 300
    assert got is session.token
    assert saved.told == []


@pytest.mark.parametrize(
    ("given", "form"),
    [
        ({"username": "u", "password": "p"}, {"grant_type": "password", "username": "u", "password": "p"}),
        ({"code": "c"}, {"grant_type": "authorization_code", "code": "c", "redirect_uri": "https://c.example"}),
        ({"grant_type": "urn:x", "a": ["1"]}, {"grant_type": "urn:x", "a": "1", "scope": "s"}),
        ({"body": "a=1&b=2"}, {"grant_type": "client_credentials", "a": "1", "b": "2", "scope": "s"}),
        ({"body": {"a": "1"}, "scope": "t"}, {"grant_type": "client_credentials", "a": "1", "scope": "t"}),
    ],
)
def test_each_call_asks_for_what_it_says(given: dict[str, Any], form: dict[str, str]) -> None:
    session = Bare(redirect_uri="https://c.example", scope="s")
    if given.get("username"):
        form = {**form, "scope": "s"}
    _, asked = drive(session, session._fetch_token(TOKEN_URL, **given), [token(1)])
    assert form_of(asked[0]) == form


def test_what_one_call_meant_does_not_stick() -> None:
    session = Bare(token_endpoint=TOKEN_URL)
    drive(session, session._fetch_token(username="u", password="p"), [token(1)])
    _, asked = drive(session, session._fetch_token(), [token(2)])
    assert form_of(asked[0])["grant_type"] == "client_credentials"


def test_the_arguments_of_a_call_are_not_changed() -> None:
    session, body, headers = Bare(token_endpoint=TOKEN_URL), {"a": "1"}, {"X": "1"}
    drive(session, session._fetch_token(body=body, headers=headers), [token(1)])
    assert (body, headers) == ({"a": "1"}, {"X": "1"})


def test_a_session_without_a_secret_says_its_name_and_one_with_a_method_uses_it() -> None:
    public = Bare(client_secret=None, token_endpoint=TOKEN_URL)
    _, asked = drive(public, public._fetch_token(), [token(1)])
    assert form_of(asked[0])["client_id"] == "id"
    posting = Bare(token_endpoint_auth_method="client_secret_post", token_endpoint=TOKEN_URL)
    _, asked = drive(posting, posting._fetch_token(), [token(1)])
    assert form_of(asked[0])["client_secret"] == "secret"

    def mine(client: Any, method: str, uri: str, headers: Any, body: str) -> Any:
        return uri, {**headers, "X": "mine"}, body

    _, asked = drive(posting, posting._fetch_token(auth=mine), [token(2)])
    assert asked[0].header("x") == "mine"
    assert "client_secret" not in form_of(asked[0])


def test_a_missing_argument_is_named_before_a_request() -> None:
    session = Bare()
    refuses(session._fetch_token, "token_endpoint=")
    refuses(session._refresh_token, "there is no refresh token")
    refuses(lambda: session._refresh_token(refresh_token="rt"), "token_endpoint=")
    refuses(session._revoke_token, "revocation_endpoint=")
    refuses(session._introspect_token, "introspection_endpoint=")
    refuses(lambda: session._fetch_token(TOKEN_URL, grant_type="password"), "username")
    refuses(lambda: session._fetch_token(TOKEN_URL, body=7), "body")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    refuses(lambda: session._fetch_token(TOKEN_URL, allow_redirects=True), "allow_redirects")
    refuses(lambda: session._revoke_token("https://as.example/revoke"), "no token")


def test_a_login_is_finished_with_the_verifier_and_the_redirect_uri_of_its_request() -> None:
    session = Bare(redirect_uri="https://c.example/cb", code_challenge_method="S256")
    _, state = session.create_authorization_url("https://as.example/auth")
    back = f"https://c.example/cb?code=c&state={state}"
    _, asked = drive(session, session._fetch_token(TOKEN_URL, authorization_response=back), [token(1)])
    form = form_of(asked[0])
    assert (form["grant_type"], form["code"], form["redirect_uri"]) == (
        "authorization_code",
        "c",
        "https://c.example/cb",
    )
    assert len(form["code_verifier"]) >= 43
    assert "scope" not in form


def test_a_transaction_is_finished_by_another_session_of_another_process() -> None:
    first = Bare(redirect_uri="https://c.example/cb", scope="openid")
    made = first.begin_authorization("https://as.example/auth")
    restored = AuthorizationTransaction.from_json(made.to_json())
    second = Bare()
    back = f"https://c.example/cb?code=c&state={made.state}"
    finishing = second._fetch_token(TOKEN_URL, authorization_response=back, transaction=restored)
    _, asked = drive(second, finishing, [token(1, id_token="a.b.c")])
    assert form_of(asked[0])["code_verifier"] == made.code_verifier.reveal()
    refuses(lambda: second._fetch_token(TOKEN_URL, transaction=restored), "authorization_response=")


def test_openid_was_asked_and_no_id_token_came() -> None:
    session = Bare(scope="openid")
    with pytest.raises(InvalidResponse, match="id_token") as caught:
        drive(session, session._fetch_token(TOKEN_URL, code="c"), [token(1)])
    assert caught.value.problem == "id_token_missing"


def test_an_error_callback_makes_no_request() -> None:
    session = Bare()
    _, state = session.create_authorization_url("https://as.example/auth")
    with pytest.raises(AccessDenied):
        next(session._fetch_token(TOKEN_URL, authorization_response=f"https://c/?error=access_denied&state={state}"))


def test_a_fragment_that_was_asked_for_is_a_token_without_a_request() -> None:
    session, saved = Bare(), Saved()
    _, state = session.create_authorization_url("https://as.example/auth", response_type="token")
    back = f"https://c/#access_token=at-9&token_type=bearer&expires_in=60&state={state}"
    got, asked = drive(session, session._token_from_fragment(back), [])
    assert (got.access_token, got.expires_at, asked) == ("at-9", int(NOW) + 60, [])
    assert "state" not in got
    assert saved.told == []


# -- renewing it -------------------------------------------------------------------------------------------------------


def active(session: Bare, *answers: Response) -> list[Request]:
    done, asked = drive(session, session._ensure_active_token(), answers)
    assert done is True
    return asked


def test_an_expired_token_is_refreshed_and_saved_before_it_is_used() -> None:
    saved = Saved()
    session = Bare(token=OLD, token_endpoint=TOKEN_URL, update_token=saved)
    asked = active(session, token(2, refresh_token="rt-2"))
    assert form_of(asked[0]) == {"grant_type": "refresh_token", "refresh_token": "rt-1"}
    assert saved.told == [("at-2", {"refresh_token": "rt-1"})]
    assert session.token is not None
    assert (session.token.access_token, session.token.refresh_token) == ("at-2", "rt-2")


def test_where_no_new_refresh_token_or_scope_comes_the_old_ones_stay() -> None:
    session = Bare(token=OLD, token_endpoint=TOKEN_URL)
    active(session, token(2))
    assert session.token is not None
    assert (session.token.refresh_token, session.token.scope) == ("rt-1", "openid")


def test_after_a_dead_refresh_token_the_initial_grant_is_repeated_if_it_needs_no_user() -> None:
    saved = Saved()
    session = Bare(token_endpoint=TOKEN_URL, update_token=saved)
    getting = session._fetch_token(username="u", password="p", audience="api", scope="s")
    drive(session, getting, [token(1, refresh_token="rt-1", expires_in=0)])
    asked = active(session, REFUSED, token(2))
    assert [form_of(request) for request in asked] == [
        {"grant_type": "refresh_token", "refresh_token": "rt-1", "scope": "s", "audience": "api"},
        {"grant_type": "password", "username": "u", "password": "p", "audience": "api", "scope": "s"},
    ]
    assert saved.told == [("at-1", {}), ("at-2", {"access_token": "at-1"})]


def test_a_dead_refresh_token_without_another_way_is_an_error_and_the_expired_token_stays_unsent() -> None:
    session = Bare(token=OLD, token_endpoint=TOKEN_URL)
    with pytest.raises(InvalidGrant, match="Session not active"):
        active(session, REFUSED)
    assert session._oauth.slot.token is not None
    with pytest.raises(TokenExpiredError):
        Bare(token={**OLD, "refresh_token": None}, token_endpoint=TOKEN_URL)._oauth.slot.decide(NOW)


def test_a_refresh_token_that_was_refused_is_presented_by_no_renewal_that_had_been_wanted_before() -> None:
    session = Bare(token=OLD, token_endpoint=TOKEN_URL)
    for answers in ([REFUSED], []):
        with pytest.raises(InvalidGrant, match="Session not active"):
            active(session, *answers)


def test_a_refused_refresh_token_says_nothing_of_a_token_that_came_between() -> None:
    session = Bare(token=OLD, token_endpoint=TOKEN_URL)
    refreshing = session._refresh_token(refresh_token="rt-1")
    wanted = next(refreshing)
    session.token = {**OLD, "refresh_token": "rt-2"}
    assert isinstance(wanted, Renewed)
    slot = session._oauth.slot
    with pytest.raises(InvalidGrant):
        drive(session, slot.renew_or_share(slot.attempts.generation, renew=wanted.renew), [REFUSED])
    assert slot.dead is None


def test_a_session_made_for_client_credentials_gets_another_token_by_itself() -> None:
    session = Bare(
        token={"access_token": "at-1", "expires_at": NOW},
        token_endpoint=TOKEN_URL,
        grant_type="client_credentials",
        scope="s",
    )
    asked = active(session, token(2))
    assert form_of(asked[0]) == {"grant_type": "client_credentials", "scope": "s"}


def test_an_explicit_refresh_says_what_it_wants_and_needs_a_refresh_token() -> None:
    session = Bare(token=OLD, token_endpoint=TOKEN_URL)
    got, asked = drive(session, session._refresh_token(scope="a", body="b=1"), [token(2)])
    assert form_of(asked[0]) == {"grant_type": "refresh_token", "refresh_token": "rt-1", "scope": "a", "b": "1"}
    assert got["access_token"] == "at-2"
    other, asked = drive(session, session._refresh_token(refresh_token="rt-9"), [token(3)])
    assert form_of(asked[0])["refresh_token"] == "rt-9"
    assert other.refresh_token == "rt-9"
    empty = Bare(token_endpoint=TOKEN_URL)
    with pytest.raises(MissingTokenError):
        drive(empty, empty._refresh_token(), [])


def test_fetch_token_with_the_grant_refresh_token_is_a_refresh() -> None:
    session = Bare(token=OLD, token_endpoint=TOKEN_URL)
    got, asked = drive(session, session._fetch_token(grant_type="refresh_token", scope="a"), [token(2)])
    assert form_of(asked[0]) == {"grant_type": "refresh_token", "refresh_token": "rt-1", "scope": "a"}
    assert got["access_token"] == "at-2"


def test_fetch_token_takes_a_fragment_that_was_asked_for() -> None:
    session = Bare()
    _, state = session.create_authorization_url("https://as.example/auth", response_type="token")
    back = f"https://c/#access_token=at-9&token_type=bearer&state={state}"
    got, asked = drive(session, session._fetch_token(authorization_response=back), [])
    assert (got.access_token, asked) == ("at-9", [])


def test_an_active_token_may_be_brought_along() -> None:
    session = Bare(token=OLD, token_endpoint=TOKEN_URL)
    fresh = {"access_token": "at-5", "refresh_token": "rt-5", "expires_at": NOW}
    _, asked = drive(session, session._ensure_active_token(fresh), [token(6)])
    assert form_of(asked[0])["refresh_token"] == "rt-5"


def test_when_saving_fails_the_token_is_kept_as_the_old_one_may_be_dead_and_the_error_is_raised() -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    session = Bare(token=OLD, token_endpoint=TOKEN_URL, update_token=failing)
    with pytest.raises(OSError, match="disk full"):
        active(session, token(2, refresh_token="rt-2"))
    assert session.token is not None
    assert session.token.refresh_token == "rt-2"


# -- revoking, asking, hooks -------------------------------------------------------------------------------------------


def test_a_token_is_revoked_and_asked_about_at_their_endpoints() -> None:
    session = Bare(
        token=OLD,
        revocation_endpoint="https://as.example/revoke",
        introspection_endpoint="https://as.example/introspect",
        revocation_endpoint_auth_method="client_secret_post",
    )
    response, asked = drive(session, session._revoke_token(token_type_hint="refresh_token"), [Response(200)])
    assert response == Response(200)
    assert form_of(asked[0]) == {
        "token": "rt-1",
        "token_type_hint": "refresh_token",
        "client_id": "id",
        "client_secret": "secret",
    }
    got, asked = drive(session, session._introspect_token(token="at-1"), [Response(200, (), b'{"active": true}')])
    assert got.active
    assert form_of(asked[0]) == {"token": "at-1"}
    assert asked[0].header("authorization") == "Basic aWQ6c2VjcmV0"


def test_hooks_mend_what_is_sent_and_what_comes() -> None:
    session = Bare(token=OLD, token_endpoint=TOKEN_URL)

    def before(url: str, headers: Any, body: str) -> tuple[str, Any, str]:
        return url + "?hooked", {**headers, "X": "1"}, body + "&hook=1"

    def after(response: Response) -> Response:
        return token(2, mended=True)

    session.register_compliance_hook("refresh_token_request", before)
    session.register_compliance_hook("refresh_token_response", after)
    asked = active(session, Response(200, (), b'{"access_token": "at-2"}'))
    assert asked[0].url == TOKEN_URL + "?hooked"
    assert asked[0].header("x") == "1"
    assert form_of(asked[0])["hook"] == "1"
    assert session.token is not None
    assert session.token["mended"] is True


def test_methods_of_client_authentication_are_registered_by_pair_or_by_name() -> None:
    session = Bare(token_endpoint=TOKEN_URL, token_endpoint_auth_method="mine")

    def mine(client: Any, method: str, uri: str, headers: Any, body: str) -> Any:
        return uri, {**headers, "X": client.client_secret}, body

    session.register_client_auth_method(("mine", mine))
    _, asked = drive(session, session._fetch_token(), [token(1)])
    assert asked[0].header("x") == "secret"
    for odd in (("mine", 7), (7, mine), mine):
        with pytest.raises(UsageError, match="pair"):
            session.register_client_auth_method(odd)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_session_tells_what_it_knows_and_takes_another_token() -> None:
    session = Bare(scope=["a", "b"], redirect_uri="https://c.example", leeway=5, token_endpoint=TOKEN_URL)
    assert (session.client_id, session.scope, session.redirect_uri, session.leeway) == (
        "id",
        "a b",
        "https://c.example",
        5,
    )
    assert session.metadata.token_endpoint == TOKEN_URL
    assert session.token is None
    session.token = {"access_token": "x"}
    assert session.token == OAuth2Token({"access_token": "x"})
    session.token = None
    with pytest.raises(MissingTokenError):
        session._oauth.slot.decide(NOW)
    assert Bare().scope is None


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        (None, (("x", "1"),)),
        ("", (("x", "1"),)),
        ("a=1&a=2", (("a", "1"), ("a", "2"), ("x", "1"))),
        (b"a=%C3%A9", (("a", "é"), ("x", "1"))),
        ({"a": ["1", "2"], "b": None}, (("a", "1"), ("a", "2"), ("x", "1"))),
    ],
)
def test_a_body_and_keyword_arguments_become_parameters(body: Any, pairs: Any) -> None:
    assert extra_pairs(body, {"x": "1"}) == pairs
