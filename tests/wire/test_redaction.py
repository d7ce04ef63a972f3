"""What a request says in confidence is in no error about its answer, however the server spells it."""

from base64 import b64encode
from html import escape
from urllib.parse import quote, quote_plus

import pytest

from doorkey.errors import InvalidGrant, InvalidResponse, ServerError, TemporarilyUnavailable
from doorkey.wire.flow import Flow, run
from doorkey.wire.messages import Request, Response
from doorkey.wire.redaction import HIDDEN, names_of_form, redactor, without_tokens
from doorkey.wire.responses import json_answer

SECRET = "s3cret/& of <the> client's"


def asking(*form: tuple[str, str], url: str = "https://as.example/token", authorization: str | None = None) -> Request:
    request = Request("POST", url, form=form)
    return request if authorization is None else request.with_header("Authorization", authorization)


def without_confidences(text: str, request: Request | None) -> str:
    return redactor(request)(text)


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "name",
    [
        *("client_secret", "password", "refresh_token", "code", "code_verifier", "assertion", "client_assertion"),
        *("subject_token", "actor_token", "token", "device_code", "otp", "totp", "PIN", "passcode"),
    ],
)
def test_a_confidential_parameter_is_hidden(name: str) -> None:
    assert without_confidences(f"not {SECRET}!", asking((name, SECRET))) == f"not {HIDDEN}!"


@pytest.mark.parametrize("name", ["scope", "username", "client_id", "audience", "subject_token_type", "resource"])
def test_an_error_parameter_is_shown(name: str) -> None:
    assert without_confidences("not read:users", asking((name, "read:users"))) == "not read:users"


@pytest.mark.parametrize("spelled", [SECRET, quote(SECRET, safe=""), quote_plus(SECRET), escape(SECRET)])
def test_other_spellings_are_hidden_too(spelled: str) -> None:
    assert without_confidences(f"<{spelled}>", asking(("password", SECRET))) == f"<{HIDDEN}>"


@pytest.mark.parametrize(
    "spelled",
    [
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET).lower(),
        escape(SECRET).replace("&lt;", "&LT;"),
        escape(SECRET).replace("x27", "X27"),
        escape(SECRET).replace("&#x27;", "&#39;"),
    ],
)
def test_an_encoding_is_hidden_in_any_case(spelled: str) -> None:
    assert without_confidences(f"<{spelled}>", asking(("password", SECRET))) == f"<{HIDDEN}>"


def test_the_secret_itself_is_hidden_in_its_own_case_alone() -> None:
    assert without_confidences("hunter-two-and-more", asking(("password", "Hunter-Two-And-More"))).startswith("hunter")


def test_a_query_and_a_body_that_is_encoded_already_are_read_too() -> None:
    request = Request("POST", "https://as.example/token?code=from-the-query", body=b"password=from-the-body")
    assert without_confidences("from-the-body from-the-query", request) == f"{HIDDEN} {HIDDEN}"


@pytest.mark.parametrize("sent", [SECRET, quote_plus(SECRET)])
def test_the_password_of_basic_is_hidden_as_it_was_sent_and_as_it_was_meant(sent: str) -> None:
    told = without_confidences(f"{SECRET}, {sent}", asking(authorization=basic("client", sent)))
    assert told == f"{HIDDEN}, {HIDDEN}"


@pytest.mark.parametrize("authorization", [basic("client", SECRET), "Bearer access-t0ken", "Basic !!!not-base64"])
def test_the_credentials_of_a_header_are_hidden_whatever_they_are(authorization: str) -> None:
    assert without_confidences(f"you sent {authorization}", asking(authorization=authorization)).endswith(HIDDEN)


def test_a_short_secret_is_hidden_where_it_is_a_word() -> None:
    assert without_confidences("a cat ate a", asking(("password", "a"))) == f"{HIDDEN} cat ate {HIDDEN}"


@pytest.mark.parametrize("name", ["password", "client_secret"])
def test_a_secret_that_is_the_word_for_it_hides_nothing(name: str) -> None:
    word = name.rpartition("_")[2]
    told = f"invalid username or {word}"
    assert without_confidences(told, asking((name, word), authorization=basic("client", word))) == told


def test_a_secret_that_is_part_of_another_is_hidden_with_it() -> None:
    request = asking(("token", "the-short-one"), ("refresh_token", "the-short-one-and-more"))
    assert without_confidences("the-short-one-and-more", request) == HIDDEN


def test_without_a_request_or_a_confidence_the_text_is_the_servers() -> None:
    assert without_confidences("as it is", None) == "as it is"
    assert without_confidences("as it is", asking(("scope", "is"))) == "as it is"


def answered(request: Request, response: Response) -> None:
    def flow() -> Flow[object]:
        return json_answer((yield from request), "token response")

    run(flow(), lambda _: response)


REQUEST = asking(("refresh_token", SECRET))


