// A picture file in, rows of pixels out, by the browser's own decoder: turned as EXIF says, converted to sRGB,
// transparency over white, as the server does it (staydown.fingerprint). The whole picture exists once, inside
// the browser; we copy it strip by strip. It refuses more than MAX_PIXELS before decoding where the header tells.

import { Refusal } from './refusal.js';
import { uprightSize } from './upright.js';

// 120 megapixels: more than any phone's sensor (108 in common use, 2026), about 1 GB at the peak of decoding as
// measured in Chromium for 108. Above it a phone's browser closes the page.
export const MAX_PIXELS = 120_000_000;
export const MIN_PIXELS_SIDE = 5; // PDQ is not defined below
export const MAX_PIXELS_SIDE = 65_535; // the kernel's arithmetic is 32-bit (native/photo.c)
export const MAX_PICTURE_BYTES = 300_000_000; // the browser reads a picture file whole; no camera writes more
const STRIP_BYTES = 4 << 20;
const TILE_WIDTH = 4096; // every browser's canvas is at least this wide; wider pictures are read in tiles
// Kinds that every current browser decodes: if one of these fails, the file is at fault and not the browser.
const ALWAYS_DECODABLE = ['jpeg', 'png', 'gif', 'webp', 'bmp'];

export function checkSize(width, height) {
  if (width * height > MAX_PIXELS || Math.max(width, height) > MAX_PIXELS_SIDE) throw new Refusal('too-many-pixels');
  if (width < MIN_PIXELS_SIDE || height < MIN_PIXELS_SIDE) throw new Refusal('too-small');
}

/**
 * Calls `begin(width, height)`, then `take(pixels, rows)` from the top: RGBA, rows x width x 4 bytes.
 * `pause()` is awaited between strips, and may throw to stop. Returns false if this browser does not know the
 * format. Throws Refusal: too-many-pixels, too-small, file-too-large, damaged-file.
 */
export async function decodePicture(file, header, { begin, take, pause }) {
  if (header.width !== null) checkSize(header.width, header.height);
  if (file.size > MAX_PICTURE_BYTES) throw new Refusal('file-too-large');
  let bitmap;
  try {
    bitmap = await openBitmap(header.turned ? withoutTags(file, header.turned) : file);
  } catch (error) {
    if (error.name === 'NotReadableError' || error.name === 'NotFoundError') throw error;
    if (ALWAYS_DECODABLE.includes(header.kind)) throw new Refusal('damaged-file');
    return false;
  }
  try {
    checkSize(bitmap.width, bitmap.height);
    const orientation = header.turned?.orientation ?? 1;
    const { width, height } = uprightSize({ width: bitmap.width, height: bitmap.height, orientation });
    begin(width, height);
    await readStrips(bitmap, { take, pause, orientation });
  } finally {
    bitmap.close();
  }
  return true;
}

/** The same picture with its tags' name made unknown, so that no browser turns it. */
function withoutTags(file, { tagsAt }) {
  return new Blob([file.slice(0, tagsAt), 'none', file.slice(tagsAt + 4)], { type: file.type });
}

/** How stored pixels come upright: the six numbers of a canvas. Source: EXIF 2.32, tag 0x0112. */
function turning(orientation, width, height) {
  return {
    1: [1, 0, 0, 1, 0, 0],
    2: [-1, 0, 0, 1, width, 0],
    3: [-1, 0, 0, -1, width, height],
    4: [1, 0, 0, -1, 0, height],
    5: [0, 1, 1, 0, 0, 0],
    6: [0, 1, -1, 0, height, 0],
    7: [0, -1, -1, 0, height, width],
    8: [0, -1, 1, 0, 0, width],
  }[orientation];
}

export function openBitmap(source, extra = {}) {
  return createImageBitmap(source, {
    imageOrientation: 'from-image',
    colorSpaceConversion: 'default',
    premultiplyAlpha: 'none',
    ...extra,
  });
}

/** orientation: how the bitmap is to be turned; 1 for one that is upright, as nearly all are. */
export async function readStrips(bitmap, { take, pause, orientation = 1 }) {
  const { width, height } = uprightSize({ width: bitmap.width, height: bitmap.height, orientation });
  const [a, b, c, d, e, f] = turning(orientation, bitmap.width, bitmap.height);
  const stripRows = Math.max(1, Math.min(height, Math.floor(STRIP_BYTES / (width * 4))));
  const tileWidth = Math.min(width, TILE_WIDTH);
  const canvas = new OffscreenCanvas(tileWidth, stripRows);
  const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
  context.imageSmoothingEnabled = false;
  const strip = width > tileWidth ? new Uint8ClampedArray(width * stripRows * 4) : null;
  for (let y = 0; y < height; y += stripRows) {
    const rows = Math.min(stripRows, height - y);
    let pixels;
    for (let x = 0; x < width; x += tileWidth) {
      const columns = Math.min(tileWidth, width - x);
      context.fillStyle = '#fff';
      context.fillRect(0, 0, columns, rows);
      if (orientation === 1) context.drawImage(bitmap, x, y, columns, rows, 0, 0, columns, rows);
      else {
        context.setTransform(a, b, c, d, e - x, f - y);
        context.drawImage(bitmap, 0, 0);
        context.resetTransform();
      }
      pixels = context.getImageData(0, 0, columns, rows).data;
      if (strip) putTile(strip, pixels, { x, columns, rows, width });
    }
    take(strip ?? pixels, rows);
    await pause((y + rows) / height);
  }
  canvas.width = canvas.height = 0; // lets go of the pixels now, not when the browser gets to it
}

function putTile(strip, tile, { x, columns, rows, width }) {
  for (let row = 0; row < rows; row++) {
    strip.set(tile.subarray(row * columns * 4, (row + 1) * columns * 4), (row * width + x) * 4);
  }
}
