"""What confirms an entry: the same file always, a near picture only in the requester's own case."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from staydown.bank import rules
from staydown.bank.terms import Entry, Source
from staydown.fingerprint import DERIVATION_SETS, DERIVATIONS, Algorithm, Fingerprint
from staydown.matching.terms import EntryState
from tests.staydown.conftest import NOW, a_code, changed_by, some_digests

PICTURE = (a_code(), a_code(Algorithm.PDQ512))
DIGESTS = some_digests()


def entry_with(
    *codes: Fingerprint, state: EntryState = EntryState.UNCONFIRMED, same_file: bool = False
) -> Entry:
    return Entry(
        id="ent_1",
        bank="default",
        state=state,
        source=Source.REGISTRATION,
        registration_id="reg_1",
        notice_number=None,
        digests=DIGESTS if same_file else some_digests(),
        fingerprints=codes,
        created_at=NOW,
        state_changed_at=NOW,
    )


def confirms(entry: Entry, *, own_case: bool) -> bool:
    return rules.is_confirmed_by_removal(entry, digests=DIGESTS, fingerprints=PICTURE, own_case=own_case)


@pytest.mark.parametrize("own_case", [True, False])
@pytest.mark.parametrize("state", list(EntryState))
def test_removing_the_same_file_confirms_only_what_was_unconfirmed(state: EntryState, own_case: bool) -> None:
    entry = entry_with(state=state, same_file=True)

    assert confirms(entry, own_case=own_case) is (state is EntryState.UNCONFIRMED)


@pytest.mark.parametrize("own_case", [True, False])
@pytest.mark.parametrize("state", list(EntryState))
def test_removing_a_near_picture_confirms_only_what_was_unconfirmed_in_the_own_case(
    state: EntryState, own_case: bool
) -> None:
    entry = entry_with(changed_by(PICTURE[0], bits=10), state=state)

    assert confirms(entry, own_case=own_case) is (own_case and state is EntryState.UNCONFIRMED)


@pytest.mark.parametrize(("bits", "confirmed"), [(0, True), (31, True), (32, False), (128, False)])
@pytest.mark.parametrize("derivation", DERIVATIONS)
def test_picture_is_near_up_to_31_bits_from_any_view_that_was_registered(
    derivation: str, bits: int, confirmed: bool
) -> None:
    entry = entry_with(a_code(derivation="full"), changed_by(PICTURE[0], bits=bits, derivation=derivation))

    assert confirms(entry, own_case=True) is confirmed


def test_same_md5_alone_is_not_the_same_file() -> None:
    # MD5 collisions are made in seconds; SHA-256 decides.
    assert not rules.is_exact(DIGESTS, replace(some_digests(), md5=DIGESTS.md5))
    assert rules.is_exact(DIGESTS, replace(DIGESTS, md5=""))


def test_entry_without_codes_is_confirmed_by_its_file_only() -> None:
    assert not confirms(entry_with(), own_case=True)
    assert confirms(entry_with(same_file=True), own_case=True)


def test_nearest_is_the_smallest_distance_over_algorithms_and_views() -> None:
    far, near = changed_by(PICTURE[0], bits=40), changed_by(PICTURE[1], bits=7, derivation="r90")

    assert rules.nearest_bits(PICTURE, (far, near)) == 7
    assert rules.nearest_bits(PICTURE, (far,)) == 40


def test_codes_of_different_algorithms_are_not_compared() -> None:
    other = replace(PICTURE[0], algorithm=Algorithm.PDQ512)

    assert rules.nearest_bits((PICTURE[0],), (other,)) is None


def test_only_the_whole_view_of_the_removed_picture_is_compared() -> None:
    turned = replace(PICTURE[0], derivation="r90")

    assert rules.nearest_bits((turned,), (PICTURE[0],)) is None


def set_of_a_picture() -> tuple[Fingerprint, ...]:
    """What a device registers: 32 codes, each with a quality of its own, and the code at 512 pixels."""
    names = DERIVATION_SETS["crops32"].derivations[Algorithm.PDQ]
    crops = [a_code(derivation=name, quality=60 + place) for place, name in enumerate(names)]
    return (*crops, a_code(Algorithm.PDQ512, quality=99))


def test_partners_get_every_code_once_and_nothing_that_says_which_is_which() -> None:
    # Given
    codes = set_of_a_picture()

    # When
    left = rules.codes_for_partners(entry_with(*codes), order=random.Random(1))

    # Then
    assert sorted(code.code for code in left) == sorted(code.code for code in codes)
    assert {(code.algorithm, code.derivation, code.quality) for code in left} == {(Algorithm.PDQ, "full", 60)}


def test_codes_leave_in_an_order_that_has_nothing_to_do_with_how_they_were_stored() -> None:
    # Given the same codes, stored in two orders
    codes = set_of_a_picture()
    one, other = entry_with(*codes), entry_with(*reversed(codes))

    # Then the order comes from the source of randomness alone
    assert rules.codes_for_partners(one, order=random.Random(1)) == rules.codes_for_partners(
        other, order=random.Random(1)
    )
    # And the whole picture's code may be anywhere
    places = set()
    for seed in range(400):
        left = rules.codes_for_partners(one, order=random.Random(seed))
        places.add([code.code for code in left].index(codes[0].code))
    assert places == set(range(33))


def test_code_that_two_crops_share_leaves_once_and_an_entry_without_codes_has_none() -> None:
    twice = (
        PICTURE[0],
        replace(PICTURE[0], derivation="cc88"),
        replace(PICTURE[0], algorithm=Algorithm.PDQ512),
    )

    assert len(rules.codes_for_partners(entry_with(*twice), order=random.Random(1))) == 1
    assert rules.codes_for_partners(entry_with(), order=random.Random(1)) == ()


@pytest.mark.parametrize(("one", "other"), [((), PICTURE), (PICTURE, ()), ((), ())])
def test_nothing_to_compare_has_no_distance(
    one: tuple[Fingerprint, ...], other: tuple[Fingerprint, ...]
) -> None:
    assert rules.nearest_bits(one, other) is None
