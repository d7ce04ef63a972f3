"""The audit names the right fault, and no other, for each of many broken issuers."""

from collections.abc import Callable
from typing import Any

import pytest

from doorkey.cli.doctor.finding import Severity
from tests.cli.doctor.issuers import DATE, KEYS, NOW, OAUTH_PLACE, PLACE, GoodIssuer, audited, codes, failures, jwk
from tests.support.hostile_server import Endless, Hostile, reply, reset
from tests.support.openid_provider import key_for

PAGE = reply(200, "<html><title>Welcome</title>", {"Content-Type": "text/html"})


@pytest.fixture
def issuer(hostile: Hostile) -> GoodIssuer:
    return GoodIssuer(hostile)


def test_nothing_is_wrong_with_a_good_issuer(issuer: GoodIssuer) -> None:
    done = issuer.audited()
    assert codes(done) == []
    assert done.kind == "issuer"
    found = codes(done, Severity.OK)
    assert {"metadata_found", "issuer_matches", "pkce", "iss_parameter", "keys", "clock", "auth_methods"} <= set(found)
    assert found.count("endpoint") == 6


def test_the_requests_of_an_audit_hold_no_secret_and_have_no_effect(issuer: GoodIssuer) -> None:
    issuer.changed["registration_endpoint"] = issuer.server.url("/register")
    issuer.audited()
    assert all(request.body == b"" for request in issuer.server.received)
    assert not any(request.header("authorization") for request in issuer.server.received)
    assert issuer.server.to("/register") == []
    assert len(issuer.server.received) < 20


Change = dict[str, Any]
METADATA: dict[str, tuple[Change, list[str]]] = {
    "another issuer": ({"issuer": "https://other.example"}, ["issuer_mismatch"]),
    "no issuer": ({"issuer": None}, ["issuer_mismatch", "metadata_issuer"]),
    "an http endpoint": ({"token_endpoint": "http://as.example/token"}, ["metadata_token_endpoint"]),
    "an http device endpoint": (
        {"device_authorization_endpoint": "http://as.example/d"},
        ["metadata_device_authorization_endpoint"],
    ),
    "no jwks_uri": ({"jwks_uri": None}, ["metadata_jwks_uri"]),
    "a jwks_uri of plain http": ({"jwks_uri": "http://as.example/jwks"}, ["metadata_jwks_uri"]),
    "no token endpoint": ({"token_endpoint": None}, ["metadata_token_endpoint"]),
    "no authorization endpoint": ({"authorization_endpoint": None}, ["metadata_authorization_endpoint"]),
    "no S256": ({"code_challenge_methods_supported": ["plain"]}, ["pkce_no_s256"]),
    "the algorithm none": (
        {"id_token_signing_alg_values_supported": ["RS256", "ES256", "none"]},
        ["id_token_alg_none"],
    ),
    "no key of the algorithms": ({"id_token_signing_alg_values_supported": ["RS256"]}, ["no_key_for_algorithms"]),
    "client assertions without signature": (
        {"token_endpoint_auth_signing_alg_values_supported": ["none", "ES256"]},
        ["client_auth_alg_none"],
    ),
}


@pytest.mark.parametrize("name", METADATA)
def test_a_fault_in_the_metadata_is_named(issuer: GoodIssuer, name: str) -> None:
    issuer.changed, expected = METADATA[name]
    assert failures(issuer.audited()) == expected


