"""Metadata documents: each member is checked by its rule, and an error names the member."""

from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.oauth2 import rfc8414
from doorkey.oauth2.rfc8414 import AuthorizationServerMetadata
from doorkey.oidc.discovery import OpenIDProviderMetadata, get_well_known_url

SERVER: dict[str, Any] = {
    "issuer": "https://as.example/tenant",
    "authorization_endpoint": "https://as.example/authorize",
    "token_endpoint": "https://as.example/token",
    "response_types_supported": ["code"],
}
PROVIDER: dict[str, Any] = {
    **SERVER,
    "jwks_uri": "https://as.example/jwks",
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256", "ES256"],
}
JWT_METHODS = "private_key_jwt"

WRONG: list[tuple[str, Any, str]] = [
    ("issuer", None, "required"),
    ("issuer", "", "required"),
    ("issuer", "http://as.example", "https"),
    ("issuer", "https://as.example?x=1", "query"),
    ("issuer", "https://as.example#x", "fragment"),
    ("issuer", 7, "https"),
    ("authorization_endpoint", None, "required"),
    ("authorization_endpoint", "http://as.example/authorize", "https"),
    ("token_endpoint", None, "required"),
    ("token_endpoint", "ftp://as.example/token", "https"),
    ("token_endpoint", ["https://as.example/token"], "https"),
    ("jwks_uri", "http://as.example/jwks", "https"),
    ("registration_endpoint", "http://as.example/register", "https"),
    ("scopes_supported", "openid", "array"),
    ("scopes_supported", [1], "array"),
    ("response_types_supported", None, "required"),
    ("response_types_supported", "code", "array"),
    ("response_modes_supported", "query", "array"),
    ("grant_types_supported", "implicit", "array"),
    ("token_endpoint_auth_methods_supported", {"none": 1}, "array"),
    ("token_endpoint_auth_methods_supported", [JWT_METHODS], "required"),
    ("token_endpoint_auth_signing_alg_values_supported", ["none"], '"none"'),
    ("service_documentation", "see the wiki", "URL"),
    ("op_policy_uri", "//as.example/policy", "URL"),
    ("op_tos_uri", 1, "URL"),
    ("ui_locales_supported", ["en_US"], "BCP 47"),
]
WRONG_OAUTH: list[tuple[str, Any, str]] = [
    ("revocation_endpoint", "http://as.example/revoke", "https"),
    ("revocation_endpoint_auth_methods_supported", [JWT_METHODS], "required"),
    ("revocation_endpoint_auth_signing_alg_values_supported", ["ES256", "none"], '"none"'),
    ("introspection_endpoint", "http://as.example/introspect", "https"),
    ("introspection_endpoint_auth_methods_supported", [JWT_METHODS], "required"),
    ("introspection_endpoint_auth_signing_alg_values_supported", "RS256", "array"),
    ("code_challenge_methods_supported", "S256", "array"),
]
WRONG_OPENID: list[tuple[str, Any, str]] = [
    ("jwks_uri", None, "required"),
    ("acr_values_supported", "1", "array"),
    ("subject_types_supported", None, "required"),
    ("subject_types_supported", ["private"], "pairwise, public"),
    ("id_token_signing_alg_values_supported", None, "required"),
    ("id_token_signing_alg_values_supported", ["ES256"], "RS256"),
    ("display_values_supported", ["tv"], "page"),
    ("claim_types_supported", ["odd"], "normal"),
    ("claims_locales_supported", ["?"], "BCP 47"),
    ("claims_parameter_supported", "true", "true or false"),
    ("request_uri_parameter_supported", 1, "true or false"),
]


@pytest.mark.parametrize(("name", "value", "cause"), [*WRONG, *WRONG_OAUTH])
def test_a_wrong_member_of_a_servers_document_is_named(name: str, value: object, cause: str) -> None:
    with pytest.raises(UsageError, match=f'"{name.replace("methods", "(methods|signing_alg_values)")}".*{cause}'):
        AuthorizationServerMetadata({**SERVER, name: value}).validate()


@pytest.mark.parametrize(("name", "value", "cause"), [*WRONG, *WRONG_OPENID])
def test_a_wrong_member_of_a_providers_document_is_named(name: str, value: object, cause: str) -> None:
    with pytest.raises(ValueError, match=f'"{name.replace("methods", "(methods|signing_alg_values)")}".*{cause}'):
        OpenIDProviderMetadata({**PROVIDER, name: value}).validate()


