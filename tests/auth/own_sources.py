"""Token sources that a program wrote, and a signer of them for a caller that blocks or one that awaits."""

import asyncio
from typing import Any

import pytest

from doorkey.auth.signer import RequestSigner
from doorkey.auth.token_sources import signer_for
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import awaited

API = "https://api.example/v1"
SAME_API = "https://api.example/v2"
OTHER_API = "https://other.example/"
FIRST, SECOND, THIRD = (OAuthToken(Secret(name)) for name in ("at-1", "at-2", "at-3"))
INVALID = 'Bearer error="invalid_token"'


class Own:
    """A token source of a program's own, whose next token is there once the current one is rejected."""

    def __init__(self, *tokens: OAuthToken, says: bool | None = None) -> None:
        self.tokens, self.says = list(tokens), says
        self.rejected: list[OAuthToken] = []
        self.asked = 0

    def token(self) -> OAuthToken:
        self.asked += 1
        return self.tokens[0]

    def reject(self, token: OAuthToken) -> bool | None:
        self.rejected.append(token)
        if len(self.tokens) > 1 and token == self.tokens[0]:
            self.tokens.pop(0)
        return self.says


class AsyncOwn:
    """The same, awaited."""

    def __init__(self, own: Own) -> None:
        self.own = own

    async def token(self) -> OAuthToken:
        return self.own.token()

    async def reject(self, token: OAuthToken) -> bool | None:
        return self.own.reject(token)


class Signing:
    """A signer of `own`, for a caller that blocks or one that awaits."""

    def __init__(self, own: Own, *, awaits: bool, **options: Any) -> None:
        self.own, self._awaits = own, awaits
        self.signer: RequestSigner = signer_for(AsyncOwn(own) if awaits else own, **options)

    def token(self) -> OAuthToken:
        return asyncio.run(maybe_later(self.signer.token_async())) if self._awaits else self.signer.token()

    def replacement(self, refused: OAuthToken, url: str = API, **how: bool) -> OAuthToken | None:
        if self._awaits:
            return asyncio.run(self.signer.replacement_async(refused, url, **how))
        return self.signer.replacement(refused, url, **how)


async def maybe_later(token: Any) -> OAuthToken:
    found = await awaited(token)
    assert isinstance(found, OAuthToken)
    return found


def access(found: OAuthToken | None) -> str:
    assert found is not None
    return found.access_token.reveal()


either = pytest.mark.parametrize("awaits", [False, True])
