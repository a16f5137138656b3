"""For platforms made with Django: a storage and form fields that check what is uploaded before it is kept.

The only module of the SDK that imports Django; nothing else imports it. Use the fields or the storage, not
both: each checks. It never keeps what could not be checked unless the settings say so.

    STAYDOWN = {"URL": "https://staydown.example", "TOKEN": "sdk_...", "ON_UNREACHABLE": "hold"}
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.files.storage import InvalidStorageError, Storage
from django.core.files.storage.handler import StorageHandler
from django.core.signals import setting_changed
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from staydown.client.edge import EdgeBank
from staydown.client.errors import ClientError, ClientMisconfigured, RequestRefused
from staydown.client.refusals import log_refusal
from staydown.client.sync_client import Staydown
from staydown.client.terms import Action, CheckResult, OnUnreachable
from staydown.client.uploads import UNREADABLE_STATUSES

OnUnreadable = Literal["refuse", "hold", "allow"]


class Blocked(ClientError):
    """The file is not kept: it matches one that must stay down. `result` says more."""

    def __init__(self, result: CheckResult) -> None:
        super().__init__("the file matches one that must stay down")
        self.result = result


class Held(ClientError):
    """The file is not kept: a person has to look first, and there is no place where it could wait."""

    def __init__(self, result: CheckResult) -> None:
        super().__init__("a person has to look at the file first")
        self.result = result


@dataclass(frozen=True, slots=True, kw_only=True)
class StaydownSettings:
    """``settings.STAYDOWN``, in upper case there. Raises ClientMisconfigured for what is missing or unknown.

    Give `url` and `token`, or `client`: a Staydown, or a function that makes one, or its dotted name. `edge`
    is ``{"FOLDER": ..., "PUBLIC_KEY": ...}``.
    """

    url: str | None = None
    token: str | None = None
    timeout_ms: float = 10_000
    on_unreachable: OnUnreachable = "raise"
    on_unreadable: OnUnreadable = "refuse"
    """What happens to a file that Staydown cannot read as a picture or a video."""
    quarantine_prefix: str | None = None
    """Where the storage puts held files; without it, it raises Held."""
    edge: Mapping[str, str] | None = None
    client: Staydown | Callable[[], Staydown] | str | None = None

    def __post_init__(self) -> None:
        if self.client is None and not (self.url and self.token):
            raise ClientMisconfigured("STAYDOWN needs URL and TOKEN, or CLIENT")
        if self.on_unreadable not in ("refuse", "hold", "allow"):
            raise ClientMisconfigured('ON_UNREADABLE is "refuse", "hold" or "allow"')

    def connect(self) -> Staydown:
        """The client that they describe."""
        made = import_string(self.client) if isinstance(self.client, str) else self.client
        if made is not None:
            return made if isinstance(made, Staydown) else made()
        edge = None
        if self.edge is not None:
            edge = EdgeBank(self.edge["FOLDER"], public_key=self.edge["PUBLIC_KEY"])
        return Staydown(
            self.url or "",
            self.token or "",
            timeout_ms=self.timeout_ms,
            on_unreachable=self.on_unreachable,
            edge=edge,
        )


@functools.cache
def staydown_settings() -> StaydownSettings:
    """``settings.STAYDOWN``, read once. Raises ClientMisconfigured."""
    given = getattr(settings, "STAYDOWN", None) or {}
    try:
        return StaydownSettings(**{name.lower(): value for name, value in given.items()})
    except TypeError:
        raise ClientMisconfigured("STAYDOWN holds a setting that there is not") from None


@functools.cache
def staydown() -> Staydown:
    """This process's client. Raises ClientMisconfigured."""
    return staydown_settings().connect()


def _forget(*, setting: str, **_more: Any) -> None:
    if setting == "STAYDOWN":
        staydown_settings.cache_clear()
        staydown.cache_clear()


setting_changed.connect(_forget, dispatch_uid="staydown.client.django")


def check_file(content: File[Any]) -> CheckResult:
    """What Staydown says of a Django file, as the settings want it asked. The file's position stays.

    Raises RequestRefused for what it cannot read (if that is the setting), and what `Staydown.check` raises.
    """
    position = content.tell()
    try:
        return staydown().check(cast(BinaryIO, content))
    except RequestRefused as refusal:
        choice = staydown_settings().on_unreadable
        if refusal.problem.status not in UNREADABLE_STATUSES or choice == "refuse":
            raise
        return CheckResult(action=Action(choice), degraded=True, degraded_reason="unreadable")
    finally:
        content.seek(position)


