"""The number of our own calls on the path of an expired token: `bench/calls.py` counts them."""

import re
import subprocess
import sys
from pathlib import Path

MOST = {"session": 242, "vault": 422}
"""Before the folders were rearranged (commit 56cb00d), they were 246 and 423."""

COUNTING = Path(__file__).parent.parent / "bench" / "calls.py"


def test_a_renewal_makes_fewer_calls_than_it_used_to() -> None:
    counted = subprocess.run([sys.executable, str(COUNTING)], capture_output=True, text=True, check=True).stdout
    calls = {name: int(number) for name, number in re.findall(r"^(\w+): (\d+) calls", counted, re.MULTILINE)}
    assert calls.keys() == MOST.keys()
    assert all(calls[name] <= most for name, most in MOST.items()), counted
