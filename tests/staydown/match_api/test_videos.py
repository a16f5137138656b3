"""Videos at the door: by their file, by stretches, by pictures that they show, with media or frames sent."""

import asyncio
import threading

import httpx
import pytest
from PIL import Image

from staydown.catalog.rules import read_check_record
from staydown.client.protocol import Answer as ClientAnswer
from staydown.client.protocol import fingerprints_document, read_check
from staydown.fingerprint import fingerprint_image, query_image
from staydown.fingerprint.video import fingerprint_video, query_video
from staydown.fingerprint.video_limits import DEFAULT_VIDEO_LIMITS
from staydown.match_api import MatchApiSettings, bank_view, create_app, decoding
from staydown.match_api.bank_view import BankView
from staydown.match_api.openapi import openapi_paths
from staydown.match_api.terms import MAX_FRAME_CODES, Upload
from staydown.matching.find_video import hits_in_parts
from tests.staydown.fingerprint.files import encoded, jpeg
from tests.staydown.fingerprint.films import film, scene, scenes, sound_only
from tests.staydown.match_api.house import GOOD, assert_problem, code_of, entry, post_lines, sent

FILM = film(scenes(1, 2, 3, 4))
CUT = film(scenes(90, 3, 4, 91))


@pytest.fixture(scope="module")
def registered():
    """What a person registered of the film."""
    return fingerprint_video(FILM)


@pytest.fixture
def house(house, registered):
    codes = registered.registrable()
    house.put(entry("ent_film", sha256=registered.digests.sha256, codes=codes))
    return house


def frames(*codes_at, **others):
    """A JSON check with frames: (second, code) each."""
    rows = [
        {"at_seconds": at_seconds, "hex": code.hex, "quality": code.quality} for at_seconds, code in codes_at
    ]
    return {"fingerprints": {"md5": "0" * 32, "frames": rows}, **others}


def test_same_video_is_exact(client):
    answer = client.post("/api/v1/gate", files={"media": FILM})

    [match] = answer.json()["matches"]
    assert (answer.status_code, match["kind"], match["view"]) == (451, "exact", "full")
    assert "stretch" not in match


def test_stretch_of_a_registered_video_is_near_and_told(client):
    answer = client.post("/api/v1/check", files={"media": CUT})

    assert answer.json()["action"] == "block"
    [match] = answer.json()["matches"]
    assert (match["entry_id"], match["kind"], match["rule"]) == ("ent_film", "near", "confirmed-near")
    assert match["derivation"].startswith("@")
    assert match["stretch"] == {"upload_seconds": [1.0, 2.0], "entry_seconds": [2.0, 3.0], "frames": 2}
    # And the SDK reads it
    [read] = read_check(ClientAnswer(200, answer.content)).matches
    assert read.stretch.upload_seconds == (1.0, 2.0)
    assert read.stretch.entry_seconds == (2.0, 3.0)
    assert read.stretch.frames == 2


def test_one_common_frame_is_no_match(client):
    answer = client.post("/api/v1/check", files={"media": film(scenes(90, 3, 91))})

    assert (answer.json()["action"], answer.json()["matches"]) == ("allow", [])


def test_picture_that_a_video_shows_is_found_in_it(house, client):
    shown = encoded(Image.fromarray(scene(5)).resize((640, 480)), "PNG")
    house.put(entry("ent_picture", state="unconfirmed", codes=fingerprint_image(shown).registrable()))

    answer = client.post("/api/v1/gate", files={"media": film(scenes(90, 5, 91))})

    [match] = answer.json()["matches"]
    assert (answer.status_code, match["entry_id"]) == (202, "ent_picture")
    assert match["stretch"] == {"upload_seconds": [1.0, 1.0], "entry_seconds": None, "frames": 1}


def test_still_of_a_registered_video_is_near(client):
    still = encoded(Image.fromarray(scene(2)).resize((640, 480)), "JPEG", quality=90)

    [match] = client.post("/api/v1/check", files={"media": still}).json()["matches"]

    assert (match["entry_id"], match["kind"]) == ("ent_film", "near")
    assert match["derivation"].startswith("@1.000")
    assert "stretch" not in match


