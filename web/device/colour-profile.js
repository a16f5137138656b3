// From an embedded colour profile to sRGB, by Little CMS as on the server (src/staydown/fingerprint/colour.py, whose
// rules these are): a broken profile counts as none, and one that moves no colour by more than rounding does nothing.

import { COLOUR } from './vendor/colour.js'; // web/vendor, put before this by web/build.py

// Little CMS's numbers: kind << 16 | further bytes << 7 | samples << 3 | bytes of a sample
const SPACES = {
  RGB: { sign: 0x52474220, format: (4 << 16) | (1 << 7) | (3 << 3) | 1 }, // "RGB ", four bytes a pixel
  GRAY: { sign: 0x47524159, format: (3 << 16) | (1 << 3) | 1 },
};
const PERCEPTUAL = 0;
const PROBE_LEVELS = [0, 32, 64, 96, 128, 159, 191, 223, 255];
const ROUNDING = 3;
const PART_PIXELS = 1 << 18;

let library = null;

/**
 * A function that turns RGBA pixels into sRGB, in place; alpha stays. null if the colours are sRGB as they are.
 * profile: Uint8Array or null; space: 'RGB', or 'GRAY' for pixels whose R, G and B are the same brightness.
 */
export async function colourRule(profile, space) {
  if (!profile) return null;
  library ??= await COLOUR.startColour();
  const transform = transformOf(profile, space);
  if (!transform) return null;
  const rule = (pixels) => transformed(transform, pixels, space);
  return space === 'RGB' && isNearlyNothing(rule) ? null : rule;
}

/** Little CMS's transform, or 0 if the profile is broken or speaks of other colours. */
function transformOf(profile, space) {
  const place = library._malloc(profile.length);
  try {
    library.HEAPU8.set(profile, place);
    const source = library._cmsOpenProfileFromMem(place, profile.length);
    if (!source || library._cmsGetColorSpace(source) >>> 0 !== SPACES[space].sign) return 0;
    const target = library._cmsCreate_sRGBProfile();
    return library._cmsCreateTransform(source, SPACES[space].format, target, SPACES.RGB.format, PERCEPTUAL, 0);
  } catch {
    return 0;
  } finally {
    library._free(place);
  }
}

function transformed(transform, pixels, space) {
  const given = space === 'RGB' ? 4 : 1;
  const count = pixels.length / 4;
  const most = Math.min(count, PART_PIXELS);
  const from = library._malloc(most * given);
  const to = library._malloc(most * 4);
  for (let at = 0; at < count; at += most) {
    const now = Math.min(most, count - at);
    const part = pixels.subarray(at * 4, (at + now) * 4);
    if (given === 4) library.HEAPU8.set(part, from);
    else for (let i = 0; i < now; i++) library.HEAPU8[from + i] = part[i * 4];
    library._cmsDoTransform(transform, from, to, now);
    const made = library.HEAPU8.subarray(to, to + now * 4);
    for (let i = 0; i < now * 4; i += 4) {
      part[i] = made[i];
      part[i + 1] = made[i + 1];
      part[i + 2] = made[i + 2];
    }
  }
  library._free(from);
  library._free(to);
}

function isNearlyNothing(rule) {
  const before = [];
  for (const r of PROBE_LEVELS) for (const g of PROBE_LEVELS) for (const b of PROBE_LEVELS) before.push(r, g, b, 255);
  const after = Uint8ClampedArray.from(before);
  rule(after);
  return after.every((sample, i) => Math.abs(sample - before[i]) <= ROUNDING);
}
