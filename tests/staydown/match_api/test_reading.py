"""JSON requests, good and bad: every bad one is a problem with a sentence, none is recorded.

Covers: staydown.match_api.terms, staydown.match_api.refusals.
"""

import json

import pytest

from staydown.fingerprint import Algorithm
from staydown.match_api.errors import Refused
from staydown.match_api.reading import checked_text, upload_of_json
from tests.staydown.match_api.house import UPLOADS, assert_problem, code_of, entry, post_lines, sent

GOOD_HEX = code_of(1).hex
SECRET = "5ec7e7" * 10


def fingerprints(**members):
    return {"fingerprints": members}


def pdq(digits=GOOD_HEX, quality=100):
    return fingerprints(pdq={"hex": digits, "quality": quality})


def view(digits=GOOD_HEX, quality=80, name="cut1"):
    return {"name": name, "hex": digits, "quality": quality}


def views(*sent_views, **members):
    return fingerprints(views=list(sent_views), **members)


# The body, the status, and a word that its detail must have.
BAD = [
    (b"", 400, "JSON"),
    (b"{", 400, "JSON"),
    (b"\xff\xfe", 400, "JSON"),
    (b'{"fingerprints": {}} x', 400, "JSON"),
    (b'{"content_id": "\xff", "fingerprints": {}}', 400, "JSON"),
    (b'{"content_id": "\\ud800", "fingerprints": {}}', 400, "JSON"),
    (b'{"a":' * 10_000, 400, "JSON"),
    (b"[" * 60_000, 422, "object"),
    (b"null", 422, "object"),
    (b"[]", 422, "object"),
    (b'"x"', 422, "object"),
    ({}, 422, "fingerprints"),
    (fingerprints(), 422, "at least one"),
    ({"fingerprints": None}, 422, "fingerprints"),
    ({"fingerprints": []}, 422, "fingerprints"),
    (fingerprints(pdq=None), 422, "at least one"),
    (fingerprints(pdq={}), 422, "hex"),
    (fingerprints(pdq={"hex": GOOD_HEX}), 422, "quality"),
    (pdq(GOOD_HEX[:-1]), 422, "$.fingerprints.pdq.hex"),
    (pdq(GOOD_HEX + "0"), 422, "$.fingerprints.pdq.hex"),
    (pdq(GOOD_HEX[:-1] + "\n"), 422, "$.fingerprints.pdq.hex"),
    (pdq(GOOD_HEX + "\n"), 422, "$.fingerprints.pdq.hex"),
    (pdq("g" * 64), 422, "$.fingerprints.pdq.hex"),
    (pdq("٠" * 64), 422, "$.fingerprints.pdq.hex"),
    (pdq(""), 422, "$.fingerprints.pdq.hex"),
    (pdq(5), 422, "$.fingerprints.pdq.hex"),
    (pdq(quality=-1), 422, "$.fingerprints.pdq.quality"),
    (pdq(quality=101), 422, "$.fingerprints.pdq.quality"),
    (pdq(quality=10**40), 422, "$.fingerprints.pdq.quality"),
    (pdq(quality=50.5), 422, "$.fingerprints.pdq.quality"),
    (pdq(quality=True), 422, "$.fingerprints.pdq.quality"),
    (pdq(quality="100"), 422, "$.fingerprints.pdq.quality"),
    (pdq(quality=None), 422, "$.fingerprints.pdq.quality"),
    (fingerprints(pdq512={"hex": SECRET, "quality": 1}), 422, "$.fingerprints.pdq512.hex"),
    (fingerprints(sha256=SECRET), 422, "$.fingerprints.sha256"),
    (fingerprints(sha256="0" * 32), 422, "$.fingerprints.sha256"),
    (fingerprints(md5="0" * 64), 422, "$.fingerprints.md5"),
    (fingerprints(md5=""), 422, "$.fingerprints.md5"),
    (views(), 422, "at least one"),
    (views(pdq={"hex": GOOD_HEX, "quality": 100}) | {"fingerprints": {"views": []}}, 422, "at least one"),
    (views({"hex": GOOD_HEX, "quality": 80}, md5="0" * 32), 422, "name"),
    (views({"name": "cut1", "quality": 80}, md5="0" * 32), 422, "hex"),
    (views({"name": "cut1", "hex": GOOD_HEX}, md5="0" * 32), 422, "quality"),
    (views(view(name="Cut 1"), md5="0" * 32), 422, "$.fingerprints.views[0].name"),
    (views(view(name="c" * 17), md5="0" * 32), 422, "$.fingerprints.views[0].name"),
    (views(view(name="cut1\n"), md5="0" * 32), 422, "$.fingerprints.views[0].name"),
    (views(view(name=""), md5="0" * 32), 422, "$.fingerprints.views[0].name"),
    (views(view(digits=SECRET), md5="0" * 32), 422, "$.fingerprints.views[0].hex"),
    (views(view(quality=101), md5="0" * 32), 422, "$.fingerprints.views[0].quality"),
    (views(*[view()] * 41, md5="0" * 32), 422, "$.fingerprints.views"),
    (views(view(name="@1"), md5="0" * 32), 422, "$.fingerprints.views[0].name"),
    (views(view(name="@1.000~fH"), md5="0" * 32), 422, "$.fingerprints.views[0].name"),
    (fingerprints(views={}, md5="0" * 32), 422, "$.fingerprints.views"),
    (fingerprints(views=[None], md5="0" * 32), 422, "$.fingerprints.views[0]"),
    (fingerprints(sha256=GOOD_HEX) | {"content_id": "x" * 201}, 422, "$.content_id"),
    (fingerprints(sha256=GOOD_HEX) | {"content_url": "x" * 2001}, 422, "$.content_url"),
    (fingerprints(sha256=GOOD_HEX) | {"content_id": 5}, 422, "$.content_id"),
    (fingerprints(sha256=GOOD_HEX) | {"content_id": "a\x00b"}, 422, "content_id"),
    (fingerprints(sha256=GOOD_HEX) | {"content_url": "a\r\nb"}, 422, "content_url"),
]


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_bad_body_is_a_problem_that_says_what_is_wrong(client, house, body):
    content, status, word = body
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    for path in UPLOADS:
        # When
        response = client.post(path, content=content, headers={"Content-Type": "application/json"})

        # Then
        problem = assert_problem(response, status)
        assert word in problem["detail"]
        assert SECRET not in response.text
        assert GOOD_HEX[:20] not in response.text
    assert house.checks() == []


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_bad_line_gets_a_problem_and_the_lines_around_it_an_answer(client, house, body):
    content, status, word = body
    content = content if isinstance(content, bytes) else json.dumps(content).encode()

    _, answers = post_lines(client, sent(code_of(1)), content, sent(code_of(2)))

    assert [answer.get("action") for answer in answers] == ["allow", None, "allow"]
    assert answers[1]["status"] == status
    assert word in answers[1]["detail"]
    assert len(house.checks()) == 2


