"""The ASGI and the WSGI middleware: each story is told to both, around an application that says what it got.

Covers: staydown.client.asgi, staydown.client.wsgi, staydown.client.uploads, staydown.client.refusals.
"""

import asyncio
import hashlib
import io
import json
import logging
import random
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from staydown.client import AsyncStaydown, Staydown, asgi, wsgi
from staydown.client.uploads import SPOOL_BYTES, UploadRules, is_checked
from tests.doubles.staydown_server import Reply, StaydownDouble

PICTURE = random.Random(7).randbytes(50_000)
LARGE_PICTURE = random.Random(8).randbytes(SPOOL_BYTES * 2)
JPEG = {"Content-Type": "image/jpeg"}


def told(body: bytes, upload: Any) -> dict[str, Any]:
    parts = [] if upload is None else [[part.name, part.result.action.value] for part in upload.parts]
    return {
        "sha256": hashlib.sha256(body).hexdigest(),
        "parts": None if upload is None else parts,
        "action": None if upload is None else upload.action.value,
        "degraded": None if upload is None else upload.is_degraded,
    }


async def asgi_echo(scope: Any, receive: Any, send: Any) -> None:
    body = bytearray()
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    answer = json.dumps(told(bytes(body), scope.get("staydown"))).encode()
    status = 200 if scope.get("staydown") is None or scope["staydown"].action != "block" else 410
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": answer})


def wsgi_echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    assert "HTTP_TRANSFER_ENCODING" not in environ or wsgi.RESULTS not in environ
    upload = environ.get(wsgi.RESULTS)
    start_response("200 OK" if upload is None or upload.action != "block" else "410 Gone", [])
    return [json.dumps(told(body, upload)).encode()]


Post = Callable[..., httpx.Response]


def post_asgi(double: StaydownDouble, *, options: dict[str, Any], rules: UploadRules, blocked: bool) -> Post:
    staydown = AsyncStaydown(double.origin, double.token, transport=double.transport(), **options)
    app = asgi.StaydownMiddleware(asgi_echo, staydown, rules=rules, blocked=asgi_echo if blocked else None)

    def post(path: str = "/posts", *, method: str = "POST", **request: Any) -> httpx.Response:
        async def talk() -> httpx.Response:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://forum.test") as client:
                return await client.request(method, path, **request)

        return asyncio.run(talk())

    return post


class Terminated(httpx.WSGITransport):
    """A WSGI server that marks the end of a body, as gunicorn does."""

    def __init__(self, app: Any) -> None:
        def marked(environ: dict[str, Any], start_response: Any) -> Any:
            return app({**environ, "wsgi.input_terminated": True}, start_response)

        super().__init__(app=marked)


def post_wsgi(double: StaydownDouble, *, options: dict[str, Any], rules: UploadRules, blocked: bool) -> Post:
    staydown = Staydown(double.origin, double.token, transport=double.transport(), **options)
    app = wsgi.StaydownMiddleware(wsgi_echo, staydown, rules=rules, blocked=wsgi_echo if blocked else None)

    def post(path: str = "/posts", *, method: str = "POST", **request: Any) -> httpx.Response:
        with httpx.Client(transport=Terminated(app), base_url="http://forum.test") as client:
            return client.request(method, path, **request)

    return post


@pytest.fixture
def double() -> StaydownDouble:
    return StaydownDouble()


@pytest.fixture(params=[post_asgi, post_wsgi], ids=["asgi", "wsgi"])
def platform(request: pytest.FixtureRequest, double: StaydownDouble) -> Callable[..., Post]:
    """A platform around the echo; gives its way to send a request."""

    def made(*, rules: UploadRules | None = None, blocked: bool = False, **options: Any) -> Post:
        options = {"timeout_ms": 500} | options
        post: Post = request.param(double, options=options, rules=rules or UploadRules(), blocked=blocked)
        return post

    return made


def pieces(data: bytes) -> Iterable[bytes]:
    yield from (data[at : at + 7000] for at in range(0, len(data), 7000))


