"""The browser's kernel: the committed files are what the source gives, and they give what CPython's gives."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from staydown.fingerprint.kernel import Method, Rectangle, scan_strips
from tests.staydown.fingerprint.pictures import KINDS, picture

ROOT = Path(__file__).parents[2]
KERNELS = ROOT / "web" / "kernel"
NAMES = ("staydown.simd.wasm", "staydown.base.wasm")

FLAGS = (0, 1, 2, 3)  # exact or fast, with or without the plane that views need
STEPS = (1, 2, 4, 8)  # by what a decoder has reduced the picture; only the fast path takes more than 1

SIZES = ((5, 5), (64, 64), (129, 65), (333, 777), (512, 512), (1201, 907), (2000, 7), (7, 2000), (2300, 1100))


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
    # Given pictures of every kind, as RGB and as a canvas gives them (RGBA), in strips of different heights,
    # by every path: exact or fast, with or without the plane, whole or reduced by a decoder
    jobs: list[dict[str, object]] = []
    expected = []
    for number, (width, height) in enumerate(SIZES):
        for kind_number, kind in enumerate(KINDS[:3]):
            flags = FLAGS[number % len(FLAGS)]
            step = STEPS[(number + kind_number) % len(STEPS)] if flags & 1 else 1
            fed_width, fed_height = -(-width // step), -(-height // step)
            pixels = picture(kind, fed_width, fed_height, seed=number)
            if number % 2:
                opaque = np.full((fed_height, fed_width), 255, np.uint8)
                pixels = np.ascontiguousarray(np.dstack([pixels, opaque]))
            file = tmp_path / f"{number}-{kind}.raw"
            file.write_bytes(pixels.tobytes())
            scan, whole = scan_strips(
                [pixels],
                width=width,
                height=height,
                step=step,
                method=Method.FAST if flags & 1 else Method.EXACT,
                keeps_plane=flags > 1,
            )
            job: dict[str, object] = {
                "file": str(file),
                "width": width,
                "height": height,
                "channels": pixels.shape[2],
                "strip": 1 + number * 9,
                "step": step,
                "flags": flags,
            }
            answer: dict[str, object] = {
                "codes": (whole.pdq.codes + whole.pdq512.codes).hex(),
                "qualities": [whole.pdq.quality, whole.pdq512.quality],
                "margin": whole.margin,
            }
            if flags > 1:
                left, top = width // 5, height // 7
                rectangle = Rectangle(left, top, max(5, width - 2 * left), max(5, height - 2 * top))
                job["view"] = [rectangle.left, rectangle.top, rectangle.width, rectangle.height]
                view = scan.view(rectangle)
                answer["view"] = [view.codes.hex(), view.quality]
            jobs.append(job)
            expected.append(answer)

    # When the wasm kernel takes them, Then codes, qualities, margin and view are the same
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
