"""What a token exchange brings: an access token, or what is none and has the type N_A (RFC 8693 §2.2.1)."""

from typing import Any

import pytest

from doorkey.errors import InvalidResponse
from doorkey.protocol.grants import ACCESS_TOKEN_TYPE, ClientCredentialsGrant, Grant, TokenExchangeGrant
from doorkey.protocol.token_endpoint import parse_token
from doorkey.values import Secret
from tests.protocol.test_token_endpoint import NOW, answer

JWT = "urn:ietf:params:oauth:token-type:jwt"
ISSUED: list[tuple[str | None, dict[str, Any]]] = [
    (JWT, {}),
    (JWT, {"issued_token_type": JWT}),
    (None, {"issued_token_type": JWT}),
    (ACCESS_TOKEN_TYPE, {"issued_token_type": JWT}),
]


@pytest.mark.parametrize(("requested", "members"), ISSUED)
@pytest.mark.parametrize("written", ["N_A", "n_a"])
def test_an_exchange_may_bring_what_is_no_access_token(
    requested: str | None, members: dict[str, Any], written: str
) -> None:
    grant = TokenExchangeGrant(Secret("st"), requested_token_type=requested)
    got = parse_token(answer(token_type=written, **members), requested_at=NOW, grant=grant)
    assert (got.token_type, got.access_token.reveal()) == ("N_A", "at-1")


NOT_ISSUED: list[tuple[Grant | None, dict[str, Any]]] = [
    (TokenExchangeGrant(Secret("st")), {}),
    (TokenExchangeGrant(Secret("st"), requested_token_type=ACCESS_TOKEN_TYPE), {}),
    (TokenExchangeGrant(Secret("st"), requested_token_type=JWT), {"issued_token_type": ACCESS_TOKEN_TYPE}),
    (TokenExchangeGrant(Secret("st")), {"issued_token_type": 7}),
    (ClientCredentialsGrant(), {"issued_token_type": JWT}),
    (None, {"issued_token_type": JWT}),
]


@pytest.mark.parametrize(("grant", "members"), NOT_ISSUED)
def test_where_an_access_token_was_to_come_the_type_is_one_that_can_be_sent(
    grant: Grant | None, members: dict[str, Any]
) -> None:
    with pytest.raises(InvalidResponse) as caught:
        parse_token(answer(token_type="N_A", **members), requested_at=NOW, grant=grant)
    assert caught.value.problem == "token_type_unknown"
