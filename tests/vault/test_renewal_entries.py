"""Which entry a renewal goes on with, of what the store, the memory and the server have; and a dead grant."""

from dataclasses import replace

import pytest

from doorkey.errors import InvalidGrant, MissingTokenError
from doorkey.protocol.metadata import ServerMetadata
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.vault.effects import Commit, Load, Release, TryLease
from doorkey.vault.memory import Memory
from doorkey.wire.flow import Flow, Sleep
from doorkey.wire.messages import Request
from tests.vault.model import KEY, LIFETIME, World
from tests.vault.one_renewal import One, expired, leased_elsewhere, record_of, stored

# -- which of two entries counts ---------------------------------------------------------------------------------------


def test_a_newer_token_that_an_api_rejected_here_is_renewed_and_not_returned() -> None:
    world = expired()
    memory = Memory(KEY, None, 60.0)
    one = One(world, memory).run(TryLease)
    assert One(world).run().access_token == "at-2"
    memory.rejected = Secret("at-2")
    assert one.run().access_token == "at-3"
    assert world.server.presented == ["rt-1", "rt-2"]


def test_a_token_that_the_server_issues_twice_is_returned_though_an_api_rejected_it() -> None:
    world = expired()
    memory = Memory(KEY, None, 60.0)
    memory.rejected = Secret("at-2")
    assert One(world, memory).run().access_token == "at-2"
    assert world.server.presented == ["rt-1"]


def test_a_login_that_was_saved_before_the_commit_is_returned_without_another_try() -> None:
    world = expired()
    one = One(world).run(Commit)
    world.save(world.workers[0])
    assert one.run().access_token == "at-3"
    assert one.kinds == [Load, TryLease, Load, Request, Commit, Load, Release]


def test_the_memory_holds_what_the_store_holds_after_a_renewal() -> None:
    world = expired()
    one = One(world).run()
    record = world.store.load(KEY)
    assert record is not None
    assert one.memory.held is not None
    assert (one.memory.held.version, one.memory.unsaved) == (record.version, False)


def test_the_memory_holds_nothing_once_the_key_was_forgotten() -> None:
    world = World(1)
    memory = Memory(KEY, None, 60.0)
    One(world, memory).run()
    assert memory.held is not None
    record = world.store.load(KEY)
    assert record is not None
    world.store.commit(KEY, None, expected=record.version)
    assert isinstance(One(world, memory).run().error, MissingTokenError)
    assert memory.held is None


# -- a grant that the server has refused -------------------------------------------------------------------------------


def refused(world: World) -> One:
    """Return a renewal that the server has refused, and that is about to mark its grant as dead."""
    world.server.revoked = True
    one = One(world).run(Request)
    one.step()
    one.run(Commit)
    world.server.revoked = False
    return one


def test_the_memory_of_a_dead_grant_has_the_version_of_its_mark() -> None:
    world = expired()
    one = refused(world).run()
    record = world.store.load(KEY)
    assert record is not None
    assert one.memory.held is not None
    assert (one.memory.held.version, one.memory.held.dead) == (record.version, "reused")


def test_a_login_that_was_saved_before_the_mark_is_returned_without_another_request() -> None:
    world = expired()
    one = refused(world)
    world.save(world.workers[0])
    assert one.run().access_token == "at-2"
    assert one.kinds.count(Request) == 1
    assert one.kinds.count(TryLease) == 1


def test_an_expired_login_that_was_saved_before_the_mark_is_renewed() -> None:
    world = expired()
    one = refused(world)
    world.save(world.workers[0])
    world.expire()
    assert one.run().access_token == "at-3"
    assert world.server.presented == ["rt-1", "rt-2"]


def test_a_dead_grant_without_a_description_raises_an_error_without_one() -> None:
    world = expired()
    entry = stored(world)
    one = One(world)
    one.feed(record_of(world, replace(entry, dead=""), entry.version))
    assert isinstance(one.error, InvalidGrant)
    assert one.error.description == InvalidGrant(status=400).description


def known_dead(world: World) -> Memory:
    """Return the memory of a dead grant, of which the store knows nothing."""
    memory = Memory(KEY, None, 60.0)
    memory.held = replace(stored(world), dead="reused")
    return memory


def test_a_dead_grant_that_the_store_does_not_know_is_an_error_without_a_request() -> None:
    world = expired()
    one = One(world, known_dead(world)).run()
    assert isinstance(one.error, InvalidGrant)
    assert one.kinds == [Load]


