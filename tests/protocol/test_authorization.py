"""The URL a browser is sent to, and the callback it comes back with, checked in one order."""

import base64
import json
import pickle
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import AccessDenied, MismatchingStateError, ServerError, UsageError, VerificationError
from doorkey.protocol.authorization import (
    MAX_CALLBACK,
    AuthorizationTransaction,
    Callback,
    authorization_url,
    new_state,
    parse_callback,
)
from doorkey.values import Scope, Secret
from tests.support.saying import said_by

CB, ISSUER = "https://client.example.com/cb", "https://server.example.com"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
OPTIONAL = ("issuer", "redirect_uri", "scope", "token_endpoint")
TRANSACTION = AuthorizationTransaction(
    url="https://server.example.com/authorize?state=xyz",
    state="xyz",
    code_verifier=Secret(VERIFIER),
    nonce="n-1",
    issuer=ISSUER,
    redirect_uri=CB,
    scope=Scope(("openid", "email")),
    response_mode="query",
    expires_at=1_800_000_600.5,
    token_endpoint="https://as.example/token",
    resource=("https://api.example", "https://other.example"),
    response_type="code id_token",
    max_age=300.0,
    acr_values=("1", "2"),
)


def callback(*pairs: tuple[str, str], base: str = CB, mark: str = "?") -> str:
    return f"{base}{mark}{urlencode(pairs)}"


# -- the request -------------------------------------------------------------------------------------------------------


def test_the_url_is_that_of_rfc_6749_section_4_1_1() -> None:
    ours = (
        ("response_type", "code"),
        ("client_id", "s6BhdRkqt3"),
        ("state", "xyz"),
        ("redirect_uri", "https://client.example.com/cb"),
    )
    assert authorization_url("https://server.example.com/authorize", ours) == (
        "https://server.example.com/authorize?response_type=code&client_id=s6BhdRkqt3&state=xyz"
        "&redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb"
    )


def test_the_endpoints_own_query_stays_and_extra_parameters_follow() -> None:
    url = authorization_url("https://a.example/auth?tenant=1", (("state", "s"),), [("prompt", "login"), ("x", "1")])
    assert url == "https://a.example/auth?tenant=1&state=s&prompt=login&x=1"


@pytest.mark.parametrize("name", ["state", "code_challenge", "redirect_uri", "client_id"])
def test_a_reserved_parameter_cannot_be_overridden(name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}' is reserved"):
        authorization_url("https://a.example/auth", ((name, "ours"),), [(name, "theirs")])


@pytest.mark.parametrize(
    "endpoint", ["http://a.example/auth", "https://a.example/auth#f", "/auth", "https://u@a.example"]
)
def test_a_browser_is_not_sent_where_no_server_can_be(endpoint: str) -> None:
    with pytest.raises(UsageError, match="authorization endpoint"):
        authorization_url(endpoint, (("state", "s"),))


def test_a_state_has_at_least_128_bits_and_is_never_the_same() -> None:
    states = {new_state() for _ in range(100)}
    assert len(states) == 100
    assert all(len(base64.urlsafe_b64decode(state)) * 8 >= 128 for state in states)


# -- the transaction ---------------------------------------------------------------------------------------------------


def test_a_transaction_goes_through_json_and_comes_back_the_same() -> None:
    assert AuthorizationTransaction.from_json(TRANSACTION.to_json()) == TRANSACTION
    assert AuthorizationTransaction.from_json(TRANSACTION.to_json().encode()) == TRANSACTION
    assert AuthorizationTransaction.from_dict(json.loads(json.dumps(TRANSACTION.to_dict()))) == TRANSACTION


def test_optional_members_may_be_missing() -> None:
    members = {k: v for k, v in TRANSACTION.to_dict().items() if k not in OPTIONAL}
    restored = AuthorizationTransaction.from_dict({**members, "expires_at": 1_800_000_600})
    assert (restored.issuer, restored.redirect_uri, restored.scope) == (None, None, Scope())
    assert restored.token_endpoint is None


