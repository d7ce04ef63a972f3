"""The declared options of constructors, and the signatures that `help()` and editors show, are the real ones."""

import ast
import inspect
import typing
from typing import Any

import pytest
import requests

from doorkey.integrations.httpx_client import on
from doorkey.integrations.httpx_client import option_types as httpx_types
from doorkey.integrations.requests_client import AssertionSession, OAuth2Session, typed_methods
from doorkey.integrations.requests_client import option_types as requests_types
from doorkey.integrations.requests_client.settings import SETTINGS
from doorkey.sessions.options import OWN_OPTIONS
from doorkey.vault import AsyncTokenVault, TokenVault
from doorkey.vault import option_types as vault_types
from doorkey.vault.key_state import VAULT_OPTIONS
from tests.support.every_adapter import KINDS, Adapter
from tests.support.hostile_server import Hostile
from tools.docs.docstrings import parameters as documented

HTTPX2, HTTPX = on("httpx2"), on("httpx")
ASSERTION: set[str] = {
    *("subject", "audience", "claims", "token_url", "key", "header", "alg", "issued_at", "expires_at", "expires_in"),
    *("assertion_issuer", "signer", "kid", "thumbprint_kid"),
}
CLIENTS = [
    *((OAuth2Session, requests_types.SessionOptions), (AssertionSession, requests_types.AssertionSessionOptions)),
    *((kind, httpx_types.ClientOptions) for kind in (*HTTPX2[:2], *HTTPX[:2])),
    *((kind, httpx_types.AssertionClientOptions) for kind in (*HTTPX2[3:], *HTTPX[3:])),
]
each_client = pytest.mark.parametrize(("client", "declared"), CLIENTS)
each_httpx = pytest.mark.parametrize("adapter", [name for name in KINDS if name != "requests"], indirect=True)
each_httpx_client = pytest.mark.parametrize("client", [*HTTPX2[:2], *HTTPX[:2], *HTTPX2[3:], *HTTPX[3:]])


def native_of(client: Any) -> Any:
    """The HTTP library's own class behind a client."""
    return next(base for base in client.__mro__ if base.__module__.partition(".")[0] in ("requests", "httpx2", "httpx"))


def options_of_the_library(client: Any) -> set[str]:
    if client in (OAuth2Session, AssertionSession):
        return {*SETTINGS, "default_timeout"} - {"auth"}
    return set(inspect.signature(native_of(client).__init__).parameters) - {"self", "auth"}


@each_client
def test_the_declared_options_are_the_real_ones(client: Any, declared: Any) -> None:
    named = set(inspect.signature(client).parameters) - {"options"}
    keys = set(declared.__annotations__)
    assert not named & keys, "declared twice"
    own = OWN_OPTIONS | (ASSERTION if "key" in named else frozenset[str]())
    assert named | keys == own | options_of_the_library(client)


OF_KEY_FILES = [
    (AssertionSession, requests_types.KeyFileSessionOptions),
    *((kind, httpx_types.KeyFileClientOptions) for kind in (*HTTPX2[3:], *HTTPX[3:])),
]


@pytest.mark.parametrize(("client", "declared"), OF_KEY_FILES)
def test_the_declared_options_of_from_file_are_those_of_the_constructor(client: Any, declared: Any) -> None:
    parameters = dict(inspect.signature(client.from_file).parameters)
    annotation = parameters.pop("options").annotation
    assert annotation.removeprefix("Unpack[").partition("[")[0].removesuffix("]") == declared.__name__
    keys = set(declared.__annotations__)
    assert not set(parameters) & keys, "declared twice"
    of_the_file = {"key", "signer"}
    assert set(parameters) - {"path"} | keys == (OWN_OPTIONS | ASSERTION | options_of_the_library(client)) - of_the_file


@pytest.mark.parametrize(
    ("vault", "client", "declared"),
    [
        (TokenVault, OAuth2Session, vault_types.SessionOptions),
        (AsyncTokenVault, HTTPX2[1], vault_types.AsyncClientOptions),
        (AsyncTokenVault, HTTPX[1], vault_types.AsyncClientOptions),
    ],
)
def test_the_declared_options_of_a_vaults_client_are_those_that_the_vault_does_not_decide(
    vault: Any, client: Any, declared: Any
) -> None:
    of_the_default_class = typing.get_overloads(vault.client)[0]
    annotation = inspect.signature(of_the_default_class).parameters["options"].annotation
    assert annotation == f"Unpack[{declared.__name__}]"
    assert set(declared.__annotations__) == (OWN_OPTIONS | options_of_the_library(client)) - VAULT_OPTIONS


@each_client
def test_the_signature_of_a_constructor_names_the_declared_options(client: Any, declared: Any) -> None:
    annotation = inspect.signature(client).parameters["options"].annotation
    assert annotation.removeprefix("Unpack[").partition("[")[0].removesuffix("]") == declared.__name__


@each_client
@pytest.mark.parametrize("verb", ["get", "options", "head", "post", "put", "patch", "delete"])
def test_the_signature_of_a_request_method_is_the_librarys_with_withhold_token(
    client: Any, declared: Any, verb: str
) -> None:
    shown = inspect.signature(getattr(client, verb))
    parameters = dict(shown.parameters)
    withheld = parameters.pop("withhold_token")
    own = inspect.signature(getattr(native_of(client), verb))
    assert parameters == dict(own.parameters)
    assert inspect.isfunction(inspect.unwrap(getattr(client, verb)))
    assert (withheld.name, withheld.kind, withheld.default) == ("withhold_token", withheld.KEYWORD_ONLY, False)
    assert shown.return_annotation == own.return_annotation
    assert inspect.iscoroutinefunction(getattr(client, verb)) == inspect.iscoroutinefunction(
        getattr(native_of(client), verb)
    )
    added = "\n\nwithhold_token: True to send the request without the token."
    assert inspect.getdoc(getattr(client, verb)) == f"{inspect.getdoc(getattr(native_of(client), verb))}{added}"


