"""Everything that this server holds of a case, for the person it belongs to. Reads only.

Fingerprints are left out: they are counted. The person has the picture, and a file of codes that lies around
would only help whoever finds it.
"""

from __future__ import annotations

import base64
from dataclasses import asdict
from datetime import datetime
from typing import Any

from staydown.access.queries import keys_of
from staydown.evidence.queries import notes_of
from staydown.journeys.overviews import case_overview
from staydown.ledger.queries import receipt_for

VERSION = 1


def case_export(case_number: str, *, now: datetime) -> dict[str, Any]:
    """One document of plain values (times as ISO 8601, UTC)."""
    overview = case_overview(case_number, now=now)
    return {
        "version": VERSION,
        "made_at": now.isoformat(),
        "case": {
            "number": overview.case.number,
            "state": overview.case.state.value,
            "opened_at": overview.case.opened_at.isoformat(),
            "keys": {kind.value: at.isoformat() for kind, at in keys_of(case_number).items()},
        },
        "pictures": [
            {
                "position": row.position,
                "media": row.media,
                "registered_at": row.registered_at.isoformat(),
                "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
                "changed_copies_are_found": row.near_matching,
                "confirmed": row.confirmed,
                "met_in_uploads": row.matches,
            }
            for row in overview.pictures
        ],
        "requests": [
            {
                "number": row.notice.number,
                "platform": row.platform.name,
                "state": row.notice.state.value,
                "received_at": row.notice.received_at.isoformat(),
                "deadline_at": row.notice.deadline_at.isoformat(),
                "closed_at": row.notice.closed_at.isoformat() if row.notice.closed_at else None,
                "addresses": list(row.notice.urls),
                "signature": row.notice.signature,
                "signer": row.notice.signer.value,
                "statement": row.notice.statement,
                "contact": row.notice.contact,
                "copies": len(row.copies),
                "copies_gone": row.copies_gone,
            }
            for row in overview.requests
        ],
        "requests_elsewhere": [_plain(asdict(row)) for row in overview.outside],
        "plan": _plain(asdict(overview.plan)) if overview.plan else None,
        "private_notes": _locked_notes(case_number),
        "log": receipt_for(case_number),
    }


def _locked_notes(case_number: str) -> dict[str, Any] | None:
    """The notes as they are stored: age files in base64, which only the person's words open."""
    notes = notes_of(case_number)
    if notes is None:
        return None
    return {
        "wrapped_identity": {kind: _base64(content) for kind, content in notes.wrapped.items()},
        "document": _base64(notes.document),
        "files": [{"id": file.id, "bytes": file.size_bytes} for file in notes.files],
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }
