"""One bad file among good ones stops nothing: each is told on a line of its own, and the rest goes on."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from staydown.fingerprint import DERIVATIONS, fingerprint_image
from tests.staydown.fingerprint.files import encoded, jpeg, png_of_zeros, webp_claim
from tests.staydown.fingerprint.odd_files import gif, gif_image, png, tiff
from tests.staydown.fingerprint.odd_iso import coded_image, grid
from tests.staydown.fingerprint.pictures import picture

BAD: dict[str, bytes] = {
    "empty.jpg": b"",
    "text.jpg": b"A letter.",
    "cut.jpg": jpeg()[:5000],
    "cut.png": encoded(picture("landscape", 320, 240), "PNG")[:3000],
    "tiny.png": png(picture("landscape", 4, 4)),
    "bomb.png": png_of_zeros(40_000, 40_000, rows=9),
    "bomb.webp": webp_claim(16_383, 16_383),
    "bomb.gif": gif(9, 9, gif_image(0, 0, 65_535, 65_535)),
    "bomb.tif": tiff(picture("landscape", 64, 48), further=[(256, 4, 1, b"\xff\xff\xff\x7f")]),
    "bomb.avif": grid(
        coded_image(encoded(picture("landscape", 64, 64), "AVIF")),
        tile_size=(64, 64),
        columns=40,
        rows=40,
        size=(2560, 2560),
    ),
    "new.jxl": b"\xff\x0a" + bytes(50),
}
GOOD: dict[str, bytes] = {
    "a.jpg": jpeg(),
    "b.png": encoded(picture("checks", 200, 100), "PNG"),
    "c is a jpeg.png": jpeg(200, 100),
    "z.gif": encoded(picture("ramp", 200, 100), "GIF"),
}


def _command() -> list[str]:
    """The command, without the right of root to read what it may not."""
    command = [sys.executable, "-m", "staydown", "fingerprint"]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("setpriv is not installed")
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    return command


def test_bad_files_in_a_folder_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    # Given a folder with good files, bad ones, one that may not be read, a pipe, and links into the void
    for name, data in {**GOOD, **BAD}.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "private.jpg").write_bytes(jpeg())
    (tmp_path / "private.jpg").chmod(0)
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "void.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    special = ["/dev/zero", str(tmp_path / "absent.jpg")]

    # When all are fingerprinted at once
    run = subprocess.run(
        [*_command(), "--set", "turns8", "--workers", "2", str(tmp_path), *special],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    # Then there is a line for each, in order, and the exit code says that some failed
    assert run.returncode == 1, run.stderr
    lines = {Path(line["path"]).name: line for line in map(json.loads, run.stdout.splitlines())}
    trouble = {*BAD, "private.jpg", "pipe.jpg", "void.jpg", "loop.jpg", "zero", "absent.jpg"}
    assert set(lines) == {*GOOD, *trouble}

    # Then each bad one has a sentence
    for name in trouble:
        assert lines[name].get("error", "").endswith("."), lines[name]
    assert "no ordinary file" in lines["pipe.jpg"]["error"]
    assert "no ordinary file" in lines["zero"]["error"]
    assert "JPEG XL" in lines["new.jxl"]["error"]

    # Then each good one has its fingerprints
    for name, data in GOOD.items():
        expected = fingerprint_image(data, derive="turns8")
        assert lines[name]["sha256"] == expected.digests.sha256
        assert lines[name]["pdq"]["hex"] == expected.fingerprints[0].hex
        assert expected.fingerprints[0].derivation == DERIVATIONS[0]
