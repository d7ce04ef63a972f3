"""What an import brings along: each in a fresh interpreter, because here everything is imported already."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import doorkey
from doorkey.runtime.extras import EXTRAS

HEAVY = {
    *("joserfc", "cryptography", "cffi"),
    *("starlette", "fastapi", "uvicorn", "flask", "django", "aiohttp", "rich", "click", "sqlalchemy", "redis"),
}
HTTP_CLIENTS = {"requests", "urllib3", "niquests", "httpx", "httpx2", "httpcore", "httpcore2", "anyio"}

A_SESSION_AND_ITS_FIRST_REQUEST = {
    "requests": """
import requests
from doorkey.integrations.requests_client import OAuth2Session

class Canned(requests.adapters.BaseAdapter):
    def send(self, request, **options):
        assert request.headers["Authorization"] == "Bearer t"
        response = requests.Response()
        response.status_code, response.raw, response.url = 200, None, request.url
        response._content, response.request = b"", request
        return response

session = OAuth2Session("id", token={"access_token": "t"})
session.mount("http://", Canned())
assert session.get("http://127.0.0.1/").status_code == 200
""",
    "httpx2": """
import httpx2
from doorkey.integrations.httpx_client import OAuth2Client

def answer(request):
    assert request.headers["Authorization"] == "Bearer t"
    return httpx2.Response(200)

session = OAuth2Client("id", token={"access_token": "t"}, transport=httpx2.MockTransport(answer))
assert session.get("http://127.0.0.1/").status_code == 200
""",
}

TWO_RENEWALS_OF_A_LOGIN = """
import base64, json
import httpx2
from doorkey import RefreshToken, TokenSource

now = 1_800_000_000.0

def segment(members):
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()

def answer(request):
    claims = {"iss": "https://as.example", "sub": "alice", "aud": "c", "iat": now, "exp": now + 60, "auth_time": 1}
    id_token = ".".join([segment({"alg": "RS256"}), segment(claims), "AAAA"])
    token = {"access_token": f"at-{now}", "token_type": "Bearer", "expires_in": 60, "refresh_token": "rt"}
    return httpx2.Response(200, json={**token, "id_token": id_token})

client = httpx2.Client(transport=httpx2.MockTransport(answer))
grant = RefreshToken("c", "s", refresh_token="rt")
with TokenSource(grant, token_endpoint="http://127.0.0.1/token", http_client=client, clock=lambda: now) as source:
    for _ in range(3):
        assert source.token().access_token.reveal() == f"at-{now}"
        now += 3600
"""


def loaded_by(code: str, *, after: str = "") -> set[str]:
    """The packages that `code` imports, beyond those that `after` has already imported."""
    return {name.partition(".")[0] for name in modules_loaded_by(code, after=after)}


def modules_loaded_by(code: str, *, after: str = "") -> list[str]:
    told = f"import sys\n{after}\nbefore = set(sys.modules)\n{code}\nprint(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    modules: list[str] = ast.literal_eval(done.stdout)
    return modules


def test_importing_doorkey_loads_no_http_client_and_nothing_heavy() -> None:
    assert not loaded_by("import doorkey") & (HEAVY | HTTP_CLIENTS)


def test_the_classes_of_id_tokens_load_no_cryptography_before_a_token_is_verified() -> None:
    brought = loaded_by("import doorkey.jose, doorkey.oidc.core\ndoorkey.oidc.core.UserInfo({})")
    assert not brought & (HEAVY | HTTP_CLIENTS)
    assert "joserfc" in loaded_by("from doorkey.jose import jwt")


def test_the_guards_of_plain_asgi_and_wsgi_load_no_framework() -> None:
    assert not loaded_by("import doorkey.resource") & (HEAVY | HTTP_CLIENTS)
    brought = loaded_by("from doorkey.resource import *")
    assert not brought & (HTTP_CLIENTS | {"starlette", "fastapi", "flask", "django", "rest_framework"})


def test_every_public_name_is_there_and_loads_no_http_client() -> None:
    assert not loaded_by("from doorkey import *") & (HEAVY | HTTP_CLIENTS)
    for name in set(doorkey.__all__) - {"__version__"}:
        assert getattr(doorkey, name).__name__ == name
        assert name in dir(doorkey)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = doorkey.nonsense


@pytest.mark.parametrize(
    ("library", "module"), [("requests", "requests_client"), ("httpx2", "httpx_client")], ids=["requests", "httpx2"]
)
def test_a_client_loads_its_own_http_library_and_nothing_heavy(library: str, module: str) -> None:
    brought = loaded_by(f"import doorkey.integrations.{module}", after=f"import {library}")
    assert not brought & (HEAVY | HTTP_CLIENTS)


@pytest.mark.parametrize("module", ["requests_client", "httpx_client", "aiohttp_client"])
def test_importing_a_client_loads_no_module_that_only_a_session_needs(module: str) -> None:
    needed_later = ("jose", "login", "oidc", "protocol", "renewal", "resource", "server", "sources", "stores", "vault")
    brought = modules_loaded_by(f"import doorkey.integrations.{module}")
    assert [name for name in brought if name.startswith(tuple(f"doorkey.{folder}." for folder in needed_later))] == []


@pytest.mark.parametrize("library", A_SESSION_AND_ITS_FIRST_REQUEST)
def test_a_session_and_its_first_request_load_nothing_heavy(library: str) -> None:
    brought = loaded_by(A_SESSION_AND_ITS_FIRST_REQUEST[library], after=f"import {library}")
    assert not brought & HEAVY


def test_renewing_the_token_of_a_login_loads_nothing_heavy() -> None:
    """The ID tokens are compared. Loading joserfc for that would stop the second renewal of a process for 70 ms."""
    assert not loaded_by(TWO_RENEWALS_OF_A_LOGIN, after="import httpx2") & HEAVY


def test_the_auth_of_httpx2_is_one_of_httpx_too_once_that_is_imported() -> None:
    brought = loaded_by("""
