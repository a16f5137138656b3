"""A bank of layers with memory over them answers like one bank in memory, whatever comes and goes.

Covers: staydown.matching.layered_bank, staydown.matching.bank_search.
"""

from __future__ import annotations

import hashlib
import random

from staydown.fingerprint import Algorithm, Fingerprint, QueryView
from staydown.matching import EntryState, decide
from staydown.matching.bank_search import HeldEntry
from staydown.matching.held_bank import HeldBank, codes_of
from staydown.matching.layered_bank import LayeredBank


class Layer(HeldBank):
    """A layer in memory: it forgets what it should hide."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = 0

    @property
    def entries(self) -> int:
        return len(self)

    def hide(self, number: int) -> None:
        self.drop(self.row(number).id)
        self.settle()
        self.hidden += 1


def code_of(name: object, bits: int = 0) -> Fingerprint:
    """A made-up code, with its first so many bits turned over."""
    code = int.from_bytes(hashlib.sha256(f"code {name}".encode()).digest()) ^ ((1 << bits) - 1) << (
        256 - bits
    )
    return Fingerprint(Algorithm.PDQ, code.to_bytes(32), 100)


def entry(name: object, *, state: EntryState = EntryState.CONFIRMED, bits: int = 0) -> HeldEntry:
    sha256 = hashlib.sha256(f"file {name}".encode()).hexdigest()
    md5 = hashlib.md5(f"file {name}".encode()).hexdigest()
    return HeldEntry(f"ent_{name}", "default", state, sha256, md5, codes_of([code_of(name, bits)]))


def test_layers_and_memory_answer_as_one_bank_does() -> None:
    # Given the same changes in a bank of three layers and in one without, entries near each other among them
    chance = random.Random(3)
    layers = [Layer() for _ in range(3)]
    plain, number = HeldBank(), 0
    for layer in layers:
        for _ in range(20):
            number += 1
            one = entry(number % 40, state=chance.choice(list(EntryState)), bits=chance.randrange(20))
            for each in layers:
                if (known := each.number_of(one.id)) is not None:
                    each.hide(known)
            layer.put(one, number=number)
            plain.put(one, number=number)
        layer.settle()
    bank = LayeredBank(layers)
    for _ in range(60):
        number += 1
        if chance.random() < 0.4:
            gone = f"ent_{chance.randrange(45)}"
            bank.drop(gone)
            plain.drop(gone)
        else:
            one = entry(chance.randrange(45), state=chance.choice(list(EntryState)))
            bank.put(one, number=number)
            plain.put(one, number=number)
    bank.settle()
    plain.settle()

    # Then
    assert (len(bank), bank.codes) == (len(plain), plain.codes)
    for name in range(45):
        sha256 = hashlib.sha256(f"file {name}".encode()).hexdigest()
        views = [QueryView("full", code_of(name)), QueryView("cut1", code_of(name, 9))]
        assert bank.find(views) == plain.find(views)
        assert bank.find(views, sha256=sha256) == plain.find(views, sha256=sha256)
        assert set(bank.hits([view.fingerprint for view in views])) == set(
            plain.hits([view.fingerprint for view in views])
        )
        assert (f"ent_{name}" in bank) is (f"ent_{name}" in plain)


def test_only_so_many_matches_are_the_strictest_and_decide_the_same() -> None:
    # Given many entries of all states near one code, some of the same file
    chance = random.Random(8)
    bank = HeldBank()
    for name in range(300):
        codes = codes_of([code_of("common", chance.randrange(32))])
        state = chance.choice([EntryState.DISPUTED] * 20 + list(EntryState))
        sha256 = "5" * 64 if name % 50 == 0 else None
        bank.put(HeldEntry(f"ent_{name:03}", "default", state, sha256, None, codes))
    bank.settle()
    views = [QueryView("full", code_of("common"))]

    # When
    everything = bank.find(views, sha256="5" * 64)
    few = bank.find(views, sha256="5" * 64, most=12)

    # Then
    assert len(everything) == len({match.entry_id for match in everything}) == 300
    assert [(m.rule, m.kind, m.distance_bits) for m in few] == [
        (m.rule, m.kind, m.distance_bits) for m in everything[:12]
    ]
    assert decide(few) == decide(everything)


def test_a_hundred_thousand_equal_codes_are_found_and_few_are_told() -> None:
    bank = HeldBank()
    for number in range(100_000):
        bank.put(HeldEntry(f"ent_{number}", "default", EntryState.UNCONFIRMED, None, None, SAME))
    bank.put(
        HeldEntry("ent_other", "default", EntryState.CONFIRMED, None, None, codes_of([code_of("x", 30)]))
    )
    bank.settle()

    found = bank.find([QueryView("full", code_of("x"))], most=100)

    assert len(found) == 100
    assert (found[0].entry_id, found[0].distance_bits) == ("ent_other", 30)


SAME = codes_of([code_of("x")])
