// The first picture of a GIF as RGBA, and a BMP of 24 bits, without the browser's picture decoder. It refuses
// what is damaged. Sources: GIF89a specification; Microsoft, BITMAPINFOHEADER.

import { Refusal } from './refusal.js';

const EXTENSION = 0x21;
const CONTROL = 0xf9;
const PICTURE = 0x2c;
const MOST_BITS = 12;

const brokenGif = () => new Refusal('damaged-file');

/** {width, height, data}: the whole canvas; where nothing is drawn it is transparent. */
export function decodeGif(bytes, check) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = view.getUint16(6, true);
  const height = view.getUint16(8, true);
  check(width, height);
  let at = 13;
  const tableAt = (place, flags) => (flags & 0x80 ? bytes.subarray(place, place + 3 * (2 << (flags & 7))) : null);
  const everywhere = tableAt(at, bytes[10]);
  at += everywhere?.length ?? 0;
  let transparent = -1;
  while (at < bytes.length) {
    const block = bytes[at++];
    if (block === EXTENSION) {
      if (bytes[at] === CONTROL && bytes[at + 2] & 1) transparent = bytes[at + 5];
      at = afterBlocks(bytes, at + 1);
    } else if (block === PICTURE) {
      const box = [0, 2, 4, 6].map((offset) => view.getUint16(at + offset, true));
      const flags = bytes[at + 8];
      const own = tableAt(at + 9, flags);
      const table = own ?? everywhere;
      if (!table) throw brokenGif();
      const data = new Uint8ClampedArray(width * height * 4);
      draw({ data, width, height, box, table, transparent, interlaced: (flags & 0x40) !== 0 }, indexes(bytes, at + 9 + (own?.length ?? 0), box[2] * box[3]));
      return { width, height, data };
    } else throw brokenGif();
  }
  throw brokenGif();
}

function afterBlocks(bytes, at) {
  while (at < bytes.length && bytes[at] !== 0) at += 1 + bytes[at];
  return at + 1;
}

/** The numbers of colours, LZW unpacked. */
function indexes(bytes, at, count) {
  const smallest = bytes[at++];
  if (smallest < 1 || smallest > 8) throw brokenGif();
  const clear = 1 << smallest;
  const prefix = new Uint16Array(1 << MOST_BITS);
  const suffix = new Uint8Array(1 << MOST_BITS);
  const stack = new Uint8Array(1 << MOST_BITS);
  for (let i = 0; i < clear; i++) suffix[i] = i;
  const out = new Uint8Array(count);
  let [bits, next, last, first, held, heldBits, left, written] = [smallest + 1, clear + 2, -1, 0, 0, 0, 0, 0];
  while (written < count) {
    while (heldBits < bits) {
      if (left === 0) {
        left = bytes[at++];
        if (!left) throw brokenGif(); // the data ends before the picture does
      }
      if (at >= bytes.length) throw brokenGif();
      held |= bytes[at++] << heldBits;
      heldBits += 8;
      left -= 1;
    }
    const code = held & ((1 << bits) - 1);
    held >>>= bits;
    heldBits -= bits;
    if (code === clear) {
      [bits, next, last] = [smallest + 1, clear + 2, -1];
      continue;
    }
    if (code === clear + 1 || code > next || (last < 0 && code >= clear)) throw brokenGif();
    let depth = 0;
    let now = code;
    if (code === next) {
      stack[depth++] = first;
      now = last;
    }
    while (now >= clear) {
      stack[depth++] = suffix[now];
      now = prefix[now];
    }
    first = suffix[now];
    stack[depth++] = first;
    while (depth > 0 && written < count) out[written++] = stack[--depth];
    if (last >= 0 && next < 1 << MOST_BITS) {
      prefix[next] = last;
      suffix[next++] = first;
      if (next === 1 << bits && bits < MOST_BITS) bits += 1;
    }
    last = code;
  }
  return out;
}

function draw({ data, width, height, box: [left, top, columns, rows], table, transparent, interlaced }, numbers) {
  const order = interlaced ? interlacedRows(rows) : null;
  for (let row = 0, at = 0; row < rows; row++) {
    const y = top + (order ? order[row] : row);
    for (let column = 0; column < columns; column++, at++) {
      const x = left + column;
      if (x >= width || y >= height || numbers[at] === transparent) continue;
      const place = (y * width + x) * 4;
      for (let channel = 0; channel < 3; channel++) data[place + channel] = table[numbers[at] * 3 + channel];
      data[place + 3] = 255;
    }
  }
}

function interlacedRows(rows) {
  const order = [];
  for (const [from, step] of [[0, 8], [4, 8], [2, 4], [1, 2]]) for (let y = from; y < rows; y += step) order.push(y);
  return order;
}

/** A BMP of 24 bits without packing; "not-exact" for the others. */
export function decodeBmp(bytes, check) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const begin = view.getUint32(10, true);
  const headBytes = view.getUint32(14, true);
  const width = view.getInt32(18, true);
  const upsideDown = view.getInt32(22, true) > 0;
  const height = Math.abs(view.getInt32(22, true));
  const bits = view.getUint16(28, true);
  if (headBytes !== 40 || bits !== 24 || view.getUint32(30, true) !== 0) throw new Refusal('not-exact');
  check(width, height);
  const stride = Math.ceil((width * 3) / 4) * 4;
  if (begin + stride * height > bytes.length) throw brokenGif();
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0, place = 0; y < height; y++) {
    let at = begin + (upsideDown ? height - 1 - y : y) * stride;
    for (let x = 0; x < width; x++, at += 3, place += 4) {
      data[place] = bytes[at + 2];
      data[place + 1] = bytes[at + 1];
      data[place + 2] = bytes[at];
      data[place + 3] = 255;
    }
  }
  return { width, height, data };
}
