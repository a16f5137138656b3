"""An upload check as a process of its own, for uvicorn: `uvicorn tests.postgres.upload_check:application`."""

from __future__ import annotations

import os
from pathlib import Path

from staydown.match_api import MatchApiSettings, create_app

application = create_app(MatchApiSettings(data_dir=Path(os.environ["STAYDOWN_DATA_DIR"])))
