"""Everything the SDK can raise on purpose; one base class, so that a platform can catch it in one line.

ClientError
├── Unreachable            no usable answer within the time allowed (network, 429, any 5xx)
├── NotAuthorised          401 or 403: the token is missing, wrong, expired, or lacks the scope
├── RequestRefused         any other 4xx; `.problem` is what the server said (RFC 9457)
├── AnswerNotUnderstood    an answer that is not in the protocol, for example from a proxy in between
├── MediaNotReadable       the path or file given to `check` could not be read
├── ClientMisconfigured    a base URL, token, or setting that cannot work
├── FormRefused            an upload that not every reader would read alike; nothing of it was checked
├── UploadTooLarge         an upload over the limit that the platform set
├── EdgeError              the edge bank has no answer, or refuses what it was given
│   ├── EdgeBankEmpty      nothing was fetched yet
│   ├── EdgeBankExpired    what was fetched is too old to act on
│   ├── EdgeManifestRefused  not signed by the key, of another format, expired, or older than what is held
│   ├── EdgeFileRefused    a file is not the one that the manifest names; `.name` says which
│   └── EdgeMediaNotReadable  no fingerprint could be made of the upload here
├── WebhookSecretMalformed the secret itself is not a Standard Webhooks secret
└── WebhookRefused         a webhook that must not be acted upon; answer it with 401

No message carries the token, a file name, a fingerprint, or text from a person.
"""

from dataclasses import dataclass, field

from staydown.errors import StaydownError


class ClientError(StaydownError):
    """Root of everything the SDK raises on purpose."""


@dataclass(frozen=True, slots=True)
class ProblemAnswer:
    """What a server said about a request it refused: an RFC 9457 problem, read leniently."""

    status: int
    type: str = "about:blank"
    title: str = ""
    detail: str = ""
    members: dict[str, object] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The last part of ``urn:staydown:problem:<slug>``, or "" for a foreign problem type."""
        prefix = "urn:staydown:problem:"
        return self.type.removeprefix(prefix) if self.type.startswith(prefix) else ""


class Unreachable(ClientError):
    """No usable answer came within the time allowed.

    `reason` is short and stable, for logs and metrics: "connection-failed", "timed-out", "status-503".
    """

    def __init__(self, reason: str, *, attempts: int) -> None:
        super().__init__(f"Staydown gave no usable answer: {reason} after {attempts} attempt(s)")
        self.reason = reason
        self.attempts = attempts


class NotAuthorised(ClientError):
    """The token is missing, wrong, expired, or has not got the scope this call needs."""

    def __init__(self, problem: ProblemAnswer) -> None:
        super().__init__(
            f"Staydown did not accept the token ({problem.status} {problem.slug})".replace(" )", ")")
        )
        self.problem = problem


class RequestRefused(ClientError):
    """The server understood the request and refused it; repeating it unchanged will not help."""

    def __init__(self, problem: ProblemAnswer) -> None:
        super().__init__(
            f"Staydown refused the request: {problem.status} {problem.slug or problem.title}".rstrip()
        )
        self.problem = problem


class AnswerNotUnderstood(ClientError):
    """The answer is outside the protocol; nothing may be concluded from it."""

    def __init__(self, what: str, *, status: int) -> None:
        super().__init__(f"Staydown's answer ({status}) was not understood: {what}")
        self.what = what
        self.status = status


class MediaNotReadable(ClientError):
    """What was given to `check` could not be opened or read."""


class ClientMisconfigured(ClientError):
    """A setting that cannot work, found before anything was sent."""


class FormRefused(ClientError):
    """An upload that the SDK and a framework behind it might read differently; `reason` says where."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the upload is ambiguous or malformed: {reason}")
        self.reason = reason


class UploadTooLarge(ClientError):
    """The upload is over the limit that the platform set; it was not read to its end."""

    def __init__(self, *, max_bytes: int) -> None:
        super().__init__(f"an upload may have at most {max_bytes} bytes")
        self.max_bytes = max_bytes


class EdgeError(ClientError):
    """The edge bank has no answer, or refuses what it was given; what it held before it still holds."""


class EdgeBankEmpty(EdgeError):
    """Nothing was fetched yet: call `refresh` while the server can be reached."""

    def __init__(self) -> None:
        super().__init__("the edge bank is empty; nothing was fetched yet")


class EdgeBankExpired(EdgeError):
    """What was fetched is too old to act on: an entry may have been withdrawn since."""

    def __init__(self) -> None:
        super().__init__("what the edge bank holds has expired")


class EdgeManifestRefused(EdgeError):
    """The manifest must not be used; `reason` says which check failed."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the edge manifest was refused: {reason}")
        self.reason = reason


class EdgeFileRefused(EdgeError):
    """A file is not the one that the manifest names, or cannot be opened."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"the edge file {name} was refused: {reason}")
        self.name = name
        self.reason = reason


class EdgeMediaNotReadable(EdgeError):
    """No fingerprint could be made of the upload on this machine."""

    def __init__(self) -> None:
        super().__init__("no fingerprint could be made of the upload here")


class WebhookSecretMalformed(ClientError):
    """The secret is not ``whsec_`` and the base64 of 24 to 64 bytes."""


class WebhookRefused(ClientError):
    """A webhook that must not be acted upon; `reason` says which check failed."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the webhook was refused: {reason}")
        self.reason = reason
