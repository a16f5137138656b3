"""The API description of this door, OpenAPI 3.1, generated from the types that the endpoints really use."""

from __future__ import annotations

from typing import Any

import msgspec

from staydown.fingerprint import QueryLevel
from staydown.match_api.endpoints import JSON_LINES, WISH_HEADER
from staydown.match_api.idempotency import MAX_KEY_CHARACTERS
from staydown.match_api.intake import MEDIA_TYPES
from staydown.match_api.meter import Wish
from staydown.match_api.terms import (
    MAX_CONTENT_ID_CHARACTERS,
    MAX_CONTENT_URL_CHARACTERS,
    CheckAnswer,
    CheckRequest,
    DegradedAnswer,
    FingerprintAnswer,
    ProblemAnswer,
)
from staydown.problem import CONTENT_TYPE

_REFERENCE = "#/components/schemas/{name}"

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and content give the same answer for ten minutes.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARACTERS},
}
_WISH = {
    "name": WISH_HEADER,
    "in": "header",
    "required": False,
    "description": "What to answer, marked as degraded, where the answer would be 429 or 503.",
    "schema": {"type": "string", "enum": [wish.value for wish in Wish]},
}
_TEXTS: dict[str, dict[str, Any]] = {
    "content_id": {"type": "string", "maxLength": MAX_CONTENT_ID_CHARACTERS},
    "content_url": {"type": "string", "maxLength": MAX_CONTENT_URL_CHARACTERS},
    "level": {"type": "string", "enum": [level.value for level in QueryLevel]},
}
_MEDIA_PARAMETERS: list[dict[str, Any]] = [
    {
        "name": name,
        "in": "query",
        "required": False,
        "description": "Where the body is the media itself.",
        "schema": schema,
    }
    for name, schema in _TEXTS.items()
]

_REFUSALS = {
    "400": "The request is not of the form described here.",
    "401": "No token, or one that is unknown, revoked or expired.",
    "403": "The token lacks the scope, or media may not be fetched from that address.",
    "408": "The body did not arrive in time.",
    "413": "The body, the batch or the picture is too large.",
    "415": "The content type is not one of those described here.",
    "422": "A value cannot be used: a fingerprint, a picture, a reused Idempotency-Key.",
    "429": "Too many uploads at once; try again after Retry-After.",
    "503": "The bank or the decoding processes are not available; try again after Retry-After.",
}


def openapi_paths() -> dict[str, Any]:
    """`paths` and `components` of the upload check, ready to be merged into a document."""
    (_, answer, degraded, fingerprints, problem), schemas = msgspec.json.schema_components(
        [CheckRequest, CheckAnswer, DegradedAnswer, FingerprintAnswer, ProblemAnswer],
        ref_template=_REFERENCE,
    )
    refusals = {
        status: {"description": meaning, "content": {CONTENT_TYPE: {"schema": problem}}}
        for status, meaning in _REFUSALS.items()
    }

    def told(description: str, *schemas: dict[str, Any]) -> dict[str, Any]:
        schema = {"anyOf": list(schemas)} if len(schemas) > 1 else schemas[0]
        return {"description": description, "content": {"application/json": {"schema": schema}}}

    checked = {"200": told("The check's result, whatever the action is.", answer, degraded)}
    gated = {
        "200": told("Allow.", answer, degraded),
        "202": told("Hold: keep it back until a person has looked.", answer, degraded),
        "451": told("Block.", answer),
    }
    batch = {
        "200": {
            "description": "One line for each line sent, in the same order: a result or a problem object.",
            "content": {
                JSON_LINES[0]: {
                    "schema": {"type": "string"},
                    "x-line-schema": {"anyOf": [answer, degraded, problem]},
                }
            },
        }
    }
    fingerprinted = {"200": told("What the media is compared by.", fingerprints)}
    once = [_IDEMPOTENCY_KEY, _WISH, *_MEDIA_PARAMETERS]
    return {
        "paths": {
            "/api/v1/check": {
                "post": _operation("check", "Check an upload.", checked | refusals, once),
            },
            "/api/v1/gate": {
                "post": _operation(
                    "gate", "Check an upload; the status is the action.", gated | refusals, once
                ),
            },
            "/api/v1/check/batch": {"post": _batch_operation(batch | refusals)},
            "/api/v1/fingerprint": {
                "post": _operation(
                    "fingerprint",
                    'What media is compared by; nothing is recorded. Needs the scope "fingerprint".',
                    fingerprinted | refusals,
                    _MEDIA_PARAMETERS,
                )
            },
            "/healthz": {"get": _probe("healthz", "The process is alive.", {})},
            "/readyz": {
                "get": _probe("readyz", "A check would be answered.", {"503": refusals["503"]}),
            },
            "/metrics": {"get": _watched("metrics", "Numbers for Prometheus.", "text/plain", refusals)},
            "/health": {"get": _watched("health", "The state in plain words.", "text/html", refusals)},
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "platformToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": 'A token `sdk_...` with the scope "check", "fingerprint" or "metrics".',
                },
                "tokenAsPassword": {
                    "type": "http",
                    "scheme": "basic",
                    "description": 'Any name, and as the password a token with the scope "metrics".',
                },
            },
        },
    }


def _operation(
    name: str, summary: str, responses: dict[str, Any], parameters: list[dict[str, Any]]
) -> dict[str, Any]:
    # OpenAPI 3.1: binary content has no `format`; its type stands beside it.
    binary = {"type": "string", "contentMediaType": "application/octet-stream"}
    form = {"type": "object", "required": ["media"], "properties": {"media": binary, **_TEXTS}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["upload check"],
        "security": [{"platformToken": []}],
        "parameters": parameters,
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": form},
                "application/json": {"schema": {"$ref": _REFERENCE.format(name="CheckRequest")}},
                **{media_type: {"schema": {}} for media_type in MEDIA_TYPES},
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
        "parameters": [_WISH],
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


def _watched(name: str, summary: str, content_type: str, refusals: dict[str, Any]) -> dict[str, Any]:
    content = {content_type: {"schema": {"type": "string"}}}
    answers = {"200": {"description": summary, "content": content}}
    if name == "health":
        answers["503"] = {"description": "The same page: no check would be answered.", "content": content}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["upload check"],
        "security": [{"platformToken": []}, {"tokenAsPassword": []}],
        "responses": {**answers, "401": refusals["401"], "403": refusals["403"]},
    }
