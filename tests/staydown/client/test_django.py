"""The storage and the form fields for Django, under this project's settings, against the in-memory twin."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from PIL import Image

from staydown.client import ClientMisconfigured, NotAuthorised, RequestRefused, Staydown, Unreachable
from staydown.client.django import (
    Blocked,
    CheckedFileField,
    CheckedImageField,
    CheckedStorage,
    Held,
    check_file,
    staydown,
    staydown_settings,
)
from tests.doubles.staydown_server import Reply, StaydownDouble


def a_picture() -> bytes:
    packed = io.BytesIO()
    Image.linear_gradient("L").save(packed, "PNG")
    return packed.getvalue()


PICTURE = a_picture()
UNREADABLE = Reply(422, {"type": "urn:staydown:problem:unknown-format", "status": 422})


class Platform:
    """A platform's settings, with the twin in place of the server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.double = StaydownDouble()
        self._options: dict[str, Any] = {}

    def client(self) -> Staydown:
        return Staydown(
            self.double.origin,
            self.double.token,
            transport=self.double.transport(),
            timeout_ms=300,
            **self._options,
        )

    def configured(self, *, client: dict[str, Any] | None = None, **more: Any) -> override_settings:
        self._options = client or {}
        behind = {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(self.folder), "base_url": "/media/"},
        }
        return override_settings(
            STAYDOWN={"CLIENT": self.client} | more,
            STORAGES={
                "default": {
                    "BACKEND": "staydown.client.django.CheckedStorage",
                    "OPTIONS": {"storage": behind},
                }
            },
        )

    def kept(self) -> list[str]:
        return sorted(str(one.relative_to(self.folder)) for one in self.folder.rglob("*") if one.is_file())


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path / "media")


@pytest.fixture
def configured(platform: Platform) -> Iterator[Platform]:
    with platform.configured():
        yield platform


# --- the storage


def test_allowed_file_is_kept_by_the_storage_behind_and_can_be_read(configured: Platform) -> None:
    storage = storages["default"]

    name = storage.save("a.png", ContentFile(PICTURE))

    assert configured.kept() == [name] == ["a.png"]
    assert storage.open(name).read() == PICTURE
    assert (storage.size(name), storage.url(name), storage.exists(name)) == (
        len(PICTURE),
        "/media/a.png",
        True,
    )
    assert storage.path(name) == str(configured.folder / "a.png")
    assert storage.listdir("") == ([], ["a.png"])
    assert storage.get_modified_time(name) >= storage.get_created_time(name)
    assert storage.get_accessed_time(name)
    storage.delete(name)
    assert configured.kept() == []


def test_second_file_of_a_name_gets_another_one(configured: Platform) -> None:
    names = {storages["default"].save("a.png", ContentFile(PICTURE)) for _ in range(2)}

    assert len(names) == 2
    assert configured.kept() == sorted(names)


def test_what_only_the_storage_behind_knows_is_reached(configured: Platform) -> None:
    storage: Any = storages["default"]

    assert storage.location == str(configured.folder)


def test_blocked_file_is_not_kept(configured: Platform) -> None:
    configured.double.decide("block", media=PICTURE)

    with pytest.raises(Blocked) as caught:
        storages["default"].save("a.png", ContentFile(PICTURE))

    assert caught.value.result.action == "block"
    assert configured.kept() == []


def test_held_file_waits_under_the_quarantine_prefix(platform: Platform) -> None:
    platform.double.decide("hold", media=PICTURE)

    with platform.configured(QUARANTINE_PREFIX="held/"):
        name = storages["default"].save("posts/a.png", ContentFile(PICTURE))

    assert [name] == ["held/posts/a.png"] == platform.kept()


def test_held_file_is_not_kept_where_there_is_no_place_for_it(configured: Platform) -> None:
    configured.double.decide("hold", media=PICTURE)

    with pytest.raises(Held):
        storages["default"].save("a.png", ContentFile(PICTURE))
    assert configured.kept() == []


def test_file_that_nobody_could_check_is_not_kept(configured: Platform) -> None:
    configured.double.is_down = True

    with pytest.raises(Unreachable):
        storages["default"].save("a.png", ContentFile(PICTURE))
    assert configured.kept() == []


def test_declared_wish_holds_for_the_storage_too(platform: Platform) -> None:
    platform.double.is_down = True

    with platform.configured(client={"on_unreachable": "hold"}, QUARANTINE_PREFIX="held"):
        storages["default"].save("a.png", ContentFile(PICTURE))

    assert platform.kept() == ["held/a.png"]


@pytest.mark.parametrize(("choice", "kept"), [("refuse", []), ("allow", ["a.txt"]), ("hold", ["held/a.txt"])])
def test_file_that_staydown_cannot_read_is_kept_only_by_choice(
    platform: Platform, choice: str, kept: list[str]
) -> None:
    platform.double.next_replies = [UNREADABLE]

    with platform.configured(ON_UNREADABLE=choice, QUARANTINE_PREFIX="held"):
        if choice == "refuse":
            with pytest.raises(RequestRefused):
                storages["default"].save("a.txt", ContentFile(b"words"))
        else:
            storages["default"].save("a.txt", ContentFile(b"words"))

    assert platform.kept() == kept


