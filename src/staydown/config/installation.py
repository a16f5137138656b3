"""Where this installation keeps its files and what it was told by its environment. Imports no Django.

Every STAYDOWN_* variable that the server understands is read here and nowhere else.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from staydown.bank.terms import FloodLimits
from staydown.fingerprint.terms import QueryLevel

CHECKOUT = Path(__file__).resolve().parents[3]
_PACKAGE = Path(__file__).resolve().parents[1]


def _shipped(name: str) -> Path:
    """A folder that lies at the root of a checkout, or inside an installed wheel."""
    in_checkout = CHECKOUT / name
    return in_checkout if in_checkout.is_dir() else _PACKAGE / f"_{name}"


WEB = _shipped("web")
DATA = _shipped("data")


@dataclass(frozen=True)
class Installation:
    """One installation: its folder, its public address, if it is the demonstration, how hard it looks."""

    data_dir: Path
    public_url: str
    demo: bool
    https: bool
    check_level: QueryLevel = QueryLevel.GEO9
    fetch_hosts: str = ""
    """From where the upload check may fetch media; empty is nowhere. Read by match_api/fetch_hosts.py."""
    metrics_open: bool = False
    """Whether programs on this machine read metrics without a token."""
    flood_limits: FloodLimits = field(default_factory=FloodLimits)
    database_url: str = field(default="", repr=False)
    """Empty for SQLite in the data folder. It holds a password, so it is never shown."""

    @classmethod
    def from_environment(cls) -> Installation:
        """Reads STAYDOWN_DATA_DIR, _DATABASE_URL, _PUBLIC_URL, _DEMO, _CHECK_LEVEL, _FETCH_HOSTS and
        _METRICS_OPEN.

        Raises ValueError for a level that there is not.
        """
        public_url = os.environ.get("STAYDOWN_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
        return cls(
            data_dir=Path(os.environ.get("STAYDOWN_DATA_DIR", "var")).resolve(),
            public_url=public_url,
            demo=os.environ.get("STAYDOWN_DEMO") == "1",
            https=public_url.startswith("https://"),
            check_level=_check_level(os.environ.get("STAYDOWN_CHECK_LEVEL") or QueryLevel.GEO9),
            fetch_hosts=os.environ.get("STAYDOWN_FETCH_HOSTS", ""),
            metrics_open=os.environ.get("STAYDOWN_METRICS_OPEN") == "1",
            flood_limits=_flood_limits(),
            database_url=os.environ.get("STAYDOWN_DATABASE_URL", ""),
        )

    def secret(self, name: str) -> str:
        """A random secret kept in a file that only this account can read; made on first use."""
        path = self.data_dir / name
        try:
            return path.read_text().strip()
        except FileNotFoundError:
            pass
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            # A link appears whole or not at all: nobody ever reads half a secret, or an empty one.
            os.link(draft, path)
        except FileExistsError:  # another process of this installation was first
            pass
        finally:
            draft.unlink()
        return path.read_text().strip()


def _check_level(text: str) -> QueryLevel:
    if text not in set(QueryLevel):
        raise ValueError(f"STAYDOWN_CHECK_LEVEL is one of {', '.join(QueryLevel)}, not {text!r}")
    return QueryLevel(text)


def _flood_limits() -> FloodLimits:
    usual = FloodLimits()
    return FloodLimits(
        floor=_number("STAYDOWN_FLOOD_FLOOR", usual.floor),
        times=_number("STAYDOWN_FLOOD_TIMES", usual.times),
        far_bits=_number("STAYDOWN_FLOOD_FAR_BITS", usual.far_bits),
    )


def _number(name: str, usual: int) -> int:
    text = os.environ.get(name) or str(usual)
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError(f"{name} is a whole number from 1 on, not {text!r}")
    return int(text)