def test_members_that_are_not_known_are_tolerated(client, house):
    house.put(entry("ent_a", codes=[code_of(1)]))
    body = sent(code_of(1), later={"deep": [1, {"a": None}]}, sha256=None)
    body["fingerprints"]["pdq2"] = {"hex": "?"}
    body["fingerprints"]["pdq"]["derived"] = 8

    assert client.post("/api/v1/check", json=body).json()["action"] == "block"


def test_null_is_the_same_as_not_there():
    body = {
        "fingerprints": {"pdq": None, "pdq512": None, "sha256": None, "md5": "AB" * 16},
        "content_id": None,
        "content_url": "",
    }

    upload = upload_of_json(json.dumps(body).encode())

    assert (upload.sha256, upload.md5) == (None, "ab" * 16)
    assert (upload.content_id, upload.content_url, upload.media) == (None, None, None)


def test_hex_is_read_in_either_case_and_kept_in_lower_case():
    body = pdq(GOOD_HEX.upper(), 50)
    body["fingerprints"] |= {"sha256": "AB" * 32, "pdq512": {"hex": GOOD_HEX, "quality": 0}}

    upload = upload_of_json(json.dumps(body).encode())

    codes = [(view.name, view.fingerprint) for view in upload.views]
    assert [(name, code.algorithm, code.hex, code.quality, code.derivation) for name, code in codes] == [
        ("full", Algorithm.PDQ, GOOD_HEX, 50, "full"),
        ("full", Algorithm.PDQ512, GOOD_HEX, 0, "full"),
    ]
    assert upload.sha256 == "ab" * 32


def test_views_follow_the_whole_picture_in_the_order_in_which_they_were_sent():
    parts = [view(name="strip"), view(code_of(2).hex.upper(), 49, "cut6")]
    body = views(*parts, pdq={"hex": GOOD_HEX, "quality": 7})

    upload = upload_of_json(json.dumps(body).encode())

    told = [(v.name, v.fingerprint.algorithm, v.fingerprint.hex, v.fingerprint.quality) for v in upload.views]
    assert told == [
        ("full", Algorithm.PDQ, GOOD_HEX, 7),
        ("strip", Algorithm.PDQ, GOOD_HEX, 80),
        ("cut6", Algorithm.PDQ, code_of(2).hex, 49),
    ]
    assert upload.kept() == (upload.views[0].fingerprint,)
    assert upload_of_json(json.dumps(fingerprints(views=None, md5="0" * 32)).encode()).views == ()


@pytest.mark.parametrize("text", ["x" * 200, "zażółć 🦫\u200d🌊\u00a0", "javascript:1"])
def test_names_are_the_platforms_own_affair(text):
    assert checked_text("content_id", text) == text


@pytest.mark.parametrize("text", ["x" * 201, "\x00", "\x7f", "\x85", "\ud800"])
def test_names_that_cannot_be_kept_are_refused(text):
    with pytest.raises(Refused):
        checked_text("content_id", text)
