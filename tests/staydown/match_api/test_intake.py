"""The ways in which an upload comes: they mean the same, and each refuses bad input by name.

Covers: staydown.match_api.call.
"""

import json

import pytest

from tests.staydown.fingerprint.files import jpeg, png_of_zeros
from tests.staydown.match_api.house import (
    GOOD,
    UPLOADS,
    WRONG_SCOPE,
    assert_problem,
    code_of,
    entry,
    sent,
    token_row,
)

PICTURE = jpeg(300, 220)
MEDIA = {"Content-Type": "image/jpeg"}
SCOPES = ["check", "fingerprint"]


@pytest.fixture
def maker(house):
    """A client whose token may have media fingerprinted too."""
    house.publish_tokens(token_row(GOOD, scopes=SCOPES), token_row(WRONG_SCOPE, scopes=["check"]))
    with house.open() as client:
        yield client


def without_id(response):
    return response.status_code, {**response.json(), "check_id": ""}


@pytest.mark.parametrize("path", UPLOADS)
@pytest.mark.parametrize(
    "content_type", ["image/jpeg", "image/x-anything", "video/mp4", "application/octet-stream"]
)
def test_media_as_the_body_is_checked_as_in_a_form(maker, house, path, content_type):
    # Given a registered picture, and its name
    house.put(entry("ent_a", md5="0" * 32, codes=[code_of(1)]))
    parameters = {"content_id": "7 & 8", "content_url": "https://forum.example/ö", "level": "deep"}

    # When
    in_form = maker.post(path, files={"media": PICTURE}, data=parameters)
    as_body = maker.post(path, content=PICTURE, params=parameters, headers={"Content-Type": content_type})

    # Then
    assert without_id(in_form) == without_id(as_body)
    records = [{**record, "check_id": "", "at": ""} for record in house.checks()]
    assert records[0] == records[1]
    assert records[0]["content_id"] == "7 & 8"
    assert records[0]["content_url"] == "https://forum.example/ö"


def test_media_may_come_in_pieces_without_a_length(maker):
    def pieces():
        for start in range(0, len(PICTURE), 100):
            yield PICTURE[start : start + 100]

    assert maker.post("/api/v1/check", content=pieces(), headers=MEDIA).status_code == 200


def test_same_media_as_form_and_as_body_is_the_same_request(maker, house):
    key = {"Idempotency-Key": "6a0c"}
    first = maker.post("/api/v1/check", files={"media": PICTURE}, headers=key)
    again = maker.post("/api/v1/check", content=PICTURE, headers=MEDIA | key)
    other = maker.post("/api/v1/check?level=plain", content=PICTURE, headers=MEDIA | key)

    assert first.json() == again.json()
    assert_problem(other, 422, "idempotency-key-reused")
    assert len(house.checks()) == 1


@pytest.mark.parametrize(("setting", "usual"), [({}, "geo9"), ({"query_level": "plain"}, "plain")])
def test_answer_says_at_which_level_and_how_many_codes_were_sought(house, setting, usual):
    with house.open(**setting) as client:
        costs = {
            level: client.post(f"/api/v1/check?level={level}", content=PICTURE, headers=MEDIA).json()["cost"]
            for level in ("plain", "geo9", "deep")
        }
        default = client.post("/api/v1/check", content=PICTURE, headers=MEDIA).json()["cost"]
        fingerprints = client.post("/api/v1/check", json=sent(code_of(1), code_of(2, quality=49))).json()[
            "cost"
        ]

    assert [costs[level]["level"] for level in costs] == list(costs)
    assert costs["plain"]["codes_sought"] == 2
    assert costs["plain"]["codes_sought"] <= costs["geo9"]["codes_sought"] < costs["deep"]["codes_sought"]
    assert default == costs[usual]
    assert fingerprints == {"level": None, "codes_sought": 0}


# --- fingerprints only


@pytest.mark.parametrize("level", ["plain", "geo9", "deep"])
def test_fingerprints_of_media_give_the_same_check_as_the_media(maker, house, level):
    # Given what media is compared by
    answer = maker.post(f"/api/v1/fingerprint?level={level}", content=PICTURE, headers=MEDIA)
    assert house.checks() == []
    found = answer.json()
    codes = {**found["fingerprints"]["pdq"], "algorithm": "pdq"}
    house.put(
        {
            "id": "ent_a",
            "bank": "default",
            "state": "confirmed",
            "sha256": None,
            "md5": None,
            "codes": [["pdq", "full", codes["quality"], codes["hex"]]],
        }
    )

    # When they are checked instead of it
    by_codes = maker.post("/api/v1/check", json={"fingerprints": found["fingerprints"]}).json()
    by_media = maker.post(f"/api/v1/check?level={level}", content=PICTURE, headers=MEDIA).json()

    # Then
    assert (found["media"], found["width"], found["height"]) == ("image", 300, 220)
    assert by_codes["action"] == "block"
    assert by_codes["matches"] == by_media["matches"]
    assert (
        by_codes["cost"]["codes_sought"] == by_media["cost"]["codes_sought"] == found["cost"]["codes_sought"]
    )


