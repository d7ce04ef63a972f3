"""What other authorization servers did with redirect URIs, and what ours must never do: a test for each class."""

from collections.abc import Iterator

import pytest
import requests

from doorkey.dev import Provider

REGISTERED = "http://127.0.0.1:9499/cb"
PKCE = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
EVIL = "https://evil.example/cb"


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.parametrize(
    "wrong",
    [
        {"response_type": "no such type"},
        {"scope": "no such scope"},
        {"prompt": "none"},
        {"code_challenge_method": "plain"},
        {"response_mode": "form_post", "response_type": "no such type"},
        {"client_id": "no-such-client"},
    ],
    ids=str,
)
def test_cve_2026_41479_an_error_is_never_sent_to_a_redirect_uri_that_is_not_registered(
    provider: Provider, browser: requests.Session, wrong: dict[str, str]
) -> None:
    request = {"client_id": "web-basic", "response_type": "code", "state": "s", "redirect_uri": EVIL, **wrong}
    response = browser.get(provider.authorization_endpoint, params=request, allow_redirects=False, timeout=30)
    assert response.status_code == 400
    assert "location" not in response.headers
    assert "evil.example" not in response.text


@pytest.mark.parametrize(
    "almost",
    [
        "http://127.0.0.1:9499/cb/../../evil",
        "http://127.0.0.1:9499@evil.example/cb",
        "http://127.0.0.1:9499\\@evil.example/cb",
        "http://127.0.0.1.evil.example:9499/cb",
        "http://127.0.0.1:9499/cb#fragment",
        "javascript:alert(1)//127.0.0.1:9499/cb",
        "//evil.example/cb",
    ],
)
def test_cve_2026_44681_a_redirect_uri_that_only_looks_registered_is_refused_before_the_login(
    provider: Provider, browser: requests.Session, almost: str
) -> None:
    request = {"client_id": "public-native", "response_type": "code", "state": "s", "redirect_uri": REGISTERED, **PKCE}
    assert "password" in browser.get(provider.authorization_endpoint, params=request, timeout=30).text
    request["redirect_uri"] = almost
    response = browser.get(provider.authorization_endpoint, params=request, allow_redirects=False, timeout=30)
    assert response.status_code == 400
    assert "location" not in response.headers
    assert "password" not in response.text