@pytest.mark.parametrize(("login", "newer"), [("login-2", 0), (None, 1)])
def test_a_dead_grant_ends_with_another_login_or_version_in_the_store(login: str | None, newer: int) -> None:
    world = World(1)
    entry = stored(world)
    one = One(world, known_dead(world))
    one.feed(record_of(world, replace(entry, login_id=login or entry.login_id), entry.version + newer))
    assert one.access_token == "at-1"


def test_the_store_counts_and_not_the_memory_where_both_have_the_same_version() -> None:
    world = World(1)
    memory = Memory(KEY, None, 60.0)
    memory.held = entry = stored(world)
    one = One(world, memory)
    other = replace(entry, token=replace(entry.token, access_token=Secret("at-restored")))
    one.feed(record_of(world, other, entry.version))
    assert one.access_token == "at-restored"


# -- credentials, which request a token without a refresh token --------------------------------------------------------


class Credentials:
    """Credentials that request the token `at-c`, and keep what each request was made for."""

    def __init__(self, world: World) -> None:
        self._world, self.asked = world, list[OAuthToken | None]()

    def ask(self, _metadata: ServerMetadata, token: OAuthToken | None, _keep: object) -> Flow[OAuthToken]:
        self.asked.append(token)
        yield from ()
        return OAuthToken(Secret("at-c"), expires_at=self._world.now + LIFETIME, lifetime=LIFETIME)


def without_record() -> World:
    world = World(1)
    forget(world)
    return world


def forget(world: World) -> None:
    record = world.store.load(KEY)
    assert record is not None
    world.store.commit(KEY, None, expected=record.version)


def shared(world: World) -> tuple[One, Credentials]:
    credentials = Credentials(world)
    return One(world, repeatable=True, request=credentials.ask), credentials


def test_credentials_request_the_first_token_of_a_key_under_the_lease() -> None:
    world = without_record()
    one, credentials = shared(world)
    assert one.run().access_token == "at-c"
    assert one.kinds == [Load, TryLease, Load, Commit, Release]
    assert credentials.asked == [None]
    assert stored(world).token.access_token == Secret("at-c")


def test_credentials_wait_for_the_first_token_that_another_process_requests() -> None:
    world = without_record()
    lease = leased_elsewhere(world)
    one, credentials = shared(world)
    one.run(Sleep)
    one.step()
    one.run(Sleep)
    world.save(world.workers[0])
    world.store.release(lease)
    assert one.run().access_token == "at-2"
    assert credentials.asked == []


def test_credentials_take_the_first_token_that_was_committed_before_the_lease() -> None:
    world = without_record()
    one, credentials = shared(world)
    one.run(TryLease)
    world.save(world.workers[0])
    assert one.run().access_token == "at-2"
    assert credentials.asked == []


def test_credentials_replace_an_expired_token_that_has_no_refresh_token() -> None:
    world = World(1)
    world.save(world.workers[0], {"access_token": "at-9", "token_type": "Bearer", "expires_in": LIFETIME})
    world.expire()
    one, credentials = shared(world)
    assert one.run().access_token == "at-c"
    assert [token and token.access_token for token in credentials.asked] == [Secret("at-9")]


def test_credentials_request_a_token_for_a_key_that_was_forgotten_before_the_lease() -> None:
    world = expired()
    one, credentials = shared(world)
    one.run(TryLease)
    forget(world)
    assert one.run().access_token == "at-c"
    assert credentials.asked == [None]


def test_credentials_whose_token_was_forgotten_before_the_commit_request_another_one() -> None:
    world = expired()
    one, credentials = shared(world)
    one.run(Commit)
    forget(world)
    assert one.run().access_token == "at-c"
    assert len(credentials.asked) == 2
    assert stored(world).token.access_token == Secret("at-c")


def test_credentials_that_the_server_refuses_are_no_dead_grant() -> None:
    world = expired()
    world.server.revoked = True
    one = One(world, repeatable=True).run()
    assert isinstance(one.error, InvalidGrant)
    assert one.kinds == [Load, TryLease, Load, Request, Load, Release]
    assert stored(world).dead is None


def test_credentials_that_are_refused_for_a_key_that_was_forgotten_raise_the_refusal() -> None:
    world = expired()
    world.server.revoked = True
    one = One(world, repeatable=True).run(Request)
    one.step()
    forget(world)
    assert isinstance(one.run().error, InvalidGrant)


def test_a_stale_token_is_renewed_under_the_lease_and_not_taken_for_a_newer_one() -> None:
    world = World(1)
    world.now += LIFETIME - 1
    assert One(world).run().access_token == "at-2"
