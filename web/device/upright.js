// A decoded picture, whole in memory as RGBA, as upright strips over white: turned as its file says, converted by a
// colour rule, transparency over white. What src/staydown/fingerprint/strips.py does on the server, with its rounding.

const UPRIGHT_STRIP_BYTES = 4 << 20;

// Where the first upright pixel lies, and which way the stored rows run. Source: EXIF 2.32, tag 0x0112.
const TURNED = new Set([5, 6, 7, 8]); // upright rows are stored as columns
const FROM_RIGHT = new Set([2, 3, 7, 8]);
const FROM_BELOW = new Set([3, 4, 6, 7]);

/** {width, height} of the picture as it is to be seen. */
export function uprightSize({ width, height, orientation = 1 }) {
  return TURNED.has(orientation) ? { width: height, height: width } : { width, height };
}

/** Strips from the top: {pixels, rows}; each has memory of its own, four bytes a pixel, all opaque. */
export function* uprightStrips(picture) {
  const { width, height } = uprightSize(picture);
  const most = Math.max(1, Math.floor(UPRIGHT_STRIP_BYTES / (width * 4)));
  for (let y = 0; y < height; y += most) {
    const rows = Math.min(most, height - y);
    const pixels = turnedRows(picture, y, rows, width);
    picture.colour?.(pixels);
    overWhite(pixels);
    yield { pixels, rows };
  }
}

function turnedRows({ data, width: stored, height: storedRows, orientation = 1 }, from, rows, width) {
  if (orientation === 1) return data.slice(from * width * 4, (from + rows) * width * 4);
  const source = new Uint32Array(data.buffer, data.byteOffset, stored * storedRows);
  const target = new Uint32Array(rows * width);
  const along = FROM_RIGHT.has(orientation) ? -1 : 1; // along a stored row
  const down = (FROM_BELOW.has(orientation) ? -1 : 1) * stored;
  const corner = (along < 0 ? stored - 1 : 0) + (down < 0 ? (storedRows - 1) * stored : 0);
  const [stepX, stepY] = TURNED.has(orientation) ? [down, along] : [along, down];
  for (let y = 0, at = 0; y < rows; y++) {
    let place = corner + (from + y) * stepY;
    for (let x = 0; x < width; x++, place += stepX) target[at++] = source[place];
  }
  return new Uint8ClampedArray(target.buffer);
}

function overWhite(pixels) {
  for (let i = 0; i < pixels.length; i += 4) {
    const alpha = pixels[i + 3];
    if (alpha === 255) continue;
    const white = 255 * (255 - alpha) + 128;
    for (let channel = i; channel < i + 3; channel++) {
      const mixed = pixels[channel] * alpha + white;
      pixels[channel] = ((mixed >> 8) + mixed) >> 8; // Pillow's division by 255
    }
    pixels[i + 3] = 255;
  }
}
