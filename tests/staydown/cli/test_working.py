"""Many files at once: lines come out in order and whole, whatever stops the work.

What is stopped from outside runs as a process of its own.

Covers: staydown.cli.output.
"""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from staydown.cli.listing import Listing
from staydown.cli.output import Output
from staydown.cli.working import INTERRUPTED, READER_GONE, Interrupts, print_lines

# Lists the files below a folder; those whose name has "slow" in it take for ever.
PROGRAM = """
import sys, time
from pathlib import Path
from staydown.cli.listing import Listing
from staydown.cli.working import print_lines

def line_of(path, tell):
    if "slow" in path.name:
        tell(0.5)
        time.sleep(3600)
    return {"path": path.name}

print_lines(line_of, Listing([sys.argv[1]]), workers=2, title="Files", output=sys.argv[2])
"""


def start(folder: Path, output: str = "-", **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), output], **options)


def wait_until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02}").touch()
    return folder


def test_lines_come_in_the_order_of_the_files_however_long_each_takes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given files of which the first take longest
    def line_of(path: Path, tell: Callable[[float], None]) -> dict[str, Any]:
        time.sleep((40 - int(path.name)) % 7 / 200)
        tell(0.5)
        return {"path": path.name}

    # When
    seen: list[dict[str, Any]] = []
    print_lines(line_of, Listing([str(folder)]), workers=4, title="Files", seen=seen.append)

    # Then
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == seen == [{"path": f"{number:02}"} for number in range(40)]


def test_folder_that_cannot_be_read_is_a_line_among_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listing = Listing([str(folder / "00")], lists=[str(folder / "absent")])

    print_lines(lambda path, tell: {"path": path.name}, listing, workers=1, title="Files")

    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {"path": "00"}
    assert second == {
        "path": str(folder / "absent"),
        "error": "The list cannot be read: No such file or directory.",
    }


