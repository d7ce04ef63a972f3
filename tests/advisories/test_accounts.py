"""Names that differ only in the case of their letters are of different users and issuers, and addresses link none."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from doorkey.errors import VerificationError
from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign
from doorkey.oidc.core import CodeIDToken, UserInfo
from doorkey.resource import InvalidAccessToken
from doorkey.sources.renewed_tokens import check_same_login
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from tests.login.django.conftest import database_path, django_site, migrated_database
from tests.resource.conftest import apis, clock, portal_of_kind, server
from tests.support.id_tokens import claims as id_token_claims
from tests.support.resource_server import ACTIVE, API, ASKING, OPAQUE, Apis, Server, page, token

__all__ = ["apis", "clock", "database_path", "django_site", "migrated_database", "portal_of_kind", "server"]

KEY = generate_key("ES256")
USER, ISSUER = "alice@example.com", "https://as.example/realm"
OTHER_USERS = ("Alice@example.com", "ALICE@EXAMPLE.COM", "alice@Example.com")
OTHER_ISSUERS = ("https://as.example/Realm", "https://AS.example/realm", "HTTPS://as.example/realm")
OTHERS = [*(("sub", user) for user in OTHER_USERS), *(("iss", issuer) for issuer in OTHER_ISSUERS)]


def login(**more: Any) -> OAuthToken:
    members = id_token_claims(**{"iss": ISSUER, "sub": USER, **more})
    return OAuthToken(Secret("at"), id_token=Secret(sign(members, KEY, alg="ES256")))


@pytest.mark.parametrize("other", OTHER_USERS)
def test_cve_2024_32879_userinfo_of_a_user_in_other_case_is_of_another_user(other: str) -> None:
    UserInfo({"sub": USER}).check_sub(USER)
    with pytest.raises(VerificationError) as caught:
        UserInfo({"sub": other}).check_sub(USER)
    assert caught.value.claim == "sub"


@pytest.mark.parametrize(("name", "other"), OTHERS)
def test_cve_2024_32879_a_renewed_id_token_in_other_case_is_of_another_login(name: str, other: str) -> None:
    check_same_login(login(), login())
    with pytest.raises(VerificationError) as caught:
        check_same_login(login(**{name: other}), login())
    assert caught.value.claim == name


@pytest.mark.parametrize("other", OTHER_ISSUERS)
def test_cve_2024_32879_an_id_token_of_an_issuer_in_other_case_is_of_another_issuer(other: str) -> None:
    for issuer in (ISSUER, other):
        found = id_token_claims(iss=issuer)
        params = {"issuer": ISSUER, "client_id": found["aud"], "nonce": found["nonce"]}
        claims = CodeIDToken(found, {"alg": "ES256"}, None, params)
        if issuer == ISSUER:
            claims.validate(found["iat"])
            continue
        with pytest.raises(VerificationError) as caught:
            claims.validate(found["iat"])
        assert caught.value.claim == "iss"


@pytest.mark.parametrize("other", OTHER_ISSUERS)
def test_cve_2024_32879_an_access_token_of_an_issuer_in_other_case_is_rejected(
    apis: Apis, server: Server, other: str
) -> None:
    server.issuer = ISSUER
    ours, theirs = token(issuer=ISSUER), token(issuer=other)
    server.instead["/realm/jwks_uri"] = lambda _: page({"keys": server.keys})
    server.instead["/realm/introspect"] = lambda _: page({**ACTIVE, "iss": other})
    api = apis(ISSUER, audience=API, introspection=ASKING)
    assert api.verify(ours).issuer == ISSUER
    for text in (theirs, OPAQUE):
        with pytest.raises(InvalidAccessToken) as caught:
            api.verify(text)
        assert caught.value.claim == "iss"


def test_cve_2024_32879_access_tokens_of_users_in_other_case_are_of_different_users(apis: Apis) -> None:
    api = apis()
    assert [api.verify(token(sub=user)).sub for user in (USER, *OTHER_USERS)] == [USER, *OTHER_USERS]


@pytest.mark.parametrize(("name", "other"), OTHERS)
def test_cve_2024_32879_a_user_in_other_case_is_another_user_of_a_django_project(
    django_site: None, name: str, other: str
) -> None:
    from doorkey.login.django.users import user_of_identity

    pair = {"iss": ISSUER, "sub": USER}
    others = {**pair, name: other}
    own = user_of_identity(pair["iss"], pair["sub"], {})
    assert user_of_identity(pair["iss"], pair["sub"], {}) == own
    assert user_of_identity(others["iss"], others["sub"], {}) not in (None, own)


def test_cve_2025_61783_an_address_that_is_the_username_of_the_project_links_no_account(tmp_path: Path) -> None:
    """With a model whose addresses are unique, the new user cannot have the address: it gets another name."""
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / "__init__.py").write_text("", "utf-8")
    (tmp_path / "accounts" / "models.py").write_text(
        "from django.contrib.auth.base_user import AbstractBaseUser\n"
        "from django.db import models\n\n\n"
        "class Account(AbstractBaseUser):\n"
        "    email = models.EmailField(unique=True)\n"
        '    USERNAME_FIELD = "email"\n',
        "utf-8",
    )
    program = tmp_path / "program.py"
    program.write_text(
        "import django\n"
        "from django.conf import settings\n"
        "settings.configure(\n"
        '    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},\n'
        '    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "accounts",\n'
        '                    "doorkey.login.django"],\n'
        '    AUTH_USER_MODEL="accounts.Account", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",\n'
        "    MIGRATION_MODULES={'accounts': None, 'doorkey_login': None}, USE_TZ=True,\n"
        ")\n"
        "django.setup()\n"
        "from django.core.management import call_command\n"
        'call_command("migrate", run_syncdb=True, verbosity=0)\n'
        "from accounts.models import Account\n"
        "from doorkey.login.django.users import user_of_identity\n"
        'victim = Account.objects.create(email="victim@example.com")\n'
        'claims = {"email": "victim@example.com", "email_verified": True}\n'
        'attacker = user_of_identity("https://evil.example", "1", claims)\n'
        "assert attacker is not None and attacker.pk != victim.pk, attacker\n"
        'assert attacker.email.endswith("@login.invalid"), attacker.email\n'
        'assert user_of_identity("https://evil.example", "1", claims).pk == attacker.pk\n'
        'fresh = {"email": "fresh@example.com", "email_verified": True}\n'
        'assert user_of_identity("https://good.example", "2", fresh).email == "fresh@example.com"\n'
        'unverified = {"email": "later@example.com", "email_verified": False}\n'
        'assert user_of_identity("https://good.example", "3", unverified).email.endswith("@login.invalid")\n'
        "assert Account.objects.count() == 4\n",
        "utf-8",
    )
    done = subprocess.run([sys.executable, program.name], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
