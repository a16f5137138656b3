"""Inside a stage: which modules there may be, who imports whom, and what stays pure (conventions 8-12)."""

import ast

import pytest

from tests.architecture.survey import (
    DOORS,
    SRC,
    STAGES,
    imports,
    imports_within,
    modules,
    place,
    write_tree,
)

# Each imports only those to its right.
ORDER = ("operations", "queries", "models", "rules", "errors", "terms")
DJANGO_NEEDS = {"__init__", "apps", "migrations", "admin"}
# A stage that needs one more module says here why, and where in the order it stands: before which.
EXTRA = {
    "staydown.ledger.checkpoint": (
        "rules",
        "other people's formats (C2SP), which change for other reasons than our tree; pure like rules",
    ),
}
# Not journeys but what several journeys need; they import no journey themselves.
SHARED_BY_JOURNEYS = {
    "staydown.journeys.events": "the kinds of event that journeys write into the ledger",
    "staydown.journeys.publishing": "carries what a commit changed into the files of the upload check",
    "staydown.journeys.withdrawing": "what withdrawing does, for each journey that withdraws",
    "staydown.journeys.turn": "lets one writing journey work at a time, on both databases",
}

IMPURE_MODULES = (
    "django",
    "time",
    "random",
    "secrets",
    "os",
    "io",
    "pathlib",
    "shutil",
    "tempfile",
    "socket",
    "subprocess",
    "sqlite3",
    "threading",
    "asyncio",
    "logging",
    "httpx",
    "requests",
    "urllib.request",
)
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__"}
CLOCKS = {"now", "utcnow", "today"}


def stage_of(module):
    return module.package if module.package in STAGES else None


def part_of(module):
    """operations, queries, ...; the first part of the name below the stage."""
    parts = module.name.split(".")
    return parts[2] if len(parts) > 2 else "__init__"


def unknown_parts(src):
    """Modules of a stage that are neither one of the six nor listed as extra."""
    return [
        f"{place(module, 1)}: a stage holds {', '.join(ORDER)}; list an extra module with its reason in EXTRA"
        for module in modules(src)
        if stage_of(module) and part_of(module) not in {*ORDER, *DJANGO_NEEDS} and module.name not in EXTRA
    ]


def rank(name):
    """How far to the right a module of a stage stands; extras stand just before the module they name."""
    if name in EXTRA:
        return ORDER.index(EXTRA[name][0]) - 0.5
    part = name.split(".")[2]
    return ORDER.index(part) if part in ORDER else None


def wrong_way(src):
    """Imports inside a stage that do not go to the right."""
    found = []
    for module in modules(src):
        stage = stage_of(module)
        mine = rank(module.name) if stage and part_of(module) != "__init__" else None
        if mine is None:
            continue
        for name, line in imports(module):
            if name.count(".") < 2 or not name.startswith(f"staydown.{stage}."):
                continue
            target = next((extra for extra in EXTRA if imports_within(name, extra)), None)
            other = rank(target or ".".join(name.split(".")[:3]))
            if other is not None and other <= mine and target != module.name:
                found.append(f"{place(module, line)}: {part_of(module)} imports {name}")
    return sorted(set(found))


def impure(src):
    """What a rules.py, or an extra module that counts as one, does besides computing."""
    found = []
    for module in modules(src):
        if module.last != "rules" and module.name not in EXTRA:
            continue
        for name, line in imports(module):
            if any(imports_within(name, banned) for banned in IMPURE_MODULES):
                found.append(f"{place(module, line)}: imports {name}")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                called = node.func
                if isinstance(called, ast.Name) and called.id in IMPURE_CALLS:
                    found.append(f"{place(module, node.lineno)}: calls {called.id}()")
                if isinstance(called, ast.Attribute) and called.attr in CLOCKS:
                    found.append(f"{place(module, node.lineno)}: asks the clock; take `now` as an argument")
    return sorted(set(found))


def models_reached(src):
    """Doors and journeys that import a stage's models."""
    found = []
    for module in modules(src):
        if module.package not in {*DOORS, "journeys"}:
            continue
        for name, line in imports(module):
            if any(imports_within(name, f"staydown.{stage}.models") for stage in STAGES):
                found.append(f"{place(module, line)}: imports {name}; ask queries or operations for terms")
    return sorted(set(found))


