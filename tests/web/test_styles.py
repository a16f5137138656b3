"""The styles know no left and no right, so that a page in Arabic is the page in English, mirrored."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
PHYSICAL = re.compile(
    r"(?<![\w-])(?:"
    r"(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)(?:-\w+)*\s*:"
    r"|(?:left|right)\s*:"
    r"|border-(?:top|bottom)-(?:left|right)-radius\s*:"
    r"|(?:text-align|float|clear|caption-side)\s*:\s*(?:left|right)\b"
    r")"
)


SIDE = r"\s+([^\s;}]+)"
FOUR_SIDES = re.compile(r"(?<![\w-])(?:margin|padding|inset)\s*:\s*([^\s;}]+)" + SIDE * 3)


def physical(css: str) -> list[str]:
    """Declarations that name a side of the screen instead of a side of the text."""
    bare = COMMENT.sub("", css)
    uneven = [found[0] for found in FOUR_SIDES.finditer(bare) if found[2] != found[4]]
    return PHYSICAL.findall(bare) + uneven


def test_no_style_names_a_side_of_the_screen() -> None:
    sheets = sorted(WEB.glob("*.css"))
    assert len(sheets) >= 2
    assert {sheet.name: found for sheet in sheets if (found := physical(sheet.read_text()))} == {}


@pytest.mark.parametrize(
    "css",
    [
        "p { margin-left: 1rem }",
        "p{left:0}",
        ".a { text-align: right; }",
        "b { border-right-color: red }",
        "b { border-top-left-radius: 1px }",
        "i { float:left }",
        "ol { padding: 0 0 0 1rem }",
    ],
)
def test_control_a_side_is_found(css: str) -> None:
    assert physical(css)


@pytest.mark.parametrize(
    "css",
    [
        "p { margin-inline-start: 1rem; text-align: start }",
        "/* left: 0 */",
        ".left-out { inset-inline-start: 0 }",
    ],
)
def test_control_sides_of_the_text_pass(css: str) -> None:
    assert physical(css) == []
