"""One file for each step; `STEPS` has them in order."""

from demo.outcome import Step
from demo.steps import many_threads, protected_api, removed_session, user_login, worker_fleet

STEPS: tuple[Step, ...] = (
    many_threads.STEP,
    user_login.STEP,
    worker_fleet.STEP,
    protected_api.STEP,
    removed_session.STEP,
)
