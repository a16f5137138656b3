"""docs/reference/terms.md lists the words of convention 1 in data-flow order, and every state in the code."""

import ast
import re

import pytest

from tests.architecture.survey import ROOT, SRC, modules, write_tree

GLOSSARY = ROOT / "docs" / "reference" / "terms.md"
# Convention 1, in data-flow order.
WORDS = (
    "depicted person",
    "requester",
    "case",
    "receipt",
    "notice",
    "covered platform",
    "fingerprint",
    "digest",
    "bank",
    "entry",
    "match",
    "review decision",
    "dispute",
    "catalog",
    "copy",
    "action",
    "evidence packet",
    "exchange",
    "partner",
    "ledger",
    "checkpoint",
)
ENUMS = {"StrEnum", "Enum", "IntEnum"}


def enums(src):
    """Every enum in the code as (package.Class, its values)."""
    for module in modules(src):
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.ClassDef):
                continue
            if not {getattr(base, "id", getattr(base, "attr", "")) for base in node.bases} & ENUMS:
                continue
            values = [
                member.value.value
                for member in node.body
                if isinstance(member, ast.Assign) and isinstance(member.value, ast.Constant)
            ]
            yield f"{module.package}.{node.name}", tuple(str(value) for value in values)


def id_prefixes(src):
    """Prefixes of the public ids that the code makes."""
    return {
        node.args[0].value
        for module in modules(src)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and "new_public_id" in (getattr(node.func, "id", ""), getattr(node.func, "attr", ""))
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


def unlisted(src, text):
    """Enums, values and id prefixes that the glossary does not list."""
    found = []
    for name, values in enums(src):
        row = next((line for line in text.split("\n") if line.startswith(f"| `{name}` |")), None)
        if row is None:
            found.append(f"{name}: no row; its values are {', '.join(values)}")
            continue
        listed = set(re.findall(r"`([^`]+)`", row.removeprefix(f"| `{name}` |")))
        found += [f"{name}: {value!r} is missing" for value in values if value not in listed]
        found += [f"{name}: {value!r} is not in the code" for value in sorted(listed - set(values))]
    found += [f"the id prefix {p}_ is missing" for p in sorted(id_prefixes(src)) if f"`{p}_`" not in text]
    return found


def test_glossary_lists_every_word_in_data_flow_order():
    # When
    headings = re.findall(r"^### (.+)$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)

    # Then
    assert [heading for heading in headings if heading in WORDS] == list(WORDS)


def test_every_word_is_explained_in_a_sentence_or_a_few():
    text = GLOSSARY.read_text(encoding="utf-8")
    for word in WORDS:
        body = re.search(rf"^### {word}\n+(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
        assert body, word
        assert 40 <= len(body[1].strip()) <= 700, word


def test_glossary_lists_every_state_in_the_code():
    assert unlisted(SRC, GLOSSARY.read_text(encoding="utf-8")) == []


CODE = 'class CopyState(StrEnum):\n    GONE = "gone"\n    FAILED = "failed"\n\nx = new_public_id("cpy")\n'


@pytest.mark.parametrize(
    ("text", "troubles"),
    [
        ("| `action.CopyState` | `gone`, `failed` |\n`cpy_`", 0),
        ("| `action.CopyState` | `gone` |\n`cpy_`", 1),
        ("| `action.CopyState` | `gone`, `failed`, `lost` |\n`cpy_`", 1),
        ("| `action.CopyState` | `gone`, `failed` |", 1),
        ("", 2),
    ],
)
def test_missing_state_is_noticed(text, troubles, tmp_path):
    src = write_tree(tmp_path, {"action/terms.py": CODE})
    assert len(unlisted(src, text)) == troubles
