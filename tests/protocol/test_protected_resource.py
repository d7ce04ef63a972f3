"""The metadata of an API: where it is, what it contains, and that it is the one that was asked for (RFC 9728)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.errors import InvalidResponse, OAuthError, UsageError, VerificationError
from doorkey.protocol.protected_resource import (
    ProtectedResource,
    parse_protected_resource,
    protected_resource_request,
    well_known_url,
)
from doorkey.wire.messages import Request, Response

API = "https://api.example"


def response(members: object, status: int = 200) -> Response:
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    return Response(status, (("Content-Type", "application/json"),), body)


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("https://api.example", "https://api.example/.well-known/oauth-protected-resource"),
        ("https://api.example/", "https://api.example/.well-known/oauth-protected-resource"),
        ("https://api.example/v1", "https://api.example/.well-known/oauth-protected-resource/v1"),
        ("https://api.example/v1/", "https://api.example/.well-known/oauth-protected-resource/v1/"),
        ("https://api.example/v1?t=2", "https://api.example/.well-known/oauth-protected-resource/v1?t=2"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/.well-known/oauth-protected-resource/v1"),
    ],
)
def test_the_well_known_suffix_stands_between_host_and_path(resource: str, expected: str) -> None:
    assert well_known_url(resource) == expected
    assert protected_resource_request(resource) == Request("GET", expected, (("Accept", "application/json"),))


@pytest.mark.parametrize(
    "resource", ["api", "http://api.example", "https://api.example/#x", "https://u@api.example", ""]
)
def test_a_resource_is_an_https_url_without_a_fragment(resource: str) -> None:
    with pytest.raises(UsageError):
        ProtectedResource(resource=resource)


def test_plain_http_is_for_hosts_that_the_program_names() -> None:
    named = ProtectedResource(resource="http://api/v1", http_hosts=("api",))
    assert named.metadata_url == "http://api/.well-known/oauth-protected-resource/v1"


def test_the_document_has_no_member_that_is_empty() -> None:
    assert ProtectedResource(resource=API, bearer_methods_supported=()).document() == {"resource": API}
    full = ProtectedResource(
        resource=API,
        authorization_servers=("https://as.example",),
        scopes_supported=("orders:read",),
        resource_name="Orders",
        resource_documentation="https://api.example/docs",
        extra={"tls_client_certificate_bound_access_tokens": True},
    )
    assert full.document() == {
        "resource": API,
        "authorization_servers": ["https://as.example"],
        "scopes_supported": ["orders:read"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Orders",
        "resource_documentation": "https://api.example/docs",
        "tls_client_certificate_bound_access_tokens": True,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"authorization_servers": ("http://as.example",)},
        {"scopes_supported": 5},
        {"extra": 5},
        {"extra": {"resource": "https://other.example"}},
    ],
)
def test_members_of_the_wrong_type_are_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ProtectedResource(resource=API, **wrong)


def test_a_published_document_parses_to_the_same_value() -> None:
    published = ProtectedResource(
        resource=API, authorization_servers=("https://as.example",), scopes_supported=("a", "b"), extra={"x": [1]}
    )
    assert parse_protected_resource(response(published.document()), API) == published


@pytest.mark.parametrize("named", ["https://api.example/", "https://API.example", "https://other.example", None, 5])
def test_the_metadata_of_another_resource_is_rejected(named: object) -> None:
    with pytest.raises(VerificationError) as caught:
        parse_protected_resource(response({"resource": named}), API)
    assert (caught.value.claim, caught.value.expected) == ("resource", API)


@pytest.mark.parametrize(
    "members",
    [
        {"authorization_servers": "https://as.example"},
        {"authorization_servers": ["http://as.example"]},
        {"scopes_supported": [5]},
    ],
)
def test_a_document_with_unfit_members_is_rejected(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidResponse):
        parse_protected_resource(response({"resource": API, **members}), API)


@given(st.binary() | st.dictionaries(st.sampled_from(["resource", "authorization_servers", "x"]), st.text()))
def test_any_response_is_metadata_or_a_typed_error(members: object) -> None:
    with pytest.raises(OAuthError):
        parse_protected_resource(response(members), API)
