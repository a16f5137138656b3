"""Which door answers which address."""

from django.urls import include, path

from staydown.config.openapi import openapi_document
from staydown.desk.api import api

urlpatterns = [
    path("", include("staydown.survivor_site.urls")),
    path("desk/", include("staydown.desk.urls")),
    path("ledger/", include("staydown.desk.ledger_urls")),
    path("api/v1/openapi.json", openapi_document),
    path("api/v1/", api.urls),
]

handler400 = "staydown.config.failures.bad_request"
handler403 = "staydown.config.failures.not_allowed"
handler404 = "staydown.config.failures.not_found"
handler500 = "staydown.config.failures.defect"
