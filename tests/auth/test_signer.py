"""What a request signer decides, without an HTTP library: where the token goes, and when another one replaces it."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from multidict import CIMultiDict

from doorkey import UsageError
from doorkey.auth.signer import RequestSigner, maybe_await, performs_nothing, set_by_signing, signer_for
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from tests.support.tracebacks import variables_of_ours

API = "https://api.example/v1"
SAME_API = "https://api.example/v2"
OTHER_API = "https://other.example/"
FIRST, SECOND, THIRD = (OAuthToken(Secret(name)) for name in ("at-1", "at-2", "at-3"))
INVALID = 'Bearer error="invalid_token"'


class Own:
    """A token source of a program's own, whose next token is there once the current one is rejected."""

    def __init__(self, *tokens: OAuthToken, says: bool | None = None) -> None:
        self.tokens, self.says = list(tokens), says
        self.rejected: list[OAuthToken] = []
        self.asked = 0

    def token(self) -> OAuthToken:
        self.asked += 1
        return self.tokens[0]

    def reject(self, token: OAuthToken) -> bool | None:
        self.rejected.append(token)
        if len(self.tokens) > 1 and token == self.tokens[0]:
            self.tokens.pop(0)
        return self.says


class AsyncOwn:
    """The same, awaited."""

    def __init__(self, own: Own) -> None:
        self.own = own

    async def token(self) -> OAuthToken:
        return self.own.token()

    async def reject(self, token: OAuthToken) -> bool | None:
        return self.own.reject(token)


class Signing:
    """A signer of `own`, for a caller that blocks or one that awaits."""

    def __init__(self, own: Own, *, awaits: bool, **options: Any) -> None:
        self.own, self._awaits = own, awaits
        self.signer: RequestSigner = signer_for(AsyncOwn(own) if awaits else own, **options)

    def token(self) -> OAuthToken:
        return asyncio.run(maybe_later(self.signer.token_async())) if self._awaits else self.signer.token()

    def replacement(self, refused: OAuthToken, url: str = API, **how: bool) -> OAuthToken | None:
        if self._awaits:
            return asyncio.run(self.signer.replacement_async(refused, url, **how))
        return self.signer.replacement(refused, url, **how)


async def maybe_later(token: Any) -> OAuthToken:
    found = await maybe_await(token)
    assert isinstance(found, OAuthToken)
    return found


either = pytest.mark.parametrize("awaits", [False, True])


# -- a token in place of a rejected one --------------------------------------------------------------------------------


@either
@pytest.mark.parametrize("says", [None, True])
def test_a_rejected_token_is_replaced_by_the_next_one_of_its_source(awaits: bool, says: bool | None) -> None:
    made = Signing(Own(FIRST, SECOND, says=says), awaits=awaits)
    assert made.token() is FIRST
    assert made.replacement(FIRST) is SECOND
    assert made.own.rejected == [FIRST]


@either
def test_nothing_replaces_the_token_of_a_source_that_says_it_has_no_other(awaits: bool) -> None:
    made = Signing(Own(FIRST, SECOND, says=False), awaits=awaits)
    assert made.replacement(FIRST) is None
    assert (made.own.rejected, made.own.asked) == ([FIRST], 0)


@either
def test_a_replacement_that_is_not_wanted_is_not_asked_for_and_the_token_is_rejected_anyway(
    awaits: bool,
) -> None:
    made = Signing(Own(FIRST, SECOND), awaits=awaits)
    assert made.replacement(FIRST, wanted=False) is None
    assert (made.own.rejected, made.own.asked) == ([FIRST], 0)


@either
def test_the_rejected_token_does_not_replace_itself(awaits: bool) -> None:
    assert Signing(Own(FIRST), awaits=awaits).replacement(FIRST) is None


@either
def test_an_api_that_rejects_the_replacement_too_gets_no_third_token(awaits: bool) -> None:
    made = Signing(Own(FIRST, SECOND, THIRD), awaits=awaits)
    assert made.replacement(FIRST) is SECOND
    assert made.replacement(SECOND, SAME_API) is None
    assert made.own.rejected == [FIRST]


@either
def test_another_api_that_rejects_the_replacement_gets_one_more_token(awaits: bool) -> None:
    made = Signing(Own(FIRST, SECOND, THIRD), awaits=awaits)
    assert made.replacement(FIRST) is SECOND
    assert made.replacement(SECOND, OTHER_API) is THIRD


