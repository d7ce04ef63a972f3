"""An issuer that another party names (MCP, CIMD): it leads to no inner address, on any client, by any detour."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from ipaddress import IPv4Address
from typing import Any

import httpx
import httpx2
import pytest
import requests
from anyio.from_thread import BlockingPortal

from doorkey import ClientCredentials, ExchangePolicy, TokenSource, adiscover, discover, public_address
from doorkey.errors import InvalidResponse, TransportError, UsageError, VerificationError
from doorkey.protocol.metadata import ServerMetadata
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import WAIT, Hostile, reply, token
from tests.support.named_servers import NAME, Authority, Names, Proven

Find = Callable[..., ServerMetadata]
Open = Callable[[str], Find]
OPENID = "/.well-known/openid-configuration"

PUBLIC = ExchangePolicy(addresses=public_address)
HERE = ExchangePolicy(addresses=lambda address: address == IPv4Address("127.0.0.1"))
"""As if 127.0.0.1, where the tests' servers are, were the one public address."""
INNER = ["10.0.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "168.63.129.16", "fd00:ec2::254", "fe80::1", "::1"]


def session_on_requests(authority: Authority) -> requests.Session:
    session = requests.Session()
    session.verify = str(authority.path)
    return session


def on_httpx(make: Callable[..., Any]) -> Callable[[Authority], Any]:
    return lambda authority: make(verify=authority.trusted)


MAKERS: dict[str, Callable[[Authority], Any]] = {
    "requests": session_on_requests,
    "httpx2": on_httpx(httpx2.Client),
    "httpx2-async": on_httpx(httpx2.AsyncClient),
    "httpx": on_httpx(httpx.Client),
    "httpx-async": on_httpx(httpx.AsyncClient),
}


@pytest.fixture
def opened(portal: BlockingPortal, authority: Authority) -> Iterator[Open]:
    """What opens a client of a kind, and finds metadata with it: each time by a new request."""
    closing = ExitStack()

    def opening(kind: str) -> Find:
        if kind not in MAKERS:
            return discover
        client = MAKERS[kind](authority)

        def afind(issuer: str, **options: Any) -> ServerMetadata:
            return portal.call(partial(adiscover, issuer, http_client=client, max_age=0, **options))

        if "async" in kind:
            closing.callback(portal.call, client.aclose)
            return afind
        closing.callback(client.close)
        return partial(discover, http_client=client, max_age=0)

    with closing:
        yield opening


@pytest.fixture(params=[*MAKERS])
def find(request: pytest.FixtureRequest, opened: Open) -> Find:
    return opened(request.param)


def session_of(adapter: Adapter, authority: Authority, **options: Any) -> Client:
    if adapter.kind.name == "requests":
        session = adapter.client("c", "a-secret", **options)
        session.native.verify = str(authority.path)
        return session
    return adapter.client("c", "a-secret", verify=authority.trusted, **options)


def test_a_user_supplied_issuer_refuses_private_link_local_and_metadata_addresses_and_connects_to_the_address_that_was_checked(  # noqa: E501
    find: Find, names: Names, server: Proven
) -> None:
    for address in INNER:
        names.lead(NAME, address)
        with pytest.raises(VerificationError, match=NAME) as error:
            find(f"https://{NAME}", exchange=PUBLIC)
        assert address not in f"{error.value!r}{error.value.__cause__!r}{error.value.__context__!r}"
    names.asked.clear()
    names.lead(NAME, "127.0.0.1")
    assert find(server.url(""), exchange=HERE).token_endpoint == server.url("/token")
    assert names.asked == [NAME]
    assert server.asked_for == [NAME]
    assert [request.header("host") for request in server.received] == [f"{NAME}:{server.port}"]


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "2130706433",
            "017700000001",
            "0",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "localhost",
        ),
        *("169.254.169.254", "0xa9fea9fe", "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]", "10.0.0.1"),
    ],
)
def test_an_inner_address_is_refused_however_it_is_spelled(find: Find, names: Names, host: str) -> None:
    with pytest.raises(VerificationError):
        find(f"https://{host}", exchange=PUBLIC)
    assert names.asked == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_plain_http_is_refused_even_on_loopback(find: Find, names: Names, hostile: Hostile, host: str) -> None:
    with pytest.raises(VerificationError):
        find(f"http://{host}:{hostile.port}", exchange=PUBLIC)
    assert hostile.received == []


@pytest.mark.parametrize("answers", [("127.0.0.1", "10.0.0.1"), ("10.0.0.1", "127.0.0.1"), ("127.0.0.1", "::1")])
def test_a_name_with_a_permitted_and_another_address_is_refused(
    find: Find, names: Names, server: Proven, answers: tuple[str, ...]
) -> None:
    names.lead(NAME, answers)
    with pytest.raises(VerificationError):
        find(server.url(""), exchange=HERE)
    assert server.asked_for == []


