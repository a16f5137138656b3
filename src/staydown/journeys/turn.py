"""One writing journey at a time, on both databases.

On SQLite a transaction is immediate: it waits for its turn before it reads anything. PostgreSQL lets
transactions overlap: what one of them read may be old when it writes, and two that lock the same rows in
different order stop each other. Every writing journey appends to the ledger, whose head is one row, so only
one of them can commit at a time anyway; waiting at its beginning instead of there costs little and gives both
databases the same rules. Sweeps that only count take a turn of another kind and stop nobody else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import NewType, ParamSpec, TypeVar

from django.db import connection, transaction

P = ParamSpec("P")
Answer = TypeVar("Answer")


# What a journey waits for: the key of an advisory lock in this database. The bank has one more,
# below these (bank/operations.py).
Turn = NewType("Turn", int)
WRITING = Turn(4_101)
READING_CHECKS = Turn(4_102)


def in_turn(work: Callable[P, Answer], *, turn: Turn = WRITING) -> Callable[P, Answer]:
    """Runs a journey in one transaction that begins when the one before it has committed or was rolled back.

    On PostgreSQL the turn is an advisory lock of the transaction: it ends with it, also when the process is
    killed, and waiting for it ends after lock_timeout with an error.
    """

    @wraps(work)
    def waiting(*args: P.args, **kwargs: P.kwargs) -> Answer:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [turn])
            return work(*args, **kwargs)

    return waiting