def test_fingerprints_are_for_whoever_has_the_scope(maker):
    headers = {"Authorization": f"Bearer {WRONG_SCOPE}"}

    problem = assert_problem(
        maker.post("/api/v1/fingerprint", content=PICTURE, headers=MEDIA | headers), 403, "scope-missing"
    )
    assert problem["scope"] == "fingerprint"
    assert maker.post("/api/v1/check", content=PICTURE, headers=MEDIA | headers).status_code == 200


def test_fingerprints_of_a_form_and_none_of_fingerprints(maker):
    form = maker.post("/api/v1/fingerprint", files={"media": PICTURE}, data={"level": "plain"})
    assert form.json()["cost"] == {"level": "plain", "codes_sought": 2}

    assert_problem(maker.post("/api/v1/fingerprint", json=sent(code_of(1))), 422)


# --- bad input

BOMB = png_of_zeros(60_000, 60_000, rows=50)
BODY = {"content": PICTURE, "headers": MEDIA}
LONG = "x" * 2001
BAD = {
    "level unknown": ({**BODY, "params": {"level": "geo"}}, 422, "invalid-request"),
    "level empty": ({**BODY, "params": {"level": ""}}, 422, "invalid-request"),
    "level twice": ({**BODY, "params": [("level", "plain"), ("level", "deep")]}, 400, "invalid-request"),
    "id too long": ({**BODY, "params": {"content_id": "x" * 201}}, 422, "invalid-request"),
    "url too long": ({**BODY, "params": {"content_url": LONG}}, 422, "invalid-request"),
    "id with NUL": ({**BODY, "params": {"content_id": "a\0b"}}, 422, "invalid-request"),
    "id not UTF-8": ({**BODY, "query": "content_id=%ff"}, 400, "invalid-request"),
    "too many parameters": ({**BODY, "query": "&".join(["a=1"] * 40)}, 400, "invalid-request"),
    "no media": ({"content": b"", "headers": MEDIA}, 422, "empty-file"),
    "text as media": ({"content": b"hello", "headers": MEDIA}, 422, "unknown-format"),
    "cut media": ({"content": PICTURE[:400], "headers": MEDIA}, 422, "damaged-file"),
    "bomb": (
        {"content": BOMB, "headers": {"Content-Type": "application/octet-stream"}},
        413,
        "too-many-pixels",
    ),
    "media too large": ({"content": b"x" * 300_000, "headers": MEDIA}, 413, "body-too-large"),
    "curl's own type": (
        {"content": PICTURE, "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        415,
        "unsupported-media-type",
    ),
    "audio": ({"content": PICTURE, "headers": {"Content-Type": "audio/mpeg"}}, 415, "unsupported-media-type"),
    "form level unknown": ({"files": {"media": PICTURE}, "data": {"level": "x"}}, 422, "invalid-request"),
    "json level unknown": (
        {"json": {"media_url": "https://a.example/", "level": "x"}},
        422,
        "invalid-request",
    ),
    "json level of another type": (
        {"json": {"media_url": "https://a.example/", "level": 9}},
        422,
        "invalid-request",
    ),
    "json nothing": ({"json": {}}, 422, "nothing-to-check"),
    "json both": ({"json": {**sent(code_of(1)), "media_url": "https://a.example/"}}, 422, "nothing-to-check"),
    "json address of another type": ({"json": {"media_url": 7}}, 422, "invalid-request"),
    "json address too long": (
        {"json": {"media_url": "https://a.example/" + "x" * 4000}},
        422,
        "invalid-request",
    ),
    "fetching is off": ({"json": {"media_url": "https://a.example/"}}, 403, "fetch-off"),
}


@pytest.mark.parametrize("path", [*UPLOADS, "/api/v1/fingerprint"])
@pytest.mark.parametrize("name", BAD)
def test_bad_input_by_every_way_is_a_problem_with_its_own_name(bad_client, path, name):
    asked, status, slug = BAD[name]
    asked = dict(asked)
    if query := asked.pop("query", None):
        path += f"?{query}"

    response = bad_client.post(path, **asked)

    problem = assert_problem(response, status, slug)
    assert problem["detail"].endswith(".")


def test_level_beside_fingerprints_is_refused(maker):
    for level in ("plain", "deep"):
        assert_problem(
            maker.post("/api/v1/check", json=sent(code_of(1), level=level)), 422, "invalid-request"
        )


def test_address_in_a_batch_is_refused_in_its_line(maker):
    line = json.dumps({"media_url": "https://a.example/"})
    response = maker.post("/api/v1/check/batch", content=line, headers={"Content-Type": "application/jsonl"})

    assert json.loads(response.text)["status"] == 422


@pytest.fixture(scope="module")
def bad_client(tmp_path_factory):
    """A client whose decoding process is kept over the tests of this module, with a small limit."""
    from tests.staydown.match_api.house import House

    house = House(tmp_path_factory.mktemp("house"))
    house.publish_tokens(token_row(GOOD, scopes=SCOPES))
    house.publish()
    with house.open(max_body_bytes=200_000) as client:
        yield client
    assert house.checks() == []
