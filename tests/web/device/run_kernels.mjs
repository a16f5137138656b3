// Runs one kernel of web/device over cases given on standard input, and prints what it made of them.
// In:  {kernel: 'js' | path of a .wasm file, pictures: [{width, height, rgba, strips, views}], streams: [{bytes, pieces}]}
//      views: rectangles {left, top, width, height}; absent: no plane is kept
// Out: {pictures: [{pdq, pdq512, views: [{quality, codes} | 'refused']} | 'refused'], streams: [{md5, sha256}]}
import { readFileSync } from 'node:fs';
import { JsDigests } from '../../../web/device/digest-js.js';
import { JsPhoto } from '../../../web/device/kernel-js.js';
import { startWasmKernel } from '../../../web/device/kernel-wasm.js';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const wasm = asked.kernel === 'js' ? null : startWasmKernel(readFileSync(asked.kernel));

function orRefused(make) {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) return 'refused';
    throw error;
  }
}

function pictureResult({ width, height, rgba, strips, views }) {
  const pixels = new Uint8ClampedArray(Buffer.from(rgba, 'base64'));
  const options = { keepsPlane: views !== undefined };
  const photo = orRefused(() =>
    wasm ? wasm.photo(width, height, options) : new JsPhoto(width, height, options),
  );
  if (photo === 'refused') return photo;
  for (let y = 0; y < height; y += strips) {
    const rows = Math.min(strips, height - y);
    photo.rows(pixels.subarray(y * width * 4, (y + rows) * width * 4), rows);
  }
  return { ...photo.finish(), views: (views ?? []).map((rectangle) => orRefused(() => photo.view(rectangle))) };
}

function streamResult({ bytes, pieces }) {
  const stream = Buffer.from(bytes, 'base64');
  const digests = wasm ? wasm.digests() : new JsDigests();
  for (let at = 0; at < stream.length; at += pieces) digests.update(stream.subarray(at, at + pieces));
  return digests.finish();
}

process.stdout.write(
  JSON.stringify({ pictures: asked.pictures.map(pictureResult), streams: asked.streams.map(streamResult) }),
);
