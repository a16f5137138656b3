"""Convention 45: each app's migrations are one line, and max_migration.txt names the last.

Two branches that each add a migration then conflict in that file, in review, instead of on a server.
"""

import ast
import re

import pytest
from django.core.management import call_command

from tests.architecture.survey import SRC, STAGES, write_tree


def own_parents(path, app):
    """The migrations of the same app that this one depends on."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "dependencies" for target in targets):
            return [
                pair.elts[1].value
                for pair in node.value.elts
                if isinstance(pair, ast.Tuple) and pair.elts[0].value == app
            ]
    return []


def bent_histories(src):
    """Apps whose migrations are not one line, or whose max_migration.txt names another than the last."""
    found = []
    for folder in sorted(src.glob("staydown/*/migrations")):
        app = folder.parent.name
        migrations = sorted(path for path in folder.glob("*.py") if re.match(r"\d{4}_", path.name))
        if not migrations:
            continue
        before = None
        for path in migrations:
            parents = own_parents(path, app)
            if parents != ([before] if before else []):
                found.append(f"{app}: {path.stem} follows {parents or 'nothing'}, not {before or 'nothing'}")
            before = path.stem
        last = folder / "max_migration.txt"
        named = last.read_text(encoding="utf-8").strip() if last.is_file() else None
        if named != before:
            found.append(f"{app}: migrations/max_migration.txt says {named!r}; write {before!r}")
    return found


def missing_histories(src):
    """Stages with tables but without a first migration."""
    return [
        stage
        for stage in STAGES
        if (src / "staydown" / stage / "models.py").is_file()
        and not list((src / "staydown" / stage / "migrations").glob("0001_*.py"))
    ]


def test_history_is_linear():
    assert bent_histories(SRC) == []


def test_every_stage_with_tables_has_a_history():
    assert missing_histories(SRC) == []


def a_migration(*parents):
    pairs = ", ".join(f"({app!r}, {name!r})" for app, name in parents)
    return f"class Migration:\n    dependencies = [{pairs}]\n"


FIRST = "bank/migrations/0001_initial.py"
SECOND = "bank/migrations/0002_more.py"


@pytest.mark.parametrize(
    ("files", "last"),
    [
        pytest.param({FIRST: a_migration()}, None, id="no file"),
        pytest.param(
            {FIRST: a_migration(), SECOND: a_migration(("bank", "0001_initial"))}, "0001_initial", id="old"
        ),
        pytest.param(
            {
                FIRST: a_migration(),
                SECOND: a_migration(("bank", "0001_initial")),
                "bank/migrations/0002_other.py": a_migration(("bank", "0001_initial")),
            },
            "0002_other",
            id="two branches",
        ),
        pytest.param({FIRST: a_migration(), SECOND: a_migration()}, "0002_more", id="loose"),
    ],
)
def test_bent_history_is_noticed(files, last, tmp_path):
    # Given
    src = write_tree(tmp_path, files)
    if last:
        (src / "staydown/bank/migrations/max_migration.txt").write_text(f"{last}\n")

    # Then
    assert len(bent_histories(src)) == 1


def test_straight_history_passes(tmp_path):
    # Given
    other = ("cases", "0001_initial")
    src = write_tree(
        tmp_path, {FIRST: a_migration(other), SECOND: a_migration(("bank", "0001_initial"), other)}
    )
    (src / "staydown/bank/migrations/max_migration.txt").write_text("0002_more\n")

    # Then
    assert bent_histories(src) == []


def test_tables_without_a_history_are_noticed(tmp_path):
    assert missing_histories(write_tree(tmp_path, {"bank/models.py": "x = 1\n"})) == ["bank"]


@pytest.mark.django_db
def test_models_and_migrations_say_the_same() -> None:
    """Raises SystemExit if one is missing; the order of a set must not make one (`sorted` in models)."""
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
