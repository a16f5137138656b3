"""The SDK works where nothing but the core is installed: no Django, no server, no extra."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib

from tests.architecture.survey import ROOT, SRC

# Django's own module is for platforms that have Django.
PROGRAM = """
import importlib, pkgutil, sys

allowed = set(sys.argv[1].split(","))

class OnlyTheCore:
    def find_spec(self, name, path=None, target=None):
        first = name.partition(".")[0]
        if first not in allowed and first not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"{name} is not in the core", name=name)

sys.meta_path.insert(0, OnlyTheCore())
import staydown.client
names = [found.name for found in pkgutil.walk_packages(staydown.client.__path__, "staydown.client.")]
for name in names:
    if name != "staydown.client.django":
        importlib.import_module(name)
print(len(names))
"""


def core_modules() -> set[str]:
    """Top-level modules of the core's dependencies and of theirs, as they are installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting, found = list(project["dependencies"]), set()
    while waiting:
        name = re.match(r"[\w.-]+", waiting.pop())
        assert name is not None
        plain = re.sub(r"[-_.]+", "-", name[0]).lower()
        if plain in found:
            continue
        found.add(plain)
        waiting += needed_by(plain)
    by_module = importlib.metadata.packages_distributions()
    return {
        module
        for module, names in by_module.items()
        if any(re.sub(r"[-_.]+", "-", name).lower() in found for name in names)
    }


def needed_by(name: str) -> list[str]:
    try:
        needed = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:  # needed by other versions of Python only
        return []
    return [one for one in needed if "extra ==" not in one]


def imported_with(modules: set[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(modules)],
        env=os.environ | {"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_module_but_djangos_is_imported_with_the_core_alone():
    result = imported_with(core_modules() | {"staydown"})

    assert (result.returncode, result.stderr) == (0, "")
    assert int(result.stdout) > 15


def test_core_holds_no_server():
    assert not core_modules() & {"django", "starlette", "uvicorn", "msgspec", "ninja", "a2wsgi"}


def test_missing_dependency_is_noticed():
    result = imported_with(core_modules() - {"httpx"} | {"staydown"})

    assert result.returncode != 0
    assert "httpx is not in the core" in result.stderr
