"""`doorkey doctor` at the command line: its table, its JSON and its exit status."""

import json
import time
from email.utils import formatdate

import pytest
from rich.console import Console

from doorkey.cli.doctor.audit import Audit
from doorkey.cli.doctor.finding import Finding, failure, ok, warning
from doorkey.cli.doctor.view import rendered
from tests.cli.doctor.issuers import PLACE, GoodIssuer
from tests.support.cli_runner import Run
from tests.support.hostile_server import Exchange, Hostile, reply


@pytest.fixture
def issuer(hostile: Hostile) -> GoodIssuer:
    made = GoodIssuer(hostile)
    made.publish()

    def dated_now(exchange: Exchange) -> None:
        exchange.send(reply(json=made.metadata, headers=(("Date", formatdate(time.time(), usegmt=True)),)))

    hostile.on(PLACE, dated_now)
    return made


def test_a_good_issuer_has_status_0(run: Run, issuer: GoodIssuer) -> None:
    result = run("doctor", issuer.issuer)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"authorization server {issuer.issuer}")
    assert result.stdout.rstrip().endswith("no failures, no warnings")


def test_a_failure_has_status_1_and_says_what_why_and_fix(run: Run, issuer: GoodIssuer) -> None:
    issuer.changed = {"code_challenge_methods_supported": ["plain"]}
    issuer.publish(headers=())
    result = run("doctor", issuer.issuer)
    assert result.exit_code == 1
    text = " ".join(result.stdout.split())
    for part in ("PKCE with S256 is", "an attacker who", "support S256 and", "1 failure, no warnings"):
        assert part in text


@pytest.mark.parametrize(("arguments", "status"), [((), 0), (("--strict",), 1)])
def test_a_warning_fails_only_a_strict_audit(
    run: Run, issuer: GoodIssuer, arguments: tuple[str, ...], status: int
) -> None:
    issuer.changed = {"authorization_response_iss_parameter_supported": None}
    issuer.publish(headers=())
    assert run("doctor", *arguments, issuer.issuer).exit_code == status


def test_the_findings_are_json_for_programs(run: Run, issuer: GoodIssuer) -> None:
    issuer.keys = []
    issuer.publish(headers=())
    result = run("doctor", "--json", issuer.issuer)
    done = json.loads(result.stdout)
    assert (done["target"], done["kind"], done["failures"], done["warnings"]) == (issuer.issuer, "issuer", 1, 0)
    (finding,) = [one for one in done["findings"] if one["severity"] == "failure"]
    assert finding["code"] == "keys_empty"
    assert all(finding[name] for name in ("what", "why", "fix", "section"))
    assert result.exit_code == 1


@pytest.mark.parametrize("url", ["http://as.example", "nonsense", "https://user:secret@as.example", "ftp://x"])
def test_a_url_that_is_no_server_is_one_sentence_and_status_2(run: Run, url: str) -> None:
    result = run("doctor", url)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "secret" not in result.output


FINDINGS: tuple[Finding, ...] = (
    ok("keys", "two keys"),
    failure("x", "a long sentence about what is wrong " * 4, "why it matters " * 5, "how it is fixed " * 5, "RFC 6749"),
    warning("y", "https://as.example/" + "a" * 150, "a reason", "a fix"),
)


@pytest.mark.parametrize("width", [40, 80, 99, 100, 160])
def test_a_table_fits_in_the_terminal_and_shows_the_worst_first(width: int) -> None:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(rendered(Audit("https://as.example", "issuer", FINDINGS), width))
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= width
    text = " ".join(captured.get().split())
    assert text.index("fail") < text.index("warn") < text.index("two keys")
    assert "1 failure, 1 warning" in text
