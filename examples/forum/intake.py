"""Makes the picture that the forum shows from the file that somebody sent; refuses what is no still picture.

Nothing of the sent file is published but the pixels a visitor sees. What else a file can carry, nobody has
looked at: where and with what it was taken, a small preview of how it was before cropping, later pictures of
an animation, another file behind the end. So it is decoded, turned upright, and saved anew.

A picture that carries nothing of the kind is published as it was sent. So is, then, a picture that was saved
from our own pages and is posted again: it stays the same file, and is found as an identical copy. Where the
published file is another than the sent one, `forum.checks` has both checked.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps

MAX_UPLOAD_BYTES = 20 * 1024 * 1024
# A camera's 48 megapixels fit. Decoded, 50 million pixels are 150 MB, which a small server can spare.
MAX_PIXELS = 50_000_000
MIN_SIDE = 32
# Longest side of what is shown, and of the small picture in lists (twice its width on the page).
SHOWN_SIDE, SMALL_SIDE = 2560, 640
# What browsers show and Staydown reads. It never comes from the file's name or from what the browser claims.
_SAVED_AS = {"JPEG": "JPEG", "WEBP": "JPEG", "PNG": "PNG", "GIF": "PNG"}
_ENDINGS = {"JPEG": "jpg", "PNG": "png"}
MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png"}
_SRGB = ImageCms.createProfile("sRGB")


class NotTakeable(Exception):
    """The file cannot be posted; str() tells the member why."""


@dataclass(frozen=True)
class Picture:
    """What is published: the picture, how its name ends, and a small one for lists."""

    content: bytes
    ending: str
    small: bytes


def take_in(sent: bytes) -> Picture:
    """The picture to publish. Raises NotTakeable."""
    if not sent:
        raise NotTakeable("Choose a picture first; this file is empty.")
    if len(sent) > MAX_UPLOAD_BYTES:
        raise NotTakeable("That file is larger than 20 megabytes.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS is stricter
            return _decoded_and_saved(sent)
    except Image.DecompressionBombError:
        raise NotTakeable("That picture has too many pixels to be shown here.") from None
    except (NotTakeable, MemoryError):
        raise
    except Exception:  # a damaged file makes Pillow raise nearly anything
        message = "That file is not a picture that we can show. Use JPEG, PNG, WebP or GIF."
        raise NotTakeable(message) from None


def _decoded_and_saved(sent: bytes) -> Picture:
    with Image.open(io.BytesIO(sent), formats=list(_SAVED_AS)) as opened:
        as_sent = _is_bare_jpeg(opened, sent)
        if opened.width * opened.height > MAX_PIXELS:
            raise NotTakeable("That picture has too many pixels to be shown here.")
        if min(opened.size) < MIN_SIDE:
            raise NotTakeable(f"That picture is too small; each side needs at least {MIN_SIDE} pixels.")
        kind = _SAVED_AS[opened.format or ""]
        shown = _upright_rgb(opened)
    small = shown.copy()
    small.thumbnail((SMALL_SIDE, SMALL_SIDE), Image.Resampling.LANCZOS)
    shown.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.LANCZOS)
    content = sent if as_sent else _saved(shown, kind)
    return Picture(content=content, ending=_ENDINGS[kind], small=_saved(small, "JPEG"))


def _is_bare_jpeg(opened: Image.Image, sent: bytes) -> bool:
    """Whether the file is a picture and nothing else: no metadata segment, no comment, no tail."""
    segments = getattr(opened, "applist", None)
    return (
        opened.format == "JPEG"
        and opened.mode == "RGB"
        and max(opened.size) <= SHOWN_SIDE
        and segments is not None
        and all(name == "APP0" and data.startswith(b"JFIF\0") for name, data in segments)
        and "comment" not in opened.info
        and sent.endswith(b"\xff\xd9")
    )


def _upright_rgb(opened: Image.Image) -> Image.Image:
    """The first picture as RGB without anything attached, on white where one can see through it."""
    opened.load()
    image: Image.Image = opened
    with contextlib.suppress(Exception):  # broken orientation tags are no reason to refuse
        image = ImageOps.exif_transpose(opened)
    profile = opened.info.get("icc_profile")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    elif profile and image.mode in ("RGB", "CMYK"):
        with contextlib.suppress(Exception):  # a profile that cannot be used is ignored, as browsers do
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB") or image
    clean = Image.new("RGB", image.size)
    clean.paste(image.convert("RGB"))
    return clean


def _saved(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, quality=92) if kind == "JPEG" else image.save(out, kind)
    return out.getvalue()
