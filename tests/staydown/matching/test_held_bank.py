"""A bank in memory: which entries an upload's codes and digests lead to, and by which of their codes.

tests/staydown/match_api/test_bank_view.py goes on from here, through the journal.

Covers: staydown.matching.held_bank, staydown.matching.bank_search.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

import pytest

from staydown.fingerprint import Algorithm, Fingerprint, distance_bits
from staydown.fingerprint.terms import QueryView
from staydown.matching import EntryState, Match, held_bank
from staydown.matching.bank_search import EntryCodes, HeldEntry
from staydown.matching.held_bank import HeldBank, codes_of

SHA, MD5 = "5" * 64, "d" * 32


def code_of(number: int, *, derivation: str = "full", algorithm: Algorithm = Algorithm.PDQ) -> Fingerprint:
    """A made-up code; those of different numbers are about 128 bits apart."""
    return Fingerprint(algorithm, hashlib.sha256(f"code {number}".encode()).digest(), 100, derivation)


def moved(code: Fingerprint, bits: int, *, derivation: str = "full", quality: int = 100) -> Fingerprint:
    """The code with its first so many bits turned over."""
    turned = int.from_bytes(code.code) ^ (((1 << bits) - 1) << (256 - bits))
    return Fingerprint(code.algorithm, turned.to_bytes(32), quality, derivation)


def held(
    *entries: tuple[str, Sequence[Fingerprint]], sha256: str | None = None, md5: str | None = None
) -> HeldBank:
    bank = HeldBank()
    for entry_id, codes in entries:
        bank.put(HeldEntry(entry_id, "default", EntryState.CONFIRMED, sha256, md5, codes_of(codes)))
    bank.settle()
    return bank


def told(matches: Sequence[Match]) -> list[tuple[str, str, int, str, str]]:
    rows = [(m.entry_id, m.kind.value, m.distance_bits, m.derivation, m.view) for m in matches]
    return sorted(rows)


def test_match_tells_the_nearest_pair_of_view_and_code() -> None:
    # Given an entry with its registration set, and an upload seen in three ways
    codes = [
        code_of(1),
        code_of(2, derivation="cc88~fH"),
        code_of(3, derivation="as4:5"),
        code_of(4, algorithm=Algorithm.PDQ512),
    ]
    bank = held(("ent_a", codes))
    views = [
        QueryView("full", code_of(9)),
        QueryView("strip", moved(code_of(3), 20)),
        QueryView("cut2", moved(code_of(2), 6)),
    ]

    # Then the nearest pair is told
    assert told(bank.find(views)) == [("ent_a", "near", 6, "cc88~fH", "cut2")]
    assert told(bank.find(views[:2])) == [("ent_a", "near", 20, "as4:5", "strip")]
    assert bank.find(views[:1]) == []


def test_of_equally_near_views_the_first_is_told() -> None:
    bank = held(("ent_a", [code_of(1)]))
    near = moved(code_of(1), 4)

    assert told(bank.find([QueryView("full", near), QueryView("cut1", near)]))[0][4] == "full"


def test_no_view_makes_an_exact_match_and_an_exact_one_hides_them() -> None:
    # Given
    bank = held(("ent_a", [code_of(1)]), sha256=SHA, md5=MD5)
    views = [QueryView("cut1", code_of(1))]

    # Then the same code in a part of the upload is near, however near
    assert told(bank.find(views)) == [("ent_a", "near", 0, "full", "cut1")]
    # And the same file is exact, as a whole
    assert told(bank.find(views, sha256=SHA)) == [("ent_a", "exact", 0, "full", "full")]
    assert told(bank.find(views, md5=MD5)) == [("ent_a", "exact", 0, "full", "full")]


@pytest.mark.parametrize(("quality", "count"), [(49, 0), (50, 1)])
def test_view_without_detail_is_not_sought(quality: int, count: int) -> None:
    bank = held(("ent_a", [code_of(1)]))

    assert len(bank.find([QueryView("cut1", moved(code_of(1), 0, quality=quality))])) == count


def test_entry_that_is_replaced_or_dropped_leaves_none_of_its_codes_behind() -> None:
    # Given entries with 33 codes each
    sets = {f"ent_{n}": [code_of(100 * n + place) for place in range(33)] for n in range(50)}
    bank = held(*sets.items())
    assert (len(bank), bank.codes) == (50, 1650)

    # When some go and one is replaced
    for n in range(0, 50, 2):
        bank.drop(f"ent_{n}")
    bank.drop("ent_never_there")
    bank.put(HeldEntry("ent_1", "default", EntryState.CONFIRMED, None, None, codes_of([code_of(9_999)])))
    bank.settle()

    # Then exactly the others are found, by each of their codes
    assert (len(bank), bank.codes) == (25, 24 * 33 + 1)
    for entry_id, codes in sets.items():
        n = int(entry_id.removeprefix("ent_"))
        found = [{hit.entry_id for hit in bank.hits([code])} for code in codes]
        assert found == [{entry_id} if n % 2 and n != 1 else set()] * 33
    assert {hit.entry_id for hit in bank.hits([code_of(9_999)])} == {"ent_1"}


def test_many_codes_agree_with_comparing_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given clusters, taken in little by little
    monkeypatch.setattr(held_bank, "_WAITING_CODES", 500)
    chance = random.Random(4)
    centres = [code_of(n) for n in range(60)]
    sets = {
        f"ent_{n}": [
            moved(chance.choice(centres), chance.randrange(60), derivation=f"cc{k}") for k in range(33)
        ]
        for n in range(150)
    }
    bank = held(*sets.items())
    sought = [moved(centre, chance.randrange(20)) for centre in centres[:20]]

    # When
    hits = {(hit.sought, hit.entry_id, hit.derivation, hit.distance_bits) for hit in bank.hits(sought)}

    # Then
    expected = {
        (row, entry_id, code.derivation, bits)
        for row, query in enumerate(sought)
        for entry_id, codes in sets.items()
        for code in codes
        if (bits := distance_bits(query, code)) <= 31
    }
    assert len(expected) > 200
    assert hits == expected


def test_bank_can_be_stricter_than_the_usual_threshold() -> None:
    bank = HeldBank(max_distance_bits=10)
    bank.put(HeldEntry("ent_a", "default", EntryState.UNCONFIRMED, None, None, codes_of([code_of(1)])))
    bank.settle()

    assert len(bank.find([QueryView("full", moved(code_of(1), 10))])) == 1
    assert bank.find([QueryView("full", moved(code_of(1), 11))]) == []


def test_codes_without_detail_are_not_taken() -> None:
    codes = codes_of([code_of(1), moved(code_of(2), 0, quality=49)])

    assert codes == {Algorithm.PDQ: EntryCodes(("full",), code_of(1).code)}
    assert code_of(1).hex not in repr(codes)


@pytest.mark.parametrize(("names", "size"), [(("full",), 31), (("full",), 64), ((), 32)])
def test_codes_that_do_not_go_with_their_names_are_refused(names: tuple[str, ...], size: int) -> None:
    with pytest.raises(ValueError):
        EntryCodes(names, bytes(size))
