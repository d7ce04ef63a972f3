"""Who may import whom, read from the imports themselves: a layer imports only downward (docs/architecture.md).

An import inside a function counts like any other; one for type checkers alone is no import of a library.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"

LAYERS: list[tuple[str, ...]] = [
    ("doorkey.clock", "doorkey.errors", "doorkey.lazy"),
    ("doorkey.arguments",),
    ("doorkey.values",),
    ("doorkey.tokens",),
    ("doorkey.protocol.strict_json",),
    ("doorkey.jose",),
    ("doorkey.protocol",),
    ("doorkey.oidc",),
    (
        *(
            "doorkey.ahead",
            "doorkey.common",
            "doorkey.forks",
            "doorkey.gate",
            "doorkey.inside",
            "doorkey.shield",
            "doorkey.deadline",
        ),
        *("doorkey.bounded", "doorkey.observe"),
    ),
    ("doorkey.single_flight", "doorkey.turns", "doorkey.stores"),
    ("doorkey.credentials", "doorkey.authorization_server", "doorkey.token_requests", "doorkey.source_core"),
    ("doorkey.oauth2",),
    (  # one exchange on each HTTP library, and who picks the library
        *(
            f"doorkey.integrations.{name}"
            for name in ("_httpx", "auth_values", "causes", "resolution", "senders", "owned", "trust")
        ),
        *(f"doorkey.integrations.{name}_client.exchange" for name in ("httpx", "requests")),
        *(f"doorkey.integrations.{name}_client.pinned" for name in ("httpx", "requests")),
        "doorkey.integrations.requests_client.carrier",
    ),
    ("doorkey.sources", "doorkey.discovery"),
    ("doorkey.integrations.bearer", "doorkey.integrations.faces"),
    ("doorkey.integrations",),
    ("doorkey.auth", "doorkey.client"),
    ("doorkey.vault",),
    ("doorkey.server",),
    ("doorkey.dev",),
    ("doorkey",),
]
"""From the bottom up; a module belongs to the longest name that it begins with."""

LIBRARIES: dict[str, tuple[str, ...]] = {
    "joserfc": ("doorkey.jose",),
    "cryptography": ("doorkey.jose", "doorkey.stores.encryption"),
    "requests": ("doorkey.integrations.requests_client", "doorkey.integrations.owned"),
    "urllib3": ("doorkey.integrations.requests_client",),
    "httpx": (),  # chosen by name at run time, in doorkey.integrations._httpx alone
    "httpx2": (),
    "aiohttp": ("doorkey.integrations.aiohttp_client", "doorkey.integrations.faces.aiohttp"),
    "anyio": (
        *(
            "doorkey.ahead",
            "doorkey.single_flight",
            "doorkey.turns",
            "doorkey.sources",
            "doorkey.vault",
            "doorkey.stores",
        ),
        "doorkey.integrations",
    ),
    "starlette": ("doorkey.dev",),
    "uvicorn": ("doorkey.dev",),
    "redis": ("doorkey.stores.redis",),
    "sqlalchemy": ("doorkey.stores.sql",),
    "opentelemetry": ("doorkey.observe.telemetry",),
}
"""Which library is imported where, and nowhere else."""

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
    *("copy", "zlib"),
}
"""What protocol/ may import of the standard library: no HTTP, no threads, no event loop, no clock, no environment."""


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


def imports_of(module: str) -> Iterator[Imported]:
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    guarded = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            submodules = [f"{origin}.{alias.name}" for alias in node.names]
            names = [name if name in FILES else origin for name in submodules]
        for name in names:
            yield Imported(module, name, getattr(node, "lineno", 0), id(node) in guarded)


IMPORTS = [imported for module in FILES for imported in imports_of(module)]
OURS = [imported for imported in IMPORTS if imported.name.partition(".")[0] == "doorkey"]
OTHERS = [imported for imported in IMPORTS if imported not in OURS and not imported.for_checkers]


def begins_with(module: str, name: str) -> bool:
    return module == name or module.startswith(name + ".")


def layer_of(module: str) -> int:
    names = [(len(name), rank) for rank, layer in enumerate(LAYERS) for name in layer if begins_with(module, name)]
    return max(names)[1]


def test_every_layer_is_there() -> None:
    names = {name for layer in LAYERS for name in layer}
    assert {name for name in names if name not in FILES and not any(begins_with(m, name) for m in FILES)} == set()
    assert [module for module in FILES if layer_of(module) == len(LAYERS) - 1] == ["doorkey"]


def test_a_layer_imports_only_downward() -> None:
    upward = [str(imported) for imported in OURS if layer_of(imported.name) > layer_of(imported.by)]
    assert upward == []


def test_what_is_imported_of_ours_is_there() -> None:
    assert [str(imported) for imported in OURS if imported.name not in FILES] == []


def test_the_protocol_imports_nothing_that_reads_writes_waits_or_tells_the_time() -> None:
    def pure(name: str) -> bool:
        return any(begins_with(name, allowed) for allowed in PURE)

    impure = [str(i) for i in OTHERS if begins_with(i.by, "doorkey.protocol") and not pure(i.name)]
    assert impure == []


def test_the_protocol_signs_through_jose_and_uses_nothing_else_of_it() -> None:
    used = {i.name for i in OURS if begins_with(i.by, "doorkey.protocol") and begins_with(i.name, "doorkey.jose")}
    assert used == {"doorkey.jose.signing"}


def test_errors_and_values_stand_on_the_standard_library() -> None:
    assert [str(i) for i in OURS if i.by == "doorkey.errors"] == []
    assert {i.name for i in OURS if i.by == "doorkey.values"} == {"doorkey.errors"}


def test_each_library_is_imported_where_it_belongs_and_nowhere_else() -> None:
    def allowed(imported: Imported) -> bool:
        package = imported.name.partition(".")[0]
        if package in sys.stdlib_module_names:
            return True
        return any(imported.by.startswith(place) for place in LIBRARIES.get(package, ()))

    assert [str(imported) for imported in OTHERS if not allowed(imported)] == []


def test_the_front_door_imports_nothing_when_it_is_opened() -> None:
    body = ast.parse(FILES["doorkey"].read_text(encoding="utf-8")).body
    eager = [
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert eager == ["typing"]


@pytest.mark.parametrize("module", FILES)
def test_a_module_says_what_it_is_for(module: str) -> None:
    docstring = ast.get_docstring(ast.parse(FILES[module].read_text(encoding="utf-8")))
    assert docstring, f"{module} has no docstring"
    assert docstring.splitlines()[0].strip()


def test_files_are_short() -> None:
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in FILES.items()}
    assert {module: length for module, length in lengths.items() if length > 400} == {}
    assert median(lengths.values()) < 150
