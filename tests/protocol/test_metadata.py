"""What a server says about itself is a validated value, and sets no option of a client."""

import copy
import dataclasses
import json
import pickle
from typing import Any, cast

import pytest

from doorkey.errors import InvalidResponse, UsageError, VerificationError
from doorkey.protocol.metadata import ENDPOINTS, ServerMetadata, check_one_issuer, parse_metadata
from tests.support.saying import said_by

ISSUER = "https://server.example.com"
RFC_8414 = {  # §3.2
    "issuer": "https://server.example.com",
    "authorization_endpoint": "https://server.example.com/authorize",
    "token_endpoint": "https://server.example.com/token",
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
    "userinfo_endpoint": "https://server.example.com/userinfo",
    "jwks_uri": "https://server.example.com/jwks.json",
    "registration_endpoint": "https://server.example.com/register",
    "scopes_supported": ["openid", "profile", "email", "address", "phone", "offline_access"],
    "response_types_supported": ["code", "code token"],
    "service_documentation": "http://server.example.com/service_documentation.html",
    "ui_locales_supported": ["en-US", "en-GB", "en-CA", "fr-FR", "fr-CA"],
}


def test_the_example_of_rfc_8414_section_3_2_is_read() -> None:
    got = parse_metadata(RFC_8414, ISSUER)
    assert got == ServerMetadata(
        issuer="https://server.example.com",
        authorization_endpoint="https://server.example.com/authorize",
        token_endpoint="https://server.example.com/token",
        userinfo_endpoint="https://server.example.com/userinfo",
        registration_endpoint="https://server.example.com/register",
        jwks_uri="https://server.example.com/jwks.json",
    )
    assert got.extra["scopes_supported"] == RFC_8414["scopes_supported"]
    assert len(got.extra) == len(set(got.extra)) == 6
    assert set(got.extra).isdisjoint({"issuer", *ENDPOINTS})


@pytest.mark.parametrize(
    "named", [ISSUER + "/", ISSUER.upper(), ISSUER + ":443", "https://evil.example", "", None, 7, [ISSUER]]
)
def test_the_issuer_must_be_the_one_that_was_asked_for_compared_as_text(named: Any) -> None:
    with pytest.raises(VerificationError, match="issuer") as caught:
        parse_metadata({**RFC_8414, "issuer": named}, ISSUER)
    assert caught.value.claim == "issuer"
    assert caught.value.expected == ISSUER


def test_metadata_without_an_issuer_is_refused() -> None:
    with pytest.raises(VerificationError, match="missing"):
        parse_metadata({"token_endpoint": "https://server.example.com/token"}, ISSUER)


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize(
    "url",
    [
        "http://server.example.com/token",
        "http://127.0.0.1/token",
        "HTTP://localhost/token",
        "https://user@server.example.com/token",
        "https://server.example.com/token#f",
        "file:///etc/passwd",
        "/token",
        "",
        7,
        ["https://server.example.com/token"],
    ],
)
def test_an_https_issuer_whose_metadata_names_an_unfit_endpoint_is_refused(name: str, url: Any) -> None:
    with pytest.raises(UsageError, match=name):
        ServerMetadata.from_mapping({**RFC_8414, name: url})
    with pytest.raises(InvalidResponse, match=name) as caught:
        parse_metadata({**RFC_8414, name: url}, ISSUER, 200)
    assert (caught.value.problem, caught.value.status) == ("metadata", 200)


def test_an_issuer_on_loopback_may_have_http_endpoints_and_https_ones() -> None:
    members = {"issuer": "http://127.0.0.1:8080/r", "token_endpoint": "http://127.0.0.1:8080/t", "jwks_uri": ISSUER}
    assert ServerMetadata.from_mapping(members).token_endpoint == "http://127.0.0.1:8080/t"


def test_an_issuer_that_is_no_text_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="issuer"):
        ServerMetadata.from_mapping({"issuer": 7})


@pytest.mark.parametrize(
    ("value", "promised"), [(True, True), (False, False), ("true", False), (1, False), (None, False)]
)
def test_iss_in_callbacks_is_promised_by_true_alone(value: Any, promised: bool) -> None:
    members = {**RFC_8414, "authorization_response_iss_parameter_supported": value}
    assert ServerMetadata.from_mapping(members).iss_in_callbacks is promised


def test_metadata_sets_no_option_of_a_client() -> None:
    hostile = {**RFC_8414, "verify": False, "proxies": {"https": "http://evil"}, "scope": "admin", "client_id": "x"}
    got = parse_metadata(hostile, ISSUER)
    assert {name for name in ("verify", "proxies", "scope", "client_id") if hasattr(got, name)} == set()
    assert got.extra["verify"] is False


