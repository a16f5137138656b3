// From a 64 x 64 grid of brightness to eight PDQ codes and their quality, in plain JavaScript: the twin of
// native/code.c. Every float32 step is rounded (Math.fround) in the same order, so the bits are the same.
// It knows nothing of pictures. Source of the method: "Facebook PDQ", ThreatExchange hashing/hashing.pdf.

export const round = Math.fround;
export const SAMPLES = 64; // PDQ looks at 64 x 64 samples of the twice-smoothed picture ...
const WAVES = 16; // ... and at the 16 x 16 lowest waves in them

// cos(pi * i / 128) * sqrt(2 / 64) as float32 bit patterns: Math.cos may differ between browsers in the last bit.
// prettier-ignore
const COSINE_BITS = [
  1043662067, 1043658494, 1043647777, 1043629923, 1043604942, 1043572850, 1043533665, 1043487412, 1043434117,
  1043373814, 1043306539, 1043232332, 1043151238, 1043063306, 1042968588, 1042867142, 1042759028, 1042644313,
  1042523065, 1042395357, 1042261266, 1042120872, 1041974261, 1041821521, 1041662743, 1041498024, 1041327462,
  1041151161, 1040969226, 1040781767, 1040588897, 1040390732, 1040187392, 1039770605, 1039343964, 1038907725,
  1038462150, 1038007509, 1037544075, 1037072127, 1036591950, 1036103832, 1035608069, 1035104957, 1034594802,
  1034077909, 1033554590, 1033025161, 1032489940, 1031949249, 1031008047, 1029906749, 1028796485, 1027677924,
  1026551739, 1025418608, 1024279215, 1022858314, 1020558601, 1018250500, 1015935401, 1012207828, 1007558011,
  999172209, 591899910,
];
const COSINES = cosineMatrix();

function cosineMatrix() {
  const quarter = new Float32Array(new Uint32Array(COSINE_BITS).buffer);
  const matrix = new Float32Array(WAVES * SAMPLES);
  for (let wave = 0; wave < WAVES; wave++) {
    for (let sample = 0; sample < SAMPLES; sample++) {
      let angle = ((wave + 1) * (2 * sample + 1)) & 255;
      let sign = 1;
      if (angle > 128) angle = 256 - angle;
      if (angle > 64) {
        angle = 128 - angle;
        sign = -1;
      }
      matrix[wave * SAMPLES + sample] = sign * quarter[angle];
    }
  }
  return matrix;
}

/** {quality: 0..100, codes: eight hex strings in pdqhash's order} of a grid of 64 x 64 float32 samples. */
export function codesOfGrid(samples) {
  return { quality: qualityOf(samples), codes: dihedralCodes(lowestWaves(samples)) };
}

/** 0..100: how much the samples change from one to the next. */
function qualityOf(samples) {
  const step = (a, b) => Math.abs(Math.trunc(round(round(round(a - b) * 100) / 255)));
  let total = 0;
  for (let y = 0; y < SAMPLES; y++) {
    for (let x = 0; x < SAMPLES; x++) {
      const at = y * SAMPLES + x;
      if (y < SAMPLES - 1) total += step(samples[at], samples[at + SAMPLES]);
      if (x < SAMPLES - 1) total += step(samples[at], samples[at + 1]);
    }
  }
  return Math.min(100, Math.floor(total / 90));
}

/** The 16 x 16 lowest waves (a discrete cosine transform) of the 64 x 64 samples. */
function lowestWaves(samples) {
  const half = new Float32Array(WAVES * SAMPLES);
  const waves = new Float32Array(WAVES * WAVES);
  for (let i = 0; i < WAVES; i++) {
    for (let j = 0; j < SAMPLES; j++) {
      let sum = round(0);
      for (let k = 0; k < SAMPLES; k++) sum = round(sum + round(COSINES[i * SAMPLES + k] * samples[k * SAMPLES + j]));
      half[i * SAMPLES + j] = sum;
    }
  }
  for (let i = 0; i < WAVES; i++) {
    for (let j = 0; j < WAVES; j++) {
      let sum = round(0);
      for (let k = 0; k < SAMPLES; k++) sum = round(sum + round(half[i * SAMPLES + k] * COSINES[j * SAMPLES + k]));
      waves[i * WAVES + j] = sum;
    }
  }
  return waves;
}

// Turning or mirroring a picture only moves its waves or changes their sign. In pdqhash's order:
// full, r90, r180, r270, fV, fH, fP, fM. `swap`: rows become columns; `negative`: which waves change sign.
const odd = (n) => (n & 1) === 1;
const DIHEDRAL = [
  { swap: false, negative: () => false },
  { swap: true, negative: (i, j) => !odd(j) },
  { swap: false, negative: (i, j) => odd(i + j) },
  { swap: true, negative: (i) => !odd(i) },
  { swap: false, negative: (i) => !odd(i) },
  { swap: false, negative: (i, j) => !odd(j) },
  { swap: true, negative: () => false },
  { swap: true, negative: (i, j) => odd(i + j) },
];

function dihedralCodes(waves) {
  const turned = new Float32Array(WAVES * WAVES);
  return DIHEDRAL.map(({ swap, negative }) => {
    for (let i = 0; i < WAVES; i++) {
      for (let j = 0; j < WAVES; j++) {
        const value = waves[i * WAVES + j];
        turned[swap ? j * WAVES + i : i * WAVES + j] = negative(i, j) ? -value : value;
      }
    }
    return codeOf(turned);
  });
}

/** 256 bits, one a wave: is it above the median? */
function codeOf(waves) {
  const median = Float32Array.from(waves).sort()[127];
  const code = new Uint8Array(32);
  for (let k = 0; k < 256; k++) if (waves[k] > median) code[31 - (k >> 3)] |= 1 << (k & 7);
  return hex(code);
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
