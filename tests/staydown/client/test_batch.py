"""How a batch is cut into requests and how its lines are read, without a network."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from staydown.client import AnswerNotUnderstood, RequestRefused, Upload, batch
from staydown.client.protocol import Answer
from staydown.client.terms import Action
from staydown.fingerprint.terms import Algorithm, Digests, Fingerprint, MediaFingerprints
from staydown.match_api import MatchApiSettings

ALLOWED = b'{"action":"allow","matches":[],"check_id":"chk_1"}'
REFUSED = (
    b'{"type":"urn:staydown:problem:invalid-request","title":"No","status":422,"detail":"A hex is odd."}'
)


def fingerprints(number: int = 1) -> MediaFingerprints:
    code = Fingerprint(Algorithm.PDQ, number.to_bytes(32), 90)
    return MediaFingerprints("image", Digests("ab" * 32, "cd" * 16), 9, 9, (code,))


def test_chunks_keep_to_the_number_of_lines_and_know_their_places() -> None:
    found = list(batch.chunks(fingerprints(number) for number in range(batch.MAX_LINES + 1)))

    assert [(one.first_place, len(one.lines)) for one in found] == [
        (0, batch.MAX_LINES),
        (batch.MAX_LINES, 1),
    ]


def test_chunks_keep_to_the_number_of_bytes() -> None:
    # Given lines of 100 kB
    long = Upload(fingerprints(), content_url="https://h.test/" + "a" * 100_000)

    # When
    found = list(batch.chunks(long for _ in range(100)))

    # Then
    sizes = [len(one.request(wish=None).json_body or b"") for one in found]
    assert sum(len(one.lines) for one in found) == 100
    assert len(found) == 3
    assert max(sizes) <= batch.MAX_BYTES


def test_first_chunk_is_there_before_the_whole_library_was_read() -> None:
    # Given
    taken = 0

    def library() -> Iterator[MediaFingerprints]:
        nonlocal taken
        for number in range(10**9):
            taken = number
            yield fingerprints(number)

    # When
    next(batch.chunks(library()))

    # Then
    assert taken == batch.MAX_LINES


def test_limits_are_no_larger_than_the_servers_own(tmp_path: Path) -> None:
    server = MatchApiSettings(data_dir=tmp_path)

    assert server.max_batch_lines >= batch.MAX_LINES
    assert server.max_batch_bytes >= batch.MAX_BYTES


def test_no_uploads_make_no_request() -> None:
    assert list(batch.chunks([])) == []


def test_line_carries_the_platforms_names_and_the_request_its_wish() -> None:
    [chunk] = batch.chunks([Upload(fingerprints(), content_id="17", content_url="https://h.test/17")])

    request = chunk.request(wish="hold")

    line = json.loads(request.json_body or b"")
    assert (line["content_id"], line["content_url"]) == ("17", "https://h.test/17")
    assert request.headers == (("Staydown-If-Unavailable", "hold"),)
    assert request.content_type == "application/jsonl"


def test_refused_line_is_told_in_its_place_and_stops_no_other() -> None:
    # Given
    [chunk] = batch.chunks([fingerprints(), fingerprints(), fingerprints()])

    # When
    first, second, third = chunk.read(Answer(200, b"\n".join([ALLOWED, REFUSED, ALLOWED]) + b"\n"))

    # Then
    assert first.checked().action is third.checked().action is Action.ALLOW
    assert second.problem is not None
    assert (second.place, second.problem.slug) == (1, "invalid-request")
    with pytest.raises(RequestRefused):
        second.checked()


@pytest.mark.parametrize("body", [b"", ALLOWED, b"\n".join([ALLOWED] * 3), ALLOWED + b"\n{}\n", b"[]\n[]\n"])
def test_answer_that_does_not_fit_its_lines_is_not_understood(body: bytes) -> None:
    [chunk] = batch.chunks([fingerprints(), fingerprints()])

    with pytest.raises(AnswerNotUnderstood):
        chunk.read(Answer(200, body))
