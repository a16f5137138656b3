"""`staydown fingerprint` prints one line a file, in order, and goes on after a bad one.

Covers: staydown.cli.reading.
"""

import hashlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from staydown.cases.rules import read_submission
from staydown.cli.fingerprint import command
from staydown.fingerprint import Algorithm, SandboxPool, fingerprint_image
from staydown.fingerprint.errors import VideoUnavailable
from staydown.fingerprint.vpdq import from_text
from tests.staydown.fingerprint.files import MP4_HEAD, encoded, jpeg
from tests.staydown.fingerprint.films import film, scenes, sound_only


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

    # Then its line has exactly the agreed fields, and no derived code
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
            "derived": 31,
        }
    ]


@pytest.mark.parametrize(("name", "count"), [("plain", 0), ("turns8", 7), ("crops32", 31), ("crops64", 63)])
def test_derived_codes_are_printed_where_they_are_asked_for(folder: Path, name: str, count: int) -> None:
    path = folder / "a.jpg"
    _, [line] = _run("--set", name, "--codes", path)

    codes = fingerprint_image(path, derive=name).registrable()
    assert line["derived"] == count
    assert line["codes"] == [[code.algorithm, code.derivation, code.quality, code.hex] for code in codes]


def test_codes_of_a_submission_are_those_that_are_printed(folder: Path) -> None:
    _, [line] = _run("--codes", folder / "a.jpg")

    item = {"media": line["media"], "sha256": line["sha256"], "md5": line["md5"], "codes": line["codes"]}
    [submitted] = read_submission(json.dumps({"version": 1, "items": [item]}))
    assert len(submitted.fingerprints) == 33


def test_flat_picture_has_its_codes_told_and_nothing_derived(folder: Path) -> None:
    (folder / "flat.png").write_bytes(encoded(Image.new("L", (100, 80), 120), "PNG"))
    _, [line] = _run("--codes", folder / "flat.png")

    assert line["pdq"]["quality"] < 50
    assert (line["derived"], line["codes"]) == (0, [])


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


def test_without_the_extra_for_videos_a_video_has_its_digests(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given no PyAV
    def missing(*arguments: object) -> NoReturn:
        raise VideoUnavailable

    monkeypatch.setattr(SandboxPool, "video", missing)
    path = folder / "v.mp4"
    path.write_bytes(MP4_HEAD)

    # Then
    result, [line] = _run("--codes", path)
    assert result.exit_code == 0
    assert line == {
        "path": str(path),
        "media": "video",
        "sha256": hashlib.sha256(MP4_HEAD).hexdigest(),
        "md5": hashlib.md5(MP4_HEAD).hexdigest(),
        "pdq": None,
        "pdq512": None,
        "derived": 0,
        "frames": None,
        "codes": [],
    }


def test_pipes_devices_and_what_may_not_be_opened_are_told_and_wait_for_nobody(folder: Path) -> None:
    # Given a named pipe, a link to a device, a link to nothing
    os.mkfifo(folder / "p1")
    (folder / "p2").symlink_to("/dev/zero")
    (folder / "p3").symlink_to(folder / "nothing")

    # Then each has its line
    result, lines = _run(folder)
    assert result.exit_code == 1
    assert {Path(line["path"]).name: line.get("error") for line in lines} == {
        "a.jpg": None,
        "b.jpg": None,
        "c.jpg": None,
        "p1": "This is no ordinary file: folders, pipes and devices are not read.",
        "p2": "This is no ordinary file: folders, pipes and devices are not read.",
        "p3": "There is no such file.",
    }


def test_names_come_from_a_list_or_from_standard_input(folder: Path) -> None:
    # Given
    listed = f"{folder / 'b.jpg'}\n{folder / 'below'}\n"
    (folder / "names").write_text(listed)

    # Then
    expected = [str(folder / name) for name in ("b.jpg", "below/c.jpg")]
    assert [line["path"] for line in _run("--from", folder / "names")[1]] == expected
    result = CliRunner().invoke(command, ["--workers", "1", "-"], input=listed)
    assert [json.loads(line)["path"] for line in result.stdout.splitlines()] == expected


def test_what_was_left_out_is_said_beside_the_output(folder: Path) -> None:
    (folder / ".DS_Store").touch()
    (folder / "again").symlink_to(folder)

    result, lines = _run(folder)

    assert len(lines) == 3
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "1 hidden file or folder was left out; --hidden takes them.",
        "1 link to a folder was not followed; name such a folder to take it.",
    ]
    assert len(_run("--hidden", folder)[1]) == 4


def test_output_goes_to_a_file(folder: Path) -> None:
    result, lines = _run("--output", folder / "out.jsonl", folder / "a.jpg")

    assert (result.exit_code, lines) == (0, [])
    assert json.loads((folder / "out.jsonl").read_text())["media"] == "image"


def test_frames_of_a_video_are_counted_and_exported_as_vpdq(folder: Path) -> None:
    # Given three scenes
    path = folder / "film.mp4"
    path.write_bytes(film(scenes(1, 2, 3)))

    # When
    result, [line] = _run("--codes", "--vpdq", folder / "film.vpdq", path)

    # Then its line has no whole picture, and each code says of which frame it is
    assert result.exit_code == 0
    assert (line["media"], line["pdq"], line["pdq512"], line["frames"]) == ("video", None, None, 3)
    assert line["seconds"] == pytest.approx(3.0, abs=0.2)
    assert line["derived"] == len(line["codes"])
    assert {code[1].split("~")[0] for code in line["codes"]} == {"@0.000", "@1.000", "@2.000"}
    # And the export has one code for each frame
    exported = from_text((folder / "film.vpdq").read_text())
    assert [feature.at_seconds for feature in exported] == [0, 1, 2]
    whole = [code[3] for code in line["codes"] if "~" not in code[1]]
    assert [feature.fingerprint.hex for feature in exported] == whole
    assert (folder / "film.vpdq").stat().st_mode & 0o777 == 0o600
    # And without --codes no code is printed
    assert "codes" not in _run(path)[1][0]


def test_codes_of_a_video_are_a_submission_too(folder: Path) -> None:
    (folder / "film.mp4").write_bytes(film(scenes(*range(5))))
    _, [line] = _run("--codes", folder / "film.mp4")

    item = {name: line[name] for name in ("media", "sha256", "md5", "codes")}
    [submitted] = read_submission(json.dumps({"version": 1, "items": [item]}))
    assert len(submitted.fingerprints) > 5


@pytest.mark.parametrize("names", [["a.jpg", "b.jpg"], ["below"], ["absent.mp4"]])
def test_vpdq_goes_with_one_video(folder: Path, names: list[str]) -> None:
    result, _ = _run("--vpdq", folder / "out", *(folder / name for name in names))

    assert result.exit_code == 2
    assert "one video" in result.stderr


def test_vpdq_of_a_picture_and_of_sound_is_refused(folder: Path) -> None:
    (folder / "sound.m4v").write_bytes(sound_only())

    assert "this is a picture" in _run("--vpdq", folder / "out", folder / "a.jpg")[0].stderr
    assert "error" in _run("--vpdq", folder / "out", folder / "sound.m4v")[1][0]
    assert not (folder / "out").exists()


def test_nothing_named_is_a_wrong_command() -> None:
    result, _ = _run()

    assert result.exit_code == 2
    assert "Name a file" in result.stderr


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
