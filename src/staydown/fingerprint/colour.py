"""From whatever a file stores to 8-bit sRGB over white. Refuses what has no agreed meaning.

The rules are those of a browser's canvas, so that a fingerprint made on a phone equals the server's.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms

from staydown.fingerprint.errors import UnknownFormat

WHITE = (255, 255, 255)

# What a colour profile may speak of, and the Pillow mode that holds it.
_MODE_OF_PROFILE = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}

# A profile is taken for sRGB if none of 9 x 9 x 9 colours moves further than this. Of the profiles in Debian
# and in its photos, ten are called sRGB and move them by at most 1; Rec. 709, the next, moves them by 16.
_PROBE_LEVELS = 9
_ROUNDING = 3

ToColour = Callable[[Image.Image], Image.Image]


def colour_rule(image: Image.Image, *, profile: bytes | None = None) -> ToColour:
    """How strips that are cut from this (loaded) picture become mode "L" or "RGB".

    profile: the embedded colour profile as it is found, which may be broken.
    Raises UnknownFormat for floating-point and Lab pixels: no rule says how bright their values are.
    """
    mode = image.mode
    if mode.startswith("I;16"):
        return _from_sixteen_bits
    if mode == "I":
        return _from_wide_integers(image)
    if mode not in ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"):
        raise UnknownFormat("The picture stores its colours in a way that is not shown alike everywhere.")
    base = "L" if mode in ("1", "L", "LA", "La") else "CMYK" if mode == "CMYK" else "RGB"
    to_srgb = _profile_rule(profile, base=base)
    if image.has_transparency_data:
        return lambda strip: _over_white(strip, base=base, to_srgb=to_srgb)
    if mode == base:
        return to_srgb
    return lambda strip: to_srgb(strip.convert(base))


def as_it_is(strip: Image.Image) -> Image.Image:
    """The rule of a picture that is sRGB or luma already."""
    return strip


def _over_white(strip: Image.Image, *, base: str, to_srgb: ToColour) -> Image.Image:
    """Flattens alpha: colours are matched first, then mixed with white, as a browser does it."""
    if strip.mode == "La":  # Pillow takes the premultiplication out of La only on the way to LA
        strip = strip.convert("LA")
    with_alpha = strip.convert("RGBA")
    colour = to_srgb(with_alpha.convert(base)).convert("RGB")
    flat = Image.new("RGB", strip.size, WHITE)
    flat.paste(colour, mask=with_alpha.getchannel("A"))
    return flat


def _profile_rule(profile: bytes | None, *, base: str) -> ToColour:
    """Conversion of `base` pixels by the embedded profile; with none, or a broken one, they are sRGB.

    A broken profile must not protect a picture from being found, and browsers ignore it too.
    """
    unprofiled = (lambda strip: strip.convert("RGB")) if base == "CMYK" else as_it_is
    if not profile:
        return unprofiled
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if _MODE_OF_PROFILE.get(source.profile.xcolor_space.strip()) != base:
            return unprofiled
        transform = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), base, "RGB", ImageCms.Intent.PERCEPTUAL
        )
        # sRGB to sRGB would only add rounding; browsers leave such pixels alone. What the profile does is
        # asked, not what it is called: a name would let a file store its colours exchanged or inverted.
        if base == "RGB" and _is_nearly_nothing(transform):
            return as_it_is
        _transformed(Image.new(base, (1, 1)), transform)  # some fail only when they are used
    except MemoryError:
        raise
    except Exception:  # whatever the library makes of broken bytes
        return unprofiled
    return lambda strip: _transformed(strip, transform)


def _is_nearly_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    levels = np.linspace(0, 255, _PROBE_LEVELS).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    changed = np.asarray(_transformed(Image.fromarray(np.ascontiguousarray(colours)), transform))
    return bool(np.abs(changed.astype(int) - colours).max() <= _ROUNDING)


def _transformed(strip: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    converted = ImageCms.applyTransform(strip, transform)
    if converted is None:  # only in place, which is not asked for
        raise TypeError("no converted picture")
    return converted


def _from_sixteen_bits(strip: Image.Image) -> Image.Image:
    """The high byte, as PNG readers take it. Pillow's own conversion would clip at 255: a white picture."""
    return Image.fromarray((np.asarray(strip).astype(np.uint16) >> 8).astype(np.uint8))


def _from_wide_integers(image: Image.Image) -> ToColour:
    """32-bit storage, from TIFF and some 16-bit files: the width that is in use decides, for the whole
    picture.
    """
    low, high = image.getextrema()
    if not isinstance(low, int | float) or not isinstance(high, int | float) or low < 0:
        raise UnknownFormat("The picture stores its brightness in a way that is not shown alike everywhere.")
    shift = 0 if high <= 0xFF else 8 if high <= 0xFFFF else 23
    return lambda strip: Image.fromarray((np.asarray(strip) >> shift).astype(np.uint8))
