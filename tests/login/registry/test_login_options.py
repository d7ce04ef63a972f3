"""A login through a registry, by the options of `register`: metadata, keys, client authentication and repairs."""

from __future__ import annotations

from typing import Any

import pytest

from doorkey.errors import UsageError, VerificationError
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import Key
from doorkey.oauth2.rfc7523 import PrivateKeyJWT
from doorkey.oidc.core import TenantIssuer
from tests.support.hostile_server import reply
from tests.support.openid_provider import SUB
from tests.support.registries import CONFIGURATION, HOME, World


def test_a_provider_without_openid_connect_needs_two_urls(world: World) -> None:
    urls = {
        "authorize_url": world.provider.server.url("/authorize"),
        "access_token_url": world.provider.server.url("/token"),
    }
    world.provider.tokens = {"id_token": None}
    world.register(server_metadata_url=None, client_kwargs={"scope": "user:email"}, **urls)
    token = world.log_in()
    assert token["access_token"]
    assert "userinfo" not in token
    assert world.provider.request_count(CONFIGURATION) == 0


def test_a_client_without_endpoints_says_what_to_register(world: World) -> None:
    world.register(server_metadata_url=None)
    with pytest.raises(UsageError, match="authorization endpoint of 'op' is not known"):
        world.begin(world.browser())


def test_a_server_that_requires_pushed_requests_is_a_clear_error(world: World) -> None:
    metadata = {**world.provider.metadata, "require_pushed_authorization_requests": True}
    world.register(server_metadata_url=None, **metadata)
    with pytest.raises(UsageError, match="pushed authorization requests"):
        world.begin(world.browser())


def test_users_of_several_tenants_log_in(world: World) -> None:
    provider, base = world.provider, world.provider.server.url("")
    template = f"{base}/{{tenantid}}/v2.0"
    document = "/organizations/v2.0/.well-known/openid-configuration"
    provider.server.on(document, reply(json={**provider.metadata, "issuer": template}))
    world.register(
        server_metadata_url=provider.server.url(document),
        client_kwargs={"scope": "openid", "tenant_issuer": TenantIssuer(template, ["t1", "t2"])},
    )
    for tenant in ("t1", "t2"):
        provider.changed = {"iss": f"{base}/{tenant}/v2.0", "tid": tenant}
        token = world.log_in()
        assert token["userinfo"]["iss"] == f"{base}/{tenant}/v2.0"
        assert world.call("parse_id_token", token, nonce="")["tid"] == tenant
        assert world.call("userinfo", token=token)["sub"] == SUB
    for wrong in ({"iss": f"{base}/t3/v2.0", "tid": "t3"}, {"iss": f"{base}/t1/v2.0", "tid": "t2"}):
        provider.changed = wrong
        with pytest.raises(VerificationError):
            world.log_in()
    assert (provider.request_count(document), provider.request_count("/jwks")) == (1, 1)


@pytest.mark.parametrize("supported", ["client_secret_basic", "client_secret_post"])
def test_every_way_to_exchange_a_code_authenticates_as_the_metadata_say(world: World, supported: str) -> None:
    metadata = {**world.provider.metadata, "token_endpoint_auth_methods_supported": [supported]}
    world.provider.server.on(CONFIGURATION, reply(json=metadata))
    world.log_in()
    browser = world.browser()
    world.call("fetch_access_token", code=world.answer(world.begin(browser))["code"], redirect_uri=HOME)
    world.call("fetch_token", grant_type="client_credentials")
    ways = {"client_secret" in request.form for request in world.provider.server.token_requests}
    assert ways == {supported == "client_secret_post"}


def test_an_issuer_alone_is_discovered(world: World) -> None:
    world.register(server_metadata_url=None, issuer=world.provider.issuer)
    assert world.log_in()["userinfo"]["sub"] == SUB
    assert world.provider.request_count(CONFIGURATION) == 1


def test_metadata_of_the_registration_needs_no_discovery(world: World) -> None:
    world.register(server_metadata_url=None, **world.provider.metadata)
    assert world.log_in()["userinfo"]["sub"] == SUB
    assert world.provider.request_count(CONFIGURATION) == 0


def test_registered_keys_verify_without_a_request(world: World) -> None:
    metadata = {name: value for name, value in world.provider.metadata.items() if name != "jwks_uri"}
    world.register(server_metadata_url=None, jwks={"keys": world.provider.keys}, **metadata)
    assert world.log_in()["userinfo"]["sub"] == SUB
    assert world.provider.request_count("/jwks") == 0


def test_without_an_issuer_the_id_token_needs_one_in_claims_options(world: World) -> None:
    metadata = {name: value for name, value in world.provider.metadata.items() if name != "issuer"}
    world.register(server_metadata_url=None, **metadata)
    browser = world.browser()
    with pytest.raises(UsageError, match="issuer of 'op' is not known"):
        world.finish(browser, world.answer(world.begin(browser)))
    options = {"iss": {"values": [world.provider.issuer]}}
    token = world.finish(browser, world.answer(world.begin(browser)), claims_options=options)
    assert token["userinfo"]["sub"] == SUB
    options = {"iss": {"values": ["http://127.0.0.1:1"]}}
    with pytest.raises(VerificationError) as error:
        world.finish(browser, world.answer(world.begin(browser)), claims_options=options)
    assert error.value.claim == "iss"


@pytest.fixture(scope="module")
def key() -> Key:
    return generate_key("ES256")


@pytest.mark.parametrize("as_bytes", [True, False])
@pytest.mark.parametrize("way", ["method", "list"])
def test_the_secret_of_private_key_jwt_is_pem(world: World, key: Key, way: str, as_bytes: bool) -> None:
    pem: Any = key.as_pem(is_private=True)
    secret = pem if as_bytes else pem.decode()
    named = {"client_auth_methods": [PrivateKeyJWT()], "token_endpoint_auth_method": "private_key_jwt"}
    options = {"token_endpoint_auth_method": PrivateKeyJWT()} if way == "method" else named
    kwargs: dict[str, Any] = {"scope": "openid"}
    if way == "list":
        kwargs["token_endpoint_auth_method"] = options.pop("token_endpoint_auth_method")
    world.register(client_secret=secret, client_kwargs=kwargs, **options)
    assert world.log_in()["userinfo"]["sub"] == SUB
    form = world.provider.server.token_requests[-1].form
    assert form["client_assertion"].count(".") == 2
    assert "client_secret" not in form


def test_client_kwargs_name_the_client_authentication(world: World) -> None:
    world.register(client_kwargs={"scope": "openid", "token_endpoint_auth_method": "client_secret_post"})
    world.log_in()
    assert world.provider.server.token_requests[-1].form["client_id"] == "rp"


def test_compliance_fix_is_called_with_the_session(world: World) -> None:
    def fix(session: Any) -> None:
        def hook(response: Any) -> Any:
            response.json()["access_token"]
            fixed.append(response.status_code)
            return response

        session.register_compliance_hook("access_token_response", hook)

    fixed: list[int] = []
    world.register(compliance_fix=fix)
    world.log_in()
    assert fixed == [200]


def test_the_user_agent_is_sent(world: World) -> None:
    world.register(user_agent="acme/1")
    world.log_in()
    assert world.provider.server.token_requests[-1].header("user-agent") == "acme/1"
