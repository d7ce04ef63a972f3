"""A registered client is a value that a program keeps: complete, checked, and silent about its secrets."""

import json
import pickle
from typing import Any

import pytest

from doorkey import Secret, UsageError
from doorkey.protocol.registered_client import MAX_TEXT, RegisteredClient

RFC_7591: dict[str, Any] = {
    "client_id": "s6BhdRkqt3",
    "client_secret": "cf136dc3c1fc93f31185e5885805d",
    "client_id_issued_at": 2893256800,
    "client_secret_expires_at": 2893276800,
    "redirect_uris": ["https://client.example.org/callback", "https://client.example.org/callback2"],
    "grant_types": ["authorization_code", "refresh_token"],
    "client_name": "My Example Client",
    "registration_client_uri": "https://server.example.com/register/s6BhdRkqt3",
    "registration_access_token": "this.is.an.access.token.value.ffx83",
}


def test_the_members_of_the_response_of_rfc_7591_section_3_2_1_have_fields() -> None:
    client = RegisteredClient.of_members(RFC_7591, issuer="https://server.example.com")
    assert (client.client_id, client.client_id_issued_at) == ("s6BhdRkqt3", 2893256800)
    assert client.client_secret == Secret("cf136dc3c1fc93f31185e5885805d")
    assert client.client_secret_expires_at == 2893276800
    assert client.registration_client_uri == "https://server.example.com/register/s6BhdRkqt3"
    assert client.registration_access_token == Secret("this.is.an.access.token.value.ffx83")
    assert client.metadata == {name: RFC_7591[name] for name in ("redirect_uris", "grant_types", "client_name")}
    assert client.issuer == "https://server.example.com"


def test_it_comes_back_from_the_dictionary_that_it_becomes_with_its_secrets() -> None:
    client = RegisteredClient.of_members(RFC_7591, issuer="https://server.example.com")
    stored = json.loads(json.dumps(client.to_dict()))
    assert stored["client_secret"] == RFC_7591["client_secret"]
    assert RegisteredClient.from_dict(stored) == client
    assert hash(RegisteredClient.from_dict(stored)) == hash(client)
    bare = RegisteredClient(client_id="app")
    assert bare.to_dict() == {"metadata": {}, "client_id": "app"}
    assert RegisteredClient.from_dict(bare.to_dict()) == bare


def test_neither_repr_nor_str_nor_pickle_shows_a_secret() -> None:
    client = RegisteredClient.of_members({**RFC_7591, "note": "a metadata value"})
    for text in (repr(client), str(client), f"{client}", repr(client.metadata), repr(client.issued())):
        assert "cf136dc3" not in text
        assert "ffx83" not in text
        assert "a metadata value" not in text
    with pytest.raises(UsageError, match="a Secret is not pickled"):
        pickle.dumps(client)


def test_a_secret_that_is_empty_is_none_and_one_that_expires_at_0_never_does() -> None:
    client = RegisteredClient.of_members(
        {"client_id": "app", "client_secret": "", "client_secret_expires_at": 0, "registration_client_uri": None}
    )
    assert client == RegisteredClient(client_id="app")


@pytest.mark.parametrize(
    "wrong",
    [
        *({"client_id": ""}, {"client_id": 7}, {"client_id": "a\nb"}, {"client_id": "x" * (MAX_TEXT + 1)}),
        *({"client_secret": "é"}, {"client_secret": ["a"]}, {"client_secret": "x" * (MAX_TEXT + 1)}),
        *({"registration_access_token": "a b"}, {"registration_access_token": 1}),
        *({"client_id_issued_at": "now"}, {"client_secret_expires_at": float("nan")}, {"client_secret_expires_at": -1}),
        *({"registration_client_uri": "http://server.example.com/c"}, {"registration_client_uri": 5}),
    ],
    ids=str,
)
def test_a_member_of_another_kind_is_an_error_that_quotes_no_secret(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        RegisteredClient.of_members({**RFC_7591, **wrong})
    assert "xxxx" not in str(caught.value)
    assert "ffx83" not in repr(caught.value.args)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_secret": "a text"},
        {"registration_access_token": "a text"},
        {"metadata": "a text"},
        {"issuer": ""},
        {"registration_client_uri": "https://u:p@server.example.com/"},
    ],
    ids=str,
)
def test_the_constructor_checks_what_it_is_given(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        RegisteredClient(client_id="app", **wrong)


@pytest.mark.parametrize(
    "stored", [None, [], {"client_id": "app", "color": "red"}, {"client_id": "app", "metadata": 1}]
)
def test_a_dictionary_of_another_kind_is_not_a_stored_client(stored: Any) -> None:
    with pytest.raises(UsageError):
        RegisteredClient.from_dict(stored)


def test_a_host_that_the_program_allows_may_be_plain_http() -> None:
    members = {"client_id": "app", "registration_client_uri": "http://keycloak/register/app"}
    assert RegisteredClient.from_dict(members, http_hosts={"keycloak"}).registration_client_uri == (
        "http://keycloak/register/app"
    )
    with pytest.raises(UsageError, match="https"):
        RegisteredClient.from_dict(members)


def test_what_is_done_to_the_dictionary_changes_no_client() -> None:
    client = RegisteredClient.of_members(RFC_7591)
    client.to_dict()["metadata"]["redirect_uris"].clear()
    assert client.metadata["redirect_uris"] == RFC_7591["redirect_uris"]
