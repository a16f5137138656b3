"""What confirms an entry, and which matches are a flood: over the grid of states, numbers and histories."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from staydown.bank import rules
from staydown.bank.errors import FloodReasonDoesNotFit
from staydown.bank.terms import (
    Crowd,
    Entry,
    FloodAnswer,
    FloodDecision,
    FloodLimits,
    FloodReason,
    Source,
)
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


# --- floods

LIMITS = FloodLimits(floor=60, times=5, far_bits=16)


def a_crowd(**changes: Any) -> Crowd:
    """Sixty different files near an unconfirmed entry, most of them far off, after a quiet week."""
    crowd = Crowd(
        entry_id="ent_1",
        platform_id="pf_1",
        state=EntryState.UNCONFIRMED,
        near=60,
        far=50,
        earlier=(0,) * 160,
        put_back_at_near=None,
    )
    return replace(crowd, **changes)


@pytest.mark.parametrize("put_back_at_near", [None, 20], ids=["never judged", "put back before"])
@pytest.mark.parametrize("far", [0, 30, 31, 60])
@pytest.mark.parametrize("near", [0, 59, 60])
@pytest.mark.parametrize("state", list(EntryState))
def test_only_a_flood_of_other_pictures_pauses_and_only_what_nobody_vouched_for(
    state: EntryState, near: int, far: int, put_back_at_near: int | None
) -> None:
    # Given every combination of state, number, distance and history
    crowd = a_crowd(state=state, near=near, far=min(far, near), put_back_at_near=put_back_at_near)

    # Then what does nothing is left alone, fewer than the floor are no flood, and of the others only an
    # unconfirmed one is paused, if most uploads are far off and nobody put it back before
    wanted = None
    if near >= 60 and state in (EntryState.UNCONFIRMED, EntryState.CONFIRMED):
        wanted = FloodAnswer.ALARM
        if state is EntryState.UNCONFIRMED and far > 30 and put_back_at_near is None:
            wanted = FloodAnswer.QUARANTINE
    assert rules.judge_flood(crowd, LIMITS) is wanted


@pytest.mark.parametrize(
    ("usual", "near", "is_flood"),
    [(0, 59, False), (0, 60, True), (12, 60, True), (13, 64, False), (13, 65, True), (100, 499, False)],
)
def test_flood_is_measured_against_the_floor_and_the_entrys_own_usual(
    usual: int, near: int, is_flood: bool
) -> None:
    crowd = a_crowd(near=near, far=near, earlier=(usual,) * 100)

    assert (rules.judge_flood(crowd, LIMITS) is not None) is is_flood


@pytest.mark.parametrize(("near", "is_flood"), [(199, False), (200, True)])
def test_what_a_person_has_judged_must_double_before_they_are_asked_again(near: int, is_flood: bool) -> None:
    crowd = a_crowd(near=near, far=near, put_back_at_near=100)

    assert rules.judge_flood(crowd, LIMITS) is (FloodAnswer.ALARM if is_flood else None)


@pytest.mark.parametrize(
    ("earlier", "usual"),
    [
        ((), 0),
        ((7,), 7),
        ((0,) * 99 + (1_000,), 0),
        ((0,) * 80 + (40,) * 20, 40),
        (tuple(range(100)), 90),
    ],
    ids=["a new entry", "one hour", "one burst", "every evening", "a ramp"],
)
def test_usual_is_a_busy_hour_that_one_burst_does_not_lift(earlier: tuple[int, ...], usual: int) -> None:
    assert rules.usual_near(earlier) == usual


def test_baseline_counts_whole_hours_since_the_entry_came_and_leaves_out_the_last_sixty_minutes() -> None:
    # Given an entry of four and a half hours, met in several of them
    now = NOW.replace(hour=20, minute=30)
    counts = {now.replace(hour=hour, minute=0): hour for hour in range(15, 21)}

    # Then from 17:00 to 19:00 there are two whole hours; 16 began before it, 19 ends in what is judged
    assert rules.earlier_hours(counts, created_at=now - timedelta(hours=4), now=now) == (17, 18)
    assert rules.earlier_hours({}, created_at=now, now=now) == ()


def test_baseline_looks_back_a_week_and_counts_quiet_hours() -> None:
    hours = rules.earlier_hours({NOW - timedelta(days=8): 9}, created_at=NOW - timedelta(days=30), now=NOW)

    assert hours == (0,) * 166


def test_same_file_counts_once_for_an_entry_and_says_nothing_to_another() -> None:
    def mark(entry_id: str, **what: str | None) -> str:
        return rules.upload_mark(
            entry_id, **{"sha256": None, "content_id": None, "check_id": "chk_1", **what}
        )  # type: ignore[arg-type]

    assert mark("ent_1", sha256="ab" * 32) == mark("ent_1", sha256="ab" * 32, content_id="post-2")
    assert len({mark("ent_1", sha256="ab"), mark("ent_2", sha256="ab"), mark("ent_1", content_id="x")}) == 3
    assert mark("ent_1") != mark("ent_1", check_id="chk_2")
    assert len(mark("ent_" + "x" * 200)) == 16


@pytest.mark.parametrize("reason", [None, *FloodReason])
@pytest.mark.parametrize("decision", list(FloodDecision))
def test_each_decision_takes_its_own_reasons_only(
    decision: FloodDecision, reason: FloodReason | None
) -> None:
    if reason in rules.reasons_for(decision):
        assert rules.check_flood_reason(decision, reason) is reason
    else:
        with pytest.raises(FloodReasonDoesNotFit):
            rules.check_flood_reason(decision, reason)


def test_every_reason_belongs_to_one_decision() -> None:
    offered = [reason for decision in FloodDecision for reason in rules.reasons_for(decision)]

    assert sorted(offered) == sorted(FloodReason)


@pytest.mark.parametrize("minutes", [0, 1, 30, 59])
def test_baseline_is_the_same_until_the_next_hour_begins(minutes: int) -> None:
    # So that it need not be read again every few seconds.
    hour = NOW.replace(minute=0)
    counts = {hour - timedelta(hours=back): back for back in range(200)}

    for age in (timedelta(hours=5, minutes=20), timedelta(days=30)):
        found = rules.earlier_hours(counts, created_at=hour - age, now=hour + timedelta(minutes=minutes))
        assert found == rules.earlier_hours(counts, created_at=hour - age, now=hour)
