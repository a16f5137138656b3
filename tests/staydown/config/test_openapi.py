"""The description names every address of the API, and its parts exist; it is OpenAPI 3.1 in shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from staydown.config.asgi import CHECK_PATHS

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


@pytest.fixture
def document(db: None) -> dict[str, Any]:
    answer = Client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    described: dict[str, Any] = json.loads(answer.content)
    return described


def addresses(parts: list[Any], before: str = "/") -> Iterator[str]:
    """Every address that Django's router knows."""
    for part in parts:
        if isinstance(part, URLResolver):
            yield from addresses(part.url_patterns, before + str(part.pattern))
        elif isinstance(part, URLPattern):
            yield before + str(part.pattern)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def references(part: Any) -> Iterator[str]:
    """Every $ref in a part of the document."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_document_has_the_shape_of_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert {"openapi", "info", "paths", "components"} <= set(document)
    assert document["info"]["title"] == "Staydown"
    assert document["info"]["version"]
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, method, operation in operations(document):
        assert method in METHODS
        assert operation["responses"], path
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d|default", str(status))
            assert response["description"], path
        declared = {row["name"] for row in operation.get("parameters", ()) if row["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path)), path


def test_document_names_every_address_of_the_api_and_no_other(document: dict[str, Any]) -> None:
    # Given what the two routers know
    routed = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path) for path in addresses(get_resolver().url_patterns)}
    api = {path for path in routed if path.startswith("/api/v1/")} - {"/api/v1/", "/api/v1/openapi.json"}

    # Then
    assert set(document["paths"]) == api | set(CHECK_PATHS)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        part: Any = document
        for name in reference.removeprefix("#/").split("/"):
            assert name in part, reference
            part = part[name]


def test_every_call_but_the_two_probes_says_which_token_it_needs(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]

    for path, _, operation in operations(document):
        named = {name for row in operation.get("security", ()) for name in row}
        assert named <= set(schemes)
        assert bool(named) is (path not in ("/healthz", "/readyz")), path
    assert {scheme["scheme"] for scheme in schemes.values()} == {"bearer", "basic"}


def test_description_of_an_entry_has_no_place_for_a_fingerprint(document: dict[str, Any]) -> None:
    described = document["components"]["schemas"]["EntryOut"]["properties"]

    assert set(described) == {"entry_id", "bank", "state", "source", "created_at", "state_changed_at"}


def test_document_is_public_and_only_read(db: None) -> None:
    assert Client().post("/api/v1/openapi.json").status_code == 405
