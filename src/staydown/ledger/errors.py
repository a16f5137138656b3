"""Errors of the ledger stage.

LedgerError
    EventNotRecordable            an event holds what the log must not keep
    LedgerNeedsTransaction        recording outside the transaction of the thing recorded
    NothingRecorded               a subject without events
    TileNotAvailable              a tile that this log does not (yet) have
    KeyFileUnreadable             the signing key's file holds no Ed25519 key
    ReceiptRefused                a receipt (or log) that does not prove what it says
        ReceiptFormatUnknown      not a receipt, or from a later version
        ReceiptDamaged            a member is missing, malformed or contradicts another
        CheckpointMalformed       a checkpoint that is not one
        KeyMalformed              a verifier key that is not one
        KeyNotTrusted             signed with another key than the one expected
        SignatureDoesNotMatch     the checkpoint is not signed by the log
        LogDamaged                a published log whose files contradict each other or its checkpoint
        ProofDoesNotMatch         an event is not in the log, or one log does not continue another
"""

from __future__ import annotations

from staydown.errors import StaydownError


class LedgerError(StaydownError):
    """Something the ledger anticipated."""


class EventNotRecordable(LedgerError):
    """An event holds what the log must not keep; `where` names the member, never its value."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"This event cannot be recorded: {where} {reason}.")
        self.where = where


class LedgerNeedsTransaction(LedgerError):
    """Recording must share the transaction of the thing recorded, or one could exist without the other."""

    def __init__(self) -> None:
        super().__init__("The ledger records only inside a transaction.")


class NothingRecorded(LedgerError):
    """No event of this subject is in the log, or all of them were erased."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"Nothing is recorded about {subject}.")
        self.subject = subject


class TileNotAvailable(LedgerError):
    """This log has no such tile, or not yet."""

    def __init__(self) -> None:
        super().__init__("This log has no such tile.")


class KeyFileUnreadable(LedgerError):
    """The file of the signing key holds no Ed25519 private key."""

    def __init__(self) -> None:
        super().__init__("The ledger's key file does not hold an Ed25519 private key.")


class ReceiptRefused(LedgerError):
    """A receipt that does not prove what it says."""


class ReceiptFormatUnknown(ReceiptRefused):
    """Not a receipt of this format."""

    def __init__(self) -> None:
        super().__init__("This is not a Staydown receipt, or it comes from a later version of Staydown.")


class ReceiptDamaged(ReceiptRefused):
    """A member of the receipt is missing, malformed or contradicts another; `where` names it."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"The receipt is damaged: {where} {reason}.")
        self.where = where


class CheckpointMalformed(ReceiptRefused):
    """A text that is not a checkpoint."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The checkpoint is damaged: {reason}.")


class KeyMalformed(ReceiptRefused):
    """A text that is not a verifier key for Ed25519."""

    def __init__(self) -> None:
        super().__init__("The verifier key is malformed; it looks like name+12345678+AbCd...")


class KeyNotTrusted(ReceiptRefused):
    """The log's key is not the one that was expected."""

    def __init__(self) -> None:
        super().__init__("This was signed with another key than the one you gave.")


class SignatureDoesNotMatch(ReceiptRefused):
    """No signature of the log's key stands under the checkpoint."""

    def __init__(self) -> None:
        super().__init__("The checkpoint is not signed by this log's key.")


class LogDamaged(ReceiptRefused):
    """A published log does not add up; `where` is the file, with the place inside if it is known."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"The log is damaged: {where} {reason}.")
        self.where = where


class ProofDoesNotMatch(ReceiptRefused):
    """A proof does not lead to the root; `index` is the entry it was for, if it was for one."""

    def __init__(self, index: int | None = None) -> None:
        at = "The log's two states" if index is None else f"Entry {index}"
        end = "do not belong to one log." if index is None else "is not in the log as the receipt says."
        super().__init__(f"{at} {end}")
        self.index = index