def test_complete_documents_are_valid() -> None:
    AuthorizationServerMetadata(SERVER).validate()
    OpenIDProviderMetadata(PROVIDER).validate()
    for more in (
        {"token_endpoint_auth_methods_supported": [JWT_METHODS]}
        | {"token_endpoint_auth_signing_alg_values_supported": ["ES256"]},
        {"ui_locales_supported": ["en", "fr-CA", "zh-Hans-CN"], "service_documentation": "https://as.example/docs#1"},
        {"issuer": "http://127.0.0.1:8080", "custom": {"a": 1}},
    ):
        OpenIDProviderMetadata({**PROVIDER, **more}).validate()


def test_an_endpoint_that_no_grant_uses_may_be_absent() -> None:
    robots = {**SERVER, "grant_types_supported": ["client_credentials"]}
    del robots["authorization_endpoint"]
    AuthorizationServerMetadata(robots).validate()
    implicit = {**SERVER, "grant_types_supported": ["implicit"]}
    del implicit["token_endpoint"]
    AuthorizationServerMetadata(implicit).validate()


def test_registered_members_are_attributes_with_the_defaults_of_the_specification() -> None:
    metadata = OpenIDProviderMetadata(PROVIDER)
    assert metadata.issuer == metadata["issuer"]
    assert metadata.registration_endpoint is None
    assert metadata.grant_types_supported == ["authorization_code", "implicit"]
    assert metadata.claim_types_supported == ["normal"]
    assert metadata.request_uri_parameter_supported is True
    assert AuthorizationServerMetadata(SERVER).introspection_endpoint_auth_methods_supported == ["client_secret_basic"]
    with pytest.raises(AttributeError, match="no attribute 'isuer'"):
        _ = metadata.isuer
    with pytest.raises(AttributeError, match="validate_nothing"):
        metadata.validate_nothing()


def test_a_default_is_not_shared_between_documents() -> None:
    AuthorizationServerMetadata(SERVER).grant_types_supported.append("password")
    assert AuthorizationServerMetadata(SERVER).grant_types_supported == ["authorization_code", "implicit"]


def test_one_member_can_be_checked_alone() -> None:
    metadata = AuthorizationServerMetadata({"issuer": "https://as.example"})
    metadata.validate_issuer()
    with pytest.raises(UsageError, match="token_endpoint"):
        metadata.validate_token_endpoint()


def test_a_subclass_adds_members_and_replaces_rules() -> None:
    class Ours(AuthorizationServerMetadata):
        REGISTRY_KEYS = (*AuthorizationServerMetadata.REGISTRY_KEYS, "realm_color")

        def validate_issuer(self) -> None:
            """Accept any issuer."""

        def validate_realm_color(self) -> None:
            if self["realm_color"] != "blue":
                raise UsageError("blue is expected")

    document = {**SERVER, "issuer": "urn:ours", "realm_color": "blue"}
    Ours(document).validate()
    assert Ours(document).realm_color == "blue"
    with pytest.raises(UsageError, match="blue"):
        Ours({**document, "realm_color": "red"}).validate()
    with pytest.raises(UsageError, match="blue"):
        AuthorizationServerMetadata({**SERVER, "realm_color": "red"}).validate(metadata_classes=[Ours])


@pytest.mark.parametrize("classes", [[dict], ["x"], 5])
def test_classes_of_anything_else_are_a_usage_error(classes: Any) -> None:
    with pytest.raises(UsageError, match="subclasses of AuthorizationServerMetadata"):
        AuthorizationServerMetadata(SERVER).validate(classes)


@pytest.mark.parametrize(
    ("issuer", "openid", "oauth"),
    [
        ("https://as.example", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"),
        ("https://as.example/", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"),
        (
            "https://as.example/a/b",
            "/a/b/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server/a/b",
        ),
    ],
)
def test_the_well_known_url_of_an_issuer(issuer: str, openid: str, oauth: str) -> None:
    assert get_well_known_url(issuer) == openid
    assert rfc8414.get_well_known_url(issuer) == oauth
    assert get_well_known_url(issuer, external=True) == "https://as.example" + openid
    assert rfc8414.get_well_known_url(issuer, external=True) == "https://as.example" + oauth


def test_the_well_known_url_has_another_suffix_on_request() -> None:
    url = rfc8414.get_well_known_url("https://as.example/a", suffix="openid-configuration")
    assert url == "/.well-known/openid-configuration/a"


@pytest.mark.parametrize("issuer", ["as.example", "", 5])
def test_an_issuer_that_is_no_url_is_a_usage_error(issuer: Any) -> None:
    for function in (get_well_known_url, rfc8414.get_well_known_url):
        with pytest.raises(UsageError):
            function(issuer)
