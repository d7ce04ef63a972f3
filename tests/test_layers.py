"""Who may import whom, read from the imports themselves: a layer imports only downward (docs/architecture.md).

An import inside a function counts like any other; one for type checkers alone is no import of a library.
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"

LAYERS: list[tuple[str, ...]] = [
    ("doorkey.errors",),
    ("doorkey.arguments", "doorkey.values"),
    ("doorkey.tokens",),
    ("doorkey.wire",),
    ("doorkey.pages",),
    ("doorkey.runtime",),
    ("doorkey.jose",),
    ("doorkey.oidc", "doorkey.common", "doorkey.observe"),
    ("doorkey.protocol",),
    ("doorkey.renewal",),
    ("doorkey.transport",),
    ("doorkey.credentials", "doorkey.discovery"),
    ("doorkey.sources", "doorkey.registration"),
    ("doorkey.sessions",),
    ("doorkey.resource",),
    ("doorkey.oauth2",),
    ("doorkey.auth",),
    ("doorkey.integrations", "doorkey.client"),
    ("doorkey.stores",),
    ("doorkey.vault",),
    ("doorkey.server",),
    ("doorkey.dev",),
    ("doorkey.login",),
    ("doorkey.native",),
    (
        "doorkey.integrations.flask_client",
        "doorkey.integrations.django_client",
        "doorkey.integrations.starlette_client",
    ),
    ("doorkey.login.web",),
    ("doorkey.login.django",),
    ("doorkey.testing",),
    ("doorkey.cli", "doorkey.__main__"),
    ("doorkey",),
]
"""From the bottom up; a module belongs to the longest name that it begins with.