def test_frames_that_a_client_computed_find_what_the_media_would(house, client):
    by_media = client.post("/api/v1/check", files={"media": CUT}).json()
    document = fingerprints_document(query_video(CUT))

    by_frames = client.post("/api/v1/check", json={"fingerprints": document}).json()

    assert by_frames["matches"] == by_media["matches"] != []
    _, [by_line] = post_lines(client, {"fingerprints": document})
    assert by_line["matches"] == by_media["matches"]


def test_check_of_a_video_is_recorded_with_its_frames_for_the_catalog(house, client):
    # When
    names = {"content_id": "7", "content_url": "https://forum.example/7"}
    client.post("/api/v1/check", files={"media": film(scenes(91, 92, 93))}, data=names)

    # Then the catalog reads the whole frames with their times, and none of their parts
    (record,) = house.checks()
    assert (record["media"], record["pdq"], record["pdq512"]) == ("video", None, None)
    check = read_check_record(record)
    assert [code.derivation for code in check.fingerprints] == ["@0.000", "@1.000", "@2.000"]
    assert check.digests is not None


def test_same_key_with_other_frames_is_refused(client):
    ask = frames((0, code_of(1)), (1, code_of(2)))
    other = frames((0, code_of(1)), (1.5, code_of(2)))

    for body, status in ((ask, 200), (ask, 200), (other, 422)):
        answer = client.post("/api/v1/check", json=body, headers={"Idempotency-Key": "a"})
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"at_seconds": -1}, "at_seconds"),
        ({"at_seconds": 1e6}, "at_seconds"),
        ({"at_seconds": "1"}, "at_seconds"),
        ({"at_seconds": None}, "at_seconds"),
        ({"hex": "0" * 63}, "hex"),
        ({"quality": 101}, "quality"),
        ({"name": "Full"}, "name"),
        ({"name": "fH~r90"}, "name"),
    ],
)
def test_bad_frame_is_a_problem_that_says_where(client, house, change, word):
    body = frames((0, code_of(1)), (1, code_of(2)))
    body["fingerprints"]["frames"][1] |= change

    problem = assert_problem(client.post("/api/v1/check", json=body), 422)

    assert f"$.fingerprints.frames[1].{word}" in problem["detail"]
    assert house.checks() == []


def test_not_a_number_is_no_time(client):
    body = b'{"fingerprints": {"md5": "%s", "frames": [{"at_seconds": NaN}]}}' % (b"0" * 32)

    answer = client.post("/api/v1/check", content=body, headers={"Content-Type": "application/json"})

    assert_problem(answer, 400)


def test_more_frames_than_are_kept_of_a_video_are_refused(client):
    body = frames(*((float(n), code_of(1)) for n in range(5121)))

    assert "frames" in assert_problem(client.post("/api/v1/check", json=body), 422)["detail"]


def test_most_frames_fit_into_a_body(client):
    # Given as many frames as a lookup takes, with ten parts each
    assert DEFAULT_VIDEO_LIMITS.max_query_frames * 10 == MAX_FRAME_CODES
    body = frames(*((n + 1 / 3, code_of(1)) for n in range(MAX_FRAME_CODES)), content_id="x" * 200)
    for row in body["fingerprints"]["frames"]:
        row["name"] = "interface"

    assert client.post("/api/v1/check", json=body).status_code == 200


def test_catalog_keeps_some_frames_of_a_long_video(house, client):
    # Given more frames than are registered of a video
    names = {"content_id": "7", "content_url": "https://forum.example/7"}
    client.post("/api/v1/check", json=frames(*((n / 4, code_of(n)) for n in range(500)), **names))

    # Then as many as that are kept, from its beginning to its end
    (record,) = house.checks()
    kept = [code.derivation for code in read_check_record(record).fingerprints]
    assert len(kept) <= 64
    assert (kept[0], kept[-1]) == ("@0.000", "@124.000")


