"""The browser's kernel: the committed files are what the source gives, and they give what CPython's gives."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from staydown import _native
from tests.staydown.fingerprint.pictures import KINDS, picture

ROOT = Path(__file__).parents[2]
KERNELS = ROOT / "web" / "kernel"
NAMES = ("staydown.simd.wasm", "staydown.base.wasm")

SIZES = ((5, 5), (64, 64), (129, 65), (333, 777), (512, 512), (1201, 907), (2000, 7), (7, 2000))


def _run(kernel: str, jobs: list[dict[str, object]], folder: Path) -> list[dict[str, object]]:
    (folder / "jobs.json").write_text(json.dumps(jobs))
    script = Path(__file__).with_name("run_wasm.mjs")
    command = ["node", str(script), str(KERNELS / kernel), str(folder / "jobs.json")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    answers: list[dict[str, object]] = json.loads(run.stdout)
    return answers


@pytest.mark.skipif(shutil.which("clang-14") is None, reason="clang-14 is not installed")
def test_rebuilt_kernels_equal_the_committed_ones_byte_for_byte(tmp_path: Path) -> None:
    # When both kernels are built again from the source
    subprocess.run([ROOT / "native" / "wasm" / "build.sh", tmp_path], check=True, timeout=60)

    # Then they are the committed files
    for name in NAMES:
        rebuilt = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        assert rebuilt == hashlib.sha256((KERNELS / name).read_bytes()).hexdigest(), name


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("kernel", NAMES)
def test_wasm_gives_the_codes_of_the_cpython_kernel(kernel: str, tmp_path: Path) -> None:
    # Given pictures of every kind, as RGB and as a canvas gives them (RGBA), in strips of different heights
    jobs: list[dict[str, object]] = []
    expected = []
    for number, (width, height) in enumerate(SIZES):
        for kind in KINDS[:3]:
            pixels = picture(kind, width, height, seed=number)
            if number % 2:
                pixels = np.ascontiguousarray(np.dstack([pixels, np.full((height, width), 255, np.uint8)]))
            file = tmp_path / f"{number}-{kind}.raw"
            file.write_bytes(pixels.tobytes())
            jobs.append(
                {
                    "file": str(file),
                    "width": width,
                    "height": height,
                    "channels": pixels.shape[2],
                    "strip": 1 + number * 9,
                }
            )
            codes, qualities = _native.photo_codes(pixels)
            expected.append({"codes": codes.hex(), "qualities": list(qualities)})

    # When the wasm kernel takes them, Then all 512 bytes and both qualities are the same
    assert _run(kernel, jobs, tmp_path) == expected


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("kernel", NAMES)
def test_wasm_gives_the_digests_of_hashlib(kernel: str, tmp_path: Path) -> None:
    # Given files around the 64-byte block and its padding
    jobs: list[dict[str, object]] = []
    expected = []
    for length in (0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 100_003):
        data = picture("noise", length // 3 + 1, 1).tobytes()[:length]
        file = tmp_path / f"{length}.bin"
        file.write_bytes(data)
        jobs.append({"digest": str(file), "part": 1000})
        expected.append({"digests": hashlib.md5(data).hexdigest() + hashlib.sha256(data).hexdigest()})

    # When the wasm kernel takes them in parts, Then both digests are those of hashlib
    assert _run(kernel, jobs, tmp_path) == expected
