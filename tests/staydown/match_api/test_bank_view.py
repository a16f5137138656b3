"""What matches what: digests, distances, thresholds, and how the bank follows its journal."""

import logging

import pytest

from staydown.fingerprint import Algorithm, QueryView, distance_bits
from staydown.journal import bank_journal
from staydown.match_api.bank_view import BankView
from staydown.match_api.terms import Upload
from staydown.matching import EntryState, MatchKind
from staydown.matching.held_bank import HeldBank
from tests.staydown.match_api.house import code_of, entry, moved

SHA, MD5 = "5" * 64, "d" * 32
OTHER_SHA, OTHER_MD5 = "6" * 64, "e" * 32


@pytest.fixture
def bank(house):
    return BankView(house.data_dir / "bank.journal", max_distance_bits=31, retry_unreadable_seconds=0)


def find(bank, *codes, sha256=None, md5=None):
    """What a fresh look finds, as {entry id: (kind, distance, derivation)}."""
    bank.refresh()
    views = tuple(QueryView("full", code) for code in codes)
    matches = bank.find(Upload(views=views, sha256=sha256, md5=md5))
    found = {match.entry_id: (match.kind, match.distance_bits, match.derivation) for match in matches}
    assert len(found) == len(matches)
    return found


EXACT = (MatchKind.EXACT, 0, "full")


def test_equal_sha256_is_exact(bank, house):
    house.put(entry("ent_a", sha256=SHA), entry("ent_b", sha256=OTHER_SHA))

    assert find(bank, sha256=SHA) == {"ent_a": EXACT}


@pytest.mark.parametrize(
    ("known_sha256", "asked_sha256", "is_found"),
    [(None, SHA, True), (SHA, None, True), (None, None, True), (SHA, OTHER_SHA, False), (SHA, SHA, True)],
)
def test_equal_md5_counts_only_where_sha256_cannot_speak(bank, house, known_sha256, asked_sha256, is_found):
    house.put(entry("ent_a", sha256=known_sha256, md5=MD5))

    assert (find(bank, sha256=asked_sha256, md5=MD5) == {"ent_a": EXACT}) is is_found


def test_digests_of_the_bank_are_compared_in_lower_case(bank, house):
    house.put(entry("ent_a", sha256="AB" * 32), entry("ent_b", md5="CD" * 16))

    assert set(find(bank, sha256="ab" * 32, md5="cd" * 16)) == {"ent_a", "ent_b"}


@pytest.mark.parametrize("bits", [0, 1, 30, 31])
def test_code_within_31_bits_is_near(bank, house, bits):
    house.put(entry("ent_a", codes=[moved(code_of(1), bits, derivation="fH")]))

    assert find(bank, code_of(1)) == {"ent_a": (MatchKind.NEAR, bits, "fH")}


def test_code_at_32_bits_is_not_found(bank, house):
    house.put(entry("ent_a", codes=[moved(code_of(1), 32)]))

    assert find(bank, code_of(1)) == {}


def test_exact_wins_over_near_and_each_entry_is_told_once(bank, house):
    house.put(entry("ent_a", sha256=SHA, md5=MD5, codes=[moved(code_of(1), 3)]))

    assert find(bank, code_of(1), sha256=SHA, md5=MD5) == {"ent_a": EXACT}


def test_nearest_code_of_an_entry_is_told(bank, house):
    pdq, pdq512 = code_of(1), code_of(2, algorithm=Algorithm.PDQ512)
    house.put(
        entry(
            "ent_a",
            codes=[moved(pdq, 9), moved(pdq, 4, derivation="r90"), moved(pdq512, 2, derivation="fP")],
        )
    )

    assert find(bank, pdq) == {"ent_a": (MatchKind.NEAR, 4, "r90")}
    assert find(bank, pdq, pdq512) == {"ent_a": (MatchKind.NEAR, 2, "fP")}


def test_codes_are_compared_with_codes_of_the_same_algorithm_only(bank, house):
    pdq = code_of(1)
    house.put(entry("ent_a", codes=[pdq]))

    assert find(bank, code_of(1, algorithm=Algorithm.PDQ512)) == {}
    assert set(find(bank, pdq)) == {"ent_a"}


def test_only_the_whole_picture_of_an_upload_is_sought(bank, house):
    house.put(entry("ent_a", codes=[code_of(1)]))

    assert find(bank, code_of(9), code_of(1, derivation="r90")) == {}


@pytest.mark.parametrize(("quality", "count"), [(0, 0), (49, 0), (50, 1), (100, 1)])
def test_upload_without_detail_is_not_sought_by_its_code(bank, house, quality, count):
    house.put(entry("ent_a", codes=[code_of(1)]), entry("ent_b", sha256=SHA))

    found = find(bank, code_of(1, quality=quality), sha256=SHA)

    assert ("ent_a" in found) is bool(count)
    assert found["ent_b"] == EXACT


