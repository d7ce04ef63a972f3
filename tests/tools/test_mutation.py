"""`./dev mutate`: which tests belong to a module, and what happens to the mutants they notice and to the others."""

from __future__ import annotations

import queue
import subprocess
from pathlib import Path

import pytest

from tools.mutation.__main__ import Runner, belonging_to, copy_of, search
from tools.mutation.faults import Mutant

SOURCE = "def positive(number: int) -> bool:\n    return number > 0\n"
MODULE = Path("src/doorkey/renewal/sign.py")
TEST = """
from doorkey.renewal.sign import positive

def test_one_is_positive_and_minus_one_is_not():
    assert positive(1) and not positive(-1)
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one module and one test, with a file that git ignores."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # its tests need none
    root = tmp_path / "project"
    files = {
        str(MODULE): SOURCE,
        "src/doorkey/__init__.py": "",
        "src/doorkey/renewal/__init__.py": "",
        "tests/renewal/test_sign.py": TEST,
        "pyproject.toml": '[tool.pytest.ini_options]\nmarkers = ["real_server"]\n',
        ".gitignore": "ignored\n",
        "ignored": "",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


def runner_in(tree: Path, folder: Path) -> Runner:
    copies: queue.Queue[Path] = queue.Queue()
    copies.put(copy_of(tree, folder))
    return Runner(MODULE, belonging_to(MODULE, tree), copies)


def test_the_tests_of_a_module_are_those_named_after_it(tree: Path) -> None:
    (tree / "tests/renewal/test_sign_of_zero.py").touch()
    (tree / "tests/renewal/test_signature.py").touch()
    assert belonging_to(MODULE, tree) == ["tests/renewal/test_sign.py", "tests/renewal/test_sign_of_zero.py"]


def test_the_tests_of_a_module_without_its_own_are_its_folder_or_the_one_above(tree: Path) -> None:
    assert belonging_to(Path("src/doorkey/renewal/other.py"), tree) == ["tests/renewal"]
    assert belonging_to(Path("src/doorkey/renewal/deep/other.py"), tree) == ["tests/renewal"]
    with pytest.raises(SystemExit, match="no tests belong to"):
        belonging_to(Path("src/doorkey/elsewhere/other.py"), tree)


def test_a_copy_has_what_git_does_not_ignore(tree: Path, tmp_path: Path) -> None:
    copy = copy_of(tree, tmp_path / "copy")
    assert (copy / MODULE).read_text("utf-8") == SOURCE
    assert not (copy / "ignored").exists()


def test_a_mutant_that_no_test_notices_is_shown_and_the_tree_is_not_touched(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = runner_in(tree, tmp_path / "copy")
    assert runner.failing(SOURCE) == ""
    noticed, unnoticed = SOURCE.replace("number >", "number <"), SOURCE.replace("number >", "number >=")
    assert search(runner, SOURCE, [Mutant(2, noticed), Mutant(2, unnoticed)], 1) == 1
    printed = capsys.readouterr().out
    assert "+    return number >= 0" in printed
    assert "number < 0" not in printed
    assert "killed 1 of 2 mutants; 1 survived" in printed
    assert (tree / MODULE).read_text("utf-8") == SOURCE


def test_a_mutant_that_does_not_end_is_ended_and_counts_as_noticed(tree: Path, tmp_path: Path) -> None:
    runner = runner_in(tree, tmp_path / "copy")
    runner.timeout = 1.0
    assert runner.failing("while True:\n    pass\n") == "no end"
