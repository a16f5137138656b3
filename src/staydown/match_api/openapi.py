"""The API description of this door, OpenAPI 3.1, generated from the types that the endpoints really use."""

from __future__ import annotations

from typing import Any

import msgspec

from staydown.match_api.endpoints import JSON_LINES
from staydown.match_api.idempotency import MAX_KEY_CHARACTERS
from staydown.match_api.terms import (
    MAX_CONTENT_ID_CHARACTERS,
    MAX_CONTENT_URL_CHARACTERS,
    CheckAnswer,
    CheckRequest,
    ProblemAnswer,
)
from staydown.problem import CONTENT_TYPE

_REFERENCE = "#/components/schemas/{name}"

_REFUSALS = {
    "400": "The request is not of the form described here.",
    "401": "No token, or one that is unknown, revoked or expired.",
    "403": 'The token lacks the scope "check".',
    "408": "The body did not arrive in time.",
    "413": "The body, the batch or the picture is too large.",
    "415": "The content type is not one of those described here.",
    "422": "A value cannot be used: a fingerprint, a picture, a reused Idempotency-Key.",
    "429": "Too many uploads at once; try again after Retry-After.",
    "503": "The bank or the decoding processes are not available; try again after Retry-After.",
}


def openapi_paths() -> dict[str, Any]:
    """`paths` and `components` of the upload check, ready to be merged into a document."""
    (_, answer, problem), schemas = msgspec.json.schema_components(
        [CheckRequest, CheckAnswer, ProblemAnswer], ref_template=_REFERENCE
    )
    refusals = {
        status: {"description": meaning, "content": {CONTENT_TYPE: {"schema": problem}}}
        for status, meaning in _REFUSALS.items()
    }

    def told(description: str) -> dict[str, Any]:
        return {"description": description, "content": {"application/json": {"schema": answer}}}

    checked = {"200": told("The check's result, whatever the action is.")}
    gated = {
        "200": told("Allow."),
        "202": told("Hold: keep it back until a person has looked."),
        "451": told("Block."),
    }
    batch = {
        "200": {
            "description": "One line for each line sent, in the same order: a result or a problem object.",
            "content": {
                JSON_LINES[0]: {"schema": {"type": "string"}, "x-line-schema": {"anyOf": [answer, problem]}}
            },
        }
    }
    return {
        "paths": {
            "/api/v1/check": {"post": _operation("check", "Check an upload.", checked | refusals)},
            "/api/v1/gate": {
                "post": _operation("gate", "Check an upload; the status is the action.", gated | refusals)
            },
            "/api/v1/check/batch": {"post": _batch_operation(batch | refusals)},
            "/healthz": {"get": _probe("healthz", "The process is alive.", {})},
            "/readyz": {
                "get": _probe("readyz", "A check would be answered.", {"503": refusals["503"]}),
            },
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "platformToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": 'A token `sdk_...` with the scope "check".',
                }
            },
        },
    }


def _operation(name: str, summary: str, responses: dict[str, Any]) -> dict[str, Any]:
    text = {"type": "string"}
    form = {
        "type": "object",
        "required": ["media"],
        "properties": {
            # OpenAPI 3.1: a binary part has no `format`; its type stands under `encoding`.
            "media": {"type": "string", "contentMediaType": "application/octet-stream"},
            "content_id": text | {"maxLength": MAX_CONTENT_ID_CHARACTERS},
            "content_url": text | {"maxLength": MAX_CONTENT_URL_CHARACTERS},
        },
    }
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["upload check"],
        "security": [{"platformToken": []}],
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key and content give the same answer for ten minutes.",
                "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARACTERS},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": form},
                "application/json": {"schema": {"$ref": _REFERENCE.format(name="CheckRequest")}},
            },
        },
        "responses": responses,
    }


def _batch_operation(responses: dict[str, Any]) -> dict[str, Any]:
    line = {"$ref": _REFERENCE.format(name="CheckRequest")}
    content = {name: {"schema": {"type": "string"}, "x-line-schema": line} for name in JSON_LINES}
    return {
        "operationId": "check_batch",
        "summary": "Check many uploads by their fingerprints, one JSON object a line.",
        "tags": ["upload check"],
        "security": [{"platformToken": []}],
        "requestBody": {"required": True, "content": content},
        "responses": responses,
    }


def _probe(name: str, summary: str, refusals: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}}
    answer = {"description": summary, "content": {"application/json": {"schema": schema}}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["upload check"],
        "security": [],
        "responses": {"200": answer, **refusals},
    }