def test_few_files_are_taken_in_before_their_lines_are_out(folder: Path) -> None:
    # Given a listing that counts, and a first file that waits
    taken: list[Path] = []
    go_on = threading.Event()

    class Counted(Listing):
        def __iter__(self) -> Iterator[Any]:
            for listed in super().__iter__():
                taken.append(listed.path)
                yield listed

    def line_of(path: Path, tell: Callable[[float], None]) -> dict[str, Any]:
        if path.name == "00":
            assert go_on.wait(60)
        return {"path": path.name}

    # When
    listing = Counted([str(folder)])
    work = threading.Thread(target=lambda: print_lines(line_of, listing, workers=1, title="Files"))
    work.start()
    wait_until(lambda: len(taken) == 9)
    time.sleep(0.1)

    # Then the rest of the listing waits too
    assert len(taken) == 9
    go_on.set()
    work.join()
    assert len(taken) == 40


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_ends_at_once_with_whole_lines_of_all_that_is_done(
    folder: Path, number: signal.Signals
) -> None:
    # Given a slow file in the middle, with more behind it
    (folder / "10-slow").touch()
    run = start(folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None
    before = [json.loads(run.stdout.readline()) for _ in range(11)]

    # When it is interrupted
    time.sleep(0.5)
    run.send_signal(number)
    out, err = run.communicate(timeout=30)

    # Then what was done behind the slow file is there too, and it says that it stopped
    after = [json.loads(line)["path"] for line in out.splitlines()]
    assert run.returncode == INTERRUPTED
    assert [line["path"] for line in before] == [f"{n:02}" for n in range(11)]
    assert after == [f"{n:02}" for n in range(11, 11 + len(after))]
    assert len(after) >= 10
    assert b"Stopped." in err


def test_second_interrupt_ends_it_though_nobody_reads(tmp_path: Path) -> None:
    # Given more lines than a pipe takes, and nobody who reads them
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number:0200}").touch()
    run = start(folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    time.sleep(2)

    # When Ctrl-C is pressed twice
    for _ in range(2):
        run.send_signal(signal.SIGINT)
        time.sleep(0.2)

    # Then
    assert run.wait(timeout=30) == INTERRUPTED
    run.communicate()


def test_reader_that_goes_away_ends_it_without_a_word(folder: Path) -> None:
    # Given a slow last file, which would keep it for ever
    (folder / "zz-slow").touch()
    for number in range(40, 3000):
        (folder / f"{number:04}").touch()
    command = '"$1" -c "$2" "$3" - | head -n 1; exit "${PIPESTATUS[0]}"'
    run = subprocess.run(
        ["bash", "-c", command, "bash", sys.executable, PROGRAM, str(folder)],
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == READER_GONE
    assert [json.loads(line) for line in run.stdout.splitlines()] == [{"path": "00"}]
    assert run.stderr == b""


def test_output_file_appears_whole_and_is_for_its_owner_only(folder: Path, tmp_path: Path) -> None:
    # Given an older output, and somebody who looks at it all the time
    target = tmp_path / "out.jsonl"
    target.write_text("old")
    states = set()

    def line_of(path: Path, tell: Callable[[float], None]) -> dict[str, Any]:
        states.add(target.read_text())
        return {"path": path.name}

    # When
    print_lines(line_of, Listing([str(folder)]), workers=1, title="Files", output=str(target))

    # Then it was old until it was new
    assert states == {"old"}
    assert len(target.read_text().splitlines()) == 40
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files", "out.jsonl"]


def test_interrupted_output_is_left_beside_and_named(folder: Path, tmp_path: Path) -> None:
    (folder / "10-slow").touch()
    target = tmp_path / "out.jsonl"
    run = start(folder, str(target), stderr=subprocess.PIPE)
    wait_until(lambda: list(tmp_path.glob(".out.jsonl.*.part")) and time.sleep(1) is None)

    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=30)

    assert run.returncode == INTERRUPTED
    assert b"out.jsonl.part" in err
    assert not target.exists()
    lines = (tmp_path / "out.jsonl.part").read_text().splitlines()
    assert [json.loads(line)["path"] for line in lines[:11]] == [f"{n:02}" for n in range(11)]


def test_failure_that_ends_everything_loses_nothing_that_was_done(folder: Path, tmp_path: Path) -> None:
    # Given a failure at the tenth file
    def line_of(path: Path, tell: Callable[[float], None]) -> dict[str, Any]:
        if path.name == "10":
            raise click.ClickException("nobody answers")
        return {"path": path.name}

    # When
    target = tmp_path / "out.jsonl"
    with pytest.raises(click.ClickException, match="nobody answers"):
        print_lines(line_of, Listing([str(folder)]), workers=1, title="Files", output=str(target))

    # Then
    assert not target.exists()
    lines = (tmp_path / "out.jsonl.part").read_text().splitlines()
    assert [json.loads(line)["path"] for line in lines[:10]] == [f"{n:02}" for n in range(10)]


@pytest.mark.parametrize("place", ["absent/out.jsonl", "files"])
def test_output_that_cannot_be_written_is_told(folder: Path, tmp_path: Path, place: str) -> None:
    with pytest.raises(click.ClickException, match="cannot be written"):
        print_lines(
            lambda path, tell: {"path": "x"},
            Listing([str(folder)]),
            workers=1,
            title="Files",
            output=str(tmp_path / place),
        )


def test_full_disk_is_told_and_leaves_nothing_half_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(out: Output, line: dict[str, Any]) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Output, "write", full)
    with pytest.raises(click.ClickException, match="No space left"):
        print_lines(
            lambda path, tell: {"path": "x"},
            Listing([str(folder)]),
            workers=1,
            title="Files",
            output=str(tmp_path / "out"),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["files"]


def test_interrupt_waits_for_the_end_of_a_line() -> None:
    # Given a line that is being written when Ctrl-C is pressed
    written = []

    def write(interrupts: Interrupts) -> None:
        with interrupts.wait():
            os.kill(os.getpid(), signal.SIGINT)
            written.append("whole")

    # Then it is written to its end, and then it stops
    with Interrupts() as interrupts:
        with pytest.raises(KeyboardInterrupt):
            write(interrupts)
        assert written == ["whole"]


def test_bar_shows_how_many_are_done_and_how_far_a_long_file_is(folder: Path) -> None:
    # Given a terminal, and a file that takes long
    (folder / "10-slow").touch()
    terminal, far_end = pty.openpty()
    run = start(folder, stdout=subprocess.DEVNULL, stderr=far_end, env={**os.environ, "TERM": "xterm"})
    os.close(far_end)

    # When it runs
    shown = b""
    while not (b"11/41" in shown and b"10-slow" in shown and b"50%" in shown):
        shown += os.read(terminal, 100_000)

    # Then both are shown, and it ends when it is told to
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=30) == INTERRUPTED
    os.close(terminal)
