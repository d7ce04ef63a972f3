"""SECURITY.md, "Secrets and stores": each requirement that is the stores', by its words."""

import copy
import logging
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from doorkey.errors import OAuthError, StoreError, UsageError
from doorkey.stores import Lease, MemoryStore, Record, Sealer, SQLiteStore, SQLStore, Store
from doorkey.stores.envelope import pack
from doorkey.stores.redis_commands import RedisCommands
from doorkey.stores.sql_statements import SQLStatements
from doorkey.tokens import OAuthToken
from doorkey.values import Secret

SECRET = "-".join(["s3cret", "refresh", "token"])  # no literal: tracebacks show source lines
DATA = pack(OAuthToken(Secret("access"), refresh_token=Secret(SECRET)))


def _holders() -> list[Any]:
    memory = MemoryStore()
    memory.commit("key", DATA, expected=0)
    redis = next(RedisCommands("x").commit("key", DATA, 0))
    sql = next(SQLStatements("t").commit("key", DATA, 1))
    return [Record(1, DATA), Lease("key", SECRET), memory, Sealer({"k": SECRET[:16].encode() * 2}, "k"), redis, sql]


@pytest.mark.parametrize("holder", _holders(), ids=lambda holder: type(holder).__name__)
def test_no_secret_in_repr_or_str(holder: object) -> None:
    for show in (repr, str, "{}".format, "{0!r:>200}".format):
        assert SECRET not in show(holder)
        assert SECRET[:16] not in show(holder)


@pytest.mark.parametrize("holder", [_holders()[0], _holders()[3]], ids=["Record", "Sealer"])
def test_no_secret_in_pickles_or_by_accidental_copies(holder: object) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(UsageError):
            pickle.dumps(holder, protocol)
    with pytest.raises(UsageError):
        copy.deepcopy(holder)


def test_no_secret_in_exceptions_tracebacks_or_logs_at_any_level(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with closing(SQLiteStore(tmp_path / "tokens.db")) as store, closing(SQLStore("sqlite://")) as without_table:
        store.commit("key", DATA, expected=0)
        calls: tuple[Callable[[], object], ...] = (
            lambda: store.commit("key", DATA, expected=-1),
            lambda: store.commit(SECRET * 100, DATA, expected=0),
            lambda: store.commit("key", SECRET, expected=0),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            lambda: without_table.commit("key", DATA, expected=1),
        )
        for call in calls:
            with pytest.raises(OAuthError) as caught:
                call()
            told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
            assert SECRET not in told
    assert SECRET not in caplog.text


def test_an_engine_that_is_given_does_not_show_secrets_in_what_was_the_cause(tmp_path: Path) -> None:
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(StoreError) as caught:
        SQLStore(engine).commit("key", DATA, expected=1)
    cause: Any = caught.value.__cause__
    assert SECRET not in f"{cause!r} {cause} {vars(cause)}"
    engine.dispose()


def test_lease_owners_and_nonces_are_random_and_never_repeat() -> None:
    store, sealer = MemoryStore(), Sealer({"k": bytes(32)}, "k")
    leases = [store.try_lease(f"key-{number}", 1) for number in range(2000)]
    owners = {lease.owner for lease in leases if lease}
    assert len(owners) == 2000
    assert {len(owner) for owner in owners} == {22}  # 128 bits
    head = len(sealer.seal("key", b"")) - 12 - 16
    nonces = {sealer.seal("key", b"")[head : head + 12] for _ in range(2000)}
    assert len(nonces) == 2000


def test_nothing_is_shared_between_stores_tenants_or_users(tmp_path: Path) -> None:
    pairs: list[tuple[Store, Store]] = [
        (MemoryStore(), MemoryStore()),
        (SQLiteStore(tmp_path / "a.db"), SQLiteStore(tmp_path / "b.db")),
    ]
    for one, other in pairs:
        one.commit("key", DATA, expected=0)
        assert one.try_lease("key", 60)
        assert other.load("key") is None
        assert other.try_lease("key", 60)
        one.close()
        other.close()


def test_two_tables_of_one_database_share_nothing(tmp_path: Path) -> None:
    one, other = (SQLStore(f"sqlite:///{tmp_path}/x.db", table=table) for table in ("one", "other"))
    for store in (one, other):
        store.create_table()
    one.commit("key", DATA, expected=0)
    assert one.try_lease("key", 60)
    assert other.load("key") is None
    assert other.try_lease("key", 60)
    for store in (one, other):
        store.close()


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_stores_imports_no_database_library_and_no_cryptography() -> None:
    told = python(
        "import sys, doorkey.stores as s; s.MemoryStore, s.SQLiteStore\n"
        "print([m for m in ('redis', 'sqlalchemy', 'anyio', 'cryptography', 'asyncio') if m in sys.modules])"
    )
    assert told == "[]"


@pytest.mark.parametrize(
    ("module", "name", "extra"),
    [
        ("redis", "RedisStore", "doorkey[redis]"),
        ("redis", "AsyncRedisStore", "doorkey[redis]"),
        ("sqlalchemy", "SQLStore", "doorkey[sql]"),
        ("sqlalchemy", "AsyncSQLStore", "doorkey[sql]"),
    ],
)
def test_a_store_whose_library_is_not_installed_says_what_to_install(module: str, name: str, extra: str) -> None:
    told = python(
        f"import sys; sys.modules[{module!r}] = None\n"
        "import doorkey.stores, doorkey.errors\n"
        "try:\n"
        f"    doorkey.stores.{name}\n"
        "except doorkey.errors.UsageError as error:\n"
        "    print(error)"
    )
    assert extra in told


def test_names_that_the_stores_do_not_have_are_attribute_errors() -> None:
    import doorkey.stores

    with pytest.raises(AttributeError):
        getattr(doorkey.stores, "NoStore")  # noqa: B009
    assert all(getattr(doorkey.stores, name) for name in doorkey.stores.__all__)
