"""Key files of Google's format: every malformed shape is an error of ours that shows nothing of the file."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.errors import UsageError
from doorkey.protocol.service_account import ServiceAccount, parse_service_account
from doorkey.values import Secret
from tests.support.tracebacks import local_variables

PEM = "-----BEGIN PRIVATE KEY-----\ndo-not-show\n-----END PRIVATE KEY-----\n"
GOOD: dict[str, Any] = {
    "type": "service_account",
    "project_id": "project-1",
    "private_key_id": "key-1",
    "private_key": PEM,
    "client_email": "robot@project-1.iam.gserviceaccount.com",
    "client_id": "1234",
    "token_uri": "https://oauth2.googleapis.com/token",
    "universe_domain": "googleapis.com",
}


def file(**members: Any) -> bytes:
    return json.dumps({name: value for name, value in {**GOOD, **members}.items() if value != "absent"}).encode()


def test_the_format_of_google_is_read() -> None:
    account = parse_service_account(file())
    assert account == ServiceAccount(GOOD["client_email"], Secret(PEM), "key-1", GOOD["token_uri"])
    assert "do-not-show" not in repr(account)


@pytest.mark.parametrize("absent", ["absent", None, ""])
def test_the_id_of_the_key_may_be_absent_and_so_may_the_token_uri_of_a_known_server(absent: Any) -> None:
    account = parse_service_account(file(private_key_id=absent, token_uri=absent), needs_token_uri=False)
    assert (account.private_key_id, account.token_uri) == (None, None)


MALFORMED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not a JSON object"),
    "PEM": (PEM.encode(), "not a JSON object"),
    "PKCS 12": (b"0\x82\x0a\x00\x02\x01\x03", "not a JSON object"),
    "UTF-16": (json.dumps(GOOD).encode("utf-16"), "not a JSON object"),
    "a list": (json.dumps([GOOD]).encode(), "not a JSON object"),
    "cut off": (file()[:-9], "not a JSON object"),
    "a member twice": (file()[:-1] + b', "private_key": "do-not-show"}', "not a JSON object"),
    "too deep": (b'{"a": ' + b"[" * 99 + b"]" * 99 + b"}", "not a JSON object"),
    "no type": (file(type="absent"), "without a type"),
    "a type that is no text": (file(type=["service_account"]), "without a type"),
    "a user's credential": (file(type="authorized_user"), "of type 'authorized_user'"),
    "a federated credential": (file(type="external_account"), "of type 'external_account'"),
    "no key": (file(private_key="absent"), "private_key is not a private key in PEM"),
    "a public key": (file(private_key="-----BEGIN PUBLIC KEY-----"), "not a private key in PEM"),
    "a key that is no text": (file(private_key={"kty": "do-not-show"}), "private_key is not a text"),
    "no email": (file(client_email=""), "no client_email"),
    "an email that is no text": (file(client_email=7), "client_email is not a text"),
    "no token_uri": (file(token_uri="absent"), "no token_uri: give the authorization server as issuer="),
    "a token_uri that is no text": (file(token_uri=7), "token_uri is not a text"),
    "an id that is no text": (file(private_key_id=7), "private_key_id is not a text"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_key_file_is_a_usage_error_that_shows_nothing_of_the_key(name: str) -> None:
    data, said = MALFORMED[name]
    with pytest.raises(UsageError, match=said) as caught:
        parse_service_account(data)
    assert "do-not-show" not in str(caught.value) + local_variables(caught.value)


def test_an_endless_type_is_shown_within_bounds() -> None:
    with pytest.raises(UsageError) as caught:
        parse_service_account(file(type="x" * 10_000))
    assert len(str(caught.value)) < 300


members = st.dictionaries(
    st.sampled_from([*GOOD, "other"]), st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.just(PEM))
)


@given(st.one_of(st.binary(), members.map(lambda given: json.dumps({**GOOD, **given}).encode())), st.booleans())
def test_any_content_is_an_account_or_a_usage_error(data: bytes, needed: bool) -> None:
    try:
        account = parse_service_account(data, needs_token_uri=needed)
    except UsageError:
        return
    assert account.client_email
    assert "PRIVATE KEY-----" in account.private_key.reveal()
    assert account.token_uri or not needed
