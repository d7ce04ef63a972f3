"""The lines on metadata and keys of the security requirements, each a test that is named after it."""

from typing import Any

import pytest

from doorkey.errors import InvalidResponse, TemporarilyUnavailable, TransportError, UsageError, VerificationError
from doorkey.jose.signing import sign
from doorkey.jose.verification import verify
from doorkey.protocol.metadata import ServerMetadata
from doorkey.sources.fetched_once.keys import KeyCore
from doorkey.sources.issuer_core import core_of
from doorkey.wire.flow import run
from doorkey.wire.limits import ExchangePolicy
from doorkey.wire.messages import Response
from tests.sources.published_keys import FIRST, ISSUER, JWKS_URI, METADATA, SECOND, WELL_KNOWN, Published, jwk, token
from tests.support.fake_clock import Clock

PUBLIC = jwk(FIRST, "1")


def subject(core: KeyCore, text: str, server: Published, clock: Clock) -> object:
    return run(core.checked(lambda keys: verify(text, keys, algorithms=["ES256"]), clock), server).claims["sub"]


def refused(core: KeyCore, text: str, server: Published, clock: Clock) -> VerificationError:
    with pytest.raises(VerificationError) as error:
        subject(core, text, server, clock)
    return error.value


def test_index_jwks_by_issuer(clock: Clock) -> None:
    ours, theirs = core_of(metadata=METADATA).keys, core_of(metadata=METADATA).keys
    our_server, their_server = Published(jwk(FIRST, "1")), Published(jwk(SECOND, "1"))
    assert subject(ours, token(FIRST), our_server, clock) == subject(theirs, token(SECOND), their_server, clock)
    assert refused(ours, token(SECOND), our_server, clock).claim == "signature"
    assert refused(theirs, token(FIRST), their_server, clock).claim == "signature"


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "ftp://as.example/jwks", "data:,{}", "https://user@as.example/jwks"),
        *("https://as.example\\@evil.example/jwks", "https://as.example/jwks#a", "https://as.example/\njwks"),
        *("http://localhost:80@evil.example/", "http://localhost.evil.example/", "http://127.0.0.1.evil.example/"),
        "http://as.example/jwks",
    ],
)
def test_accept_only_http_and_https_urls(url: str) -> None:
    with pytest.raises(UsageError):
        core_of(jwks_uri=url)
    with pytest.raises(UsageError):
        core_of(metadata={"jwks_uri": url})


@pytest.mark.parametrize("uri", ["http://localhost/jwks", "http://127.0.0.1:80/jwks", "http://as.example/jwks"])
def test_reject_an_https_issuer_whose_metadata_names_http_endpoints(uri: str, clock: Clock) -> None:
    server = Published()
    server.metadata["jwks_uri"] = uri
    with pytest.raises(InvalidResponse):
        run(core_of(ISSUER).keys.keys(clock), server)
    assert server.requested == [WELL_KNOWN]


def test_plain_http_reaches_the_hosts_that_the_program_names() -> None:
    policy = ExchangePolicy(http_hosts={"keycloak"})
    assert core_of("http://keycloak:8080/realms/r", None, policy).server is not None
    assert core_of(jwks_uri="http://keycloak:8080/jwks", policy=policy).server is None


@pytest.mark.parametrize("named", [None, "", f"{ISSUER}/", ISSUER.upper(), "https://other.example", 5, [ISSUER]])
def test_the_issuer_in_the_metadata_must_equal_the_requested_issuer(named: object, clock: Clock) -> None:
    server = Published()
    server.metadata["issuer"] = named
    with pytest.raises(VerificationError) as error:
        run(core_of(ISSUER).keys.keys(clock), server)
    assert error.value.claim == "issuer"
    assert server.requested == [WELL_KNOWN]


@pytest.mark.parametrize("status", [429, 503])
def test_a_429_or_503_raises_a_typed_error_with_a_bounded_retry_after(status: int, clock: Clock) -> None:
    server, core = Published(), core_of(metadata=METADATA).keys
    server.instead = lambda: Response(status, (("Retry-After", "999999999"),), b"busy")
    for _ in range(3):
        with pytest.raises(TemporarilyUnavailable) as error:
            subject(core, token(), server, clock)
        assert error.value.retry_after == 3600
    assert server.requested == [JWKS_URI], "and is not asked again before that"


def test_use_a_cool_down_on_an_unknown_kid_and_stale_while_error_within_a_bound(clock: Clock) -> None:
    server, core = Published(), core_of(metadata=METADATA).keys
    assert subject(core, token(), server, clock) == "alice"
    for _ in range(10):
        assert refused(core, token(SECOND, "2"), server, clock).claim == "kid"
    assert len(server.requested) == 2
    server.fail()
    clock.advance(3600)
    assert subject(core, token(), server, clock) == "alice"
    clock.advance(86_400)
    with pytest.raises(TransportError, match="no connection"):
        subject(core, token(), server, clock)


@pytest.mark.parametrize(
    "other",
    [
        FIRST.as_dict(is_private=True),
        {"kty": "oct", "k": "c2VjcmV0LXRoYXQtaXMtbG9uZw"},
        {"kty": "new"},
        {},
        None,
        "text",
    ],
    ids=["private", "symmetric", "unsupported", "empty", "null", "text"],
)
def test_ignore_private_and_symmetric_keys_and_skip_malformed_or_unsupported_keys(other: Any, clock: Clock) -> None:
    server = Published(other, jwk(SECOND, "2"))
    core = core_of(metadata=METADATA).keys
    assert subject(core, token(SECOND, "2"), server, clock) == "alice"
    assert [key.kid for key in run(core.keys(clock), server)] == ["2"]


@pytest.mark.parametrize("header", [{"jwk": jwk(SECOND, None)}, {"jku": "https://evil.example"}, {"x5u": JWKS_URI}])
def test_never_use_jwk_jku_or_x5u_from_a_token(header: dict[str, object], clock: Clock) -> None:
    server, core = Published(), core_of(metadata=METADATA).keys
    forged = sign({"sub": "mallory"}, SECOND, alg="ES256", header={**header, "kid": "1"})
    assert refused(core, forged, server, clock).claim == "signature"
    assert set(server.requested) == {JWKS_URI}


def test_metadata_may_not_name_a_key_that_signs_for_it(clock: Clock) -> None:
    """Members of the metadata that look like keys are no keys."""
    server = Published()
    server.metadata |= {"jwks": {"keys": [jwk(SECOND, "2")]}, "keys": [jwk(SECOND, "2")]}
    assert refused(core_of(ISSUER).keys, token(SECOND, "2"), server, clock).claim == "kid"
    assert ServerMetadata.from_mapping(server.metadata).jwks_uri == JWKS_URI
