// MD5 and SHA-256 of one stream in one pass, in plain JavaScript, for where WebAssembly is not allowed.
// The browser's own digests need the whole file in memory and know no MD5. Both names are only used to
// recognise exact copies: nothing here may be used to prove who made a file (MD5 can be forged).
// Sources: RFC 1321 (MD5), FIPS 180-4 (SHA-256).

import { hex } from './code-js.js';

// prettier-ignore
const MD5_SINES = new Int32Array([
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
  0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
  0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
  0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
  0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
  0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
  0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
  0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
]);
const MD5_TURNS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
// prettier-ignore
const SHA256_CONSTANTS = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const BLOCK = 64;

const turnLeft = (value, bits) => (value << bits) | (value >>> (32 - bits));
const turnRight = (value, bits) => (value >>> bits) | (value << (32 - bits));

function md5Block(state, block) {
  let [a, b, c, d] = state;
  for (let i = 0; i < 64; i++) {
    const group = i >> 4;
    let mixed;
    let word;
    if (group === 0) {
      mixed = (b & c) | (~b & d);
      word = i;
    } else if (group === 1) {
      mixed = (d & b) | (~d & c);
      word = (5 * i + 1) & 15;
    } else if (group === 2) {
      mixed = b ^ c ^ d;
      word = (3 * i + 5) & 15;
    } else {
      mixed = c ^ (b | ~d);
      word = (7 * i) & 15;
    }
    const sum = (a + mixed + MD5_SINES[i] + block.getInt32(word * 4, true)) | 0;
    a = d;
    d = c;
    c = b;
    b = (b + turnLeft(sum, MD5_TURNS[group * 4 + (i & 3)])) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

const schedule = new Int32Array(64);

function sha256Block(state, block) {
  for (let i = 0; i < 16; i++) schedule[i] = block.getInt32(i * 4, false);
  for (let i = 16; i < 64; i++) {
    const early = schedule[i - 15];
    const late = schedule[i - 2];
    const mixedEarly = turnRight(early, 7) ^ turnRight(early, 18) ^ (early >>> 3);
    const mixedLate = turnRight(late, 17) ^ turnRight(late, 19) ^ (late >>> 10);
    schedule[i] = schedule[i - 16] + mixedEarly + schedule[i - 7] + mixedLate;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const mixedE = turnRight(e, 6) ^ turnRight(e, 11) ^ turnRight(e, 25);
    const chosen = (e & f) ^ (~e & g);
    const first = (h + mixedE + chosen + SHA256_CONSTANTS[i] + schedule[i]) | 0;
    const mixedA = turnRight(a, 2) ^ turnRight(a, 13) ^ turnRight(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + mixedA + majority) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => (state[i] += value));
}

export class JsDigests {
  constructor() {
    this.md5 = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
    // prettier-ignore
    this.sha256 = new Int32Array([
      0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ]);
    this.rest = new Uint8Array(BLOCK);
    this.restLength = 0;
    this.length = 0;
  }

  update(bytes) {
    this.length += bytes.length;
    let at = 0;
    if (this.restLength > 0) {
      at = Math.min(BLOCK - this.restLength, bytes.length);
      this.rest.set(bytes.subarray(0, at), this.restLength);
      this.restLength += at;
      if (this.restLength < BLOCK) return;
      this.block(new DataView(this.rest.buffer));
      this.restLength = 0;
    }
    for (; at + BLOCK <= bytes.length; at += BLOCK) {
      this.block(new DataView(bytes.buffer, bytes.byteOffset + at, BLOCK));
    }
    this.rest.set(bytes.subarray(at));
    this.restLength = bytes.length - at;
  }

  block(view) {
    md5Block(this.md5, view);
    sha256Block(this.sha256, view);
  }

  /** {md5, sha256} in lower-case hex. */
  finish() {
    const tail = new Uint8Array(this.restLength < 56 ? BLOCK : 2 * BLOCK);
    tail.set(this.rest.subarray(0, this.restLength));
    tail[this.restLength] = 0x80;
    // The two differ only in which end of the length in bits comes first.
    const [high, low] = [Math.floor(this.length / 0x20000000), (this.length << 3) >>> 0];
    const view = new DataView(tail.buffer);
    for (let at = 0; at < tail.length; at += BLOCK) {
      const last = at + BLOCK === tail.length;
      const part = new DataView(tail.buffer, at, BLOCK);
      if (last) {
        view.setUint32(tail.length - 8, low, true);
        view.setUint32(tail.length - 4, high, true);
      }
      md5Block(this.md5, part);
      if (last) {
        view.setUint32(tail.length - 8, high, false);
        view.setUint32(tail.length - 4, low, false);
      }
      sha256Block(this.sha256, part);
    }
    return { md5: wordsAsHex(this.md5, true), sha256: wordsAsHex(this.sha256, false) };
  }
}

function wordsAsHex(words, littleEndian) {
  const bytes = new DataView(new ArrayBuffer(words.length * 4));
  words.forEach((word, i) => bytes.setInt32(i * 4, word, littleEndian));
  return hex(new Uint8Array(bytes.buffer));
}
