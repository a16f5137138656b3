// PNG to RGBA without the browser's picture decoder: chunks, unfolding by DecompressionStream, filters, interlacing.
// It refuses what is damaged, and the few combinations that readers understand differently.
// Source: PNG, third edition (W3C, 2025).

import { orientationOf } from './file-tags.js';
import { Refusal } from './refusal.js';

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }; // by colour type
const DEPTHS = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
// Interlaced pictures come as seven small ones: first column and row, steps.
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];
const MOST_PROFILE_BYTES = 4 << 20; // staydown.fingerprint.limits: max_profile_bytes is 4 MiB

const damaged = () => new Refusal('damaged-file');

/** {width, height, data, orientation, profile, space}. check(width, height) is asked before memory is reserved. */
export async function decodePng(bytes, check) {
  const parts = readChunks(bytes);
  check(parts.width, parts.height);
  const data = new Uint8ClampedArray(parts.width * parts.height * 4);
  const rows = rowSink(parts, data);
  const stream = new Blob(parts.pixels).stream().pipeThrough(new DecompressionStream('deflate'));
  const reader = stream.getReader();
  try {
    while (!rows.complete()) {
      const { value, done } = await reader.read();
      if (done) throw damaged();
      rows.take(value);
    }
  } catch {
    throw damaged();
  } finally {
    reader.cancel().catch(() => {});
  }
  const grey = parts.type === 0 || parts.type === 4;
  // Sixteen bits of grey alone are taken as they are on the server; a profile speaks of eight.
  const profile = parts.type === 0 && parts.depth === 16 ? null : await unfoldedProfile(parts.profile);
  return { width: parts.width, height: parts.height, data, orientation: orientationOf(parts.exif), profile, space: grey ? 'GRAY' : 'RGB' };
}

function readChunks(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = { pixels: [], exif: null, profile: null, palette: null, transparent: null };
  for (let at = 8; at + 12 <= bytes.length; ) {
    const size = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = bytes.subarray(at + 8, at + 8 + size);
    if (body.length < size) break;
    if (kind === 'IEND') break;
    if (kind === 'IHDR') readHead(found, new DataView(body.buffer, body.byteOffset, 13));
    else if (kind === 'IDAT') found.pixels.push(body);
    else if (kind === 'PLTE') found.palette = body;
    else if (kind === 'tRNS') found.transparent = body;
    else if (kind === 'eXIf') found.exif ??= body;
    else if (kind === 'iCCP' && !found.pixels.length) found.profile ??= body;
    at += 12 + size;
  }
  if (!found.width || !found.pixels.length || (found.type === 3 && !found.palette)) throw damaged();
  // Readers do not agree on a transparent colour of less or more than eight bits.
  if (found.transparent && found.type !== 3 && found.depth !== 8) throw new Refusal('not-exact');
  return found;
}

function readHead(found, head) {
  found.width = head.getUint32(0);
  found.height = head.getUint32(4);
  found.depth = head.getUint8(8);
  found.type = head.getUint8(9);
  found.interlaced = head.getUint8(12) === 1;
  if (!DEPTHS[found.type]?.includes(found.depth)) throw damaged();
}

/** Takes unfolded bytes as they come, and writes whole rows into `data`. */
function rowSink(parts, data) {
  const { width, height, depth, type, interlaced } = parts;
  const bits = CHANNELS[type] * depth;
  const distance = Math.max(1, bits >> 3); // to the pixel on the left, for the filters
  const passes = (interlaced ? PASSES : [[0, 0, 1, 1]])
    .map(([x, y, dx, dy]) => ({ x, y, dx, dy, columns: Math.ceil((width - x) / dx), rows: Math.ceil((height - y) / dy) }))
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
  const put = pixelWriter(parts, data);
  let pass = 0;
  let row = 0;
  let line = null;
  let before = null;
  let filled = 0;
  const begin = () => {
    const size = 1 + Math.ceil((passes[pass].columns * bits) / 8);
    line = new Uint8Array(size);
    before = new Uint8Array(size);
    filled = row = 0;
  };
  begin();
  return {
    complete: () => pass === passes.length,
    take(bytes) {
      for (let at = 0; at < bytes.length && pass < passes.length; ) {
        const now = Math.min(line.length - filled, bytes.length - at);
        line.set(bytes.subarray(at, at + now), filled);
        filled += now;
        at += now;
        if (filled < line.length) return;
        unfilter(line, before, distance);
        const { x, y, dx, dy, columns, rows } = passes[pass];
        put(line, columns, ((y + row * dy) * width + x) * 4, dx * 4);
        [line, before] = [before, line];
        filled = 0;
        if (++row === rows && ++pass < passes.length) begin();
      }
    },
  };
}

function unfilter(line, before, distance) {
  const filter = line[0];
  if (filter === 0) return;
  if (filter > 4) throw damaged();
  for (let i = 1; i < line.length; i++) {
    const left = i > distance ? line[i - distance] : 0;
    const above = before[i];
    if (filter === 1) line[i] += left;
    else if (filter === 2) line[i] += above;
    else if (filter === 3) line[i] += (left + above) >> 1;
    else line[i] += nearest(left, above, i > distance ? before[i - distance] : 0);
  }
}

/** Paeth's predictor. */
function nearest(left, above, corner) {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** A function (line, columns, place, step) that writes one row's pixels as RGBA. */
function pixelWriter({ depth, type, palette, transparent }, data) {
  const channels = CHANNELS[type];
  const bytes = depth === 16 ? 2 : 1; // of sixteen bits the high byte is taken
  const key = transparent && type !== 3 ? Array.from({ length: type === 0 ? 1 : 3 }, (_, i) => transparent[i * 2 + 1]) : null;
  if (depth < 8 || type === 3) return packedWriter({ depth, type, palette, transparent }, data);
  return (line, columns, place, step) => {
    for (let x = 0, at = 1; x < columns; x++, at += channels * bytes, place += step) {
      const red = line[at];
      const coloured = channels > 2;
      data[place] = red;
      data[place + 1] = coloured ? line[at + bytes] : red;
      data[place + 2] = coloured ? line[at + 2 * bytes] : red;
      const seen = !key || key.some((sample, i) => sample !== line[at + i]);
      data[place + 3] = channels % 2 === 0 ? line[at + (channels - 1) * bytes] : seen ? 255 : 0;
    }
  };
}

function packedWriter({ depth, type, palette, transparent }, data) {
  const mask = (1 << depth) - 1;
  const scale = 255 / mask;
  return (line, columns, place, step) => {
    for (let x = 0; x < columns; x++, place += step) {
      const bit = x * depth;
      const value = (line[1 + (bit >> 3)] >> (8 - depth - (bit & 7))) & mask;
      for (let channel = 0; channel < 3; channel++) {
        data[place + channel] = type === 3 ? palette[value * 3 + channel] ?? 0 : value * scale;
      }
      data[place + 3] = type === 3 ? transparent?.[value] ?? 255 : 255;
    }
  };
}

async function unfoldedProfile(chunk) {
  const name = chunk?.indexOf(0) ?? 0;
  if (name < 1 || chunk[name + 1] !== 0) return null;
  try {
    const stream = new Blob([chunk.subarray(name + 2)]).stream().pipeThrough(new DecompressionStream('deflate'));
    const profile = new Uint8Array(await new Response(stream).arrayBuffer());
    return profile.length <= MOST_PROFILE_BYTES ? profile : null;
  } catch {
    return null; // a broken profile counts as none
  }
}