@pytest.mark.parametrize("picture", [PICTURE, LARGE_PICTURE], ids=["in memory", "on disk"])
def test_allowed_form_reaches_the_application_unchanged(
    double: StaydownDouble, platform: Callable[..., Post], picture: bytes
) -> None:
    # Given
    request = httpx.Request(
        "POST", "http://forum.test/", data={"title": "Tide"}, files={"picture": ("a.jpg", picture)}
    )
    body = request.read()

    # When
    answer = platform()(content=body, headers={"Content-Type": request.headers["content-type"]})

    # Then
    assert answer.status_code == 200
    assert answer.json() == told(body, None) | {
        "parts": [["picture", "allow"]],
        "action": "allow",
        "degraded": False,
    }
    assert [one.media for one in double.requests] == [picture]


def test_blocked_file_is_answered_451_and_the_application_hears_nothing(
    double: StaydownDouble, platform: Callable[..., Post]
) -> None:
    # Given
    double.decide("block", media=PICTURE)

    # When
    answer = platform()(files=[("a", ("a.jpg", b"\0 other")), ("a", ("b.jpg", PICTURE))])

    # Then
    assert (answer.status_code, answer.headers["content-type"]) == (451, "application/problem+json")
    assert answer.json()["type"] == "urn:staydown:problem:upload-blocked"


def test_platform_may_answer_a_blocked_upload_itself(
    double: StaydownDouble, platform: Callable[..., Post]
) -> None:
    double.decide("block", media=PICTURE)

    answer = platform(blocked=True)(content=PICTURE, headers=JPEG)

    assert (answer.status_code, answer.json()["action"]) == (410, "block")


def test_held_file_is_passed_on_and_told_or_refused_by_choice(
    double: StaydownDouble, platform: Callable[..., Post]
) -> None:
    double.decide("hold", media=PICTURE)

    passed = platform()(content=PICTURE, headers=JPEG)
    refused = platform(rules=UploadRules(on_hold="refuse"))(content=PICTURE, headers=JPEG)

    assert (passed.status_code, passed.json()["parts"]) == (200, [["", "hold"]])
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:staydown:problem:upload-held")


@pytest.mark.parametrize(
    "content_type", [None, "image/jpeg", "application/x-www-form-urlencoded", "text/plain"]
)
def test_raw_picture_is_checked_whatever_it_is_called(
    double: StaydownDouble, platform: Callable[..., Post], content_type: str | None
) -> None:
    # Given
    double.decide("block", media=PICTURE)

    # When
    answer = platform()(content=PICTURE, headers={"Content-Type": content_type} if content_type else {})

    # Then
    assert answer.status_code == 451


def test_body_in_pieces_without_a_length_is_checked(
    double: StaydownDouble, platform: Callable[..., Post], request: pytest.FixtureRequest
) -> None:
    # Given
    double.decide("hold", media=LARGE_PICTURE)

    async def async_pieces() -> Any:
        for piece in pieces(LARGE_PICTURE):
            yield piece

    content = async_pieces() if "asgi" in request.node.name else pieces(LARGE_PICTURE)

    # When
    answer = platform()(content=content, headers=JPEG)

    # Then
    assert answer.json() == told(LARGE_PICTURE, None) | {
        "parts": [["", "hold"]],
        "action": "hold",
        "degraded": False,
    }


@pytest.mark.parametrize(
    "request_",
    [
        {"data": {"title": "Low tide", "text": "Größe"}},
        {"json": {"title": "Low tide"}},
        {"files": {"title": (None, b"Low tide")}},
        {"files": {"picture": ("", b"")}},
        {"content": b""},
    ],
    ids=["form", "json", "form of parts", "no file chosen", "nothing"],
)
def test_plain_text_is_passed_on_without_a_check(
    double: StaydownDouble, platform: Callable[..., Post], request_: dict[str, Any]
) -> None:
    answer = platform()(**request_)

    assert (answer.status_code, answer.json()["parts"]) == (200, [])
    assert double.requests == []


@pytest.mark.parametrize(
    "part",
    [(None, PICTURE), (None, b"text", "image/png"), ("notes.txt", b"text")],
    ids=["without a file name", "said to be a picture", "text with a file name"],
)
def test_part_that_may_be_a_picture_is_checked(
    double: StaydownDouble, platform: Callable[..., Post], part: tuple[Any, ...]
) -> None:
    # Given
    double.decide("block", media=part[1])

    # When
    answer = platform()(files={"x": part})

    # Then
    assert answer.status_code == 451


