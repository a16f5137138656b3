"""Convention 13: foreign keys point up the flow. A stage may point to itself or to earlier ones."""

import ast

import pytest

from tests.architecture.survey import SRC, STAGES, modules, place, write_tree

RELATIONS = {"ForeignKey", "OneToOneField", "ManyToManyField"}


def target_stage(node, module):
    """The stage that a relation's target lies in; None if it cannot be told from the source."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.split(".")[0] if "." in node.value else module.package
    if isinstance(node, ast.Attribute) and node.attr == "AUTH_USER_MODEL":
        return "access"
    if isinstance(node, ast.Name):
        for found in ast.walk(module.tree):
            if isinstance(found, ast.ImportFrom) and any(
                (alias.asname or alias.name) == node.id for alias in found.names
            ):
                parts = (found.module or "").split(".")
                return parts[1] if parts[0] == "staydown" and len(parts) > 1 else parts[0]
        return module.package
    return None


def downward_keys(src):
    """Relations that point to a later stage, or to something that is no stage."""
    found = []
    for module in modules(src):
        if module.package not in STAGES or module.last != "models":
            continue
        for node in ast.walk(module.tree):
            if not (isinstance(node, ast.Call) and getattr(node.func, "attr", "") in RELATIONS):
                continue
            to = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "to"), None)
            target = target_stage(to, module)
            if target not in STAGES:
                found.append(f"{place(module, node.lineno)}: points to {target}, which is no stage")
            elif STAGES.index(target) > STAGES.index(module.package):
                found.append(f"{place(module, node.lineno)}: {module.package} points down to {target}")
    return found


def test_foreign_keys_point_up_the_flow():
    assert downward_keys(SRC) == []


@pytest.mark.parametrize(
    "key",
    [
        'models.ForeignKey("bank.EntryRecord", on_delete=models.PROTECT)',
        'models.OneToOneField(to="bank.EntryRecord", on_delete=models.PROTECT)',
        "models.ManyToManyField(EntryRecord)",
        'models.ForeignKey("desk.Note", on_delete=models.CASCADE)',
        "models.ForeignKey(chosen(), on_delete=models.CASCADE)",
    ],
)
def test_key_that_points_down_or_aside_is_noticed(key, tmp_path):
    # Given
    text = f"from staydown.bank.models import EntryRecord\nclass A:\n    x = {key}\n"

    # Then
    assert len(downward_keys(write_tree(tmp_path, {"cases/models.py": text}))) == 1


@pytest.mark.parametrize(
    "key",
    [
        'models.ForeignKey("cases.CaseRecord", on_delete=models.PROTECT)',
        "models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)",
        'models.ForeignKey("self", on_delete=models.PROTECT)',
        "models.ForeignKey(B, on_delete=models.PROTECT)",
    ],
)
def test_key_that_points_up_passes(key, tmp_path):
    text = f"class B: ...\nclass A:\n    x = {key}\n"
    assert downward_keys(write_tree(tmp_path, {"bank/models.py": text})) == []
