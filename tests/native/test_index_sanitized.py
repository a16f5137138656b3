"""The index kernel under the sanitizers, against a plain scan and with damaged files."""

import shutil
import subprocess
from pathlib import Path

import pytest

NATIVE = Path(__file__).parents[2] / "native"


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_index_runs_clean_under_address_and_undefined_behaviour_sanitizers(tmp_path: Path) -> None:
    # Given the index and its driver, built with both sanitizers
    program = tmp_path / "driver"
    build = ["gcc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]
    build += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{NATIVE / 'include'}"]
    sources = [NATIVE / "index.c", NATIVE / "index_file.c", NATIVE / "index_search.c"]
    sources += [Path(__file__).with_name("driver_index.c")]
    subprocess.run([*build, *map(str, sources), "-o", str(program)], check=True, timeout=60)

    # When it adds, removes, saves, opens, searches in two threads, and opens damaged files
    run = subprocess.run([program, tmp_path], capture_output=True, text=True, timeout=60, check=False)

    # Then every check held and no sanitizer spoke
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 2000
    assert run.stderr == ""
