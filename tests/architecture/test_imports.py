"""Who may import whom: the contracts of pyproject.toml, run on the house and on small ones that break it."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.survey import DJANGO_FREE, ROOT, SRC, imports, modules

PYPROJECT = ROOT / "pyproject.toml"
SETTINGS = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]
LAYERS, SDK, NO_DJANGO = SETTINGS["contracts"]


def lint(folder: Path, *, config: Path) -> subprocess.CompletedProcess[str]:
    """Runs import-linter from `folder`."""
    command = (
        "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    )
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache", "--no-logo", "--config", str(config)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src"), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def small_house(root: Path, files: dict[str, str]) -> Path:
    """A house with every part that exists in the layers, under another name, with some files changed."""
    package = root / "src" / "smallhouse"
    names = {name for layer in LAYERS["layers"] for name in re.findall(r"\w+", layer)}
    for name in names:
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").touch()
    (package / "__init__.py").touch()
    # The one exception that a contract names has to be there.
    (package / "client" / "django.py").write_text("import django\n")
    for name, text in files.items():
        (package / name).write_text(text)
    config = root / "pyproject.toml"
    config.write_text(PYPROJECT.read_text().replace("staydown", "smallhouse"))
    return config


def test_house_keeps_its_layers():
    # When
    result = lint(ROOT, config=PYPROJECT)

    # Then
    assert result.returncode == 0, f"an import goes the wrong way:\n{result.stdout}{result.stderr}"


def test_small_house_without_a_wrong_import_passes(tmp_path):
    # Given
    config = small_house(tmp_path, {"desk/pages.py": "from smallhouse.bank import queries\n"})
    (tmp_path / "src/smallhouse/bank/queries.py").touch()

    # When
    result = lint(tmp_path, config=config)

    # Then
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("files", "told"),
    [
        pytest.param({"bank/rules.py": "import smallhouse.journeys\n"}, "bank", id="upwards"),
        pytest.param({"bank/rules.py": "import smallhouse.cases\n"}, "bank", id="a stranger"),
        pytest.param({"desk/a.py": "def f():\n    import smallhouse.cli\n"}, "desk", id="a stranger, late"),
        pytest.param({"client/a.py": "import smallhouse.journal\n"}, "client", id="the SDK above matching"),
        pytest.param({"errors/a.py": "import smallhouse.problem\n"}, "errors", id="the root of errors"),
        pytest.param({"law/a.py": "import django.utils.timezone\n"}, "django", id="Django"),
        pytest.param(
            {"client/a.py": "import smallhouse.law.b\n", "law/b.py": "import django\n"},
            "django",
            id="Django behind another package",
        ),
        pytest.param({"shortcuts.py": "\n"}, "shortcuts", id="a part that no layer knows"),
    ],
)
def test_wrong_import_is_noticed(tmp_path, files, told):
    # Given
    config = small_house(tmp_path, files)

    # When
    result = lint(tmp_path, config=config)

    # Then
    assert result.returncode == 1
    assert told in result.stdout


def django_free_that_exist() -> list[str]:
    return [
        name
        for name in DJANGO_FREE
        if (SRC / "staydown" / name / "__init__.py").exists() or (SRC / "staydown" / f"{name}.py").exists()
    ]


def test_contract_against_django_names_every_part_that_must_keep_it():
    # When
    named = {name.removeprefix("staydown.") for name in NO_DJANGO["source_modules"]}

    # Then
    missing = set(django_free_that_exist()) - named
    assert not missing, (
        f"add to the third contract of [tool.importlinter] in pyproject.toml: {sorted(missing)}"
    )


def test_module_for_django_platforms_is_imported_by_nothing_else():
    """It is the one exception to the contract, so it must not carry Django into the rest."""
    found = [
        module.name
        for module in modules(SRC)
        for name, _ in imports(module)
        if name.startswith("staydown.client.django")
    ]

    assert found == []


@pytest.mark.parametrize("name", django_free_that_exist())
def test_part_can_be_imported_without_django(name):
    """What the import graph cannot see: an import made by name at run time."""
    # Given a process in which importing Django fails
    program = (
        "import sys, pkgutil, importlib\n"
        "sys.modules['django'] = None\n"
        f"part = importlib.import_module('staydown.{name}')\n"
        "for found in pkgutil.walk_packages(getattr(part, '__path__', []), part.__name__ + '.'):\n"
        "    if not found.name.endswith('.__main__') and found.name != 'staydown.client.django':\n"
        "        importlib.import_module(found.name)\n"
    )

    # When
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )

    # Then
    assert result.returncode == 0, f"staydown.{name} reaches for Django:\n{result.stderr}"
