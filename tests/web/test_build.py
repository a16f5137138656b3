"""The committed worker is what its sources give, and the joiner refuses what it must."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from staydown.fingerprint import DEFAULT_SET, DERIVATION_SETS

WEB = Path(__file__).resolve().parents[2] / "web"


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("web_build", WEB / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_worker_equals_a_fresh_build(build: ModuleType, tmp_path: Path) -> None:
    build.main(["--into", str(tmp_path)])

    for name in ("fingerprint-worker.js", "SHA256SUMS"):
        assert (tmp_path / name).read_bytes() == (WEB / "dist" / name).read_bytes(), "run script/build-web"
    assert build.main(["--check"]) == 0


def test_the_published_digests_are_those_of_the_files() -> None:
    for line in (WEB / "dist" / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((WEB / name).read_bytes()).hexdigest() == digest, name


def test_every_script_that_is_served_to_a_page_is_published() -> None:
    published = {line.split("  ")[1] for line in (WEB / "dist" / "SHA256SUMS").read_text().splitlines()}

    served = {path.relative_to(WEB).as_posix() for path in [*WEB.glob("*.js"), *(WEB / "dist").glob("*.js")]}
    assert published == served, "run script/build-web"


def test_whatever_a_published_script_imports_is_published_too(build: ModuleType) -> None:
    published = {line.split("  ")[1] for line in (WEB / "dist" / "SHA256SUMS").read_text().splitlines()}

    for name in {name for name in published if "/" not in name}:
        assert set(build.IMPORT.findall((WEB / name).read_text())) <= published, name


def test_the_committed_worker_registers_the_default_set_name_by_name(build: ModuleType) -> None:
    # Given the worker as browsers get it
    worker = (WEB / "dist" / build.WORKER).read_text()
    found = re.search(r"^const DERIVATION_SET = (\{.*?\n\});$", worker, re.MULTILINE | re.DOTALL)

    # Then its set is that of data/fingerprint/derivations.json, in that order
    assert found is not None
    expected = DERIVATION_SETS[DEFAULT_SET].derivations
    told = {algorithm.value: list(names) for algorithm, names in expected.items()}
    assert json.loads(found[1]) == told, "derivations.json has changed: run script/build-web"
    assert build.DEFAULT_SET == DEFAULT_SET


def test_another_choice_of_derivations_needs_a_build_and_no_more(build: ModuleType, tmp_path: Path) -> None:
    # Given derivations of which the default set has one more
    chosen = json.loads(build.DERIVATIONS.read_text())
    chosen["sets"][DEFAULT_SET]["pdq"].append("cc51")
    changed = tmp_path / "derivations.json"
    changed.write_text(json.dumps(chosen))
    other = ["--derivations", str(changed)]

    # Then the check of the committed worker fails, and passes after a build
    assert build.main(["--check", *other]) == 1
    into = ["--into", str(tmp_path)]
    build.main([*other, *into])
    assert build.main(["--check", *other, *into]) == 0
    assert '"cc51"]' in (tmp_path / build.WORKER).read_text()


@pytest.mark.parametrize("sets", [{}, {DEFAULT_SET: {"pdq": ["full"]}}])
def test_derivations_without_the_default_set_are_refused(
    build: ModuleType, tmp_path: Path, sets: object
) -> None:
    path = tmp_path / "derivations.json"
    path.write_text(json.dumps({"sets": sets}))

    with pytest.raises(build.BuildRefused, match=DEFAULT_SET):
        build.derivation_constant(path)


@pytest.mark.parametrize(
    "code", ["fetch('/x');", "new WebSocket(x);", "import('/x');", "new Worker('/x');", "eval('1');"]
)
def test_a_word_that_reaches_a_network_is_refused(build: ModuleType, code: str) -> None:
    with pytest.raises(build.BuildRefused):
        build.check_reaches_no_network(f"const a = 1;\n{code}\n")


def test_a_name_declared_twice_is_refused(build: ModuleType) -> None:
    with pytest.raises(build.BuildRefused, match="declared twice: a"):
        build.check_declared_once("const a = 1;\nfunction a() {}\n")
