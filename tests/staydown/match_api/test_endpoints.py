"""The endpoints: what they take, and that nothing that can be sent makes them fail."""

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.staydown.fingerprint.files import jpeg
from tests.staydown.match_api.house import (
    GOOD,
    UPLOADS,
    House,
    assert_problem,
    code_of,
    entry,
    post_lines,
    sent,
)


@pytest.mark.parametrize("path", UPLOADS)
@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "image",
        "audio/mpeg",
        "application/x-www-form-urlencoded",
        "json",
    ],
)
def test_unknown_content_type_is_a_problem_that_names_the_known_ones(client, path, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}

    response = client.post(path, content=jpeg(64, 64), headers=headers)

    problem = assert_problem(response, 415, "unsupported-media-type")
    assert "multipart/form-data or application/json or image/*" in problem["detail"]


def test_content_type_may_have_parameters_and_any_case(client):
    body = json.dumps(sent(code_of(1)))
    for content_type in ("application/json; charset=utf-8", "Application/JSON"):
        headers = {"Content-Type": content_type}
        assert client.post("/api/v1/check", content=body, headers=headers).status_code == 200


@pytest.mark.parametrize("path", UPLOADS)
@pytest.mark.parametrize("files", [{"image": jpeg(64, 64)}, {"content_id": b"7"}, {"Media": b"x"}])
def test_form_without_media_is_a_problem(client, path, files):
    problem = assert_problem(client.post(path, files=files), 422, "media-missing")

    assert '"media"' in problem["detail"]


@pytest.mark.parametrize("path", UPLOADS)
def test_names_in_a_form_are_checked_as_in_json(client, house, path):
    for data in ({"content_id": "x" * 201}, {"content_url": "x" * 2001}, {"content_id": "a\0b"}):
        response = client.post(path, files={"media": jpeg(64, 64)}, data=data)
        assert_problem(response, 422, "invalid-request")
    assert house.checks() == []


def test_gate_and_check_give_the_same_body(client, house):
    house.put(entry("ent_a", state="unconfirmed", codes=[code_of(1)]))

    checked = client.post("/api/v1/check", json=sent(code_of(1)))
    gated = client.post("/api/v1/gate", json=sent(code_of(1)))

    assert (checked.status_code, gated.status_code) == (200, 202)
    assert checked.json() | {"check_id": ""} == gated.json() | {"check_id": ""}
    assert list(gated.json()) == ["action", "matches", "check_id", "cost"]


def test_batch_answers_line_by_line_in_order(client, house):
    # Given
    house.put(
        entry("ent_a", codes=[code_of(1)]), entry("ent_b", state="unconfirmed", md5="d" * 32), entry("ent_c")
    )

    # When
    response, answers = post_lines(
        client, sent(code_of(1), content_id="1"), b"nonsense", sent(code_of(9)), b"", sent(md5="D" * 32)
    )

    # Then
    assert response.headers["content-type"] == "application/jsonl"
    assert [answer.get("action", answer.get("status")) for answer in answers] == [
        "block",
        400,
        "allow",
        400,
        "hold",
    ]
    assert len({answer["check_id"] for answer in answers if "check_id" in answer}) == 3
    assert [record["action"] for record in house.checks()] == ["block", "allow", "hold"]


@pytest.mark.parametrize(
    "content_type", ["application/x-ndjson", "application/x-jsonlines", "Application/JSONL"]
)
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_batch_is_read_under_each_name_in_use_and_with_any_ending(client, content_type, ending):
    body = json.dumps(sent(code_of(1))) + "\r\n" + json.dumps(sent(code_of(1))) + ending

    response = client.post("/api/v1/check/batch", content=body, headers={"Content-Type": content_type})

    assert response.status_code == 200
    assert [json.loads(line)["action"] for line in response.text.splitlines()] == ["allow", "allow"]


def test_batch_of_another_type_is_refused(client):
    for content_type in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        headers = {"Content-Type": content_type}
        response = client.post("/api/v1/check/batch", content=b"{}", headers=headers)
        assert_problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize("body", [b"", b"\n"])
