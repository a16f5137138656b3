// PDQ's filters and its 64 x 64 sampling as one separable operator, laid over a small plane of the picture: how parts
// of a picture get their codes without a copy of it. The twin of native/operator.c and of the plane in native/photo.c;
// src/staydown/fingerprint/reference_operator.py is the same, written to be read. Weights are doubles, sums are
// float32, in that order, so the bits are the same. It keeps no picture, and checks no rectangle: kernel-js.js does.

import { SAMPLES, round } from './code-js.js';

const PLANE_SIDE = 1024; // the shorter side keeps at least as many blocks ...
const PLANE_BLOCKS = 1 << 22; // ... unless the plane would have more than these: 16 MB
const THOUSAND = 1000; // numerators are thousandths of a grey level

/** The side of a square block in pixels. */
function blockSide(width, height) {
  let block = Math.max(1, Math.floor(Math.min(width, height) / PLANE_SIDE));
  while (Math.ceil(width / block) * Math.ceil(height / block) > PLANE_BLOCKS) block++;
  return block;
}

/** Block means of the luma of a picture that is fed row by row: at most 2^22, however large it is. */
export class LumaPlane {
  constructor(width, height) {
    this.height = height;
    this.block = blockSide(width, height);
    this.columns = Math.ceil(width / this.block);
    this.values = new Float32Array(this.columns * Math.ceil(height / this.block));
    this.sums = new Int32Array(width); // of at most 64 x 64 pixels: below 2^30
    this.rowsIn = 0;
    this.valuesOut = 0;
  }

  /** numerators: 299 R + 587 G + 114 B of each pixel of the next row, exact integers. */
  push(numerators) {
    const { sums } = this;
    const rows = (this.rowsIn % this.block) + 1;
    if (rows === 1) sums.set(numerators);
    else for (let x = 0; x < sums.length; x++) sums[x] += numerators[x];
    this.rowsIn++;
    if (rows === this.block || this.rowsIn === this.height) this.takeMeans(rows);
  }

  /** The last block of a row or a column may have fewer pixels. */
  takeMeans(rows) {
    const { sums, block } = this;
    for (let first = 0; first < sums.length; first += block) {
      const end = Math.min(first + block, sums.length);
      let sum = 0;
      for (let x = first; x < end; x++) sum += sums[x];
      this.values[this.valuesOut++] = round(sum * (1 / (THOUSAND * rows * (end - first))));
    }
  }
}

/** The pixels from `first` to `last` of a side that lie in the filter's window around `centre`. */
function windowAround(centre, { behind, lead, side }) {
  return { first: Math.max(0, centre - behind), last: Math.min(side - 1, centre + lead) };
}

/** The first pixel, and the weights (doubles) from there, in result i of a side: a mean over means. */
function pixelBand(side, i) {
  const size = Math.floor((side + 127) / 128);
  const lead = Math.floor((size + 2) / 2) - 1;
  const filter = { side, lead, behind: size - 1 - lead };
  const outer = windowAround(Math.floor(((i + 0.5) * side) / SAMPLES), filter);
  const { first } = windowAround(outer.first, filter);
  const weights = new Float64Array(windowAround(outer.last, filter).last - first + 1);
  const outerShare = 1 / (outer.last - outer.first + 1);
  for (let centre = outer.first; centre <= outer.last; centre++) {
    const inner = windowAround(centre, filter);
    const share = outerShare / (inner.last - inner.first + 1);
    for (let at = inner.first; at <= inner.last; at++) weights[at - first] += share;
  }
  return { first, weights };
}

/** For each of the 64 results of a side that begins at pixel `origin`: the first block, and the weights from there. */
function bandsOnBlocks(origin, side, block) {
  return Array.from({ length: SAMPLES }, (_, i) => {
    const { first: firstPixel, weights } = pixelBand(side, i);
    const blockOf = (place) => Math.floor((origin + firstPixel + place) / block);
    const first = blockOf(0);
    const sums = new Float64Array(blockOf(weights.length - 1) - first + 1);
    weights.forEach((weight, place) => (sums[blockOf(place) - first] += weight));
    return { first, weights: Float32Array.from(sums) };
  });
}

/** sums += row * weight, each step rounded. A function of its own, so that the browser's compiler sees it early. */
function addRow(sums, values, at, weight) {
  for (let x = 0; x < sums.length; x++) sums[x] = round(sums[x] + round(values[at + x] * weight));
}

/** The 64 x 64 samples of a part of the picture, {left, top, width, height} in pixels: rows first, then columns. */
export function gridOfRectangle(plane, { left, top, width, height }) {
  const { values, columns, block } = plane;
  const across = bandsOnBlocks(left, width, block);
  const down = bandsOnBlocks(top, height, block);
  const firstColumn = Math.floor(left / block);
  const sums = new Float32Array(Math.floor((left + width - 1) / block) - firstColumn + 1);
  const grid = new Float32Array(SAMPLES * SAMPLES);
  down.forEach(({ first: firstRow, weights: rowWeights }, i) => {
    sums.fill(0);
    for (let row = 0; row < rowWeights.length; row++) {
      addRow(sums, values, (firstRow + row) * columns + firstColumn, rowWeights[row]);
    }
    across.forEach(({ first, weights }, j) => {
      let total = 0;
      for (let x = 0; x < weights.length; x++) {
        total = round(total + round(sums[first - firstColumn + x] * weights[x]));
      }
      grid[i * SAMPLES + j] = total;
    });
  });
  return grid;
}
