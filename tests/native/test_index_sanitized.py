"""The index kernel under the sanitizers, against a plain scan and with damaged files."""

import shutil
import subprocess
from pathlib import Path

import pytest

NATIVE = Path(__file__).parents[2] / "native"


SOURCES = [NATIVE / f"index{part}.c" for part in ("", "_build", "_file", "_layout", "_search")]


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_index_runs_clean_under_the_sanitizers(tmp_path: Path, sanitizers: str) -> None:
    # Given the index and its driver, built with these sanitizers
    program = tmp_path / "driver"
    build = ["gcc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]
    build += [
        f"-fsanitize={sanitizers}",
        "-fno-sanitize-recover=all",
        f"-I{NATIVE / 'include'}",
        f"-I{NATIVE}",
    ]
    sources = [*SOURCES, Path(__file__).with_name("driver_index.c")]
    subprocess.run([*build, *map(str, sources), "-o", str(program)], check=True, timeout=60)

    # When it adds, removes, saves, opens, searches beside changes and merges, and opens damaged files
    run = subprocess.run([program, tmp_path], capture_output=True, text=True, timeout=120, check=False)

    # Then every check held and no sanitizer spoke
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 2000
    assert run.stderr == ""
