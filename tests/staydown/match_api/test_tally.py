"""Numbers of several processes: none is lost when one is killed, and a dead one's state does not count."""

import os
import signal
import subprocess
import sys

from staydown.match_api import tally
from staydown.match_api.tally import Tally

NAMES = ("checks", "busy")


def totals(mine):
    return [(row.place, row.alive, list(row.values)) for row in mine.all()]


def test_each_process_has_a_place_of_its_own_and_each_sees_them_all(tmp_path):
    first, second = Tally(tmp_path, NAMES), Tally(tmp_path, NAMES)

    first.values[0] += 2
    second.values[0] += 3

    assert totals(first) == totals(second) == [(0, True, [2.0, 0.0]), (1, True, [3.0, 0.0])]


def test_place_that_came_free_is_taken_with_its_counts(tmp_path):
    # Given
    first, second = Tally(tmp_path, NAMES), Tally(tmp_path, NAMES)
    first.values[0] += 2
    first.close()
    assert totals(second)[0] == (0, False, [2.0, 0.0])

    # When
    third = Tally(tmp_path, NAMES)
    third.values[0] += 1

    # Then
    assert totals(third) == [(0, True, [3.0, 0.0]), (1, True, [0.0, 0.0])]


def test_counts_of_a_killed_process_stay_and_it_is_known_to_be_dead(tmp_path):
    # Given a process that counts and is killed
    script = (
        "import sys, time, pathlib; from staydown.match_api.tally import Tally\n"
        "mine = Tally(pathlib.Path(sys.argv[1]), ('checks', 'busy'))\n"
        "mine.values[0] += 7; mine.values[1] = 1\n"
        "print('counted', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"counted\n"
        here = Tally(tmp_path, NAMES)
        assert totals(here)[0] == (0, True, [7.0, 1.0])

        # When
        child.send_signal(signal.SIGKILL)
        child.wait()

    # Then
    assert totals(here) == [(0, False, [7.0, 1.0]), (1, True, [0.0, 0.0])]


def test_other_names_are_another_table(tmp_path):
    first, second = Tally(tmp_path, NAMES), Tally(tmp_path, ("checks", "other"))
    first.values[0] += 1

    assert totals(second) == [(0, True, [0.0, 0.0])]


def test_process_counts_for_itself_where_no_file_can_be_made(tmp_path, caplog):
    # Given a file where the folder should be
    (tmp_path / "metrics").write_text("")

    # When
    mine = Tally(tmp_path / "metrics", NAMES)
    mine.values[0] += 1

    # Then
    assert totals(mine) == [(0, True, [1.0, 0.0])]
    assert "NotADirectoryError" in caplog.text or "FileExistsError" in caplog.text
    mine.close()


def test_process_counts_for_itself_where_no_place_is_left(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(tally, "MOST_PROCESSES", 1)
    first = Tally(tmp_path, NAMES)
    second = Tally(tmp_path, NAMES)
    second.values[0] += 1

    assert totals(second) == [(0, True, [1.0, 0.0])]
    assert totals(first) == [(0, True, [0.0, 0.0])]
    assert "no place is left" in caplog.text


def test_full_disk_is_noticed_at_the_start_and_not_at_a_count(tmp_path, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)

    mine = Tally(tmp_path, NAMES)
    mine.values[0] += 1

    assert totals(mine) == [(0, True, [1.0, 0.0])]
    assert "counts cannot be kept on disk" in caplog.text


def test_table_can_be_read_by_this_account_only(tmp_path):
    mine = Tally(tmp_path / "metrics", NAMES)

    [path] = (tmp_path / "metrics").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "metrics").stat().st_mode & 0o777 == 0o700
    mine.close()
