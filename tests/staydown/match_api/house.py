"""A data directory as the database side leaves it, and an application on it."""

import hashlib
import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from starlette.testclient import TestClient

from staydown.fingerprint import Algorithm, Fingerprint
from staydown.journal import BankJournalWriter, CheckJournalReader, write_tokens
from staydown.match_api import MatchApiSettings, create_app

# The platform's token, another platform's, and four that Charlie may try.
GOOD, OTHER = "sdk_platform", "sdk_other_platform"
EXPIRED, WRONG_SCOPE, REVOKED, WRONG = "sdk_expired", "sdk_feed_only", "sdk_revoked", "sdk_made_up"
PLATFORM = "pf_aaaaaaaaaaaaaaaa"

UPLOADS = ("/api/v1/check", "/api/v1/gate")
ENDPOINTS = (*UPLOADS, "/api/v1/check/batch")


def token_row(token, *, platform=PLATFORM, scopes=("check",), expires_at=None):
    """A row of the token file."""
    return {
        "digest": hashlib.sha256(token.encode()).hexdigest(),
        "platform": platform,
        "scopes": list(scopes),
        "expires_at": expires_at.isoformat() if expires_at else None,
    }


def code_of(number, *, algorithm=Algorithm.PDQ, quality=100, derivation="full"):
    """A made-up code; those of different numbers are about 128 bits apart."""
    code = hashlib.sha256(f"code {number}".encode()).digest()
    return Fingerprint(algorithm, code, quality, derivation)


def moved(code, bits, *, derivation="full", quality=None):
    """The code with its first `bits` bits turned over."""
    flipped = int.from_bytes(code.code) ^ ((1 << bits) - 1)
    quality = code.quality if quality is None else quality
    return Fingerprint(code.algorithm, flipped.to_bytes(32), quality, derivation)


def entry(entry_id, *, state="confirmed", bank="default", sha256=None, md5=None, codes=()):
    """The body of a `put` record."""
    return {
        "id": entry_id,
        "bank": bank,
        "state": str(state),
        "sha256": sha256,
        "md5": md5,
        "codes": [[str(code.algorithm), code.derivation, code.quality, code.hex] for code in codes],
    }


def sent(*codes, sha256=None, md5=None, **others):
    """A JSON request with these fingerprints."""
    fingerprints = {str(code.algorithm): {"hex": code.hex, "quality": code.quality} for code in codes}
    digests = {name: value for name, value in (("sha256", sha256), ("md5", md5)) if value}
    return {"fingerprints": fingerprints | digests, **others}


class House:
    """The database side: publishes tokens and the bank, reads the checks."""

    def __init__(self, data_dir):
        self.data_dir = data_dir
        self.seq = 0

    def publish_tokens(self, *rows):
        write_tokens(
            self.data_dir / "tokens.json",
            rows
            or [
                token_row(GOOD),
                token_row(OTHER, platform="pf_bbbbbbbbbbbbbbbb"),
                token_row(EXPIRED, expires_at=datetime.now(UTC) - timedelta(seconds=1)),
                token_row(WRONG_SCOPE, scopes=["feed"]),
            ],
        )

    def publish(self, *bodies):
        """Appends records to the bank journal; without any, only makes it."""
        with BankJournalWriter(self.data_dir / "bank.journal") as journal:
            journal.append([{"seq": self._next(), **body} for body in bodies])

    def put(self, *entries):
        self.publish(*({"op": "put", "entry": one} for one in entries))

    def drop(self, entry_id):
        self.publish({"op": "drop", "entry_id": entry_id})

    def publish_anew(self, *entries):
        """A new generation of the journal with only these entries."""
        with BankJournalWriter(self.data_dir / "bank.journal") as journal:
            journal.rewrite([{"seq": self._next(), "op": "put", "entry": one} for one in entries])

    def checks(self):
        """The records of every check so far."""
        return CheckJournalReader(self.data_dir / "checks").read({})[0]

    def _next(self):
        self.seq += 1
        return self.seq

    @contextmanager
    def open(self, *, token=GOOD, **settings):
        """A started application, as a client with the token."""
        app = create_app(MatchApiSettings(data_dir=self.data_dir, **settings))
        with TestClient(app) as client:
            if token is not None:
                client.headers["Authorization"] = f"Bearer {token}"
            yield client


def post_lines(client, *lines, **options):
    """Posts a batch; each line is a request or raw bytes. Returns the response and its lines, read."""
    encoded = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    body = b"".join(line + b"\n" for line in encoded)
    headers = {"Content-Type": "application/jsonl", **options.pop("headers", {})}
    response = client.post("/api/v1/check/batch", content=body, headers=headers, **options)
    if response.status_code != 200:
        return response, []
    return response, [json.loads(line) for line in response.text.splitlines()]


def assert_problem(response, status, slug=None):
    """The answer is a problem of the one shape; returns it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["type"].startswith("urn:staydown:problem:")
    assert problem["title"]
    if slug is not None:
        assert problem["type"] == f"urn:staydown:problem:{slug}"
    return problem
