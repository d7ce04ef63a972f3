import sqlite3
from contextlib import closing
from pathlib import Path

import requests

from doorkey.dev import Provider

ADMIN = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
S256 = {"code_challenge_method": "S256"}


def test_sessions_and_keys_outlive_a_restart_when_a_file_is_given(tmp_path: Path, http: requests.Session) -> None:
    store = tmp_path / "provider.sqlite"
    with Provider(store=store) as provider:
        token = http.post(provider.token_endpoint, ADMIN).json()
        keys = http.get(provider.jwks_uri).json()
        port = provider.port
    with Provider(store=store, port=port) as provider:
        assert http.get(provider.jwks_uri).json() == keys
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        assert http.get(provider.echo, headers=headers).status_code == 200
        form = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": token["refresh_token"]}
        assert http.post(provider.token_endpoint, form).status_code == 200


def test_a_refresh_token_used_before_a_restart_ends_its_family_after_it(tmp_path: Path, http: requests.Session) -> None:
    store = tmp_path / "provider.sqlite"

    def refresh(provider: Provider, token: str) -> requests.Response:
        endpoint = f"{provider.issuer_of('rotating')}/protocol/openid-connect/token"
        return http.post(endpoint, {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": token})

    with Provider(store=store) as provider:
        first = http.post(f"{provider.issuer_of('rotating')}/protocol/openid-connect/token", ADMIN).json()
        second = refresh(provider, first["refresh_token"]).json()
        port = provider.port
    with Provider(store=store, port=port) as provider:
        reused = refresh(provider, first["refresh_token"]).json()
        assert reused["error_description"] == "Maximum allowed refresh token reuse exceeded"
        assert refresh(provider, second["refresh_token"]).status_code == 400
        headers = {"Authorization": f"Bearer {second['access_token']}"}
        assert http.get(provider.echo, headers=headers).status_code == 401


def test_without_a_file_everything_is_forgotten(http: requests.Session) -> None:
    with Provider() as provider:
        token = http.post(provider.token_endpoint, ADMIN).json()
        port = provider.port
    with Provider(port=port) as provider:
        form = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": token["refresh_token"]}
        assert http.post(provider.token_endpoint, form).status_code == 400


def test_the_file_holds_no_password_code_or_cookie(tmp_path: Path, http: requests.Session) -> None:
    store = tmp_path / "provider.sqlite"
    with Provider(store=store) as provider:
        token = http.post(provider.token_endpoint, ADMIN).json()
    content = store.read_bytes()
    for secret in (token["access_token"], token["refresh_token"], "my-secret", "wonderland"):
        assert secret.encode() not in content


def test_a_store_that_does_not_answer_is_the_providers_own_error_everywhere(
    tmp_path: Path, http: requests.Session
) -> None:
    path = tmp_path / "provider.sqlite"
    with Provider(store=path) as provider:
        token = http.post(provider.token_endpoint, {**ADMIN, "scope": "openid"}).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert http.get(provider.userinfo_endpoint, headers=bearer).status_code == 200
        with closing(sqlite3.connect(path)) as broken:
            broken.execute("DROP TABLE record")
        count = f"{provider.origin}/admin/realms/master/users/count"
        for url in (provider.userinfo_endpoint, provider.echo, count):
            answer = http.get(url, headers=bearer)
            assert (answer.status_code, answer.json()) == (500, {"error": "server_error"})
        asked = {"client_id": "public-native", "redirect_uri": "http://127.0.0.1:9499/cb", "response_type": "code"}
        visit = {**asked, "code_challenge": "c" * 43, **S256}
        # Only a session's cookie makes the authorization endpoint ask the store.
        page = http.get(provider.authorization_endpoint, params=visit, cookies={"doorkey_session": "s" * 43})
        assert page.status_code == 500
        assert "We are sorry" in page.text
