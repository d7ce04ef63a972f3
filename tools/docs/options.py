"""The option tables: all parameters of the classes that programs construct, with type, default and meaning."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from doorkey.protocol.metadata import ServerMetadata
from doorkey.sessions.attributes import Option
from tools.docs.docstrings import described, prose, table
from tools.docs.names import home_of, link_of, modules, names_of, notes, summary
from tools.docs.signatures import default_of

PAGE = "reference/options.md"
TITLE = "Options of every class"
REFERRED = re.compile(r"`((?:doorkey\.)?[\w.]*[A-Z]\w+)`")
GROUPS: dict[str, tuple[str, ...]] = {
    "Sessions": (
        *("OAuth2Session", "OAuth2Client", "AsyncOAuth2Client"),
        *("AssertionSession", "AssertionClient", "AsyncAssertionClient", "TenantIssuer"),
    ),
    "Client authentication": ("ClientSecretJWT", "PrivateKeyJWT"),
    "Credentials": (
        *("ClientCredentials", "ResourceOwnerCredentials", "RefreshToken", "JWTBearer", "TokenExchange"),
        "DeviceGrant",
    ),
    "Sources and auth objects": (
        *("TokenSource", "AsyncTokenSource", "OAuth2Auth", "KeySource", "AsyncKeySource", "Issuer"),
    ),
    "Transports": (
        *("OAuthAuthorityClient", "AsyncOAuthAuthorityClient"),
        *("AuthenticatingTransportFactory", "AsyncAuthenticatingTransportFactory"),
    ),
    "Exchanges": ("ExchangePolicy",),
    "Vault and stores": (
        *("TokenVault", "AsyncTokenVault", "Sealer", "MemoryStore", "SQLiteStore", "RedisStore", "SQLStore"),
        *("AsyncMemoryStore", "AsyncSQLiteStore", "AsyncRedisStore", "AsyncSQLStore"),
    ),
    "Logins": (
        *("Login", "LoginProvider", "ApiProxy", "LoginClient", "AsyncLoginClient", "OAuth", "Preset"),
        "AppleClientSecret",
    ),
    "Logins from a terminal, and registration": (
        *("login", "login_in_browser", "login_by_device", "login_by_pasting", "register_client"),
    ),
    "Protecting an API": (
        *("AccessTokenVerifier", "AsyncAccessTokenVerifier", "IntrospectionClient", "TrustedIssuer", "TokenProfile"),
        *("FastAPIGuard", "StarletteGuard", "FlaskGuard", "DjangoGuard", "RestFrameworkGuard"),
        *("ASGIGuard", "WSGIGuard", "ProtectedResource", "ResourceProtector"),
        *("BearerTokenValidator", "JWTBearerTokenValidator", "IntrospectTokenValidator"),
    ),
    "The embedded provider": (
        *("Provider", "Settings", "client", "Client", "user", "Config", "Limits", "LocalIssuer", "RemoteProvider"),
    ),
}
"""The constructors, by subject. A name that no public module has is ignored."""
SETTINGS = {
    "RequestsSettings": "`requests.Session`",
    "ClientSettings": "client of httpx2 or httpx",
    "BaseURLSetting": "client of httpx2 or httpx",
    "HTTPSettings": "client of requests, httpx2 or httpx",
}
"""The HTTP library of each type of settings."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a constructor."""

    name: str
    annotation: str
    default: str
    meaning: str


def page() -> str:
    """Return the page of all option tables."""
    parts = [
        f"# {TITLE}\n",
        "Each table has the parameters of a constructor, generated from the code. Links lead to the class.\n",
    ]
    for group, names in GROUPS.items():
        parts.append(f"## {group}\n")
        for name in names:
            parts += [section(name, value) for value in distinct(name)]
    return "\n".join(parts)


def constructors(name: str) -> Iterator[Any]:
    """Yield each public class or function of this name."""
    seen: set[int] = set()
    for module in modules().values():
        value = getattr(module, name, None) if name in names_of(module) else None
        if value is not None and id(value) not in seen:
            seen.add(id(value))
            yield value


def distinct(name: str) -> list[Any]:
    """Return the constructors of this name, only one of those with the same parameters."""
    by_options = {tuple(options(value)): value for value in reversed([*constructors(name)])}
    return [value for found, value in reversed(by_options.items()) if found]


