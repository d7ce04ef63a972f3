"""What an authorization request looks like, before any server has seen it (RFC 6749 §4.1.1, RFC 7636, RFC 9700)."""

from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from doorkey.errors import UsageError
from doorkey.protocol.pkce import challenge_of
from tests.support.every_adapter import Adapter

ENDPOINT = "https://as.example/authorize?tenant=1"


def query(url: str) -> dict[str, str]:
    pairs = parse_qsl(urlsplit(url).query)
    assert len({name for name, _ in pairs}) == len(pairs), "no parameter stands there twice"
    return dict(pairs)


def test_the_url_has_what_the_document_shows_and_keeps_the_endpoints_query(adapter: Adapter) -> None:
    url, state = adapter.client(scope="user:email").create_authorization_url(ENDPOINT)
    expected = {"tenant": "1", "response_type": "code", "client_id": "a-client", "scope": "user:email"}
    assert query(url) == {**expected, "state": state}


def test_state_has_at_least_128_bits_and_is_never_the_same(adapter: Adapter) -> None:
    client = adapter.client()
    states = {client.create_authorization_url(ENDPOINT)[1] for _ in range(50)}
    assert len(states) == 50
    assert all(len(urlsafe_b64decode(state + "==")) * 8 >= 128 for state in states)


def test_pkce_is_s256_with_a_fresh_verifier_of_at_least_256_bits(adapter: Adapter) -> None:
    client = adapter.client()
    begun = [client.begin_authorization(ENDPOINT) for _ in range(20)]
    verifiers = {transaction.code_verifier.reveal() for transaction in begun}
    assert len(verifiers) == 20
    assert all(len(urlsafe_b64decode(verifier + "==")) * 8 >= 256 for verifier in verifiers)
    for transaction in begun:
        sent = query(transaction.url)
        assert sent["code_challenge_method"] == "S256"
        assert sent["code_challenge"] == challenge_of(transaction.code_verifier.reveal())


def test_a_transaction_always_has_state_nonce_and_pkce(adapter: Adapter) -> None:
    sent = query(adapter.client().begin_authorization(ENDPOINT).url)
    assert {"state", "nonce", "code_challenge"} <= set(sent)


def test_plain_pkce_is_refused(adapter: Adapter) -> None:
    with pytest.raises(UsageError, match="'plain' does not protect the code"):
        adapter.client(code_challenge_method="plain")
    with pytest.raises(UsageError, match="'plain' does not protect the code"):
        adapter.client().create_authorization_url(ENDPOINT, code_challenge_method="plain")


def test_a_nonce_is_sent_whenever_openid_is_asked_and_a_given_one_is_kept(adapter: Adapter) -> None:
    client = adapter.client(scope="openid email")
    assert len(query(client.create_authorization_url(ENDPOINT)[0])["nonce"]) >= 22
    assert query(client.create_authorization_url(ENDPOINT, nonce="mine")[0])["nonce"] == "mine"
    assert "nonce" not in query(adapter.client(scope="email").create_authorization_url(ENDPOINT)[0])


@pytest.mark.parametrize("name", ["client_id", "code_challenge"])
def test_reserved_parameters_cannot_be_overridden_by_extra_ones(adapter: Adapter, name: str) -> None:
    client = adapter.client(code_challenge_method="S256")
    with pytest.raises(UsageError, match=f"'{name}' is reserved"):
        client.create_authorization_url(ENDPOINT, **{name: "another"})


def test_extra_parameters_are_sent(adapter: Adapter) -> None:
    url, _ = adapter.client().create_authorization_url(ENDPOINT, prompt="login", max_age=0, ui_locales=None)
    assert query(url)["prompt"] == "login"
    assert query(url)["max_age"] == "0"
    assert "ui_locales" not in query(url)


def test_a_verifier_that_is_too_short_is_refused(adapter: Adapter) -> None:
    with pytest.raises(UsageError, match="43 to 128"):
        adapter.client().create_authorization_url(ENDPOINT, code_verifier="short")


def test_a_transaction_is_frozen_and_survives_json(adapter: Adapter) -> None:
    begun = adapter.client(scope="openid", redirect_uri="https://rp.example/cb").begin_authorization(ENDPOINT)
    assert type(begun).from_json(begun.to_json()) == begun
    with pytest.raises(AttributeError):
        setattr(begun, "state", "another")  # noqa: B010  # type checkers refuse it, and so must Python


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": 1}', '{"url":"a","url":"b"}', "NaN"])
def test_a_value_that_is_not_a_transaction_is_refused(adapter: Adapter, text: str) -> None:
    begun = adapter.client().begin_authorization(ENDPOINT)
    with pytest.raises(UsageError, match="not an authorization transaction"):
        type(begun).from_json(text)


def test_a_session_remembers_a_bounded_number_of_abandoned_logins(adapter: Adapter) -> None:
    client = adapter.client()
    states = [client.create_authorization_url(ENDPOINT)[1] for _ in range(100)]
    from doorkey.errors import MismatchingStateError

    with pytest.raises(MismatchingStateError):
        client.fetch_token("https://as.example/token", authorization_response=f"https://rp/?code=c&state={states[0]}")


@pytest.mark.parametrize("given", [["code", "id_token"], ("code", "id_token"), "code id_token"])
def test_several_response_types_are_joined_by_blanks(adapter: Adapter, given: Any) -> None:
    url, _ = adapter.client().create_authorization_url(ENDPOINT, response_type=given)
    assert query(url)["response_type"] == "code id_token"


@pytest.mark.parametrize("given", [["code"], "code", None])
def test_a_transaction_is_for_a_code_unless_another_response_type_is_given(adapter: Adapter, given: Any) -> None:
    begun = adapter.client().begin_authorization(ENDPOINT, response_type=given)
    assert (query(begun.url)["response_type"], begun.response_mode) == ("code", "query")
    hybrid = adapter.client().begin_authorization(ENDPOINT, response_type=["code", "id_token"])
    assert (hybrid.response_type, hybrid.response_mode) == ("code id_token", "fragment")


@pytest.mark.parametrize("given", [7, [7], {"code": 1}])
def test_a_response_type_that_is_none_is_a_usage_error(adapter: Adapter, given: Any) -> None:
    with pytest.raises(UsageError, match="response_type"):
        adapter.client().create_authorization_url(ENDPOINT, response_type=given)
