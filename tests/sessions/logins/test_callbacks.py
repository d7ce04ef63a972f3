"""What a callback must be before its code is used (RFC 6749 §4.1.2, §10.12; RFC 9207; RFC 9700)."""

import pytest

from doorkey.errors import AccessDenied, MismatchingStateError, OAuthError, VerificationError
from tests.support.every_adapter import Adapter, Client
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, token

HOME = "https://rp.example/cb"
ISSUER = "https://as.example"


@pytest.fixture
def client(adapter: Adapter, hostile: Hostile) -> Client:
    hostile.on("/token", token())
    metadata = {"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint}
    return adapter.client(metadata=metadata, authorization_endpoint=hostile.url("/authorize"), redirect_uri=HOME)


def refused(client: Client, callback: str, hostile: Hostile, **how: object) -> OAuthError:
    """Finish with a callback that must be refused, and must lead to no token request."""
    with pytest.raises(OAuthError) as error:
        client.fetch_token(authorization_response=callback, **how)
    assert hostile.received == []
    assert client.token is None
    return error.value


def test_an_error_callback_raises_and_never_causes_a_token_request(client: Client, hostile: Hostile) -> None:
    _, state = client.create_authorization_url()
    callback = f"{HOME}?error=access_denied&error_description=no%20thanks&state={state}"
    error = refused(client, callback, hostile)
    assert isinstance(error, AccessDenied)
    assert str(error) == "access_denied: no thanks"


def test_an_error_beside_a_code_wins(client: Client, hostile: Hostile) -> None:
    _, state = client.create_authorization_url()
    assert refused(client, f"{HOME}?code=c&error=access_denied&state={state}", hostile).error == "access_denied"


def test_a_wrong_state_is_refused(client: Client, hostile: Hostile) -> None:
    _, state = client.create_authorization_url()
    error = refused(client, f"{HOME}?code=c&state={state}x", hostile, state=state)
    assert isinstance(error, MismatchingStateError)


@pytest.mark.parametrize("callback", [f"{HOME}?code=c", f"{HOME}?code=c&state=", f"{HOME}?code=c&state=never-sent"])
def test_a_callback_without_a_login_is_refused(client: Client, hostile: Hostile, callback: str) -> None:
    client.create_authorization_url()
    assert isinstance(refused(client, callback, hostile), MismatchingStateError)


def test_a_state_works_once(client: Client, hostile: Hostile) -> None:
    _, state = client.create_authorization_url()
    callback = f"{HOME}?code=c&state={state}"
    client.fetch_token(authorization_response=callback)
    with pytest.raises(MismatchingStateError):
        client.fetch_token(authorization_response=callback)
    assert len(hostile.token_requests) == 1


def test_a_callback_of_another_login_does_not_use_up_ours(client: Client, hostile: Hostile) -> None:
    _, state = client.create_authorization_url()
    refused(client, f"{HOME}?code=c&state=forged", hostile)
    assert client.fetch_token(authorization_response=f"{HOME}?code=c&state={state}")


@pytest.mark.parametrize("name", ["code", "state", "iss", "error"])
def test_repeated_parameters_are_refused(client: Client, hostile: Hostile, name: str) -> None:
    _, state = client.create_authorization_url()
    once = {"code": "c", "state": state, name: state if name == "state" else "x"}
    query = "&".join(f"{key}={value}" for key, value in once.items())
    error = refused(client, f"{HOME}?{query}&{name}={once[name]}", hostile)
    assert isinstance(error, VerificationError)
    assert error.claim == name
    assert "more than once" in str(error)


def test_the_issuer_in_the_callback_must_be_ours(client: Client, hostile: Hostile) -> None:
    _, state = client.create_authorization_url()
    error = refused(client, f"{HOME}?code=c&state={state}&iss=https://evil.example", hostile)
    assert isinstance(error, VerificationError)
    assert error.claim == "iss"


def test_the_issuer_is_compared_as_a_string(client: Client, hostile: Hostile) -> None:
    _, state = client.create_authorization_url()
    error = refused(client, f"{HOME}?code=c&state={state}&iss={hostile.url('/')}", hostile)
    assert isinstance(error, VerificationError)


def test_our_issuer_in_the_callback_is_fine(client: Client, hostile: Hostile) -> None:
    _, state = client.create_authorization_url()
    callback = f"{HOME}?code=c&state={state}&iss={hostile.url('')}"
    assert client.fetch_token(authorization_response=callback)


def test_an_issuer_that_was_promised_must_be_there(adapter: Adapter, hostile: Hostile) -> None:
    metadata = {
        "issuer": hostile.url(""),
        "token_endpoint": hostile.token_endpoint,
        "authorization_response_iss_parameter_supported": True,
    }
    client = adapter.client(metadata=metadata)
    _, state = client.create_authorization_url(hostile.url("/authorize"))
    error = refused(client, f"{HOME}?code=c&state={state}", hostile)
    assert isinstance(error, VerificationError)
    assert error.claim == "iss"


def test_on_a_wrong_issuer_the_error_is_not_used_either(client: Client, hostile: Hostile) -> None:
    _, state = client.create_authorization_url()
    callback = f"{HOME}?error=access_denied&state={state}&iss=https://evil.example"
    assert isinstance(refused(client, callback, hostile), VerificationError)


def test_the_checks_come_in_order_repeats_state_issuer_error_code(client: Client, hostile: Hostile) -> None:
    """Each callback has every later fault too; the error names the first."""
    _, state = client.create_authorization_url()
    faults = [
        ("state=wrong&iss=https://evil.example&error=access_denied&error=x", "error"),
        ("state=wrong&iss=https://evil.example&error=access_denied", "state"),
        (f"state={state}&iss=https://evil.example&error=access_denied", "iss"),
    ]
    for query, first in faults:
        error = refused(client, f"{HOME}?{query}", hostile, state=state)
        assert isinstance(error, VerificationError)
        assert error.claim == first
        _, state = client.create_authorization_url(state=state)
    assert isinstance(refused(client, f"{HOME}?state={state}&error=access_denied", hostile, state=state), AccessDenied)


def test_a_callback_without_a_code_is_refused_and_no_other_grant_guessed(client: Client, hostile: Hostile) -> None:
    _, state = client.create_authorization_url()
    error = refused(client, f"{HOME}?state={state}", hostile)
    assert isinstance(error, VerificationError)
    assert error.claim == "code"


def test_a_fragment_is_not_read_when_the_request_asked_for_a_query(client: Client, hostile: Hostile) -> None:
    _, state = client.create_authorization_url()
    callback = f"{HOME}#access_token=at&token_type=bearer&state={state}"
    assert isinstance(refused(client, callback, hostile), MismatchingStateError)
    callback = f"{HOME}?state={state}#access_token=at&token_type=bearer&state={state}"
    assert isinstance(refused(client, callback, hostile), VerificationError)


def test_an_error_description_is_bounded_and_escaped(client: Client, hostile: Hostile) -> None:
    _, state = client.create_authorization_url()
    callback = f"{HOME}?error=access_denied&error_description=%1b[31m%0d%0a{'x' * 9000}&state={state}"
    text = str(refused(client, callback, hostile))
    assert "\x1b" not in text
    assert "\n" not in text
    assert len(text) < 600


def test_a_huge_callback_is_refused(client: Client, hostile: Hostile) -> None:
    _, state = client.create_authorization_url()
    refused(client, f"{HOME}?code={'c' * 100_000}&state={state}", hostile)


def test_an_expired_transaction_is_refused(adapter: Adapter, hostile: Hostile) -> None:
    clock = Clock()
    client = adapter.client(token_endpoint=hostile.token_endpoint, clock=clock)
    begun = client.begin_authorization(hostile.url("/authorize"))
    clock.advance(601)
    error = refused(client, f"{HOME}?code=c&state={begun.state}", hostile, transaction=begun)
    assert "has expired" in str(error)


def test_a_transaction_of_another_server_is_refused(adapter: Adapter, hostile: Hostile) -> None:
    other = adapter.client(metadata={"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/authorize"})
    begun = other.begin_authorization()
    client = adapter.client(metadata={"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint})
    error = refused(client, f"{HOME}?code=c&state={begun.state}", hostile, transaction=begun)
    assert "another authorization server" in str(error)


@pytest.mark.parametrize("answer", ["access_token=at-1&token_type=Bearer&id_token=h.p.s", "error=access_denied"])
def test_iss_in_a_fragment_is_compared_too(client: Client, hostile: Hostile, answer: str) -> None:
    for iss in ("https://evil.example", hostile.url("/"), ""):
        _, state = client.create_authorization_url(response_type="id_token token")
        error = refused(client, f"{HOME}#{answer}&state={state}&iss={iss}", hostile)
        assert isinstance(error, VerificationError)
        assert error.claim == "iss"
        other = refused(client, f"{HOME}#{answer}&state={state}&iss={hostile.url('')}", hostile)
        assert isinstance(other, MismatchingStateError), "the state is used up"


def test_iss_in_a_fragment_is_missing_though_promised(adapter: Adapter, hostile: Hostile) -> None:
    metadata = {"issuer": ISSUER, "authorization_response_iss_parameter_supported": True}
    client = adapter.client(metadata=metadata, authorization_endpoint=f"{ISSUER}/authorize")
    answer = f"{HOME}#access_token=at-1&token_type=Bearer"
    for finish in (client.fetch_token, client.token_from_fragment):
        _, state = client.create_authorization_url(response_type="token")
        with pytest.raises(VerificationError, match="iss"):
            finish(authorization_response=f"{answer}&state={state}")
        assert client.token is None
    _, state = client.create_authorization_url(response_type="token")
    client.token_from_fragment(f"{answer}&state={state}&iss={ISSUER}")
    assert client.access_token == "at-1"


def test_a_code_by_itself_can_be_given(client: Client, hostile: Hostile) -> None:
    client.fetch_token(code="the-code", code_verifier="v" * 43)
    form = hostile.token_requests[0].form
    assert form == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": HOME,
        "code_verifier": "v" * 43,
        "client_id": "a-client",
    }