def test_code_without_detail_in_the_bank_is_not_found(bank, house):
    house.put(entry("ent_a", codes=[code_of(1, quality=49)]))

    assert find(bank, code_of(1)) == {}
    assert bank.counts() == {"entries": 1, "codes": 0, "entries_left_out": 0}


def test_match_tells_bank_state_and_rule(bank, house):
    house.put(entry("ent_a", bank="partner", state="disputed", sha256=SHA))
    bank.refresh()

    (match,) = bank.find(Upload(views=(), sha256=SHA, md5=None))

    assert (match.bank, match.state, match.rule) == ("partner", EntryState.DISPUTED, "disputed-inactive")


def test_put_replaces_the_whole_entry(bank, house):
    # Given
    house.put(entry("ent_a", sha256=SHA, md5=MD5, codes=[code_of(1), code_of(2)]))
    assert set(find(bank, code_of(1))) == {"ent_a"}

    # When, both over a known entry and twice in one go
    house.put(entry("ent_a", sha256=OTHER_SHA, codes=[code_of(3)]))
    house.put(entry("ent_b", codes=[code_of(4)]), entry("ent_b", codes=[code_of(5)]))

    # Then nothing of the old is found and all of the new is
    assert find(bank, code_of(1), sha256=SHA, md5=MD5) == {}
    assert find(bank, code_of(2)) == {}
    assert find(bank, code_of(4)) == {}
    assert set(find(bank, code_of(3))) == {"ent_a"}
    assert set(find(bank, code_of(5), sha256=OTHER_SHA)) == {"ent_a", "ent_b"}
    assert bank.counts() == {"entries": 2, "codes": 2, "entries_left_out": 0}


def test_dropped_entry_is_forgotten_and_another_with_the_same_digest_stays(bank, house):
    house.put(entry("ent_a", sha256=SHA, codes=[code_of(1)]), entry("ent_b", sha256=SHA))
    assert set(find(bank, sha256=SHA)) == {"ent_a", "ent_b"}

    house.drop("ent_a")
    house.drop("ent_a")
    house.drop("ent_never_known")

    assert set(find(bank, code_of(1), sha256=SHA)) == {"ent_b"}


def test_entry_that_comes_and_goes_between_two_looks_is_never_seen(bank, house):
    house.put(entry("ent_a", codes=[code_of(1)]))
    house.drop("ent_a")

    assert find(bank, code_of(1)) == {}


def test_new_generation_replaces_everything(bank, house):
    house.put(entry("ent_a", sha256=SHA, codes=[code_of(1)]))
    assert set(find(bank, code_of(1))) == {"ent_a"}

    house.publish_anew(entry("ent_b", codes=[code_of(2)]))

    assert find(bank, code_of(1), sha256=SHA) == {}
    assert set(find(bank, code_of(2))) == {"ent_b"}


def test_without_a_journal_the_bank_is_missing_until_there_is_one(house):
    (house.data_dir / "bank.journal").unlink()
    bank = BankView(house.data_dir / "bank.journal", max_distance_bits=31, retry_unreadable_seconds=0)
    bank.refresh()
    assert bank.trouble == "bank-missing"

    house.publish()
    bank.refresh()

    assert bank.trouble is None


def damage(path):
    """Changes one digit in the middle of the first record, as a bad disk would."""
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"ent_a", b"ent_x")
    path.write_bytes(b"".join(lines))


def test_damaged_journal_is_not_searched_until_it_is_mended(bank, house, caplog):
    # Given a bank that was read, and a journal that is then damaged and grows
    house.put(entry("ent_a", codes=[code_of(1)]), entry("ent_b", codes=[code_of(2)]))
    path = house.data_dir / "bank.journal"
    good = path.read_bytes()
    damage(path)

    # When
    for _ in range(3):
        bank.refresh()

    # Then it is in trouble, told once, without a fingerprint
    assert bank.trouble == "bank-unreadable"
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1
    assert code_of(1).hex not in caplog.text

    # And when it is mended, all of it is there
    path.write_bytes(good)
    assert set(find(bank, code_of(1))) == {"ent_a"}
    assert bank.trouble is None


def test_damaged_journal_is_not_read_again_at_every_request(house):
    house.put(entry("ent_a", codes=[code_of(1)]), entry("ent_b"))
    damage(house.data_dir / "bank.journal")
    bank = BankView(house.data_dir / "bank.journal", max_distance_bits=31, retry_unreadable_seconds=3600)
    bank.refresh()

    (house.data_dir / "bank.journal").unlink()
    house.publish()
    bank.refresh()

    assert bank.trouble == "bank-unreadable"


