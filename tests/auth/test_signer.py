"""What a request signer decides, without an HTTP library: where the token goes, and to which origins."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from doorkey import AsyncTokenSource, TokenSource, UsageError
from doorkey.auth.signer import performs_nothing, set_by_signing
from doorkey.auth.token_sources import signer_for
from doorkey.integrations.requests_client import OAuth2Session
from tests.auth.own_sources import API, FIRST, OTHER_API, SAME_API, SECOND, AsyncOwn, Own, maybe_later
from tests.support.source_requests import CLIENT
from tests.support.tracebacks import variables_of_ours


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


def test_a_source_for_one_kind_of_caller_has_no_token_for_the_other() -> None:
    blocking, awaiting = signer_for(Own(FIRST, SECOND)), signer_for(AsyncOwn(Own(FIRST, SECOND)))
    assert (blocking.token(), asyncio.run(maybe_later(awaiting.token_async()))) == (FIRST, FIRST)
    with pytest.raises(UsageError, match="use it with an asynchronous client"):
        awaiting.token()
    with pytest.raises(UsageError, match="a blocking client or source: use"):
        blocking.token_async()


class OwnWithSender(AsyncOwn):
    """An asynchronous source of a program's own that happens to have an attribute of this name."""

    _sender = object()


def test_the_sender_of_an_asynchronous_source_without_a_client_is_to_know_the_caller() -> None:
    ours: dict[str, Any] = {"token_endpoint": "https://as.example/token"}
    source = AsyncTokenSource(CLIENT, **ours)
    assert signer_for(source).sender_without_caller is source._sender
    given = AsyncTokenSource(CLIENT, **ours, http_client=httpx2.AsyncClient())
    for other in (given, AsyncOwn(Own(FIRST)), OwnWithSender(Own(FIRST)), Own(FIRST), TokenSource(CLIENT, **ours)):
        assert signer_for(other).sender_without_caller is None


def test_signing_performs_no_effect() -> None:
    with pytest.raises(UsageError, match="performs no effect"):
        performs_nothing(object())
