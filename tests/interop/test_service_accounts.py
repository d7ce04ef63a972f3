"""The service account of the session guide (seed 003), on Keycloak and on the embedded provider.

Both require what Google does not: a client that authenticates, and `sub` in the assertion.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from doorkey.dev import Provider
from doorkey.dev.registrations import ROBOT, ROBOTS
from doorkey.errors import InvalidGrant
from doorkey.integrations.requests_client import AssertionSession
from doorkey.jose.keys import import_key
from doorkey.jose.verification import unsafe_claims
from tests.servers.handle import RealServer
from tests.servers.signing_keys import rsa_key

CLIENT = {"client_id": "assertion-client", "client_secret": "assertion-secret"}


@dataclass(frozen=True, slots=True)
class Account:
    """A key file of the issuer that the server trusts."""

    file: Path
    issuer: str
    options: dict[str, Any]


def written(folder: Path, pem: str, issuer: str, token_endpoint: str) -> Path:
    path = folder / "MyProject-1234.json"
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "client_email": ROBOTS,
                "private_key": pem,
                "private_key_id": "rs256",
                "token_uri": token_endpoint,
            }
        )
    )
    return path


@pytest.fixture
def on_keycloak(keycloak: RealServer, tmp_path: Path) -> Account:
    endpoint = f"{keycloak.issuer}/protocol/openid-connect/token"
    pem = (keycloak.keys / "rs256.pem").read_text()
    return Account(written(tmp_path, pem, keycloak.issuer, endpoint), keycloak.issuer, CLIENT)


@pytest.fixture
def on_the_provider(tmp_path: Path) -> Iterator[Account]:
    key = import_key(rsa_key(tmp_path / "rs256.pem"))
    with Provider(trusted_issuers={ROBOTS: {"keys": [{**key.as_dict(), "kid": "rs256"}]}}) as provider:
        pem = (tmp_path / "rs256.pem").read_text()
        path = written(tmp_path, pem, provider.issuer, provider.token_endpoint)
        yield Account(path, provider.issuer, {**CLIENT, "clock": provider.clock})


@pytest.fixture(params=["on_the_provider", pytest.param("on_keycloak", marks=pytest.mark.real_server)])
def account(request: pytest.FixtureRequest) -> Account:
    account: Account = request.getfixturevalue(request.param)
    return account


def test_the_program_of_the_guide_gets_a_token(account: Account) -> None:
    scope = "email"

    with account.file.open() as f:
        conf = json.load(f)

    token_url = conf["token_uri"]
    header = {"alg": "RS256"}
    key_id = conf.get("private_key_id")
    if key_id:
        header["kid"] = key_id

    # Google puts scope in payload
    claims = {"scope": scope, "sub": ROBOT}

    session = AssertionSession(
        grant_type=AssertionSession.JWT_BEARER_GRANT_TYPE,
        token_url=token_url,
        issuer=conf["client_email"],
        audience=token_url,
        claims=claims,
        subject=None,
        key=conf["private_key"],
        header=header,
        **account.options,
    )
    check(session, account)


def check(session: AssertionSession, account: Account, *, openid: bool = False) -> None:
    """Get two tokens by two assertions, and send one. UserInfo needs the scope `openid` of the token request."""
    with session:
        assert session.ensure_active_token() is True
        first = session.token
        assert first is not None
        assert unsafe_claims(first["access_token"])["iss"] == account.issuer
        second = session.fetch_token()
        assert second["access_token"] != first["access_token"]
        told = session.get(f"{account.issuer}/protocol/openid-connect/userinfo")
        assert told.status_code == (200 if openid else 403)


def test_the_key_file_gets_a_token(account: Account) -> None:
    check(AssertionSession.from_file(account.file, subject=ROBOT, scope="email", **account.options), account)


def test_the_key_file_gets_a_token_from_an_issuer(account: Account) -> None:
    options: dict[str, Any] = {"issuer": account.issuer, "subject": ROBOT, "scope": "openid email", **account.options}
    check(AssertionSession.from_file(account.file, **options), account, openid=True)


def test_a_subject_that_the_server_does_not_know_is_an_invalid_grant(account: Account) -> None:
    with (
        AssertionSession.from_file(account.file, subject="robot-8", **account.options) as session,
        pytest.raises(InvalidGrant),
    ):
        session.fetch_token()