from doorkey.integrations.httpx_client import OAuth2Auth, OAuth2Client
auth = OAuth2Auth({"access_token": "t"})
assert isinstance(auth, OAuth2Auth) and "httpx" not in sys.modules
import httpx, httpx2
assert isinstance(auth, OAuth2Auth) and isinstance(auth, httpx.Auth) and isinstance(auth, httpx2.Auth)
httpx.Client(auth=auth), httpx2.Client(auth=auth)
""")
    assert {"httpx", "httpx2"} <= brought


@pytest.mark.parametrize("missing", [("requests",), ("httpx", "httpx2"), ("requests", "httpx", "httpx2")], ids=str)
def test_the_auth_object_needs_no_library_that_is_not_installed(missing: tuple[str, ...]) -> None:
    hidden = "\n".join(f"sys.modules[{name!r}] = None" for name in missing)
    loaded_by("from doorkey import OAuth2Auth, TokenSource\nOAuth2Auth({'access_token': 't'})", after=hidden)


@pytest.mark.parametrize(
    ("module", "missing", "extra"),
    [
        ("doorkey.login.django.urls", "django", "doorkey[django]"),
        ("doorkey.integrations.django_client", "django", "doorkey[django]"),
        ("doorkey.integrations.flask_client", "flask", "doorkey[flask]"),
        ("doorkey.integrations.starlette_client", "starlette", "doorkey[starlette]"),
    ],
)
def test_a_module_for_a_framework_that_is_not_installed_names_the_extra(module: str, missing: str, extra: str) -> None:
    loaded_by(f"""
import doorkey, importlib.abc
class Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {missing!r}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Hidden())
import importlib.util
importlib.util.find_spec = lambda name, of=importlib.util.find_spec: None if name == {missing!r} else of(name)
try:
    import {module}
except ImportError as error:
    assert {extra!r} in str(error), error
else:
    raise AssertionError
