// Does this browser give back the pixels it was given? Some add noise when a page reads a picture (a protection
// against tracking; Tor Browser's noise changes half of a fingerprint's bits). A wrong fingerprint protects
// nobody and could hit someone else's picture, so a single changed sample means: no fingerprints here.

import { openBitmap, readStrips } from './decode.js';

const SIDE = 64;

/** Noise that every run makes again: a linear congruential generator, so that no two neighbours are alike. */
function knownPixels() {
  const pixels = new Uint8ClampedArray(SIDE * SIDE * 4);
  let state = 12345;
  for (let i = 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    pixels[i] = i % 4 === 3 ? 255 : state >>> 24;
  }
  return pixels;
}

/** The same pixels as a BMP file: the one format simple enough to write here. */
function knownFile(pixels) {
  const headerBytes = 54;
  const file = new DataView(new ArrayBuffer(headerBytes + SIDE * SIDE * 3));
  file.setUint16(0, 0x424d);
  file.setUint32(2, file.byteLength, true);
  file.setUint32(10, headerBytes, true);
  file.setUint32(14, 40, true);
  file.setInt32(18, SIDE, true);
  file.setInt32(22, -SIDE, true); // rows from the top
  file.setUint16(26, 1, true);
  file.setUint16(28, 24, true);
  for (let i = 0; i < SIDE * SIDE; i++) {
    for (let channel = 0; channel < 3; channel++) {
      file.setUint8(headerBytes + i * 3 + channel, pixels[i * 4 + 2 - channel]);
    }
  }
  return new Blob([file.buffer], { type: 'image/bmp' });
}

async function readsBackExactly(source, pixels) {
  const bitmap = await openBitmap(source);
  let exact = bitmap.width === SIDE && bitmap.height === SIDE;
  await readStrips(bitmap, {
    take: (read) => {
      exact = exact && read.length === pixels.length && read.every((sample, i) => sample === pixels[i]);
    },
    pause: async () => {},
  });
  bitmap.close();
  return exact;
}

/** 'exact', 'falsified' or 'missing' (no way to read pixels at all). */
export async function testPixels() {
  try {
    const pixels = knownPixels();
    const sources = [new ImageData(pixels.slice(), SIDE, SIDE), knownFile(pixels)];
    for (const source of sources) if (!(await readsBackExactly(source, pixels))) return 'falsified';
    return 'exact';
  } catch {
    return 'missing';
  }
}
