// Parts of a picture that are registered beside the whole, by the names that data/fingerprint/derivations.json uses:
// a view ("cc88": the middle 88 %), a turn ("r90"), or both ("cc88~fH"). The twin of
// src/staydown/fingerprint/views.py, all in integers, so that device and server find the same pixels.
// It refuses names that it does not know; frames of a video ("@12.500") are no views of a picture.

const MIN_VIEW_SIDE = 5; // pixels; PDQ is not defined below
/** The turns, in the order of a kernel's eight codes. */
export const TURNS = ['full', 'r90', 'r180', 'r270', 'fV', 'fH', 'fP', 'fM'];

// Which sides a view takes from, in thousandths of the side for each percent in its name: left, top, right, bottom.
const CUTS = {
  'tb-': [0, 5, 0, 5],
  'lr-': [5, 0, 5, 0],
  'top-': [0, 10, 0, 0],
  'bot-': [0, 0, 0, 10],
  'left-': [10, 0, 0, 0],
  'right-': [0, 0, 10, 0],
};
// The same for views that are named by what they keep.
const KEEPS = {
  cc: [5, 5, 5, 5],
  tl: [0, 0, 10, 10],
  tr: [10, 0, 0, 10],
  bl: [0, 10, 10, 0],
  br: [10, 10, 0, 0],
};
const CUT_VIEW = /^(tb-|lr-|top-|bot-|left-|right-|cc|tl|tr|bl|br)([1-9][0-9]?)$/;
const ASPECT_VIEW = /^as([1-9][0-9]?):([1-9][0-9]?)(?:@(0|25|75|100))?$/;

/** {view, turn} of a derivation: "cc88~fH" is cc88 and fH, "r90" is full and r90. Throws RangeError for a turn. */
export function splitDerivation(name) {
  if (TURNS.includes(name)) return { view: 'full', turn: name };
  const at = name.indexOf('~');
  if (at < 0) return { view: name, turn: 'full' };
  const turn = name.slice(at + 1);
  if (!TURNS.includes(turn)) throw new RangeError(`there is no turn called ${turn}`);
  return { view: name.slice(0, at), turn };
}

/** {left, top, width, height} in pixels, or null if one of its sides has under five. Throws RangeError for a view. */
export function viewRectangle(view, width, height) {
  const rectangle = rectangleOf(view, width, height);
  return Math.min(rectangle.width, rectangle.height) >= MIN_VIEW_SIDE ? rectangle : null;
}

function rectangleOf(view, width, height) {
  if (view === 'full') return { left: 0, top: 0, width, height };
  let found = CUT_VIEW.exec(view);
  if (found) return cutRectangle(found[1], Number(found[2]), width, height);
  found = ASPECT_VIEW.exec(view);
  if (found) return aspectRectangle(Number(found[1]), Number(found[2]), Number(found[3] ?? 50), width, height);
  throw new RangeError(`there is no view called ${view}`);
}

function cutRectangle(kind, number, width, height) {
  const shares = CUTS[kind] ?? KEEPS[kind];
  const percent = kind in CUTS ? number : 100 - number;
  const [left, top, right, bottom] = [width, height, width, height].map((side, at) =>
    Math.floor((side * shares[at] * percent) / 1000),
  );
  return { left, top, width: width - left - right, height: height - top - bottom };
}

/** The largest rectangle of this aspect, moved along by this part of the room that is left. */
function aspectRectangle(across, down, offsetPercent, width, height) {
  if (width * down > height * across) {
    const kept = Math.floor((height * across) / down);
    return { left: Math.floor(((width - kept) * offsetPercent) / 100), top: 0, width: kept, height };
  }
  const kept = Math.floor((width * down) / across);
  return { left: 0, top: Math.floor(((height - kept) * offsetPercent) / 100), width, height: kept };
}
