"""What goes out when nobody thought of it: a problem without detail, and a log without what was sent."""

import logging

import pytest

from staydown.match_api.answers import problem_bytes
from staydown.match_api.checking import Checker
from staydown.problem import Problem
from tests.staydown.fingerprint.files import jpeg
from tests.staydown.match_api.house import GOOD, UPLOADS, assert_problem, code_of, post_lines, sent


@pytest.mark.parametrize("path", UPLOADS)
def test_defect_is_a_problem_without_detail_and_is_logged_without_content(client, monkeypatch, caplog, path):
    # Given
    def broken(self, upload, **kwargs):
        raise RuntimeError(f"{upload.fingerprints} {GOOD}")

    monkeypatch.setattr(Checker, "check", broken)

    # When
    response = client.post(path, json=sent(code_of(1), content_id="my-content"))

    # Then
    problem = assert_problem(response, 500, "internal-error")
    assert "detail" not in problem
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "RuntimeError" in record.getMessage()
    assert "in broken" in record.getMessage()
    for secret in (code_of(1).hex, GOOD, "my-content", str(code_of(1).code)):
        assert secret not in caplog.text
        assert secret not in response.text


def test_defect_in_a_line_of_a_batch_stays_in_that_line(client, monkeypatch, caplog):
    check = Checker.check

    def broken(self, upload, **kwargs):
        if upload.content_id == "bad":
            raise RuntimeError("secret")
        return check(self, upload, **kwargs)

    monkeypatch.setattr(Checker, "check", broken)

    _, answers = post_lines(client, sent(code_of(1)), sent(code_of(1), content_id="bad"), sent(code_of(1)))

    assert [answer.get("action") for answer in answers] == ["allow", None, "allow"]
    assert (answers[1]["status"], answers[1].get("detail")) == (500, None)


def test_ordinary_requests_log_nothing(client, caplog):
    caplog.set_level(logging.INFO, logger="staydown")
    client.post("/api/v1/check", json=sent(code_of(1), sha256="5" * 64, content_id="7"))
    client.post("/api/v1/gate", files={"media": jpeg(64, 64)})
    client.post("/api/v1/gate", files={"media": b"x"})
    client.post("/api/v1/check", json={})
    post_lines(client, sent(code_of(1)), b"x")

    assert [
        record for record in caplog.records if record.name.startswith(("staydown", "python_multipart"))
    ] == []


def test_problem_keeps_its_extension_members():
    told = problem_bytes(Problem(413, "a-b", "Title", "Detail.", {"max_bytes": 5}))

    assert told == (
        b'{"type":"urn:staydown:problem:a-b","title":"Title","status":413,"detail":"Detail.","max_bytes":5}'
    )
