"""`staydown fingerprint` prints one line a file, in order, and goes on after a bad one."""

import hashlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from staydown.cli.fingerprint import command
from staydown.fingerprint import Algorithm, fingerprint_image
from tests.staydown.fingerprint.files import MP4_HEAD, jpeg


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "below").mkdir()
    (tmp_path / "b.jpg").write_bytes(jpeg(seed=1))
    (tmp_path / "a.jpg").write_bytes(jpeg(seed=2))
    (tmp_path / "below" / "c.jpg").write_bytes(jpeg(seed=3))
    return tmp_path


def _run(*arguments: object) -> tuple[Result, list[dict[str, Any]]]:
    result = CliRunner().invoke(command, ["--workers", "1", *map(str, arguments)])
    return result, [json.loads(line) for line in result.stdout.splitlines()]


def test_picture_is_one_json_line_with_the_agreed_fields(folder: Path) -> None:
    # When one picture is given
    path = folder / "a.jpg"
    result, lines = _run(path)

    # Then its line has exactly the agreed fields
    media = fingerprint_image(path)
    pdq, pdq512 = media.of(Algorithm.PDQ), media.of(Algorithm.PDQ512)
    assert pdq is not None
    assert pdq512 is not None
    assert result.exit_code == 0
    assert lines == [
        {
            "path": str(path),
            "media": "image",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "md5": hashlib.md5(path.read_bytes()).hexdigest(),
            "pdq": {"hex": pdq.hex, "quality": pdq.quality},
            "pdq512": {"hex": pdq512.hex, "quality": pdq512.quality},
            "derived": 14,
        }
    ]


def test_folder_and_pattern_are_searched_in_order(folder: Path) -> None:
    expected = [str(folder / name) for name in ("a.jpg", "b.jpg", "below/c.jpg")]
    assert [line["path"] for line in _run(folder)[1]] == expected
    assert [line["path"] for line in _run(folder / "**" / "*.jpg")[1]] == expected
    assert [line["path"] for line in _run(folder / "[ab].jpg")[1]] == expected[:2]


def test_file_whose_name_looks_like_a_pattern_is_taken_as_it_is(folder: Path) -> None:
    path = folder / "[ab].jpg"
    path.write_bytes(jpeg(seed=4))
    assert [line["path"] for line in _run(path)[1]] == [str(path)]


def test_bad_files_are_told_and_the_rest_go_on(folder: Path) -> None:
    # Given bad files between good ones
    (folder / "a1.jpg").write_text("a letter")
    (folder / "a2.jpg").write_bytes(jpeg()[:4000])
    (folder / "a3.jpg").touch()

    # When all are given, and a name that is nothing
    result, lines = _run(folder, folder / "absent.jpg")

    # Then each has its line, the bad ones say why, and the exit code tells
    assert result.exit_code == 1
    assert [(Path(line["path"]).name, line.get("error")) for line in lines] == [
        ("a.jpg", None),
        ("a1.jpg", "This is not a picture that can be read (JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF)."),
        ("a2.jpg", "The picture is damaged or incomplete."),
        ("a3.jpg", "The file is empty."),
        ("b.jpg", None),
        ("c.jpg", None),
        ("absent.jpg", "There is no such file."),
    ]
    assert all(line.keys() == {"path", "error"} for line in lines if "error" in line)


def test_video_has_digests_and_no_perceptual_codes(folder: Path) -> None:
    path = folder / "v.mp4"
    path.write_bytes(MP4_HEAD)
    _, lines = _run(path)
    assert lines[0]["media"] == "video"
    assert lines[0]["md5"] == hashlib.md5(MP4_HEAD).hexdigest()
    assert (lines[0]["pdq"], lines[0]["pdq512"], lines[0]["derived"]) == (None, None, 0)


def test_name_that_is_no_text_is_printed_as_json(folder: Path) -> None:
    # Given a name in a forgotten encoding
    name = os.fsdecode(os.fsencode(str(folder)) + b"/caf\xe9.jpg")
    Path(name).write_bytes(jpeg())

    # Then its line is still JSON, and gives the name back
    result, lines = _run(name)
    assert result.exit_code == 0
    assert lines[0]["path"] == name


def test_progress_goes_to_the_terminal_and_never_into_the_output(folder: Path) -> None:
    # Given a terminal on standard error and a pipe on standard output
    terminal, far_end = pty.openpty()
    program = "from staydown.cli.fingerprint import command; command()"

    # When the command runs
    run = subprocess.run(
        [sys.executable, "-c", program, "--workers", "1", str(folder)],
        stdout=subprocess.PIPE,
        stderr=far_end,
        env={**os.environ, "TERM": "xterm"},
        timeout=60,
        check=True,
    )
    os.close(far_end)
    shown = os.read(terminal, 100_000)
    os.close(terminal)

    # Then the bar is on the terminal, and the output is three JSON lines
    assert b"Fingerprints" in shown
    assert len([json.loads(line) for line in run.stdout.splitlines()]) == 3
