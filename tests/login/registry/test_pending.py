"""The data of a pending login: small, and enough to finish it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from doorkey.login.registry.pending import REGISTRATION, data_of, transaction_of
from doorkey.protocol.authorization import AuthorizationTransaction
from doorkey.values import Scope, Secret

USUAL = AuthorizationTransaction(
    url="https://as.example/authorize?client_id=rp",
    state="the-state",
    code_verifier=Secret("v" * 43),
    nonce="the-nonce",
    issuer="https://as.example",
    redirect_uri="https://rp.example/cb",
    scope=Scope.of("openid"),
    response_mode="query",
    expires_at=1000.0,
)
UNUSUAL = replace(
    USUAL,
    response_mode="form_post",
    response_type="code id_token",
    token_endpoint="https://as.example/token",
    resource=("https://api.example",),
    max_age=0.0,
    acr_values=("2",),
)


@pytest.mark.parametrize("transaction", [USUAL, UNUSUAL], ids=["usual", "unusual"])
def test_data_brings_the_transaction_back(transaction: AuthorizationTransaction) -> None:
    stored = json.loads(json.dumps({**data_of(transaction, "r1"), "redirect_uri": transaction.redirect_uri}))
    found = transaction_of(stored, "the-state", 1000.0)
    assert found is not None
    assert replace(found, url=transaction.url) == transaction


def test_usual_values_are_not_stored() -> None:
    members = {"code_verifier", "nonce", "issuer", "scope", REGISTRATION}
    assert data_of(USUAL, "r1").keys() == members
    assert data_of(UNUSUAL, "r1").keys() == members | {
        *("response_mode", "response_type", "token_endpoint", "resource", "max_age", "acr_values")
    }


def test_data_of_a_usual_login_takes_little_of_a_cookie() -> None:
    assert len(json.dumps({**data_of(USUAL, "0123abcd"), "redirect_uri": USUAL.redirect_uri})) < 300


@pytest.mark.parametrize("missing", ["nonce", "code_verifier"])
def test_data_with_less_is_no_transaction(missing: str) -> None:
    data = {name: value for name, value in data_of(USUAL, "r1").items() if name != missing}
    assert transaction_of(data, "the-state", 1000.0) is None


def test_data_of_a_program_with_a_wrong_value_is_no_transaction() -> None:
    assert transaction_of({**data_of(USUAL, "r1"), "scope": 7}, "the-state", 1000.0) is None
