// PDQ in plain JavaScript: what the device uses where WebAssembly is not allowed. The whole picture in the published
// order of operations, as native/exact.c and photo.c do it, with every float32 step rounded: the bits of `pdqhash`.
// It refuses pictures that PDQ is not defined for, and guesses nothing.
// Source of the method: "Facebook PDQ", ThreatExchange hashing/hashing.pdf.

import { SAMPLES, codesOfGrid, round } from './code-js.js';
import { LumaPlane, gridOfRectangle } from './operator-js.js';

const MIN_SIDE = 5;
const MAX_SIDE = 65_535; // the native kernel's limit: its arithmetic is 32-bit
const SIDE_512 = 512;

/** Positions of the 64 samples along a side. */
function samplePositions(side) {
  return Int32Array.from({ length: SAMPLES }, (_, index) => Math.floor(((index + 0.5) * side) / SAMPLES));
}

/** One row through a running mean of `size` pixels (fewer at the ends). */
function smoothRow(row, smoothed, size) {
  const half = (size + 2) >> 1;
  const width = row.length;
  let sum = round(0);
  let count = 0;
  let newest = 0;
  let oldest = 0;
  let out = 0;
  for (; count < half - 1; count++) sum = round(sum + row[newest++]);
  while (count < size) {
    sum = round(sum + row[newest++]);
    smoothed[out++] = round(sum / ++count);
  }
  while (newest < width) {
    sum = round(round(sum + row[newest++]) - row[oldest++]);
    smoothed[out++] = round(sum / count);
  }
  while (out < width) {
    sum = round(sum - row[oldest++]);
    smoothed[out++] = round(sum / --count);
  }
}

/** The same running mean down the columns, fed row by row; `emit(sum, count)` is called once for each row. */
class ColumnSmoother {
  constructor({ width, height, size, emit }) {
    this.height = height;
    this.size = size;
    this.half = (size + 2) >> 1;
    this.emit = emit;
    this.sum = new Float32Array(width);
    this.kept = Array.from({ length: size }, () => new Float32Array(width));
    this.count = 0;
    this.rowsIn = 0;
  }

  push(row) {
    const { sum, size } = this;
    const index = this.rowsIn++;
    const slot = this.kept[index % size];
    if (index < size) {
      for (let x = 0; x < sum.length; x++) sum[x] = round(sum[x] + row[x]);
      this.count++;
    } else {
      for (let x = 0; x < sum.length; x++) sum[x] = round(round(sum[x] + row[x]) - slot[x]);
    }
    slot.set(row);
    if (index >= this.half - 1) this.emit(sum, this.count);
  }

  finish() {
    const { sum, size } = this;
    for (let step = 0; step < this.half - 1; step++) {
      const slot = this.kept[(this.height - size + step) % size];
      for (let x = 0; x < sum.length; x++) sum[x] = round(sum[x] - slot[x]);
      this.emit(sum, --this.count);
    }
  }
}

/** One picture at one scale. Keeps about height / 128 rows, never the whole picture. */
class PdqStream {
  constructor(width, height) {
    const acrossSize = (width + 127) >> 7;
    const downSize = (height + 127) >> 7;
    const columns = samplePositions(width);
    const wantedRows = samplePositions(height);
    const row = new Float32Array(width);
    const smoothed = new Float32Array(width);
    const sampled = new Float32Array(SAMPLES);
    let rowsOut = 0;
    let next = 0;
    this.acrossSize = acrossSize;
    this.onceAcross = new Float32Array(width);
    this.samples = new Float32Array(SAMPLES * SAMPLES);
    this.secondDown = new ColumnSmoother({
      width: SAMPLES,
      height,
      size: downSize,
      emit: (sum, count) => {
        for (; next < SAMPLES && wantedRows[next] === rowsOut; next++) {
          for (let x = 0; x < SAMPLES; x++) this.samples[next * SAMPLES + x] = round(sum[x] / count);
        }
        rowsOut++;
      },
    });
    this.firstDown = new ColumnSmoother({
      width,
      height,
      size: downSize,
      emit: (sum, count) => {
        for (let x = 0; x < width; x++) row[x] = round(sum[x] / count);
        smoothRow(row, smoothed, acrossSize);
        for (let x = 0; x < SAMPLES; x++) sampled[x] = smoothed[columns[x]];
        this.secondDown.push(sampled);
      },
    });
  }

  push(luma) {
    smoothRow(luma, this.onceAcross, this.acrossSize);
    this.firstDown.push(this.onceAcross);
  }

  finish() {
    this.firstDown.finish();
    this.secondDown.finish();
    return codesOfGrid(this.samples);
  }
}

/**
 * Both scale policies of one photo (native/include/staydown.h says what they are), fed with RGBX rows from the top.
 * keepsPlane: whether `view` is wanted afterwards.
 */
export class JsPhoto {
  constructor(width, height, { keepsPlane = false } = {}) {
    if (Math.min(width, height) < MIN_SIDE || Math.max(width, height) > MAX_SIDE) throw new RangeError('size refused');
    this.width = width;
    this.height = height;
    this.numerators = new Int32Array(width);
    this.luma = new Float32Array(width);
    this.rowsIn = 0;
    this.plane = keepsPlane ? new LumaPlane(width, height) : null;
    this.full = new PdqStream(width, height);
    if (width > SIDE_512 || height > SIDE_512) {
      this.reduced = new PdqStream(SIDE_512, SIDE_512);
      this.reducedRow = new Float32Array(SIDE_512);
      this.reducedRowsIn = 0;
    }
  }

  /** pixels: rows x width x 4 bytes (red, green, blue, ignored). */
  rows(pixels, rows) {
    const { width, numerators, luma } = this;
    for (let row = 0, at = 0; row < rows; row++) {
      for (let x = 0; x < width; x++, at += 4) {
        numerators[x] = 299 * pixels[at] + 587 * pixels[at + 1] + 114 * pixels[at + 2];
        luma[x] = round(numerators[x] / 1000);
      }
      this.full.push(luma);
      if (this.reduced) this.sample(luma);
      this.plane?.push(numerators);
      this.rowsIn++;
    }
  }

  /** Cuts the rows of the 512 x 512 sample that come from this row: none, one, or several of a low picture. */
  sample(luma) {
    const { width, height, rowsIn, reducedRow } = this;
    while (this.reducedRowsIn < SIDE_512 && Math.floor((this.reducedRowsIn * height) / SIDE_512) === rowsIn) {
      for (let x = 0; x < SIDE_512; x++) reducedRow[x] = luma[Math.floor((x * width) / SIDE_512)];
      this.reduced.push(reducedRow);
      this.reducedRowsIn++;
    }
  }

  /** {pdq, pdq512}, each {quality: 0..100, codes: eight hex strings in pdqhash's order}. */
  finish() {
    if (this.rowsIn !== this.height) throw new Error('rows are missing');
    const pdq = this.full.finish();
    return { pdq, pdq512: this.reduced ? this.reduced.finish() : pdq };
  }

  /** {quality, codes} of a part of the picture, {left, top, width, height} in pixels. Throws RangeError. */
  view(rectangle) {
    const { left, top, width, height } = rectangle;
    const isInside = left >= 0 && top >= 0 && left + width <= this.width && top + height <= this.height;
    if (!this.plane || this.rowsIn !== this.height || !isInside || Math.min(width, height) < MIN_SIDE) {
      throw new RangeError('view refused');
    }
    return codesOfGrid(gridOfRectangle(this.plane, rectangle));
  }
}
