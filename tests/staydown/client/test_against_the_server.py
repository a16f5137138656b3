"""The SDK against the real upload check: what the in-memory twin says is what the server says."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from staydown.client import Action, AsyncStaydown, CheckResult, Unreachable, Upload
from staydown.client.terms import Level
from staydown.fingerprint import QueryLevel, query_image
from staydown.fingerprint.terms import Digests, Fingerprint, MediaFingerprints
from staydown.match_api import MatchApiSettings, create_app
from tests.staydown.fingerprint.files import jpeg
from tests.staydown.match_api.house import GOOD, House, code_of, entry, moved

CODE = code_of(1)
PICTURE = jpeg(320, 240)


@pytest.fixture
def server(tmp_path: Path) -> House:
    house = House(tmp_path)  # type: ignore[no-untyped-call]
    house.publish_tokens()  # type: ignore[no-untyped-call]
    house.put(entry("ent_1", codes=[CODE]))  # type: ignore[no-untyped-call]
    return house


@pytest.fixture
def ask(server: House) -> Callable[..., Any]:
    """Does something with a client of the server."""

    def asked(talk: Callable[[AsyncStaydown], Awaitable[Any]], **options: Any) -> Any:
        async def connected() -> Any:
            app = create_app(MatchApiSettings(data_dir=server.data_dir))
            transport = httpx.ASGITransport(app=app)
            async with (
                app.running(),
                AsyncStaydown("http://127.0.0.1:8000", GOOD, transport=transport, **options) as staydown,
            ):
                return await talk(staydown)

        return asyncio.run(connected())

    return asked


def fingerprints(code: Fingerprint) -> MediaFingerprints:
    return MediaFingerprints("image", Digests("ab" * 32, "cd" * 16), 9, 9, (code,))


@pytest.mark.parametrize("call", ["check", "gate"])
def test_near_match_is_told_with_all_its_members(ask: Callable[..., Any], call: str) -> None:
    async def talk(staydown: AsyncStaydown) -> CheckResult:
        result: CheckResult = await getattr(staydown, call)(fingerprints(moved(CODE, 12)))  # type: ignore[no-untyped-call]
        return result

    result = ask(talk)

    assert (result.action, result.degraded) == (Action.BLOCK, False)
    [match] = result.matches
    assert (match.entry_id, match.kind, match.distance_bits) == ("ent_1", "near", 12)


@pytest.mark.parametrize("level", list(QueryLevel))
def test_level_of_one_picture_is_taken(ask: Callable[..., Any], server: House, level: Level) -> None:
    async def talk(staydown: AsyncStaydown) -> CheckResult:
        return await staydown.check(PICTURE, level=level)

    assert ask(talk).action is Action.ALLOW


def test_deep_look_finds_what_a_plain_one_does_not(
    ask: Callable[..., Any], server: House, tmp_path: Path
) -> None:
    # Given the entry is one quarter of the picture
    views = {view.name: view.fingerprint for view in query_image(PICTURE, level=QueryLevel.DEEP).views}
    name = next(one for one in views if one.startswith("quarter") and views[one].quality >= 50)
    server.put(entry("ent_2", codes=[views[name]]))  # type: ignore[no-untyped-call]

    # When
    async def talk(staydown: AsyncStaydown) -> list[Action]:
        return [(await staydown.check(PICTURE, level=level)).action for level in ("plain", "deep")]

    # Then
    assert ask(talk) == [Action.ALLOW, Action.BLOCK]


def test_batch_is_answered_line_by_line_and_a_bad_line_in_its_place(ask: Callable[..., Any]) -> None:
    # Given a line whose name is too long for the server
    uploads = [
        fingerprints(CODE),
        Upload(fingerprints(CODE), content_id="x" * 10_000),
        Upload(fingerprints(code_of(2)), content_id="17"),
    ]

    # When
    async def talk(staydown: AsyncStaydown) -> list[Any]:
        return [answer async for answer in staydown.check_batch(uploads)]

    first, second, third = ask(talk)

    # Then
    assert first.checked().action is Action.BLOCK
    assert second.problem is not None
    assert third.checked().action is Action.ALLOW


@pytest.mark.parametrize("declared", ["raise", "allow", "hold"])
@pytest.mark.parametrize("call", ["check", "gate", "check_batch"])
def test_wish_is_answered_where_the_server_cannot_check(
    ask: Callable[..., Any], server: House, declared: str, call: str
) -> None:
    # Given
    (server.data_dir / "bank.journal").write_bytes(b"nonsense\n" * 9)

    # When
    async def talk(staydown: AsyncStaydown) -> CheckResult:
        if call == "check_batch":
            [answer] = [one async for one in staydown.check_batch([fingerprints(CODE)])]
            return answer.checked()
        result: CheckResult = await getattr(staydown, call)(fingerprints(CODE))
        return result

    # Then
    if declared == "raise":
        with pytest.raises(Unreachable):
            ask(talk, on_unreachable=declared, timeout_ms=300)
        return
    result = ask(talk, on_unreachable=declared, timeout_ms=300)
    assert (result.action.value, result.degraded, result.check_id) == (declared, True, None)
    assert result.degraded_reason == "bank-unreadable"
