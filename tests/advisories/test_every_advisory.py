"""Each advisory has a test that is named after it, or a feature that doorkey does not have yet."""

import re
from pathlib import Path

NOT_YET: dict[str, str] = {}
"""The feature that each of these is about. The test replaces the line when the feature exists."""

ADVISORIES = [
    *("CVE-2026-28802", "CVE-2026-27962", "CVE-2024-37568", "CVE-2022-29217", "CVE-2024-33663"),
    *("CVE-2026-48526", "CVE-2025-59420", "CVE-2026-32597", "CVE-2025-61920", "CVE-2026-48525"),
    *("CVE-2025-62706", "CVE-2024-28102", "CVE-2026-39373", "CVE-2023-6681", "CVE-2026-27932"),
    *("CVE-2026-28498", "CVE-2024-53861", "GHSA-gg9x-qcx2-xmrh", "CVE-2026-48523", "CVE-2026-48522"),
    *("CVE-2026-48524", "CVE-2026-28490", "CVE-2016-6298", "CVE-2025-68158", "CVE-2026-41425"),
    *("CVE-2025-14546", "CVE-2025-68481", "CVE-2026-41479", "CVE-2026-44681", "CVE-2021-32618"),
    *("CVE-2023-49438", "CVE-2026-48710", "CVE-2024-32879", "CVE-2025-61783", "CVE-2025-22868"),
    *("CVE-2025-30204", "CVE-2022-3102"),
]

FOLDER = Path(__file__).parent
NAMES = re.findall(
    r"^def test_(\w+)", "\n".join(path.read_text("utf-8") for path in FOLDER.glob("test_*.py")), re.MULTILINE
)


def test_each_advisory_has_a_test_or_a_missing_feature() -> None:
    tested = {advisory for advisory in ADVISORIES if any(advisory.lower().replace("-", "_") in name for name in NAMES)}
    assert set(ADVISORIES) - tested == NOT_YET.keys()
