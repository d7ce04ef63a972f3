"""Which responses reject a token: the statuses that say so, and the challenge of RFC 6750 §3.1 with any status."""

from typing import Any

import httpx2
import pytest

from doorkey import OAuth2Auth, UsageError
from doorkey.integrations.httpx_client import OAuth2Client
from tests.support.every_http_library import Maker
from tests.support.hostile_server import Hostile, echo, reply, token
from tests.support.source_requests import CLIENT, on_token

INVALID = ("WWW-Authenticate", 'Bearer realm="x", error="invalid_token"')
FORBIDDEN = reply(403, "no", [INVALID])


def asking(hostile: Hostile, **options: Any) -> OAuth2Auth:
    return OAuth2Auth(CLIENT, **on_token(hostile, token("at-1"), token("at-2"), token("at-3")), **options)


def sent(hostile: Hostile) -> list[str | None]:
    return [request.token for request in hostile.to("/api")]


@pytest.mark.parametrize("status", [400, 403, 500])
def test_an_invalid_token_challenge_is_a_rejection_with_any_status(
    caller: Maker, hostile: Hostile, status: int
) -> None:
    hostile.on("/api", reply(status, "no", [INVALID]), echo)
    assert caller(asking(hostile)).status(hostile.url()) == 200
    assert sent(hostile) == ["at-1", "at-2"]


def test_an_invalid_token_challenge_counts_beside_others(caller: Maker, hostile: Hostile) -> None:
    hostile.on("/api", reply(403, "no", [("WWW-Authenticate", 'Basic realm="x"'), INVALID]), echo)
    assert caller(asking(hostile)).status(hostile.url()) == 200
    assert sent(hostile) == ["at-1", "at-2"]


@pytest.mark.parametrize("challenge", ["", 'Bearer error="insufficient_scope"', 'Basic error="invalid_token"'])
def test_a_403_for_another_reason_is_returned(caller: Maker, hostile: Hostile, challenge: str) -> None:
    hostile.on("/api", reply(403, "no", {"WWW-Authenticate": challenge} if challenge else ()))
    assert caller(asking(hostile)).status(hostile.url()) == 403
    assert sent(hostile) == ["at-1"]


def test_an_api_that_says_invalid_token_for_ever_gets_no_token_for_each_request(
    caller: Maker, hostile: Hostile
) -> None:
    hostile.on("/api", FORBIDDEN)
    client = caller(asking(hostile))
    assert [client.status(hostile.url()) for _ in range(4)] == [403] * 4
    assert len(hostile.token_requests) == 2


def test_the_statuses_that_reject_a_token_are_an_option(caller: Maker, hostile: Hostile) -> None:
    hostile.on("/api", reply(403, "no"), reply(419, "no"), echo)
    client = caller(asking(hostile, rejected_statuses=(403, 419)))
    assert client.status(hostile.url()) == 419
    assert client.status(hostile.url()) == 200
    hostile.on("/api", reply(401, "no"))
    assert client.status(hostile.url()) == 401
    assert sent(hostile) == ["at-1", "at-2", "at-2", "at-2"]


def test_the_retry_can_be_disabled(caller: Maker, hostile: Hostile) -> None:
    hostile.on("/api", reply(401, "no", [INVALID]))
    client = caller(asking(hostile, retry_rejected=False))
    assert [client.status(hostile.url()) for _ in range(2)] == [401, 401]
    assert sent(hostile) == ["at-1", "at-1"]
    assert len(hostile.token_requests) == 1


@pytest.mark.parametrize("wrong", [200, (200,), ("401",), (401, 999), None])
def test_a_value_that_is_not_a_status_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match="rejected_statuses must be HTTP statuses"):
        OAuth2Auth({"access_token": "at-1"}, rejected_statuses=wrong)
    with pytest.raises(UsageError, match="rejected_statuses must be HTTP statuses"):
        OAuth2Auth(OAuth2Client("c"), rejected_statuses=wrong)


def test_an_auth_object_of_a_session_has_the_options_of_the_session_unless_it_has_its_own(hostile: Hostile) -> None:
    hostile.on("/token", token("at-2"))
    hostile.on("/api", reply(419, "no"), reply(200), reply(418, "no"), reply(200))
    with OAuth2Client("c", "s", token_endpoint=hostile.token_endpoint, rejected_statuses=(419,)) as session:
        for auth in (OAuth2Auth(session), OAuth2Auth(session, rejected_statuses=(418,))):
            session.fetch_token()
            with httpx2.Client(auth=auth) as plain:
                hostile.on("/token", token("at-3"))
                assert plain.get(hostile.url()).status_code == 200
            hostile.on("/token", token("at-2"))
