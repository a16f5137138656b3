"""Every module: its name, its length, its docstring, its words for digests (conventions 2, 6, 16, 17)."""

import ast

import pytest

from tests.architecture.survey import ROOT, SRC, modules, place, write_tree

BANNED = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "managers"}
MOST_LINES = 400
EXCUSE = "Long because"


def written(src):
    """Modules that a person wrote: migrations are generated."""
    return [module for module in modules(src) if ".migrations" not in module.name]


def banned_names(src):
    """Modules and packages whose name says nothing (convention 6)."""
    return [
        f"{place(module, 1)}: call it by what it does, not {module.last!r}"
        for module in modules(src)
        if module.last.strip("_") in BANNED
    ]


def too_long(src):
    """Modules above 400 lines whose docstring does not say why (convention 16)."""
    found = []
    for module in written(src):
        lines = module.text.count("\n")
        if lines > MOST_LINES and EXCUSE not in (ast.get_docstring(module.tree) or ""):
            found.append(
                f"{place(module, 1)}: {lines} lines; divide it, or say {EXCUSE!r} ... in its docstring"
            )
    return found


def without_docstring(src):
    """Modules that do not open with why they exist (convention 17)."""
    return [
        f"{place(module, 1)}: opens without a docstring"
        for module in written(src)
        if not (ast.get_docstring(module.tree) or "").strip()
    ]


def bare_hashes(src):
    """Names that are just `hash`, which says neither fingerprint nor digest (convention 2)."""
    found = []
    for module in written(src):
        for node in ast.walk(module.tree):
            named = (
                (isinstance(node, ast.Name) and node.id == "hash")
                or (isinstance(node, ast.arg) and node.arg == "hash")
                # Reading .hash is another library's business (argon2); giving that name is ours.
                or (
                    isinstance(node, ast.Attribute)
                    and node.attr == "hash"
                    and isinstance(node.ctx, ast.Store)
                )
                or (
                    isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                    and node.name == "hash"
                )
                or (isinstance(node, ast.alias) and (node.asname or node.name) == "hash")
            )
            if named:
                found.append(f"{place(module, node.lineno)}: say fingerprint or digest, not `hash`")
    return found


CHECKS = {
    "module names": banned_names,
    "module length": too_long,
    "module docstrings": without_docstring,
    "fingerprint or digest": bare_hashes,
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_house_keeps_the_rule(check):
    assert check(SRC) == []


def test_examples_and_tests_have_names_that_say_something():
    folders = [ROOT / "examples", ROOT / "tests", ROOT / "benchmarks", ROOT / "web"]
    assert [found for folder in folders if folder.is_dir() for found in banned_names(folder)] == []


@pytest.mark.parametrize(
    ("check", "files"),
    [
        (banned_names, {"bank/utils.py": '"""Doc."""\n'}),
        (banned_names, {"common/__init__.py": '"""Doc."""\n'}),
        (banned_names, {"bank/_helpers.py": '"""Doc."""\n'}),
        (too_long, {"bank/rules.py": '"""Doc."""\n' + "x = 1\n" * MOST_LINES}),
        (without_docstring, {"bank/rules.py": "x = 1\n"}),
        (without_docstring, {"bank/rules.py": '"""   """\n'}),
        (bare_hashes, {"bank/rules.py": '"""Doc."""\nhash = 1\n'}),
        (bare_hashes, {"bank/rules.py": '"""Doc."""\ndef f(*, hash): ...\n'}),
        (bare_hashes, {"bank/terms.py": '"""Doc."""\nclass A:\n    hash: str\n'}),
        (bare_hashes, {"bank/terms.py": '"""Doc."""\nentry.hash = x\n'}),
    ],
)
def test_module_that_breaks_the_rule_is_noticed(check, files, tmp_path):
    assert len(check(write_tree(tmp_path, files))) == 1


def test_long_module_with_a_reason_passes(tmp_path):
    text = (
        '"""Doc.\n\nLong because one format is easier to read in one piece.\n"""\n' + "x = 1\n" * MOST_LINES
    )
    assert too_long(write_tree(tmp_path, {"bank/rules.py": text})) == []
