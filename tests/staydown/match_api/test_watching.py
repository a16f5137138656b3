"""What operators look at: who may, what it says, and that no name, code or address is in it.

Covers: staydown.match_api.exposition, staydown.match_api.health_page, staydown.match_api.meter.
"""

import base64
import hashlib
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from staydown.fingerprint import DecodeLimits
from staydown.match_api import MatchApiSettings, create_app, refusals
from staydown.match_api.bank_view import BankView
from staydown.match_api.health_page import LATE_SECONDS
from staydown.match_api.meter import BUCKETS, NAMES, OTHER, SLUGS, Door, Meter, SentBy, Wish
from staydown.matching import Action
from tests.staydown.fingerprint.files import jpeg, png_of_zeros
from tests.staydown.match_api.house import (
    GOOD,
    PLATFORM,
    REVOKED,
    assert_problem,
    code_of,
    entry,
    post_lines,
    sent,
    token_row,
)

WATCHER = "sdk_watcher"
WATCHED = ("/metrics", "/health")


@pytest.fixture
def watched(house):
    """A client of a platform; `watching` is the header of the operator's token."""
    house.publish_tokens(token_row(GOOD), token_row(WATCHER, scopes=["metrics"]))
    with house.open() as client:
        yield client


WATCHING = {"Authorization": f"Bearer {WATCHER}"}


def numbers(client):
    """Every sample of /metrics by its name and labels."""
    families = text_string_to_metric_families(client.get("/metrics", headers=WATCHING).text)
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


# --- who may look


