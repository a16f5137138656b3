"""The SDK that a platform installs: check uploads, hear removals, report what is gone.

It imports nothing of Staydown above `staydown.fingerprint`, and never Django.

    from staydown.client import Staydown

    with Staydown("https://staydown.example", "sdk_…", on_unreachable="hold") as staydown:
        result = staydown.check("picture.jpg", content_id="post-17")
        if result.action == "block":
            ...
"""

from staydown.client import webhooks
from staydown.client.async_client import AsyncStaydown
from staydown.client.errors import (
    AnswerNotUnderstood,
    ClientError,
    ClientMisconfigured,
    MediaNotReadable,
    NotAuthorised,
    ProblemAnswer,
    RequestRefused,
    Unreachable,
    WebhookRefused,
    WebhookSecretMalformed,
)
from staydown.client.sync_client import Staydown
from staydown.client.terms import (
    Action,
    CheckMatch,
    CheckResult,
    CopyInstruction,
    GoneReport,
    OnUnreachable,
    Stretch,
    WebhookEvent,
)

__all__ = [
    "Action",
    "AnswerNotUnderstood",
    "AsyncStaydown",
    "CheckMatch",
    "CheckResult",
    "ClientError",
    "ClientMisconfigured",
    "CopyInstruction",
    "GoneReport",
    "MediaNotReadable",
    "NotAuthorised",
    "OnUnreachable",
    "ProblemAnswer",
    "RequestRefused",
    "Staydown",
    "Stretch",
    "Unreachable",
    "WebhookEvent",
    "WebhookRefused",
    "WebhookSecretMalformed",
    "webhooks",
]
