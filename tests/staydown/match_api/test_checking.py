"""One check: the action over the whole table, what is recorded, and withdrawal at the next request."""

import os
import re
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image, ImageOps

from staydown.catalog.rules import read_check_record
from staydown.client.protocol import fingerprints_document
from staydown.fingerprint import (
    DERIVATIONS,
    Algorithm,
    QueryLevel,
    SandboxPool,
    fingerprint_image,
    query_image,
)
from staydown.journal import check_journal
from staydown.match_api import checking
from staydown.matching import EntryState, MatchKind
from tests.staydown.fingerprint.files import encoded, jpeg
from tests.staydown.fingerprint.pictures import picture
from tests.staydown.match_api.house import (
    OTHER,
    PLATFORM,
    UPLOADS,
    assert_problem,
    code_of,
    entry,
    moved,
    post_lines,
    sent,
)

SHA, MD5 = "5" * 64, "d" * 32
ACTIONS = {EntryState.CONFIRMED: "block", EntryState.UNCONFIRMED: "hold"}
GATE = {"allow": 200, "hold": 202, "block": 451}


@pytest.mark.parametrize("path", UPLOADS)
@pytest.mark.parametrize("kind", MatchKind)
@pytest.mark.parametrize("state", EntryState)
def test_action_follows_the_table_for_every_state_and_kind(client, house, state, kind, path):
    # Given
    house.put(entry("ent_a", state=state, sha256=SHA, codes=[moved(code_of(1), 7, derivation="fH")]))

    # When
    body = sent(sha256=SHA) if kind is MatchKind.EXACT else sent(code_of(1))
    response = client.post(path, json=body)

    # Then the match is told whatever it does
    action = ACTIONS.get(state, "allow")
    answer = response.json()
    assert answer["action"] == action
    assert answer["matches"] == [
        {
            "entry_id": "ent_a",
            "kind": kind,
            "distance_bits": 0 if kind is MatchKind.EXACT else 7,
            "derivation": "full" if kind is MatchKind.EXACT else "fH",
            "bank": "default",
            "state": state,
            "rule": f"{state}-{kind}" if state in ACTIONS else f"{state}-inactive",
            "view": "full",
        }
    ]
    assert response.status_code == (GATE[action] if path.endswith("gate") else 200)


def test_strictest_match_decides_and_is_told_first(client, house):
    # Given
    house.put(
        entry("ent_allow", state="quarantined", sha256=SHA),
        entry("ent_hold_far", state="unconfirmed", codes=[moved(code_of(1), 5)]),
        entry("ent_hold_exact", state="unconfirmed", sha256=SHA),
        entry("ent_block", state="confirmed", codes=[moved(code_of(1), 30)]),
        entry("ent_hold_near", state="unconfirmed", codes=[moved(code_of(1), 2)]),
    )

    # When
    answer = client.post("/api/v1/check", json=sent(code_of(1), sha256=SHA)).json()

    # Then
    assert answer["action"] == "block"
    assert [match["entry_id"] for match in answer["matches"]] == [
        "ent_block",
        "ent_hold_exact",
        "ent_hold_near",
        "ent_hold_far",
        "ent_allow",
    ]


def test_nothing_known_is_allowed(client):
    answer = client.post("/api/v1/check", json=sent(code_of(1))).json()

    assert (answer["action"], answer["matches"]) == ("allow", [])
    assert re.fullmatch(r"chk_[a-z2-7]{16}", answer["check_id"])


def test_list_of_matches_is_bounded_and_the_action_is_decided_over_all(house):
    house.put(
        *(entry(f"ent_{n}", state="unconfirmed", codes=[code_of(1)]) for n in range(30)),
        entry("ent_strict", state="confirmed", codes=[moved(code_of(1), 31)]),
    )
    with house.open(max_matches_told=10) as client:
        answer = client.post("/api/v1/check", json=sent(code_of(1))).json()

    assert answer["action"] == "block"
    assert len(answer["matches"]) == 10
    assert answer["matches"][0]["entry_id"] == "ent_strict"


def test_withdrawal_takes_effect_on_the_next_request(client, house):
    # Given
    house.put(entry("ent_a", sha256=SHA, codes=[code_of(1)]))
    ask = sent(code_of(1), sha256=SHA)
    assert client.post("/api/v1/gate", json=ask).status_code == 451

    # When Alice withdraws
    house.drop("ent_a")

    # Then
    for path in UPLOADS:
        answer = client.post(path, json=ask)
        assert (answer.status_code, answer.json()["matches"]) == (200, [])
    assert post_lines(client, ask)[1][0]["action"] == "allow"


def test_registration_takes_effect_on_the_next_request(client, house):
    picture = jpeg(seed=3)
    files = {"media": ("cat.jpg", picture)}
    assert client.post("/api/v1/gate", files=files).status_code == 200

    found = fingerprint_image(picture)
    house.put(entry("ent_a", state="unconfirmed", sha256=found.digests.sha256, codes=found.registrable()))

    assert client.post("/api/v1/gate", files=files).status_code == 202


