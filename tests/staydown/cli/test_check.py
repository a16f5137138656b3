"""`staydown check`: compares files with a bank, says what matched and never a code of the bank.

Covers: staydown.cli.server_check.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageOps

from staydown.cli import server_check
from staydown.cli.check import MATCHED, command
from staydown.cli.fingerprint import command as fingerprint_command
from staydown.fingerprint import SandboxPool, SandboxUnavailable, fingerprint_image
from staydown.fingerprint.errors import VideoUnavailable
from staydown.fingerprint.video import fingerprint_video
from staydown.fingerprint.vpdq import VpdqFeature, features_of, to_lines, to_signal
from staydown.journal import BankJournalWriter
from tests.doubles.staydown_server import TOKEN, Reply, StaydownDouble
from tests.staydown.fingerprint.files import encoded, jpeg
from tests.staydown.fingerprint.films import film, scene, scenes
from tests.staydown.fingerprint.pictures import picture

ORIGINAL = Image.fromarray(picture("landscape", 640, 480, seed=8))


def run(*arguments: object, **options: Any) -> tuple[Result, list[dict[str, Any]]]:
    result = CliRunner().invoke(command, ["--workers", "1", *map(str, arguments)], **options)
    return result, [json.loads(line) for line in result.stdout.splitlines()]


def told(result: Result) -> str:
    """What was said beside the output, without the breaks of its lines."""
    return " ".join(result.stderr.split())


def bordered(image: Image.Image) -> Image.Image:
    return ImageOps.expand(image, border=70, fill=(8, 8, 8))


def publish(path: Path, *entries: tuple[str, str, bytes]) -> Path:
    """A bank journal with these entries: id, state, and the picture registered."""
    with BankJournalWriter(path) as writer:
        for seq, (entry_id, state, media) in enumerate(entries, start=1):
            found = fingerprint_image(media)
            codes = [[c.algorithm, c.derivation, c.quality, c.hex] for c in found.registrable()]
            digests = {"sha256": found.digests.sha256, "md5": found.digests.md5}
            entry = {"id": entry_id, "bank": "default", "state": state, **digests, "codes": codes}
            writer.append([{"seq": seq, "op": "put", "entry": entry}])
    return path


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """Uploads: the registered file, a mirrored crop inside a border, something else, no picture."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    (folder / "a-same.png").write_bytes(encoded(ORIGINAL, "PNG"))
    mirrored = ImageOps.mirror(ORIGINAL)
    (folder / "b-edited.jpg").write_bytes(encoded(bordered(mirrored), "JPEG", quality=85))
    (folder / "c-other.jpg").write_bytes(jpeg(seed=3))
    (folder / "d-letter.txt").write_text("a letter")
    return folder


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    return publish(tmp_path / "bank.journal", ("ent_a", "confirmed", encoded(ORIGINAL, "PNG")))


def test_each_file_is_a_line_with_its_action_and_what_matched(folder: Path, bank: Path) -> None:
    # When
    result, lines = run("--bank", bank, folder)

    # Then
    assert result.exit_code == MATCHED
    same, edited, other, letter = lines
    match = {
        "entry_id": "ent_a",
        "kind": "exact",
        "distance_bits": 0,
        "derivation": "full",
        "bank": "default",
        "state": "confirmed",
        "rule": "confirmed-exact",
        "view": "full",
    }
    assert same == {"path": str(folder / "a-same.png"), "action": "block", "matches": [match]}
    assert edited["action"] == "block"
    [found] = edited["matches"]
    assert (found["kind"], found["view"] != "full", found["distance_bits"] <= 31) == ("near", True, True)
    assert other == {"path": str(folder / "c-other.jpg"), "action": "allow", "matches": []}
    assert letter.keys() == {"path", "error"}


def test_nothing_that_is_printed_is_a_code_of_the_bank(folder: Path, bank: Path) -> None:
    result, _ = run("--bank", bank, folder)

    codes = {code.hex for code in fingerprint_image(encoded(ORIGINAL, "PNG")).fingerprints}
    assert not [code for code in codes if code in result.stdout or code in result.stderr]


