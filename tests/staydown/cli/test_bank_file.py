"""What can be compared with: a bank journal, a saved index, a list, each told by its content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from staydown.cli.bank_file import BankFileRefused, open_bank
from staydown.fingerprint import Algorithm, Fingerprint, QueryView
from staydown.journal import BankJournalWriter
from staydown.matching import Index, Match

HEX, OTHER = "0f" * 32, "3c" * 32
SHA = "5" * 64


def view(
    digits: str, *, name: str = "full", algorithm: Algorithm = Algorithm.PDQ, quality: int = 100
) -> QueryView:
    return QueryView(name, Fingerprint.from_hex(digits, algorithm=algorithm, quality=quality))


def near(digits: str, bits: int) -> str:
    return f"{int(digits, 16) ^ ((1 << bits) - 1):064x}"


def find(path: Path, *views: QueryView, sha256: str = "", **options: Any) -> list[Match]:
    return open_bank(path, **options).bank.find(views, sha256=sha256, md5="")


def told(matches: Sequence[Match]) -> list[tuple[str, str, int, str, str]]:
    return [(m.entry_id, m.kind, m.distance_bits, m.derivation, m.view) for m in matches]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Two entries of an installation, one withdrawn."""
    codes = [["pdq", "full", 100, HEX], ["pdq", "cc88~fH", 80, OTHER]]
    entry = {
        "id": "ent_a",
        "bank": "default",
        "state": "confirmed",
        "sha256": SHA,
        "md5": None,
        "codes": codes,
    }
    with BankJournalWriter(tmp_path / "bank.journal") as writer:
        writer.append(
            [
                {"seq": 1, "op": "put", "entry": entry | {"id": "ent_gone"}},
                {"seq": 2, "op": "put", "entry": entry},
                {"seq": 3, "op": "drop", "entry_id": "ent_gone"},
            ]
        )
    return tmp_path / "bank.journal"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Two codes under one id, one under another."""
    codes = [HEX, near(HEX, 3), OTHER]
    index = Index()
    index.add(
        np.frombuffer(bytes.fromhex("".join(codes)), np.uint8).reshape(-1, 32),
        np.array([7, 7, 2**63], np.uint64),
    )
    index.save(tmp_path / "saved")
    return tmp_path / "saved"


def test_journal_of_an_installation_is_a_bank_with_its_entries_and_states(journal: Path) -> None:
    assert told(find(journal, view(near(OTHER, 5), name="cut1"))) == [("ent_a", "near", 5, "cc88~fH", "cut1")]
    [match] = find(journal, sha256=SHA)
    assert (match.kind, match.rule, match.bank) == ("exact", "confirmed-exact", "default")
    assert open_bank(journal).told == "1 entries with 2 codes"


def test_codes_of_a_journal_are_compared_at_their_own_scale_only(journal: Path) -> None:
    assert find(journal, view(HEX, algorithm=Algorithm.PDQ512)) == []


def test_list_and_index_are_compared_at_either_scale(tmp_path: Path, index: Path) -> None:
    (tmp_path / "list").write_text(HEX)
    for path, name in ((tmp_path / "list", "line-1"), (index, "7")):
        for algorithm in Algorithm:
            matches = find(path, view(HEX, algorithm=algorithm))
            assert told(matches) == [(name, "near", 0, "full", "full")]
            assert matches[0].rule == "unconfirmed-near"


def test_saved_index_tells_each_of_its_numbers_once_by_the_nearest_code(index: Path) -> None:
    views = [view(near(HEX, 4), name="strip"), view(HEX, quality=49), view(near(OTHER, 30), name="cut1")]

    assert told(find(index, *views)) == [
        ("7", "near", 1, "full", "strip"),
        (str(2**63), "near", 30, "full", "cut1"),
    ]
    assert find(index, sha256=SHA) == []


@pytest.mark.parametrize(("distance", "count"), [(9, 0), (10, 1)])
def test_distance_is_that_which_was_asked_for(
    tmp_path: Path, journal: Path, index: Path, distance: int, count: int
) -> None:
    (tmp_path / "list").write_text(OTHER)
    for path in (journal, index, tmp_path / "list"):
        assert len(find(path, view(near(OTHER, 10)), max_distance_bits=distance)) == count


def test_list_says_what_is_odd_about_it(tmp_path: Path) -> None:
    (tmp_path / "list").write_text(f"{HEX},10\n{OTHER}\n")

    [warning] = open_bank(tmp_path / "list").warnings
    assert "1 codes have a quality below 50" in warning


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def turn_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, turn_a_byte])
def test_damaged_index_is_refused(index: Path, damage: Callable[[Path], None]) -> None:
    damage(index)

    with pytest.raises(BankFileRefused, match="cannot be opened"):
        open_bank(index)


def test_damaged_journal_is_refused_with_its_line(journal: Path) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([lines[0], lines[1].replace(b"ent_gone", b"ent_gonX"), *lines[2:]]))

    with pytest.raises(BankFileRefused, match="damaged at line 2"):
        open_bank(journal)


def test_journal_with_an_entry_that_is_not_understood_is_refused(tmp_path: Path) -> None:
    with BankJournalWriter(tmp_path / "bank.journal") as writer:
        writer.append(
            [{"seq": 1, "op": "put", "entry": {"id": "ent_a", "codes": [["pdq", "full", 100, HEX]]}}]
        )

    with pytest.raises(BankFileRefused) as refused:
        open_bank(tmp_path / "bank.journal")
    assert HEX not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\0\1\2\3", "no bank journal, no saved index and no list"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no bank journal"),
        (HEX.encode("utf-16"), "UTF-16"),
        (b"", "no code and no digest"),
        (b"letters", "line 1"),
        (f"{HEX},100,1.0\n{HEX},100\n".encode(), "Feature 2"),
        (f'["{HEX},100,1.0", 7]'.encode(), "Feature 2"),
    ],
)
def test_file_that_is_no_bank_is_refused_with_a_reason(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(BankFileRefused, match=says):
        open_bank(tmp_path / "file")


def test_bank_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(BankFileRefused, match="No such file"):
        open_bank(tmp_path / "absent")
    with pytest.raises(BankFileRefused, match="Is a directory"):
        open_bank(tmp_path)
