"""The device flow at the embedded provider and at real servers: a session and a source, that block and that await."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from doorkey import AsyncTokenSource, DeviceAuthorization, DeviceGrant, TokenSource
from doorkey.errors import AccessDenied
from tests.servers.browser import Browser
from tests.support.contract_servers import DeviceFlow, KeyAssertion, Site, on
from tests.support.every_adapter import Adapter, Client

of_each_world = pytest.mark.parametrize("adapter", ["requests", "httpx2-async"], indirect=True)


def answer(site: Site, device: DeviceAuthorization, *, agree: bool = True) -> None:
    """Answer in a browser, as the user."""
    with Browser(site.facts.name, agree=agree) as browser:
        browser.device(
            {
                "verification_uri": device.verification_uri,
                "verification_uri_complete": device.verification_uri_complete,
                "user_code": device.user_code,
            }
        )


def pauses(site: Site) -> Callable[[float], None]:
    """A sleep of one login. The first one takes no time, and each further one takes its time on the server's clock too.

    Keycloak may show the page before it has stored what the user answered, and then refuses requests for 5 seconds.
    """
    taken: list[float] = []

    def sleep(seconds: float) -> None:
        site.clock.advance(seconds)
        if taken:
            threading.Event().wait(seconds)
        taken.append(seconds)

    return sleep


def session(adapter: Adapter, site: Site) -> Client:
    """A session for one login, whose pauses are `pauses`."""
    sleep = adapter.function(pauses(site))
    return adapter.client(*site.ability(DeviceFlow).client, scope="openid", sleep=sleep, **site.options)


@of_each_world
@on(DeviceFlow)
def test_a_user_logs_a_device_in(adapter: Adapter, site: Site) -> None:
    client = session(adapter, site)
    device: Any = client.call("begin_device_authorization")
    assert device.issuer == site.issuer
    answer(site, device)
    token: Any = client.call("finish_device_authorization", device)
    assert (token.id_token_claims is not None) == site.ability(DeviceFlow).brings_id_token
    before = token["access_token"]
    client.refresh_token()
    assert client.access_token != before


@of_each_world
@on(DeviceFlow, KeyAssertion)
def test_a_client_signs_both_of_its_requests(adapter: Adapter, site: Site) -> None:
    key, sleep = site.ability(KeyAssertion).key(site.keys, "rs256"), adapter.function(pauses(site))
    method = {"token_endpoint_auth_method": "private_key_jwt", "scope": "openid"}
    client = adapter.client("pkjwt-rs256", key, **method, sleep=sleep, **site.options)
    device: Any = client.call("begin_device_authorization")
    answer(site, device)
    token: Any = client.call("finish_device_authorization", device)
    assert token["access_token"]


@of_each_world
@on(DeviceFlow)
def test_a_user_refuses_a_device(adapter: Adapter, site: Site) -> None:
    client = session(adapter, site)
    device: Any = client.call("begin_device_authorization")
    answer(site, device, agree=False)
    with pytest.raises(AccessDenied):
        client.call("finish_device_authorization", device)
    assert client.token is None


@on(DeviceFlow)
def test_a_source_logs_in_on_a_device(site: Site, portal: BlockingPortal) -> None:
    def show(device: DeviceAuthorization) -> None:
        answer(site, device)

    of_second_login = pauses(site)

    async def asleep(seconds: float) -> None:
        of_second_login(seconds)

    flow, server = site.ability(DeviceFlow), site.endpoints()
    grant = DeviceGrant(*flow.client, ("openid",), show=show)
    with TokenSource(grant, metadata=server, clock=site.clock, sleep=pauses(site)) as source:
        assert (source.token().id_token is not None) == flow.brings_id_token

    async def awaiting() -> None:
        async with AsyncTokenSource(grant, metadata=server, clock=site.clock, sleep=asleep) as source:
            assert (await source.token()).refresh_token is not None

    portal.call(awaiting)
