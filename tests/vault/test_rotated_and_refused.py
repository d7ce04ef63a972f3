"""A renewal whose ID token is refused: the server has used up the old refresh token, so the new one is kept."""

from collections.abc import Callable

from doorkey.errors import MissingTokenError, StoreError, VerificationError
from doorkey.protocol.metadata import ServerMetadata
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.vault.effects import Commit, Load, Release, TryLease
from doorkey.vault.memory import Memory
from doorkey.wire.flow import Flow, Sleep
from tests.vault.model import KEY
from tests.vault.one_renewal import One, expired, stored


def refused(_: ServerMetadata, token: OAuthToken | None, keep: Callable[[Secret], Flow[None]]) -> Flow[OAuthToken]:
    """Renew at a server that rotates, and whose ID token is refused."""
    assert token is not None
    yield from keep(Secret("rt-rotated"))
    raise VerificationError("auth_time", "of the renewed ID token is not that of the original")


def refresh_token_of(token: OAuthToken) -> str:
    assert token.refresh_token is not None
    return token.refresh_token.reveal()


def test_the_new_refresh_token_is_committed_with_the_old_access_token_before_the_error_is_raised() -> None:
    world = expired()
    one = One(world, request=refused).run()
    assert isinstance(one.error, VerificationError)
    assert one.kinds == [Load, TryLease, Load, Commit, Release]
    kept = stored(world)
    assert (kept.token.access_token.reveal(), refresh_token_of(kept.token)) == ("at-1", "rt-rotated")
    assert (kept.rotation, kept.dead) == (1, None)


def test_the_next_renewal_presents_the_refresh_token_that_was_kept() -> None:
    world = expired()
    memory = Memory(KEY, None, 60.0)
    One(world, memory, request=refused).run()
    presented: list[str] = []

    def ask(_: ServerMetadata, token: OAuthToken | None, __: object) -> Flow[OAuthToken]:
        yield from ()
        assert token is not None
        presented.append(refresh_token_of(token))
        return OAuthToken(Secret("at-2"), expires_at=world.now + 60)

    assert One(world, memory, request=ask).run().access_token == "at-2"
    assert presented == ["rt-rotated"]


def test_a_process_that_waits_does_not_take_the_expired_access_token_for_a_new_one() -> None:
    world = expired()
    leader = One(world, request=refused).run(Commit)
    waiter = One(world, request=refused).run(Sleep)
    leader.run()
    assert isinstance(waiter.run().error, VerificationError)


def test_a_store_that_is_down_leaves_the_new_refresh_token_in_memory_until_it_answers() -> None:
    world = expired()
    memory = Memory(KEY, None, 60.0)
    one = One(world, memory, request=refused).run(Commit)
    while isinstance(one.effect, Commit | Sleep):
        if isinstance(one.effect, Sleep):
            one.step()
        else:
            one.fail(StoreError("the store is down", retryable=True))
    assert isinstance(one.run().error, VerificationError)
    assert memory.unsaved
    assert refresh_token_of(stored(world).token) == "rt-1"
    One(world, memory, request=refused).run(Commit).step()
    assert refresh_token_of(stored(world).token) == "rt-rotated"


def test_a_key_that_was_forgotten_meanwhile_stays_forgotten() -> None:
    world = expired()
    one = One(world, request=refused).run(Commit)
    record = world.store.load(KEY)
    assert record is not None
    world.store.commit(KEY, None, expected=record.version)
    assert isinstance(one.run().error, VerificationError)
    assert world.store.load(KEY) is None
    assert isinstance(One(world, request=refused).run().error, MissingTokenError)
