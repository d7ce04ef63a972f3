"""The table of presets: parameters are checked, and each preset becomes the options of a client."""

from __future__ import annotations

from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.jose.generation import generate_key
from doorkey.login import Login
from doorkey.login.presets import PRESETS, preset
from doorkey.login.presets.table import preset_of_environment
from doorkey.login.registry.options import RegistryOptions

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
PARAMETERS: dict[str, dict[str, Any]] = {
    "apple": {"team_id": "TEAM123456", "key_id": "KEY1234567", "private_key": generate_key("ES256")},
    "auth0": {"domain": "example.eu.auth0.com"},
    "cognito": {"user_pool_id": "eu-west-1_aBcDeFgHi", "domain": "example.auth.eu-west-1.amazoncognito.com"},
    "discord": {},
    "github": {},
    "gitlab": {},
    "google": {},
    "keycloak": {"base_url": "https://sso.example.com", "realm": "staff"},
    "linkedin": {},
    "microsoft": {"tenant": TENANT},
    "okta": {"domain": "example.okta.com"},
    "slack": {},
}
ISSUERS = {
    "apple": "https://appleid.apple.com",
    "auth0": "https://example.eu.auth0.com/",
    "cognito": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi",
    "discord": None,
    "github": None,
    "gitlab": "https://gitlab.com",
    "google": "https://accounts.google.com",
    "keycloak": "https://sso.example.com/realms/staff",
    "linkedin": None,
    "microsoft": f"https://login.microsoftonline.com/{TENANT}/v2.0",
    "okta": "https://example.okta.com/oauth2/default",
    "slack": "https://slack.com",
}