def test_sound_without_a_picture_is_refused_with_its_own_reason(client):
    problem = assert_problem(client.post("/api/v1/check", files={"media": sound_only()}), 422)

    assert problem["detail"].endswith(".")
    assert problem["type"] != "urn:staydown:problem:damaged-file"


@pytest.mark.parametrize("replaces", [False, True])
def test_entry_that_is_withdrawn_while_a_video_is_sought_is_not_told(
    house, registered, monkeypatch, replaces
):
    # Given a bank from which Alice withdraws between two parts of a search
    bank = BankView(house.data_dir / "bank.journal", max_distance_bits=31, retry_unreadable_seconds=0)
    bank.refresh()
    upload = Upload(views=(), frames=query_video(CUT).frames, sha256=None, md5=None)
    assert len(asyncio.run(bank.find_video(upload))) == 1
    before = bank._follower.bank

    def with_a_withdrawal(held, query):
        yield from hits_in_parts(held, query)
        if held is not before:
            return
        if replaces:
            house.publish_anew(entry("ent_other", codes=registered.registrable()))
        else:
            house.drop("ent_film")
        bank.refresh()

    monkeypatch.setattr(bank_view, "hits_in_parts", with_a_withdrawal)

    # Then it is not told, and what came instead is
    assert [match.entry_id for match in asyncio.run(bank.find_video(upload))] == ["ent_other"] * replaces


def test_without_pyav_videos_are_compared_by_their_digests_and_readyz_says_so(house, monkeypatch):
    with house.open() as client:
        assert client.get("/readyz").json()["videos"] == "frames"
    monkeypatch.setattr(decoding.MediaDecoder, "reads_videos", False)
    with house.open() as client:
        assert client.get("/readyz").json()["videos"] == "digests"
        assert client.post("/api/v1/gate", files={"media": FILM}).status_code == 451
        assert client.post("/api/v1/gate", files={"media": CUT}).status_code == 200
    assert [record["media"] for record in house.checks()] == ["video", "video"]


class SlowVideos:
    """Stands in for the sandbox: a video waits for `open`, a picture does not."""

    open = threading.Event()

    def __init__(self, *, workers, limits, video_limits):
        pass

    def query_video(self, media, level):
        assert self.open.wait(20)
        return query_video(media, level=level)

    def query(self, media, level):
        return query_image(media, level=level)

    def events(self):
        return {}

    def close(self):
        pass


def test_pictures_never_wait_for_videos_and_too_many_videos_are_told_to_come_back(house, monkeypatch):
    # Given one video in work and one that waits
    monkeypatch.setattr(decoding, "SandboxPool", SlowVideos)
    monkeypatch.setattr(SlowVideos, "open", threading.Event())
    app = create_app(MatchApiSettings(data_dir=house.data_dir, max_waiting_videos=1))

    async def story():
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": f"Bearer {GOOD}"}
        async with (
            app.running(),
            httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as client,
        ):

            async def ask(media):
                return await client.post("/api/v1/check", files={"media": media})

            videos = [asyncio.create_task(ask(CUT)) for _ in range(2)]
            for _ in range(100):
                await asyncio.sleep(0)
            third, picture = await ask(CUT), await ask(jpeg())
            SlowVideos.open.set()
            return third, picture, await asyncio.gather(*videos)

    third, picture, videos = asyncio.run(story())

    # Then
    assert_problem(third, 429, "busy")
    assert picture.status_code == 200
    assert [video.json()["action"] for video in videos] == ["block", "block"]


def test_answer_about_a_video_has_only_what_is_described(client):
    match = client.post("/api/v1/check", files={"media": CUT}).json()["matches"][0]
    schemas = openapi_paths()["components"]["schemas"]

    assert set(match) == set(schemas["ToldMatch"]["properties"])
    assert set(schemas["ToldMatch"]["properties"]) - set(schemas["ToldMatch"]["required"]) == {"stretch"}
    assert set(match["stretch"]) == set(schemas["ToldStretch"]["properties"])
    assert schemas["SentFingerprints"]["properties"]["frames"]
    assert sent(code_of(1)).keys() <= schemas["CheckRequest"]["properties"].keys()
