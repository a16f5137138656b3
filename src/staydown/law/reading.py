"""Finds and reads data/law, once a process.

The files lie at the root of a checkout, or inside the installed package. Refuses to guess: a file that is
missing or cannot be read is an error, never an empty law.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from staydown.law import shapes
from staydown.law.errors import LegalRowsDamaged, LegalRowsMissing

_PACKAGE = Path(__file__).resolve().parents[1]
PLACES = (_PACKAGE.parents[1] / "data" / "law", _PACKAGE / "_data" / "law")
"""A checkout has src/staydown and data/law side by side; a wheel carries staydown/_data/law."""


def find(file_name: str, *, places: tuple[Path, ...] = PLACES) -> Path:
    """The file in the first place that has it. Raises LegalRowsMissing."""
    for place in places:
        if (place / file_name).is_file():
            return place / file_name
    raise LegalRowsMissing(file_name)


def read(path: Path) -> Mapping[str, Any]:
    """The mapping that a YAML file holds. Raises LegalRowsDamaged."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LegalRowsDamaged(path.name, "cannot be read") from error
    if not isinstance(document, dict):
        raise LegalRowsDamaged(path.name, "is not a mapping")
    return document


@cache
def law_file(file_name: str) -> Mapping[str, Any]:
    """One file of data/law, each row in its shape. Raises LegalRowsMissing or LegalRowsDamaged."""
    document = read(find(file_name))
    shapes.check(file_name, document)
    return document