def test_an_error_response_repeats_none_in_its_words_or_headers() -> None:
    body = b'{"error":"invalid_grant","error_description":"no %s","error_uri":"https://as.example/%s"}'
    with pytest.raises(InvalidGrant) as raised:
        answered(REQUEST, Response(400, (("X-Asked", SECRET),), body.replace(b"%s", SECRET.encode())))
    assert raised.value.description == f"no {HIDDEN}"
    assert raised.value.uri == f"https://as.example/{HIDDEN}"
    assert raised.value.headers == (("X-Asked", HIDDEN),)


def test_an_error_code_that_is_a_secret_is_not_the_code() -> None:
    with pytest.raises(ServerError) as raised:
        answered(REQUEST, Response(400, (), b'{"error":"%s"}' % SECRET.encode()))
    assert raised.value.error == HIDDEN


def test_a_known_error_code_is_the_code_also_where_it_is_a_password() -> None:
    with pytest.raises(InvalidGrant):
        answered(asking(("password", "invalid_grant")), Response(400, (), b'{"error":"invalid_grant"}'))


def test_a_response_that_says_later_repeats_none_in_its_headers() -> None:
    with pytest.raises(TemporarilyUnavailable) as raised:
        answered(REQUEST, Response(503, (("X-Asked", SECRET),)))
    assert raised.value.headers == (("X-Asked", HIDDEN),)


def test_an_error_page_repeats_none_also_where_it_is_cut() -> None:
    page = "x" * 190 + SECRET
    with pytest.raises(InvalidResponse) as raised:
        answered(REQUEST, Response(502, (("Content-Type", "text/html"),), page.encode()))
    assert raised.value.excerpt == "x" * 190 + HIDDEN


@pytest.mark.parametrize(("size", "times"), [(5000, 1), (1500, 4)])
def test_a_secret_longer_than_what_is_quoted_of_a_page_is_hidden(size: int, times: int) -> None:
    secret = "S3cr3t-" + "x1Y2z3" * (size // 6)
    page = "Bad: " + " ".join([secret] * times)
    with pytest.raises(InvalidResponse) as raised:
        answered(asking(("assertion", secret)), Response(400, (("Content-Type", "text/plain"),), page.encode()))
    assert raised.value.excerpt == "Bad: " + " ".join([HIDDEN] * times)


@pytest.mark.parametrize("name", ["apikey", "pwd", "jwt", "id_token_hint", "private_key", "login_ticket", "x"])
def test_a_value_that_was_sent_is_not_quoted_back_whatever_its_name(name: str) -> None:
    told = without_confidences("not my-value!", asking((name, "my-value")))
    assert told == f"not {HIDDEN}!"
    assert without_confidences("not my-value!", asking().with_header(f"X-{name}", "my-value")) == f"not {HIDDEN}!"


@pytest.mark.parametrize("value", ["1", "yes", "on"])
def test_a_short_value_of_an_unknown_parameter_hides_no_words(value: str) -> None:
    assert without_confidences(f"error {value}", asking(("x", value))) == f"error {value}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"access_token": "a b", "message": "no"}', '{"access_token": [hidden], "message": "no"}'),
        ("api_key=abc&message=no", "api_key=[hidden]&message=no"),
        ("client_secret: 'x', why: no", "client_secret: [hidden], why: no"),
        ("Authorization: Bearer abcdef", "Authorization: [hidden] [hidden]"),
        ("sent Bearer abcdef, no", "sent Bearer [hidden], no"),
        ("unknown ya29.a0AfH6SMBx7QqHhJ9 here", "unknown [hidden] here"),
        ('{"code": 400, "message": "no"}', '{"code": 400, "message": "no"}'),
        ("see login.microsoftonline.com/errors", "see login.microsoftonline.com/errors"),
        ("The refresh token is invalid", "The refresh token is invalid"),
    ],
)
def test_what_looks_like_a_token_is_hidden_and_words_stay(text: str, shown: str) -> None:
    assert without_tokens(text) == shown


def test_a_form_shows_its_names_alone() -> None:
    assert names_of_form("a=1&b=&c") == f"a={HIDDEN}&b={HIDDEN}&c={HIDDEN}"


def test_in_a_response_that_was_to_bring_a_token_short_ones_are_hidden_too() -> None:
    assert without_tokens("<b>access-t0ken</b> of the year", in_success=True) == f"<b>{HIDDEN}</b> of the year"
    assert without_tokens("<b>access-t0ken</b>") == "<b>access-t0ken</b>"


@pytest.mark.parametrize("piece", ["x", "token", "token ", "a-", "9", '"token', "Bearer ", "key=:", "'"])
def test_each_character_of_a_long_text_is_examined_once(piece: str) -> None:
    text = piece * (256 * 1024 // len(piece))  # a pattern that goes back in it would take minutes
    for in_success in (False, True):
        assert len(without_tokens(text, in_success=in_success)) <= 2 * len(text)
