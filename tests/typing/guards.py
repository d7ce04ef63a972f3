"""A program that protects an API: views keep their types, and tokens have theirs."""

from typing import Annotated, Any, assert_type

from doorkey.integrations.flask_oauth2 import ResourceProtector
from doorkey.resource import AccessToken, AccessTokenVerifier, ASGIGuard, DjangoGuard, FastAPIGuard, FlaskGuard
from doorkey.values import Scope


def flask(verifier: AccessTokenVerifier) -> None:
    guard = FlaskGuard(verifier, realm="orders", client_certificate="tls")

    @guard.require("orders:read", claims={"role": "admin"}, max_age=300)
    def orders(number: int) -> str:
        return str(number)

    assert_type(orders(7), str)
    orders("7")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    token = guard.access_token
    assert_type(token, AccessToken | None)
    FlaskGuard(verifier, client_certificate="proxy")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    guard.require(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def django(verifier: AccessTokenVerifier) -> None:
    @DjangoGuard(verifier).require()
    async def orders(request: Any) -> int:
        return 7

    assert orders(None) is not None


def fastapi(verifier: AccessTokenVerifier) -> None:
    guard = FastAPIGuard(verifier, scheme_name="Orders")

    def orders(token: Annotated[AccessToken, guard.require("orders:read")]) -> str | None:
        assert_type(token.scopes, Scope)
        return token.sub

    assert orders is not None
    ASGIGuard(verifier, certificate=None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def protector() -> None:
    require_oauth = ResourceProtector()

    @require_oauth("profile email", optional=True)
    def user(number: int) -> str:
        return str(number)

    @require_oauth
    def other() -> bytes:
        return b""

    assert_type(user(7), str)
    assert_type(other(), bytes)
