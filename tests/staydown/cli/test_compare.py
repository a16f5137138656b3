"""`staydown compare` explains a pair, ranks a folder, draws blurred, and says by its exit code what it found.

Covers: staydown.cli.compare, staydown.cli.compare_picture.
"""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageOps

from staydown.cli import main
from staydown.cli.compare import FOUND, NOT_FOUND, TROUBLE, command, plain
from staydown.cli.compare_picture import PANEL_SIDE
from tests.staydown.matching.scenes import jpeg, pasted, scene


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture; beside it a folder with a mirrored crop, a page that shows it, another one and a note."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "a.jpg").write_bytes(jpeg(scene(5)))
    (folder / "other.jpg").write_bytes(jpeg(scene(7)))
    found = folder / "found"
    found.mkdir()
    (found / "crop.jpg").write_bytes(jpeg(ImageOps.mirror(scene(5)).crop((60, 40, 840, 560))))
    page = pasted(scene(5).crop((300, 150, 750, 500)), into=(720, 1280), at=(60, 300))
    (found / "page.png").write_bytes(_png(page))
    (found / "other.jpg").write_bytes(jpeg(scene(8)))
    (found / "note.txt").write_text("a note")
    return folder


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(command, ["--workers", "1", *map(str, arguments)])


def _json(*arguments: object) -> tuple[Result, list[dict[str, Any]]]:
    result = _run("--json", *arguments)
    return result, [json.loads(line) for line in result.stdout.splitlines()]


def test_copy_is_explained_in_sentences(folder: Path) -> None:
    result = _run(folder / "a.jpg", folder / "found" / "crop.jpg")
    assert result.exit_code == FOUND
    assert "is likely in" in result.stdout
    assert "corners agree, and 10 are enough" in result.stdout
    assert "mirrored" in result.stdout
    assert "a person decides" in result.stdout


def test_other_picture_is_told_with_what_may_hide_a_copy(folder: Path) -> None:
    result = _run(folder / "a.jpg", folder / "other.jpg")
    assert result.exit_code == NOT_FOUND
    assert "No likeness found" in result.stdout
    assert "blur" in result.stdout


def test_folder_is_ranked_and_the_likeliest_is_first(folder: Path) -> None:
    # When a folder is searched through
    result = _run(folder / "a.jpg", folder / "found")

    # Then both copies are listed, the whole one before the part, and the rest is counted
    assert result.exit_code == FOUND
    lines = result.stdout.splitlines()
    assert ["crop.jpg" in lines[0], "page.png" in lines[1]] == [True, True]
    assert "2 of 3 pictures are likely copies" in lines[2]
    assert "1 files are no pictures" in lines[2]
    assert result.stderr == ""


def test_picture_itself_is_left_out_of_its_folder_unless_it_is_named(folder: Path) -> None:
    _, lines = _json(folder / "a.jpg", folder)
    assert str(folder / "a.jpg") not in [line["candidate"] for line in lines]
    assert "itself was left out" in _run(folder / "a.jpg", folder).stdout
    assert _run(folder / "a.jpg", folder / "a.jpg").exit_code == FOUND


def test_json_has_a_line_for_every_candidate(folder: Path) -> None:
    # When the same is asked for as JSON
    result, lines = _json(folder / "a.jpg", folder / "found")

    # Then every candidate has its line, best first, with all fields
    assert result.exit_code == FOUND
    assert [Path(line["candidate"]).name for line in lines] == ["crop.jpg", "page.png", "other.jpg"]
    assert [line["likely_copy"] for line in lines] == [True, True, False]
    assert lines[0]["mirrored"] is True
    assert lines[0]["picture_size"] == [900, 600]
    assert lines[0]["candidate_size"] == [780, 520]
    assert np.allclose(lines[0]["outline"], [(840, -40), (-60, -40), (-60, 560), (840, 560)], atol=4)
    assert lines[2]["outline"] is None
    assert set(lines[0]) == set(lines[2])


def test_file_that_cannot_be_read_is_told_and_the_rest_go_on(folder: Path, tmp_path: Path) -> None:
    # Given a folder with a damaged picture and a copy
    (tmp_path / "bad.jpg").write_bytes(jpeg(scene(5))[:3000])
    (tmp_path / "copy.jpg").write_bytes(jpeg(scene(5), quality=50))

    # When it is searched; Then the copy is found, the damage is told, and the exit code says so
    result = _run(folder / "a.jpg", tmp_path)
    assert result.exit_code == TROUBLE
    assert "copy.jpg" in result.stdout
    assert "bad.jpg: The picture is damaged or incomplete." in result.stderr
    _, lines = _json(folder / "a.jpg", tmp_path)
    assert lines[-1]["error"] == "The picture is damaged or incomplete."


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        ("absent.jpg", "other.jpg", "absent.jpg: There is no such file."),
        ("a.jpg", "absent.jpg", "absent.jpg: There is no such file."),
        ("found/note.txt", "other.jpg", "note.txt: This is not a picture"),
        ("a.jpg", "found/note.txt", "note.txt: This is not a picture"),
        ("found", "a.jpg", "found: "),
    ],
)
def test_named_file_that_is_no_picture_is_trouble(folder: Path, a: str, b: str, told: str) -> None:
    result = _run(folder / a, folder / b)
    assert result.exit_code == TROUBLE
    assert told in result.stderr


