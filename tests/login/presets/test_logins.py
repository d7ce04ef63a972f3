"""A login with each preset, at a server that answers as the provider documents it."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from doorkey.errors import InvalidGrant, VerificationError
from doorkey.login import AsyncLoginClient, LoginClient, LoginResult
from doorkey.login.presets import PRESETS, Preset, preset
from tests.login.presets.providers import CALLBACK, CLIENT, NOW, PROVIDERS, SECRET, Server
from tests.login.presets.test_table import PARAMETERS, TENANT


def options_of(found: Preset) -> dict[str, Any]:
    """The options of a client, as `LoginProvider` makes them of a preset."""
    secret = {} if found.name == "apple" else {"client_secret": SECRET}
    fix = {} if found.userinfo_fix is None else {"userinfo_compliance_fix": found.userinfo_fix}
    return {**found.client_options(), **secret, **fix, "redirect_uri": CALLBACK, "clock": lambda: float(NOW)}


def log_in(found: Preset, server: Server) -> LoginResult:
    with httpx2.Client(transport=server.transport) as http:
        client = LoginClient(CLIENT, http_client=http, **options_of(found))
        begun = client.begin()
        return client.finish(server.authorize(begun.url), begun.pending)


@pytest.mark.parametrize("name", PRESETS)
def test_a_login_with_each_preset_ends_with_a_user(name: str) -> None:
    found = preset(name, **PARAMETERS[name])
    server = Server(name, found.issuer)
    result = log_in(found, server)
    expected = PROVIDERS[name].expected
    known = {**(result.userinfo or {}), **(result.claims or {})}
    assert {claim: known.get(claim) for claim in expected} == expected
    assert (result.iss, result.sub) == (found.identity_issuer, expected["sub"])
    assert (result.claims is None) == (found.issuer is None)
    assert result.token["access_token"] == "the-access-token"
    assert server.request["scope"] == found.scope
    assert {one: server.request.get(one) for one in found.authorization_params} == found.authorization_params


@pytest.mark.anyio
@pytest.mark.parametrize("name", PRESETS)
async def test_a_login_that_awaits_ends_with_the_same_user(name: str) -> None:
    found = preset(name, **PARAMETERS[name])
    server = Server(name, found.issuer)
    async with httpx2.AsyncClient(transport=server.transport) as http:
        client = AsyncLoginClient(CLIENT, http_client=http, **options_of(found))
        begun = await client.begin()
        result = await client.finish(server.authorize(begun.url), begun.pending)
    assert (result.iss, result.sub) == (found.identity_issuer, PROVIDERS[name].expected["sub"])
    known = {**(result.userinfo or {}), **(result.claims or {})}
    assert {claim: known.get(claim) for claim in PROVIDERS[name].expected} == PROVIDERS[name].expected


def test_a_group_of_tenants_has_one_metadata_document_and_an_issuer_for_each_tenant() -> None:
    found = preset("microsoft", tenant="common", tenants=[TENANT])
    server = Server("microsoft", found.issuer, f"https://login.microsoftonline.com/{TENANT}/v2.0")
    server.named_issuer = "https://login.microsoftonline.com/{tenantid}/v2.0"
    result = log_in(found, server)
    assert result.iss == f"https://login.microsoftonline.com/{TENANT}/v2.0"


@pytest.mark.parametrize("tenants", [["9188040d-6c67-4c5b-b112-36a304b66dad"], None])
def test_a_tenant_that_is_not_allowed_or_signs_for_another_is_refused(tenants: list[str] | None) -> None:
    found = preset("microsoft", tenant="common", tenants=tenants)
    other = TENANT if tenants is not None else "9188040d-6c67-4c5b-b112-36a304b66dad"
    server = Server("microsoft", found.issuer, f"https://login.microsoftonline.com/{other}/v2.0")
    server.named_issuer = "https://login.microsoftonline.com/{tenantid}/v2.0"
    with pytest.raises(VerificationError):
        log_in(found, server)


def test_the_name_that_apple_posts_is_taken_from_the_callback() -> None:
    found = preset("apple", **PARAMETERS["apple"])
    server = Server("apple", found.issuer)
    log_in(found, server)
    assert server.request["response_mode"] == "form_post"
    assert found.callback_claims is not None
    assert found.callback_claims(PROVIDERS["apple"].callback)["name"] == "Alice Liddell"


def test_an_error_of_slack_or_github_has_status_200_and_is_an_error() -> None:
    for name in ("slack", "github"):
        found = preset(name, **PARAMETERS[name])
        server = Server(name, found.issuer)
        server.error = "invalid_grant"
        with pytest.raises(InvalidGrant):
            log_in(found, server)


@pytest.mark.parametrize("name", [name for name in PRESETS if PROVIDERS[name].metadata is None])
def test_the_identity_of_a_plain_provider_comes_from_its_user_api_alone(name: str) -> None:
    found = preset(name, **PARAMETERS[name])
    server = Server(name, None)
    result = log_in(found, server)
    endpoint = found.endpoints["userinfo_endpoint"]
    assert endpoint in server.requested
    assert result.userinfo is not None
    assert result.claims is None