@pytest.mark.parametrize("path", WATCHED)
@pytest.mark.parametrize("token", [GOOD, REVOKED, "", None])
@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_charlie_sees_nothing(watched, path, token, scheme):
    watched.headers.pop("Authorization")
    headers = {}
    if token is not None:
        sent_as = base64.b64encode(f"x:{token}".encode()).decode() if scheme == "Basic" else token
        headers = {"Authorization": f"{scheme} {sent_as}"}

    response = watched.get(path, headers=headers)

    if token == GOOD:
        assert assert_problem(response, 403, "scope-missing")["scope"] == "metrics"
    else:
        assert_problem(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"] == 'Basic realm="Staydown"'


@pytest.mark.parametrize("path", WATCHED)
@pytest.mark.parametrize("name", ["", "prometheus", "a:b"])
def test_token_may_come_as_a_browsers_password(watched, path, name):
    both = f"{name.replace(':', '')}:{WATCHER}"
    headers = {"Authorization": "Basic " + base64.b64encode(both.encode()).decode()}

    assert watched.get(path, headers=headers).status_code == 200


@pytest.mark.parametrize("sent_as", ["", "%%%", "bm9jb2xvbg==", "/w==", "x" * 5000])
def test_password_that_cannot_be_read_is_refused(watched, sent_as):
    assert_problem(watched.get("/metrics", headers={"Authorization": f"Basic {sent_as}"}), 401)


@pytest.mark.parametrize(
    ("is_open", "peer", "headers", "status"),
    [
        (True, "127.0.0.1", {}, 200),
        (True, "::1", {}, 200),
        (False, "127.0.0.1", {}, 401),
        (True, "10.0.0.5", {}, 401),
        (True, "203.0.113.9", {}, 401),
        (True, "unknown", {}, 401),
        (True, "", {}, 401),
        (True, "127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 401),
        (True, "127.0.0.1", {"Forwarded": "for=203.0.113.9"}, 401),
        (True, "127.0.0.1", {"X-Real-IP": "127.0.0.1"}, 401),
        (True, "127.0.0.1", {"Via": "1.1 proxy"}, 401),
    ],
)
def test_open_metrics_are_for_callers_on_this_machine_without_a_proxy(house, is_open, peer, headers, status):
    app = create_app(MatchApiSettings(data_dir=house.data_dir, metrics_open=is_open))
    with TestClient(app, client=(peer, 50000)) as client:
        for path in WATCHED:
            assert client.get(path, headers=headers).status_code == status


# --- what is counted


def test_each_check_is_counted_by_its_door_its_way_and_its_action(watched, house):
    # Given
    house.put(entry("ent_a", codes=[code_of(1)]), entry("ent_b", state="unconfirmed", codes=[code_of(2)]))

    # When
    watched.post("/api/v1/check", json=sent(code_of(1)))
    watched.post("/api/v1/gate", json=sent(code_of(2)))
    for _ in range(2):
        watched.post("/api/v1/gate", files={"media": jpeg(64, 64)})
    post_lines(watched, sent(code_of(1)), sent(code_of(9)), b"nonsense")
    found = numbers(watched)

    # Then
    def checks(action, by, door):
        return found["staydown_checks_total", f"action={action}", f"by={by}", f"door={door}"]

    assert checks("block", "fingerprints", "check") == 1
    assert checks("hold", "fingerprints", "gate") == 1
    assert checks("allow", "media", "gate") == 2
    assert checks("block", "fingerprints", "batch") == checks("allow", "fingerprints", "batch") == 1
    assert found["staydown_refusals_total", "slug=malformed-json"] == 1
    assert found["staydown_check_seconds_count", "by=fingerprints"] == 2
    assert found["staydown_check_seconds_count", "by=media"] == 2
    assert found["staydown_decoding_events_total", "event=started", "pool=pictures"] == 1
    assert found["staydown_bank_entries",] == 2
    assert found["staydown_bank_codes",] == 2
    assert found["staydown_bank_lag_seconds",] >= 0
    assert found["staydown_processes",] == 1
    assert found["staydown_process_resident_memory_bytes", "process=0"] > 1_000_000


def test_time_limits_and_refusals_of_media_are_counted(house):
    house.publish_tokens(token_row(GOOD), token_row(WATCHER, scopes=["metrics"]))
    with house.open(decode_limits=DecodeLimits(seconds=0.001)) as client:
        client.post("/api/v1/check", files={"media": png_of_zeros(8000, 8000)})
        client.post("/api/v1/check", files={"media": b"x"})
        found = numbers(client)

    assert found["staydown_decoding_events_total", "event=timed_out", "pool=pictures"] >= 1
    assert found["staydown_refusals_total", "slug=decode-timed-out"] >= 1
    assert found["staydown_decoding", "pool=pictures", "state=busy"] == 0
    assert found["staydown_decoding", "pool=pictures", "state=waiting"] == 0


def test_times_fall_into_their_buckets_and_a_restart_keeps_counts_and_forgets_states(tmp_path):
    # Given
    meter = Meter(tmp_path)
    for seconds in (0.00005, 0.0001, 0.00011, 29.0, 31.0):
        meter.took(SentBy.MEDIA, seconds)
    meter.put("pool videos busy", 3)
    meter.checked(Door.GATE, SentBy.URL, Action.HOLD)
    meter.close()

    # When another process takes the place
    again = Meter(tmp_path)

    # Then
    [row] = again.tally.all()
    values = dict(zip(NAMES, row.values, strict=True))
    took = [values[f"took media {place}"] for place in range(len(BUCKETS) + 1)]
    assert took[:2] == [2, 1]
    assert took[-2:] == [1, 1]
    assert sum(took) == 5
    assert values["seconds media"] == pytest.approx(60.00026)
    assert values["checks gate url hold"] == 1
    assert values["pool videos busy"] == 0


def test_label_cannot_grow_with_what_is_sent(tmp_path):
    meter = Meter(tmp_path)

    meter.refused("made-up")
    meter.degraded("made-up", Wish.HOLD)

    values = dict(zip(NAMES, meter.tally.values, strict=True))
    assert values[f"refused {OTHER}"] == values[f"degraded {OTHER} hold"] == 1
    assert len(set(NAMES)) == len(NAMES)


def test_every_refusal_of_this_door_has_a_label():
    # Given every slug that the door's source writes; the edge bank's own door is not counted
    folder = Path(refusals.__file__).parent
    text = "".join(
        path.read_text() for path in folder.glob("*.py") if path.name not in ("meter.py", "edge.py")
    )
    written = set(re.findall(r'slug="([a-z-]+)"', text))
    written |= set(re.findall(r'(?:Problem\(\d+|unavailable\(|fetch_refused\()[\s,]*"([a-z-]+)"', text))
    written |= {"bank-missing", "bank-unreadable"}

    # Then
    assert len(written) > 20
    assert written - set(SLUGS) == set()


def test_nothing_of_an_upload_an_entry_or_a_platform_is_told(watched, house):
    house.put(entry("ent_secret", bank="bank-name", sha256="5" * 64, codes=[code_of(1)]))
    watched.post("/api/v1/check", json=sent(code_of(1), sha256="5" * 64, content_id="content-7"))
    watched.post("/api/v1/secret-path")

    for path in WATCHED:
        text = watched.get(path, headers=WATCHING).text
        for secret in (
            code_of(1).hex,
            "5" * 64,
            "ent_secret",
            "content-7",
            "bank-name",
            PLATFORM,
            "sdk_",
            "secret",
        ):
            assert secret not in text


# --- the page


def test_page_says_that_uploads_are_checked(watched):
    response = watched.get("/health", headers=WATCHING)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "Uploads are checked, and the bank is up to date." in response.text
    assert "isolation: " in response.text


def test_page_says_why_nothing_can_be_checked_and_programs_see_it_by_the_status(house):
    house.publish_tokens(token_row(WATCHER, scopes=["metrics"]))
    (house.data_dir / "bank.journal").unlink()
    with house.open() as client:
        response = client.get("/health", headers=WATCHING)

    assert response.status_code == 503
    assert "No upload can be checked: The bank has not been published yet." in response.text


def test_page_says_that_the_bank_is_late(watched, monkeypatch):
    # Given a bank that lacks something for longer than it should
    monkeypatch.setattr(BankView, "lag_seconds", lambda bank: LATE_SECONDS + 7)

    # When, after the next look
    for _ in range(100):
        text = watched.get("/health", headers=WATCHING).text
        if "12 seconds behind" in text:
            break

    # Then
    assert "against a bank that is 12 seconds behind" in text


def test_page_has_no_script_and_its_policy_allows_none(watched):
    response = watched.get("/health", headers=WATCHING)

    assert "<script" not in response.text
    assert "http" not in response.text.replace("http-equiv", "")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    style = re.search(r"<style>(.*)</style>", response.text, re.DOTALL)[1]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_a_phone_and_can_be_read_by_everybody(watched, scheme):
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    text = watched.get("/health", headers=WATCHING).text
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme=scheme)
        page.set_content(text)
        width = page.evaluate("document.documentElement.scrollWidth")
        troubles = Axe().run(page).response["violations"]
        browser.close()

    assert width == 390
    assert troubles == []
