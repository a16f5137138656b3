"""The demonstration's tour: who to be, what to try, and a harmless picture to try it with.

Answers only in demo mode; the names and passwords in it were made when the demo was set up.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

TOUR_FILE = "tour.json"
PICTURE_FILE = "picture.jpg"


def tour() -> dict[str, Any] | None:
    """What the demo wrote down when it was set up; None before that."""
    path = settings.INSTALLATION.data_dir / "demo" / TOUR_FILE
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return found


@require_safe
def picture(request: HttpRequest) -> HttpResponseBase:
    """The demonstration's picture (a painted landscape), as a download."""
    path = settings.INSTALLATION.data_dir / "demo" / PICTURE_FILE
    if not settings.STAYDOWN_DEMO or not path.exists():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename="landscape.jpg")
