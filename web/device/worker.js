// The only place that ever sees a file's bytes. It is served with a policy of its own
// (default-src 'none'; script-src 'wasm-unsafe-eval': staydown.config.csp) and as one file, so that it has no
// way to reach any network. It answers with fingerprints and digests only, one file at a time.
//
// In:  {id, command: 'selftest'} | {id, command: 'fingerprint', file} | {id, command: 'picture', file, side} |
//      {id, command: 'cancel'} (id of the running command) |
//      {command: 'connect', name, port} (a decoder in another worker; port null: it could not be started, or stopped)
// Out: {id, progress: 0..1} ... then {id, result} or {id, refused: slug}; {needs: name of a decoder} at any time

import { JsDigests } from './digest-js.js';
import { DERIVATION_SET } from './derivation-set.js'; // made by web/build.py
import { JsPhoto } from './kernel-js.js';
import { decodePicture, checkSize, openBitmap, readStrips } from './decode.js';
import { furtherFrames } from './frames.js';
import { OtherDecoders } from './other-decoder.js';
import { readHeader } from './picture-header.js';
import { Refusal } from './refusal.js';
import { needsPlane, registeredCodes } from './registration.js';
import { testPixels } from './selftest.js';
import { startWasmKernel } from './kernel-wasm.js';
import { WASM_BASE_BASE64, WASM_SIMD_BASE64 } from './wasm-bytes.js'; // made by web/build.py

const CHUNK_BYTES = 4 << 20;
// About four times a blink. More only costs time: each turn to waiting messages takes four milliseconds, as long as
// the code of one part of a picture (HTML's rule for nested timers).
const PROGRESS_EVERY_MS = 60;
// Of the progress bar, for a picture. The browser decodes before the first row, and tells nothing meanwhile.
const PROGRESS_SHARES = { digests: 0.4, rows: 0.4, views: 0.2, frames: 0 };
const MOVING_SHARES = { digests: 0.1, rows: 0.1, views: 0.1, frames: 0.7 };

const kernel = startKernel();
const pixelTest = testPixels();
const cancelled = new Set();
const others = new OtherDecoders((name) => postMessage({ needs: name }));
// Why there are digests only, where another decoder could not be had or does not make exactly these pixels.
const NOTES_OF_OTHERS = ['decoder-missing', 'not-exact', 'format-not-decoded'];

/** The quickest kernel this browser allows. All three give the same bits. */
function startKernel() {
  for (const [name, base64] of [['wasm-simd', WASM_SIMD_BASE64], ['wasm', WASM_BASE_BASE64]]) {
    try {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const wasm = startWasmKernel(bytes);
      return { name, photo: (...size) => wasm.photo(...size), digests: () => wasm.digests() };
    } catch {
      // Not allowed or not known here: the next one.
    }
  }
  return { name: 'js', photo: (...size) => new JsPhoto(...size), digests: () => new JsDigests() };
}

/** Lets waiting messages in, so that "cancel" is heard. */
function breathe() {
  return new Promise((resume) => setTimeout(resume, 0));
}

async function digestsOf(file, pause) {
  const digests = kernel.digests();
  for (let offset = 0; offset < file.size; offset += CHUNK_BYTES) {
    digests.update(new Uint8Array(await file.slice(offset, offset + CHUNK_BYTES).arrayBuffer()));
    await pause(Math.min(1, (offset + CHUNK_BYTES) / file.size));
  }
  return digests.finish();
}

/** {seconds, codes} of the frames behind the first. The kernel has room for one photo: the first is forgotten. */
async function* codedFrames(file, header, pause) {
  for await (const { seconds, bitmap, done } of furtherFrames(file, header)) {
    const photo = kernel.photo(bitmap.width, bitmap.height);
    await readStrips(bitmap, { take: (pixels, rows) => photo.rows(pixels, rows), pause: () => pause(done) });
    yield { seconds, codes: photo.finish().pdq };
  }
}

/** Which decoder's pixels are exact here: 'own', or the name of another worker's (web/device-worker.js). */
async function decoderFor({ kind }) {
  if (kind === 'heic') return 'heic';
  return (await pixelTest) === 'exact' ? 'own' : 'decode';
}

