"""The colors of the style sheet, as WCAG 2.2 §1.4.3 and §1.4.11 measure them."""

import base64
import hashlib
import re

import pytest

from doorkey.pages.style import STYLE, style_source

LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", part)) for part in STYLE.split("@media (prefers-color-scheme: dark)")
)
TEXTS = [
    *(("text", back) for back in ("card", "back", "bad-back", "good-back")),
    *(("soft", back) for back in ("card", "back")),
    *(("link", back) for back in ("card", "back")),
    *(("on-fill", back) for back in ("fill", "hover")),
]
SHAPES = [
    ("edge", "card"),
    ("fill", "card"),
    ("focus", "card"),
    ("focus", "back"),
    ("bad", "card"),
    ("bad", "bad-back"),
]


def luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(digit * 2 for digit in color[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_a_contrast_of_at_least_4_5(colors: dict[str, str]) -> None:
    assert [pair for pair in TEXTS if contrast(*(colors[name] for name in pair)) < 4.5] == []


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_the_edges_of_fields_buttons_and_focus_have_a_contrast_of_at_least_3(colors: dict[str, str]) -> None:
    assert [pair for pair in SHAPES if contrast(*(colors[name] for name in pair)) < 3] == []


def test_both_schemes_have_the_same_colors() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert LIGHT != DARK


def test_the_policy_allows_this_style_sheet_and_no_other() -> None:
    digest = base64.b64encode(hashlib.sha256(str(STYLE).encode()).digest()).decode()
    assert style_source() == f"style-src 'sha256-{digest}'"


def test_the_style_sheet_loads_nothing_and_cannot_end_its_element() -> None:
    assert not re.search(r"url\(|@import|@font-face|</|<!", STYLE)