@either
def test_an_api_that_accepted_the_replacement_gets_a_third_token_once_it_rejects_that_one(awaits: bool) -> None:
    made = Signing(Own(FIRST, SECOND, THIRD), awaits=awaits)
    assert made.replacement(FIRST) is SECOND
    made.signer.answered(SECOND, 200, {}, SAME_API)
    assert made.replacement(SECOND) is THIRD


@pytest.mark.parametrize(
    ("token", "status", "headers"),
    [
        (SECOND, 401, {}),
        (SECOND, 403, {}),  # as rejected_statuses says
        (SECOND, 400, {"WWW-Authenticate": INVALID}),
        (SECOND, 302, {}),  # a redirect does not look at the token
        (FIRST, 200, {}),  # another token was accepted
    ],
)
def test_a_response_that_does_not_accept_the_replacement_leaves_it_rejected(
    token: OAuthToken, status: int, headers: Mapping[str, str]
) -> None:
    made = Signing(Own(FIRST, SECOND, THIRD), awaits=False, rejected_statuses=(403,))
    assert made.replacement(FIRST) is SECOND
    made.signer.answered(token, status, headers, API)
    assert made.replacement(SECOND) is None


def test_a_response_before_any_rejection_changes_nothing() -> None:
    made = Signing(Own(FIRST, SECOND), awaits=False)
    made.signer.answered(FIRST, 200, {}, API)
    assert made.replacement(FIRST) is SECOND


def test_a_token_that_was_given_once_is_not_replaced() -> None:
    signer = signer_for({"access_token": "at-1"})
    assert signer.replacement(signer.token(), API) is None
    assert asyncio.run(signer.replacement_async(signer.token(), API)) is None
    assert not signer.needs_verdict
    assert signer.token().access_token == FIRST.access_token


def test_a_source_for_one_kind_of_caller_has_no_token_for_the_other() -> None:
    blocking, awaiting = signer_for(Own(FIRST, SECOND)), signer_for(AsyncOwn(Own(FIRST, SECOND)))
    with pytest.raises(UsageError, match="use it with an asynchronous client"):
        awaiting.token()
    with pytest.raises(UsageError, match="a blocking client or source: use"):
        blocking.token_async()
    assert awaiting.replacement(FIRST, API) is None
    assert asyncio.run(blocking.replacement_async(FIRST, API)) is None


# -- what rejects a token ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "challenge", "rejects"),
    [
        (401, None, True),
        (403, None, False),
        (403, INVALID, True),
        (400, INVALID, True),
        (399, INVALID, False),
        (200, INVALID, False),
        (403, 'Bearer error="insufficient_scope"', False),
    ],
)
def test_a_status_or_a_challenge_rejects_a_token(status: int, challenge: str | None, rejects: bool) -> None:
    headers = {} if challenge is None else {"WWW-Authenticate": challenge}
    assert signer_for(Own(FIRST)).is_rejection(status, headers) is rejects
    assert signer_for(Own(FIRST)).is_rejection(status, CIMultiDict(headers)) is rejects
    assert not signer_for(Own(FIRST), retry_rejected=False).is_rejection(status, headers)


def test_a_challenge_in_the_second_field_counts_where_fields_are_kept_apart() -> None:
    headers = CIMultiDict([("WWW-Authenticate", "Basic realm=x"), ("WWW-Authenticate", INVALID)])
    assert signer_for(Own(FIRST)).is_rejection(403, headers)


@pytest.mark.parametrize("statuses", [(), (400,), (599,), (401, 403)])
def test_statuses_from_400_to_599_can_reject_a_token(statuses: tuple[int, ...]) -> None:
    signer = signer_for(Own(FIRST), rejected_statuses=statuses)
    assert [status for status in range(100, 600) if signer.is_rejection(status, {})] == list(statuses)


@pytest.mark.parametrize("wrong", [(399,), (600,), ("401",), (401, None), 401, [[]]])
def test_no_other_status_can_reject_a_token(wrong: Any) -> None:
    with pytest.raises(UsageError, match="rejected_statuses must be HTTP statuses"):
        signer_for(Own(FIRST), rejected_statuses=wrong)


# -- where the token goes ----------------------------------------------------------------------------------------------


def test_the_header_is_that_of_each_token() -> None:
    signer = signer_for(Own(FIRST))
    assert [signer.header(token) for token in (FIRST, FIRST, SECOND, FIRST)] == [
        *("Bearer at-1", "Bearer at-1", "Bearer at-2", "Bearer at-1"),
    ]


