"""`verify` and `timeout` in `client_kwargs`, in every framework."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.hostile_server import Exchange, Hostile, reply
from tests.support.named_servers import Authority, Proven
from tests.support.registries import CONFIGURATION, World


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that no client trusts by default."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another one."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[Hostile]:
    """A server with a certificate of the authority."""
    proven = Proven(authority.proof("localhost"), "localhost")
    proven.on("/api", reply(json={"ok": True}))
    yield proven
    proven.close()


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def kinds(authority: Authority) -> dict[str, Any]:
    return {"context": authority.trusted, "path": str(authority.path), "none": False, "context none": unverified()}


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request", "ignore:.*verify=<str>.*:DeprecationWarning")
@pytest.mark.parametrize("kind", ["context", "path", "none", "context none"])
def test_verify_is_a_context_or_a_path_or_false(world: World, authority: Authority, server: Hostile, kind: str) -> None:
    world.register(
        server_metadata_url=None,
        authorize_url=server.url("/authorize"),
        client_kwargs={"scope": "user", "verify": kinds(authority)[kind], "trust_env": False},
    )
    for _ in range(2):
        assert world.call("get", server.url("/api"), token={"access_token": "at"}).status_code == 200


@pytest.mark.filterwarnings("ignore:.*verify=<str>.*:DeprecationWarning")
@pytest.mark.parametrize("kind", ["context", "path", "usual"])
def test_a_certificate_of_another_authority_is_rejected(
    world: World, stranger: Authority, server: Hostile, kind: str
) -> None:
    before = len(server.received)
    kwargs = {"scope": "user", "verify": {**kinds(stranger), "usual": True}[kind], "trust_env": False}
    world.register(server_metadata_url=None, authorize_url=server.url("/authorize"), client_kwargs=kwargs)
    with pytest.raises(Exception, match=r"(?i)certificate"):  # the HTTP library's own
        world.call("get", server.url("/api"), token={"access_token": "at"})
    assert len(server.received) == before


def test_a_context_has_no_other_authorities(
    world: World, server: Hostile, authority: Authority, stranger: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(stranger.path))
    context = authority.trusted
    before = context.get_ca_certs()
    world.register(
        server_metadata_url=None,
        authorize_url=server.url("/authorize"),
        client_kwargs={"scope": "user", "verify": context},
    )
    world.call("get", server.url("/api"), token={"access_token": "at"})
    assert context.get_ca_certs() == before


@pytest.mark.filterwarnings("ignore:.*verify=<str>.*:DeprecationWarning")
@pytest.mark.parametrize("kind", ["context", "path"])
def test_the_metadata_are_fetched_with_verify(world: World, authority: Authority, server: Hostile, kind: str) -> None:
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    metadata = {"issuer": server.url(""), **{name: server.url(f"/{name}") for name in names}}
    server.on(CONFIGURATION, reply(json=metadata))
    world.register(
        server_metadata_url=server.url(CONFIGURATION),
        client_kwargs={"scope": "openid", "verify": kinds(authority)[kind], "trust_env": False},
    )
    assert world.call("load_server_metadata")["token_endpoint"] == server.url("/token_endpoint")


@pytest.mark.parametrize("as_object", [True, False], ids=["httpx2.Timeout", "seconds"])
def test_a_timeout_ends_a_request_that_is_not_answered(world: World, *, as_object: bool) -> None:
    import httpx2

    timeout: Any = httpx2.Timeout(0.2) if as_object else 0.2
    world.provider.server.on("/slow", Exchange.until_hung_up)
    world.register(client_kwargs={"scope": "openid", "timeout": timeout})
    with pytest.raises(Exception, match=r"(?i)timed? ?out|^$"):  # the HTTP library's own
        world.call("get", world.provider.server.url("/slow"), token={"access_token": "at"})
