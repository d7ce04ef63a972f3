"""SQLAlchemy's asynchronous half needs greenlet, which a program that blocks need not have."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys

sys.modules["greenlet"] = sys.modules["sqlalchemy.ext.asyncio"] = None  # cannot be imported

from doorkey.errors import UsageError
from doorkey.stores import AsyncSQLStore, SQLStore

store = SQLStore("sqlite:///" + sys.argv[1])
store.create_table()
assert store.commit("key", b"data", expected=0) == 1
assert store.load("key").data == b"data"
store.close()
for given in ("sqlite+aiosqlite:///" + sys.argv[1], object()):
    try:
        AsyncSQLStore(given)
    except UsageError as error:
        print(error)
"""


def test_a_store_that_blocks_needs_no_greenlet_and_one_that_awaits_says_that_it_does(tmp_path: Path) -> None:
    program = [sys.executable, "-W", "ignore", "-c", PROGRAM, str(tmp_path / "tokens.db")]
    told = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("needs greenlet") == 2
