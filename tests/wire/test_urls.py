"""Which URLs a server may be reached at: https, or http on this very machine, judged by the parsed host."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import UsageError
from doorkey.wire.urls import (
    Origin,
    check_endpoint,
    how_issuers_differ,
    http_host_of,
    http_hosts_of,
    is_loopback,
    origin_of,
    origin_shown,
    shown_url,
    split_url,
)
from tests.support.saying import said_by


@pytest.mark.parametrize(
    "url",
    [
        "https://as.example/token",
        "https://as.example:8443/token?tenant=a%20b",
        "HTTPS://AS.example/token",
        "https://[2001:db8::1]/token",
        "http://localhost/token",
        "http://LOCALHOST:8080/token",
        "http://127.0.0.1:1/token",
        "http://127.255.255.254/token",
        "http://[::1]:8080/token",
        "https://192.0.2.1/token",
        "https://bücher.example/token",
    ],
)
def test_https_anywhere_and_http_on_loopback_are_returned_unchanged(url: str) -> None:
    assert check_endpoint(url) == url


@pytest.mark.parametrize(
    "host",
    [
        "as.example",
        "localhost.evil",
        "localhost.",
        "127.0.0.1.evil",
        "127.0.0.1.",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "0177.0.0.1",
        "0.0.0.0",  # noqa: S104
        "10.0.0.1",
        "169.254.169.254",
        "[::]",
        "[::ffff:10.0.0.1]",
        "xn--localhost-9d0b",
        "ⓛocalhost",
    ],
)
def test_http_to_any_host_that_does_not_parse_as_loopback_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="https"):
        check_endpoint(f"http://{host}/token", "token endpoint")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:80@evil/token",
        "https://user@as.example/token",
        "https://user:secret@as.example/token",
        "https://@as.example/token",
    ],
)
def test_user_information_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(UsageError, match="user name or password") as caught:
        check_endpoint(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://as.example/token#part", "https://as.example/token#"])
def test_a_fragment_is_refused_even_an_empty_one(url: str) -> None:
    with pytest.raises(UsageError, match="fragment"):
        check_endpoint(url)


@pytest.mark.parametrize(
    "odd",
    ["\\", " ", "\t", "\n", "\r", "\x00", "\x7f", "\x85", "\xa0", "\u2028", "\u200b", "\u3000", "\ud800"],
)
@pytest.mark.parametrize(
    "url", ["https://as.example{}/token", "https://as.example/to{}ken", "{}https://as.example/token"]
)
def test_blanks_control_characters_and_backslashes_are_refused_wherever_they_stand(url: str, odd: str) -> None:
    with pytest.raises(UsageError, match="space, a control character or a backslash"):
        check_endpoint(url.format(odd), "token endpoint")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/token",
        "as.example/token",
        "//as.example/token",
        "https:/token",
        "https:///token",
        "file:///etc/passwd",
        "ftp://as.example/token",
        "javascript:alert(1)",
        "https://as.example:99999/token",
        "https://as.example:port/token",
        "https://[::1/token",
        "https://[nonsense]/token",
    ],
)
def test_a_value_that_is_not_an_absolute_http_or_https_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="token endpoint"):
        check_endpoint(url, "token endpoint")


@pytest.mark.parametrize("url", [None, 7, b"https://as.example/token", ["https://as.example"]])
def test_a_value_that_is_not_a_text_is_a_usage_error_and_not_a_builtin_one(url: Any) -> None:
    with pytest.raises(UsageError, match="token endpoint"):
        check_endpoint(url, "token endpoint")


def test_a_long_url_is_not_repeated_in_full() -> None:
    with pytest.raises(UsageError) as caught:
        check_endpoint("ftp://" + "a" * 10_000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://As.Example/a?b#c", Origin("https", "as.example", 443)),
        ("http://as.example", Origin("http", "as.example", 80)),
        ("https://as.example:443/", Origin("https", "as.example", 443)),
        ("HTTP://[::1]:8080/", Origin("http", "::1", 8080)),
        ("https://BÜCHER.example/", Origin("https", "xn--bcher-kva.example", 443)),
        ("https://straße.example/", Origin("https", "straße.example", 443)),
        ("https://a..ü/", Origin("https", "a..ü", 443)),
    ],
)
def test_an_origin_is_scheme_host_and_port_with_the_default_filled_in(url: str, origin: Origin) -> None:
    assert origin_of(url) == origin


def test_the_parts_of_a_url_are_those_of_the_standard_library() -> None:
    assert split_url("https://as.example/a?b=c").query == "b=c"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost.evil", False),
        ("192.0.2.1", False),
        ("", False),
    ],
)
def test_loopback_is_a_matter_of_the_parsed_address(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@settings(deadline=None, max_examples=200)
@given(
    st.builds("{}://{}{}".format, st.sampled_from(["http", "https", "HTTP", "ws", ""]), st.text(), st.text())
    | st.text()
)
def test_any_text_is_either_returned_as_it_is_or_a_usage_error(url: str) -> None:
    said = said_by(lambda: check_endpoint(url))
    assert said.isprintable()
    assert said or check_endpoint(url) == url


@pytest.mark.parametrize("url", ["https://as.example:443", "https://[2001:db8::1]:8443", "http://127.0.0.1:80"])
def test_an_origin_reads_as_a_url_does(url: str) -> None:
    assert str(origin_of(f"{url}/path?query")) == url


# -- hosts that plain http may reach -----------------------------------------------------------------------------------


def test_plain_http_may_reach_a_host_that_is_named_and_no_other_one() -> None:
    hosts = http_hosts_of({"Keycloak", "as.internal"})
    assert check_endpoint("http://keycloak:8080/realms/one", http_hosts=hosts) == "http://keycloak:8080/realms/one"
    assert check_endpoint("HTTP://KEYCLOAK/", http_hosts=hosts) == "HTTP://KEYCLOAK/"
    for other in ("keycloak.evil", "key", "internal", "192.0.2.1", "keycloak.as.internal"):
        with pytest.raises(UsageError, match="must be https"):
            check_endpoint(f"http://{other}/", http_hosts=hosts)
    with pytest.raises(UsageError, match="user name or password"):
        check_endpoint("http://keycloak@evil/", http_hosts=hosts)


def test_the_error_for_plain_http_names_the_policy_that_allows_it() -> None:
    with pytest.raises(UsageError) as refused:
        check_endpoint("http://keycloak:8080/token", "token endpoint")
    assert "exchange=ExchangePolicy(http_hosts={'keycloak'})" in str(refused.value)


@pytest.mark.parametrize(
    "wrong", ["http://keycloak", "keycloak:8080", "*", "*.internal", "", "a b", "-a", "::1", 1, [1]]
)
def test_a_host_that_is_no_name_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match="http_hosts"):
        http_hosts_of(wrong)


def test_one_name_may_be_given_as_text() -> None:
    assert http_hosts_of("keycloak") == {"keycloak"}
    assert http_hosts_of(()) == frozenset()


@pytest.mark.parametrize(("url", "hosts"), [("http://keycloak:8080/a", ("keycloak",)), ("https://keycloak/a", ())])
def test_a_changed_request_may_go_by_plain_http_where_the_unchanged_one_does(url: str, hosts: tuple[str, ...]) -> None:
    assert http_host_of(url) == hosts


SLASH = ": they differ by a slash at the end"
TENANTS = ": this server has many tenants, each with an issuer; give tenant_issuer=TenantIssuer(…)"
SUFFIX = ": give the issuer without its /.well-known/ suffix"


@pytest.mark.parametrize(
    ("named", "issuer", "hint"),
    [
        ("https://as.example/", "https://as.example", SLASH),
        ("https://as.example/t", "https://as.example/t/", SLASH),
        ("https://as.example", "https://as.example/.well-known/openid-configuration", SUFFIX),
        ("https://as.example/t/", "https://as.example/t/.well-known/openid-configuration", SUFFIX),
        ("https://as.example/{tenantid}/v2.0", "https://as.example/common/v2.0", TENANTS),
        ("https://as.example", "https://as.example", ""),
        ("https://AS.example", "https://as.example", ""),
        ("https://other.example", "https://as.example/.well-known/openid-configuration", ""),
        ("https://other.example/", "https://as.example", ""),
        (5, "https://as.example", ""),
        (None, "https://as.example", ""),
        ("https://as.example", None, ""),
    ],
)
def test_three_common_mistakes_about_an_issuer_are_named_and_no_other(named: object, issuer: object, hint: str) -> None:
    assert how_issuers_differ(named, issuer) == hint


def test_an_origin_is_shown_with_the_port_that_the_url_names() -> None:
    assert origin_shown("https://as.example/token?tenant=a") == "https://as.example"
    assert origin_shown("http://[::1]:8080/token") == "http://[::1]:8080"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("acct:alice@example.com", "acct:alice@example.com"),
        ("mailto:alice@example.com", "mailto:alice@example.com"),
        ("urn:example:issuer", "urn:example:issuer"),
        ("localhost:8080", "localhost:8080"),
        ("as.example/realm?key=secret", "as.example/realm"),
        ("alice:secret@as.example/token", "alice:***@as.example/token"),
        ("ftp://alice:secret@as.example/token?key=secret#secret", "ftp://as.example/token"),
        ("https://[::1/secret", "a URL that cannot be parsed"),
        ("", ""),
    ],
)
def test_a_message_about_a_url_has_its_scheme_host_and_path_and_no_password(url: str, shown: str) -> None:
    assert shown_url(url) == shown
    assert "secret" not in said_by(lambda: check_endpoint(url))


def test_an_issuer_that_is_an_account_is_named_with_its_scheme() -> None:
    with pytest.raises(UsageError, match=r"http or https URL, not 'acct:alice@example\.com'"):
        check_endpoint("acct:alice@example.com", "issuer")
