"""Two users interleaved 10,000 times at the program of each framework: neither ever sees the other's token.

On one Python only (`tools/test.py`): the 400 turns of `test_users.py` run on all.
"""

from tests.login.attacks.target import Target
from tests.login.attacks.test_users import two_users_interleaved


def test_two_users_interleaved_10_000_times_never_see_each_others_token(target: Target) -> None:
    two_users_interleaved(target, 10_000)
