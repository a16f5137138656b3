"""Which database holds the rows: SQLite in the data folder, or the PostgreSQL that the environment names.

Reads an address and refuses what it does not understand; it connects to nothing. An address holds a password,
so no error repeats it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

SCHEMES = ("postgresql://", "postgres://")

# As long as SQLite waits for its one writer (`timeout` below), so both databases are as patient. Our own
# transactions hold their locks for milliseconds; the longest, a hundred registered pictures, for about a
# second.
LOCK_TIMEOUT_SECONDS = 20
# The longest statement of ours reads a thousand entries with their codes, well under a second. Behind half a
# minute nobody waits any more, and the server has better things to do.
STATEMENT_TIMEOUT_SECONDS = 30
# A process that stops in the middle of a transaction (suspended, its host gone) keeps everybody else waiting
# for their turn; after a minute the server ends it, and they go on.
IDLE_TRANSACTION_TIMEOUT_SECONDS = 60
# A server that does not answer is told within seconds, not after the two minutes of TCP.
CONNECT_TIMEOUT_SECONDS = 10
# A thread keeps its connection between requests, since making one costs time, more over TLS. There is no pool
# because threads are few and do not grow: ten for pages and eight for sweeps in each process. After a minute
# without use it is closed, and a broken one is noticed before it is used.
CONNECTION_KEPT_SECONDS = 60


class DatabaseUrlNotUnderstood(ValueError):
    """STAYDOWN_DATABASE_URL names no database that we can use; the reason never repeats the address."""


def database_settings(url: str, *, data_dir: Path) -> dict[str, Any]:
    """Django's settings of the one database: PostgreSQL for an address, SQLite in the folder for "".

    url: ``postgresql://user:password@host:port/name``, with libpq's own parameters behind a question mark
    (``?sslmode=verify-full``), or ``postgresql:///name?host=/run/postgresql`` for a socket.
    Raises DatabaseUrlNotUnderstood.
    """
    return _postgresql(url) if url else _sqlite(data_dir)


def _sqlite(data_dir: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": data_dir / "staydown.sqlite3",
        "OPTIONS": {
            # A deferred transaction that reads and then writes cannot wait for another writer and fails at
            # once, in WAL mode more often than without; an immediate one waits (at most `timeout` seconds).
            "transaction_mode": "IMMEDIATE",
            "timeout": LOCK_TIMEOUT_SECONDS,
            # secure_delete: what a person withdraws is overwritten, not left in free pages.
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                "PRAGMA secure_delete=ON;"
            ),
        },
    }


def _postgresql(url: str) -> dict[str, Any]:
    if not url.startswith(SCHEMES):
        raise DatabaseUrlNotUnderstood(
            "STAYDOWN_DATABASE_URL starts with postgresql://, or is left out for SQLite"
        )
    try:
        from psycopg import Error, conninfo
    except ImportError as error:
        raise DatabaseUrlNotUnderstood(
            "STAYDOWN_DATABASE_URL asks for PostgreSQL; install it with: pip install 'staydown[postgresql]'"
        ) from error
    try:
        # libpq's own reading, so that the address means here what it means to psql.
        given = conninfo.conninfo_to_dict(url)
    except Error:
        # Not chained: libpq's words may repeat parts of the address.
        raise DatabaseUrlNotUnderstood(
            "STAYDOWN_DATABASE_URL is not of the form postgresql://user:password@host:port/name"
        ) from None
    name = given.pop("dbname", None)
    if not name:
        raise DatabaseUrlNotUnderstood("STAYDOWN_DATABASE_URL does not name a database (…/name)")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": given.pop("user", ""),
        "PASSWORD": given.pop("password", ""),
        "HOST": given.pop("host", ""),
        "PORT": given.pop("port", ""),
        "CONN_MAX_AGE": CONNECTION_KEPT_SECONDS,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "application_name": "staydown",
            **given,
            "options": " ".join(
                [
                    f"-c lock_timeout={LOCK_TIMEOUT_SECONDS}s",
                    f"-c statement_timeout={STATEMENT_TIMEOUT_SECONDS}s",
                    f"-c idle_in_transaction_session_timeout={IDLE_TRANSACTION_TIMEOUT_SECONDS}s",
                    # Behind ours, so that an operator's own word is the last.
                    str(given.get("options", "")),
                ]
            ).strip(),
        },
    }
