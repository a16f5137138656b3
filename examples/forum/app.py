"""The forum's pages. Every upload is checked before anybody sees it; what Staydown blocks is never stored."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import unicodedata
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from forum.checks import Checks
from forum.duties import Duties
from forum.frame import HERE, MEDIA_HEADERS, Frame, LimitBody
from forum.intake import MEDIA_TYPES, NotTakeable, take_in
from forum.members import FailedSignIns, Member, Members, NameTaken, NotAllowedHere
from forum.removals import Removals
from forum.settings import ForumSettings
from forum.storage import Post, Storage
from staydown.client import Action, AsyncStaydown, WebhookRefused, webhooks

MAX_TITLE_LENGTH = 120
POSTS_ON_A_PAGE = 24
# Staydown's own webhooks are some hundred bytes.
MAX_WEBHOOK_BYTES = 64 * 1024
# A check takes some hundredths of a second. Whoever waits longer is told that it will be looked at later.
CHECK_WITHIN_SECONDS = 4.0
# Decoding a large picture or checking a password takes a processor and up to 200 MB for a moment.
_HEAVY_AT_ONCE = 2


class Forum:
    """The pages and what they share."""

    def __init__(self, settings: ForumSettings, *, staydown: AsyncStaydown) -> None:
        self.settings = settings
        self.storage = Storage(settings.data)
        self.members = Members(self.storage.database)
        self.checks = Checks(self.storage, staydown, public_url=settings.public_url)
        self.duties = Duties([Removals(self.storage, staydown, public_url=settings.public_url), self.checks])
        self.frame = Frame(settings, self.members)
        self.failed_sign_ins = FailedSignIns()
        self._heavy = asyncio.Semaphore(_HEAVY_AT_ONCE)

    def _sign_in(self, request: Request, member: Member) -> Response:
        request.session.clear()
        request.session["member"] = member.name
        return RedirectResponse("/", 303)

    def _visible_post(self, request: Request) -> tuple[Post, Member | None]:
        """The post of this address. 410 if it was removed; 404 if it is none or not for this visitor."""
        post = self.storage.post(request.path_params["post_id"])
        if post is not None and post.state == "removed":
            raise HTTPException(410, "This post was removed.")
        member = self.frame.member(request)
        theirs = member is not None and post is not None and (member.moderates or member.name == post.member)
        if post is None or not (post.state == "published" or theirs):
            raise HTTPException(404, "There is no such post.")
        return post, member

    # --- pages

    async def front(self, request: Request) -> Response:
        """What is published, newest first."""
        number = request.query_params.get("page", "1")
        page = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
        page = max(page, 1)
        posts = self.storage.published(offset=(page - 1) * POSTS_ON_A_PAGE, limit=POSTS_ON_A_PAGE + 1)
        shown, more = posts[:POSTS_ON_A_PAGE], len(posts) > POSTS_ON_A_PAGE
        return self.frame.page(request, "front.html", posts=shown, number=page, more=more)

    async def join(self, request: Request) -> Response:
        """Becoming a member."""
        if request.method != "POST":
            return self.frame.page(request, "join.html")
        form = await self.frame.form(request)
        name, password = str(form.get("name", "")), str(form.get("password", ""))
        try:
            async with self._heavy:
                member = await asyncio.to_thread(self.members.join, name, password)
        except NotAllowedHere as error:
            return self.frame.page(request, "join.html", status=422, trouble=str(error), name=name)
        except NameTaken:
            trouble = "Somebody uses this name already. Choose another one."
            return self.frame.page(request, "join.html", status=409, trouble=trouble, name=name)
        return self._sign_in(request, member)

    async def sign_in(self, request: Request) -> Response:
        """Signing in."""
        if request.method != "POST":
            return self.frame.page(request, "sign_in.html")
        form = await self.frame.form(request)
        name, password = str(form.get("name", "")), str(form.get("password", ""))
        address = request.client.host if request.client else ""
        if self.failed_sign_ins.are_too_many(name, address):
            trouble = "That was wrong too often. Wait 15 minutes, then try again."
            return self.frame.page(request, "sign_in.html", status=429, trouble=trouble, name=name)
        async with self._heavy:
            member = await asyncio.to_thread(self.members.sign_in, name, password)
        if member is None:
            self.failed_sign_ins.note(name, address)
            trouble = "This name and this password do not belong together."
            return self.frame.page(request, "sign_in.html", status=403, trouble=trouble, name=name)
        self.failed_sign_ins.forget(name, address)
        return self._sign_in(request, member)

    async def sign_out(self, request: Request) -> Response:
        """Signing out."""
        await self.frame.form(request)
        request.session.clear()
        return RedirectResponse("/", 303)

    async def mine(self, request: Request) -> Response:
        """A member's own posts, held ones too; for the moderator also what waits."""
        member = self.frame.member(request)
        if member is None:
            return RedirectResponse("/sign-in", 303)
        waiting = self.storage.held() if member.moderates else []
        return self.frame.page(
            request, "mine.html", posts=self.storage.posts_of(member.name), waiting=waiting
        )

    async def upload(self, request: Request) -> Response:
        """Posting a picture: checked first, then published, held or refused."""
        member = self.frame.member(request)
        if member is None:
            return RedirectResponse("/sign-in", 303)
        if request.method != "POST":
            return self.frame.page(request, "upload.html")
        form = await self.frame.form(request)
        title = _tidy_title(str(form.get("title", "")))
        chosen = form.get("picture")
        sent = await chosen.read() if isinstance(chosen, UploadFile) else b""
        post_id = secrets.token_hex(8)
        try:
            async with self._heavy:
                picture = await asyncio.to_thread(take_in, sent)
            self.storage.announce(post_id)
            verdict = await self.checks.of_upload(sent, picture, post_id=post_id)
            if verdict.action is Action.BLOCK:
                return self.frame.page(request, "refused.html", status=451)
            kept = self.storage.add_post(
                post_id=post_id,
                member=member.name,
                title=title or "Untitled",
                picture=picture,
                state="published" if verdict.action is Action.ALLOW else "held",
                unchecked=verdict.unchecked,
            )
        except NotTakeable as error:
            trouble = str(error)
            return self.frame.page(request, "upload.html", status=422, trouble=trouble, post_title=title)
        finally:
            self.storage.withdraw_announcement(post_id)
        if not kept:
            raise HTTPException(410, "This picture was ordered removed while you posted it.")
        if verdict.unchecked:
            self.duties.wake()
        return RedirectResponse(f"/posts/{post_id}", 303)

    async def post(self, request: Request) -> Response:
        """One post; a removed one answers 410, one that waits is seen by its member and the moderator."""
        post, member = self._visible_post(request)
        own = member is not None and member.name == post.member
        may_decide = member is not None and (member.moderates or own)
        return self.frame.page(request, "post.html", post=post, own=own, may_decide=may_decide)

    async def media(self, request: Request) -> Response:
        """A post's picture, for whoever may see the post."""
        post, _ = self._visible_post(request)
        small = self.storage.media / post.small_file
        path = self.storage.media / post.file
        if request.url.path.endswith("/small") and small.exists():
            path = small
        if not path.exists():  # removed between our two looks, or lost
            raise HTTPException(404, "There is no such picture.")
        media_type = MEDIA_TYPES.get(path.suffix.removeprefix("."), "application/octet-stream")
        return FileResponse(path, headers=MEDIA_HEADERS, media_type=media_type)

    async def decide(self, request: Request) -> Response:
        """The moderator publishes what was held, or removes a post; a member removes their own."""
        post, member = self._visible_post(request)
        if member is None or not (member.moderates or member.name == post.member):
            raise HTTPException(404, "There is no such page.")
        decision = (await self.frame.form(request)).get("decision")
        if decision == "remove":
            self.storage.remove(post.id)
        elif decision == "publish" and member.moderates:
            # A person may judge what looks like a registered picture, but not what nobody has checked.
            if post.unchecked:
                raise HTTPException(409, "This picture was not checked yet. It is published after its check.")
            self.storage.publish(post.id)
        else:
            raise HTTPException(403, "That is not yours to decide.")
        return RedirectResponse("/mine", 303)

    async def webhook(self, request: Request) -> Response:
        """Staydown speaks: verify, write the order down, answer at once; the work is done beside."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_WEBHOOK_BYTES:
                return Response(status_code=413)
        try:
            event = webhooks.verify(self.settings.webhook_secret, dict(request.headers), bytes(body))
        except WebhookRefused:
            return Response(status_code=401)
        if event.type == "copy.instructed":
            copy_id = event.data.get("copy_id")
            if not isinstance(copy_id, str):
                return Response(status_code=422)
            if self.storage.order_removal(copy_id, event_id=event.id):
                self.duties.wake()
        return Response(status_code=204)


def _tidy_title(text: str) -> str:
    """One line without control characters, among them those that turn the direction of writing."""
    kept = "".join(letter if letter.isprintable() else " " for letter in unicodedata.normalize("NFC", text))
    return " ".join(kept.split())[:MAX_TITLE_LENGTH]


def create_forum(settings: ForumSettings, *, staydown_client: AsyncStaydown | None = None) -> Starlette:
    """The forum as an ASGI application; tests give a client of their own."""
    staydown = staydown_client or AsyncStaydown(
        settings.staydown_url,
        settings.staydown_token,
        timeout_ms=CHECK_WITHIN_SECONDS * 1000,
        on_unreachable="hold",
    )
    settings.data.mkdir(parents=True, exist_ok=True)
    forum = Forum(settings, staydown=staydown)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        forum.storage.tidy_up()
        task = asyncio.create_task(forum.duties.run())
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
            Route("/posts/{post_id}/decision", forum.decide, methods=["POST"]),
            Route("/media/{post_id}", forum.media),
            Route("/media/{post_id}/small", forum.media),
            Route("/staydown/webhook", forum.webhook, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[
            Middleware(LimitBody),
            Middleware(
                SessionMiddleware,
                secret_key=settings.session_key(),
                session_cookie="harbour",
                # Not "strict": who follows a link from another site would come without the cookie, get a new
                # one, and so be signed out. No form of ours is sent by GET, and each carries a token besides.
                same_site="lax",
                https_only=settings.public_url.startswith("https://"),
            ),
        ],
        exception_handlers={HTTPException: forum.frame.refusal, 500: forum.frame.defect},
    )
