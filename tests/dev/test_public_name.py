"""The name of a provider that others reach: from its configuration, and never from a request."""

from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from doorkey.dev import Provider, Settings, client, read_config
from doorkey.dev.limits import TrustedProxies
from doorkey.errors import UsageError
from doorkey.jose.verification import unsafe_claims
from tests.servers.browser import forms

PUBLIC = "https://login.example"
DISCOVERY = "/realms/master/.well-known/openid-configuration"
LOGIN = {"client_id": "client-1", "response_type": "code", "redirect_uri": "http://127.0.0.1:9499/cb"}
GUESS = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "wrong"}


def at(provider: Provider, path: str) -> str:
    return f"http://127.0.0.1:{provider.port}{path}"


def test_with_allow_remote_the_host_header_names_neither_the_issuer_nor_where_the_password_goes(
    http: requests.Session,
) -> None:
    with Provider(host="0.0.0.0", allow_remote=True, public_url=PUBLIC) as provider:  # noqa: S104
        for host in ("login.example", "LOGIN.example", "login.example:443", "localhost", "127.0.0.1:1"):
            headers = {"Host": host, "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}
            metadata = http.get(at(provider, DISCOVERY), headers=headers).json()
            assert metadata["issuer"] == f"{PUBLIC}/realms/master"
            assert metadata["token_endpoint"].startswith(PUBLIC)
            page = http.get(at(provider, "/realms/master/protocol/openid-connect/auth"), params=LOGIN, headers=headers)
            (form,) = forms(page.text, PUBLIC)
            assert form.action.startswith(f"{PUBLIC}/realms/master/")
        for host in (
            "evil.example",
            "login.example.evil.example",
            "login.example:8443",
            "login.example:80",
            "192.0.2.1",
        ):
            for path in (DISCOVERY, "/echo", "/admin/realms/master/users/count"):
                assert http.get(at(provider, path), headers={"Host": host}).status_code == 400
        assert provider.issuer == f"{PUBLIC}/realms/master"


def test_nothing_listens_at_every_address_without_a_public_name() -> None:
    for host in ("0.0.0.0", "::"):  # noqa: S104  # refused
        with pytest.raises(UsageError, match="needs public_url"):
            Provider(host=host, allow_remote=True)


def test_the_public_name_defaults_to_the_host_that_is_listened_at() -> None:
    assert Provider(host="192.0.2.1", port=8080, allow_remote=True).origin == "http://192.0.2.1:8080"
    assert Provider(host="2001:db8::1", port=80, allow_remote=True).origin == "http://[2001:db8::1]:80"


@pytest.mark.parametrize(
    "url",
    [
        "login.example",
        "ftp://login.example",
        "https://login.example/path",
        "https://login.example?q",
        "https://login.example#f",
        "https://user@login.example",
        "https://login.example:port",
        "https://b\u00fccher.example",
        "https://login.example\n",
        "https://",
        "",
    ],
)
def test_a_public_name_is_an_origin(url: str) -> None:
    with pytest.raises(UsageError, match="public_url"):
        Provider(public_url=url)


def test_the_scheme_that_a_request_claims_is_believed_of_no_one(provider: Provider, http: requests.Session) -> None:
    for name in ("X-Forwarded-Proto", "Forwarded", "X-Forwarded-Scheme"):
        value = "proto=https" if name == "Forwarded" else "https"
        metadata = http.get(provider.origin + DISCOVERY, headers={name: value}).json()
        assert metadata["issuer"] == provider.issuer


def test_the_file_may_name_the_public_url_and_the_proxies(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[server]\npublic_url = "https://LOGIN.example/"\ntrusted_proxies = ["10.0.0.0/8", "::1"]')
    config = read_config(path)
    assert (config.public_url, config.trusted_proxies) == (PUBLIC, ("10.0.0.0/8", "::1"))
    for wrong in ('public_url = "https://a/b"', 'trusted_proxies = ["proxy"]', "trusted_proxies = [1]", "name = 1"):
        path.write_text(f"[server]\n{wrong}")
        with pytest.raises(UsageError, match=r"config\.toml"):
            read_config(path)


def test_over_https_no_other_host_can_set_the_cookies(http: requests.Session) -> None:
    with Provider(public_url=PUBLIC) as provider:
        page = http.get(at(provider, "/realms/master/protocol/openid-connect/auth"), params=LOGIN)
        cookie = page.headers["set-cookie"]
        assert cookie.startswith("__Host-doorkey_browser_master=")
        assert {"Secure", "Path=/", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
        name, _, value = cookie.partition(";")[0].partition("=")
        (form,) = forms(page.text, PUBLIC)
        action = form.action.replace(PUBLIC, at(provider, ""))
        filled = {**form.fields, "username": "alice", "password": "wonderland"}
        plain = http.post(action, filled, headers={"Cookie": f"doorkey_browser={value}"}, allow_redirects=False)
        assert (plain.status_code, "another browser" in plain.text) == (400, True)
        done = http.post(action, filled, headers={"Cookie": f"{name}={value}"}, allow_redirects=False)
        assert done.status_code == 303
        assert done.headers["set-cookie"].startswith("__Host-doorkey_session_master=")


def test_two_cookies_of_one_name_count_as_none(provider: Provider, http: requests.Session) -> None:
    page = http.get(provider.authorization_endpoint, params=LOGIN)
    (form,) = forms(page.text, provider.origin)
    cookie = page.headers["set-cookie"].partition(";")[0]
    filled = {**form.fields, "username": "alice", "password": "wonderland"}
    http.cookies.clear()
    twice = {"Cookie": f"doorkey_browser={'p' * 86}; {cookie}"}
    assert http.post(form.action, filled, headers=twice, allow_redirects=False).status_code == 400
    assert http.post(form.action, filled, headers={"Cookie": cookie}, allow_redirects=False).status_code == 303


def test_only_a_trusted_proxy_names_the_caller_in_x_forwarded_for(http: requests.Session) -> None:
    # Two of the names share a bucket now and then (`server.attempts`): one failure of each still is none too many
    strict = {"master": Settings(failed_logins=2)}

    def wrong(provider: Provider, address: str, username: str) -> int:
        form = {**GUESS, "username": username}
        return http.post(provider.token_endpoint, form, headers={"X-Forwarded-For": address}).status_code

    with Provider(realms=strict) as provider:  # twenty failures of one address block it
        found = [wrong(provider, f"192.0.2.{number}", f"user-{number}") for number in range(21)]
        assert 429 in found
    with Provider(realms=strict, trusted_proxies=["127.0.0.0/8"]) as provider:
        assert {wrong(provider, f"192.0.2.{number}", f"user-{number}") for number in range(20)} == {400}
        found = [wrong(provider, f"198.51.100.{number}, 192.0.2.1", f"name-{number}") for number in range(21)]
        assert 429 in found


@pytest.mark.parametrize(
    ("peer", "header", "caller"),
    [
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.9, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "192.0.2.1, garbage", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("192.0.2.9", "192.0.2.1", "192.0.2.9"),
        ("2001:db8::9", "192.0.2.1", "2001:db8::9"),
        (None, "192.0.2.1", None),
    ],
)
def test_the_caller_is_the_last_hop_that_is_not_a_trusted_proxy(
    peer: str | None, header: str, caller: str | None
) -> None:
    headers = (("X-Forwarded-For", header),) if header else ()
    assert TrustedProxies(["10.0.0.0/8"]).caller(peer, headers) == caller


def test_a_long_list_of_hops_is_cut_off() -> None:
    hops = ",".join(["192.0.2.1", *["10.0.0.1"] * 100])
    assert TrustedProxies(["10.0.0.0/8"]).caller("10.0.0.1", (("x-forwarded-for", hops),)) == "10.0.0.1"


def test_a_logout_redirect_is_a_registered_one_but_for_the_port_on_loopback(http: requests.Session) -> None:
    app = client(
        "app", "secret", redirect_uris=["http://127.0.0.1/*"], post_logout_redirect_uris=["http://127.0.0.1/bye"]
    )
    form = {"grant_type": "password", "scope": "openid", "client_id": "app", "client_secret": "secret"}
    with Provider(clients=[app]) as provider:

        def left(uri: str) -> int:
            tokens = http.post(provider.token_endpoint, {**form, "username": "alice", "password": "wonderland"}).json()
            asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": uri}
            return http.get(provider.end_session_endpoint, params=asked, allow_redirects=False).status_code

        for uri in ("http://127.0.0.1/bye", "http://127.0.0.1:5123/bye"):  # as a redirect URI (RFC 8252 §7.3)
            assert left(uri) == 302
        for uri in ("http://127.0.0.1/cb", "http://localhost/bye", "http://127.0.0.1/bye?q", "http://127.0.0.1/*"):
            assert left(uri) == 400


def test_it_is_reached_by_the_name_of_its_container_and_by_localhost(http: requests.Session) -> None:
    """As Keycloak with KC_HOSTNAME and KC_HOSTNAME_BACKCHANNEL_DYNAMIC: a browser and a container use other names."""
    with Provider(public_url="http://localhost:8080", host_names=["Keycloak"]) as provider:
        issuer = "http://localhost:8080/realms/master"
        for host in ("localhost:8080", "keycloak:8080", "KEYCLOAK", "127.0.0.1:9"):
            metadata = http.get(at(provider, DISCOVERY), headers={"Host": host}).json()
            assert metadata["issuer"] == issuer
            for name in ("authorization_endpoint", "end_session_endpoint"):
                assert metadata[name].startswith(f"{issuer}/")
            for name in ("token_endpoint", "jwks_uri", "userinfo_endpoint", "introspection_endpoint"):
                assert metadata[name].startswith(f"http://{host}/realms/master/")
        path = "/realms/master/protocol/openid-connect/token"
        form = {**GUESS, "password": "admin", "scope": "openid"}
        token = http.post(at(provider, path), form, headers={"Host": "keycloak:8080"}).json()
        assert unsafe_claims(token["id_token"])["iss"] == issuer
        told = http.get(
            at(provider, "/realms/master/protocol/openid-connect/userinfo"),
            headers={"Host": "localhost:8080", "Authorization": f"Bearer {token['access_token']}"},
        )
        assert told.json()["preferred_username"] == "admin"
        assert http.get(at(provider, DISCOVERY), headers={"Host": "evil.example"}).status_code == 400
        assert "code=" in provider.log_in(f"{provider.authorization_endpoint}?{urlencode(LOGIN)}", "alice")


def test_without_a_public_name_the_issuer_follows_a_name_that_is_configured(http: requests.Session) -> None:
    with Provider(host_names=["keycloak"]) as provider:
        for host, status in (("keycloak:8080", 200), ("localhost", 200), ("other", 400)):
            answer = http.get(at(provider, DISCOVERY), headers={"Host": host})
            assert answer.status_code == status
            assert answer.json().get("issuer") == (f"http://{host}/realms/master" if status == 200 else None)


@pytest.mark.parametrize("name", ["http://keycloak", "keycloak:8080", "*", "", "a b", "[::1]"])
def test_a_host_name_is_a_name(name: str) -> None:
    with pytest.raises(UsageError, match="host_names"):
        Provider(host_names=[name])