def without(name):
    body = entry("ent_bad", codes=[code_of(1)])
    del body[name]
    return body


BAD_ENTRIES = [
    *[without(name) for name in ("bank", "state", "sha256", "md5", "codes")],
    entry("ent_bad", state="exalted"),
    entry("ent_bad", sha256=5),
    {**entry("ent_bad"), "codes": [["pdq", "full", 100, "zz"]]},
    {**entry("ent_bad"), "codes": [["pdq", "full", 101, "0" * 64]]},
    {**entry("ent_bad"), "codes": [["pdq", "full", "100", "0" * 64]]},
    {**entry("ent_bad"), "codes": [["newer", "full", 100, "0" * 64]]},
    {**entry("ent_bad"), "codes": [["pdq"]]},
    {**entry("ent_bad"), "codes": 7},
]


@pytest.mark.parametrize("bad", BAD_ENTRIES)
def test_entry_that_is_not_understood_is_left_out_and_the_others_stay(bank, house, caplog, bad):
    # Given an entry, then one that cannot be understood in its place
    house.put(entry("ent_bad", sha256=SHA), bad, entry("ent_b", codes=[code_of(2)]))

    # Then only that one is gone, and it is told
    assert find(bank, code_of(1), code_of(2, algorithm=Algorithm.PDQ512), sha256=SHA) == {}
    assert set(find(bank, code_of(2))) == {"ent_b"}
    assert bank.counts()["entries_left_out"] == 1
    assert "left out" in caplog.text
    assert code_of(1).hex not in caplog.text

    # And when it comes again, whole, nothing is missing
    house.put(entry("ent_bad", sha256=SHA))
    assert set(find(bank, sha256=SHA)) == {"ent_bad"}
    assert bank.counts()["entries_left_out"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"op": "merge"},
        {"op": "put"},
        {"op": "put", "entry": 5},
        {"op": "put", "entry": {"id": ["x"]}},
        {"op": "drop"},
        {"op": "drop", "entry_id": {}},
    ],
)
def test_record_that_is_not_understood_is_left_out_and_the_others_stay(bank, house, body):
    house.publish(body)
    house.put(entry("ent_b", codes=[code_of(2)]))

    assert set(find(bank, code_of(2))) == {"ent_b"}
    assert bank.counts()["entries_left_out"] == 1


def test_long_journal_is_taken_in_part_by_part(bank, house, monkeypatch):
    # Given parts that are shorter than a record
    monkeypatch.setattr(bank_journal, "PART_BYTES", 300)
    codes = [moved(code_of(1), n % 31) for n in range(40)]
    house.put(entry("ent_long", codes=codes), *(entry(f"ent_{n}", codes=[code_of(n)]) for n in range(2, 60)))
    house.drop("ent_5")

    # Then all of it is there, also what comes later
    assert set(find(bank, code_of(1))) == {"ent_long"}
    assert bank.counts() == {"entries": 58, "codes": 97, "entries_left_out": 0}
    house.drop("ent_long")
    assert find(bank, code_of(1)) == {}
    assert set(find(bank, code_of(59))) == {"ent_59"}


def test_bank_of_thousands_agrees_with_comparing_one_by_one(bank, house):
    # Given more codes than the index scans without tables, in clusters
    codes = [moved(code_of(n % 300), n // 300 * 3) for n in range(6000)]
    house.put(*(entry(f"ent_{n}", codes=[code]) for n, code in enumerate(codes)))
    house.publish(*({"op": "drop", "entry_id": f"ent_{n}"} for n in range(0, 6000, 7)))

    # Then
    for n in (0, 1, 299):
        query = moved(code_of(n), n % 30)
        distances = {k: distance_bits(query, code) for k, code in enumerate(codes) if k % 7}
        expected = {f"ent_{k}": (MatchKind.NEAR, bits, "full") for k, bits in distances.items() if bits <= 31}
        assert len(expected) > 5
        assert find(bank, query) == expected


def test_change_that_broke_off_half_way_is_begun_anew(bank, house, monkeypatch):
    # Given a defect while the second record is taken in
    house.put(entry("ent_a", codes=[code_of(1)]), entry("ent_b", codes=[code_of(2)]))
    put = HeldBank.put

    def broken(held, found, **options):
        if found.id == "ent_b":
            raise ZeroDivisionError
        put(held, found, **options)

    # When
    with monkeypatch.context() as patched:
        patched.setattr(HeldBank, "put", broken)
        with pytest.raises(ZeroDivisionError):
            bank.refresh()
        assert bank.trouble == "bank-unreadable"

    # Then the next look has all of it
    assert set(find(bank, code_of(1))) == {"ent_a"}
    assert set(find(bank, code_of(2))) == {"ent_b"}
