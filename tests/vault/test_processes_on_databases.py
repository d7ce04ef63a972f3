"""`test_processes.py` on PostgreSQL and MariaDB, on the newest Python only: it takes a minute of one processor."""

import pytest

from tests.vault.test_processes import (
    backend,
    eight,
    kept,
    run_on,
    started,
    test_200_rotations_by_8_processes_are_200_requests_and_the_grant_lives,
    test_a_process_whose_clock_is_5_minutes_off_costs_no_grant,
    test_a_store_that_is_restarted_is_an_outage_and_no_loss,
    test_a_store_that_loses_everything_during_a_renewal_is_a_typed_error_for_all,
    test_a_store_that_stops_during_a_renewal_gets_the_new_token_when_it_is_back,
    test_every_process_reports_a_store_that_lost_everything_and_a_new_login_recovers,
    test_processes_killed_at_any_step_cost_the_grant_only_between_rotation_and_commit,
    test_several_killed_during_one_renewal_cost_the_grant_only_with_an_uncommitted_response,
)

__all__ = [
    "backend",
    "eight",
    "kept",
    "started",
    "test_200_rotations_by_8_processes_are_200_requests_and_the_grant_lives",
    "test_a_process_whose_clock_is_5_minutes_off_costs_no_grant",
    "test_a_store_that_is_restarted_is_an_outage_and_no_loss",
    "test_a_store_that_loses_everything_during_a_renewal_is_a_typed_error_for_all",
    "test_a_store_that_stops_during_a_renewal_gets_the_new_token_when_it_is_back",
    "test_every_process_reports_a_store_that_lost_everything_and_a_new_login_recovers",
    "test_processes_killed_at_any_step_cost_the_grant_only_between_rotation_and_commit",
    "test_several_killed_during_one_renewal_cost_the_grant_only_with_an_uncommitted_response",
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    run_on(metafunc, "postgres", "mariadb")