def test_a_transaction_of_an_older_version_is_one_of_the_code_flow() -> None:
    newer = ("response_type", "max_age", "acr_values")
    members = {k: v for k, v in TRANSACTION.to_dict().items() if k not in newer}
    restored = AuthorizationTransaction.from_dict(members)
    assert (restored.response_type, restored.max_age, restored.acr_values) == ("code", None, ())


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in ("url", "state", "code_verifier", "nonce", "response_mode", "expires_at")),
        *({name: 7} for name in ("url", "state", "code_verifier", "nonce", *OPTIONAL)),
        {"state": ""},
        {"expires_at": True},
        {"expires_at": "soon"},
        {"expires_at": float("nan")},
        {"expires_at": 10**400},
        {"scope": 'a"b'},
        {"scope": ["openid"]},
        {"resource": "https://api.example"},
        {"resource": [7]},
        {"acr_values": "1 2"},
        {"acr_values": [7]},
        {"response_type": ""},
        {"response_type": ["code"]},
        {"max_age": "soon"},
        {"max_age": -1},
    ],
)
def test_anything_else_is_no_transaction(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        AuthorizationTransaction.from_dict({**TRANSACTION.to_dict(), **change})


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"url": 1, "url": 2}', b"\xff", "\ud800"])
def test_text_that_is_no_transaction_is_a_usage_error(text: Any) -> None:
    with pytest.raises(UsageError, match="not an authorization transaction"):
        AuthorizationTransaction.from_json(text)


def test_the_verifier_is_shown_by_to_dict_alone() -> None:
    assert VERIFIER not in repr(TRANSACTION) + str(TRANSACTION) + f"{TRANSACTION}"
    assert TRANSACTION.to_dict()["code_verifier"] == VERIFIER
    with pytest.raises(UsageError):
        pickle.dumps(TRANSACTION)


# -- the callback ------------------------------------------------------------------------------------------------------


def test_the_callback_of_rfc_6749_section_4_1_2_is_read() -> None:
    got = parse_callback("https://client.example.com/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=xyz", state="xyz")
    assert got == Callback({"code": "SplxlOBeZQQYbYS6WxSbIA", "state": "xyz"})
    assert "Splxl" not in repr(got)


def test_the_callback_of_rfc_9207_section_2_is_read() -> None:
    url = "https://client.example/cb?code=x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58&state=ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI&iss=https%3A%2F%2Fhonest.as.example"
    state = "ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI"
    got = parse_callback(url, state=state, issuer="https://honest.as.example", iss_required=True)
    assert got.parameters["code"].startswith("x1848")


@pytest.mark.parametrize(
    ("sent", "came"),
    [("xyz", "xyZ"), ("xyz", ""), ("xyz", "xyz "), ("xyz", "é"), ("xyz", None), (None, "xyz"), ("\ud800", "xyz")],
)
def test_a_state_that_is_not_the_one_sent_is_a_mismatch(sent: str | None, came: str | None) -> None:
    pairs = [("code", "c")] + ([("state", came)] if came is not None else [])
    with pytest.raises(MismatchingStateError, match="state"):
        parse_callback(callback(*pairs), state=sent)


def test_a_request_without_state_has_a_callback_without_one() -> None:
    assert parse_callback(callback(("code", "c")), state=None).parameters == {"code": "c"}


NAMES = ["state", "code", "iss", "error", "error_description", "error_uri", "response", "session_state"]
TOKEN_NAMES = ["access_token", "token_type", "expires_in", "scope", "id_token"]


@pytest.mark.parametrize("name", [*NAMES, *TOKEN_NAMES])
@pytest.mark.parametrize("second", ["xyz", "other"])
def test_a_parameter_that_stands_there_twice_is_refused_before_all_else(name: str, second: str) -> None:
    url = callback(
        ("state", "wrong"), ("error", "access_denied"), ("iss", "https://evil"), (name, "xyz"), (name, second)
    )
    with pytest.raises(VerificationError, match="more than once") as caught:
        parse_callback(url, state="xyz", issuer=ISSUER)
    assert not isinstance(caught.value, MismatchingStateError)