def journeys_calling_journeys(src):
    """Journeys that import another journey."""
    found = []
    for module in modules(src):
        if module.package != "journeys":
            continue
        for name, line in imports(module):
            parts = name.split(".")
            other = ".".join(parts[:3])
            if parts[:2] != ["staydown", "journeys"] or other in {module.name, "staydown.journeys"}:
                continue
            if other not in SHARED_BY_JOURNEYS:
                found.append(f"{place(module, line)}: a journey imports the journey {other}")
    return sorted(set(found))


def logic_in_models(src):
    """save() overrides, signals and business methods in models.py (convention 11)."""
    allowed = {"__str__", "__repr__"}
    found = []
    for module in modules(src):
        if module.last != "models" or not stage_of(module):
            continue
        found += [
            f"{place(module, line)}: imports {name}; a stage has no signals"
            for name, line in imports(module)
            if imports_within(name, "django.dispatch") or imports_within(name, "django.db.models.signals")
        ]
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                found += [
                    f"{place(module, member.lineno)}: {node.name}.{member.name} is a method of a table"
                    for member in node.body
                    if isinstance(member, ast.FunctionDef) and member.name not in allowed
                ]
    return sorted(set(found))


CHECKS = {
    "modules of a stage": unknown_parts,
    "order inside a stage": wrong_way,
    "rules are pure": impure,
    "doors and journeys see terms, not models": models_reached,
    "journeys never call journeys": journeys_calling_journeys,
    "models are tables": logic_in_models,
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_house_keeps_the_rule(check):
    assert check(SRC) == []


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_small_clean_house_keeps_the_rule(check, tmp_path):
    # Given
    src = write_tree(
        tmp_path,
        {
            "bank/terms.py": "x = 1\n",
            "bank/errors.py": "from staydown.bank.terms import x\n",
            "bank/rules.py": "from datetime import datetime\nfrom staydown.bank import errors\n",
            "bank/models.py": "from staydown.bank.rules import errors\n",
            "bank/queries.py": "from .models import errors\n",
            "bank/operations.py": "from staydown.bank.queries import errors\n",
            "journeys/events.py": "kinds = ()\n",
            "journeys/file.py": "from staydown.bank.operations import errors\nfrom . import events\n",
            "desk/pages.py": "from staydown.bank.queries import errors\n",
        },
    )

    # Then
    assert check(src) == []


@pytest.mark.parametrize(
    ("check", "files", "told"),
    [
        (unknown_parts, {"bank/helpers.py": ""}, "a stage holds"),
        (wrong_way, {"bank/terms.py": "from staydown.bank import rules\n"}, "terms imports"),
        (wrong_way, {"bank/rules.py": "from .models import Entry\n"}, "rules imports"),
        (
            wrong_way,
            {"bank/queries.py": "def f():\n    import staydown.bank.operations\n"},
            "queries imports",
        ),
        (wrong_way, {"ledger/rules.py": "from staydown.ledger import checkpoint\n"}, "rules imports"),
        (wrong_way, {"ledger/checkpoint.py": "from staydown.ledger import models\n"}, "checkpoint imports"),
        (impure, {"bank/rules.py": "from django.utils import timezone\n"}, "imports django"),
        (impure, {"bank/rules.py": "import time\n"}, "imports time"),
        (impure, {"bank/rules.py": "from os import urandom\n"}, "imports os"),
        (impure, {"bank/rules.py": "x = open('a').read()\n"}, "calls open"),
        (impure, {"law/rules.py": "import datetime\nx = datetime.datetime.now()\n"}, "asks the clock"),
        (impure, {"ledger/checkpoint.py": "import secrets\n"}, "imports secrets"),
        (models_reached, {"desk/pages.py": "from staydown.bank.models import Entry\n"}, "imports"),
        (models_reached, {"journeys/file.py": "from staydown.bank import models\n"}, "imports"),
        (
            journeys_calling_journeys,
            {"journeys/file.py": "", "journeys/withdraw.py": "from staydown.journeys.file import f\n"},
            "imports the journey",
        ),
        (
            journeys_calling_journeys,
            {"journeys/file.py": "", "journeys/events.py": "from . import file\n"},
            "imports the journey",
        ),
        (logic_in_models, {"bank/models.py": "class A:\n    def save(self): ...\n"}, "A.save"),
        (logic_in_models, {"bank/models.py": "from django.dispatch import receiver\n"}, "no signals"),
    ],
)
def test_house_that_breaks_the_rule_is_noticed(check, files, told, tmp_path):
    # When
    found = check(write_tree(tmp_path, files))

    # Then
    assert len(found) >= 1
    assert any(told in line for line in found)
