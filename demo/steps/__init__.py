"""One file for each step; `STEPS` has them in order."""

from demo.outcome import Step
from demo.steps import api_call, login, many_threads, password, removed_session, renewal

STEPS: tuple[Step, ...] = (
    password.STEP,
    api_call.STEP,
    renewal.STEP,
    removed_session.STEP,
    many_threads.STEP,
    login.STEP,
)