def test_empty_folder_is_nothing_to_compare_with(folder: Path, tmp_path: Path) -> None:
    result = _run(folder / "a.jpg", tmp_path)
    assert result.exit_code == TROUBLE
    assert "nothing to compare with" in result.stderr


def test_drawing_is_blurred_grey_and_for_its_owner_alone(folder: Path, tmp_path: Path) -> None:
    # When a drawing is asked for
    output = tmp_path / "seen.png"
    result = _run(folder / "a.jpg", folder / "found" / "page.png", "--picture", output)

    # Then it is there, only its owner may read it
    assert result.exit_code == FOUND
    assert stat.S_IMODE(output.stat().st_mode) == 0o600

    # Then the picture in it is grey where nothing is drawn, and has lost its detail
    drawn = np.asarray(Image.open(output).convert("RGB"), np.int64)
    corner = drawn[drawn.shape[0] // 2 - 150 : drawn.shape[0] // 2 - 80, 60:120]
    assert np.abs(corner - corner.mean(axis=2, keepdims=True)).max() < 2
    assert np.abs(np.diff(corner[:, :, 0], axis=1)).max() < 8

    # Then the outline and the hull are drawn, each in its colour
    colours = {tuple(colour) for colour in drawn.reshape(-1, 3)}
    assert (255, 176, 32) in colours
    assert (96, 200, 255) in colours


def test_clear_drawing_shows_the_picture_as_it_is(folder: Path, tmp_path: Path) -> None:
    # When it is asked for in clear
    output = tmp_path / "clear.png"
    _run(folder / "a.jpg", folder / "found" / "crop.jpg", "--picture", output, "--clear")

    # Then the left panel is the picture
    drawn = np.asarray(Image.open(output).convert("RGB"), np.int64)
    small = np.asarray(scene(5).resize((PANEL_SIDE, 320)), np.int64)
    top = (drawn.shape[0] - 320) // 2
    corner = (slice(top + 5, top + 40), slice(48 + 5, 48 + 40))
    assert np.abs(drawn[corner] - small[5:40, 5:40]).mean() < 12


def test_unlike_pictures_are_drawn_without_an_outline(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "seen.png"
    assert _run(folder / "a.jpg", folder / "other.jpg", "--picture", output).exit_code == NOT_FOUND
    colours = {tuple(colour) for colour in np.asarray(Image.open(output)).reshape(-1, 3)}
    assert (255, 176, 32) not in colours


def test_drawing_never_replaces_a_picture(folder: Path) -> None:
    page = folder / "found" / "page.png"
    before = page.read_bytes()
    for output in (page, folder / "drawing.jpg"):
        result = _run(folder / "a.jpg", page, "--picture", output)
        assert result.exit_code == TROUBLE
    assert page.read_bytes() == before
    assert not (folder / "drawing.jpg").exists()


def test_drawing_that_cannot_be_written_is_trouble(folder: Path, tmp_path: Path) -> None:
    result = _run(folder / "a.jpg", folder / "other.jpg", "--picture", tmp_path / "absent" / "seen.png")
    assert result.exit_code == TROUBLE
    assert "cannot be written" in result.stderr


def test_clear_without_a_drawing_is_not_understood(folder: Path) -> None:
    assert _run(folder / "a.jpg", folder / "other.jpg", "--clear").exit_code == TROUBLE


def test_path_cannot_colour_the_screen() -> None:
    assert plain(Path("a\x1b[31m\u202eb.jpg")) == "a?[31m?b.jpg"


def test_missing_opencv_is_named_with_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    result = CliRunner().invoke(main, ["compare", str(folder / "a.jpg"), str(folder / "other.jpg")])
    assert result.exit_code == TROUBLE
    assert "pip install 'staydown[compare]'" in result.stderr


def test_interrupt_is_told_apart_from_no_likeness(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given somebody who presses Ctrl-C while a folder is ranked
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("staydown.matching.second_look_pool.SecondLookPool.rank", interrupted)

    # Then the exit code is the one of an interrupt
    assert _run(folder / "a.jpg", folder / "found").exit_code == 130


def test_command_runs_as_its_own_process(folder: Path) -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "staydown",
            "compare",
            str(folder / "a.jpg"),
            str(folder / "found" / "crop.jpg"),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        timeout=60,
        check=False,
    )
    assert run.returncode == FOUND, run.stderr
    assert "is likely in" in run.stdout
