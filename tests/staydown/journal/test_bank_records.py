"""Records of the bank journal become entries in memory, or are refused without a word of what they hold."""

from __future__ import annotations

from typing import Any

import pytest

from staydown.fingerprint import Algorithm
from staydown.journal import BankRecordNotUnderstood, apply_bank_record, claimed_entry_id
from staydown.journal.bank_records import DroppedEntry, read_bank_record
from staydown.matching import EntryState
from staydown.matching.bank_search import EntryCodes, HeldEntry
from staydown.matching.held_bank import HeldBank

HEX, OTHER = "0123456789abcdef" * 4, "fedcba9876543210" * 4
CODES = [
    ["pdq", "full", 100, HEX],
    ["pdq512", "full", 50, OTHER],
    ["pdq", "cc88~fH", 70, OTHER],
    ["pdq", "tb-13", 49, HEX],
]
ENTRY = {"id": "ent_a", "bank": "b", "state": "confirmed", "sha256": None, "md5": "d" * 32, "codes": CODES}


def put(**changes: Any) -> dict[str, Any]:
    return {"seq": 7, "op": "put", "entry": {**ENTRY, **changes}}


def with_code(**changes: Any) -> dict[str, Any]:
    """The entry with one code more, changed by place."""
    code = ["pdq", "r90", 80, HEX]
    for place, value in changes.items():
        code[int(place.removeprefix("at_"))] = value
    return put(codes=[*CODES, code])


def test_entry_is_read_with_the_codes_that_have_enough_detail() -> None:
    assert read_bank_record(put()) == HeldEntry(
        id="ent_a",
        bank="b",
        state=EntryState.CONFIRMED,
        sha256=None,
        md5="d" * 32,
        codes={
            Algorithm.PDQ: EntryCodes(("full", "cc88~fH"), bytes.fromhex(HEX + OTHER)),
            Algorithm.PDQ512: EntryCodes(("full",), bytes.fromhex(OTHER)),
        },
    )


def test_names_of_views_turns_and_frames_are_taken_as_they_are() -> None:
    for name in ("as4:5", "lr-19", "cc88~fH", "@12.500", "@12345.500~fH", "of a later version"[:16]):
        entry = read_bank_record(with_code(at_1=name))
        assert isinstance(entry, HeldEntry)
        assert entry.codes[Algorithm.PDQ].derivations[-1] == name


def test_withdrawn_entry_is_dropped() -> None:
    assert read_bank_record({"seq": 8, "op": "drop", "entry_id": "ent_a"}) == DroppedEntry("ent_a")


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"op": "merge", "entry": ENTRY},
        {"op": "put"},
        {"op": "put", "entry": 5},
        {"op": "put", "entry": None},
        {"op": "drop"},
        {"op": "drop", "entry_id": ["x"]},
        *({"op": "put", "entry": {k: v for k, v in ENTRY.items() if k != name}} for name in ENTRY),
        put(id=5),
        put(bank=None),
        put(state="exalted"),
        put(state=["confirmed"]),
        put(sha256=5),
        put(md5=[]),
        put(codes=7),
        put(codes=None),
        put(codes=[["pdq"]]),
        put(codes=["pdq"]),
        put(codes=[None]),
        with_code(at_0="newer"),
        with_code(at_0=["pdq"]),
        with_code(at_1=7),
        with_code(at_1=""),
        with_code(at_1="x" * 40),
        with_code(at_2="80"),
        with_code(at_2=True),
        with_code(at_2=101),
        with_code(at_2=-1),
        with_code(at_2=80.0),
        with_code(at_3="zz" * 32),
        with_code(at_3=HEX[:-2]),
        with_code(at_3=HEX[:-2] + "  "),
        with_code(at_3=" " + HEX[:-2] + " "),
        with_code(at_3=None),
        with_code(at_3=[HEX] * 64),
        with_code(at_2=10, at_3="zz" * 32),
    ],
    ids=lambda record: str(record)[-40:],
)
def test_record_of_another_form_is_refused_and_changes_nothing(record: dict[str, Any]) -> None:
    # Given a bank
    bank = HeldBank()
    apply_bank_record(put(), bank)

    # When
    with pytest.raises(BankRecordNotUnderstood) as refused:
        apply_bank_record(record, bank)

    # Then
    assert HEX not in str(refused.value)
    assert (len(bank), bank.codes) == (1, 3)


def test_record_says_which_entry_it_is_about() -> None:
    bank = HeldBank()

    assert apply_bank_record(put(), bank) == "ent_a"
    assert apply_bank_record({"op": "drop", "entry_id": "ent_a"}, bank) == "ent_a"
    assert (len(bank), bank.codes) == (0, 0)
    assert claimed_entry_id({"op": "put", "entry": {"id": "ent_b"}}) == "ent_b"
    assert claimed_entry_id({"op": "drop", "entry_id": "ent_c"}) == "ent_c"
    assert claimed_entry_id({"op": "put", "entry": 5, "seq": 3}) == "sequence number 3"
