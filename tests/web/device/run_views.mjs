// Asks web/device/views.js and registration.js about cases given on standard input.
// In:  {views: [[name, width, height]], splits: [name], registrations: [{width, height, set, qualities, first, frames}]}
//      qualities: of the whole, of pdq512, and of every part; first: the whole's unturned code, if it matters
//      frames: [[seconds, quality, code as it is, code mirrored]]
// Out: {views: [rectangle | null | 'refused'], splits: [{view, turn} | 'refused'],
//       registrations: [{codes, asked, paused, needsPlane}]}, asked: the rectangles that the photo was asked for
import { readFileSync } from 'node:fs';
import { needsPlane, registeredCodes } from '../../../web/device/registration.js';
import { splitDerivation, viewRectangle } from '../../../web/device/views.js';

const asked = JSON.parse(readFileSync(0, 'utf8'));

function orRefused(make) {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) return 'refused';
    throw error;
  }
}

/** A photo whose codes tell what was asked for: rectangle and place among the eight. */
class ToldPhoto {
  constructor({ width, height, qualities: [pdq, pdq512, parts], first }) {
    Object.assign(this, { width, height, qualities: { pdq, pdq512, parts }, first, asked: [] });
  }

  turns(of, quality) {
    return { quality, codes: Array.from({ length: 8 }, (_, turn) => `${of} ${turn}`) };
  }

  finish() {
    const { width, height, qualities, first } = this;
    const pdq = this.turns(`pdq 0,0,${width},${height}`, qualities.pdq);
    if (first) pdq.codes[0] = first;
    return { pdq, pdq512: this.turns('pdq512', qualities.pdq512) };
  }

  view({ left, top, width, height }) {
    this.asked.push([left, top, width, height]);
    return this.turns(`pdq ${left},${top},${width},${height}`, this.qualities.parts);
  }
}

/** Stops the test if a frame is asked for that is not needed. */
async function* framesOf(rows) {
  for (const [seconds, quality, code, mirrored] of rows) {
    if (code === null) throw new Error('one frame too many');
    yield { seconds, codes: { quality, codes: [code, '', '', '', '', mirrored, '', ''] } };
  }
}

async function registration(wanted) {
  const photo = new ToldPhoto(wanted);
  const paused = [];
  const pause = async (done) => paused.push(done);
  const codes = await registeredCodes(photo, wanted.set, { pause, frames: framesOf(wanted.frames ?? []) });
  return { codes, asked: photo.asked, paused, needsPlane: needsPlane(wanted.set) };
}

process.stdout.write(
  JSON.stringify({
    views: asked.views.map((sides) => orRefused(() => viewRectangle(...sides))),
    splits: asked.splits.map((name) => orRefused(() => splitDerivation(name))),
    registrations: await Promise.all(asked.registrations.map(registration)),
  }),
);