def test_turned_and_mirrored_copies_are_near(client, house):
    # Given
    original = Image.fromarray(picture("landscape", 640, 480, seed=8))
    found = fingerprint_image(encoded(original, "PNG"))
    house.put(entry("ent_a", codes=found.registrable()))

    for copy in (original.rotate(90, expand=True), ImageOps.mirror(original), original.resize((500, 375))):
        # When
        files = {"media": encoded(copy, "JPEG", quality=85)}
        answer = client.post("/api/v1/check", files=files).json()

        # Then
        (match,) = answer["matches"]
        assert (match["kind"], answer["action"]) == ("near", "block")
        assert match["distance_bits"] <= 31


def bordered(picture, share):
    """The picture with a dark border whose width is this part of its longer side."""
    margin = round(share * max(picture.size))
    framed = Image.new("RGB", (picture.width + 2 * margin, picture.height + 2 * margin), (8, 8, 8))
    framed.paste(picture, (margin, margin))
    return framed


@pytest.mark.parametrize(("level", "action"), [("plain", "allow"), ("geo9", "block"), ("deep", "block")])
def test_copy_inside_a_border_is_found_if_the_level_looks_inside(house, level, action):
    # Given
    original = Image.fromarray(picture("landscape", 640, 480, seed=8))
    house.put(entry("ent_a", codes=fingerprint_image(encoded(original, "PNG")).registrable()))
    copy = encoded(bordered(original, 0.12), "JPEG", quality=85)

    # When
    with house.open(query_level=QueryLevel(level)) as client:
        answer = client.post("/api/v1/check", files={"media": copy}).json()

    # Then, and the part in which it was found is told
    assert answer["action"] == action
    for match in answer["matches"]:
        assert (match["kind"], match["distance_bits"] <= 31) == ("near", True)
        assert match["view"] != "full"
    # And only the whole picture's codes are kept
    (record,) = house.checks()
    assert [len(record[name]["codes"]) for name in ("pdq", "pdq512")] == [8, 8]


def test_codes_that_a_client_computed_find_what_the_media_would(house, client):
    # Given a mirrored copy inside a border, fingerprinted by its platform
    original = Image.fromarray(picture("landscape", 640, 480, seed=8))
    house.put(entry("ent_a", codes=fingerprint_image(encoded(original, "PNG")).registrable()))
    copy = encoded(bordered(ImageOps.mirror(original), 0.1), "PNG")
    document = fingerprints_document(query_image(copy))

    # When it sends codes, then codes of the whole picture alone, then the media
    by_views = client.post("/api/v1/check", json={"fingerprints": document}).json()
    by_whole = client.post("/api/v1/check", json={"fingerprints": document | {"views": None}}).json()
    by_media = client.post("/api/v1/check", files={"media": copy}).json()

    # Then the first and the last agree
    assert by_views["matches"] == by_media["matches"] != []
    assert (by_views["action"], by_whole["action"]) == ("block", "allow")
    assert len(house.checks()[0]["pdq"]["codes"]) == 1


def test_check_of_a_picture_is_recorded_with_all_its_codes_and_never_the_picture(client, house):
    # Given
    picture = jpeg(seed=4)
    found = query_image(picture)
    house.put(entry("ent_a", state="unconfirmed", sha256=found.digests.sha256))

    # When
    before = datetime.now(UTC)
    answer = client.post(
        "/api/v1/check",
        files={"media": ("my holiday.jpg", picture, "image/jpeg")},
        data={"content_id": "post/7", "content_url": "https://forum.example/post/7"},
    ).json()

    # Then it has the whole picture's codes in both algorithms, eight turns each, and none of its parts'
    whole_picture = [view.fingerprint for view in found.views if view.name == "full"]
    assert [code.derivation for code in whole_picture] == [*DERIVATIONS, *DERIVATIONS]
    (record,) = house.checks()
    at = datetime.fromisoformat(record.pop("at"))
    assert before - timedelta(seconds=1) <= at <= datetime.now(UTC)
    (match,) = answer["matches"]
    del match["bank"]
    assert record == {
        "check_id": answer["check_id"],
        "platform": PLATFORM,
        "content_id": "post/7",
        "content_url": "https://forum.example/post/7",
        "media": "image",
        "sha256": found.digests.sha256,
        "md5": found.digests.md5,
        **{
            str(algorithm): {
                "codes": [code.hex for code in whole_picture if code.algorithm is algorithm],
                "quality": next(code.quality for code in whole_picture if code.algorithm is algorithm),
            }
            for algorithm in Algorithm
        },
        "frames": [],
        "action": "hold",
        "matches": [match],
    }
    written = b"".join(path.read_bytes() for path in house.data_dir.rglob("*") if path.is_file())
    assert b"holiday" not in written
    assert picture[:64] not in written
    assert len(written) < len(picture)