def test_wrong_token_keeps_nothing_whatever_was_chosen(platform: Platform) -> None:
    platform.double.next_replies = [Reply(401)]

    settings = platform.configured(client={"on_unreachable": "allow"}, ON_UNREADABLE="allow")
    with settings, pytest.raises(NotAuthorised):
        storages["default"].save("a.png", ContentFile(PICTURE))
    assert platform.kept() == []


def test_whole_file_is_checked_wherever_its_position_is(configured: Platform) -> None:
    content = ContentFile(PICTURE)
    content.seek(100)

    check_file(content)

    assert configured.double.requests[0].media == PICTURE
    assert content.tell() == 100


def test_storage_that_there_is_not_is_refused() -> None:
    with pytest.raises(ClientMisconfigured):
        CheckedStorage({"BACKEND": "nowhere.Storage"})


# --- the fields


class PostForm(forms.Form):
    picture = CheckedImageField(required=False)
    file = CheckedFileField(required=False, on_hold="refuse")


def posted(**files: bytes) -> PostForm:
    return PostForm({}, {name: SimpleUploadedFile(f"{name}.png", data) for name, data in files.items()})


def test_allowed_file_is_valid_and_carries_its_result(configured: Platform) -> None:
    form = posted(picture=PICTURE, file=b"other")

    assert form.is_valid(), form.errors
    assert form.cleaned_data["picture"].staydown.action == "allow"
    assert form.cleaned_data["picture"].read() == PICTURE
    assert form.cleaned_data["file"].staydown.check_id.startswith("chk_")


def test_blocked_file_is_refused_in_plain_words(configured: Platform) -> None:
    configured.double.decide("block", media=PICTURE)

    form = posted(picture=PICTURE)

    assert form.errors["picture"] == ["This file cannot be published here. Somebody asked to keep it down."]
    assert form.has_error("picture", "blocked")


def test_held_file_is_valid_and_told_or_refused_by_choice(configured: Platform) -> None:
    configured.double.decide("hold", media=PICTURE)

    form = posted(picture=PICTURE, file=PICTURE)

    assert form.has_error("file", "held")
    assert form.cleaned_data["picture"].staydown.action == "hold"


def test_file_that_nobody_could_check_is_refused_and_can_be_tried_again(configured: Platform) -> None:
    configured.double.is_down = True

    assert posted(file=PICTURE).has_error("file", "unchecked")
    configured.double.is_down = False
    assert posted(file=PICTURE).is_valid()


def test_degraded_result_is_visible_to_the_platform(platform: Platform) -> None:
    platform.double.is_down = True

    with platform.configured(client={"on_unreachable": "allow"}):
        form = posted(picture=PICTURE)
        assert form.is_valid()

    result = form.cleaned_data["picture"].staydown
    assert (result.action, result.degraded) == ("allow", True)


def test_file_that_staydown_cannot_read_is_refused_in_other_words(configured: Platform) -> None:
    configured.double.next_replies = [UNREADABLE]

    assert posted(file=b"words").has_error("file", "unreadable")


def test_what_is_no_picture_is_refused_by_django_before_anything_is_sent(configured: Platform) -> None:
    assert posted(picture=b"words").has_error("picture", "invalid_image")
    assert configured.double.requests == []


def test_file_that_was_there_before_is_not_checked_again(configured: Platform) -> None:
    form = PostForm({}, {}, initial={"picture": "before.png"})

    assert form.is_valid()
    assert (form.cleaned_data["picture"], configured.double.requests) == ("before.png", [])


def test_words_of_a_field_can_be_the_platforms_own(configured: Platform) -> None:
    configured.double.decide("block", media=PICTURE)
    field = CheckedFileField(error_messages={"blocked": "Not here."})

    with pytest.raises(forms.ValidationError, match="Not here"):
        field.clean(SimpleUploadedFile("a.png", PICTURE))


# --- the settings


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        {"URL": "https://h.test"},
        {"CLIENT": "x", "COLOUR": "red"},
        {"CLIENT": "x", "ON_UNREADABLE": "?"},
    ],
)
def test_settings_that_cannot_work_are_refused(given: Any) -> None:
    with override_settings(STAYDOWN=given), pytest.raises(ClientMisconfigured):
        staydown_settings()


def test_wrong_setting_is_no_matter_of_the_person_who_uploads() -> None:
    with override_settings(STAYDOWN={}), pytest.raises(ClientMisconfigured):
        posted(file=PICTURE).is_valid()


def test_client_is_made_of_the_settings_once(tmp_path: Path) -> None:
    with override_settings(
        STAYDOWN={"URL": "https://one.test", "TOKEN": "sdk_one", "ON_UNREACHABLE": "hold"}
    ):
        assert staydown() is staydown()
        assert staydown().base_url == "https://one.test"
    with override_settings(STAYDOWN={"CLIENT": Staydown("https://two.test", "sdk_two")}):
        assert staydown().base_url == "https://two.test"
    with override_settings(STAYDOWN={"CLIENT": "tests.staydown.client.test_django.a_named_client"}):
        assert staydown().base_url == "https://three.test"


def a_named_client() -> Staydown:
    return Staydown("https://three.test", "sdk_three")


def test_field_that_cannot_work_is_refused() -> None:
    choice: Any = "sometimes"
    with pytest.raises(ClientMisconfigured):
        CheckedFileField(on_hold=choice)