WARNINGS: dict[str, tuple[Change, list[str]]] = {
    "PKCE is not mentioned": ({"code_challenge_methods_supported": None}, ["pkce_unknown"]),
    "no iss parameter": ({"authorization_response_iss_parameter_supported": None}, ["no_iss_parameter"]),
    "the password grant": ({"grant_types_supported": ["authorization_code", "password"]}, ["password_grant"]),
    "implicit response types": ({"response_types_supported": ["code", "token"]}, ["implicit_response_types"]),
    "no response types": ({"response_types_supported": None}, ["metadata_response_types_supported"]),
    "a text for a list": ({"scopes_supported": "openid"}, ["metadata_scopes_supported"]),
    "no RS256": (
        {"id_token_signing_alg_values_supported": ["ES256"]},
        ["metadata_id_token_signing_alg_values_supported"],
    ),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_a_weakness_in_the_metadata_is_a_warning(issuer: GoodIssuer, name: str) -> None:
    issuer.changed, expected = WARNINGS[name]
    assert codes(issuer.audited()) == expected


def without_kid(number: int) -> dict[str, Any]:
    return {name: value for name, value in jwk(number).items() if name != "kid"}


KEY_SETS: dict[str, tuple[Callable[[], list[Any]], list[str]]] = {
    "no keys": (list, ["keys_empty"]),
    "two keys of one kid": (lambda: [jwk(0), jwk(1, kid="k0")], ["duplicate_kid"]),
    "a private key": (
        lambda: [jwk(), {**key_for("ES256", 1).as_dict(is_private=True), "kid": "p"}],
        ["private_key_published"],
    ),
    "a shared secret": (lambda: [jwk(), {"kty": "oct", "k": "AAAA", "kid": "s"}], ["private_key_published"]),
    "keys without kid": (lambda: [without_kid(0), without_kid(1)], ["no_kid"]),
    "a key of a short modulus": (
        lambda: [jwk(), {"kty": "RSA", "n": "AQAB" * 20, "e": "AQAB"}],
        ["no_kid", "key_unusable"],
    ),
    "only keys that cannot be used": (lambda: [{"kty": "new", "kid": "n"}], ["key_unusable", "keys_unusable"]),
    "something that is no key": (lambda: [jwk(), "key"], ["key_malformed"]),
}


@pytest.mark.parametrize("name", KEY_SETS)
def test_a_fault_in_the_key_set_is_named(issuer: GoodIssuer, name: str) -> None:
    keys, expected = KEY_SETS[name]
    issuer.keys = keys()
    assert codes(issuer.audited()) == expected


def test_no_private_part_of_a_published_key_is_in_the_findings(issuer: GoodIssuer) -> None:
    private = key_for("ES256", 1).as_dict(is_private=True)
    issuer.keys = [private]
    assert private["d"] not in repr(issuer.audited())


RESPONSES: dict[str, tuple[str, Any, list[str]]] = {
    "a page in place of metadata": (PLACE, PAGE, ["metadata_unreadable"]),
    "a redirect of the metadata": (
        PLACE,
        reply(302, headers={"Location": "https://other.example/"}),
        ["metadata_unreadable"],
    ),
    "no metadata": (PLACE, reply(404), ["no_metadata"]),
    "no server": (PLACE, reset, ["unreachable"]),
    "a page in place of keys": (KEYS, PAGE, ["keys_unreachable"]),
    "no keys at the URL": (KEYS, reply(404), ["keys_unreachable"]),
    "JSON that is no key set": (KEYS, reply(json={"key": 1}), ["keys_unreadable"]),
    "an endpoint that is not there": ("/token", reply(404), ["endpoint_missing"]),
    "an endpoint that is down": ("/authorize", reply(503), ["endpoint_down"]),
    "an endpoint that hangs up": ("/userinfo", reset, ["endpoint_unreachable"]),
    "an oversized document": (PLACE, Endless(b"HTTP/1.1 200 X\r\n\r\n", b" " * 65536), ["metadata_unreadable"]),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_a_response_that_is_wrong_is_named(issuer: GoodIssuer, name: str) -> None:
    path, response, expected = RESPONSES[name]
    issuer.publish()
    issuer.server.on(path, response)
    assert failures(audited(issuer.issuer)) == expected


@pytest.mark.parametrize(
    ("path", "response", "code"),
    [
        ("/token", reply(500, "oops"), "endpoint_error"),
        ("/token", PAGE, "endpoint_accepts_anything"),
        ("/token", reply(307, headers={"Location": "/t"}), "endpoint_redirects"),
        (OAUTH_PLACE, PAGE, "metadata_unreadable"),
    ],
)
def test_a_response_that_some_clients_do_not_expect_is_a_warning(
    issuer: GoodIssuer, path: str, response: bytes, code: str
) -> None:
    issuer.publish()
    issuer.server.on(path, response)
    assert codes(audited(issuer.issuer)) == [code]


def test_places_that_disagree_are_named_with_what_differs(issuer: GoodIssuer) -> None:
    issuer.publish()
    other = {**issuer.metadata, "token_endpoint": issuer.server.url("/other")}
    issuer.server.on(OAUTH_PLACE, reply(json=other))
    (finding,) = [one for one in audited(issuer.issuer).findings if one.code == "places_disagree"]
    assert "token_endpoint" in finding.what


def test_a_server_that_never_ends_its_response_is_named_at_the_deadline(issuer: GoodIssuer) -> None:
    issuer.publish()
    issuer.server.on(PLACE, Endless(b"HTTP/1.1 200 X\r\n\r\n", b" ", pause=0.05))
    done = audited(issuer.issuer, deadline=0.5)
    assert failures(done) == ["unreachable"]
    assert len(issuer.server.received) <= 2, "a server that is too slow is asked once, and once as an API"


@pytest.mark.parametrize(
    ("seconds", "code", "words"),
    [
        (-600, "clock_skew", "the server's clock is 10 minutes behind this machine's"),
        (600, "clock_skew", "the server's clock is 10 minutes ahead of this machine's"),
        (20, "clock_drift", "the server's clock is 20 seconds ahead of this machine's"),
        (3, "clock", "agree"),
    ],
)
def test_a_clock_that_is_wrong_is_named_with_the_difference(
    issuer: GoodIssuer, seconds: float, code: str, words: str
) -> None:
    issuer.publish()
    done = audited(issuer.issuer, clock=lambda: NOW - seconds)
    (finding,) = [one for one in done.findings if one.code.startswith("clock")]
    assert finding.code == code
    assert words in finding.what


@pytest.mark.parametrize("date", ["yesterday", "", "Sun, 99 Nov 2026 02:10:04 GMT"])
def test_a_server_that_names_no_time_is_only_noted(issuer: GoodIssuer, date: str) -> None:
    issuer.publish(headers=(("Date", date),))
    assert "clock_unknown" in codes(audited(issuer.issuer), Severity.INFO)


def test_what_a_server_wrote_cannot_control_a_terminal_or_run_over_pages(issuer: GoodIssuer) -> None:
    issuer.changed = {"grant_types_supported": ["\x1b[31m" * 5000], "code_challenge_methods_supported": ["\x1b]0;x"]}
    for one in issuer.audited().findings:
        assert one.what.isprintable()
        assert len(one.what) < 2000


def test_an_issuer_with_a_path_is_found_at_each_of_its_places(issuer: GoodIssuer) -> None:
    url = f"{issuer.issuer}/tenant"
    issuer.changed = {"issuer": url}
    issuer.publish()
    places = (f"{OAUTH_PLACE}/tenant", f"/tenant{PLACE}", f"{PLACE}/tenant")
    for place in places:
        for other in places:
            issuer.server.on(other, reply(404))
        issuer.server.on(place, reply(json=issuer.metadata, headers=DATE))
        assert codes(audited(url)) == []
