// From a photo whose rows were all fed to the codes that are registered of it: the same names, order and bits as
// src/staydown/fingerprint/registration.py. It leaves out what is too small, what is there already, and codes that
// have too little detail to be trusted; it refuses nothing.

import { TURNS, splitDerivation, viewRectangle } from './views.js';

const MIN_QUALITY = 50; // below it PDQ's authors do not trust a code (staydown.fingerprint.terms)

/** Whether a set ({pdq: names, pdq512: names}) has views, so that the photo must keep its plane. */
export function needsPlane(derivationSet) {
  return derivationSet.pdq.some((name) => splitDerivation(name).view !== 'full');
}

/**
 * A list of [algorithm, derivation, quality, code], in the order of the set.
 * pause(done) is awaited before each part of the picture, done from 0 to 1; it may throw to stop.
 */
export async function registeredCodes(photo, derivationSet, { pause }) {
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
  return codes;
}