class CheckedStorage(Storage):
    """A storage in front of another: it keeps a file there only after a check.

    `storage` is the other one as ``STORAGES`` has it: ``{"BACKEND": ..., "OPTIONS": {...}}``. A blocked file
    raises Blocked. A held one is kept under QUARANTINE_PREFIX, from where nobody is shown it; without that
    setting it raises Held. What cannot be checked is not kept. Everything but saving is the other storage's.
    """

    def __init__(self, storage: Mapping[str, Any]) -> None:
        try:
            self._behind: Storage = StorageHandler(cast(Any, {"behind": dict(storage)}))["behind"]
        except InvalidStorageError as error:
            raise ClientMisconfigured(f"CheckedStorage: {error}") from error

    def __getattr__(self, name: str) -> Any:
        if name == "_behind":  # not there yet, or a copy in the making
            raise AttributeError(name)
        return getattr(self._behind, name)

    def _save(self, name: str, content: File[Any]) -> str:
        result = check_file(content)
        if result.action is Action.BLOCK:
            raise Blocked(result)
        if result.action is Action.HOLD:
            prefix = staydown_settings().quarantine_prefix
            if prefix is None:
                raise Held(result)
            name = f"{prefix.rstrip('/')}/{name}"
        content.seek(0)
        return self._behind.save(name, content)

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        return self._behind.open(name, mode)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return self._behind.get_available_name(name, max_length)

    def get_valid_name(self, name: str) -> str:
        return self._behind.get_valid_name(name)

    def get_alternative_name(self, file_root: str, file_ext: str) -> str:
        return self._behind.get_alternative_name(file_root, file_ext)

    def generate_filename(self, filename: Any) -> str:
        return self._behind.generate_filename(filename)

    def path(self, name: str) -> str:
        return self._behind.path(name)

    def delete(self, name: str) -> None:
        self._behind.delete(name)

    def exists(self, name: str) -> bool:
        return self._behind.exists(name)

    def listdir(self, path: str) -> Any:
        return self._behind.listdir(path)

    def size(self, name: str) -> int:
        return self._behind.size(name)

    def url(self, name: str | None) -> str:
        return self._behind.url(name)

    def get_accessed_time(self, name: str) -> Any:
        return self._behind.get_accessed_time(name)

    def get_created_time(self, name: str) -> Any:
        return self._behind.get_created_time(name)

    def get_modified_time(self, name: str) -> Any:
        return self._behind.get_modified_time(name)


class _Checked(forms.FileField):
    """What both fields do. `on_hold`: "pass" leaves the form valid and the platform decides, or "refuse"."""

    default_error_messages = {
        "blocked": _("This file cannot be published here. Somebody asked to keep it down."),
        "held": _("A person has to look at this file first. It was not published."),
        "unreadable": _("This file could not be read as a picture or a video. Please choose another one."),
        "unchecked": _("This file could not be checked just now. Please try again in a few minutes."),
    }

    def __init__(self, *arguments: Any, on_hold: Literal["pass", "refuse"] = "pass", **options: Any) -> None:
        if on_hold not in ("pass", "refuse"):
            raise ClientMisconfigured('on_hold is "pass" or "refuse"')
        self.on_hold = on_hold
        super().__init__(*arguments, **options)

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The file, with its CheckResult as `.staydown`; one that was there before is not checked again."""
        cleaned = super().clean(data, initial)
        if not data or cleaned is not data:  # nothing was uploaded
            return cleaned
        result = self._result(cleaned)
        if result.action is Action.BLOCK:
            raise self._refusal("blocked")
        if result.action is Action.HOLD and self.on_hold == "refuse":
            raise self._refusal("held")
        cleaned.staydown = result
        return cleaned

    def _result(self, file: File[Any]) -> CheckResult:
        try:
            return check_file(file)
        except ClientMisconfigured:
            raise
        except ClientError as error:
            log_refusal(error)
            is_unreadable = isinstance(error, RequestRefused) and error.problem.status in UNREADABLE_STATUSES
            raise self._refusal("unreadable" if is_unreadable else "unchecked") from error

    def _refusal(self, code: str) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code)


class CheckedFileField(_Checked):
    """A FileField whose file is valid only after a check; see `_Checked.clean` for what comes back."""


class CheckedImageField(_Checked, forms.ImageField):
    """The same for an ImageField: Pillow looks first, then Staydown."""
