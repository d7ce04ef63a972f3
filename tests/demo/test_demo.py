"""The demo as a user runs it, and what it says of each of its five steps."""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME, TerminalTheme

from demo.picture import BEGIN, END, svg_of, table_of, write_table
from demo.show import NEXT, body_of
from demo.steps import STEPS
from demo.threads import Outcome

ROOT = Path(__file__).resolve().parents[2]

PROMISED = (
    r"✓  doorkey \S+ +32 of 32 answered, 1 refresh, login lives",
    r"✓  sent +state, nonce, code_challenge \(PKCE .*S256\) *\n✓  verified ID token +alice logged in to public-native",
    r"✓  killed +1 of 4 .*, by SIGKILL, while .*\n-  its lease .*\n✓  the others +3 of 3 .*\n✓  refreshes +1, ",
    r"✓  without a token +401 .*\n✓  without the scope +403  insufficient_scope *\n✓  with the scope +200  \S",
    r"✓  the error +invalid_grant: Session not active",
)
COMPARED = r"^-  (authlib|requests-oauthlib) +(\S+) +(\d+) of 32 answered, (\d+) refresh(?:es)?, login (?:lives|lost)"


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "demo", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", "HTTP_PROXY": "http://127.0.0.1:9", "PYTHONIOENCODING": "utf-8"}
        | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
    )
    return done.returncode, done.stdout + done.stderr


def kept_its_promises(output: str) -> None:
    at = 0
    for number, promise in enumerate(PROMISED, 1):
        found = re.compile(promise).search(output, at)
        assert found, f"step {number} does not show {promise!r} after:\n{output[at:]}"
        at = found.end()
    assert "All 5 steps did what they say" in output
    assert "✗" not in output
    assert not re.search(r"eyJ[\w-]{30,}", output), "a token was printed in full"


@pytest.fixture(scope="module")
def colored() -> str:
    """The output of one run on the embedded provider, as a terminal of 80 columns gets it."""
    code, output = run(FORCE_COLOR="1", TERM="xterm-256color", COLUMNS="80")
    assert code == 0
    return output


@pytest.fixture(scope="module")
def plain(colored: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", colored)


def test_every_step_does_what_it_says_on_the_embedded_provider(plain: str) -> None:
    kept_its_promises(plain)


def test_the_installed_libraries_are_measured_in_the_same_run(plain: str) -> None:
    compared = re.findall(COMPARED, plain, re.MULTILINE)
    assert [name for name, *_ in compared] == ["authlib", "requests-oauthlib"]
    assert [version(name) for name, *_ in compared] == [one for _, one, *_ in compared]
    assert all(int(answered) <= 32 and int(refreshes) >= 1 for *_, answered, refreshes in compared)


def test_the_demo_fits_80_columns_and_60_lines(plain: str) -> None:
    lines = plain.splitlines()
    assert len(lines) < 60
    assert [line for line in lines if len(line) > 80] == []
    code = [line for step in STEPS for line in body_of(step.does).splitlines() if line]
    assert [line for line in code if f"   {line}" not in [one.rstrip() for one in lines]] == []  # none is wrapped


def test_only_colors_that_every_terminal_shows_well_are_used(colored: str) -> None:
    used = {code for codes in re.findall(r"\x1b\[([\d;]*)m", colored) for code in codes.split(";")}
    assert used <= {"0", "1", "2", "31", "32"}
    assert {"1", "2", "32"} <= used


def test_it_ends_with_what_to_do_next(plain: str) -> None:
    after = plain[plain.index("Next:") :]
    assert [name for name, _ in NEXT if name not in after] == []
    assert [name for name, _ in NEXT if "/" in name and not name.startswith("./") and not (ROOT / name).exists()] == []


@pytest.mark.usefixtures("keycloak")  # so that it is installed, or its absence told as everywhere
def test_every_step_does_what_it_says_on_a_real_keycloak() -> None:
    code, output = run("--keycloak")
    kept_its_promises(output)
    assert code == 0


def test_a_step_that_does_not_hold_makes_the_demo_fail() -> None:
    broken = (
        "import sys; from dataclasses import replace; import demo.steps as steps; from demo.outcome import Fact; "
        "steps.STEPS = tuple(replace(s, shows=lambda *_: [Fact('a', 'b', False)]) for s in steps.STEPS[:2]); "
        "sys.argv = ['demo']; from demo.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", broken], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "not as promised" in done.stdout
    assert "step 1, 2" in done.stdout


def test_an_outcome_is_as_promised_only_with_all_calls_one_refresh_and_a_login_that_lives() -> None:
    assert Outcome("doorkey", "1", 32, 1, login_lives=True).is_as_promised
    assert not Outcome("doorkey", "1", 31, 1, login_lives=True).is_as_promised
    assert not Outcome("doorkey", "1", 32, 2, login_lives=True).is_as_promised
    assert not Outcome("doorkey", "1", 32, 1, login_lives=False).is_as_promised


def painted() -> Console:
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        console = Console(record=True, width=80, file=nowhere, highlight=False)
        console.print("[bold]title[/]\ncode\n[green]✓[/] [dim]name[/] value\n[red]✗[/]")
    return console


@pytest.mark.parametrize("theme", [DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME], ids=["light", "dark"])
def test_each_color_of_the_demo_is_readable_on_its_background(theme: TerminalTheme) -> None:
    picture = svg_of(painted(), theme)
    back = luminance("#" + "".join(f"{part:02x}" for part in theme.background_color))
    used = re.findall(r"-r\d+ \{ ?fill: (#[0-9a-f]{6})", picture)
    assert len(used) >= 4
    assert [color for color in used if contrast(luminance(color), back) < 3] == []


def luminance(color: str) -> float:
    """Return the relative luminance (WCAG 2.2)."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def test_the_picture_of_the_repository_shows_the_steps_and_loads_nothing() -> None:
    text = (ROOT / "docs" / "demo.svg").read_text("utf-8")
    assert set(re.findall(r"https?://[^\"'\s)]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "@font-face" not in text
    assert "@import" not in text
    shown = "".join(ElementTree.fromstring(text).itertext())  # noqa: S314  # our own
    squeezed = re.sub(r"\s", "", shown)
    promised = ("32of32answered,1refresh,loginlives", "1of4workers,bySIGKILL", "All5stepsdidwhattheysay")
    assert [words for words in promised if words not in squeezed] == []
    assert [step.title for step in STEPS if re.sub(r"\s", "", step.title) not in squeezed] == []
    assert "✗" not in shown


def test_the_table_is_written_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    outcomes = [Outcome("doorkey", "1.0", 32, 1, login_lives=True), Outcome("other", "2.0", 0, 32, login_lives=False)]
    write_table(page, outcomes)
    text = page.read_text("utf-8")
    assert text == f"before\n{BEGIN}\n{table_of(outcomes)}\n{END}\nafter\n"
    assert "| doorkey 1.0 | 32 | 1 | lives |\n| other 2.0 | 0 | 32 | is lost |\n" in text


def test_the_table_of_the_readme_is_one_of_a_run() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    table = text[text.index(BEGIN) : text.index(END)]
    rows = re.findall(r"^\| ([\w-]+) \S+ \| (\d+) \| (\d+) \| (lives|is lost) \|$", table, re.MULTILINE)
    assert [row[0] for row in rows] == ["doorkey", "authlib", "requests-oauthlib"]
    assert rows[0][1:] == ("32", "1", "lives")