def test_each_file_of_several_with_one_name_is_checked(
    double: StaydownDouble, platform: Callable[..., Post]
) -> None:
    answer = platform()(files=[("a", (f"{number}.jpg", b"\0%d" % number)) for number in range(3)])

    assert answer.json()["parts"] == [["a", "allow"]] * 3
    assert [one.media for one in double.requests] == [b"\x000", b"\x001", b"\x002"]


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"--b\r\n\r\n", {"Content-Type": "multipart/form-data; boundary=b"}),
        (PICTURE, {"Content-Type": "multipart/mixed; boundary=b"}),
        (PICTURE, {"Content-Type": "image/jpeg", "Content-Encoding": "gzip"}),
        (PICTURE, {"Content-Type": "image/jpeg", "Transfer-Encoding": "chunked", "Content-Length": "50000"}),
    ],
    ids=["malformed form", "other multipart", "compressed", "length and pieces"],
)
def test_ambiguous_request_is_refused_and_nothing_is_sent_on(
    double: StaydownDouble, platform: Callable[..., Post], content: bytes, headers: dict[str, str]
) -> None:
    answer = platform()(content=content, headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (400, "urn:staydown:problem:upload-ambiguous")
    assert double.requests == []


def test_too_many_files_are_refused(double: StaydownDouble, platform: Callable[..., Post]) -> None:
    answer = platform(rules=UploadRules(max_files=2))(files=[("a", ("a", b"\0"))] * 3)

    assert answer.status_code == 400
    assert double.requests == []


def test_body_over_the_limit_is_refused_with_or_without_a_length(
    double: StaydownDouble, platform: Callable[..., Post], request: pytest.FixtureRequest
) -> None:
    # Given
    post = platform(rules=UploadRules(max_bytes=40_000))

    async def async_pieces() -> Any:
        for piece in pieces(PICTURE):
            yield piece

    # When
    told_length = post(content=PICTURE, headers=JPEG)
    in_pieces = post(content=async_pieces() if "asgi" in request.node.name else pieces(PICTURE), headers=JPEG)

    # Then
    assert (told_length.status_code, in_pieces.status_code) == (413, 413)
    assert double.requests == []


@pytest.mark.parametrize(("declared", "status"), [("raise", 503), ("hold", 200), ("allow", 200)])
def test_when_staydown_is_down_the_declared_wish_holds_and_is_visible(
    double: StaydownDouble, platform: Callable[..., Post], declared: str, status: int
) -> None:
    # Given
    double.is_down = True

    # When
    answer = platform(on_unreachable=declared)(content=PICTURE, headers=JPEG)

    # Then
    assert answer.status_code == status
    if status == 200:
        assert (answer.json()["action"], answer.json()["degraded"]) == (declared, True)
    else:
        assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize("on_unreadable", ["refuse", "hold", "allow"])
def test_file_that_staydown_cannot_read_is_refused_held_or_allowed_by_choice(
    double: StaydownDouble, platform: Callable[..., Post], on_unreadable: Any
) -> None:
    # Given
    double.next_replies = [Reply(422, {"type": "urn:staydown:problem:unknown-format", "status": 422})]

    # When
    answer = platform(rules=UploadRules(on_unreadable=on_unreadable))(content=PICTURE, headers=JPEG)

    # Then
    if on_unreadable == "refuse":
        assert (answer.status_code, answer.json()["type"]) == (
            422,
            "urn:staydown:problem:upload-not-readable",
        )
    else:
        assert (answer.json()["action"], answer.json()["degraded"]) == (on_unreadable, True)


def test_token_that_is_not_accepted_lets_nothing_through_and_is_an_error_in_the_log(
    double: StaydownDouble, platform: Callable[..., Post], caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    double.next_replies = [Reply(401)]

    # When
    with caplog.at_level(logging.ERROR, logger="staydown.client"):
        answer = platform(on_unreachable="allow", rules=UploadRules(on_unreadable="allow"))(
            content=PICTURE, headers=JPEG
        )

    # Then
    assert answer.status_code == 503
    assert "cannot be checked" in caplog.text


def test_other_paths_and_methods_are_not_looked_at(
    double: StaydownDouble, platform: Callable[..., Post]
) -> None:
    post = platform(rules=UploadRules(paths=("/posts",)))

    for path, method in (("/search", "POST"), ("/posts", "GET")):
        answer = post(path, method=method, content=PICTURE, headers=JPEG)
        assert (answer.status_code, answer.json()["parts"]) == (200, None)
    assert double.requests == []


@pytest.mark.parametrize(
    "path", ["/posts", "/posts/17", "/Posts", "//posts", "/x/../posts", "/./posts", "\\posts", "/posts/../x"]
)
def test_path_cannot_be_spelt_past_the_rules(path: str) -> None:
    rules = UploadRules(paths=("/posts",))

    assert is_checked(rules, method="post", path=path)


# --- what belongs to one of the two


def test_wsgi_body_that_is_shorter_than_it_says_is_refused(double: StaydownDouble) -> None:
    # Given a client that went away
    staydown = Staydown(double.origin, double.token, transport=double.transport())
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "CONTENT_TYPE": "image/jpeg",
        "CONTENT_LENGTH": "100",
        "wsgi.input": io.BytesIO(b"\0" * 50),
    }
    statuses = []

    # When
    wsgi.StaydownMiddleware(wsgi_echo, staydown)(environ, lambda status, _: statuses.append(status))

    # Then
    assert statuses == ["400 Bad Request"]
    assert double.requests == []


def test_wsgi_body_in_pieces_on_a_server_that_marks_no_end_is_refused(double: StaydownDouble) -> None:
    # Given
    staydown = Staydown(double.origin, double.token, transport=double.transport())
    app = wsgi.StaydownMiddleware(wsgi_echo, staydown)

    # When
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://forum.test") as client:
        answer = client.post("/", content=pieces(PICTURE), headers=JPEG)

    # Then
    assert answer.status_code == 400


def test_asgi_application_is_not_called_when_the_client_went_away(double: StaydownDouble) -> None:
    # Given
    messages = [
        {"type": "http.request", "body": b"half", "more_body": True},
        {"type": "http.disconnect"},
    ]
    staydown = AsyncStaydown(double.origin, double.token, transport=double.transport())

    async def fails(*_: Any) -> None:
        raise AssertionError("it was called")

    async def receive() -> Any:
        return messages.pop(0)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}

    # When, then
    asyncio.run(asgi.StaydownMiddleware(fails, staydown)(scope, receive, fails))
    assert double.requests == []