def test_a_name_that_changes_its_address_after_the_check_changes_nothing(
    find: Find, names: Names, server: Proven
) -> None:
    """DNS rebinding: the second lookup would lead inside, so there is none."""
    names.lead(NAME, "127.0.0.1", "10.0.0.1")
    assert find(server.url(""), exchange=HERE).issuer == server.url("")
    assert names.asked == [NAME]
    with pytest.raises(VerificationError):
        find(server.url(""), exchange=HERE)
    assert len(server.received) == 1


def test_where_one_checked_address_does_not_answer_the_next_is_tried(find: Find, names: Names, server: Proven) -> None:
    names.lead(NAME, ("127.0.0.2", "127.0.0.1"), ("127.0.0.1", "127.0.0.2"))
    loopback = ExchangePolicy(addresses=lambda address: address.is_loopback)
    assert find(server.url(""), exchange=loopback).issuer == server.url("")
    assert find(server.url(""), exchange=loopback).issuer == server.url("")
    names.lead(NAME, ("127.0.0.2", "127.0.0.3"))
    with pytest.raises(TransportError) as error:
        find(server.url(""), exchange=loopback)
    assert error.value.retryable is True


def test_the_certificate_must_be_the_names_and_not_the_addresss(
    find: Find, names: Names, authority: Authority, server: Proven
) -> None:
    names.lead("other.example", "127.0.0.1")
    names.lead(NAME, "127.0.0.1")
    with pytest.raises(TransportError):
        find(server.url("", host="other.example"), exchange=HERE)
    assert find(server.url(""), exchange=HERE).issuer == server.url("")
    with pytest.raises(TransportError):
        find(server.url("", host="other.example"), exchange=HERE)
    assert [request.header("host") for request in server.received] == [f"{NAME}:{server.port}"]
    assert server.asked_for == ["other.example", NAME, "other.example"]


def test_a_redirect_is_not_followed_either(find: Find, names: Names, server: Proven) -> None:
    names.lead(NAME, "127.0.0.1")
    server.on(OPENID, reply(307, headers={"Location": server.url("/elsewhere")}))
    with pytest.raises(InvalidResponse) as error:
        find(server.url(""), exchange=HERE)
    assert error.value.problem == "redirected"
    assert server.to("/elsewhere") == []


def test_the_deadline_holds_while_a_name_is_looked_up(
    find: Find, monkeypatch: pytest.MonkeyPatch, server: Proven
) -> None:
    asked, answer = threading.Event(), threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        asked.set()
        answer.wait(WAIT)
        raise OSError("too late")

    monkeypatch.setattr("socket.getaddrinfo", hang)
    try:
        for deadline in (0.15, 1.5, 15):  # on a busy machine it may be over before the name is looked up
            with pytest.raises(TransportError, match="within"):
                find(server.url(""), exchange=ExchangePolicy(deadline=deadline, addresses=public_address))
            if asked.is_set():
                break
        assert asked.is_set()
        assert not answer.is_set()
    finally:
        answer.set()
    assert server.asked_for == []


def test_a_name_that_does_not_resolve_is_an_unreachable_server(
    find: Find, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: Any, **__: Any) -> Any:
        raise OSError("no such name")

    monkeypatch.setattr("socket.getaddrinfo", nothing)
    with pytest.raises(TransportError, match=NAME) as error:
        find(f"https://{NAME}", exchange=PUBLIC)
    assert error.value.retryable is True
    assert isinstance(error.value.__cause__, OSError)
    monkeypatch.setattr("socket.getaddrinfo", names.lookup)
    names.lead(NAME, ())
    with pytest.raises(TransportError, match=NAME):
        find(f"https://{NAME}", exchange=PUBLIC)


@pytest.mark.usefixtures("names")
def test_a_value_that_is_not_a_name_is_a_misuse(find: Find) -> None:
    with pytest.raises(UsageError, match="host name"):
        find(f"https://{'a' * 64}.example", exchange=PUBLIC)


