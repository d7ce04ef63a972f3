"""A provider with many tenants, such as Microsoft Entra ID with `common`: one metadata document, an issuer for each."""

from __future__ import annotations

import pytest

from doorkey.errors import OAuthError, VerificationError
from doorkey.oidc.core import TenantIssuer
from tests.support.hostile_server import reply
from tests.support.registries import CONFIGURATION, World


@pytest.fixture
def template(world: World) -> str:
    """Let the provider be one with many tenants, and return the issuer in its metadata."""
    issuer = f"{world.provider.issuer}/{{tenantid}}/v2.0"
    world.provider.server.on(CONFIGURATION, reply(json={**world.provider.metadata, "issuer": issuer}))
    return issuer


def test_a_user_of_a_tenant_logs_in_and_one_of_another_tenant_does_not(world: World, template: str) -> None:
    kwargs = {"scope": "openid profile", "tenant_issuer": TenantIssuer(template, ["ours"])}
    world.register(client_kwargs=kwargs)
    world.provider.changed = {"iss": template.replace("{tenantid}", "ours"), "tid": "ours"}
    token = world.log_in()
    assert (token["userinfo"]["tid"], token["userinfo"]["iss"]) == ("ours", template.replace("{tenantid}", "ours"))
    again = world.call("parse_id_token", dict(token), nonce="")
    assert again["tid"] == "ours"
    world.provider.changed = {"iss": template.replace("{tenantid}", "theirs"), "tid": "theirs"}
    with pytest.raises(VerificationError, match="tid"):
        world.log_in()
    assert world.provider.request_count(CONFIGURATION) == 1


def test_without_a_policy_the_metadata_of_many_tenants_is_an_oauth_error(world: World, template: str) -> None:
    world.register()
    with pytest.raises(OAuthError, match=r"many tenants, each with an issuer; give tenant_issuer="):
        world.begin(world.browser())