/**
 * One entry as it will be sent, and why it has no codes if it has none.
 * note: null, 'video', 'decoder-missing', 'not-exact', 'format-not-decoded' or 'low-detail'.
 */
async function fingerprint(file, pause) {
  const header = await readHeader(file);
  if (header.width !== null && header.media === 'image') checkSize(header.width, header.height);
  const isImage = header.media === 'image';
  const pictureShares = header.mayMove ? MOVING_SHARES : PROGRESS_SHARES;
  const shares = isImage ? pictureShares : { digests: 1 };
  const { sha256, md5 } = await digestsOf(file, (done) => pause(done * shares.digests));
  const item = { media: header.media, sha256, md5, codes: [] };
  if (!isImage) return { item, note: 'video' };

  const decoder = await decoderFor(header);
  let photo;
  const sink = {
    begin: (width, height) => (photo = kernel.photo(width, height, { keepsPlane: needsPlane(DERIVATION_SET) })),
    take: (pixels, rows) => photo.rows(pixels, rows),
    pause: (done) => pause(shares.digests + done * shares.rows),
  };
  if (decoder === 'own') {
    if (header.inexact) return { item, note: 'not-exact' };
    if (!(await decodePicture(file, header, sink))) return { item, note: 'format-not-decoded' };
  } else {
    try {
      await others.decode(decoder, file, header.kind, sink);
    } catch (error) {
      if (NOTES_OF_OTHERS.includes(error.slug)) return { item, note: error.slug };
      throw error;
    }
  }
  item.codes = await registeredCodes(photo, DERIVATION_SET, {
    pause: (done) => pause(shares.digests + shares.rows + done * shares.views),
    // Further frames come from the browser's decoder, so only where it is exact.
    frames: decoder === 'own' ? codedFrames(file, header, (done) => pause(1 - shares.frames + done * shares.frames)) : [],
  });
  return { item, note: item.codes.length === 0 ? 'low-detail' : null };
}

/** A small picture for the list, made only when the person asks to see it. It goes to the page and no further. */
async function smallPicture(file, side) {
  const header = await readHeader(file);
  if (header.media !== 'image' || header.width === null) throw new Refusal('unknown-format');
  checkSize(header.width, header.height);
  const whole = await openBitmap(file);
  const scale = Math.min(1, side / Math.max(whole.width, whole.height));
  const small = await createImageBitmap(whole, {
    resizeWidth: Math.max(1, Math.round(whole.width * scale)),
    resizeHeight: Math.max(1, Math.round(whole.height * scale)),
    resizeQuality: 'medium',
  });
  whole.close();
  return small;
}

function slugOf(error) {
  if (error instanceof Refusal) return error.slug;
  if (error.name === 'NotReadableError' || error.name === 'NotFoundError') return 'unreadable-file';
  return 'damaged-file';
}

async function answer({ id, command, file, side }) {
  let told = 0;
  const pause = async (progress) => {
    const now = performance.now();
    if (now - told > PROGRESS_EVERY_MS) {
      told = now;
      postMessage({ id, progress });
      await breathe();
    }
    if (cancelled.has(id)) throw new Refusal('cancelled');
  };
  if (command === 'selftest') return { pixels: await pixelTest, kernel: kernel.name };
  if (command === 'fingerprint') return fingerprint(file, pause);
  if (command === 'picture') return smallPicture(file, side);
  throw new Error(`unknown command ${command}`);
}

let last = Promise.resolve(); // one at a time: each command waits for the one before it

self.addEventListener('message', ({ data }) => {
  if (data.command === 'cancel') {
    cancelled.add(data.id);
    return;
  }
  if (data.command === 'connect') {
    others.connect(data.name, data.port);
    return;
  }
  last = last.then(async () => {
    try {
      if (cancelled.has(data.id)) throw new Refusal('cancelled');
      const result = await answer(data);
      postMessage({ id: data.id, result }, result instanceof ImageBitmap ? [result] : []);
    } catch (error) {
      postMessage({ id: data.id, refused: slugOf(error) });
    } finally {
      cancelled.delete(data.id);
    }
  });
});
