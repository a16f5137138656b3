"""Django starts from anywhere, with our settings unless somebody chose others, and only once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def start(code: str, folder: Path, **environment: str) -> str:
    """What a new process prints that runs this code in an empty folder."""
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**kept, "STAYDOWN_DATA_DIR": str(folder / "data"), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()


def test_django_is_ready_after_starting_once_or_twice(tmp_path: Path) -> None:
    printed = start(
        "from staydown.start import set_up_django; set_up_django(); set_up_django()\n"
        "from django.apps import apps; from django.conf import settings\n"
        "print(apps.ready, settings.SETTINGS_MODULE, settings.STAYDOWN_BANK_JOURNAL_PATH)",
        tmp_path,
    )

    assert printed == f"True staydown.config.settings {tmp_path / 'data' / 'bank.journal'}"


def test_settings_that_somebody_chose_are_kept(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from staydown.config.settings import *\n")

    printed = start(
        "from staydown.start import set_up_django; set_up_django()\n"
        "from django.conf import settings; print(settings.SETTINGS_MODULE)",
        tmp_path,
        DJANGO_SETTINGS_MODULE="mine",
    )

    assert printed == "mine"


@pytest.mark.parametrize("module", ["staydown.start", "staydown.problem", "staydown.errors"])
def test_importing_does_not_start_django(module: str, tmp_path: Path) -> None:
    assert start(f"import sys, {module}; print('django' in sys.modules)", tmp_path) == "False"
