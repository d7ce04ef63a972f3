"""An event loop that ends while an asynchronous `SQLStore` commits a token: the commit is finished."""

import asyncio

from doorkey.runtime.unattended import UnattendedTask
from doorkey.stores.sql_engine import Bounded


def test_a_commit_of_a_renewal_is_finished_when_its_loop_ends() -> None:
    committed = list[str]()

    async def main() -> None:
        begun, answer = asyncio.Event(), asyncio.Event()

        async def commit() -> None:
            begun.set()
            await answer.wait()
            committed.append("rt-2")

        bounded = Bounded("postgresql+asyncpg://db.example/tokens", 60.0)
        renewal = UnattendedTask(bounded.arun(commit), is_at_risk=True)
        await begun.wait()
        asyncio.get_running_loop().call_soon(answer.set)
        assert not renewal.done()

    asyncio.run(main())
    assert committed == ["rt-2"]
