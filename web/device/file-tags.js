// What else than pixels decides how a picture looks: how it is to be turned, and its colour profile. Nothing else is
// read of a file's tags. The twin of src/staydown/fingerprint/headers: broken tags count as none there and here.

const ORIENTATION = 0x0112;
const INTEGER_BYTES = { 1: 1, 3: 2, 4: 4 }; // EXIF's BYTE, SHORT and LONG

const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const textAt = (bytes, at, length) => String.fromCharCode(...bytes.subarray(at, at + length));

/** 1 to 8, as EXIF says; 1 if it says nothing. exif: bytes with or without "Exif" before them, or null. */
export function orientationOf(exif) {
  if (!exif) return 1;
  const tags = textAt(exif, 0, 6) === 'Exif\0\0' ? exif.subarray(6) : exif;
  try {
    const order = textAt(tags, 0, 2);
    if (order !== 'II' && order !== 'MM') return 1;
    const little = order === 'II';
    const view = viewOf(tags);
    if (view.getUint16(2, little) !== 42) return 1;
    const directory = view.getUint32(4, little);
    const count = view.getUint16(directory, little);
    for (let at = directory + 2; at < directory + 2 + count * 12; at += 12) {
      if (view.getUint16(at, little) !== ORIENTATION || view.getUint32(at + 4, little) !== 1) continue;
      const size = INTEGER_BYTES[view.getUint16(at + 2, little)];
      if (!size) return 1;
      const value = size === 1 ? view.getUint8(at + 8) : size === 2 ? view.getUint16(at + 8, little) : view.getUint32(at + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch {
    // broken: as if there were none
  }
  return 1;
}

/** {components, bits, sampling, orientation, profile} of a JPEG, or null. sampling: "2x2,1x1,1x1". Source: ITU-T T.81. */
export function jpegTags(bytes) {
  const view = viewOf(bytes);
  const parts = [];
  let exif = null;
  let frame = null;
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) {
      at += 1;
      continue;
    }
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
      continue;
    }
    const end = at + 2 + view.getUint16(at + 2);
    const body = bytes.subarray(at + 4, end);
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker) && !frame) frame = { marker, body };
    if (marker === 0xe1 && !exif && textAt(body, 0, 6) === 'Exif\0\0') exif = body;
    if (marker === 0xe2 && textAt(body, 0, 12) === 'ICC_PROFILE\0') parts.push(body.subarray(12));
    if (marker === 0xda) {
      if (!frame) return null;
      const components = frame.body[5];
      const sampling = Array.from({ length: components }, (_, i) => {
        const factors = frame.body[7 + i * 3];
        return `${factors >> 4}x${factors & 15}`;
      }).join(',');
      return { frame: frame.marker, bits: frame.body[0], components, sampling, orientation: orientationOf(exif), profile: joined(parts) };
    }
    if (marker === 0xd9 || end < at + 4) return null;
    at = end;
  }
  return null;
}

/** The profile out of its numbered parts, or null if one is missing. */
function joined(parts) {
  const sorted = parts.filter((part) => part.length > 2).sort((a, b) => a[0] - b[0]);
  if (!sorted.length || sorted.length !== sorted[0][1] || sorted.some((part, i) => part[0] !== i + 1)) return null;
  return gathered(sorted.map((part) => part.subarray(2)));
}

function gathered(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** {orientation, profile, moving} of a WebP file. Source: RFC 9649, section 2. */
export function webpTags(bytes) {
  const view = viewOf(bytes);
  let exif = null;
  let profile = null;
  let moving = false;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    const kind = textAt(bytes, at, 4);
    const body = bytes.subarray(at + 8, at + 8 + size);
    if (kind === 'EXIF') exif ??= body;
    if (kind === 'ICCP') profile ??= body;
    if (kind === 'ANIM') moving = true;
    at += 8 + size + (size & 1);
  }
  return { orientation: orientationOf(exif), profile, moving };
}

const CONTAINERS = { meta: 12, iprp: 8, ipco: 8 }; // boxes with boxes inside, and where these begin

function* boxes(bytes, from, to) {
  const view = viewOf(bytes);
  for (let at = from; at + 8 <= to; ) {
    const size = view.getUint32(at) || to - at; // 0: to the end of the file
    if (size < 8) return; // sizes of 64 bits are for media data, which comes after what is sought
    const kind = textAt(bytes, at + 4, 4);
    const end = Math.min(to, at + size);
    if (kind in CONTAINERS) yield* boxes(bytes, at + CONTAINERS[kind], end);
    else yield { kind, body: bytes.subarray(at + 8, end) };
    at += size;
  }
}

/** The exif orientation that does what a file's turn and mirror do, turn first. Source: ISO/IEC 23008-12, 6.5.10 and 6.5.12. */
const AFTER_TURN = { 0: [1, 4, 2], 1: [8, 5, 7], 2: [3, 2, 4], 3: [6, 7, 5] }; // quarters against the clock: none, top to bottom, left to right

/** {orientation, profile, profiles, cut} of AVIF and HEIC: its profile, how many different ones it has, whether it is cut. */
export function boxTags(bytes) {
  const profiles = [];
  let angle = 0;
  let axis = null;
  let cut = false;
  for (const { kind, body } of boxes(bytes, 0, bytes.length)) {
    if (kind === 'irot') angle = body[0] & 3;
    if (kind === 'imir') axis = body[0] & 1;
    if (kind === 'clap') cut = true;
    if (kind === 'colr' && ['prof', 'rICC'].includes(textAt(body, 0, 4))) {
      const profile = body.subarray(4);
      if (!profiles.some((other) => other.length === profile.length && other.every((byte, i) => byte === profile[i]))) {
        profiles.push(profile);
      }
    }
  }
  return { orientation: AFTER_TURN[angle][axis === null ? 0 : axis + 1], profile: profiles[0] ?? null, profiles: profiles.length, cut };
}