def test_arguments_are_copied_and_never_changed() -> None:
    members = dict(RFC_8414)
    got = ServerMetadata.from_mapping(members)
    assert members == RFC_8414
    members["scopes_supported"] = []
    assert got.extra["scopes_supported"] == RFC_8414["scopes_supported"]
    with pytest.raises(TypeError):
        got.extra["x"] = 1  # type: ignore[index]  # pyright: ignore[reportIndexIssue]


def test_a_copy_of_metadata_is_equal() -> None:
    got = ServerMetadata.of(RFC_8414)
    assert copy.copy(got) == got
    assert copy.deepcopy({"metadata": got})["metadata"] == got


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_metadata_that_a_program_caches_comes_back_from_its_pickle_and_is_read_only_still(protocol: int) -> None:
    got = ServerMetadata.from_mapping({**RFC_8414, "authorization_response_iss_parameter_supported": True})
    back = pickle.loads(pickle.dumps(got, protocol))  # noqa: S301  # our own
    assert back == got
    assert back.iss_in_callbacks is True
    assert dict(back.extra) == dict(got.extra)
    assert repr(back.extra) == repr(dict(got.extra))
    with pytest.raises(TypeError):
        back.extra["x"] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        back.issuer = None


def test_metadata_as_a_dictionary_is_the_callers_own() -> None:
    got = ServerMetadata.of(RFC_8414)
    plain = dataclasses.asdict(got)
    assert json.loads(json.dumps(plain)) == {**plain, "http_hosts": []}
    assert plain["extra"]["scopes_supported"] == RFC_8414["scopes_supported"]
    plain["extra"]["scopes_supported"].clear()
    assert got.extra["scopes_supported"] == RFC_8414["scopes_supported"]
    assert dataclasses.asdict(ServerMetadata())["extra"] == {}


def test_metadata_of_a_mapping_of_itself_and_of_nothing() -> None:
    got = ServerMetadata.of(RFC_8414)
    assert got.token_endpoint == "https://server.example.com/token"
    assert ServerMetadata.of(got) is got
    assert ServerMetadata.of(None) == ServerMetadata()


@pytest.mark.parametrize("value", ["https://server.example.com", 7, ["x"]])
def test_metadata_of_anything_else_is_a_usage_error_that_names_discover(value: Any) -> None:
    with pytest.raises(UsageError, match="discover"):
        ServerMetadata.of(value)


def test_an_issuer_beside_metadata_is_the_issuer_of_that_metadata() -> None:
    got = ServerMetadata.of(RFC_8414)
    for issuer, metadata in ((ISSUER, got), (None, got), (ISSUER, ServerMetadata())):
        check_one_issuer(issuer, metadata)
    with pytest.raises(UsageError) as refused:
        check_one_issuer(ISSUER + "/", got)
    assert str(refused.value) == (
        f"issuer={ISSUER}/ is not the issuer of metadata=, {ISSUER}: they differ by a slash at the end; "
        "omit one of them"
    )
    other = said_by(lambda: check_one_issuer("https://other.example", got))
    assert other.endswith(f"metadata=, {ISSUER}; omit one of them")
    with pytest.raises(UsageError, match="the issuer must be text"):
        check_one_issuer(cast("str", 5), got)


@pytest.mark.parametrize(
    "members",
    [
        {"token_endpoint": 7},
        {"token_endpoint": "http://as.example/token"},
        {"issuer": "https://as.example", "jwks_uri": "http://localhost/keys"},
        {"extra": None},
    ],
)
def test_a_constructor_that_is_called_by_hand_checks_as_well(members: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ServerMetadata(**members)


@pytest.mark.parametrize(
    ("asked", "named", "says"),
    [
        ("https://as.example", "https://as.example/", "differ by a slash at the end"),
        ("https://as.example/", "https://as.example", "differ by a slash at the end"),
        (
            "https://as.example/.well-known/openid-configuration",
            "https://as.example",
            "without its /.well-known/ suffix",
        ),
        ("https://as.example", "https://other.example", "not the requested one"),
    ],
)
def test_an_issuer_that_differs_is_shown_beside_the_one_that_was_asked_for(asked: str, named: str, says: str) -> None:
    with pytest.raises(VerificationError, match=says) as caught:
        parse_metadata({"issuer": named}, asked)
    assert f"is {named}," in str(caught.value)
    assert f"(expected {asked})" in str(caught.value)


def test_metadata_keeps_the_hosts_that_plain_http_may_reach_and_takes_those_of_another_policy() -> None:
    members = {"issuer": "http://keycloak:8080", "token_endpoint": "http://keycloak:8080/token"}
    metadata = ServerMetadata.from_mapping(members, {"Keycloak"})
    assert tuple(metadata.http_hosts) == ("keycloak",)
    assert copy.copy(metadata).http_hosts == metadata.http_hosts
    assert ServerMetadata.of(metadata, {"keycloak"}) is metadata
    assert ServerMetadata.of(metadata, {"keycloak", "other"}) == metadata
    for hosts in ((), {"other"}):
        with pytest.raises(UsageError, match="http_hosts"):
            ServerMetadata.of(metadata, hosts)
    assert tuple(ServerMetadata.of(None, {"keycloak"}).http_hosts) == ("keycloak",)


def test_an_https_issuer_may_have_http_endpoints_at_named_hosts_and_nowhere_else() -> None:
    members = {"issuer": "https://as.example", "token_endpoint": "http://keycloak/token"}
    assert ServerMetadata.from_mapping(members, {"keycloak"}).token_endpoint == "http://keycloak/token"
    with pytest.raises(UsageError, match="that is not https"):
        ServerMetadata.from_mapping({**members, "token_endpoint": "http://127.0.0.1/token"}, {"keycloak"})


def test_published_metadata_names_http_endpoints_at_named_hosts_only() -> None:
    members = {"issuer": "http://keycloak", "token_endpoint": "http://keycloak/token"}
    assert parse_metadata(members, "http://keycloak", 200, {"keycloak"}).token_endpoint == "http://keycloak/token"
    with pytest.raises(InvalidResponse, match="must be https"):
        parse_metadata({**members, "jwks_uri": "http://other/keys"}, "http://keycloak", 200, {"keycloak"})


ALIASES = {
    "token_endpoint": "https://mtls.server.example.com/token",
    "revocation_endpoint": "https://mtls.server.example.com/revoke",
    "userinfo_endpoint": "http://mtls.server.example.com/userinfo",
    "jwks_uri": 7,
}
CERTIFIED = {
    **RFC_8414,
    "revocation_endpoint": "https://server.example.com/revoke",
    "userinfo_endpoint": "https://server.example.com/userinfo",
    "mtls_endpoint_aliases": ALIASES,
}


def test_an_endpoint_is_replaced_by_its_alias_for_mutual_tls() -> None:
    """RFC 8705 §5."""
    metadata = ServerMetadata.from_mapping(CERTIFIED)
    for name in ("token_endpoint", "revocation_endpoint"):
        assert metadata.for_mutual_tls(getattr(metadata, name)) == ALIASES[name]
    for url in (metadata.jwks_uri, metadata.authorization_endpoint, "https://elsewhere.example/token"):
        assert metadata.for_mutual_tls(str(url)) == url
    assert metadata.is_alias("https://mtls.server.example.com/token")
    assert not metadata.is_alias("https://server.example.com/token")


def test_an_alias_that_cannot_be_an_endpoint_is_an_invalid_response() -> None:
    with pytest.raises(InvalidResponse, match=r"mtls_endpoint_aliases: .*https"):
        ServerMetadata.from_mapping(CERTIFIED).for_mutual_tls("https://server.example.com/userinfo")


@pytest.mark.parametrize("aliases", [None, 7, [], "x", {}])
def test_metadata_without_aliases_has_none(aliases: Any) -> None:
    metadata = ServerMetadata.from_mapping({**RFC_8414, "mtls_endpoint_aliases": aliases})
    assert metadata.for_mutual_tls(str(metadata.token_endpoint)) == metadata.token_endpoint
    assert metadata.replaced({"token_endpoint": ISSUER}).token_endpoint == ISSUER


def test_an_endpoint_that_is_replaced_loses_its_alias_and_no_other_does() -> None:
    metadata = ServerMetadata.from_mapping(CERTIFIED)
    same = metadata.replaced({"token_endpoint": metadata.token_endpoint})
    assert same.extra == metadata.extra
    own = metadata.replaced({"token_endpoint": "https://server.example.com/own", "issuer": ISSUER})
    assert own.for_mutual_tls("https://server.example.com/own") == "https://server.example.com/own"
    assert own.for_mutual_tls("https://server.example.com/revoke") == ALIASES["revocation_endpoint"]
    assert metadata.for_mutual_tls(str(metadata.token_endpoint)) == ALIASES["token_endpoint"]
