"""The keys of an issuer: fetched once, again when they get old and after a rotation, and not while that is useless.

Each test drives the flows of a `KeyCore` with a clock of its own; `tests/sources/test_key_source.py` has the threads
and tasks.
"""

import logging
from typing import Any

import pytest

from doorkey.errors import InvalidResponse, TransportError, UsageError, VerificationError
from doorkey.jose.verification import verify
from doorkey.sources.fetched_once.key_times import KeyTimes
from doorkey.sources.fetched_once.keys import KeyCore
from doorkey.sources.issuer_core import core_of
from doorkey.wire.flow import run
from doorkey.wire.messages import Response
from tests.sources.published_keys import (
    FIRST,
    ISSUER,
    JWKS_URI,
    METADATA,
    SECOND,
    WELL_KNOWN,
    Published,
    answer,
    jwk,
    token,
)
from tests.support.fake_clock import Clock


@pytest.fixture
def server() -> Published:
    return Published()


class Verifier:
    """Verifies tokens with the keys of a core, and says what was requested for each."""

    def __init__(self, server: Published, clock: Clock, **options: Any) -> None:
        times = KeyTimes(**options)
        self.core: KeyCore = core_of(metadata=METADATA, times=times).keys
        self.server, self.clock = server, clock

    def __call__(self, text: str, algorithms: tuple[str, ...] = ("ES256",)) -> str:
        """Return the subject of a token."""

        def check(keys: Any) -> str:
            return str(verify(text, keys, algorithms=algorithms).claims["sub"])

        return run(self.core.checked(check, self.clock), self.server)

    def refused(self, text: str, **more: Any) -> VerificationError:
        with pytest.raises(VerificationError) as error:
            self(text, **more)
        return error.value

    @property
    def fetches(self) -> int:
        return len(self.server.requested)


@pytest.fixture
def verifier(server: Published, clock: Clock) -> Verifier:
    return Verifier(server, clock)


def test_keys_are_fetched_once_for_many_tokens(verifier: Verifier) -> None:
    assert [verifier(token()) for _ in range(3)] == ["alice"] * 3
    assert verifier.server.requested == [JWKS_URI]


def test_an_issuer_is_discovered_first(server: Published, clock: Clock) -> None:
    core = core_of(ISSUER).keys
    assert [key.kid for key in run(core.keys(clock), server)] == ["1"]
    assert server.requested == [WELL_KNOWN, JWKS_URI]


def test_metadata_without_keys_says_what_to_give(server: Published, clock: Clock) -> None:
    del server.metadata["jwks_uri"]
    with pytest.raises(InvalidResponse, match=r"names no jwks_uri.*give jwks_uri= or keys="):
        run(core_of(ISSUER).keys.keys(clock), server)
    with pytest.raises(UsageError, match="give jwks_uri= or keys=, or issuer="):
        run(core_of(metadata={"token_endpoint": f"{ISSUER}/token"}).keys.keys(clock), server)


def test_a_rotation_is_found_out_by_the_unknown_kid(verifier: Verifier) -> None:
    verifier(token())
    verifier.server.rotate(SECOND, "2")
    assert verifier(token(SECOND, "2")) == "alice"
    assert verifier.fetches == 2
    assert verifier.refused(token()).claim == "kid", "the old key is not used any more"


@pytest.mark.parametrize(("old", "new"), [(None, None), ("1", "1"), (None, "1"), ("1", None)])
def test_a_rotation_without_a_kid_is_found_out_by_the_signature(
    verifier: Verifier, old: str | None, new: str | None
) -> None:
    verifier.server.rotate(FIRST, old)
    assert verifier(token(FIRST, old)) == "alice"
    verifier.server.rotate(SECOND, new)
    assert verifier(token(SECOND, new)) == "alice"
    assert verifier.fetches == 2


def test_a_key_of_another_algorithm_is_found_out_by_the_algorithm(verifier: Verifier) -> None:
    verifier.server.keys = [{**jwk(FIRST, None), "use": "enc"}]
    first = verifier.refused(token(kid=None))
    assert first.claim == "alg"
    assert verifier.fetches == 1, "keys that were fetched for this token are not fetched again for it"
    verifier.clock.advance(30)
    verifier.server.rotate(FIRST, None)
    assert verifier(token(kid=None)) == "alice"


@pytest.mark.parametrize("warm", [True, False])
def test_10_000_tokens_with_an_unknown_kid_cause_one_fetch_per_cool_down(verifier: Verifier, warm: bool) -> None:
    if warm:
        verifier(token())
        verifier.server.requested.clear()
    attack = token(SECOND, "another")
    for number in range(10_000):
        verifier.clock.advance(0.003)  # 30 seconds in all
        assert verifier.refused(attack).claim == "kid", number
    assert verifier.fetches == 1
    verifier.clock.advance(0.1)
    verifier.refused(attack)
    assert verifier.fetches == 2
    assert verifier(token()) == "alice"


def test_a_forged_signature_makes_no_more_fetches_than_an_unknown_kid(verifier: Verifier) -> None:
    verifier(token())
    for _ in range(100):
        assert verifier.refused(token(SECOND, "1")).claim == "signature"
    assert verifier.fetches == 2


def test_a_token_of_another_algorithm_causes_no_fetch(verifier: Verifier) -> None:
    verifier(token())
    assert verifier.refused(token(), algorithms=("RS256",)).claim == "alg"
    assert verifier.refused("no token").claim == "token"
    assert verifier.fetches == 1