def test_a_parameter_that_means_nothing_here_may_repeat() -> None:
    assert parse_callback(callback(("x", "1"), ("x", "2"), ("state", "s")), state="s").parameters["x"] == "2"


def test_the_state_is_checked_before_the_issuer_and_the_error() -> None:
    url = callback(("state", "wrong"), ("iss", "https://evil"), ("error", "access_denied"))
    with pytest.raises(MismatchingStateError):
        parse_callback(url, state="xyz", issuer=ISSUER)


@pytest.mark.parametrize("iss", ["https://evil", ISSUER + "/", ISSUER.upper(), "", ISSUER + "\n"])
@pytest.mark.parametrize("answer", ["code", "error"])
def test_an_issuer_that_is_not_the_one_asked_is_refused_before_code_and_error_are_used(iss: str, answer: str) -> None:
    with pytest.raises(VerificationError, match="iss names another") as caught:
        parse_callback(callback(("state", "s"), ("iss", iss), (answer, "access_denied")), state="s", issuer=ISSUER)
    assert caught.value.claim == "iss"
    assert caught.value.expected == ISSUER
    assert ("differ by a slash" in str(caught.value)) == (iss == ISSUER + "/")


@pytest.mark.parametrize("answer", ["code", "error"])
def test_an_issuer_that_was_promised_must_come(answer: str) -> None:
    url = callback(("state", "s"), (answer, "access_denied"))
    with pytest.raises(VerificationError, match="iss is missing"):
        parse_callback(url, state="s", issuer=ISSUER, iss_required=True)
    if answer == "code":
        assert parse_callback(url, state="s", issuer=ISSUER).parameters["code"]


def test_an_issuer_is_accepted_if_none_is_expected() -> None:
    assert parse_callback(callback(("iss", "https://x"), ("state", "s")), state="s").parameters["iss"] == "https://x"


def test_an_error_callback_is_raised_as_in_rfc_6749_section_4_1_2_1() -> None:
    with pytest.raises(AccessDenied) as caught:
        parse_callback("https://client.example.com/cb?error=access_denied&state=xyz", state="xyz")
    assert str(caught.value) == "access_denied"
    assert caught.value.status is None


def test_an_error_wins_over_a_code() -> None:
    with pytest.raises(AccessDenied):
        parse_callback(callback(("code", "c"), ("error", "access_denied"), ("state", "s")), state="s")


def test_an_error_without_a_name_is_still_one() -> None:
    with pytest.raises(ServerError, match="invalid_error"):
        parse_callback(callback(("code", "c"), ("error", ""), ("state", "s")), state="s")


def test_what_an_error_callback_says_is_bounded_and_escaped() -> None:
    said = "\x1b[31m<script>\r\n" + "a" * 5000
    url = callback(("error", said), ("error_description", said), ("error_uri", said), ("state", "s"))
    with pytest.raises(ServerError) as caught:
        parse_callback(url, state="s")
    error = caught.value
    assert all(len(text) < 600 and text.isprintable() for text in (error.error, error.description, error.uri or ""))


def test_a_fragment_is_read_only_where_the_request_asked_for_one() -> None:
    url = callback(("code", "q"), ("state", "s")) + "#" + urlencode({"access_token": "hunter2", "state": "s"})
    assert parse_callback(url, state="s").parameters == {"code": "q", "state": "s"}
    assert parse_callback(url, state="s", fragment=True).parameters == {"access_token": "hunter2", "state": "s"}
    with pytest.raises(MismatchingStateError):
        parse_callback(callback(("access_token", "a"), ("state", "s"), mark="#"), state="s")


class Several(dict[str, str]):
    """A form as Starlette holds it: `multi_items` has every value."""

    def multi_items(self) -> list[tuple[str, str]]:
        return [("code", "c"), ("code", "d"), ("state", "s")]