def test_batch_without_a_line_is_refused(client, body):
    headers = {"Content-Type": "application/jsonl"}

    assert_problem(client.post("/api/v1/check/batch", content=body, headers=headers), 400, "batch-empty")


def test_batch_has_a_largest_number_of_lines(house):
    with house.open(max_batch_lines=120) as client:
        _, answers = post_lines(client, *[sent(code_of(1))] * 120)
        assert len(answers) == 120
        response, _ = post_lines(client, *[sent(code_of(1))] * 121)

    problem = assert_problem(response, 413, "too-many-lines")
    assert problem["max_lines"] == 120
    assert len(house.checks()) == 120


def test_line_of_a_batch_has_the_limit_of_a_single_check(house):
    with house.open(max_json_bytes=1000) as client:
        _, answers = post_lines(client, sent(code_of(1), x="x" * 1000), sent(code_of(1)))

    assert [answer.get("status") for answer in answers] == [422, None]


@pytest.fixture(scope="module")
def lasting_client(tmp_path_factory):
    """One client for all the random requests."""
    house = House(tmp_path_factory.mktemp("house"))
    house.publish_tokens()
    house.publish()
    house.put(entry("ent_a", codes=[code_of(1)], sha256="5" * 64))
    with house.open() as client:
        yield client


paths = st.sampled_from(["/api/v1/check", "/api/v1/gate", "/api/v1/check/batch"])
content_types = st.one_of(
    st.sampled_from(
        [
            "application/json",
            "application/jsonl",
            "multipart/form-data; boundary=line",
            'multipart/form-data; boundary="li;ne"',
            "multipart/form-data; boundary",
            "multipart/form-data",
            "multipart/mixed; boundary=line",
            "application/json; charset=utf-16",
            "image/jpeg",
            "application/octet-stream",
        ]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70) | st.just(code_of(1).hex),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["fingerprints", "pdq", "pdq512", "hex", "quality", "sha256", "md5", "content_id", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
form_pieces = st.sampled_from(
    [
        b"--line",
        b"--line--",
        b"\r\n",
        b"\n",
        b'Content-Disposition: form-data; name="media"',
        b'Content-Disposition: form-data; name="content_id"; filename="\xff"',
        b"Content-Disposition: form-data; name=content_url",
        b"Content-Disposition:",
        b": ",
        b"Content-Length: -1",
        b"\x00",
        jpeg(16, 16),
        b"GIF89a",
    ]
)
bodies = st.one_of(
    st.binary(max_size=300),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.lists(json_values, max_size=4).map(lambda values: b"\n".join(json.dumps(v).encode() for v in values)),
    st.lists(form_pieces | st.binary(max_size=8), max_size=14).map(b"".join),
)
keys = st.none() | st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=12)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=paths, content_type=content_types, body=bodies, key=keys)
@example(path="/api/v1/check", content_type="application/json", body=b"[" * 60_000, key=None)
@example(path="/api/v1/check/batch", content_type="application/jsonl", body=b"[" * 60_000 + b"\n{", key=None)
def test_nothing_that_can_be_sent_makes_the_door_fail(lasting_client, path, content_type, body, key):
    headers = {"Content-Type": content_type}
    if key is not None:
        headers["Idempotency-Key"] = key.encode("latin-1")

    response = lasting_client.post(path, content=body, headers=headers)

    assert response.status_code in {200, 202, 400, 413, 415, 422, 451}, response.text
    if response.status_code >= 400 and response.status_code != 451:
        assert_problem(response, response.status_code)
        assert response.json()["detail"]
    for line in response.text.splitlines():
        assert json.loads(line).get("status") != 500


@settings(max_examples=60, deadline=None)
@given(
    headers=st.dictionaries(
        st.sampled_from(
            ["Authorization", "Content-Type", "Idempotency-Key", "Content-Length", "Accept", "X-Other"]
        ),
        st.binary(max_size=30).filter(lambda value: not set(b"\r\n\0") & set(value)),
    )
)
def test_no_header_makes_the_door_fail(lasting_client, headers):
    sent_headers = {"Authorization": f"Bearer {GOOD}".encode(), **headers}
    response = lasting_client.post("/api/v1/check", content=b"{}", headers=sent_headers)

    assert_problem(response, response.status_code)
    assert response.status_code < 500
