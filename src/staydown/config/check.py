"""The upload check as an installation sets it, for a process of its own and for one that serves pages too.

Imports no Django: a process that only checks uploads starts without it.
"""

from __future__ import annotations

from staydown.config.installation import Installation
from staydown.match_api import MatchApiSettings, UploadCheck, create_app
from staydown.match_api.fetch_hosts import FetchHost


def application() -> UploadCheck:
    """The upload check alone (an application factory for uvicorn). Raises ValueError for a wrong setting."""
    installation = Installation.from_environment()
    return create_app(
        MatchApiSettings(
            data_dir=installation.data_dir,
            query_level=installation.check_level,
            fetch_hosts=FetchHost.parse_all(installation.fetch_hosts),
            metrics_open=installation.metrics_open,
        )
    )