def test_output_of_the_fingerprint_command_is_a_bank(folder: Path, tmp_path: Path) -> None:
    # Given a list of our own
    known = tmp_path / "known.jsonl"
    arguments = ["--workers", "1", "--codes", "--output", str(known), str(folder / "a-same.png")]
    assert CliRunner().invoke(fingerprint_command, arguments).exit_code == 0

    # Then what it lists is found, and as nobody confirmed it, it is to be held
    _, lines = run("--bank", known, folder)
    assert [line.get("action") for line in lines] == ["hold", "hold", "allow", None]
    assert lines[0]["matches"][0]["entry_id"] == str(folder / "a-same.png")


def test_level_decides_how_hard_a_file_is_looked_at(folder: Path, bank: Path) -> None:
    edited = folder / "b-edited.jpg"

    actions = {
        level: run("--bank", bank, "--level", level, edited)[1][0]["action"]
        for level in ("plain", "geo9", "deep")
    }

    assert actions == {"plain": "allow", "geo9": "block", "deep": "block"}


def test_greatest_distance_is_what_was_asked_for(folder: Path, bank: Path, tmp_path: Path) -> None:
    # Given a copy that is some bits away
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(encoded(ORIGINAL.crop((4, 4, 636, 476)), "JPEG", quality=60))
    _, [line] = run("--bank", bank, copy)
    distance = line["matches"][0]["distance_bits"]
    assert distance > 0

    # Then it is found up to there
    assert run("--bank", bank, "--max-distance", distance, copy)[0].exit_code == MATCHED
    assert run("--bank", bank, "--max-distance", distance - 1, copy)[0].exit_code == 0


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (["c-other.jpg"], 0),
        (["c-other.jpg", "d-letter.txt"], 1),
        (["d-letter.txt", "absent.jpg"], 1),
        (["a-same.png", "d-letter.txt", "c-other.jpg"], MATCHED),
    ],
)
def test_exit_code_says_what_was_found(folder: Path, bank: Path, names: list[str], status: int) -> None:
    result, lines = run("--bank", bank, *(folder / name for name in names))

    assert result.exit_code == status
    assert len(lines) == len(names)


def test_entry_that_does_nothing_is_told_and_allows(folder: Path, tmp_path: Path) -> None:
    bank = publish(tmp_path / "other.journal", ("ent_a", "disputed", encoded(ORIGINAL, "PNG")))

    result, [line] = run("--bank", bank, folder / "a-same.png")

    assert (result.exit_code, line["action"]) == (0, "allow")
    assert line["matches"][0]["rule"] == "disputed-inactive"


def test_stretch_of_a_registered_video_is_told(tmp_path: Path) -> None:
    # Given a list of a video, and a cut of it between other scenes
    known = tmp_path / "known.jsonl"
    (tmp_path / "film.mp4").write_bytes(film(scenes(1, 2, 3, 4)))
    (tmp_path / "cut.mp4").write_bytes(film(scenes(90, 3, 4, 91)))
    (tmp_path / "other.mp4").write_bytes(film(scenes(92, 93)))
    arguments = ["--workers", "1", "--codes", "--output", str(known), str(tmp_path / "film.mp4")]
    assert CliRunner().invoke(fingerprint_command, arguments).exit_code == 0

    # When
    _, [cut, other] = run("--bank", known, tmp_path / "cut.mp4", tmp_path / "other.mp4")

    # Then
    [match] = cut["matches"]
    assert (cut["action"], match["kind"], match["state"]) == ("hold", "near", "unconfirmed")
    assert match["derivation"].startswith("@")
    assert match["stretch"] == {"upload_seconds": [1.0, 2.0], "entry_seconds": [2.0, 3.0], "frames": 2}
    assert (other["action"], other["matches"]) == ("allow", [])


