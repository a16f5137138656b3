"""The SDK that a platform installs: check uploads, hear removals, report what is gone.

It imports nothing of Staydown above `staydown.matching`, and Django only in `staydown.client.django`, which
nothing else here imports. `staydown.client.asgi`, `.wsgi`, `.django` and `.edge` are imported by whoever
wants them.

    from staydown.client import Staydown

    with Staydown("https://staydown.example", "sdk_…", on_unreachable="hold") as staydown:
        result = staydown.check("picture.jpg", content_id="post-17")
        if result.action == "block":
            ...
"""

from staydown.client import webhooks
from staydown.client.async_client import AsyncStaydown
from staydown.client.batch import BatchAnswer, Upload
from staydown.client.errors import (
    AnswerNotUnderstood,
    ClientError,
    ClientMisconfigured,
    EdgeBankEmpty,
    EdgeBankExpired,
    EdgeError,
    EdgeFileRefused,
    EdgeManifestRefused,
    EdgeMediaNotReadable,
    FormRefused,
    MediaNotReadable,
    NotAuthorised,
    ProblemAnswer,
    RequestRefused,
    Unreachable,
    UploadTooLarge,
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
    Level,
    OnUnreachable,
    Stretch,
    WebhookEvent,
)

__all__ = [
    "Action",
    "AnswerNotUnderstood",
    "AsyncStaydown",
    "BatchAnswer",
    "CheckMatch",
    "CheckResult",
    "ClientError",
    "ClientMisconfigured",
    "CopyInstruction",
    "EdgeBankEmpty",
    "EdgeBankExpired",
    "EdgeError",
    "EdgeFileRefused",
    "EdgeManifestRefused",
    "EdgeMediaNotReadable",
    "FormRefused",
    "GoneReport",
    "Level",
    "MediaNotReadable",
    "NotAuthorised",
    "OnUnreachable",
    "ProblemAnswer",
    "RequestRefused",
    "Staydown",
    "Stretch",
    "Unreachable",
    "Upload",
    "UploadTooLarge",
    "WebhookEvent",
    "WebhookRefused",
    "WebhookSecretMalformed",
    "webhooks",
]