def test_the_error_of_the_cool_down_says_when_there_is_a_fetch(verifier: Verifier) -> None:
    verifier(token())
    verifier.refused(token(SECOND, "2"))
    verifier.clock.advance(7)
    error = verifier.refused(token(SECOND, "2"))
    assert "kid is not among the known keys; the key set is 7 s old" in str(error)
    assert "at most one fetch in 30 s" in str(error)


def test_a_clock_that_was_set_back_ends_the_cool_down(verifier: Verifier) -> None:
    verifier(token())
    verifier.refused(token(SECOND, "2"))
    verifier.clock.advance(-3600)
    verifier.server.rotate(SECOND, "2")
    assert verifier(token(SECOND, "2")) == "alice"


def test_keys_that_get_old_are_fetched_again(verifier: Verifier) -> None:
    verifier(token())
    verifier.clock.advance(599)
    verifier(token())
    assert verifier.fetches == 1
    verifier.clock.advance(1)
    verifier.server.rotate(SECOND, "2")
    assert verifier.refused(token()).claim == "kid"
    assert verifier.fetches == 2


@pytest.mark.parametrize(("header", "seconds"), [("max-age=120", 120), ("no-store", 60), ("max-age=999999", 3600)])
def test_the_caching_headers_of_the_server_count_within_bounds(verifier: Verifier, header: str, seconds: float) -> None:
    verifier.server.headers = (("Cache-Control", header),)
    verifier(token())
    verifier.clock.advance(seconds - 1)
    verifier(token())
    assert verifier.fetches == 1
    verifier.clock.advance(1)
    verifier(token())
    assert verifier.fetches == 2


def test_the_last_good_keys_are_used_while_the_server_fails_and_not_for_ever(
    verifier: Verifier, caplog: pytest.LogCaptureFixture
) -> None:
    verifier(token())
    verifier.server.fail()
    for _ in range(24):
        verifier.clock.advance(3599)
        assert verifier(token()) == "alice"
    assert verifier.fetches == 25
    assert "fetching the key set of this issuer failed: no connection" in caplog.text
    verifier.clock.advance(3600)
    with pytest.raises(TransportError, match="no connection"):
        verifier(token())


def test_a_failing_server_is_not_asked_for_each_token(verifier: Verifier) -> None:
    verifier(token())
    verifier.server.fail()
    verifier.clock.advance(600)
    for _ in range(100):
        verifier(token())
    assert verifier.fetches == 2


def test_an_unknown_kid_does_not_erase_the_keys_where_the_server_fails(verifier: Verifier) -> None:
    verifier(token())
    verifier.server.fail()
    error = verifier.refused(token(SECOND, "2"))
    assert "could not be fetched again (no connection" in str(error)
    assert isinstance(error.__cause__, TransportError)
    assert [verifier.refused(token(SECOND, "2")).claim for _ in range(10)] == ["kid"] * 10
    assert verifier(token()) == "alice"
    assert verifier.fetches == 2


def test_without_any_keys_the_failure_is_raised_and_has_a_pause(verifier: Verifier) -> None:
    verifier.server.fail()
    for _ in range(10):
        with pytest.raises(TransportError, match="no connection"):
            verifier(token())
    assert verifier.fetches == 1
    verifier.clock.advance(1)
    verifier.server.instead = None
    assert verifier(token()) == "alice"


def test_keys_that_are_old_when_they_arrive_are_used_once_and_not_fetched_in_a_loop(
    server: Published, clock: Clock
) -> None:
    verifier = Verifier(server, clock, max_age=1.0)

    def slow() -> Response:
        clock.advance(2)
        return answer({"keys": server.keys})

    server.instead = slow
    assert [verifier(token()), verifier.fetches] == ["alice", 1]
    assert [verifier(token()), verifier.fetches] == ["alice", 2]


def test_keys_that_never_change_are_not_fetched(clock: Clock, server: Published) -> None:
    core = core_of(ISSUER, keys={"keys": [jwk(FIRST, "1")]}).keys
    assert [key.kid for key in run(core.keys(clock), server)] == ["1"]
    with pytest.raises(VerificationError):
        run(core.checked(lambda keys: verify(token(SECOND), keys, algorithms=["ES256"]), clock), server)
    assert server.requested == []


def test_each_key_that_is_not_used_is_a_line_in_the_log_once(
    verifier: Verifier, caplog: pytest.LogCaptureFixture
) -> None:
    private = FIRST.as_dict(is_private=True, kid="theirs")
    verifier.server.keys = [jwk(FIRST, "1"), private, {"kty": "XYZ", "kid": "new"}, {"kty": "EC"}]
    with caplog.at_level(logging.WARNING, "doorkey"):
        verifier(token())
        verifier.clock.advance(600)
        verifier(token())
    assert verifier.fetches == 2
    lines = caplog.messages
    assert len(lines) == 3
    assert lines[0].startswith(f"key set of {JWKS_URI}: key 1 (kid 'theirs'): it is private or symmetric")
    assert private["d"] not in caplog.text


def test_a_hundred_odd_keys_are_not_a_hundred_lines(verifier: Verifier, caplog: pytest.LogCaptureFixture) -> None:
    verifier.server.keys = [{"kty": "XYZ"}] * 99 + [jwk(FIRST, "1")]
    assert verifier(token()) == "alice"
    assert len(caplog.messages) == 11
    assert caplog.messages[-1].endswith("89 more keys are not used")


@pytest.mark.parametrize("options", [{"cool_down": 0}, {"max_age": 0}, {"max_stale": -1}, {"max_age": "soon"}])
def test_times_that_cannot_be_are_usage_errors(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        KeyTimes(**options)
