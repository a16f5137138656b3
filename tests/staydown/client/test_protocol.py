"""What is sent and how answers are read, without a network."""

import json

import pytest

from staydown.client import protocol
from staydown.client.errors import (
    AnswerNotUnderstood,
    ClientMisconfigured,
    NotAuthorised,
    RequestRefused,
    Unreachable,
)
from staydown.client.protocol import Answer, ApiRequest
from staydown.client.terms import Action
from staydown.fingerprint.terms import (
    Algorithm,
    Digests,
    Fingerprint,
    MediaFingerprints,
    QueryFingerprints,
    QueryView,
)

MATCH = {
    "entry_id": "ent_1",
    "kind": "near",
    "distance_bits": 12,
    "derivation": "fV",
    "bank": "default",
    "state": "confirmed",
    "rule": "confirmed-near",
}


def answer(document: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(document).encode())


def test_a_check_answer_is_read_into_typed_values() -> None:
    result = protocol.read_check(
        answer({"action": "block", "matches": [MATCH], "check_id": "chk_1", "new": True})
    )

    assert (result.action, result.check_id, result.degraded) == (Action.BLOCK, "chk_1", False)
    assert result.matches[0].distance_bits == 12
    assert result.matches[0].rule == "confirmed-near"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Please sign in to the guest network</html>",
        b"[]",
        b"\xff\xfe",
        b"{}",
        b'{"action":"maybe","matches":[],"check_id":"chk_1"}',
        b'{"action":null,"matches":[],"check_id":"chk_1"}',
        b'{"action":"allow","matches":{},"check_id":"chk_1"}',
        b'{"action":"allow","matches":[1],"check_id":"chk_1"}',
        b'{"action":"allow","matches":[{"entry_id":"ent_1"}],"check_id":"chk_1"}',
        b'{"action":"allow","matches":[]}',
        b"[" * 100_000,
    ],
)
def test_an_answer_outside_the_protocol_is_never_taken_for_allow(body: bytes) -> None:
    with pytest.raises(AnswerNotUnderstood):
        protocol.read_check(Answer(200, body))


@pytest.mark.parametrize(("status", "action"), [(200, Action.ALLOW), (202, Action.HOLD), (451, Action.BLOCK)])
def test_the_gate_says_its_answer_by_status_alone(status: int, action: Action) -> None:
    assert protocol.read_gate(Answer(status, b"")).action is action


def test_a_gate_whose_status_and_body_disagree_is_not_understood() -> None:
    with pytest.raises(AnswerNotUnderstood, match="contradict"):
        protocol.read_gate(answer({"action": "block", "matches": [], "check_id": "chk_1"}, status=200))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, NotAuthorised),
        (403, NotAuthorised),
        (400, RequestRefused),
        (404, RequestRefused),
        (413, RequestRefused),
        (422, RequestRefused),
        (500, Unreachable),
        (302, AnswerNotUnderstood),
        (204, AnswerNotUnderstood),
    ],
)
def test_each_refusal_has_its_own_error(status: int, error: type[Exception]) -> None:
    request = protocol.copy_request("cpy_1")

    with pytest.raises(error):
        protocol.check_accepted(request, Answer(status, b""))


def test_a_refusal_carries_the_problem_the_server_named() -> None:
    problem = {
        "type": "urn:staydown:problem:too-many-pixels",
        "title": "Too many pixels",
        "status": 422,
        "limit": 9,
    }

    with pytest.raises(RequestRefused) as caught:
        protocol.check_accepted(protocol.gone_request("cpy_1"), answer(problem, status=422))
    assert caught.value.problem.slug == "too-many-pixels"
    assert caught.value.problem.members == {"limit": 9}


@pytest.mark.parametrize("body", [b"", b"plain text", b"[1]", b'{"type": 7, "title": null}'])
def test_an_unreadable_problem_does_not_hide_the_refusal(body: bytes) -> None:
    assert protocol.read_problem(Answer(422, body)).status == 422


def test_fingerprints_are_sent_as_json_with_the_whole_pictures_codes_only() -> None:
    # Given fingerprints of two algorithms and a flip
    code = bytes(range(32))
    media = MediaFingerprints(
        media="image",
        digests=Digests(sha256="ab" * 32, md5="cd" * 16),
        width=10,
        height=10,
        fingerprints=(
            Fingerprint(Algorithm.PDQ, code, 80),
            Fingerprint(Algorithm.PDQ, bytes(32), 80, "fV"),
            Fingerprint(Algorithm.PDQ512, code, 70),
        ),
    )

    # When
    request = protocol.check_request(media, content_id="post-1", content_url=None)

    # Then
    assert request.json_body is not None
    assert json.loads(request.json_body) == {
        "fingerprints": {
            "sha256": "ab" * 32,
            "md5": "cd" * 16,
            "pdq": {"hex": code.hex(), "quality": 80},
            "pdq512": {"hex": code.hex(), "quality": 70},
        },
        "content_id": "post-1",
    }


def test_parts_of_a_picture_are_sent_as_views_and_its_turns_are_not_sent() -> None:
    # Given what query_image gives: the whole picture in both algorithms with its turns, and two parts
    code = bytes(range(32))
    media = QueryFingerprints(
        media="image",
        digests=Digests(sha256="ab" * 32, md5="cd" * 16),
        width=10,
        height=10,
        views=(
            QueryView("full", Fingerprint(Algorithm.PDQ, code, 80)),
            QueryView("full", Fingerprint(Algorithm.PDQ, bytes(32), 80, "r90")),
            QueryView("full", Fingerprint(Algorithm.PDQ512, code, 70)),
            QueryView("strip", Fingerprint(Algorithm.PDQ, code, 60)),
            QueryView("cut1", Fingerprint(Algorithm.PDQ, code, 40)),
        ),
    )

    # Then
    assert protocol.fingerprints_document(media) == {
        "sha256": "ab" * 32,
        "md5": "cd" * 16,
        "pdq": {"hex": code.hex(), "quality": 80},
        "pdq512": {"hex": code.hex(), "quality": 70},
        "views": [
            {"name": "strip", "hex": code.hex(), "quality": 60},
            {"name": "cut1", "hex": code.hex(), "quality": 40},
        ],
    }


def test_a_match_says_in_which_part_of_the_upload_it_was_found() -> None:
    document = {"action": "block", "matches": [MATCH, MATCH | {"view": "cut2"}], "check_id": "chk_1"}

    assert [match.view for match in protocol.read_check(answer(document)).matches] == ["full", "cut2"]


def test_a_copy_id_cannot_leave_its_place_in_the_path() -> None:
    assert protocol.gone_request("../../feed?x=1#y") == ApiRequest(
        "POST", "/api/v1/copies/..%2F..%2Ffeed%3Fx%3D1%23y/gone"
    )


@pytest.mark.parametrize("copy_id", ["", ".", ".."])
def test_a_copy_id_that_names_no_copy_is_refused(copy_id: str) -> None:
    with pytest.raises(ClientMisconfigured):
        protocol.copy_request(copy_id)


@pytest.mark.parametrize(
    "url", ["", "staydown.example", "ftp://x", "https://", "https://a:b@x", "https://x/?q=1"]
)
def test_a_base_url_that_cannot_work_is_refused(url: str) -> None:
    with pytest.raises(ClientMisconfigured):
        protocol.origin_of(url)
