// The further frames of a moving picture (GIF, PNG, WebP, AVIF), composed as a viewer sees them and as often as a viewer
// has time to see: the twin of src/staydown/fingerprint/moving.py. By the browser's own decoder; a browser that has none
// for frames gives the first one only, by decode.js. What follows a damaged frame is left out, for nobody sees it either.

import { openBitmap } from './decode.js';

// Limits, with their reasons in src/staydown/fingerprint/limits.py.
const MAX_FRAMES = 64; // with the first
const MAX_FRAME_PIXELS = 240_000_000; // of all frames together, taken or not
const FRAME_SECONDS = 0.5; // shown this long, or begun this long after the last one taken
// A frame that asks for 10 ms or less is shown for 100 ms (Chromium's and Firefox's rule, for old GIFs).
const HURRIED_SECONDS = 0.01;
const INSTEAD_SECONDS = 0.1;
const MICROSECONDS = 1_000_000;

async function openDecoder(file, { kind, mayMove }) {
  const type = `image/${kind}`;
  if (!mayMove || typeof ImageDecoder !== 'function' || !(await ImageDecoder.isTypeSupported(type))) return null;
  const decoder = new ImageDecoder({ type, data: await file.arrayBuffer(), preferAnimation: true });
  await Promise.all([decoder.completed, decoder.tracks.ready]);
  return decoder;
}

function shownSeconds(microseconds) {
  const seconds = microseconds / MICROSECONDS;
  return seconds > HURRIED_SECONDS ? seconds : INSTEAD_SECONDS;
}

/** The frame as an ImageBitmap, and how many microseconds it is shown; null if it is damaged. */
async function decodeFrame(decoder, frameIndex) {
  try {
    const { image } = await decoder.decode({ frameIndex });
    try {
      return { microseconds: image.duration ?? 0, bitmap: await openBitmap(image) };
    } finally {
      image.close();
    }
  } catch {
    return null;
  }
}

/** {seconds, bitmap, done} of each frame to look at but the first. done: 0..1. A bitmap is closed after its turn. */
export async function* furtherFrames(file, header) {
  const decoder = await openDecoder(file, header).catch(() => null);
  if (!decoder) return;
  try {
    const frameCount = decoder.tracks.selectedTrack?.frameCount ?? 0;
    let room = MAX_FRAME_PIXELS;
    let begin = 0;
    let takenAt = 0; // the first frame is always taken
    for (let index = 0, taken = 1; index < frameCount && taken < MAX_FRAMES; index++) {
      const frame = await decodeFrame(decoder, index);
      if (!frame) return;
      const { microseconds, bitmap } = frame;
      const shown = shownSeconds(microseconds);
      room -= bitmap.width * bitmap.height;
      try {
        if (index > 0 && room < 0) return;
        if (index > 0 && Math.max(begin - takenAt, shown) >= FRAME_SECONDS) {
          yield { seconds: begin, bitmap, done: index / frameCount };
          taken++;
          takenAt = begin;
        }
      } finally {
        bitmap.close();
      }
      begin += shown;
    }
  } finally {
    decoder.close();
  }
}
