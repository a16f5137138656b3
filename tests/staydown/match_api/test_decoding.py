"""Pictures that are bad, dangerous or too many: each has its own problem, and none stops the next one."""

import asyncio
import threading
import zlib

import httpx
import pytest

from staydown.fingerprint import (
    DecodeLimits,
    EmptyFile,
    FileTooLarge,
    NotFingerprintable,
    QueryLevel,
    SandboxUnavailable,
    TooManyPixels,
)
from staydown.fingerprint.errors import REFUSALS
from staydown.match_api import MatchApiSettings, create_app, decoding
from staydown.match_api.decoding import MediaDecoder
from staydown.match_api.errors import Refused
from staydown.match_api.meter import Meter
from tests.staydown.fingerprint.files import MP4_HEAD, bmp_claim, jpeg, png_chunk, png_of_zeros, webp_claim
from tests.staydown.match_api.house import GOOD, UPLOADS, assert_problem, code_of, sent

PICTURE = jpeg(200, 160)


def bomb():
    """A PNG of a few kilobytes that says it is a hundred thousand pixels wide and high."""
    return png_of_zeros(60_000, 60_000, rows=50)


def text_bomb():
    """A small PNG with a comment that swells to 64 MiB."""
    whole = png_of_zeros(64, 64)
    comment = png_chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(64 * 1024 * 1024), 9))
    return whole[:33] + comment + whole[33:]


