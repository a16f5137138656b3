"""A request sent twice with one key: one check, one answer; another body with that key: refused."""

import asyncio
import time

import pytest

from staydown.match_api import idempotency
from staydown.match_api.errors import Refused
from staydown.match_api.idempotency import AnswersKept
from staydown.match_api.refusals import not_processable
from staydown.match_api.terms import CheckAnswer, ToldCost
from staydown.matching import Action
from tests.staydown.fingerprint.files import jpeg
from tests.staydown.match_api.house import OTHER, UPLOADS, assert_problem, code_of, entry, post_lines, sent

KEY = {"Idempotency-Key": "6a0c-1"}


@pytest.mark.parametrize("path", UPLOADS)
def test_same_request_gets_the_same_answer_and_is_checked_once(client, house, path):
    # Given
    first = client.post(path, json=sent(code_of(1)), headers=KEY)

    # When the bank changes and the request comes again
    house.put(entry("ent_a", codes=[code_of(1)]))
    again = client.post(path, json=sent(code_of(1)), headers=KEY)

    # Then
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert len(house.checks()) == 1
    assert client.post(path, json=sent(code_of(1))).json()["action"] == "block"


def test_same_picture_in_another_form_is_the_same_request(client, house):
    # A client makes up a new boundary each time it sends a form.
    options = {"data": {"content_id": "7"}, "headers": KEY}
    first = client.post("/api/v1/gate", files={"media": ("a.jpg", jpeg())}, **options)
    again = client.post("/api/v1/gate", files={"media": ("b.jpg", jpeg())}, **options)

    assert first.request.headers["content-type"] != again.request.headers["content-type"]
    assert again.json()["check_id"] == first.json()["check_id"]
    assert len(house.checks()) == 1


@pytest.mark.parametrize("path", UPLOADS)
def test_other_content_with_the_same_key_is_refused(client, house, path):
    client.post(path, json=sent(code_of(1), content_id="1"), headers=KEY)

    for body in (
        sent(code_of(2), content_id="1"),
        sent(code_of(1), content_id="2"),
        sent(code_of(1, quality=99), content_id="1"),
        sent(code_of(1), content_id="1", md5="0" * 32),
        sent(code_of(1), content_url="1"),
    ):
        assert_problem(client.post(path, json=body, headers=KEY), 422, "idempotency-key-reused")
    response = client.post(path, files={"media": jpeg()}, headers=KEY)
    assert_problem(response, 422, "idempotency-key-reused")
    assert len(house.checks()) == 1


def test_key_belongs_to_one_token_and_one_route(client, house):
    ids = set()
    for path in UPLOADS:
        for headers in (KEY, KEY | {"Authorization": f"Bearer {OTHER}"}, {"Idempotency-Key": "6a0c-2"}, {}):
            ids.add(client.post(path, json=sent(code_of(1)), headers=headers).json()["check_id"])

    assert len(ids) == len(house.checks()) == 8


def test_refusal_is_not_kept(client, house):
    # Given a request that was refused
    assert_problem(client.post("/api/v1/check", files={"media": b"x"}, headers=KEY), 422, "unknown-format")

    # Then the key is free
    assert client.post("/api/v1/check", json=sent(code_of(1)), headers=KEY).status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 201, "ä", "a\tb"])
def test_malformed_key_is_refused(client, house, key):
    response = client.post("/api/v1/check", json=sent(code_of(1)), headers={"Idempotency-Key": key.encode()})

    assert_problem(response, 400, "idempotency-key-malformed")
    assert house.checks() == []


def test_batch_does_not_know_keys(client, house):
    for _ in range(2):
        assert post_lines(client, sent(code_of(1)), headers=KEY)[0].status_code == 200

    assert len(house.checks()) == 2


def answer(number):
    return CheckAnswer(action=Action.ALLOW, matches=[], check_id=f"chk_{number}", cost=ToldCost(None, 0))


class Counting:
    """Computes a new answer each time."""

    def __init__(self):
        self.calls = 0

    async def __call__(self):
        self.calls += 1
        return answer(self.calls)


def once(kept, key, compute, *, content=b"c"):
    return kept.once(key, token_digest="t", route="check", content=content, compute=compute)


def test_answer_is_kept_for_its_time_only(monkeypatch):
    now = time.monotonic()
    clock = [now]
    monkeypatch.setattr(idempotency.time, "monotonic", lambda: clock[0])
    kept, compute = AnswersKept(seconds=600, max_answers=10), Counting()

    async def ask(content):
        return (await once(kept, "k", compute, content=content)).check_id

    async def story():
        assert await ask(b"c") == "chk_1"
        clock[0] = now + 599
        assert await ask(b"c") == "chk_1"
        clock[0] = now + 600
        assert await ask(b"other") == "chk_2"
        assert await ask(b"other") == "chk_2"

    asyncio.run(story())


def test_only_so_many_answers_are_kept_and_the_oldest_go_first():
    kept, compute = AnswersKept(seconds=600, max_answers=3), Counting()

    async def story():
        for number in range(1, 5):
            await once(kept, f"k{number}", compute)
        assert (await once(kept, "k4", compute)).check_id == "chk_4"
        assert (await once(kept, "k2", compute)).check_id == "chk_2"
        assert (await once(kept, "k1", compute)).check_id == "chk_5"
        for number in range(1000):
            await once(kept, f"more {number}", compute)
        assert len(kept) == 3

    asyncio.run(story())


def test_request_that_comes_while_the_first_is_at_work_waits_for_its_answer():
    kept = AnswersKept(seconds=600, max_answers=3)
    go = asyncio.Event()
    calls = []

    async def slow():
        calls.append(1)
        await go.wait()
        return answer(1)

    async def story():
        tasks = [asyncio.create_task(once(kept, "k", slow)) for _ in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(Refused) as refused:
            await once(kept, "k", slow, content=b"other")
        assert refused.value.problem.slug == "idempotency-key-reused"
        # One that waits may give up without harm to the others.
        tasks[2].cancel()
        go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = asyncio.run(story())

    assert first == second == answer(1)
    assert isinstance(third, asyncio.CancelledError)
    assert len(calls) == 1


@pytest.mark.parametrize("fate", ["refused", "defect", "cancelled"])
def test_waiting_request_is_told_when_the_first_one_fails(fate):
    kept = AnswersKept(seconds=600, max_answers=3)

    async def story():
        go = asyncio.Event()

        async def fails():
            await go.wait()
            if fate == "refused":
                raise not_processable("Bad.", slug="bad")
            raise ZeroDivisionError

        first = asyncio.create_task(once(kept, "k", fails))
        await asyncio.sleep(0)
        second = asyncio.create_task(once(kept, "k", fails))
        await asyncio.sleep(0)
        if fate == "cancelled":
            first.cancel()
        go.set()
        _, error = await asyncio.gather(first, second, return_exceptions=True)
        assert isinstance(error, Refused)
        assert len(kept) == 0
        return error.problem.slug

    assert asyncio.run(story()) == ("bad" if fate == "refused" else "interrupted")