def test_every_preset_is_tested() -> None:
    assert list(PRESETS) == sorted(PARAMETERS) == sorted(ISSUERS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_names_its_source_and_its_issuer(name: str) -> None:
    found = preset(name, **PARAMETERS[name])
    assert found.source.startswith("https://")
    assert found.issuer == ISSUERS[name]
    assert found.is_openid == (ISSUERS[name] is not None)
    assert found.identity_issuer.startswith("https://")
    assert found.identity_issuer == (found.issuer or found.identity_issuer)


@pytest.mark.parametrize("name", PRESETS)
def test_a_session_accepts_the_options_of_every_preset(name: str) -> None:
    options = preset(name, **PARAMETERS[name]).client_options()
    with OAuth2Session("my-app", "my-secret", redirect_uri="https://app.example/cb", **options) as session:
        assert session.scope == options["scope"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_registry_gets_the_same_facts_under_its_own_names(name: str) -> None:
    found = preset(name, **PARAMETERS[name])
    options = found.register_options()
    assert RegistryOptions.of(name, {"client_id": "my-app", **options}).hints == ()
    assert options["client_kwargs"]["scope"] == found.scope
    assert options["client_kwargs"].get("token_endpoint_auth_method") == found.token_endpoint_auth_method
    if found.issuer is None:
        assert options["authorize_url"] == found.endpoints["authorization_endpoint"]
        assert options["access_token_url"] == found.endpoints["token_endpoint"]
        assert options["userinfo_endpoint"] == found.endpoints["userinfo_endpoint"]
    else:
        assert options["server_metadata_url"].count(".well-known/openid-configuration") == 1
        assert "//.well-known" not in options["server_metadata_url"]
    assert options.get("userinfo_compliance_fix") is found.userinfo_fix
    assert options.get("authorize_params", {}) == found.authorization_params


def test_the_response_of_apple_is_posted() -> None:
    assert preset("apple", **PARAMETERS["apple"]).client_options()["response_mode"] == "form_post"


def test_groups_of_tenants_have_a_policy_and_one_tenant_has_its_own_issuer() -> None:
    assert preset("microsoft", tenant=TENANT).tenant_issuer is None
    every = preset("microsoft", tenant="common")
    assert every.tenant_issuer is not None
    assert every.tenant_issuer.is_issuer(f"https://login.microsoftonline.com/{TENANT}/v2.0")
    assert every.register_options()["client_kwargs"]["tenant_issuer"] is every.tenant_issuer
    some = preset("microsoft", tenant="organizations", tenants=["9188040d-6c67-4c5b-b112-36a304b66dad"])
    assert some.tenant_issuer is not None
    assert not some.tenant_issuer.is_issuer(f"https://login.microsoftonline.com/{TENANT}/v2.0")
    personal = preset("microsoft", tenant="consumers").tenant_issuer
    assert personal is not None
    assert personal.tenants == frozenset({"9188040d-6c67-4c5b-b112-36a304b66dad"})


def test_cognito_has_its_own_logout() -> None:
    cognito = preset("cognito", **PARAMETERS["cognito"])
    assert cognito.endpoints == {"end_session_endpoint": "https://example.auth.eu-west-1.amazoncognito.com/logout"}
    assert cognito.logout_params("https://app.example/bye") == {"logout_uri": "https://app.example/bye"}
    assert preset("cognito", user_pool_id="eu-west-1_aBcDeFgHi").endpoints == {}
    standard = preset("google").logout_params("https://app.example/bye")
    assert standard == {"post_logout_redirect_uri": "https://app.example/bye"}


def test_a_realm_is_one_segment_of_the_path() -> None:
    assert preset("keycloak", base_url="https://a.example/auth/", realm="our staff").issuer == (
        "https://a.example/auth/realms/our%20staff"
    )
    assert preset("keycloak", base_url="http://127.0.0.1:8080", realm="r").issuer == "http://127.0.0.1:8080/realms/r"


@pytest.mark.parametrize(
    ("name", "parameters", "told"),
    [
        ("gogle", {}, "google"),
        ("nothing-like-it", {}, "there are apple, auth0"),
        ("auth0", {}, "needs domain="),
        ("auth0", {"domian": "example.auth0.com"}, "domain"),
        ("google", {"domain": "example.com"}, "it has none"),
        ("auth0", {"domain": "https://example.auth0.com/"}, "without https://"),
        ("okta", {"domain": "example.okta.com@evil.example"}, "name of a host"),
        ("okta", {"domain": "example.okta.com\n"}, "name of a host"),
        ("okta", {"domain": "example.okta.com", "authorization_server": "a/../b"}, "without a slash"),
        ("keycloak", {"base_url": "http://sso.example.com", "realm": "r"}, "https"),
        ("keycloak", {"base_url": "https://sso.example.com?x", "realm": "r"}, "query"),
        ("keycloak", {"base_url": "https://sso.example.com", "realm": ".."}, "without a slash"),
        ("keycloak", {"base_url": "https://sso.example.com", "realm": 7}, "realm must be text"),
        ("microsoft", {"tenant": "contoso.onmicrosoft.com"}, "a domain name is not accepted"),
        ("microsoft", {"tenant": TENANT, "tenants": [TENANT]}, "tenant="),
        ("microsoft", {"tenant": "common", "tenants": ["{tenantid}"]}, "list of tenant IDs"),
        ("cognito", {"user_pool_id": "evil.example/x"}, "user pool"),
        ("apple", {"team_id": "T", "key_id": "K"}, "needs private_key="),
        ("apple", {"team_id": "T", "key_id": "K", "private_key": None}, "AuthKey_"),
        ("apple", {"team_id": "", "key_id": "K", "private_key": generate_key("ES256")}, "team_id"),
        ("apple", {"team_id": "T", "key_id": "K", "private_key": generate_key("ES384")}, "P-256"),
    ],
)
def test_a_wrong_name_or_parameter_is_explained(name: str, parameters: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        preset(name, **parameters)
    assert told in str(caught.value)


def test_the_environment_has_the_parameters_of_a_preset() -> None:
    variables = {"PRE_TENANT": "organizations", "PRE_TENANTS": f"{TENANT} 9188040d-6c67-4c5b-b112-36a304b66dad"}
    found = preset_of_environment("microsoft", "PRE_", variables)
    assert found.tenant_issuer is not None
    assert found.tenant_issuer.tenants == frozenset({TENANT, "9188040d-6c67-4c5b-b112-36a304b66dad"})
    pem = PARAMETERS["apple"]["private_key"].as_pem(is_private=True).decode()
    variables = {"PRE_TEAM_ID": "TEAM123456", "PRE_KEY_ID": "KEY1234567", "PRE_PRIVATE_KEY": pem}
    assert preset_of_environment("apple", "PRE_", variables).token_endpoint_auth_method is not None
    assert preset_of_environment("gitlab", "PRE_", {}).issuer == "https://gitlab.com"


def test_a_variable_that_is_missing_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        preset_of_environment("auth0", "DOORKEY_PRESET_", {})
    assert "DOORKEY_PRESET_DOMAIN" in str(caught.value)


def test_a_login_takes_the_parameters_of_its_preset_from_the_environment() -> None:
    variables = {"DOORKEY_PRESET": "auth0", "DOORKEY_PRESET_DOMAIN": "a.eu.auth0.com", "DOORKEY_CLIENT_ID": "my-app"}
    login = Login.from_env(variables, sessions="memory:")
    (provider,) = login.blocking.backend.providers.values()
    assert provider.preset == preset("auth0", domain="a.eu.auth0.com")
    several = {
        "DOORKEY_PROVIDERS": "google work",
        "DOORKEY_GOOGLE_CLIENT_ID": "g",
        "DOORKEY_WORK_CLIENT_ID": "w",
        "DOORKEY_WORK_PRESET": "keycloak",
        "DOORKEY_WORK_PRESET_BASE_URL": "https://sso.example.com",
        "DOORKEY_WORK_PRESET_REALM": "staff",
    }
    providers = Login.from_env(several, sessions="memory:").blocking.backend.providers
    assert [one.label for one in providers.values()] == ["Google", "Keycloak"]
