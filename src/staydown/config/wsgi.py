"""The pages as a WSGI application, with the browser files beside them (each with its own headers)."""

from __future__ import annotations

from staydown.start import set_up_django

set_up_django()

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402 - Django must be set up first
from whitenoise import WhiteNoise  # noqa: E402

from staydown.config.csp import add_static_headers  # noqa: E402
from staydown.config.installation import WEB  # noqa: E402

# A minute of caching: a changed worker must reach people soon, and little should stay on a shared device.
application = WhiteNoise(
    WSGIHandler(),
    root=str(WEB),
    prefix="/static/",
    max_age=60,
    add_headers_function=add_static_headers,
    # The published digests are for reading, not a download.
    mimetypes={"sha256sums": "text/plain"},
)
