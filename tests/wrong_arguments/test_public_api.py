"""Arguments of every kind for the public API: they raise an `OAuthError` or nothing. Sessions: `test_sessions.py`."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What is given here is of any kind by design.

import copy
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
import requests
from anyio.from_thread import BlockingPortal

import doorkey
from doorkey import errors
from doorkey.auth import OAuth2Auth
from doorkey.common import encoding, security, urls
from doorkey.credentials import ClientCredentials, JWTBearer, RefreshToken, ResourceOwnerCredentials, TokenExchange
from doorkey.errors import UsageError
from doorkey.integrations.httpx_client import OAuth2Auth as HttpxAuth
from doorkey.integrations.httpx_transport import AuthenticatingTransportFactory, OAuthAuthorityClient
from doorkey.integrations.requests_client import OAuth2Auth as RequestsAuth
from doorkey.jose import JsonWebToken, jwt
from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign
from doorkey.oidc.core import CodeIDToken, UserInfo
from doorkey.protocol.authorization import AuthorizationTransaction
from doorkey.protocol.metadata import ServerMetadata
from doorkey.sources import AsyncTokenSource, TokenSource
from doorkey.stores import (
    AsyncMemoryStore,
    AsyncRedisStore,
    AsyncSQLiteStore,
    MemoryStore,
    RedisStore,
    SQLiteStore,
    SQLStore,
)
from doorkey.tokens import OAuth2Token, OAuthToken
from doorkey.values import Scope, Secret
from doorkey.vault import AsyncTokenVault, TokenVault
from doorkey.wire.limits import ExchangePolicy
from tests.support.every_source import TLS
from tests.support.hostile_server import Hostile, reply, token
from tests.support.wrong_values import failures, parameters_of, refused

CREDENTIALS = ClientCredentials("c", "s")
FIRST = generate_key("ES256")
NOBODY = "127.0.0.1:1"
"""An address where no server listens: a call that connects to it has accepted all its arguments."""


@pytest.fixture
def server() -> Iterator[Hostile]:
    server = Hostile()
    server.on("/token", token("at", refresh_token="rt", expires_in=60))
    server.on("/api", reply(200, "fine"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def http() -> Iterator[httpx2.Client]:
    with httpx2.Client(verify=TLS) as client:
        yield client


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        (ClientCredentials, {}),
        (ResourceOwnerCredentials, {"username": "u", "password": "p"}),
        (RefreshToken, {"refresh_token": "rt"}),
        (JWTBearer, {"assertion": "a"}),
        (TokenExchange, {"subject_token": "st"}),
    ],
)
def test_credentials(server: Hostile, http: httpx2.Client, kind: Any, good: dict[str, Any]) -> None:
    def asked(**given: Any) -> None:
        credentials = kind(**given)
        assert {credentials: repr(credentials)}
        TokenSource(credentials, token_endpoint=server.token_endpoint, http_client=http).token()

    names = [name for name in parameters_of(kind) if name != "_"]
    refused(failures(asked, {"client_id": "c", "client_secret": "s", **good}, names))


def test_what_a_callable_of_credentials_returns(server: Hostile, http: httpx2.Client) -> None:
    how: dict[str, Any] = {"token_endpoint": server.token_endpoint, "http_client": http}
    makers: tuple[Callable[[Any], Any], ...] = (
        lambda returned: JWTBearer("c", assertion=lambda: returned),
        lambda returned: TokenExchange("c", subject_token=lambda: returned),
    )
    refused(
        *(failures(lambda value, make=make: TokenSource(make(value), **how).token(), {}, ["value"]) for make in makers)
    )


def test_sources(server: Hostile, http: httpx2.Client, portal: BlockingPortal) -> None:
    good: dict[str, Any] = {"credentials": CREDENTIALS, "token_endpoint": server.token_endpoint, "http_client": http}

    def used(**given: Any) -> None:
        source = TokenSource(**given)
        source.reject(source.token())

    async def awaited(**given: Any) -> None:
        source = AsyncTokenSource(**given)
        source.reject(await source.token())

    def on_a_loop(**given: Any) -> None:
        portal.call(partial(awaited, **given))

    names = [name for name in parameters_of(TokenSource) if name != "http_client"]
    refused(
        failures(used, good, [*names, "http_client"]),
        failures(on_a_loop, {**good, "http_client": None}, names),
        failures(TokenSource(**good).reject, {}),
        failures(AsyncTokenSource(CREDENTIALS, token_endpoint=server.token_endpoint).reject, {}),
    )


@pytest.mark.filterwarnings("ignore:OAuth2Auth.credentials:RuntimeWarning")  # it constructs very many
def test_auth_objects(server: Hostile, http: httpx2.Client) -> None:
    good: dict[str, Any] = {"token_endpoint": server.token_endpoint, "http_client": http}

    def sent(**given: Any) -> None:
        http.get(server.url("/api"), auth=OAuth2Auth(**given))
        requests.get(server.url("/api"), auth=OAuth2Auth(**given), timeout=60)

    refused(
        failures(
            sent, {"token_source": CREDENTIALS, **good}, [*parameters_of(OAuth2Auth), "leeway", "exchange", "no_such"]
        )
    )
    for auth in (OAuth2Auth, RequestsAuth, HttpxAuth):
        with pytest.raises(UsageError, match="did you mean 'leeway'"):
            auth(CREDENTIALS, token_endpoint=server.token_endpoint, **cast("Any", {"leewya": 5}))


def test_authorities_and_transports(server: Hostile, http: httpx2.Client) -> None:
    issued = {"issuer": server.url(""), "token_endpoint": server.token_endpoint}
    good: dict[str, Any] = {"http_client": http, "openid_config": issued}

    def asked(**given: Any) -> None:
        authority = OAuthAuthorityClient(**given)
        authority.supports_grant("client_credentials")
        authority.get_token(CREDENTIALS)

    authority = OAuthAuthorityClient(**good)
    factory = AuthenticatingTransportFactory(authority)

    def sender_for(make: Callable[..., Any], **given: Any) -> None:
        with httpx2.Client(transport=make(None, **given)) as client:
            client.get(server.url("/api"))

    exchanging = partial(sender_for, factory.token_exchange_transport)
    refused(
        failures(asked, good, parameters_of(OAuthAuthorityClient)),
        failures(authority.get_token, {}),
        failures(authority.supports_grant, {}),
        failures(authority.forget, {}),
        failures(AuthenticatingTransportFactory, {"authority": authority}),
        failures(factory.authenticating_transport, {"credentials": CREDENTIALS}, ["transport"]),
        failures(partial(sender_for, factory.authenticating_transport), {}, ["credentials"]),
        failures(partial(sender_for, factory.resource_owner_transport), {}, ["credentials"]),
        failures(
            exchanging,
            {"credentials": CREDENTIALS, "subject_token_provider": lambda: "st"},
            ["credentials", "subject_token_provider", "optional_exchange"],
        ),
        failures(
            lambda value: exchanging(credentials=CREDENTIALS, subject_token_provider=lambda: value), {}, ["value"]
        ),
    )


def test_discovery_and_metadata(http: httpx2.Client) -> None:
    issuer = {"issuer": f"http://{NOBODY}", "http_client": http}
    refused(
        failures(doorkey.discover, issuer),
        failures(ExchangePolicy, {}),
        failures(ServerMetadata, {}),
        failures(ServerMetadata.from_mapping, {"members": {}}),
        failures(lambda **members: ServerMetadata.from_mapping(members), {}, parameters_of(ServerMetadata)),
        failures(ServerMetadata.of, {"value": ServerMetadata()}),
        failures(AuthorizationTransaction.from_dict, {}),
        failures(AuthorizationTransaction.from_json, {}),
        failures(doorkey.public_address, {}),
    )


def test_keys_and_issuers(http: httpx2.Client, portals: dict[str, BlockingPortal]) -> None:
    where: dict[str, Any] = {"issuer": f"http://{NOBODY}", "http_client": http}
    here: dict[str, Any] = {"issuer": f"http://{NOBODY}"}
    fixed = doorkey.KeySource(keys=[FIRST])
    awaited = doorkey.AsyncKeySource(keys=[FIRST])
    signed = sign({"sub": "alice"}, FIRST, alg="ES256")

    def keys(**options: Any) -> None:
        doorkey.KeySource(**{**where, **options}).keys()

    def issuer(**options: Any) -> None:
        made = doorkey.Issuer(**{**where, **options})
        made.metadata()
        made.keys.keys()

    def awaiting(**options: Any) -> None:
        source = doorkey.AsyncKeySource(**{**here, **options})
        portals["asyncio"].call(source.keys)

    def verify_later(**given: Any) -> None:
        portals["asyncio"].call(partial(awaited.verify, **given))

    def decode_later(**given: Any) -> None:
        portals["asyncio"].call(partial(jwt.adecode, **given))

    token = {"token": signed}
    refused(
        failures(keys, {}, parameters_of(doorkey.KeySource)),
        failures(awaiting, {}, parameters_of(doorkey.AsyncKeySource)),
        failures(issuer, {}, parameters_of(doorkey.Issuer)),
        failures(fixed.verify, token),
        failures(verify_later, token, parameters_of(fixed.verify)),
        failures(fixed.checked, {}),
        failures(decode_later, {"s": signed, "key": fixed}, ["s", "key", "claims_cls", "claims_options"]),
    )


def test_values() -> None:
    def shown(value: Any) -> None:
        secret = Secret(value)
        assert {secret: bool(secret)} != {Secret("another one"): secret == Secret("x")}

    expiring = OAuth2Token({"access_token": "at", "expires_at": 5})
    members = {"members": {"access_token": "at", "expires_in": 5}, "now": 5}
    refused(
        failures(shown, {}),
        failures(lambda tokens: str(Scope(tokens)), {}, ["tokens"]),
        failures(Scope.of, {}),
        failures(OAuth2Token, {}),
        failures(OAuth2Token.from_dict, {}),
        failures(expiring.is_expired, {}),
        failures(OAuthToken.from_mapping, members),
    )


def test_helpers() -> None:
    refused(
        failures(security.generate_token, {}),
        failures(urls.url_encode, {}),
        failures(urls.url_decode, {}),
        failures(urls.add_params_to_qs, {"query": "a=b", "params": {"c": "d"}}),
        failures(urls.add_params_to_uri, {"uri": "https://a/", "params": {"c": "d"}}),
        failures(encoding.to_bytes, {"x": "text"}),
        failures(encoding.to_unicode, {"x": b"text"}),
    )


def test_signed_tokens() -> None:
    key = "k" * 40
    signer = JsonWebToken(["HS256"])
    signed = signer.encode({"alg": "HS256"}, {"iss": "i"}, key)

    def judged(**given: Any) -> None:
        signer.decode(signed, Secret(key)).validate(**given)

    def compared(**params: Any) -> None:
        signer.decode(signed, Secret(key), claims_cls=CodeIDToken, claims_params=params).validate()

    def asked(**options: Any) -> None:
        signer.decode(signed, Secret(key), claims_options={"iss": options}).validate()

    refused(
        failures(lambda algorithms: JsonWebToken(algorithms).decode(signed, key), {}, ["algorithms"]),
        failures(signer.encode, {"header": {"alg": "HS256"}, "payload": {"iss": "i"}, "key": key}),
        failures(lambda **header: signer.encode(header, {}, key), {"alg": "HS256"}, ["alg", "kid", "typ"]),
        failures(lambda **claims: signer.encode({"alg": "HS256"}, claims, key), {}, ["exp", "iat", "anything"]),
        failures(signer.decode, {"s": signed, "key": key}),
        failures(jwt.decode, {"s": signed, "key": key}),
        failures(judged, {}, ["now", "leeway"]),
        failures(compared, {}, ["nonce", "client_id", "max_age", "access_token", "code", "no_such"]),
        failures(asked, {}, ["essential", "value", "values", "validate", "no_such"]),
        failures(UserInfo, {}, ["payload"]),
    )


def vaults(server: Hostile, http: httpx2.Client) -> tuple[TokenVault, dict[str, Any]]:
    how: dict[str, Any] = {"client_id": "c", "token_endpoint": server.token_endpoint, "http_client": http}
    return TokenVault(MemoryStore(), **how), how


def test_vaults(server: Hostile, http: httpx2.Client, portal: BlockingPortal) -> None:
    vault, how = vaults(server, http)
    held = {"access_token": "at", "refresh_token": "rt", "expires_at": 5}

    def used(**given: Any) -> None:
        options: dict[str, Any] = {"store": MemoryStore(), **given}
        made = TokenVault(**options)
        made.save("key", held)
        made.source("key").token()
        made.client("key")
        made.forget("key")

    async def awaited(**given: Any) -> None:
        options: dict[str, Any] = {"store": AsyncMemoryStore(), **given}
        made = AsyncTokenVault(**options)
        await made.save("key", held)
        await made.source("key").token()
        await made.forget("key")

    def on_a_loop(**given: Any) -> None:
        portal.call(partial(awaited, **given))

    awaiting = {name: value for name, value in how.items() if name != "http_client"}
    refused(
        failures(used, how, parameters_of(TokenVault)),
        failures(on_a_loop, awaiting, [name for name in parameters_of(AsyncTokenVault) if name != "http_client"]),
        failures(vault.save, {"key": "key", "token": held}),
        failures(lambda key: vault.source(key).token(), {}, ["key"]),
        failures(vault.client, {"key": "key"}, ["key", "kind", "no_such_option", "leeway", "token"]),
        failures(vault.forget, {}),
        failures(vault.source("key").reject, {}),
    )


def test_what_holds_locks_and_secrets_is_neither_pickled_nor_copied(
    server: Hostile, http: httpx2.Client, tmp_path: Path
) -> None:
    vault, _ = vaults(server, http)
    file = SQLiteStore(tmp_path / "s.db")
    asked: dict[str, Any] = {"token_endpoint": server.token_endpoint}
    authority = OAuthAuthorityClient(http, {"issuer": server.url(""), **asked})
    holders: list[Any] = [
        vault,
        vault.source("key"),
        AsyncTokenVault(AsyncMemoryStore(), client_id="c", token_endpoint=server.token_endpoint),
        TokenSource(CREDENTIALS, **asked),
        AsyncTokenSource(CREDENTIALS, **asked),
        authority,
        OAuth2Auth(CREDENTIALS, **asked),
        RequestsAuth(CREDENTIALS, **asked),
        HttpxAuth(CREDENTIALS, **asked),
        MemoryStore(),
        AsyncMemoryStore(),
        file,
        AsyncSQLiteStore(tmp_path / "a.db"),
        RedisStore(f"redis://{NOBODY}"),
        AsyncRedisStore(f"redis://{NOBODY}"),
        SQLStore("sqlite://"),
    ]
    for one in holders:
        for call in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(UsageError, match="neither pickled nor copied"):
                call(one)
    file.close()


def test_one_client_authentication_method_needs_no_tuple() -> None:
    assert ClientCredentials("c", "s", auth_methods="client_secret_post").auth_methods == ("client_secret_post",)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_an_address_of_version_6_has_its_brackets_in_an_error(http: httpx2.Client) -> None:
    for client in (requests.Session(), http):
        with pytest.raises(errors.TransportError, match=r"http://\[::1\]:1"):
            TokenSource(CREDENTIALS, token_endpoint="http://[::1]:1/token", http_client=client).token()


def test_a_star_import_of_the_errors_brings_errors_alone() -> None:
    space: dict[str, Any] = {}
    exec("from doorkey.errors import *", space)  # noqa: S102
    classes = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert {name for name in space if not name.startswith("__")} == classes | {"MAX_TEXT", "printable"}
