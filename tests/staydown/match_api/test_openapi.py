"""The API description: valid in shape, complete, and true to what is answered."""

import json
import re

import pytest

from staydown.match_api import openapi_paths
from staydown.match_api.app import UploadCheck
from tests.staydown.match_api.house import ENDPOINTS, code_of, entry, sent


@pytest.fixture(scope="module")
def described():
    return openapi_paths()


def every(value, name):
    """Each value under this member name, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == name:
                yield inner
            yield from every(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from every(inner, name)


def operations(described):
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_description_is_json_with_paths_and_components(described):
    assert json.loads(json.dumps(described)) == described
    assert set(described) == {"paths", "components"}
    assert set(described["components"]) == {"schemas", "securitySchemes"}
    assert set(described["paths"]) == UploadCheck.paths


def test_description_is_of_the_shape_of_openapi_3_1(described):
    names = set()
    for path, method, operation in operations(described):
        assert path.startswith("/")
        assert method in {"get", "post"}
        names.add(operation["operationId"])
        assert operation["summary"]
        assert operation["responses"]
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d", status)
            assert response["description"]
            for content_type, content in response.get("content", {}).items():
                assert "/" in content_type
                assert "schema" in content
        for requirement in operation["security"]:
            assert set(requirement) <= set(described["components"]["securitySchemes"])
        if method == "post":
            assert operation["requestBody"]["content"]
            assert operation["security"] == [{"platformToken": []}]
        for parameter in operation.get("parameters", []):
            assert {"name", "in", "schema"} <= set(parameter)
    assert len(names) == len(described["paths"])


def test_every_reference_leads_to_a_schema(described):
    references = set(every(described, "$ref"))

    assert references
    for reference in references:
        assert reference.removeprefix("#/components/schemas/") in described["components"]["schemas"]


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_refusal_is_described_as_a_problem(described, path):
    responses = described["paths"][path]["post"]["responses"]

    for status in ("400", "401", "403", "408", "413", "415", "422", "429", "503"):
        assert set(responses[status]["content"]) == {"application/problem+json"}


def test_gate_describes_its_three_answers(described):
    responses = described["paths"]["/api/v1/gate"]["post"]["responses"]

    assert {status for status in responses if "application/json" in responses[status]["content"]} == {
        "200",
        "202",
        "451",
    }


def test_answer_has_exactly_the_members_that_are_described(described, client, house):
    house.put(entry("ent_a", codes=[code_of(1)]))
    answer = client.post("/api/v1/check", json=sent(code_of(1))).json()
    schemas = described["components"]["schemas"]

    assert set(answer) == set(schemas["CheckAnswer"]["properties"]) == set(schemas["CheckAnswer"]["required"])
    assert set(answer["matches"][0]) == set(schemas["ToldMatch"]["required"])
    assert answer["action"] in schemas["Action"]["enum"]


def test_limits_of_what_is_sent_are_described(described):
    schemas = described["components"]["schemas"]

    assert schemas["SentCode"]["properties"]["hex"]["pattern"] == "^[0-9a-fA-F]{64}$"
    quality = schemas["SentCode"]["properties"]["quality"]
    assert (quality["minimum"], quality["maximum"]) == (0, 100)
    assert schemas["CheckRequest"].get("required", []) == []
    assert set(schemas["CheckRequest"]["properties"]) >= {"fingerprints", "media_url", "level"}
