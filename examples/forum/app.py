"""The forum's pages. Every upload is checked before anybody sees it; what Staydown blocks is never stored."""

from __future__ import annotations

import asyncio
import contextlib
import io
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError
from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from forum.removals import Removals
from forum.settings import ForumSettings
from forum.storage import Member, NameTaken, Post, Storage
from staydown.client import Action, AsyncStaydown, WebhookRefused, webhooks

MAX_UPLOAD_BYTES = 20 * 1024 * 1024
MIN_PASSWORD_LENGTH = 8
MAX_TITLE_LENGTH = 120
# What browsers show and Pillow can verify; ending and media type come from here, never from the upload.
_FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif"}
_HERE = Path(__file__).parent


class Forum:
    """The pages and what they share."""

    def __init__(self, settings: ForumSettings, *, staydown: AsyncStaydown) -> None:
        self.settings = settings
        self.storage = Storage(settings.data)
        self.staydown = staydown
        self.removals = Removals(self.storage, staydown)
        self.templates = Jinja2Templates(directory=_HERE / "templates")

    # --- what every page needs

    def member(self, request: Request) -> Member | None:
        """Who is signed in."""
        name = request.session.get("member")
        return self.storage.member(name) if name else None

    def page(self, request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
        """A page with what the frame around it shows."""
        token = request.session.setdefault("form", secrets.token_urlsafe(16))
        shown = {
            "member": self.member(request),
            "form_token": token,
            "report_url": f"{self.settings.staydown_url}/request",
            "public_url": self.settings.public_url,
            **context,
        }
        response = self.templates.TemplateResponse(request, template, shown, status_code=status)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        return response

    async def form(self, request: Request) -> FormData:
        """The sent form. 413 if it is too large, 403 if it did not come from one of our pages."""
        if int(request.headers.get("content-length", "0")) > MAX_UPLOAD_BYTES + 100_000:
            raise HTTPException(413, "That file is larger than 20 megabytes.")
        form = await request.form(max_files=1, max_fields=10)
        expected = request.session.get("form", "")
        if not expected or not secrets.compare_digest(str(form.get("form_token", "")), expected):
            raise HTTPException(403, "This form is too old. Go back, reload the page and send it again.")
        return form

    def _sign_in(self, request: Request, member: Member) -> Response:
        request.session.clear()
        request.session["member"] = member.name
        return RedirectResponse("/", 303)

    def _may_see(self, post: Post, member: Member | None) -> bool:
        if post.state == "published":
            return True
        return (
            post.state == "held" and member is not None and (member.moderates or member.name == post.member)
        )

    # --- pages

    async def front(self, request: Request) -> Response:
        """Everything that is published."""
        return self.page(request, "front.html", posts=self.storage.published())

    async def join(self, request: Request) -> Response:
        """Becoming a member."""
        if request.method == "GET":
            return self.page(request, "join.html")
        form = await self.form(request)
        name, password = str(form.get("name", "")).strip(), str(form.get("password", ""))
        if not 2 <= len(name) <= 40 or len(password) < MIN_PASSWORD_LENGTH:
            trouble = "A name has 2 to 40 letters, a password at least 8."
            return self.page(request, "join.html", status=422, trouble=trouble, name=name)
        try:
            member = await asyncio.to_thread(self.storage.join, name, password)
        except NameTaken:
            trouble = "Somebody uses this name already. Choose another one."
            return self.page(request, "join.html", status=409, trouble=trouble, name=name)
        return self._sign_in(request, member)

    async def sign_in(self, request: Request) -> Response:
        """Signing in."""
        if request.method == "GET":
            return self.page(request, "sign_in.html")
        form = await self.form(request)
        name = str(form.get("name", "")).strip()
        member = await asyncio.to_thread(self.storage.sign_in, name, str(form.get("password", "")))
        if member is None:
            trouble = "This name and this password do not belong together."
            return self.page(request, "sign_in.html", status=403, trouble=trouble, name=name)
        return self._sign_in(request, member)

    async def sign_out(self, request: Request) -> Response:
        """Signing out."""
        await self.form(request)
        request.session.clear()
        return RedirectResponse("/", 303)

    async def mine(self, request: Request) -> Response:
        """A member's own posts, held ones too; for the moderator also what waits."""
        member = self.member(request)
        if member is None:
            return RedirectResponse("/sign-in", 303)
        waiting = self.storage.held() if member.moderates else []
        return self.page(request, "mine.html", posts=self.storage.posts_of(member.name), waiting=waiting)

    async def upload(self, request: Request) -> Response:
        """Posting a picture: checked first, then published, held or refused."""
        member = self.member(request)
        if member is None:
            return RedirectResponse("/sign-in", 303)
        if request.method == "GET":
            return self.page(request, "upload.html")
        form = await self.form(request)
        title = str(form.get("title", "")).strip()[:MAX_TITLE_LENGTH] or "Untitled"
        sent = form.get("picture")
        picture = await sent.read() if isinstance(sent, UploadFile) else b""
        ending, trouble = _recognise(picture)
        if ending is None:
            return self.page(request, "upload.html", status=422, trouble=trouble, post_title=title)
        post_id = secrets.token_hex(6)
        result = await self.staydown.check(
            picture, content_id=post_id, content_url=f"{self.settings.public_url}/posts/{post_id}"
        )
        if result.action is Action.BLOCK:
            return self.page(request, "refused.html", status=451)
        self.storage.add_post(
            post_id=post_id,
            member=member.name,
            title=title,
            file=f"{post_id}.{ending}",
            picture=picture,
            state="published" if result.action is Action.ALLOW else "held",
        )
        return RedirectResponse(f"/posts/{post_id}", 303)

    async def post(self, request: Request) -> Response:
        """One post; a removed one answers 410, one that waits is seen by its member and the moderator."""
        post = self.storage.post(request.path_params["post_id"])
        if post is None:
            raise HTTPException(404, "There is no such post.")
        if post.state == "removed":
            raise HTTPException(410, "This post was removed.")
        if not self._may_see(post, self.member(request)):
            raise HTTPException(404, "There is no such post.")
        return self.page(request, "post.html", post=post)

    async def media(self, request: Request) -> Response:
        """A post's picture, for whoever may see the post."""
        post = self.storage.post(request.path_params["post_id"])
        if post is None or not self._may_see(post, self.member(request)):
            raise HTTPException(404, "There is no such picture.")
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return FileResponse(self.storage.media / post.file, headers=headers)

    async def moderate(self, request: Request) -> Response:
        """The moderator publishes or removes what was held."""
        member = self.member(request)
        if member is None or not member.moderates:
            raise HTTPException(404, "There is no such page.")
        form = await self.form(request)
        post_id = request.path_params["post_id"]
        if form.get("decision") == "publish":
            self.storage.publish(post_id)
        else:
            self.storage.remove(post_id)
        return RedirectResponse("/mine", 303)

    async def webhook(self, request: Request) -> Response:
        """Staydown speaks: verify, write the order down, answer at once; the work is done beside."""
        body = await request.body()
        try:
            event = webhooks.verify(self.settings.webhook_secret, dict(request.headers), body)
        except WebhookRefused:
            return Response(status_code=401)
        if event.type == "copy.instructed":
            self.removals.order(str(event.data["copy_id"]))
        return Response(status_code=204)

    async def failure(self, request: Request, error: Exception) -> Response:
        """What went wrong, in plain words."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = error.detail if isinstance(error, HTTPException) else "Something broke on our side."
        return self.page(request, "failure.html", status=status, detail=detail)


def _recognise(picture: bytes) -> tuple[str | None, str]:
    """The file's ending, or None and why it cannot be taken."""
    if not picture:
        return None, "Choose a picture first; this file is empty."
    if len(picture) > MAX_UPLOAD_BYTES:
        return None, "That file is larger than 20 megabytes."
    try:
        with Image.open(io.BytesIO(picture), formats=list(_FORMATS)) as opened:
            kind = opened.format or ""
            opened.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None, "That file is not a picture that we can show. Use JPEG, PNG, WebP or GIF."
    return _FORMATS[kind], ""


def create_forum(settings: ForumSettings, *, staydown_client: AsyncStaydown | None = None) -> Starlette:
    """The forum as an ASGI application; tests give a client of their own."""
    staydown = staydown_client or AsyncStaydown(
        settings.staydown_url, settings.staydown_token, on_unreachable="hold"
    )
    settings.data.mkdir(parents=True, exist_ok=True)
    forum = Forum(settings, staydown=staydown)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(forum.removals.run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await staydown.close()

    both = ["GET", "POST"]
    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/", forum.front),
            Route("/join", forum.join, methods=both),
            Route("/sign-in", forum.sign_in, methods=both),
            Route("/sign-out", forum.sign_out, methods=["POST"]),
            Route("/mine", forum.mine),
            Route("/upload", forum.upload, methods=both),
            Route("/posts/{post_id}", forum.post),
            Route("/posts/{post_id}/decision", forum.moderate, methods=["POST"]),
            Route("/media/{post_id}", forum.media),
            Route("/staydown/webhook", forum.webhook, methods=["POST"]),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ],
        middleware=[
            Middleware(
                SessionMiddleware,
                secret_key=settings.session_key(),
                session_cookie="harbour",
                same_site="strict",
                https_only=settings.public_url.startswith("https://"),
            )
        ],
        exception_handlers={HTTPException: forum.failure, 500: forum.failure},
    )
