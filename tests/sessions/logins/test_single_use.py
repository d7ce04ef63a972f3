"""A state and a transaction are used once: a second callback, or a second caller with the same one, gets an error."""

import threading

import pytest

from doorkey.errors import InvalidGrant, MismatchingStateError, VerificationError
from doorkey.sessions.pending import MOST_FINISHED, Authorizations
from tests.support.every_adapter import KINDS, Adapter, Client, together
from tests.support.hostile_server import WAIT, Hostile, reply, token

HOME = "https://rp.example/cb"

of_threads = pytest.mark.parametrize(
    "adapter", [name for name, kind in KINDS.items() if not kind.is_async], indirect=True
)
"""Tasks have no such moment: nothing is awaited between looking and noting."""


@pytest.fixture
def client(adapter: Adapter, hostile: Hostile) -> Client:
    hostile.on("/token", token())
    return adapter.client(
        token_endpoint=hostile.token_endpoint, authorization_endpoint=hostile.url("/authorize"), redirect_uri=HOME
    )


def test_a_transaction_is_finished_once(client: Client, hostile: Hostile) -> None:
    """By this session; other processes cannot know it, so that the program takes it out of where it was kept."""
    begun = client.begin_authorization()
    callback = f"{HOME}?code=c&state={begun.state}"
    with pytest.raises(MismatchingStateError):  # the callback of another login does not use it up
        client.fetch_token(authorization_response=f"{HOME}?code=c&state=theirs", transaction=begun)
    client.fetch_token(authorization_response=callback, transaction=begun)
    again = type(begun).from_json(begun.to_json())
    with pytest.raises(VerificationError, match="finished already") as replayed:
        client.fetch_token(authorization_response=callback, transaction=again)
    assert replayed.value.claim == "transaction"
    assert len(hostile.token_requests) == 1
    two = client.begin_authorization()
    client.fetch_token(authorization_response=f"{HOME}?code=c&state={two.state}", transaction=two)
    assert len(hostile.token_requests) == 2


def test_a_code_that_was_refused_has_used_up_its_transaction(client: Client, hostile: Hostile) -> None:
    hostile.on("/token", reply(400, json={"error": "invalid_grant"}))
    begun = client.begin_authorization()
    callback = f"{HOME}?code=c&state={begun.state}"
    with pytest.raises(InvalidGrant):
        client.fetch_token(authorization_response=callback, transaction=begun)
    with pytest.raises(VerificationError, match="finished already"):
        client.fetch_token(authorization_response=callback, transaction=begun)
    assert len(hostile.token_requests) == 1


@of_threads
def test_of_two_that_finish_a_transaction_at_once_one_does(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    both_have_looked, racing = threading.Barrier(2, timeout=WAIT), list[bool]()

    def clock() -> float:
        if racing and racing.pop():
            both_have_looked.wait()
        return 1_000.0

    client = adapter.client(token_endpoint=hostile.token_endpoint, clock=clock)
    begun = client.begin_authorization(hostile.url("/authorize"))
    callback = f"{HOME}?code=c&state={begun.state}"
    racing += [True, True]
    outcomes = together(2, lambda: client.fetch_token(authorization_response=callback, transaction=begun))
    assert sum(isinstance(one, VerificationError) for one in outcomes) == 1
    assert len(hostile.token_requests) == 1


@of_threads
def test_of_two_callers_with_one_callback_one_uses_it(client: Client, hostile: Hostile) -> None:
    both_have_looked = threading.Barrier(2, timeout=WAIT)

    class Url(str):
        """Its length is asked for once the state has been looked up."""

        __slots__ = ()

        def __len__(self) -> int:
            both_have_looked.wait()
            return super().__len__()

    _, state = client.create_authorization_url()
    callback = Url(f"{HOME}?code=c&state={state}")
    outcomes = together(2, lambda: client.fetch_token(authorization_response=callback))
    assert sum(isinstance(one, MismatchingStateError) for one in outcomes) == 1
    assert len(hostile.token_requests) == 1


def test_a_session_remembers_a_bounded_number_of_finished_transactions() -> None:
    authorizations = Authorizations()
    assert all(authorizations.finish(f"s-{number}") for number in range(MOST_FINISHED + 1))
    assert not authorizations.finish(f"s-{MOST_FINISHED}")
    assert authorizations.finish("s-0"), "the oldest is forgotten; it has long expired"
