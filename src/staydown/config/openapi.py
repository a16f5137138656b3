"""The API's description as one OpenAPI 3.1 document: the pages' API and the upload check together."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from staydown.desk.api import api
from staydown.match_api import openapi_paths


@require_safe
def openapi_document(request: HttpRequest) -> JsonResponse:
    """`/api/v1/openapi.json`."""
    document = api.get_openapi_schema(path_prefix="/api/v1/")
    checks = openapi_paths()
    document["openapi"] = "3.1.0"
    document["paths"].update(checks["paths"])
    for kind, members in checks.get("components", {}).items():
        document["components"].setdefault(kind, {}).update(members)
    return JsonResponse(document)
