"""The project of these tests itself: what an earlier test has left is not in it."""

import asyncio
import contextvars
from pathlib import Path

from tests.support.django_login_project import site
from tests.support.django_project import project


def test_a_task_has_the_database_of_its_project_whatever_its_context_holds(database_path: Path) -> None:
    async def vendor() -> str:
        from django.db import connections

        return connections["default"].vendor

    context = contextvars.copy_context()
    with asyncio.Runner() as runner:
        with project():
            assert runner.run(vendor(), context=context) == "unknown"
        with site(database_path):
            assert runner.run(vendor(), context=context) == "sqlite"
        assert runner.run(vendor(), context=context) == "unknown"