@pytest.mark.parametrize(
    "endpoint", ["https://169.254.169.254/t", "https://inner.example/t", "https://localhost/t", "https://0x7f.1/t"]
)
def test_an_inner_endpoint_in_the_metadata_of_a_public_issuer_is_refused(
    opened: Open, adapter: Adapter, names: Names, authority: Authority, server: Proven, endpoint: str
) -> None:
    names.lead(NAME, "127.0.0.1")
    names.lead("inner.example", "10.0.0.1")
    named = dict.fromkeys(("token_endpoint", "revocation_endpoint", "introspection_endpoint"), endpoint)
    server.on(OPENID, reply(json={"issuer": server.url(""), **named}))
    metadata = opened(adapter.kind.name)(server.url(""), exchange=HERE)
    client = session_of(adapter, authority, metadata=metadata, exchange=PUBLIC)
    calls: list[Callable[[], object]] = [
        client.fetch_token,
        partial(client.revoke_token, token="at"),
        partial(client.introspect_token, token="at"),
    ]
    for call in calls:
        with pytest.raises(VerificationError, match="host"):
            call()
    assert [request.path for request in server.received] == [OPENID]


def test_a_connection_that_the_program_has_open_is_no_way_around_the_check(
    adapter: Adapter, names: Names, authority: Authority, server: Proven
) -> None:
    names.lead(NAME, "127.0.0.1", "10.0.0.1")
    client = session_of(adapter, authority, token_endpoint=server.url("/token"), exchange=HERE)
    assert client.get(server.url("/api"), withhold_token=True).status_code == 200
    with pytest.raises(VerificationError):
        client.fetch_token()
    assert server.token_requests == []


def test_an_open_connection_of_the_program_to_the_same_address_is_not_reused(
    adapter: Adapter, hostile: Hostile
) -> None:
    hostile.on("/token", token())
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint, exchange=HERE)
    for _ in range(2):
        assert client.get(hostile.url(), withhold_token=True).status_code == 200
        client.fetch_token()
    assert [request.path for request in hostile.received] == ["/api", "/token"] * 2


def test_a_source_asks_the_endpoints_that_its_issuer_names_under_the_same_policy(
    names: Names, authority: Authority, server: Proven
) -> None:
    names.lead(NAME, "127.0.0.1")
    names.lead("inner.example", "10.0.0.1")
    inner = {"issuer": server.url(""), "token_endpoint": "https://inner.example/t"}
    client = session_on_requests(authority)
    good = TokenSource(ClientCredentials("c", "s"), issuer=server.url(""), http_client=client, exchange=HERE)
    assert good.token().access_token.reveal() == "at-1"
    server.on(OPENID, reply(json=inner))
    bad = TokenSource(ClientCredentials("c", "s"), issuer=server.url(""), http_client=client, exchange=HERE)
    with pytest.raises(VerificationError, match=r"inner\.example"):
        bad.token()
    client.close()


def test_a_session_gets_its_token_from_the_address_that_was_checked(
    adapter: Adapter, names: Names, authority: Authority, server: Proven
) -> None:
    names.lead(NAME, "127.0.0.1")
    client = session_of(adapter, authority, token_endpoint=server.url("/token"), exchange=HERE)
    client.fetch_token()
    client.fetch_token()
    assert client.access_token == "at-1"
    assert names.asked == [NAME, NAME]
    assert {request.header("host") for request in server.received} == {f"{NAME}:{server.port}"}


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("kind", [*MAKERS, "whatever is there"])
def test_a_proxy_which_would_resolve_the_name_itself_is_a_misuse(
    opened: Open, names: Names, hostile: Hostile, monkeypatch: pytest.MonkeyPatch, variable: str, kind: str
) -> None:
    monkeypatch.setenv(variable, hostile.url(""))
    monkeypatch.setenv("NO_PROXY", "")
    names.lead(NAME, "127.0.0.1")
    with pytest.raises(UsageError, match="proxy"):
        opened(kind)(f"https://{NAME}", exchange=HERE)
    assert names.asked == []
    assert hostile.received == []


@pytest.mark.parametrize("kind", MAKERS)
def test_a_proxy_that_is_not_for_this_name_does_not_matter(
    opened: Open, names: Names, server: Proven, hostile: Hostile, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", hostile.url(""))
    monkeypatch.setenv("NO_PROXY", NAME)
    names.lead(NAME, "127.0.0.1")
    assert opened(kind)(server.url(""), exchange=HERE).issuer == server.url("")
    assert hostile.received == []


def test_an_authority_that_is_not_trusted_is_still_not_trusted(names: Names, server: Proven, adapter: Adapter) -> None:
    names.lead(NAME, "127.0.0.1")
    with pytest.raises(TransportError):
        adapter.client("c", "s", token_endpoint=server.url("/token"), exchange=HERE).fetch_token()
    assert server.received == []


def test_the_judgement_may_fail_and_then_nothing_is_sent(find: Find, names: Names, server: Proven) -> None:
    class Unsure(Exception):
        pass

    def unsure(_: object) -> bool:
        raise Unsure

    names.lead(NAME, "127.0.0.1")
    with pytest.raises(Unsure):
        find(server.url(""), exchange=ExchangePolicy(addresses=unsure))
    assert server.asked_for == []
