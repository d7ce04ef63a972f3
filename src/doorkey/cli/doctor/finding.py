"""The findings of an audit. Each has a description, the reason why it matters, and the fix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from doorkey.errors import printable

_SHOWN = 120


class Severity(Enum):
    """The severity of a finding."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding.

    severity: a failure makes clients fail or helps attackers; a warning is about security or reliability.
    code: a stable name for programs.
    what, why, fix: sentences for people: the description, the reason, and the fix. Only failures and warnings have a
        fix.
    section: the section of the specification.
    """

    severity: Severity
    code: str
    what: str
    why: str = ""
    fix: str = ""
    section: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the finding as a JSON object."""
        return {
            "severity": self.severity.value,
            "code": self.code,
            "what": self.what,
            "why": self.why,
            "fix": self.fix,
            "section": self.section,
        }


def ok(code: str, what: str, section: str = "") -> Finding:
    """Return the finding of a check that passed."""
    return Finding(severity=Severity.OK, code=code, what=what, section=section)


def info(code: str, what: str, why: str = "", section: str = "") -> Finding:
    """Return a finding for information, which needs no fix."""
    return Finding(severity=Severity.INFO, code=code, what=what, why=why, section=section)


def warning(code: str, what: str, why: str, fix: str, section: str = "") -> Finding:
    """Return a finding about a server that is less secure or less reliable than it could be."""
    return Finding(severity=Severity.WARNING, code=code, what=what, why=why, fix=fix, section=section)


def failure(code: str, what: str, why: str, fix: str, section: str = "") -> Finding:
    """Return a finding about a problem that makes clients fail, or that attackers can use."""
    return Finding(severity=Severity.FAILURE, code=code, what=what, why=why, fix=fix, section=section)


def has_failure(findings: Iterable[Finding]) -> bool:
    """Return whether one of the findings is a failure."""
    return any(one.severity is Severity.FAILURE for one in findings)


def listed(values: Iterable[object], most: int = 12) -> str:
    """Return the first `most` of a server's values as a list for a sentence, with the number of the others."""
    texts = [printable(str(value), _SHOWN) for value in values]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return (", ".join(texts[:most]) or "none") + more
