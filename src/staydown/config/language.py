"""Which language a page speaks: the one that was chosen in this window, else what the browser asks for.

The desk, the ledger and the API stay English: the words that reviewers decide by must mean the same to all.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

ALWAYS_ENGLISH = ("/desk", "/ledger", "/api")


def stays_english(path: str) -> bool:
    """Whether an address belongs to a part that speaks English only."""
    return any(path == part or path.startswith(part + "/") for part in ALWAYS_ENGLISH)


class PageLanguage(LocaleMiddleware):
    """Django's choice by cookie and Accept-Language, for the survivor site only."""

    def process_request(self, request: HttpRequest) -> None:
        """Switches to the language of this request."""
        if stays_english(request.path_info):
            translation.activate("en")
            request.LANGUAGE_CODE = "en"
            return
        super().process_request(request)