@pytest.mark.parametrize("form", [to_lines, to_signal])
def test_video_as_a_partner_gives_it_is_a_bank(
    tmp_path: Path, form: Callable[[Iterable[VpdqFeature]], str]
) -> None:
    # Given the vPDQ of a video, in two of its forms
    (tmp_path / "film.vpdq").write_text(form(features_of(fingerprint_video(film(scenes(1, 2, 3, 4))))))
    (tmp_path / "cut.mp4").write_bytes(film(scenes(90, 3, 4, 91)))
    (tmp_path / "one.mp4").write_bytes(film(scenes(90, 3, 91)))

    # Then a cut of it is found, and one common frame is not enough
    _, [cut, one] = run("--bank", tmp_path / "film.vpdq", tmp_path / "cut.mp4", tmp_path / "one.mp4")
    [match] = cut["matches"]
    assert (cut["action"], match["entry_id"], match["stretch"]["frames"]) == ("hold", "film.vpdq", 2)
    assert one["action"] == "allow"


def test_registered_picture_is_found_in_a_video(tmp_path: Path) -> None:
    shown = encoded(Image.fromarray(scene(5)).resize((640, 480)), "PNG")
    bank = publish(tmp_path / "bank.journal", ("ent_a", "confirmed", shown))
    (tmp_path / "film.mp4").write_bytes(film(scenes(90, 5, 91)))

    _, [line] = run("--bank", bank, tmp_path / "film.mp4")

    assert line["action"] == "block"
    stretch = {"upload_seconds": [1.0, 1.0], "entry_seconds": None, "frames": 1}
    assert line["matches"][0]["stretch"] == stretch