def test_moving_picture_is_found_by_a_later_frame_and_kept_with_it(house, client):
    # Given a registered picture that is the second of two scenes, a second each
    scenes = [Image.fromarray(picture("landscape", 320, 240, seed=seed)) for seed in (11, 12)]
    house.put(entry("ent_a", codes=fingerprint_image(encoded(scenes[1], "PNG")).registrable()))
    moving = encoded(scenes[0], "WEBP", quality=90, save_all=True, append_images=scenes[1:], duration=1000)

    # When
    names = {"content_id": "7", "content_url": "https://forum.example/7"}
    answer = client.post("/api/v1/check", files={"media": moving}, data=names).json()

    # Then
    assert [(match["kind"], match["view"]) for match in answer["matches"]] == [("near", "@1.000")]
    (check,) = map(read_check_record, house.checks())
    assert [code.derivation for code in check.fingerprints] == [*DERIVATIONS, *DERIVATIONS, "@1.000"]


def test_check_by_fingerprints_is_recorded_with_the_codes_that_were_sent(client, house):
    # When
    code = code_of(1, quality=77)
    body = sent(code, md5=MD5.upper(), content_id="9")
    body["fingerprints"]["pdq"]["hex"] = code.hex.upper()
    client.post("/api/v1/gate", json=body)

    # Then
    (record,) = house.checks()
    assert record["media"] is None
    assert (record["sha256"], record["md5"]) == (None, MD5)
    assert record["pdq"] == {"codes": [code.hex], "quality": 77}
    assert record["pdq512"] is None
    assert (record["content_id"], record["content_url"]) == ("9", None)


def test_every_record_is_understood_by_the_catalog(client, house):
    client.post("/api/v1/check", files={"media": jpeg()})
    client.post("/api/v1/check", json=sent(code_of(1), sha256=SHA))
    post_lines(client, sent(md5=MD5), sent(code_of(2, algorithm=Algorithm.PDQ512)))

    checks = [read_check_record(record) for record in house.checks()]

    assert [len(check.fingerprints) for check in checks] == [16, 1, 0, 1]
    assert {check.platform_id for check in checks} == {PLATFORM}


def test_check_is_recorded_for_the_platform_whose_token_was_used(house):
    with house.open(token=OTHER) as client:
        client.post("/api/v1/check", json=sent(code_of(1)))

    assert [record["platform"] for record in house.checks()] == ["pf_bbbbbbbbbbbbbbbb"]


def test_check_that_cannot_be_recorded_is_not_answered(client, house, monkeypatch):
    # Given a full disk
    def no_space(self, record):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(checking.CheckJournalWriter, "append", no_space)

        # When
        response = client.post("/api/v1/check", json=sent(code_of(1)))

    # Then
    assert_problem(response, 503, "check-not-recorded")
    assert response.headers["retry-after"] == "1"
    # And when there is room again, checks go on
    assert client.post("/api/v1/check", json=sent(code_of(1))).status_code == 200
    assert len(house.checks()) == 1


def test_record_that_was_half_written_does_not_spoil_the_next_one(client, house, monkeypatch):
    # Given a disk that fills up in the middle of a record
    def half(descriptor, content):
        os.write(descriptor, content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    client.post("/api/v1/check", json=sent(code_of(1), content_id="before"))
    with monkeypatch.context() as patched:
        patched.setattr(check_journal, "write_whole", half)
        assert_problem(client.post("/api/v1/check", json=sent(code_of(1))), 503, "check-not-recorded")

    # When there is room again
    client.post("/api/v1/check", json=sent(code_of(1), content_id="after"))

    # Then every answered check can be read
    assert [record["content_id"] for record in house.checks()] == ["before", "after"]


def test_withdrawal_while_a_picture_is_being_read_takes_effect_for_it(house, monkeypatch):
    # Given an entry that Alice withdraws while a copy is being read
    picture = jpeg(seed=6)
    found = fingerprint_image(picture)
    house.put(entry("ent_a", sha256=found.digests.sha256, codes=found.registrable()))

    def read_slowly(pool, media, level):
        house.drop("ent_a")
        return query_image(media, level=level)

    monkeypatch.setattr(SandboxPool, "query", read_slowly)

    # When (nobody looks at the journal in between)
    with house.open(refresh_seconds=3600) as client:
        response = client.post("/api/v1/gate", files={"media": picture})

    # Then
    assert (response.status_code, response.json()["matches"]) == (200, [])


def test_damaged_bank_gives_no_answer_rather_than_a_wrong_one(house):
    path = house.data_dir / "bank.journal"
    house.put(entry("ent_a", sha256=SHA), entry("ent_b"))
    path.write_bytes(path.read_bytes().replace(b"ent_a", b"ent_c"))
    with house.open() as client:
        for response in (
            client.post("/api/v1/check", json=sent(sha256=SHA)),
            client.post("/api/v1/gate", json=sent(sha256=SHA)),
            post_lines(client, sent(sha256=SHA))[0],
            client.get("/readyz"),
        ):
            assert_problem(response, 503, "bank-unreadable")
            assert response.headers["retry-after"] == "1"
        assert client.get("/healthz").status_code == 200
    assert house.checks() == []
