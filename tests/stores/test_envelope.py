"""What a record holds: a token that comes back as it was, and nothing else is taken for one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.errors import RecordError, UsageError
from doorkey.stores.envelope import FORMAT, open_record, pack
from doorkey.tokens import OAuthToken
from doorkey.values import Scope, Secret

TOKEN = OAuthToken(
    Secret("at"),
    token_type="DPoP",
    expires_at=2_000_000_000.0,
    lifetime=300.0,
    refresh_token=Secret("rt"),
    scope=Scope(("openid", "mail")),
    id_token=Secret("a.b.c"),
    extra={"session_state": "ä\U0001f511", "nested": {"a": [1, None, True]}},
)


def refused(content: Any) -> str:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(RecordError) as caught:
        open_record(data)
    assert "s3cret" not in str(caught.value)
    return caught.value.reason


def test_a_token_comes_back_as_it_was() -> None:
    for token in (TOKEN, OAuthToken(Secret("at"))):
        again = open_record(pack(token))[0]
        assert again == token
        assert dict(again.extra) == dict(token.extra)
        assert again.refresh_token == token.refresh_token


def test_metadata_comes_back_beside_the_token() -> None:
    assert open_record(pack(TOKEN, {"issuer": "https://as.example"})) == (TOKEN, {"issuer": "https://as.example"})
    assert open_record(pack(TOKEN)) == (TOKEN, {})


def test_a_token_that_says_how_long_it_lives_but_not_since_when_counts_as_expired() -> None:
    token = open_record(json.dumps({"format": 1, "token": {"access_token": "at", "expires_in": 300}}).encode())[0]
    assert token.expires_at == 300.0


def test_a_record_of_a_newer_format_is_refused_and_says_so() -> None:
    assert (
        refused({"format": FORMAT + 1, "token": {"access_token": "s3cret"}})
        == "was written by a newer version of doorkey"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"format":1,"token":{"access_token":"s3cret"',
        b'{"format":1,"format":1,"token":{"access_token":"s3cret"}}',
        b'{"format":1,"token":{"access_token":"s3cret","access_token":"other"}}',
        b'{"format":1,"token":{"access_token":"s3cret","x":NaN}}',
        b'{"format":1,"token":' + b"[" * 100_000,
        {},
        {"token": {"access_token": "s3cret"}},
        {"format": 0, "token": {"access_token": "s3cret"}},
        {"format": True, "token": {"access_token": "s3cret"}},
        {"format": "1", "token": {"access_token": "s3cret"}},
        {"format": 1.0, "token": {"access_token": "s3cret"}},
        {"format": 1},
        {"format": 1, "token": "s3cret"},
        {"format": 1, "token": {}},
        {"format": 1, "token": {"access_token": ""}},
        {"format": 1, "token": {"access_token": "s3cret\n"}},
        {"format": 1, "token": {"access_token": "s3cret", "token_type": "a b"}},
        {"format": 1, "token": {"access_token": "s3cret"}, "metadata": []},
    ],
)
def test_a_record_that_is_not_ours_is_refused_without_quoting_it(content: Any) -> None:
    assert refused(content).startswith("does not hold a token")


def test_every_truncation_is_refused() -> None:
    data = pack(TOKEN)
    for length in range(len(data)):
        refused(data[:length])


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise_anything_else(data: bytes) -> None:
    with pytest.raises(RecordError):
        open_record(data)


@pytest.mark.parametrize(
    "extra", [{"x": object()}, {"x": b"bytes"}, {"x": float("nan")}, {1: "a", "1": "b"}, {"x": {2, 3}}]
)
def test_a_token_that_json_cannot_hold_is_refused_before_it_replaces_a_good_one(extra: dict[Any, Any]) -> None:
    with pytest.raises(UsageError, match="JSON"):
        pack(OAuthToken(Secret("at"), extra=extra))


def test_a_token_nested_too_deep_to_be_read_again_is_refused() -> None:
    deep: Any = 1
    for _ in range(60):
        deep = [deep]
    with pytest.raises(UsageError, match="JSON"):
        pack(OAuthToken(Secret("at"), extra={"deep": deep}))
