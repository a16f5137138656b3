"""Reads the source tree for the checks in this folder: modules, their syntax trees and what they import.

Parses, never imports: a check must work on a module that cannot be imported yet. Paths are given by the
caller, so that every check can be tried on a small tree made to break it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

DOORS = ("survivor_site", "desk", "hub", "match_api", "jobs", "scan", "cli")
# In the order of the flow: a row of one may point to rows of the ones before it.
STAGES = (
    "access",
    "ledger",
    "cases",
    "notices",
    "review",
    "bank",
    "catalog",
    "action",
    "exchange",
    "evidence",
)
DJANGO_FREE = (
    "client",
    "fingerprint",
    "journal",
    "law",
    "match_api",
    "matching",
    "scan",
    "problem",
    "signed_note",
    "errors",
)


@dataclass(frozen=True)
class Module:
    """One source file. `name` is dotted: staydown.bank.rules."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """The part of the house: 'bank' in staydown.bank.rules, 'problem' in staydown.problem."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else ""

    @property
    def last(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    @property
    def is_package(self) -> bool:
        """Whether this is an __init__.py."""
        return self.path.name == "__init__.py"


@cache
def _parsed(path: Path, name: str, changed_ns: int) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(name, path, text, ast.parse(text, filename=str(path)))


def modules(src: Path = SRC) -> tuple[Module, ...]:
    """Every module under `src`, sorted by name."""
    found = []
    for path in sorted(src.rglob("*.py")):
        parts = path.relative_to(src).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(_parsed(path, name, path.stat().st_mtime_ns))
    return tuple(sorted(found, key=lambda module: module.name))


def imports(module: Module) -> Iterator[tuple[str, int]]:
    """Every dotted name that the module imports, anywhere in it, with the line.

    ``from a.b import c`` gives both a.b and a.b.c, since only the import system knows whether c is a module.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            yield origin, node.lineno
            for alias in node.names:
                yield f"{origin}.{alias.name}", node.lineno


def _origin(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    above = parts if module.is_package else parts[:-1]
    above = above[: len(above) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def imports_within(name: str, package: str) -> bool:
    """Whether a dotted name is `package` or lies in it."""
    return name == package or name.startswith(f"{package}.")


def place(module: Module, line: int) -> str:
    """Where something is, as an editor understands it."""
    try:
        shown = module.path.relative_to(ROOT)
    except ValueError:
        shown = Path(*module.name.split(".")).with_suffix(".py")
    return f"{shown}:{line}"


def write_tree(root: Path, files: dict[str, str]) -> Path:
    """Writes a small source tree for a negative control: paths below src/staydown. Returns its src."""
    src = root / "src"
    for name, text in files.items():
        path = src / "staydown" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for folder in {path.parent for path in src.rglob("*.py")} | {src / "staydown"}:
        if folder != src and not (folder / "__init__.py").exists():
            (folder / "__init__.py").write_text('"""A package."""\n')
    return src
