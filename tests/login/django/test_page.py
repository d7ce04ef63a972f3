"""The five lines of docs/logins/django.md belong into the project that `startproject` makes, as they stand.

`tests/browser/test_five_lines.py` logs in to such a project in Chromium.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "logins" / "django.md").read_text("utf-8")
BLOCKS = re.findall(r"^```py\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
SETTINGS, URLS, VIEWS = BLOCKS[:3]
[ADMIN] = [block for block in BLOCKS if "admin.site.login" in block]


def test_django_finds_nothing_wrong_with_a_project_with_the_five_lines(tmp_path: Path) -> None:
    assert len([line for line in (SETTINGS + URLS).splitlines() if line.strip()]) == 5
    subprocess.run([sys.executable, "-m", "django", "startproject", "shop", "."], cwd=tmp_path, check=True, timeout=300)
    settings, urls = tmp_path / "shop" / "settings.py", tmp_path / "shop" / "urls.py"
    settings.write_text(settings.read_text("utf-8") + SETTINGS, "utf-8")
    more = ("from django.urls import include", VIEWS, URLS, 'urlpatterns += [path("", home)]')
    urls.write_text(ADMIN + urls.read_text("utf-8") + "\n".join(more), "utf-8")
    own = {name: value for name, value in os.environ.items() if not name.startswith(("DOORKEY_", "DJANGO_"))}

    def manage(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    manage("check", "--fail-level", "WARNING")
    ask = "from django.test import Client; print(Client(SERVER_NAME='localhost').get('/admin/login/').url)"
    assert "/auth/login?next=/admin/login/" in manage("shell", "-c", ask)
