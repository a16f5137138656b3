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

ToColour = Callable[[Image.Image], Image.Image]


def colour_rule(image: Image.Image) -> ToColour:
    """How strips that are cut from this (loaded) picture become mode "L" or "RGB".

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
    to_srgb = _profile_rule(image.info.get("icc_profile"), base=base)
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


def _profile_rule(profile: object, *, base: str) -> ToColour:
    """Conversion of `base` pixels by the embedded profile; with none, or a broken one, they are sRGB.

    A broken profile must not protect a picture from being found, and browsers ignore it too.
    """
    if isinstance(profile, bytes) and profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            space = source.profile.xcolor_space.strip()
            # sRGB to sRGB would only add rounding; browsers leave such pixels alone.
            is_srgb = (source.profile.profile_description or "").startswith("sRGB")
            if _MODE_OF_PROFILE.get(space) == base and not is_srgb:
                transform = ImageCms.buildTransform(
                    source, ImageCms.createProfile("sRGB"), base, "RGB", ImageCms.Intent.PERCEPTUAL
                )
                return lambda strip: _transformed(strip, transform)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    if base == "CMYK":
        return lambda strip: strip.convert("RGB")
    return as_it_is


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
