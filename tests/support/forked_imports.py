"""What the processes of tests/support/forked.py need until their first answer, imported before the fork."""

import importlib

for name in (
    *("tests.stores.workers", "tests.vault.worker"),
    *("anyio._backends._asyncio", "anyio._backends._trio", "doorkey.observe.telemetry", "httpcore2", "redis.asyncio"),
    *("doorkey.stores.redis", "doorkey.stores.sql", "sqlalchemy.ext.asyncio", "asyncmy", "psycopg", "pymysql"),
    *(f"sqlalchemy.dialects.{name}" for name in ("postgresql.psycopg", "mysql.pymysql", "mysql.asyncmy")),
):
    importlib.import_module(name)