class Lists(dict[str, str]):
    """A form as Django and Werkzeug hold it: `lists` has every value."""

    def lists(self) -> list[tuple[str, list[str]]]:
        return [("code", ["c", "d"]), ("state", ["s"])]


def test_a_posted_form_is_read_as_a_mapping() -> None:
    posted = {"code": "c", "state": "s", "iss": ISSUER}
    assert parse_callback(posted, state="s", issuer=ISSUER).parameters == posted
    assert parse_callback({"code": ["c"], "state": ["s"]}, state="s").parameters == {"code": "c", "state": "s"}


@pytest.mark.parametrize(
    "form", [Several(code="c", state="s"), Lists(code="c", state="s"), {"code": ["c", "d"], "state": "s"}]
)
def test_a_parameter_that_a_posted_form_repeats_is_refused(form: Any) -> None:
    with pytest.raises(VerificationError, match="code occurs in the callback more than once"):
        parse_callback(form, state="s")


@pytest.mark.parametrize("form", [{"code": 7}, {7: "c"}, {"code": ["c", None]}, {"code": b"c"}, {"code": {"a": "b"}}])
def test_a_posted_form_holds_text(form: Any) -> None:
    with pytest.raises(VerificationError, match="value that is not text"):
        parse_callback(form, state="s")


def test_an_oversized_posted_form_is_refused() -> None:
    with pytest.raises(VerificationError, match="longer than"):
        parse_callback({"state": "s", "x": "a" * MAX_CALLBACK}, state="s")


def test_an_oversized_callback_is_refused_unread() -> None:
    with pytest.raises(VerificationError, match="longer than"):
        parse_callback(callback(("state", "s"), ("x", "a" * MAX_CALLBACK)), state="s")


@pytest.mark.parametrize(("url", "what"), [("https://[/cb?state=s", "not a URL"), (CB + "?" + "a&" * 2000, "1000")])
def test_a_value_that_is_not_a_callback_is_a_typed_error(url: str, what: str) -> None:
    with pytest.raises(VerificationError, match=what):
        parse_callback(url, state="s")


@settings(deadline=None, max_examples=200)
@given(
    st.text(max_size=80)
    | st.lists(
        st.tuples(st.sampled_from([*NAMES, "x"]), st.text(max_size=6) | st.sampled_from(["s", ISSUER])), max_size=5
    ).map(lambda pairs: CB + "?" + "&".join(f"{name}={value}" for name, value in pairs)),
    st.none() | st.sampled_from(["s", "", "é"]),
    st.booleans(),
    st.booleans(),
)
def test_any_text_is_a_callback_or_an_error_of_ours(
    url: str, state: str | None, required: bool, fragment: bool
) -> None:
    said = said_by(lambda: parse_callback(url, state=state, issuer=ISSUER, iss_required=required, fragment=fragment))
    assert said.isprintable()
    assert len(said) < 1000


def test_the_iss_of_an_id_token_that_is_verified_replaces_the_parameter() -> None:
    back = callback(("state", "s"), ("code", "c"), ("id_token", "h.p.s"))
    required: dict[str, Any] = {"state": "s", "issuer": ISSUER, "iss_required": True}
    assert parse_callback(back, **required, iss_in_id_token=True).parameters["code"] == "c"
    for response, replaced in ((back, False), (callback(("state", "s"), ("code", "c")), True)):
        with pytest.raises(VerificationError, match="iss is missing"):
            parse_callback(response, **required, iss_in_id_token=replaced)
    with pytest.raises(VerificationError, match="another authorization server"):
        parse_callback(f"{back}&iss=https://other.example", **required, iss_in_id_token=True)


def test_an_error_response_names_its_issuer_also_beside_an_id_token() -> None:
    """Nothing verifies that ID token, so another server could show its error as that of this one."""
    required: dict[str, Any] = {"state": "s", "issuer": ISSUER, "iss_required": True, "iss_in_id_token": True}
    forged = callback(("state", "s"), ("error", "access_denied"), ("id_token", "h.p.s"))
    with pytest.raises(VerificationError, match="iss is missing"):
        parse_callback(forged, **required)