def test_the_placement_decides_what_a_signed_request_is() -> None:
    in_header, in_body, in_uri = (signer_for(Own(FIRST), token_placement=name) for name in ("header", "body", "uri"))
    assert in_header.signed(FIRST, API, {}, None) == (API, {"Authorization": "Bearer at-1"}, None)
    assert in_uri.signed(FIRST, API, {}, None) == (f"{API}?access_token=at-1", {}, None)
    assert in_body.signed(FIRST, API, {}, None)[2] == "access_token=at-1"
    assert [(one.in_header, one.in_body, one.is_plain) for one in (in_header, in_body, in_uri)] == [
        *((True, False, True), (False, True, False), (False, False, False)),
    ]
    with pytest.raises(UsageError, match="token_placement must be one of"):
        signer_for(Own(FIRST), token_placement="cookie")


def test_a_request_with_its_own_authorization_keeps_it_where_the_token_would_be_in_the_header() -> None:
    own = {"Authorization": "Basic eA=="}
    assert signer_for(Own(FIRST)).has_own_authorization(API, own)
    assert not signer_for(Own(FIRST)).has_own_authorization(API, {})
    assert not signer_for(Own(FIRST), token_placement="uri").has_own_authorization(API, own)


def test_a_token_is_sent_to_allowed_origins_alone() -> None:
    restricted, free = signer_for(Own(FIRST), allowed_origins=[API]), signer_for(Own(FIRST))
    assert (restricted.is_restricted, free.is_restricted) == (True, False)
    assert not restricted.has_own_authorization(SAME_API, {})
    assert not free.has_own_authorization(OTHER_API, {})
    free.check_target(OTHER_API)
    with pytest.raises(UsageError, match="allowed_origins="):
        restricted.check_target(OTHER_API)
    with pytest.raises(UsageError, match="allowed_origins="):
        restricted.has_own_authorization(OTHER_API, {})


def test_the_error_of_another_origin_holds_no_url_with_a_token() -> None:
    restricted = signer_for(Own(FIRST), allowed_origins=[API])
    with pytest.raises(UsageError, match=r"may not be sent to https://other\.example") as caught:
        restricted.check_target(f"{OTHER_API}?access_token=marked-as-secret")
    assert "marked-as-secret" not in variables_of_ours(caught.value)


def test_a_hook_changes_a_signed_request_and_must_keep_to_a_url_of_an_allowed_origin() -> None:
    target = OTHER_API

    def hook(url: str, headers: Mapping[str, str], body: Any) -> tuple[str, Mapping[str, str], Any]:
        return target, {**headers, "X-Hook": "1"}, body

    session = OAuth2Session("c", token={"access_token": "at-1"})
    signer = signer_for(session, allowed_origins=[API])
    plain = [signer.is_plain]
    session.register_compliance_hook("protected_request", hook)
    assert [*plain, signer.is_plain] == [True, False]
    with pytest.raises(UsageError, match="allowed_origins="):
        signer.signed(FIRST, API, {}, None)
    target = SAME_API
    signed = (SAME_API, {"Authorization": "Bearer at-1", "X-Hook": "1"}, None)
    assert signer.signed(FIRST, API, {}, None) == signed
    assert asyncio.run(signer.asigned(FIRST, API, {}, None)) == signed
    target = "not a url"
    with pytest.raises(UsageError, match="URL of a protected_request hook"):
        signer_for(session).signed(FIRST, API, {}, None)


def test_the_headers_set_by_signing_are_those_added_or_changed_that_do_not_describe_the_body() -> None:
    before = {"accept": "a", "X-Same": "1", "X-Changed": "1"}
    after = {"Accept": "a", "X-Same": "1", "X-Changed": "2", "Authorization": "b", "Content-Type": "c"}
    assert set_by_signing(before, after) == ("X-Changed", "Authorization")


# -- what a signer is made of ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [{"access_token": "at-1"}, Own(FIRST), AsyncOwn(Own(FIRST))])
def test_an_option_of_credentials_is_not_for_a_token_or_a_source(source: Any) -> None:
    with pytest.raises(UsageError, match=f"leeway= is for credentials; this {type(source).__name__}"):
        signer_for(source, options={"leeway": 3})


class OnlyToken:
    def token(self) -> OAuthToken:
        return FIRST


class OnlyReject:
    def reject(self, token: OAuthToken) -> None:
        raise AssertionError(token)


@pytest.mark.parametrize("wrong", [None, 3, "at-1", OnlyToken(), OnlyReject()])
def test_anything_else_is_no_source_of_a_token(wrong: Any) -> None:
    with pytest.raises(UsageError, match="takes a session, a token source, credentials such as ClientCredentials"):
        signer_for(wrong)


def test_signing_performs_no_effect() -> None:
    with pytest.raises(UsageError, match="performs no effect"):
        performs_nothing(object())
