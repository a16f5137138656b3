"""The upload check over a bank in segments: it changes over without a pause, and outlives bad files.

Covers: staydown.match_api.bank_view.
"""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from staydown.fingerprint import QueryView
from staydown.journal import BankFolder, bank_follower
from staydown.match_api import bank_view
from staydown.match_api.bank_view import BankView
from staydown.match_api.terms import Upload
from tests.staydown.match_api.house import code_of, entry

NOW = datetime(2026, 3, 7, 20, 30, tzinfo=UTC)


@pytest.fixture
def bank(house):
    view = BankView(house.data_dir / "bank.journal", max_distance_bits=31, retry_unreadable_seconds=0)
    yield view
    view.close()


def found(bank, *numbers):
    """Which of the entries ent_N are found by their codes, after a fresh look."""
    time.sleep(2 * bank_view.LOOK_AGAIN_SECONDS)
    bank.refresh()
    assert bank.trouble is None
    views = {number: (QueryView("full", code_of(number)),) for number in numbers}
    return {
        number for number, sought in views.items() if bank.find(Upload(views=sought, sha256=None, md5=None))
    }


def until(done):
    """Waits until something is so."""
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def put(house, *numbers):
    house.put(*(entry(f"ent_{number}", codes=[code_of(number)]) for number in numbers))


def fold(house, *, now=NOW):
    return BankFolder(house.data_dir / "bank.journal", fold_at_records=1).fold(now=now)


def test_folded_bank_is_taken_over_and_memory_is_given_back(bank, house):
    put(house, 1, 2, 3)
    house.drop("ent_2")
    assert found(bank, 1, 2, 3) == {1, 3}
    assert bank.layers() == {"segments": 0, "entries_in_memory": 2, "entries_hidden": 0, "last_seq": 4}

    fold(house)

    assert found(bank, 1, 2, 3) == {1, 3}
    assert bank.layers() == {"segments": 1, "entries_in_memory": 0, "entries_hidden": 0, "last_seq": 4}
    assert bank.counts() == {"entries": 2, "codes": 2, "entries_left_out": 0}


def test_changes_take_effect_while_large_segments_are_opened(bank, house, monkeypatch):
    # Given new segments that are too large to be opened at once, and a disk that is slow
    put(house, 1, 2, 3)
    assert found(bank, 1, 2, 3) == {1, 2, 3}
    monkeypatch.setattr(bank_view, "OPENED_AT_ONCE_BYTES", 0)
    may_open, opening = threading.Event(), bank_follower.BankSegment

    def slow(folder):
        assert may_open.wait(10)
        return opening(folder)

    monkeypatch.setattr(bank_follower, "BankSegment", slow)
    folder = BankFolder(house.data_dir / "bank.journal", fold_at_records=1)
    may_open.set()
    folder.fold(now=NOW)
    may_open.clear()

    # Then what changes meanwhile is in force at the next look, a withdrawal above all
    assert found(bank, 1, 2, 3) == {1, 2, 3}
    house.drop("ent_1")
    put(house, 4)
    assert found(bank, 1, 2, 3, 4) == {2, 3, 4}
    assert bank.layers()["segments"] == 0

    # And when they are open they take over
    may_open.set()
    until(lambda: found(bank, 1, 2, 3, 4) == {2, 3, 4} and bank.layers()["segments"] == 1)
    assert bank.layers()["entries_in_memory"] == 1
    assert bank.layers()["entries_hidden"] == 1


def test_new_segment_that_is_damaged_leaves_the_old_ones_serving(bank, house, caplog):
    # Given a follower, and a new segment of which a byte changes before anybody opened it
    put(house, 1, 2)
    assert found(bank, 1, 2) == {1, 2}
    fold(house)
    (rows,) = house.data_dir.glob("bank.segments/*/rows.sqlite")
    good = rows.read_bytes()
    rows.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))

    # Then it goes on, changes too, and says what is wrong without a fingerprint
    house.drop("ent_1")
    assert found(bank, 1, 2) == {2}
    assert "rows.sqlite" in caplog.text
    assert "keep serving" in caplog.text
    assert code_of(2).hex not in caplog.text

    # And when the file is mended it is taken over
    rows.write_bytes(good)
    assert found(bank, 1, 2) == {2}
    assert bank.layers()["segments"] == 1


def test_process_that_starts_on_a_damaged_segment_answers_nothing(house, caplog):
    # Given a damaged segment and no bank to go on with
    put(house, 1)
    fold(house)
    (index,) = house.data_dir.glob("bank.segments/*/pdq.index")
    good = index.read_bytes()
    index.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    bank = BankView(house.data_dir / "bank.journal", max_distance_bits=31, retry_unreadable_seconds=0)

    bank.refresh()

    assert bank.trouble == "bank-unreadable"
    assert "pdq.index" in caplog.text
    index.write_bytes(good)
    assert found(bank, 1) == {1}


def test_segment_that_is_replaced_while_it_is_opened_is_sought_again(house, monkeypatch):
    # Given a process that starts just when a segment is replaced by another
    put(house, 1, 2, 3)
    fold(house)
    house.drop("ent_2")
    opening, folded = bank_follower.BankSegment, []

    def late(folder):
        if not folded:
            folded.append(None)
            monkeypatch.setattr(bank_follower, "BankSegment", opening)
            fold(house, now=NOW + timedelta(days=3))
        return opening(folder)

    monkeypatch.setattr(bank_follower, "BankSegment", late)
    bank = BankView(house.data_dir / "bank.journal", max_distance_bits=31, retry_unreadable_seconds=3600)

    # Then it finds the new one
    assert found(bank, 1, 2, 3) == {1, 3}
    assert folded


def test_bank_begun_anew_forgets_what_the_old_one_had(bank, house):
    put(house, 1, 2)
    fold(house)
    assert found(bank, 1, 2) == {1, 2}

    house.publish_anew(entry("ent_2", codes=[code_of(2)]))

    assert found(bank, 1, 2) == {2}
    assert bank.layers()["segments"] == 0


def test_lag_is_how_long_something_has_been_waiting_to_be_read(bank, house):
    put(house, 1)
    found(bank, 1)
    assert bank.lag_seconds() == 0

    put(house, 2)
    path = house.data_dir / "bank.journal"
    os.utime(path, (time.time() - 30, time.time() - 30))
    assert 29 < bank.lag_seconds() < 60

    found(bank, 1)
    assert bank.lag_seconds() == 0


def test_two_processes_of_a_host_share_the_segments(house):
    # Given a bank whose codes are a few megabytes
    put(house, *range(40_000))
    fold(house)
    views = [
        BankView(house.data_dir / "bank.journal", max_distance_bits=31, retry_unreadable_seconds=0)
        for _ in range(2)
    ]
    for view in views:
        assert found(view, 7) == {7}

    # Then each index is mapped by both, read-only, and in no memory of their own
    lines = Path("/proc/self/smaps").read_text().split("\n")
    maps = [line for line in lines if line.endswith("/pdq.index") and str(house.data_dir) in line]
    assert len(maps) == 2
    assert all(" r--s " in line for line in maps)
