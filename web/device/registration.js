// From a photo whose rows were all fed to the codes that are registered of it: the same names, order and bits as
// src/staydown/fingerprint/registration.py. It leaves out what is too small, what is there already, and codes that
// have too little detail to be trusted; it refuses nothing.

import { TURNS, splitDerivation, viewRectangle } from './views.js';

const MIN_QUALITY = 50; // below it PDQ's authors do not trust a code (staydown.fingerprint.terms)
// Of a moving picture, as staydown/fingerprint/further_frames.py says why:
const MAX_FURTHER_FRAMES = 15;
const SAME_BITS = 31;

/** Whether a set ({pdq: names, pdq512: names}) has views, so that the photo must keep its plane. */
export function needsPlane(derivationSet) {
  return derivationSet.pdq.some((name) => splitDerivation(name).view !== 'full');
}

/** How many bits of two codes, 64 hex digits each, differ. */
function differingBits(a, b) {
  let count = 0;
  for (let at = 0; at < a.length; at += 8) {
    let bits = parseInt(a.slice(at, at + 8), 16) ^ parseInt(b.slice(at, at + 8), 16);
    for (; bits !== 0; bits &= bits - 1) count++;
  }
  return count;
}

/** As `registeredCodes`, of the frames that differ from the first, whose code is given, and from each other. */
async function furtherCodes(first, frames, derivationSet) {
  const turns = ['full', 'fH'].filter((turn) => derivationSet.pdq.includes(turn));
  const kept = [first];
  const codes = [];
  for await (const { seconds, codes: found } of frames) {
    const [code] = found.codes;
    if (found.quality < MIN_QUALITY || kept.some((other) => differingBits(code, other) <= SAME_BITS)) continue;
    kept.push(code);
    for (const turn of turns) {
      const name = `@${seconds.toFixed(3)}${turn === 'full' ? '' : `~${turn}`}`;
      codes.push(['pdq', name, found.quality, found.codes[TURNS.indexOf(turn)]]);
    }
    if (kept.length > MAX_FURTHER_FRAMES) break;
  }
  return codes;
}

/**
 * A list of [algorithm, derivation, quality, code], in the order of the set, then of the frames.
 * pause(done) is awaited before each part of the picture, done from 0 to 1; it may throw to stop.
 * frames: of a moving picture without the first, {seconds, codes} (codes as {quality, codes} of a photo); may be async.
 * The photo is not asked any more when the first of them is.
 */
export async function registeredCodes(photo, derivationSet, { pause, frames = [] }) {
  const { width, height } = photo;
  const { pdq, pdq512 } = photo.finish();
  const keyOf = ({ left, top, width: w, height: h }) => `${left},${top},${w},${h}`;
  const known = new Map([[keyOf({ left: 0, top: 0, width, height }), pdq]]); // the eight turns of each rectangle
  const told = new Set();
  const codes = [];
  const tell = (algorithm, name, turn, { quality, codes: turns }) => {
    if (quality >= MIN_QUALITY) codes.push([algorithm, name, quality, turns[TURNS.indexOf(turn)]]);
  };
  for (const [index, name] of derivationSet.pdq.entries()) {
    const { view, turn } = splitDerivation(name);
    const rectangle = viewRectangle(view, width, height);
    if (!rectangle) continue;
    const key = keyOf(rectangle);
    if (told.has(`${key} ${turn}`)) continue; // as the 4:3 crop of a 4:3 picture is
    told.add(`${key} ${turn}`);
    if (!known.has(key)) {
      await pause(index / derivationSet.pdq.length);
      known.set(key, photo.view(rectangle));
    }
    tell('pdq', name, turn, known.get(key));
  }
  for (const turn of derivationSet.pdq512) tell('pdq512', turn, turn, pdq512);
  return [...codes, ...(await furtherCodes(pdq.codes[0], frames, derivationSet))];
}
