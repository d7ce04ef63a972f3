"""Servers describe errors in many shapes; the code, the text and the class are found in each."""

import json
from typing import Any

import pytest

from doorkey.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidResponse,
    OAuthError,
    ServerError,
    TemporarilyUnavailable,
)
from doorkey.wire.error_shapes import DescribedError, error_in
from doorkey.wire.messages import FORM, Request, Response
from doorkey.wire.responses import json_answer

JSON = (("Content-Type", "application/json"),)
FITBIT = {"errors": [{"errorType": "invalid_grant", "message": "Refresh token invalid: 8f2a"}], "success": False}
GOOGLE = {"error": {"code": 400, "message": "Bad Request", "status": "INVALID_ARGUMENT"}}
PROBLEM = {"type": "about:blank", "title": "Forbidden", "detail": "The client is suspended", "status": 403}


def failed(status: int, members: object, headers: tuple[tuple[str, str], ...] = JSON, body: bytes = b"") -> OAuthError:
    asked = Request("POST", "https://as.example/token", form=(("refresh_token", "r-hunter2-hunter2"),))
    with pytest.raises(OAuthError) as caught:
        json_answer(Response(status, headers, body or json.dumps(members).encode(), asked), "token response")
    return caught.value


@pytest.mark.parametrize(
    ("members", "status", "expected"),
    [
        ({"error": "invalid_grant"}, 400, DescribedError("invalid_grant")),
        (
            {"error": "x", "error_description": "why", "error_uri": "https://e"},
            400,
            DescribedError("x", "why", "https://e"),
        ),
        ({"error": "x", "message": "why"}, 400, DescribedError("x", "why")),
        (FITBIT, 401, DescribedError("invalid_grant", "Refresh token invalid: 8f2a")),
        (GOOGLE, 400, DescribedError("invalid_error", "Bad Request")),
        ({"error": {"type": "invalid_client"}}, 400, DescribedError("invalid_client")),
        ({"code": "invalid_grant", "message": "used up"}, 400, DescribedError("invalid_grant", "used up")),
        ({"code": "invalid_grant"}, 200, None),
        ({"errors": []}, 400, None),
        ({"errors": ["text"]}, 400, None),
        ({"error": None, "access_token": "a"}, 200, None),
        (PROBLEM, 403, None),
        ({"error": 7}, 400, DescribedError("invalid_error")),
    ],
)
def test_an_error_is_found_in_every_shape(
    members: dict[str, Any], status: int, expected: DescribedError | None
) -> None:
    assert error_in(members, status) == expected


@pytest.mark.parametrize(
    ("status", "members", "kind", "shown"),
    [
        (400, FITBIT, InvalidGrant, "Refresh token invalid"),
        (401, {"error": {"type": "invalid_client", "message": "unknown"}}, InvalidClient, "unknown"),
        (400, GOOGLE, ServerError, "Bad Request"),
        (429, {"error": {"message": "slow"}}, TemporarilyUnavailable, "slow"),
        (429, {"error": "rate_limited"}, TemporarilyUnavailable, "rate_limited"),
        (503, {"errors": [{"message": "later"}]}, TemporarilyUnavailable, "later"),
        (403, PROBLEM, InvalidResponse, "The client is suspended"),
        (503, PROBLEM, TemporarilyUnavailable, "503"),
        (500, {"message": "oops"}, InvalidResponse, "oops"),
    ],
)
def test_the_code_or_the_status_determines_the_class_and_the_servers_text_is_shown(
    status: int, members: dict[str, Any], kind: type[OAuthError], shown: str
) -> None:
    error = failed(status, members)
    assert type(error) is kind
    assert shown in str(error)


def test_a_response_outside_the_protocol_names_the_hook_that_can_repair_it() -> None:
    for error in (failed(403, PROBLEM), failed(200, None, body=b"<html>", headers=(("Content-Type", "text/html"),))):
        assert "'access_token_response'" in str(error)


def test_a_form_encoded_token_is_named_by_its_media_type_and_shows_no_value() -> None:
    error = failed(
        200, None, (("Content-Type", f"{FORM}; charset=utf-8"),), b"access_token=hunter2&token_type=bearer&x="
    )
    assert FORM in str(error)
    assert "access_token=[hidden]&token_type=[hidden]&x=[hidden]" in str(error)
    assert "hunter2" not in str(error)


def test_a_page_with_a_success_is_named_by_its_media_type_and_begins_as_it_does() -> None:
    error = failed(
        200, None, (("Content-Type", "text/html"),), b"<title>Sign in</title> token=hunter2 ya29.a0AfH6SMBx7"
    )
    assert "text/html" in str(error)
    assert "<title>Sign in</title>" in str(error)
    assert "hunter2" not in str(error)


def test_a_json_body_that_is_cut_shows_no_token() -> None:
    error = failed(200, None, body=b'{"access_token": "hunter2", "x": "hunter2')
    assert "hunter2" not in str(error) + repr(vars(error))
