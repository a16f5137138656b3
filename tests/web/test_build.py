"""The committed worker is what its sources give, and the joiner refuses what it must."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

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


def test_whatever_a_published_script_imports_is_published_too(build: ModuleType) -> None:
    published = {line.split("  ")[1] for line in (WEB / "dist" / "SHA256SUMS").read_text().splitlines()}

    for name in published - {f"dist/{build.WORKER}"}:
        assert set(build.IMPORT.findall((WEB / name).read_text())) <= published, name


@pytest.mark.parametrize(
    "code", ["fetch('/x');", "new WebSocket(x);", "import('/x');", "new Worker('/x');", "eval('1');"]
)
def test_a_word_that_reaches_a_network_is_refused(build: ModuleType, code: str) -> None:
    with pytest.raises(build.BuildRefused):
        build.check_reaches_no_network(f"const a = 1;\n{code}\n")


def test_a_name_declared_twice_is_refused(build: ModuleType) -> None:
    with pytest.raises(build.BuildRefused, match="declared twice: a"):
        build.check_declared_once("const a = 1;\nfunction a() {}\n")
