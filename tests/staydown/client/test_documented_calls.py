"""What the pages for platforms show can be written so: it parses, and the names and arguments exist."""

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.survey import ROOT

PAGES = [ROOT / "docs/how-to/protect-a-platform.md", ROOT / "docs/how-to/check-at-the-edge.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Names under which the pages keep what they made.
KNOWN = {"staydown": "staydown.client.Staydown", "bank": "staydown.client.edge.EdgeBank"}


def blocks(path: Path) -> list[ast.Module]:
    return [ast.parse(found) for found in BLOCK.findall(path.read_text())]


def named(dotted: str) -> Any:
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


def wrong_calls(trees: list[ast.Module]) -> list[str]:
    """Calls of the SDK with an argument that there is not. Raises for an import that fails."""
    imported: dict[str, Any] = {}
    found = []
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("staydown"):
                for alias in node.names:
                    holder = importlib.import_module(node.module or "")
                    imported[alias.name] = getattr(holder, alias.name)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called: Any = None
            if isinstance(node.func, ast.Name):
                called = imported.get(node.func.id)
            elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                holder = KNOWN.get(node.func.value.id)
                called = getattr(named(holder), node.func.attr) if holder else None
            if called is None:
                continue
            known = inspect.signature(called).parameters
            takes_all = any(one.kind is one.VAR_KEYWORD for one in known.values())
            found += [
                f"{ast.unparse(node.func)}({keyword.arg}=)"
                for keyword in node.keywords
                if keyword.arg not in known and not takes_all
            ]
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_documented_calls_can_be_made(path: Path) -> None:
    trees = blocks(path)

    assert len(trees) >= 3
    assert wrong_calls(trees) == []


def test_call_that_cannot_be_made_is_noticed() -> None:
    tree = ast.parse(
        "from staydown.client import Staydown\nStaydown('u', 't', timeout_s=1)\nbank.check(x, level=1)"
    )

    assert wrong_calls([tree]) == ["Staydown(timeout_s=)", "bank.check(level=)"]