""")


def test_the_clients_can_be_imported_from_the_package_itself() -> None:
    from doorkey import AsyncOAuth2Client, OAuth2Client, OAuth2Session
    from doorkey.integrations import httpx_client, requests_client

    assert OAuth2Session is requests_client.OAuth2Session
    assert (OAuth2Client, AsyncOAuth2Client) == (httpx_client.OAuth2Client, httpx_client.AsyncOAuth2Client)
    assert {"OAuth2Session", "OAuth2Client", "AsyncOAuth2Client"} <= set(dir(doorkey))


def test_the_import_paths_of_public_programs_name_the_same_classes() -> None:
    from doorkey import OAuthError
    from doorkey.common.errors import AuthlibBaseError
    from doorkey.errors import InvalidGrant
    from doorkey.integrations import httpx_client
    from doorkey.integrations.httpx_client import oauth2_client
    from doorkey.oauth2 import OAuth2Error
    from doorkey.oauth2.rfc6749 import errors, wrappers
    from doorkey.tokens import OAuth2Token

    assert wrappers.OAuth2Token is OAuth2Token
    assert AuthlibBaseError is OAuth2Error is errors.OAuth2Error is OAuthError
    assert errors.InvalidGrantError is InvalidGrant
    assert oauth2_client.AsyncOAuth2Client is httpx_client.AsyncOAuth2Client
    assert oauth2_client.OAuth2Client is httpx_client.OAuth2Client
    assert oauth2_client.OAuth2Auth is httpx_client.OAuth2Auth


NEEDS = [
    ("requests", "from doorkey import OAuth2Session", "requests"),
    ("requests", "import doorkey.integrations.requests_client", "requests"),
    ("requests", "import doorkey.client", "requests"),
    ("httpx2", "from doorkey import OAuth2Client", "httpx2"),
    ("httpx2", "import doorkey.integrations.httpx_client", "httpx2"),
    ("uvicorn", "from doorkey.dev import Provider", "server"),
    ("h11", "from doorkey.dev import Provider", "server"),
    ("starlette", "from doorkey.dev import Provider", "server"),
    ("redis", "from doorkey.stores import RedisStore", "redis"),
    ("sqlalchemy", "from doorkey.stores import SQLStore", "sql"),
    ("flask", "from doorkey.resource import FlaskGuard", "flask"),
    ("flask", "import doorkey.integrations.flask_oauth2", "flask"),
    ("django", "from doorkey.resource import DjangoGuard", "django"),
    ("django", "import doorkey.integrations.django_oauth2", "django"),
    ("rest_framework", "from doorkey.resource import RestFrameworkGuard", "rest-framework"),
    ("starlette", "from doorkey.resource import StarletteGuard", "starlette"),
    ("fastapi", "from doorkey.resource import FastAPIGuard", "fastapi"),
    ("fastapi", "from doorkey.login import Login; Login.dev().User", "fastapi"),
    ("fastapi", "from doorkey.login import Login; Login.dev().OptionalUser", "fastapi"),
    ("flask", "import doorkey.integrations.flask_client", "flask"),
    ("django", "import doorkey.integrations.django_client", "django"),
    ("starlette", "import doorkey.integrations.starlette_client", "starlette"),
    ("httpx2", "import doorkey.integrations.starlette_client", "httpx2"),
]
HIDDEN = {"httpx2": ("httpx2", "httpx")}


def hiding(library: str) -> str:
    return "import sys\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in HIDDEN.get(library, (library,)))


@pytest.mark.parametrize(("library", "statement", "extra"), NEEDS, ids=lambda value: value)
def test_a_missing_library_is_an_import_error_that_names_the_extra(library: str, statement: str, extra: str) -> None:
    sentence = f"{library} is not installed: pip install 'doorkey[{extra}]'"
    loaded_by(
        f"""
from doorkey.errors import UsageError
try:
    {statement}
except ImportError as error:
    assert isinstance(error, UsageError) and error.description == {sentence!r}, error
    assert error.name == {library!r} and error.__cause__ is None
else:
    raise AssertionError("nothing was raised")
""",
        after=hiding(library),
    )


def test_the_provider_without_its_extra_prints_one_sentence_and_no_traceback() -> None:
    run = hiding("uvicorn") + "import runpy\nrunpy.run_module('doorkey.dev', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "doorkey.dev: uvicorn is not installed: pip install 'doorkey[server]'\n"


COMES_WITH = {
    "asgiref": "django",
    "blinker": "flask",
    "werkzeug": "flask",
    "urllib3": "requests",
    "anyio": "httpx2",
    "opentelemetry": "opentelemetry",
    "pytest": "pytest",
}
"""Libraries that another one installs, or that are used only if the program has imported them."""
STATEMENT = re.compile(r"^ *(?:import (?=[\w.]+(?: as \w+)?$)|from (?=[\w.]+ import ))([a-z0-9_]+)", re.MULTILINE)


def test_each_optional_library_that_is_imported_has_an_extra_that_an_error_can_name() -> None:
    sources = (path.read_text() for path in Path(doorkey.__file__).parent.rglob("*.py"))
    imported = {name for source in sources for name in STATEMENT.findall(source)}
    ours = {"doorkey", "joserfc", "cryptography"}
    assert "h11" in imported
    assert imported - sys.stdlib_module_names - ours - EXTRAS.keys() - COMES_WITH.keys() == set()
