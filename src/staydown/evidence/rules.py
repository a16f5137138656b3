"""Pure rules of private notes: only age files are stored, and only so much of them.

That a text is an age file says that it is locked, not by whom; whoever sends something else gets it back.
"""

from __future__ import annotations

import re

from staydown.evidence.errors import NotLocked, RecipientMalformed, TooLarge

HEADER = b"age-encryption.org/v1\n"
# A screenshot of a long page is 1 to 5 MB; a phone's photo of a screen up to 8.
MAX_FILE_BYTES = 8 << 20
# Some 5,000 items of text; more would take seconds to open on a phone.
MAX_DOCUMENT_BYTES = 2 << 20
# An identity wrapped by a phrase is 300 bytes.
MAX_WRAPPED_BYTES = 2_000
# Of one case: what a database of a small installation bears for thousands of people.
MAX_FILES = 100
MAX_BYTES_IN_ALL = 50 << 20
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}", re.ASCII)


def check_locked(content: bytes, *, most: int) -> None:
    """Raises NotLocked for what is not an age file, TooLarge beyond `most` bytes."""
    if len(content) > most:
        raise TooLarge(allowed=most)
    if not content.startswith(HEADER):
        raise NotLocked


def check_recipient(text: str) -> None:
    """Raises RecipientMalformed for what is not an age X25519 recipient."""
    if not _RECIPIENT.fullmatch(text):
        raise RecipientMalformed
