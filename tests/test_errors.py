"""Errors as an interface: one tree, stable codes, bounded text, pickled and copied whole, and no secret in any."""

import ast
import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey import errors
from doorkey.errors import (
    MAX_TEXT,
    InvalidGrant,
    InvalidResponse,
    InvalidScope,
    MismatchingStateError,
    MissingLibraryError,
    MissingTokenError,
    OAuthError,
    RecordError,
    ServerError,
    StoreError,
    TokenExpiredError,
    TransportError,
    UsageError,
    VerificationError,
    printable,
    scrubbed,
)
from doorkey.protocol.token_endpoint import parse_token
from doorkey.wire.messages import Response

ALL: list[tuple[OAuthError, str]] = [
    (OAuthError(), "oauth_error"),
    (OAuthError("an_error", "in words", "https://as.example/e"), "an_error: in words"),
    (UsageError("give a url"), "give a url"),
    (UsageError("bound", error="unsupported_token_type"), "unsupported_token_type: bound"),
    (
        MissingLibraryError("requests is not installed", name="requests"),
        "requests is not installed",
    ),
    (MissingTokenError("none yet"), "none yet"),
    (TokenExpiredError("over"), "over"),
    (TransportError("gone", retryable=True), "gone"),
    (StoreError("locked"), "locked"),
    (
        InvalidResponse("not_json", "the body is not JSON", status=502, excerpt="<h1>Bad Gateway"),
        "the body is not JSON (HTTP 502); it begins: <h1>Bad Gateway",
    ),
    (InvalidResponse("empty", "it is empty"), "it is empty"),
    (VerificationError("aud", "is missing"), "aud is missing"),
    (
        VerificationError("iss", "is another", expected="https://a"),
        "iss is another (expected https://a)",
    ),
    (
        MismatchingStateError(),
        "state belongs to another login: finish a login in the session that began it",
    ),
    (MismatchingStateError("is missing"), "state is missing"),
    (RecordError("is truncated", expected="v1"), "record is truncated (expected v1)"),
    (ServerError(), "server_error_response"),
    (
        InvalidGrant(
            "invalid_grant", "Session not active", "https://e", status=400, headers=[("A", "b")], retry_after=3.0
        ),
        "invalid_grant: Session not active",
    ),
    *((kind(), code) for code, kind in ServerError.by_error.items()),
]
EACH = pytest.mark.parametrize("error", [error for error, _ in ALL], ids=lambda error: f"{type(error).__name__}")


@pytest.mark.parametrize(("error", "text"), ALL)
def test_an_error_reads_as_its_code_and_its_description(error: OAuthError, text: str) -> None:
    assert str(error) == text
    assert repr(error) == f"<{type(error).__name__} {text!r}>"


def state_of(error: OAuthError) -> dict[str, Any]:
    return {"type": type(error), "str": str(error), "args": error.args, **vars(error)}


@EACH
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_is_pickled_whole_for_another_process(error: OAuthError, protocol: int) -> None:
    assert state_of(pickle.loads(pickle.dumps(error, protocol))) == state_of(error)  # noqa: S301


@EACH
def test_an_error_is_copied_whole(error: OAuthError) -> None:
    assert state_of(copy.copy(error)) == state_of(error)
    assert state_of(copy.deepcopy(error)) == state_of(error)


@EACH
def test_a_waiter_gets_a_copy_without_the_traceback_and_with_the_cause(error: OAuthError) -> None:
    cause = OSError("refused")
    try:
        raise error from cause
    except OAuthError:
        twin = error.for_waiter()
    assert twin is not error
    assert state_of(twin) == state_of(error)
    assert twin.__traceback__ is None
    assert twin.__cause__ is cause


def test_the_cause_of_a_copy_is_the_error_itself_where_that_has_none() -> None:
    error = InvalidGrant("invalid_grant")
    assert error.for_waiter().__cause__ is error


def test_every_error_of_the_tree_is_in_the_drawing() -> None:
    drawing = errors.__doc__ or ""
    tree = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, OAuthError)}
    drawn = {kind for kind in tree if kind.__name__ in drawing}
    assert {kind for kind in tree - drawn if not issubclass(kind, ServerError)} == set()


def test_the_branches_say_whose_fault_it_is() -> None:
    assert issubclass(UsageError, ValueError)
    assert issubclass(MissingTokenError, UsageError)
    assert issubclass(TokenExpiredError, UsageError)
    for kind in (UsageError, TransportError, ServerError, InvalidResponse, VerificationError):
        assert issubclass(kind, OAuthError)
        assert kind.__bases__[0] is OAuthError


def test_each_code_belongs_to_one_class() -> None:
    tree = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, OAuthError)}
    codes = [kind.code for kind in tree]
    assert sorted(codes) == sorted(set(codes))


def test_a_registered_code_has_its_class_and_any_other_the_general_one() -> None:
    assert ServerError.named("invalid_scope") is InvalidScope
    assert ServerError.named("made_up") is ServerError
    assert ServerError.named("oauth_error") is ServerError


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("OAuth2Error", "OAuthError"),
        ("InvalidTokenError", "TokenExpiredError"),
        ("MismatchingStateException", "MismatchingStateError"),
        *((f"{name}Error", name) for name in ("InvalidRequest", "InvalidClient", "InvalidGrant", "InvalidScope")),
        *((f"{name}Error", name) for name in ("UnauthorizedClient", "UnsupportedGrantType", "UnsupportedResponseType")),
        *((f"{name}Error", name) for name in ("AccessDenied", "UnsupportedTokenType")),
    ],
)
def test_the_names_that_programs_import_are_the_same_classes(alias: str, name: str) -> None:
    assert getattr(errors, alias) is getattr(errors, name)


LONG = "\x1b[31m\r\n\x00\u202e" + "é" * 100_000


@pytest.mark.parametrize(
    "error",
    [
        OAuthError(LONG, LONG, LONG),
        ServerError(LONG, LONG, LONG),
        UsageError(LONG),
        TransportError(LONG),
        InvalidResponse("not_json", LONG, excerpt=LONG),
        VerificationError("iss", LONG, expected=LONG),
        RecordError(LONG),
    ],
)
def test_a_servers_own_words_are_bounded_and_escaped_wherever_they_are_kept(error: OAuthError) -> None:
    for text in (str(error), repr(error), *(value for value in vars(error).values() if isinstance(value, str))):
        assert text.isprintable()
        assert len(text) < 4 * MAX_TEXT
    assert all(len(str(argument)) < 4 * MAX_TEXT for argument in error.args)


@settings(deadline=None, max_examples=100)
@given(st.text(), st.integers(0, 20))
def test_printable_text_is_printable_bounded_and_else_unchanged(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert shown.isprintable()
    assert len(shown) <= 10 * limit + 1
    if text.isprintable() and len(text) <= limit:
        assert shown == text


def broken_json(secret: str) -> object:
    return json.loads(f'{{"access_token":"{secret}"')


def broken_utf8(secret: str) -> object:
    return (secret.encode() + b"\xff").decode()


def lone_surrogate(secret: str) -> object:
    return f"{secret}\ud800".encode()


@pytest.mark.parametrize("call", [broken_json, broken_utf8, lone_surrogate])
def test_what_stands_behind_an_error_of_ours_quotes_nothing(call: Callable[[str], object]) -> None:
    with pytest.raises(UsageError) as raised:  # noqa: PT012  # the handler is what is tested
        try:
            call("s3cret")
        except ValueError as error:
            raise UsageError("it cannot be read") from scrubbed(error)
    behind: Any = raised.value.__context__
    assert isinstance(behind, ValueError)
    quoted = (getattr(behind, "object", ""), vars(behind), behind.args, str(behind))
    assert "s3cret" not in f"{quoted}"


def test_the_context_of_an_error_of_the_program_is_kept() -> None:
    theirs = KeyError("theirs")
    with pytest.raises(UsageError):  # noqa: PT012
        try:
            raise theirs
        except KeyError:
            try:
                broken_json("")
            except ValueError as error:
                raise UsageError("it cannot be read") from scrubbed(error)
    assert theirs.args == ("theirs",)


def test_no_builtin_error_is_raised_by_name_in_the_source() -> None:
    """`raise ValueError(...)` and its like would cross the public API; magic methods are Python's own business."""
    own = {"KeyError", "TypeError", "ValueError", "RuntimeError", "OverflowError", "Exception", "IndexError"}
    root = Path(errors.__file__).parent
    found = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in sorted(root.rglob("*.py"))
        if path.relative_to(root).parts[0] not in ("server", "dev")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call | ast.Name)
        and getattr(node.exc.func if isinstance(node.exc, ast.Call) else node.exc, "id", "") in own
    ]
    assert found == []


def test_a_programs_own_subclass_is_not_what_a_servers_error_is_raised_as() -> None:
    class Mine(InvalidGrant):
        def __init__(self, why: str) -> None:
            super().__init__("invalid_grant", why)

    class Again(ServerError):
        code = "invalid_grant"

    class Vendors(ServerError):
        code = "vendor_says_no"

    try:
        assert ServerError.named("invalid_grant") is InvalidGrant
        assert ServerError.named("vendor_says_no") is Vendors
        assert Mine("own words").code == Again().code == "invalid_grant"
        answer = Response(400, (("Content-Type", "application/json"),), b'{"error":"invalid_grant"}')
        with pytest.raises(InvalidGrant) as caught:
            parse_token(answer, requested_at=0.0)
        assert type(caught.value) is InvalidGrant
    finally:
        del ServerError.by_error["vendor_says_no"]
