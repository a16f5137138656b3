"""What every page shares: who is signed in, the frame around it, forms that only our own pages can send."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forum.intake import MAX_UPLOAD_BYTES
from forum.members import Member, Members
from forum.settings import ForumSettings

HERE = Path(__file__).parent
# The fields and part headers around a picture.
MAX_BODY_BYTES = MAX_UPLOAD_BYTES + 100_000
# A browser shows our answer only if we let it finish sending; somebody's whole film we don't wait for.
_READ_AND_FORGET_BYTES = 5 * MAX_UPLOAD_BYTES
TOO_LARGE = "That file is larger than 20 megabytes."
_PLAIN_WORDS = {
    400: "We could not read what your browser sent.",
    404: "There is no such page.",
    405: "This page does not work that way.",
    410: "This was removed.",
}
_EVERYWHERE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_PAGE_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# A picture that is opened by itself may do nothing at all.
MEDIA_HEADERS = {**_EVERYWHERE, "Content-Security-Policy": "default-src 'none'; sandbox"}


class Frame:
    """Puts pages together and takes forms apart."""

    def __init__(self, settings: ForumSettings, members: Members) -> None:
        self._settings = settings
        self._members = members
        self._templates = Jinja2Templates(directory=HERE / "templates")

    def member(self, request: Request) -> Member | None:
        """Who is signed in."""
        name = request.session.get("member")
        return self._members.member(name) if name else None

    def page(self, request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
        """A page with what the frame around it shows."""
        shown = {
            "member": self.member(request),
            "form_token": request.session.setdefault("form", secrets.token_urlsafe(16)),
            **context,
        }
        return self._rendered(request, template, shown, status=status)

    async def form(self, request: Request) -> FormData:
        """The sent form. 413 if it is too large, 403 if it did not come from one of our pages."""
        form = await request.form(max_files=1, max_fields=10, max_part_size=10_000)
        expected = str(request.session.get("form", ""))
        sent = form.get("form_token")
        if not expected or not isinstance(sent, str):
            sent = ""
        if not sent or not secrets.compare_digest(sent.encode(), expected.encode()):
            raise HTTPException(403, "This form is too old. Go back, load the page again and send it again.")
        return form

    async def refusal(self, request: Request, error: Exception) -> Response:
        """What does not work and why, in plain words."""
        assert isinstance(error, HTTPException)
        usual = error.detail == HTTPException(error.status_code).detail
        detail = _PLAIN_WORDS.get(error.status_code, error.detail) if usual else error.detail
        response = self.page(request, "failure.html", status=error.status_code, detail=detail)
        response.headers.update(error.headers or {})
        return response

    async def defect(self, request: Request, _: Exception) -> Response:
        """Something broke. The page asks the database nothing: that may be what broke."""
        shown = {"detail": "Something broke on our side. Please try again in a while."}
        return self._rendered(request, "failure.html", shown, status=500)

    def _rendered(self, request: Request, template: str, shown: dict[str, Any], *, status: int) -> Response:
        links = {
            "report_url": f"{self._settings.staydown_url}/request",
            "public_url": self._settings.public_url,
        }
        response = self._templates.TemplateResponse(request, template, links | shown, status_code=status)
        response.headers.update(_EVERYWHERE)
        response.headers["Content-Security-Policy"] = _PAGE_POLICY
        return response


class LimitBody:
    """Ends a request whose body is too large with 413, also if it does not say its length beforehand."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY_BYTES:
                while message.get("more_body") and read <= _READ_AND_FORGET_BYTES:
                    message = await receive()
                    read += len(message.get("body", b""))
                raise HTTPException(413, TOO_LARGE)
            return message

        await self._app(scope, counted, send)
