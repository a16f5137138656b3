"""One check: find, decide, record, answer. Refuses to answer what it could not record."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

import msgspec

from staydown.fingerprint import DERIVATIONS, Algorithm
from staydown.journal import CheckJournalWriter
from staydown.match_api.bank_view import BankView
from staydown.match_api.callers import Caller
from staydown.match_api.errors import Refused
from staydown.match_api.refusals import unavailable
from staydown.match_api.settings import MatchApiSettings
from staydown.match_api.terms import CheckAnswer, ToldMatch, Upload
from staydown.matching import decide, strictest_first

_encode = msgspec.json.Encoder().encode

_ALGORITHMS = tuple(algorithm.value for algorithm in Algorithm)

_TROUBLES = {
    "bank-missing": "The bank has not been published yet.",
    "bank-unreadable": "The bank cannot be read at the moment.",
}


class Checker:
    """Checks uploads against the bank as it is at that moment."""

    def __init__(self, settings: MatchApiSettings) -> None:
        self._settings = settings
        self.bank = BankView(
            settings.bank_journal_path,
            max_distance_bits=settings.max_distance_bits,
            retry_unreadable_seconds=settings.retry_unreadable_seconds,
        )
        self._journal = CheckJournalWriter(settings.checks_dir, encode=_encode)

    def check_ready(self) -> None:
        """Looks at the bank journal; raises Refused if there is no bank to search."""
        self.bank.refresh()
        if self.bank.trouble is not None:
            raise self._unavailable(self.bank.trouble, _TROUBLES[self.bank.trouble])

    async def check(self, upload: Upload, *, caller: Caller) -> CheckAnswer:
        """What to do with the upload; recorded when this returns. Raises Refused.

        Others get their turn meanwhile only if the upload has frames.
        """
        self.check_ready()
        most = self._settings.max_matches_told
        if upload.frames:
            matches = strictest_first(await self.bank.find_video(upload))[:most]
            self.check_ready()
        else:
            matches = self.bank.find(upload, most=most)
        answer = CheckAnswer(
            action=decide(matches),
            matches=[ToldMatch.of(match) for match in matches],
            check_id=new_check_id(),
            cost=upload.cost(),
        )
        record = check_record(upload, answer, platform=caller.platform, at=datetime.now(UTC))
        try:
            self._journal.append(record)
        except OSError:
            self._journal.close()  # a line may be torn: what follows goes to a new file
            raise self._unavailable(
                "check-not-recorded", "The check could not be recorded; nothing was decided."
            ) from None
        return answer

    def close(self) -> None:
        """Closes the journals."""
        self._journal.close()
        self.bank.close()

    def _unavailable(self, slug: str, detail: str) -> Refused:
        return unavailable(slug, detail, retry_after_seconds=self._settings.retry_after_seconds)


# Each letter stands for eight of the 256 values, so that all are equally likely.
_LETTERS = bytes(b"abcdefghijklmnopqrstuvwxyz234567"[value % 32] for value in range(256))


def new_check_id() -> str:
    """A fresh id: "chk_" and 80 random bits in sixteen letters of lower-case base32."""
    return "chk_" + secrets.token_bytes(16).translate(_LETTERS).decode()


def check_record(upload: Upload, answer: CheckAnswer, *, platform: str, at: datetime) -> dict[str, Any]:
    """The check as the database side reads it (catalog/rules.py). It has fingerprints and never a picture."""
    return {
        "check_id": answer.check_id,
        "at": at,
        "platform": platform,
        "content_id": upload.content_id,
        "content_url": upload.content_url,
        "media": upload.media,
        "sha256": upload.sha256,
        "md5": upload.md5,
        **_codes(upload),
        "frames": [[code.derivation, code.quality, code.hex] for code in upload.kept_frames()],
        "action": answer.action.value,
        "matches": [
            {
                "entry_id": match.entry_id,
                "kind": match.kind.value,
                "distance_bits": match.distance_bits,
                "derivation": match.derivation,
                "rule": match.rule,
                "state": match.state.value,
                "view": match.view,
            }
            for match in answer.matches
        ],
    }


def _codes(upload: Upload) -> dict[str, dict[str, Any] | None]:
    """By algorithm: the codes in the order of DERIVATIONS, eight of a picture, one of sent fingerprints."""
    rows: dict[str, dict[str, Any] | None] = dict.fromkeys(_ALGORITHMS)
    kept = upload.kept()
    for algorithm in {code.algorithm for code in kept}:
        found = {code.derivation: code for code in kept if code.algorithm is algorithm}
        codes = [found[derivation].hex for derivation in DERIVATIONS if derivation in found]
        rows[algorithm.value] = {"codes": codes, "quality": found[DERIVATIONS[0]].quality}
    return rows
