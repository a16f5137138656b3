// Decodes pictures where the browser's own decoder cannot be trusted, because the browser changes pixels that are read
// back (web/device/selftest.js). Its pixels are those of the server's decoder, or it refuses: 'not-exact' where the two
// libraries are known to differ, so that no wrong fingerprint is ever made. AVIF is not here: another release of its
// library rounds colours otherwise (up to 2 bits of a fingerprint), and it would double this file.

import { DECODERS } from './vendor/decoders.js'; // web/vendor, put before this by web/build.py
import { colourRule } from './colour-profile.js';
import { checkSize } from './decode.js';
import { serveDecoder } from './decoder-port.js';
import { jpegTags, webpTags } from './file-tags.js';
import { decodeBmp, decodeGif } from './gif.js';
import { decodePng } from './png.js';
import { Refusal } from './refusal.js';

const SEQUENTIAL_OR_PROGRESSIVE = [0xc0, 0xc1, 0xc2];
// How JPEGs store colour: of others (4:4:0, 4:1:1) libjpeg-turbo and mozjpeg make slightly different pixels.
const SAME_PIXELS = ['1x1', '1x1,1x1,1x1', '2x1,1x1,1x1', '2x2,1x1,1x1'];

async function libraryPixels(start, bytes, ...options) {
  const { module, said } = await start();
  const { width, height, data } = module.decode(bytes, ...options) ?? {};
  if (!data || said.length > 0) throw new Refusal('not-exact'); // it went on after a fault, as no browser may have
  return { width, height, data };
}

async function decodeJpeg(bytes) {
  const tags = jpegTags(bytes);
  if (!tags) throw new Refusal('damaged-file');
  const { frame, bits, components, sampling, orientation, profile } = tags;
  const grey = components === 1;
  const known = SEQUENTIAL_OR_PROGRESSIVE.includes(frame) && bits === 8 && (grey || SAME_PIXELS.includes(sampling));
  if (!known) throw new Refusal('not-exact');
  const pixels = await libraryPixels(DECODERS.startJpeg, bytes, false);
  return { ...pixels, orientation, profile, space: grey ? 'GRAY' : 'RGB' };
}

async function decodeWebp(bytes) {
  const { orientation, profile, moving } = webpTags(bytes);
  if (moving) throw new Refusal('not-exact');
  return { ...(await libraryPixels(DECODERS.startWebp, bytes)), orientation, profile, space: 'RGB' };
}

const BY_KIND = {
  jpeg: decodeJpeg,
  png: (bytes) => decodePng(bytes, checkSize),
  webp: decodeWebp,
  gif: (bytes) => decodeGif(bytes, checkSize),
  bmp: (bytes) => decodeBmp(bytes, checkSize),
};

serveDecoder(async (bytes, kind) => {
  if (!(kind in BY_KIND)) throw new Refusal('not-exact');
  const { profile = null, space = 'RGB', ...picture } = await BY_KIND[kind](bytes);
  checkSize(picture.width, picture.height);
  return { ...picture, colour: await colourRule(profile, space) };
});
