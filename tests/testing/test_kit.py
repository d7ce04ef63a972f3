"""The test kit in pytest and in unittest, and what it does about mistakes in the test itself."""

import os
import subprocess
import sys
import unittest
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

import doorkey.testing
from doorkey.dev.faults import Faults
from doorkey.errors import UsageError
from doorkey.testing import Provider, Settings, UnusedFault, client, user

ADMIN = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}


class TestOptions:
    @pytest.fixture
    def doorkey_provider_options(self) -> Mapping[str, Any]:
        return {"users": [user("zoe", "pwd")]}

    def test_a_class_may_replace_the_options_of_the_fixture(self, doorkey_provider: Provider) -> None:
        assert doorkey_provider.token("zoe").count(".") == 2


def test_the_fixture_is_a_provider_that_runs(doorkey_provider: Provider) -> None:
    assert requests.get(doorkey_provider.jwks_uri, timeout=60).status_code == 200


def test_the_kit_works_in_pytest_and_reports_an_unused_fault(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        """
import pytest

@pytest.fixture
def doorkey_provider_options(): return {"access_token_lifetime": 7}

def test_good(doorkey_provider):
    assert doorkey_provider.realms["master"].access_token_lifetime == 7

def test_unused(doorkey_provider):
    doorkey_provider.faults.add("/token", status=503, times=2)
"""
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "doorkey.testing.plugin",
        "-p",
        "no:cacheprovider",
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path, env=environment
    )
    assert "2 passed, 1 error" in run.stdout
    assert (
        "no request triggered the fault for a path ending in '/token' (status=503), which waits for 2 more"
        in run.stdout
    )
    assert run.returncode == 1


def test_the_plugin_imports_nothing_that_is_slow() -> None:
    code = "import sys, doorkey.testing.plugin, doorkey.testing; print([m for m in sys.modules if m in sys.argv[1:]])"
    heavy = ["starlette", "uvicorn", "cryptography", "joserfc", "doorkey.server", "doorkey.dev", "requests", "httpx2"]
    run = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True, timeout=300)
    assert run.stdout == "[]\n"


def test_the_plugin_has_an_entry_point_named_after_its_module() -> None:
    import tomllib

    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"doorkey.testing.plugin": "doorkey.testing.plugin"}


def test_the_kit_works_in_unittest() -> None:
    class Case(unittest.TestCase):
        def setUp(self) -> None:
            self.provider = self.enterContext(Provider())

        def test_used(self) -> None:
            self.provider.faults.add("/token", status=503)
            assert requests.post(self.provider.token_endpoint, ADMIN, timeout=60).status_code == 503

        def test_unused(self) -> None:
            self.provider.faults.add("/token", status=503)

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
    assert result.testsRun == 2
    assert [(test._testMethodName, "UnusedFault" in trace) for test, trace in result.failures] == [
        ("test_unused", True)
    ]
    assert result.errors == []


def test_an_error_of_the_test_is_reported_in_place_of_an_unused_fault() -> None:
    def failing() -> None:
        with Provider() as provider:
            provider.faults.add("/token", status=503)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    with pytest.raises(UnusedFault, match="waits for 1 more"), Provider() as provider:
        provider.faults.add("/token", status=503)
    assert provider._thread is None


def test_a_fault_that_was_used_or_cleared_is_no_unused_fault() -> None:
    faults = Faults()
    faults.add("/token", status=503, times=3)
    faults.take("/token")
    assert faults.unused == ("the fault for a path ending in '/token' (status=503), which waits for 2 more",)
    faults.take("/token")
    faults.take("/token")
    faults.check_all_used()
    faults.add("/token", grant_type="refresh_token", reset="after", body="", headers={})
    with pytest.raises(UnusedFault, match=r"reset='after', grant_type='refresh_token'"):
        faults.check_all_used()
    faults.clear()
    faults.check_all_used()


def test_an_unused_fault_shows_neither_headers_nor_body() -> None:
    faults = Faults()
    faults.add("/token", status=200, body="a-body", headers={"X-Token": "a-header"})
    assert "a-body" not in "".join(faults.unused)
    assert "a-header" not in "".join(faults.unused)


@pytest.mark.parametrize(
    ("call", "options", "message"),
    [
        (Provider, {"cleints": []}, "a provider has no 'cleints': did you mean 'clients'"),
        (Settings, {"acess_token_lifetime": 5}, "Settings has no 'acess_token_lifetime': did you mean 'access_token"),
        (Faults().add, {"path_end": "/token", "statsu": 5}, "a fault has no 'statsu': did you mean 'status'"),
        (
            client,
            {"client_id": "a", "redirect_uri": []},
            "a client has no 'redirect_uri': did you mean 'redirect_uris'",
        ),
        (user, {"username": "a", "role": []}, "a user has no 'role': did you mean 'roles'"),
    ],
)
def test_a_misspelled_option_is_an_error_that_suggests_the_nearest(call: Any, options: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call(**options)


def test_the_names_of_the_kit_are_there() -> None:
    for name in doorkey.testing.__all__:
        assert getattr(doorkey.testing, name) is not None
        assert name in dir(doorkey.testing)
    with pytest.raises(AttributeError):
        doorkey.testing.no_such_name  # noqa: B018
