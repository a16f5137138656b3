// What a file says about itself in its first bytes: its kind and, for pictures, its size in pixels. It is read
// before anything is decoded, so that a small file that unfolds into a huge picture is refused at no cost.
// It never trusts the file's name or the type that the system guessed from the name.

import { orientationOf } from './file-tags.js';
import { Refusal } from './refusal.js';

const START_BYTES = 64 * 1024; // enough for the fixed headers, and for where phones put HEIC and AVIF sizes
const WEBP_CHUNKS = 2000; // a still has five; a moving one has one for each frame
const JPEG_SEGMENTS = 500; // a camera writes about ten; more is a file made to keep us busy

const START_OF_ANIMATION = 0x6163544c; // "acTL", a chunk of moving PNGs
const PICTURE_BRANDS = { avif: 'avif', avis: 'avif', heic: 'heic', heix: 'heic', hevc: 'heic', mif1: 'heic', msf1: 'heic' };

async function bytesOf(file, offset, length) {
  return new DataView(await file.slice(offset, offset + length).arrayBuffer());
}

function text(view, at, length) {
  let out = '';
  for (let i = at; i < Math.min(at + length, view.byteLength); i++) out += String.fromCharCode(view.getUint8(i));
  return out;
}

/**
 * {media: 'image' | 'video', kind, width, height, mayMove}; width and height are null where the header does not tell.
 * mayMove: whether it may hold further frames that a browser shows.
 * turned: {orientation, tagsAt} of a WebP picture whose tags turn it: browsers do not agree whether to follow them.
 * inexact: a browser's decoder is known to differ from the server's here.
 * Throws Refusal: empty-file, unknown-format, damaged-file.
 */
export async function readHeader(file) {
  if (file.size === 0) throw new Refusal('empty-file');
  const start = await bytesOf(file, 0, START_BYTES);
  try {
    return await headerOf(file, start);
  } catch (error) {
    if (error instanceof RangeError) throw new Refusal('damaged-file'); // the header ends in its middle
    throw error;
  }
}

async function headerOf(file, start) {
  const image = (kind, width = null, height = null) => {
    if (width === 0 || height === 0) throw new Refusal('damaged-file');
    return { media: 'image', kind, width, height, mayMove: mayMove(start, kind) };
  };
  const video = (kind) => ({ media: 'video', kind, width: null, height: null, mayMove: false });
  if (text(start, 0, 3) === '\xff\xd8\xff') return image('jpeg', ...(await jpegSize(file, start)));
  if (text(start, 0, 8) === '\x89PNG\r\n\x1a\n') return image('png', start.getUint32(16), start.getUint32(20));
  if (/^GIF8[79]a$/.test(text(start, 0, 6))) return image('gif', start.getUint16(6, true), start.getUint16(8, true));
  if (text(start, 0, 4) === 'RIFF') {
    if (text(start, 8, 4) === 'WEBP') return { ...image('webp', ...webpSize(start)), turned: await webpTurn(file, start) };
    if (text(start, 8, 4) === 'AVI ') return video('avi');
  }
  if (text(start, 0, 2) === 'BM' && start.byteLength > 26 && start.getUint32(14, true) <= 124) return image('bmp', ...bmpSize(start));
  if (text(start, 4, 4) === 'ftyp') {
    const kind = PICTURE_BRANDS[text(start, 8, 4)];
    if (!kind) return video('mp4');
    // Chromium lays AVIF's transparency over white otherwise than the server does (10 bits apart).
    return { ...image(kind, ...largestExtent(start)), inexact: kind === 'avif' && hasAlpha(start) };
  }
  if (text(start, 0, 4) === '\x1aE\xdf\xa3') return video('webm');
  if (/^(II\*\0|MM\0\*)$/.test(text(start, 0, 4))) return image('tiff');
  if (file.type.startsWith('video/')) return video('other'); // MPEG, FLV and others: the digest needs no format
  throw new Refusal('unknown-format');
}

function mayMove(view, kind) {
  if (kind === 'webp') return text(view, 12, 4) === 'VP8X' && (view.getUint8(20) & 2) !== 0;
  if (kind === 'avif') return text(view, 8, 4) === 'avis';
  if (kind !== 'png') return kind === 'gif';
  for (let at = 8; at + 12 <= view.byteLength; at += 12 + view.getUint32(at)) {
    if (view.getUint32(at + 4) === START_OF_ANIMATION) return true;
  }
  return false;
}

/** Walks from segment to segment to the frame header; photographs from phones may have much before it. */
async function jpegSize(file, start) {
  let offset = 2;
  let view = start;
  let viewOffset = 0;
  for (let segment = 0; segment < JPEG_SEGMENTS; segment++) {
    if (offset + 10 > viewOffset + view.byteLength) {
      view = await bytesOf(file, offset, 4096);
      viewOffset = offset;
    }
    const at = offset - viewOffset;
    if (view.getUint8(at) !== 0xff) throw new Refusal('damaged-file');
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      offset += 1; // padding
      continue;
    }
    // SOF0..SOF15 without DHT, JPG and DAC, which lie among them
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return [view.getUint16(at + 7), view.getUint16(at + 5)];
    }
    if (marker === 0xd9 || marker === 0xda) break; // picture data or the end before any frame header
    const standsAlone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
    offset += standsAlone ? 2 : 2 + view.getUint16(at + 2);
  }
  throw new Refusal('damaged-file');
}

function webpSize(view) {
  const triple = (at) => view.getUint16(at, true) + view.getUint8(at + 2) * 65536;
  const kind = text(view, 12, 4);
  if (kind === 'VP8X') return [triple(24) + 1, triple(27) + 1];
  if (kind === 'VP8 ') return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true);
    return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
  }
  throw new Refusal('damaged-file');
}

const WEBP_HAS_EXIF = 8;

/** Where the tags of a WebP lie, and how they turn it; null if they do not. */
async function webpTurn(file, start) {
  if (text(start, 12, 4) !== 'VP8X' || !(start.getUint8(20) & WEBP_HAS_EXIF)) return null;
  for (let at = 12, chunk = 0; chunk < WEBP_CHUNKS; chunk++) {
    const head = await bytesOf(file, at, 8);
    if (head.byteLength < 8) return null;
    const size = head.getUint32(4, true);
    if (text(head, 0, 4) === 'EXIF') {
      const tags = await bytesOf(file, at + 8, Math.min(size, START_BYTES));
      const orientation = orientationOf(new Uint8Array(tags.buffer));
      return orientation > 1 ? { orientation, tagsAt: at } : null;
    }
    at += 8 + size + (size & 1);
  }
  return null;
}

function hasAlpha(view) {
  return text(view, 0, view.byteLength).includes(':auxiliary:alpha');
}

function bmpSize(view) {
  if (view.getUint32(14, true) === 12) return [view.getUint16(18, true), view.getUint16(20, true)];
  return [Math.abs(view.getInt32(18, true)), Math.abs(view.getInt32(22, true))];
}

/** The largest `ispe` box: HEIC and AVIF pictures may be put together from tiles, each with a box of its own. */
function largestExtent(view) {
  let largest = [null, null];
  for (let at = 8; at + 16 <= view.byteLength; at++) {
    if (view.getUint32(at) !== 0x69737065) continue; // "ispe"
    const size = [view.getUint32(at + 8), view.getUint32(at + 12)];
    if (size[0] * size[1] > (largest[0] ?? 0) * (largest[1] ?? 0)) largest = size;
  }
  return largest;
}