def test_without_the_extra_for_videos_the_same_file_is_still_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given no PyAV, and a list with the digest of one of two videos
    def missing(*arguments: object) -> NoReturn:
        raise VideoUnavailable

    monkeypatch.setattr(SandboxPool, "query_video", missing)
    for seed in (1, 2):
        (tmp_path / f"{seed}.mp4").write_bytes(film(scenes(seed, seed + 5)))
    monkeypatch.setattr(SandboxPool, "video", missing)
    arguments = ["--workers", "1", "--output", str(tmp_path / "known"), str(tmp_path / "1.mp4")]
    CliRunner().invoke(fingerprint_command, arguments)

    _, lines = run("--bank", tmp_path / "known", tmp_path / "1.mp4", tmp_path / "2.mp4")

    assert [[match["kind"] for match in line["matches"]] for line in lines] == [["exact"], []]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Give either --bank or --server."),
        (["--bank", "b", "--server", "http://127.0.0.1"], "Give either --bank or --server."),
        (["--bank", "b", "--send-media"], "go with --server"),
        (["--server", "http://127.0.0.1", "--max-distance", "3"], "goes with --bank"),
        (["--server", "http://127.0.0.1", "--send-media", "--level", "deep"], "--level"),
        (["--server", "http://127.0.0.1"], "STAYDOWN_TOKEN"),
        (["--server", "ftp://127.0.0.1"], "base_url"),
        (["--bank", "b", "--max-distance", "300"], "300"),
    ],
)
def test_command_that_makes_no_sense_is_refused(
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STAYDOWN_TOKEN", raising=False)
    env = {"STAYDOWN_TOKEN": "sdk_x"} if "ftp://127.0.0.1" in arguments else {}
    result, lines = run(*arguments, "a.jpg", env=env)

    assert (result.exit_code, lines) == (2, [])
    assert says in told(result)


def test_bank_that_cannot_be_used_is_told_before_anything_is_checked(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "list").write_text(f"{'0f' * 32}\nletters\n")

    result, lines = run("--bank", tmp_path / "list", folder)

    assert (result.exit_code, lines) == (1, [])
    assert "cannot be used. line 2: this is neither a code nor a digest." in told(result)


def test_missing_sandbox_ends_the_run(folder: Path, bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> NoReturn:
        raise SandboxUnavailable("The decoding process did not start.")

    monkeypatch.setattr(SandboxPool, "query", broken)

    result, lines = run("--bank", bank, folder)

    assert (result.exit_code, lines) == (1, [])
    assert "did not start" in told(result)


# --- against a server


@pytest.fixture
def server() -> Iterator[StaydownDouble]:
    double = StaydownDouble()
    with double.serve() as url:
        double.origin = url
        yield double


def ask(server: StaydownDouble, *arguments: object) -> tuple[Result, list[dict[str, Any]]]:
    return run("--server", server.origin, *arguments, env={"STAYDOWN_TOKEN": TOKEN})


def test_server_gets_fingerprints_and_no_file(folder: Path, server: StaydownDouble) -> None:
    # Given
    server.decide("block", media=(folder / "a-same.png").read_bytes())

    # When
    result, lines = ask(server, folder)

    # Then
    assert result.exit_code == MATCHED
    assert [line.get("action") for line in lines] == ["block", "allow", "allow", None]
    assert lines[0]["matches"][0]["kind"] == "exact"
    assert lines[0]["check_id"].startswith("chk_")
    assert len(server.requests) == 3
    for request in server.requests:
        assert request.media is None
        assert request.document is not None
        assert {"sha256", "md5", "pdq", "pdq512"} <= request.document["fingerprints"].keys()
    views = server.requests[1].document["fingerprints"]["views"]  # type: ignore[index]
    assert "strip" in [view["name"] for view in views]


def test_frames_of_a_video_are_sent_too(tmp_path: Path, server: StaydownDouble) -> None:
    (tmp_path / "film.mp4").write_bytes(film(scenes(1, 2)))

    ask(server, tmp_path / "film.mp4")

    [request] = server.requests
    assert request.document is not None
    frames = request.document["fingerprints"]["frames"]
    assert {frame["at_seconds"] for frame in frames} == {0.0, 1.0}
    assert {"full"} <= {frame["name"] for frame in frames}


def test_files_are_sent_where_that_is_asked_for(folder: Path, server: StaydownDouble) -> None:
    media = (folder / "a-same.png").read_bytes()

    _, lines = ask(server, "--send-media", folder / "a-same.png", folder / "absent.png")

    assert [request.media for request in server.requests] == [media]
    assert [line.get("action") for line in lines] == ["allow", None]
    assert lines[1]["error"] == "There is no such file."


def test_token_comes_from_a_file(folder: Path, server: StaydownDouble, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")

    result, _ = run(
        "--server",
        server.origin,
        "--token-file",
        tmp_path / "token",
        folder / "c-other.jpg",
        env={"STAYDOWN_TOKEN": ""},
    )

    assert result.exit_code == 0


def test_refusal_of_one_file_is_its_line_and_the_rest_go_on(folder: Path, server: StaydownDouble) -> None:
    problem = {"type": "urn:staydown:problem:x", "title": "Too large", "status": 413, "detail": "Send less."}
    server.next_replies = [Reply(413, problem)]

    result, lines = ask(server, folder / "a-same.png", folder / "c-other.jpg")

    assert result.exit_code == 1
    assert [line.get("error") for line in lines] == ["Send less.", None]


def test_token_that_is_not_accepted_ends_the_run(folder: Path, server: StaydownDouble) -> None:
    result, lines = run("--server", server.origin, folder, env={"STAYDOWN_TOKEN": "sdk_wrong"})

    assert (result.exit_code, lines) == (1, [])
    assert "did not accept the token" in told(result)
    assert "sdk_wrong" not in result.stdout + result.stderr


def test_server_that_is_not_there_ends_the_run_after_some_files(
    folder: Path, server: StaydownDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given no server, and many files
    monkeypatch.setattr(server_check, "TIMEOUT_SECONDS", 0.2)
    server.is_down = True
    for number in range(40):
        (folder / f"{number:02}.jpg").write_bytes((folder / "c-other.jpg").read_bytes())

    # When
    result, lines = ask(server, folder)

    # Then the first files say so, and the rest is not tried
    assert result.exit_code == 1
    assert {line["error"] for line in lines} == {"The server gave no answer: connection-failed."}
    assert len(lines) == server_check.MOST_UNANSWERED - 1
    assert "The rest was not checked." in told(result)
