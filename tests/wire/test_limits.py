"""The bounds of every exchange: redirects, sizes, content codings and bombs, whichever client carries it."""

import gzip
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import InvalidResponse, UsageError
from doorkey.wire.limits import ACCEPT_ENCODING, BoundedReader, ExchangePolicy, policy_of
from doorkey.wire.messages import Response
from tests.support.saying import said_by

SMALL = ExchangePolicy(max_body=1000, max_headers=100)
GZIP = (("Content-Encoding", "gzip"),)


def problem_of(
    *chunks: bytes, headers: tuple[tuple[str, str], ...] = (), status: int = 200, policy: ExchangePolicy = SMALL
) -> str:
    with pytest.raises(InvalidResponse) as caught:
        answer(*chunks, headers=headers, status=status, policy=policy)
    assert caught.value.status == status
    return caught.value.problem


def answer(
    *chunks: bytes, headers: tuple[tuple[str, str], ...] = (), status: int = 200, policy: ExchangePolicy = SMALL
) -> Response:
    inbox = BoundedReader(status, headers, policy)
    for chunk in chunks:
        inbox.feed(chunk)
    return inbox.response()


def bomb(size: int) -> bytes:
    return gzip.compress(b"\0" * size, 9, mtime=0)


def test_the_defaults_are_fifteen_seconds_one_mebibyte_and_64_kibibytes_of_headers() -> None:
    assert ExchangePolicy() == ExchangePolicy(deadline=15.0, max_body=1024 * 1024, max_headers=64 * 1024)


@pytest.mark.parametrize(
    "bounds",
    [
        {"deadline": 0},
        {"deadline": -1},
        {"deadline": float("nan")},
        {"deadline": float("inf")},
        {"deadline": 1e10},
        {"max_body": 0},
        {"max_headers": -1},
    ],
)
def test_a_bound_that_bounds_nothing_is_refused(bounds: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(bounds))):
        ExchangePolicy(**bounds)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_plain_body_comes_out_as_it_came_in() -> None:
    assert answer(b'{"a"', b": 1}", headers=(("Content-Type", "application/json"),), status=201) == Response(
        201, (("Content-Type", "application/json"),), b'{"a": 1}'
    )


def test_gzip_alone_is_asked_for() -> None:
    assert ACCEPT_ENCODING == "gzip"


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", " GZIP "])
def test_a_gzip_body_is_decoded_chunk_by_chunk_and_its_headers_no_longer_speak_of_it(coding: str) -> None:
    body = gzip.compress(b"hello " * 20)
    headers = (("content-encoding", coding), ("Content-Length", str(len(body))), ("X-Kept", "1"))
    response = answer(*(body[i : i + 1] for i in range(len(body))), headers=headers)
    assert response == Response(200, (("X-Kept", "1"),), b"hello " * 20)


def test_a_deflate_body_is_decoded() -> None:
    assert answer(zlib.compress(b"hello"), headers=(("Content-Encoding", "deflate"),)).body == b"hello"


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_body_at_the_cap_passes_and_one_byte_more_does_not_whatever_the_status(status: int) -> None:
    assert len(answer(b"x" * 1000, status=status).body) == 1000
    assert problem_of(b"x" * 1001, status=status) == "too_large"
    assert problem_of(*[b"x"] * 1001, status=status) == "too_large"


@pytest.mark.parametrize("status", [200, 400])
def test_the_cap_is_on_the_decoded_body(status: int) -> None:
    assert len(answer(bomb(1000), headers=GZIP, status=status).body) == 1000
    assert problem_of(bomb(1001), headers=GZIP, status=status) == "too_large"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_stops_at_the_cap_without_being_inflated(coding: str) -> None:
    megabytes = bomb(64 * 1024 * 1024) if coding == "gzip" else zlib.compress(b"\0" * 64 * 1024 * 1024, 9)
    policy = ExchangePolicy(max_body=1024 * 1024)
    inbox = BoundedReader(200, (("Content-Encoding", coding),), policy)
    with pytest.raises(InvalidResponse) as caught:
        inbox.feed(megabytes)
    assert caught.value.problem == "too_large"
    assert len(inbox._body) <= policy.max_body + 1


def test_a_bomb_inside_a_bomb_is_one_layer_only() -> None:
    assert answer(gzip.compress(bomb(10_000)), headers=GZIP).body == bomb(10_000)
    assert problem_of(gzip.compress(bomb(10)), headers=(("Content-Encoding", "gzip, gzip"),)) == "content_coding"


def test_an_endless_body_that_decodes_to_nothing_is_bounded_too() -> None:
    empty_blocks = b"\x00\x00\x00\xff\xff"  # stored blocks of no bytes, for ever
    start = zlib.compressobj(wbits=31).flush(zlib.Z_SYNC_FLUSH) or bytes.fromhex("1f8b0800000000000003")
    assert problem_of(start, *[empty_blocks] * 1000, headers=GZIP) == "too_large"


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, br", "nonsense"])
def test_a_coding_that_was_not_asked_for_is_refused_before_the_body_is_read(coding: str) -> None:
    assert problem_of(headers=(("Content-Encoding", coding),)) == "content_coding"


@pytest.mark.parametrize("body", [b"not gzip at all", bomb(100)[:-9] + b"\0" * 9])
def test_a_body_that_is_not_in_its_coding_is_refused(body: bytes) -> None:
    assert problem_of(body, headers=GZIP) == "content_coding"


def test_an_encoded_body_that_ends_too_early_is_refused() -> None:
    assert problem_of(gzip.compress(b"hello")[:-4], headers=GZIP) == "content_coding"


def test_no_body_at_all_is_no_body_even_with_a_coding() -> None:
    assert answer(headers=GZIP) == Response(200)


@pytest.mark.parametrize("addresses", [True, "public", ("10.0.0.0/8",)])
def test_a_policy_that_cannot_judge_an_address_is_refused(addresses: Any) -> None:
    with pytest.raises(UsageError, match="addresses must be a callable"):
        ExchangePolicy(addresses=addresses)
    assert ExchangePolicy().addresses is None


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_a_redirect_is_refused_and_not_followed_even_with_a_token_in_its_body(status: int) -> None:
    headers = (("Location", "https://evil.example/"),)
    assert problem_of(b'{"access_token": "a"}', headers=headers, status=status) == "redirected"


def test_headers_are_bounded_together() -> None:
    assert answer(headers=(("a", "x" * 49), ("b", "x" * 49))).status == 200
    assert problem_of(headers=(("a", "x" * 49), ("b", "x" * 50))) == "headers_too_large"


@settings(deadline=None, max_examples=80)
@given(st.lists(st.binary(max_size=40), max_size=6), st.sampled_from(["gzip", "deflate", "identity", "br"]))
def test_no_bytes_bring_another_error(chunks: list[bytes], coding: str) -> None:
    said = said_by(lambda: answer(*chunks, headers=(("Content-Encoding", coding),)))
    assert not said or "coding" in said or "encoded" in said


def test_the_default_policy_is_used_if_none_is_given_and_other_values_are_refused() -> None:
    wrong: Any = 15
    assert policy_of(None) == ExchangePolicy()
    assert policy_of(SMALL) is SMALL
    with pytest.raises(UsageError, match="ExchangePolicy"):
        policy_of(wrong)