def test_asgi_application_hears_what_the_server_says_after_the_body(double: StaydownDouble) -> None:
    # Given
    messages = [{"type": "http.request", "body": b"text"}, {"type": "http.disconnect"}]
    staydown = AsyncStaydown(double.origin, double.token, transport=double.transport())
    heard: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        heard.extend([await receive() for _ in range(3)])

    async def send(_: Any) -> None: ...

    # When
    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(asgi.StaydownMiddleware(app, staydown)(scope, receive, send))

    # Then
    assert [(one["type"], one.get("body"), one.get("more_body")) for one in heard] == [
        ("http.request", b"text", True),
        ("http.request", b"", False),
        ("http.disconnect", None, None),
    ]


def test_asgi_header_twice_is_refused(double: StaydownDouble) -> None:
    # Given two types, of which frameworks take the first or the last
    post = post_asgi(double, options={}, rules=UploadRules(), blocked=False)

    # When
    answer = post(
        content=PICTURE, headers=[("Content-Type", "application/json"), ("Content-Type", "image/jpeg")]
    )

    # Then
    assert answer.status_code == 400


def test_starlette_takes_it_as_any_middleware(double: StaydownDouble) -> None:
    # Given
    async def endpoint(request: Request) -> JSONResponse:
        form = await request.form()
        picture: Any = form["picture"]
        size = len(await picture.read())
        return JSONResponse({"size": size, "action": request.scope["staydown"].action})

    staydown = AsyncStaydown(double.origin, double.token, transport=double.transport())
    app = Starlette(routes=[Route("/posts", endpoint, methods=["POST"])])
    app.add_middleware(asgi.StaydownMiddleware, staydown=staydown, rules=UploadRules(paths=("/posts",)))

    async def talk() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://forum.test") as client:
            return await client.post("/posts", files={"picture": ("a.jpg", LARGE_PICTURE, "image/jpeg")})

    # When
    answer = asyncio.run(talk())

    # Then
    assert answer.json() == {"size": len(LARGE_PICTURE), "action": "allow"}