A sub-folder may have a row of its own, as the import paths of `integrations/` that use `login/` need: it is above both.
"""

LIBRARIES: dict[str, tuple[str, ...]] = {
    "joserfc": ("doorkey.jose",),
    "cryptography": (
        "doorkey.jose",
        "doorkey.cli.doctor.running",
        "doorkey.dev.certificates",
        "doorkey.stores.encryption",
    ),
    "requests": ("doorkey.integrations.requests_client", "doorkey.transport"),
    "urllib3": ("doorkey.transport", "doorkey.integrations.requests_client"),
    "httpx": (),  # chosen by name at run time, in doorkey.transport.httpx_or_httpx2 alone
    "httpx2": (),
    "aiohttp": (
        *("doorkey.integrations.aiohttp_client", "doorkey.auth.on_aiohttp"),
        *("doorkey.transport.on_aiohttp", "doorkey.transport.headers_on_aiohttp"),
    ),
    "anyio": (
        *("doorkey.runtime", "doorkey.renewal", "doorkey.transport", "doorkey.sources"),
        *("doorkey.vault", "doorkey.stores", "doorkey.integrations", "doorkey.resource", "doorkey.login.web.required"),
        *("doorkey.native", "doorkey.login.web.on_starlette_proxy"),
    ),
    "starlette": (
        *("doorkey.dev", "doorkey.resource.on_starlette", "doorkey.resource.on_fastapi", "doorkey.login.web"),
        "doorkey.integrations.starlette_client",
    ),
    "fastapi": ("doorkey.resource.on_fastapi", "doorkey.login.web.on_fastapi"),
    "flask": (
        *("doorkey.resource.on_flask", "doorkey.resource.flask_request", "doorkey.login.web.on_flask"),
        *("doorkey.integrations.flask_oauth2", "doorkey.integrations.flask_client"),
    ),
    "werkzeug": (
        *("doorkey.resource.flask_request", "doorkey.login.web.on_flask"),
        *("doorkey.integrations.flask_oauth2", "doorkey.integrations.flask_client"),
    ),
    "blinker": ("doorkey.integrations.flask_oauth2", "doorkey.integrations.flask_client"),
    "django": (
        "doorkey.resource.on_django",
        "doorkey.integrations.django_oauth2",
        "doorkey.integrations.django_client",
        "doorkey.login.django",
    ),
    "asgiref": ("doorkey.resource.on_django", "doorkey.integrations.django_oauth2", "doorkey.login.django"),
    "rest_framework": ("doorkey.resource.on_rest_framework",),
    "uvicorn": ("doorkey.dev",),
    "pytest": ("doorkey.testing.plugin",),
    "h11": ("doorkey.dev",),
    "redis": ("doorkey.stores.redis",),
    "segno": ("doorkey.native.by_device",),
    "sqlalchemy": ("doorkey.stores.sql",),
    "opentelemetry": ("doorkey.observe.telemetry",),
    "click": ("doorkey.cli",),
    "rich": ("doorkey.cli",),
    "keyring": ("doorkey.cli",),
}
"""Which library is imported where, and nowhere else."""

PURE_MODULES = (
    "doorkey.wire",
    "doorkey.pages",
    "doorkey.protocol",
    *(f"doorkey.native.{name}" for name in ("http_request", "callbacks", "methods", "pasted")),
    *(
        f"doorkey.renewal.{name}"
        for name in ("slot", "state", "attempts", "backoff", "dead_grant", "next_token", "api_rejections")
    ),
)
"""Modules that do no I/O: no HTTP, no threads, no event loop, no clock, no environment."""

PURE = {
    *("__future__", "base64", "collections", "contextlib", "dataclasses", "datetime", "email", "enum", "functools"),
    *(
        "hashlib",
        "hmac",
        "html",
        "inspect",
        "ipaddress",
        "json",
        "math",
        "re",
        "secrets",
        "types",
        "typing",
        "urllib.parse",
    ),
    *("copy", "warnings", "zlib"),
}
"""What a pure module may import of the standard library."""


class Imported(NamedTuple):
    by: str
    name: str
    line: int
    for_checkers: bool

    def __str__(self) -> str:
        return f"{self.by}:{self.line} imports {self.name}"


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")


FILES = {module_of(path): path for path in sorted(SRC.rglob("*.py"))}


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


def imports_of(module: str) -> Iterator[Imported]:
    nodes = list(ast.walk(tree_of(module)))
    guarded = {
        id(node)
        for block in nodes
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in nodes:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            submodules = [f"{origin}.{alias.name}" for alias in node.names]
            names = [name if name in FILES else origin for name in submodules]
        for name in names:
            yield Imported(module, name, getattr(node, "lineno", 0), id(node) in guarded)


@cache  # read by the first test: every worker of a run imports this module, and most of them run no test of it
def imports() -> list[Imported]:
    return [imported for module in FILES for imported in imports_of(module)]


def ours() -> list[Imported]:
    """The imports of the project's own modules."""
    return [imported for imported in imports() if imported.name.partition(".")[0] == "doorkey"]


def others() -> list[Imported]:
    """The imports of libraries, without those for type checkers alone."""
    return [i for i in imports() if i.name.partition(".")[0] != "doorkey" and not i.for_checkers]


def begins_with(module: str, name: str) -> bool:
    return module == name or module.startswith(name + ".")


def layer_of(module: str) -> int:
    names = [(len(name), rank) for rank, layer in enumerate(LAYERS) for name in layer if begins_with(module, name)]
    return max(names)[1]


def test_every_layer_is_there() -> None:
    names = {name for layer in LAYERS for name in layer}
    assert {name for name in names if name not in FILES and not any(begins_with(m, name) for m in FILES)} == set()
    assert [module for module in FILES if layer_of(module) == len(LAYERS) - 1] == ["doorkey"]


def folder_of(module: str) -> str:
    """The folder of a module, or the part of a folder that has a row of its own."""
    rows = [name for layer in LAYERS for name in layer if name != "doorkey" and begins_with(module, name)]
    return max(rows, key=len, default=".".join(module.split(".")[:2]))


def names_its_part(imported: Imported) -> bool:
    """Whether a package tells type checkers of a name that is in a part of it, which it imports on first use."""
    return imported.for_checkers and begins_with(imported.name, imported.by)


