"""The environments that the tutorials on logins show make logins, with the callbacks that the pages register."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from doorkey.login import Login

TUTORIALS = Path(__file__).resolve().parents[2] / "docs" / "tutorials"
PAGE = (TUTORIALS / "providers.md").read_text("utf-8")
VARIABLE = re.compile(r"^    (DOORKEY_\w+)=(.*)$", re.MULTILINE)
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"


def variables(text: str) -> dict[str, str]:
    """The variables of the text, with values in place of those that the reader has to fill in."""
    found = dict(VARIABLE.findall(text))
    return {name: _filled(name) if "…" in value else value for name, value in found.items()}


def _filled(name: str) -> str:
    return TENANT if name.endswith("TENANT") else f"{name}-with-more-than-32-characters"


def section(provider: str) -> str:
    found = re.search(rf"^## {provider}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def login_of(environment: dict[str, str]) -> Login:
    """Return the login; a variable or a preset that does not exist, and one that is missing, is an error."""
    return Login.from_env(environment, sessions="memory:")


@pytest.mark.parametrize("provider", ["Keycloak", "Google", "Entra", "GitHub"])
def test_the_environment_of_a_provider_makes_a_login(provider: str) -> None:
    environment = variables(PAGE.split("\n## ")[0]) | variables(section(provider))
    assert {"DOORKEY_CLIENT_ID", "DOORKEY_CLIENT_SECRET"} < environment.keys()
    login_of(environment).close()
    assert "`https://shop.example/auth/callback`" in section(provider)


def test_a_login_at_github_goes_to_github_with_the_callback_of_the_page() -> None:
    app = Flask("shop")
    login = login_of(variables(PAGE.split("\n## ")[0]) | variables(section("GitHub")))
    login.init_app(app)
    begun = urlsplit(app.test_client().get("/auth/login", base_url="https://shop.example").location)
    assert (begun.netloc, begun.path) == ("github.com", "/login/oauth/authorize")
    assert parse_qs(begun.query)["redirect_uri"] == ["https://shop.example/auth/callback"]
    login.close()


@pytest.mark.parametrize("framework", ["flask", "fastapi", "django"])
def test_the_environment_of_a_framework_makes_a_login(framework: str) -> None:
    page = (TUTORIALS / f"log-in-{framework}.md").read_text("utf-8")
    login_of(variables(page)).close()
    assert f"`{variables(page)['DOORKEY_BASE_URL']}/auth/callback`" in page
