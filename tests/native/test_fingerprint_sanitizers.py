"""The fingerprint kernel under the address and undefined-behaviour sanitizers, fed from exact-size memory."""

import shutil
import subprocess
from pathlib import Path

import pytest

NATIVE = Path(__file__).parents[2] / "native"


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_kernel_runs_clean_under_address_and_undefined_behaviour_sanitizers(tmp_path: Path) -> None:
    # Given the kernel and its driver, built with both sanitizers
    program = tmp_path / "driver"
    build = ["gcc", "-std=gnu11", "-O1", "-g", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]
    build += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{NATIVE / 'include'}"]
    sources = [
        *(NATIVE / f"{part}.c" for part in ("photo", "exact", "operator", "code", "digest")),
        Path(__file__).with_name("driver_fingerprint.c"),
    ]
    subprocess.run([*build, *map(str, sources), "-o", str(program)], check=True, timeout=60)

    # When it walks sizes, strips, channels, refusals and digest lengths
    run = subprocess.run([program], capture_output=True, text=True, timeout=300, check=False)

    # Then no check fails and no sanitizer speaks
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.strip()) == 8
    assert run.stderr == ""