def cycle_in(graph: dict[str, set[str]]) -> list[str]:
    """Return the names along a cycle of `graph`, or nothing."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for target in sorted(graph.get(name, ())):
            if found := visit(target, [*path, name]):
                return found
        done.add(name)
        return []

    for name in sorted(graph):
        if found := visit(name, []):
            return found
    return []


def test_integrations_has_folders_only() -> None:
    loose = [name for name in FILES if name.count(".") == 2 and begins_with(name, "doorkey.integrations")]
    assert [name for name in loose if FILES[name].name != "__init__.py"] == []


def test_the_root_has_the_vocabulary_and_entry_points_only() -> None:
    loose = {name.removeprefix("doorkey.") for name in FILES if name.count(".") == 1}
    vocabulary = {"errors", "values", "tokens", "arguments"}
    entry_points = {"__main__", "client", "credentials", "discovery", "registration"}
    assert {name for name in loose if FILES[f"doorkey.{name}"].name != "__init__.py"} == vocabulary | entry_points


def test_every_folder_has_one_row() -> None:
    rows = [name for layer in LAYERS for name in layer]
    assert sorted(rows) == sorted({folder_of(module) for module in FILES})


def test_folders_import_each_other_without_cycles() -> None:
    graph: dict[str, set[str]] = {}
    for imported in ours():
        by, of = folder_of(imported.by), folder_of(imported.name)
        if by != of and not names_its_part(imported):
            graph.setdefault(by, set()).add(of)
    assert cycle_in(graph) == []


def test_modules_import_each_other_without_cycles() -> None:
    graph: dict[str, set[str]] = {}
    for imported in ours():
        if not imported.for_checkers and not imported.by.startswith(imported.name + "."):
            graph.setdefault(imported.by, set()).add(imported.name)
    assert cycle_in(graph) == []


def test_a_layer_imports_only_downward() -> None:
    upward = [imported for imported in ours() if layer_of(imported.name) > layer_of(imported.by)]
    assert [str(imported) for imported in upward if not names_its_part(imported)] == []


def test_every_imported_name_of_the_project_exists() -> None:
    assert [str(imported) for imported in ours() if imported.name not in FILES] == []


def test_pure_modules_import_nothing_that_does_io_or_tells_the_time() -> None:
    def pure(name: str) -> bool:
        return any(begins_with(name, allowed) for allowed in PURE)

    impure = [str(i) for i in others() if any(begins_with(i.by, name) for name in PURE_MODULES) and not pure(i.name)]
    assert impure == []


def test_the_protocol_signs_reads_keys_and_judges_claims_through_jose_and_uses_nothing_else() -> None:
    used = {i.name for i in ours() if begins_with(i.by, "doorkey.protocol") and begins_with(i.name, "doorkey.jose")}
    assert used == {"doorkey.jose.signers", "doorkey.jose.keys", "doorkey.jose.claim_rules"}


def test_errors_and_values_stand_on_the_standard_library() -> None:
    assert [str(i) for i in ours() if i.by == "doorkey.errors"] == []
    assert {i.name for i in ours() if i.by == "doorkey.values"} == {"doorkey.errors"}


def test_each_library_is_imported_where_it_belongs_and_nowhere_else() -> None:
    def allowed(imported: Imported) -> bool:
        package = imported.name.partition(".")[0]
        if package in sys.stdlib_module_names:
            return True
        return any(imported.by.startswith(place) for place in LIBRARIES.get(package, ()))

    assert [str(imported) for imported in others() if not allowed(imported)] == []


def test_the_package_root_imports_nothing_at_import() -> None:
    body = tree_of("doorkey").body
    eager = [
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert eager == ["typing"]


@pytest.mark.parametrize("module", FILES)
def test_a_module_says_what_it_is_for(module: str) -> None:
    docstring = ast.get_docstring(tree_of(module))
    assert docstring, f"{module} has no docstring"
    assert docstring.splitlines()[0].strip()


def test_files_are_short() -> None:
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in FILES.items()}
    assert {module: length for module, length in lengths.items() if length > 400} == {}
    assert median(lengths.values()) < 150
