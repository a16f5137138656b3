"""Convention 32: a module with something to go wrong has its own test file, at the same path under tests."""

import ast
import re

import pytest

from tests.architecture.survey import ROOT, SRC, modules, write_tree

# Generated, or nothing to go wrong by itself: errors carry ids and a sentence, tables are tested by use.
EXEMPT_NAMES = {"__init__", "__main__", "apps", "admin", "errors", "models"}
# Up to this many functions without a decision in any of them need no test file of their own.
FEW = 2
DECISIONS = (
    ast.If,
    ast.IfExp,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.Try,
    ast.BoolOp,
    ast.Match,
    ast.comprehension,
)
COVERS = re.compile(r"^Covers: (.+?)\.?$", re.MULTILINE)


def is_trivial(module):
    """Whether a module only names things: few functions, and no condition, loop or try in any of them."""
    functions = [n for n in ast.walk(module.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    deciding = any(isinstance(node, DECISIONS) for function in functions for node in ast.walk(function))
    return not deciding and (len(functions) <= FEW or module.last == "terms")


def covered_by_declaration(tests):
    """Modules that a test file says it covers, with "Covers: staydown.a.b, staydown.a.c" in its docstring.

    For modules that only make sense together. Stories are no excuse: they do not say which part broke.
    """
    found = set()
    for path in tests.rglob("test_*.py"):
        if path.is_relative_to(tests / "stories"):
            continue
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for line in COVERS.findall(docstring):
            found |= {name.strip() for name in line.split(",")}
    return found


def expected_test(module):
    """Where a module's own tests lie, relative to the tests folder."""
    *folders, name = module.name.split(".")
    return "/".join([*folders, f"test_{name.lstrip('_')}.py"])


def uncovered(src, tests):
    """Modules without a test file of their own."""
    declared = covered_by_declaration(tests)
    found = []
    for module in modules(src):
        if module.is_package or module.last in EXEMPT_NAMES or ".migrations" in module.name:
            continue
        if is_trivial(module) or module.name in declared:
            continue
        if not (tests / expected_test(module)).is_file():
            found.append(f"{module.name}: there is no tests/{expected_test(module)}")
    return found


def unknown_declarations(src, tests):
    """Modules that a test file says it covers and that do not exist."""
    return sorted(covered_by_declaration(tests) - {module.name for module in modules(src)})


def test_every_module_has_its_own_test_file():
    assert uncovered(SRC, ROOT / "tests") == []


def test_every_module_that_a_test_file_covers_exists():
    assert unknown_declarations(SRC, ROOT / "tests") == []


DECIDES = "def f(x):\n    return 1 if x else 2\n"


@pytest.mark.parametrize("name", ["bank/rules.py", "desk/pages.py", "bank/terms.py", "client/_wire.py"])
def test_module_without_a_test_file_is_noticed(name, tmp_path):
    # Given
    src = write_tree(tmp_path, {name: DECIDES})

    # Then
    assert len(uncovered(src, tmp_path / "tests")) == 1


def test_module_with_a_test_file_at_its_path_passes(tmp_path):
    # Given
    src = write_tree(tmp_path, {"bank/rules.py": DECIDES})
    test = tmp_path / "tests/staydown/bank/test_rules.py"
    test.parent.mkdir(parents=True)
    test.touch()

    # Then
    assert uncovered(src, tmp_path / "tests") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bank/apps.py", DECIDES),
        ("bank/migrations/0001_initial.py", DECIDES),
        ("bank/errors.py", "class A(Exception):\n    def __init__(self, x):\n        self.x = x\n"),
        ("bank/terms.py", "class A:\n    @property\n    def b(self):\n        return 1\n"),
        ("start.py", "def f():\n    import x\n    x.y()\n"),
        ("desk/limits.py", "MOST = 3\n"),
    ],
)
def test_module_with_nothing_to_go_wrong_needs_none(name, text, tmp_path):
    assert uncovered(write_tree(tmp_path, {name: text}), tmp_path / "tests") == []


def test_module_that_another_test_file_covers_passes(tmp_path):
    # Given
    src = write_tree(tmp_path, {"client/sync_client.py": DECIDES, "client/wire.py": DECIDES})
    test = tmp_path / "tests/staydown/client/test_client.py"
    test.parent.mkdir(parents=True)
    test.write_text('"""Both.\n\nCovers: staydown.client.sync_client, staydown.client.wire.\n"""\n')

    # Then
    assert uncovered(src, tmp_path / "tests") == []
    assert unknown_declarations(src, tmp_path / "tests") == []


def test_story_cannot_stand_in_for_a_test_file(tmp_path):
    # Given
    src = write_tree(tmp_path, {"client/wire.py": DECIDES})
    story = tmp_path / "tests/stories/test_story.py"
    story.parent.mkdir(parents=True)
    story.write_text('"""Covers: staydown.client.wire"""\n')

    # Then
    assert len(uncovered(src, tmp_path / "tests")) == 1


def test_declared_module_that_does_not_exist_is_noticed(tmp_path):
    # Given
    src = write_tree(tmp_path, {"bank/terms.py": "x = 1\n"})
    test = tmp_path / "tests/test_a.py"
    test.parent.mkdir(parents=True)
    test.write_text('"""Covers: staydown.bank.gone"""\n')

    # Then
    assert unknown_declarations(src, tmp_path / "tests") == ["staydown.bank.gone"]