def section(name: str, value: Any) -> str:
    """Return the heading and the table of one constructor."""
    home = home_of(value)
    rows: list[tuple[str, ...]] = [
        (_name_and_type(one), one.default or "required", prose(one.meaning, _link)) for one in options(value)
    ]
    intro = prose(summary(value), _link)
    target = _link(home)
    path = f"[`{home}`]({target})" if target else f"`{home}`"
    heading = f"### `{name}` {{ #{home} }}\n"
    return "\n".join([heading, f"{path}: {intro}\n", table(("option", "default", "meaning"), rows)])


def _name_and_type(option: Parameter) -> str:
    return f"`{option.name}`" + (f"<br><small>`{option.annotation}`</small>" if option.annotation else "")


def _link(name: str) -> str | None:
    return link_of(name)


def options(value: Any) -> list[Parameter]:
    """Return the parameters of a constructor, including those of `**options`, in the order of the signature."""
    docs = docstrings(value)
    found: list[Parameter] = []
    for name, parameter in inspect.signature(value).parameters.items():
        annotation = "" if parameter.annotation is parameter.empty else str(parameter.annotation).strip("'")
        if unpacked := re.fullmatch(r"Unpack\[(\w+)(?:\[.*\])?\]", annotation):
            known = {option.name for option in found}
            found += [option for option in _unpacked(value, unpacked[1], docs) if option.name not in known]
            continue
        stars = {"VAR_KEYWORD": "**", "VAR_POSITIONAL": "*"}.get(parameter.kind.name, "")
        meaning = _field_note(value, name) or described(name, docs)
        found.append(Parameter(stars + name, annotation, default_of(parameter), meaning))
    return found


def docstrings(value: Any) -> list[str]:
    """Return the docstrings of a constructor, its bases, the classes that they name, and their modules."""
    own = [*_own_docs(value)]
    named = [name for doc in own[:4] for name in REFERRED.findall(doc)]
    targets = [found for name in named if (found := _class_called(name)) is not None]
    places = [inspect.getdoc(sys.modules[one.__module__]) or "" for one in _ours(value)]
    return [*own, *(doc for target in targets for doc in _own_docs(target)), *places]


def _ours(value: Any) -> list[Any]:
    return [one for one in getattr(value, "__mro__", (value,)) if one.__module__.startswith("doorkey")]


def _own_docs(value: Any) -> Iterator[str]:
    for one in _ours(value):
        yield inspect.cleandoc(one.__doc__ or "")
        if inspect.isfunction(constructor := vars(one).get("__init__") if inspect.isclass(one) else None):
            yield inspect.cleandoc(constructor.__doc__ or "")


def _class_called(name: str) -> Any:
    module, _, last = name.rpartition(".")
    if module in modules():
        return getattr(modules()[module], last, None)
    return next(constructors(name), None) if not module else None


def _field_note(value: Any, name: str) -> str:
    for base in _ours(value):
        member = vars(base).get(name) if inspect.isclass(base) else None
        if isinstance(member, Option):
            return str(member.__doc__)
        if text := notes(base.__module__).get(f"{base.__name__}.{name}"):
            return text
    return ""


def _unpacked(value: Any, typed_dict: str, docs: list[str]) -> Iterator[Parameter]:
    kind = _typed_dict(value, typed_dict)
    named = [doc for one in _referred(kind) for doc in _own_docs(one)]
    for name, annotation in kind.__annotations__.items():
        text = getattr(annotation, "__forward_arg__", str(annotation))
        meaning = _field_note(value, name) or described(name, [*docs, *named])
        yield Parameter(name, text, "", meaning or _field_note(ServerMetadata, name) or _setting(value, name))


def _referred(kind: Any) -> list[Any]:
    return [one for name in REFERRED.findall(inspect.getdoc(kind) or "") if (one := _class_called(name)) is not None]


def _setting(value: Any, name: str) -> str:
    """Return a sentence that names the HTTP library whose documentation describes the option, or an empty text."""
    for places in _option_modules(value):
        for found, kind in vars(places).items():
            if found in SETTINGS and name in getattr(kind, "__annotations__", ()):
                library = SETTINGS[found]
                return f"The setting of the {library} with this name."
    return ""


def _option_modules(value: Any) -> Iterator[ModuleType]:
    """Yield the modules that may contain the types of a constructor's options, the nearest first."""
    package = value.__module__
    while package:
        for place in ("option_types", "options"):
            with suppress(ModuleNotFoundError):
                yield importlib.import_module(f"{package}.{place}")
        package = package.rpartition(".")[0]
    yield importlib.import_module("doorkey.auth.options")


def _typed_dict(value: Any, name: str) -> Any:
    """Return the dictionary type of `**options`, which the module of the class imports only for type checkers."""
    return next(getattr(module, name) for module in _option_modules(value) if hasattr(module, name))
