"""The environment's proxies and certificate authorities reach a token request as they reach requests' own."""

from typing import Any

import pytest
import requests

from doorkey.transport.environment import merged_settings

URL = "https://as.example/token"
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "empty": {},
    "a proxy": {"HTTPS_PROXY": "http://proxy.example:1"},
    "in lower case": {"https_proxy": "http://proxy.example:1"},
    "in mixed case": {"Https_Proxy": "http://proxy.example:1"},
    "for all": {"ALL_PROXY": "http://proxy.example:1"},
    "not for this host": {"HTTPS_PROXY": "http://proxy.example:1", "NO_PROXY": "as.example"},
    "only a host without a proxy": {"NO_PROXY": "as.example"},
    "only other hosts without a proxy": {"no_proxy": "other.example"},
    "authorities": {"REQUESTS_CA_BUNDLE": "/ca.pem", "CURL_CA_BUNDLE": "/other.pem"},
    "authorities of curl": {"CURL_CA_BUNDLE": "/other.pem"},
    "both": {"HTTPS_PROXY": "http://proxy.example:1", "REQUESTS_CA_BUNDLE": "/ca.pem"},
}
SESSIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "with settings": {"verify": "/mine.pem", "cert": "/me.pem", "proxies": {"https": "http://mine.example:1"}},
    "unverified": {"verify": False},
    "without the environment": {"trust_env": False},
}
OPTIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "proxies": {"proxies": {"https": "http://call.example:1"}},
    "verify": {"verify": "/call.pem"},
    "unverified": {"verify": False},
    "verified": {"verify": True, "cert": ("/a.pem", "/b.key")},
}


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
@pytest.mark.parametrize("settings", SESSIONS.values(), ids=SESSIONS.keys())
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_the_settings_are_those_that_requests_would_use(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], settings: dict[str, Any], options: dict[str, Any]
) -> None:
    monkeypatch.setattr("os.environ", dict(environment))
    session = requests.Session()
    for name, value in settings.items():
        setattr(session, name, value)
    theirs: Any = session.merge_environment_settings
    wanted = theirs(URL, dict(options.get("proxies", {})), None, options.get("verify"), options.get("cert"))
    found = merged_settings(session, URL, options)
    wanted["stream"] = True
    if len(environment) == 1:
        wanted["proxies"].pop("no", None)  # requests takes the exceptions for the proxy of a scheme called "no"
    assert {name: found[name] or None for name in found} == {name: wanted[name] or None for name in wanted}


def test_a_session_that_merges_in_its_own_way_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(requests.Session):
        def merge_environment_settings(self, *_: Any, **__: Any) -> Any:
            return {"proxies": {}, "verify": "/own.pem", "cert": None, "stream": True}

    monkeypatch.setattr("os.environ", {})
    assert merged_settings(Own(), URL, {})["verify"] == "/own.pem"