RESULTS = {
    ("Client", "request"): "Response",
    ("Client", "stream"): "AbstractContextManager[Response]",
    ("AsyncClient", "request"): "Coroutine[Any, Any, Response]",
    ("AsyncClient", "stream"): "AbstractAsyncContextManager[Response]",
}
"""The results of the methods of httpx2 and httpx. Those of the asynchronous client are not `async def` functions."""


def check_shown(client: Any, name: str) -> tuple[inspect.Signature, list[str], inspect.Parameter]:
    """Check the parameters and docstring of a method; return its signature, its names and `withhold_token`."""
    shown = inspect.signature(getattr(client, name))
    parameters = dict(shown.parameters)
    withheld = parameters.pop("withhold_token")
    assert parameters == dict(inspect.signature(getattr(native_of(client), name)).parameters)
    assert (withheld.default, withheld.annotation) == (False, "bool")
    assert set(shown.parameters) - {"self"} == set(documented(inspect.getdoc(getattr(client, name)) or ""))
    assert inspect.unwrap(getattr(client, name)).__module__.startswith("doorkey.")
    return shown, list(shown.parameters), withheld


@each_httpx_client
@pytest.mark.parametrize("name", ["request", "stream"])
def test_the_signature_of_request_and_stream_is_the_librarys_with_withhold_token(client: Any, name: str) -> None:
    shown, names, withheld = check_shown(client, name)
    assert names.index("withhold_token") == names.index("url") + 1
    assert withheld.kind is withheld.POSITIONAL_OR_KEYWORD
    assert shown.return_annotation == RESULTS[native_of(client).__name__, name]


@pytest.mark.parametrize("session", [OAuth2Session, AssertionSession])
def test_the_signature_of_request_on_requests_is_the_librarys_with_withhold_token(session: Any) -> None:
    shown, names, withheld = check_shown(session, "request")
    assert names[-1] == "withhold_token"
    assert withheld.kind is withheld.KEYWORD_ONLY
    assert shown.return_annotation == inspect.signature(requests.Session.request).return_annotation


@each_httpx_client
@pytest.mark.parametrize("name", ["get", "request", "stream"])
def test_a_default_without_a_readable_repr_is_shown_by_its_name(client: Any, name: str) -> None:
    default = inspect.signature(getattr(client, name)).parameters["timeout"].default
    own = inspect.signature(native_of(client).request).parameters["timeout"].default
    assert repr(default) == "USE_CLIENT_DEFAULT"
    assert default == own
    assert hash(default) == hash(own)
    assert default != 5


@each_httpx
def test_a_default_that_was_read_from_a_signature_is_accepted(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client(token={"access_token": "at"})
    shown = inspect.signature(client.native.request).parameters
    defaults = {name: shown[name].default for name in ("auth", "follow_redirects", "timeout")}
    client.request("GET", hostile.url(), **defaults)
    client.request("GET", hostile.url(), withhold_token=True, **defaults)
    assert [one.header("authorization") for one in hostile.received] == ["Bearer at", None]


@each_httpx_client
@pytest.mark.parametrize("name", ["request", "stream"])
def test_the_declared_options_of_a_request_on_httpx_are_the_real_ones(client: Any, name: str) -> None:
    own = set(inspect.signature(getattr(native_of(client), name)).parameters) - {"self", "method", "url"}
    assert own == set(httpx_types.BodyOptions.__annotations__)


REQUEST = set(inspect.signature(requests.Session.request).parameters) - {"self", "method", "url"}


@pytest.mark.parametrize("verb", ["get", "options", "head", "post", "put", "patch", "delete"])
def test_the_declared_options_of_a_request_on_requests_are_the_real_ones(verb: str) -> None:
    tree = ast.parse(inspect.getsource(typed_methods))
    declared = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == verb)
    assert declared.args.kwarg is not None
    assert declared.args.kwarg.annotation is not None
    options = getattr(requests_types, ast.unparse(declared.args.kwarg.annotation)[len("Unpack[") : -1])
    own = inspect.signature(getattr(requests.Session, verb)).parameters
    named = [one.arg for one in declared.args.args]
    assert named == list(own)[: len(named)]  # a release of requests has a position more than an older one
    assert [one.arg for one in declared.args.kwonlyargs] == ["withhold_token"]
    assert set(named) - {"self", "url"} | set(options.__annotations__) == REQUEST
    assert not set(named) & set(options.__annotations__)


def test_the_declared_parameters_of_request_on_requests_are_the_real_ones() -> None:
    tree = ast.parse(inspect.getsource(typed_methods))
    declared = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "request")
    assert [one.arg for one in declared.args.args] == list(inspect.signature(requests.Session.request).parameters)
    assert [one.arg for one in declared.args.kwonlyargs] == ["withhold_token"]
    assert declared.args.kwarg is None


@each_client
def test_a_revocation_returns_the_librarys_response_and_says_so(client: Any, declared: Any) -> None:
    on_requests = client in (OAuth2Session, AssertionSession)
    library = "requests" if on_requests else native_of(client).__module__.partition(".")[0]
    assert inspect.signature(client.revoke_token).return_annotation == f"{library}.Response"


def test_a_revocation_returns_the_librarys_response(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client(token={"access_token": "at"}, revocation_endpoint=hostile.url("/revoke"))
    assert isinstance(client.revoke_token(), adapter.kind.library.Response)