BAD_MEDIA = {
    "empty": (b"", 422, "empty-file"),
    "text": (b"hello", 422, "unknown-format"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "unknown-format"),
    "video": (MP4_HEAD, 422, "damaged-file"),
    "cut": (PICTURE[: len(PICTURE) // 3], 422, "damaged-file"),
    "tiny": (png_of_zeros(4, 4), 422, "too-small"),
    "bomb": (bomb(), 413, "too-many-pixels"),
    "webp claim": (webp_claim(16_000, 16_000), 413, "too-many-pixels"),
    "bmp claim": (bmp_claim(60_000, 60_000), 413, "too-many-pixels"),
}


@pytest.fixture(scope="module")
def busy_client(tmp_path_factory):
    """A client whose decoding process is kept over the tests of this module."""
    from tests.staydown.match_api.house import House

    house = House(tmp_path_factory.mktemp("house"))
    house.publish_tokens()
    house.publish()
    with house.open() as client:
        yield client


@pytest.mark.parametrize("path", UPLOADS)
@pytest.mark.parametrize("name", BAD_MEDIA)
def test_bad_media_is_a_problem_with_its_own_slug(busy_client, path, name):
    media, status, slug = BAD_MEDIA[name]

    response = busy_client.post(path, files={"media": ("a.jpg", media, "image/jpeg")})

    problem = assert_problem(response, status, slug)
    assert problem["detail"].endswith(".")
    assert busy_client.post(path, files={"media": PICTURE}).status_code == 200


def test_picture_with_a_swelling_comment_does_no_harm(busy_client):
    response = busy_client.post("/api/v1/check", files={"media": text_bomb()})

    assert response.status_code in (200, 422)
    assert busy_client.post("/api/v1/check", files={"media": PICTURE}).status_code == 200


def test_file_above_the_decoders_limit_is_too_large(house):
    with house.open(decode_limits=DecodeLimits(max_bytes=1000)) as client:
        response = client.post("/api/v1/check", files={"media": PICTURE})

    assert_problem(response, 413, "file-too-large")


def test_picture_that_takes_too_long_is_given_up(house):
    with house.open(decode_limits=DecodeLimits(seconds=0.001)) as client:
        response = client.post("/api/v1/check", files={"media": png_of_zeros(8000, 8000)})

    assert_problem(response, 422, "decode-timed-out")
    assert house.checks() == []


class Pool:
    """Stands in for the sandbox: raises `error`, or waits for `open` and then raises."""

    error: Exception = EmptyFile()
    open = threading.Event()

    def __init__(self, *, workers, limits, video_limits):
        self.workers = workers

    def query(self, media, level):
        if media == b"wait":
            assert self.open.wait(10)
        raise self.error

    def events(self):
        return {}

    def close(self):
        pass


LEVEL = QueryLevel.PLAIN


def a_decoder(house, **settings):
    return MediaDecoder(MatchApiSettings(data_dir=house.data_dir, **settings), meter=Meter(house.data_dir))


@pytest.fixture
def pool(monkeypatch):
    monkeypatch.setattr(decoding, "SandboxPool", Pool)
    monkeypatch.setattr(Pool, "open", threading.Event())
    return Pool


@pytest.mark.parametrize("error", [*REFUSALS.values(), NotFingerprintable])
def test_every_refusal_of_the_library_is_a_problem(house, pool, monkeypatch, error):
    monkeypatch.setattr(pool, "error", error())
    with house.open() as client:
        response = client.post("/api/v1/check", files={"media": b"x"})

    status = 413 if error in (TooManyPixels, FileTooLarge) else 422
    problem = assert_problem(response, status, error.slug)
    assert problem["detail"] == error.sentence


def test_missing_sandbox_is_our_fault_and_checks_by_fingerprints_go_on(house, pool, monkeypatch):
    monkeypatch.setattr(pool, "error", SandboxUnavailable("no process"))
    with house.open() as client:
        response = client.post("/api/v1/check", files={"media": b"x"})

        assert_problem(response, 503, "sandbox-unavailable")
        assert response.headers["retry-after"] == "1"
        assert client.post("/api/v1/check", json=sent(code_of(1))).status_code == 200


def test_full_queue_is_told_at_once_and_places_come_free_again(house, pool):
    # Given one place to read and one to wait
    app = create_app(MatchApiSettings(data_dir=house.data_dir, decode_workers=1, max_waiting_files=1))

    async def story():
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": f"Bearer {GOOD}"}
        async with (
            app.running(),
            httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as client,
        ):

            async def ask(media):
                return await client.post("/api/v1/check", files={"media": media})

            # When both are taken
            first = [asyncio.create_task(ask(b"wait")) for _ in range(2)]
            for _ in range(100):
                await asyncio.sleep(0)
            third = await ask(b"x")
            by_fingerprints = await client.post("/api/v1/check", json=sent(code_of(1)))
            pool.open.set()
            return third, by_fingerprints, await asyncio.gather(*first), await ask(b"x")

    third, by_fingerprints, first, fourth = asyncio.run(story())

    # Then the third is told to come back, checks by fingerprints go on, and there is room afterwards
    assert_problem(third, 429, "busy")
    assert third.headers["retry-after"] == "1"
    assert by_fingerprints.status_code == 200
    for response in (*first, fourth):
        assert_problem(response, 422, "empty-file")


def test_place_of_a_cancelled_request_comes_free_when_its_picture_is_done(house, pool):
    async def story():
        decoder = a_decoder(house, max_waiting_files=0)
        task = asyncio.create_task(decoder.query(b"wait", LEVEL))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(Refused) as refused:
            await decoder.query(b"x", LEVEL)
        assert refused.value.problem.slug == "busy"
        pool.open.set()
        for _ in range(200):
            await asyncio.sleep(0.01)
            try:
                await decoder.query(b"x", LEVEL)
            except Refused as again:
                if again.problem.slug == "empty-file":
                    return await decoder.close()
        raise AssertionError("the place stayed taken")

    asyncio.run(story())


def test_decoder_that_was_closed_refuses(house):
    async def story():
        decoder = a_decoder(house)
        await decoder.close()
        await decoder.query(PICTURE, LEVEL)

    with pytest.raises(Refused) as refused:
        asyncio.run(story())
    assert refused.value.problem.slug == "sandbox-unavailable"
