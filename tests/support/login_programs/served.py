"""The programs under a web server: `tests.support.login_programs.served:flask`, `…:starlette`, `…:django`.

`DOORKEY_TEST_PROGRAM` has the arguments of `Program` as JSON. The workers share tokens, and pending logins, in Redis.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack
from importlib import import_module
from typing import Any, Final

import redis
import redis.asyncio

from tests.support.login_programs.programs import Program, settings

PROGRAM: Final = "DOORKEY_TEST_PROGRAM"
REDIS: Final = "DOORKEY_TEST_REDIS"
SETTINGS: Final = ExitStack()
"""The settings of the framework, for as long as the process lives."""


class Tokens(MutableMapping[str, Any]):
    """The tokens of all users, in Redis."""

    def __init__(self, url: str) -> None:
        self._redis: Any = redis.Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType]

    def __getitem__(self, key: str) -> Any:
        found = self._redis.get(f"token:{key}")
        if found is None:
            raise KeyError(key)
        return json.loads(found)

    def __setitem__(self, key: str, value: Any) -> None:
        self._redis.set(f"token:{key}", json.dumps(value))

    def __delitem__(self, key: str) -> None:
        self._redis.delete(f"token:{key}")

    def __iter__(self) -> Iterator[str]:
        return (key.decode().partition(":")[2] for key in self._redis.scan_iter("token:*"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Cache:
    """The cache of `OAuth(cache=…)`, in Redis; the client may be an asynchronous one."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def get(self, key: str) -> Any:
        return self._client.get(key)

    def set(self, key: str, value: Any, expires: int) -> Any:
        return self._client.set(key, value, ex=expires)

    def delete(self, key: str) -> Any:
        return self._client.delete(key)


def program(framework: str) -> Program:
    """Return the program that the environment describes."""
    url, kind = os.environ[REDIS], redis.asyncio.Redis if framework == "starlette" else redis.Redis
    client: Any = kind.from_url(url)  # pyright: ignore[reportUnknownMemberType]
    return Program(**json.loads(os.environ[PROGRAM]), tokens=Tokens(url), cache=Cache(client))


def _application(framework: str) -> Any:
    module = import_module(f"tests.support.login_programs.{framework}_program")
    SETTINGS.enter_context(settings(framework))
    return module.application(program(framework))


def __getattr__(name: str) -> Any:
    if name not in ("flask", "starlette", "django"):
        raise AttributeError(name)
    return _application(name)
