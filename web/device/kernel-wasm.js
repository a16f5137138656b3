// The native kernel (native/photo.c, exact.c, operator.c, code.c, digest.c) as WebAssembly, with the same two classes
// as kernel-js.js and digest-js.js. Memory stays bounded: the kernel keeps rows and a small plane, not pictures. The
// module imports nothing, so it can call nothing.

import { hex } from './code-js.js';

const PAGE = 65536;
const CODE_BYTES = 32;
const TURN_COUNT = 8;
const CODES_BYTES = 2 * TURN_COUNT * CODE_BYTES;
const DIGESTS_BYTES = 48; // MD5 (16), then SHA-256 (32)
// SD_ABI, SD_KEEP_PLANE and the step of rows that no decoder has reduced, in native/include/staydown.h. What is
// registered goes the exact way, so SD_FAST is not used here.
const ABI = 2;
const KEEP_PLANE = 2;
const STEP = 1;
// A state must lie at a multiple of 64 bytes.
const aligned = (address) => (address + 63) & ~63;

/**
 * Starts the kernel from the bytes of staydown.simd.wasm or staydown.base.wasm.
 * Throws WebAssembly.CompileError where the page's policy or the browser refuses them.
 */
export function startWasmKernel(bytes) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  if (exports.sd_abi() !== ABI) throw new Error('the kernel is of another version');
  return new WasmKernel(exports);
}

class WasmKernel {
  constructor(exports) {
    this.exports = exports;
    const start = aligned(exports.__heap_base.value);
    // One digest and one photo at a time: the digest's state first, the photo's behind it.
    this.digestState = start;
    this.digestOut = aligned(start + exports.sd_digest_bytes());
    this.free = aligned(this.digestOut + DIGESTS_BYTES);
  }

  /** Makes sure that memory reaches `end`, and gives the whole of it. */
  memory(end) {
    const { memory } = this.exports;
    if (end > memory.buffer.byteLength) memory.grow(Math.ceil((end - memory.buffer.byteLength) / PAGE));
    return new Uint8Array(memory.buffer);
  }

  photo(width, height, options) {
    return new WasmPhoto(this, width, height, options);
  }

  digests() {
    return new WasmDigests(this);
  }
}

/** As JsPhoto in kernel-js.js. */
class WasmPhoto {
  constructor(kernel, width, height, { keepsPlane = false } = {}) {
    const { exports } = kernel;
    const flags = keepsPlane ? KEEP_PLANE : 0;
    const stateBytes = exports.sd_photo_bytes(width, height, STEP, flags) >>> 0;
    if (stateBytes === 0) throw new RangeError('size refused');
    this.kernel = kernel;
    this.width = width;
    this.height = height;
    this.state = kernel.free;
    this.codes = aligned(this.state + stateBytes);
    this.qualities = this.codes + CODES_BYTES; // two int32
    this.margins = this.qualities + 8; // two float32, of interest only for the fast way
    this.strip = aligned(this.margins + 8);
    kernel.memory(this.strip);
    if (exports.sd_photo_begin(this.state, width, height, STEP, flags) !== 1) throw new RangeError('size refused');
  }

  /** pixels: rows x width x 4 bytes (red, green, blue, ignored). */
  rows(pixels, rows) {
    const stride = this.width * 4;
    this.kernel.memory(this.strip + rows * stride).set(pixels.subarray(0, rows * stride), this.strip);
    this.kernel.exports.sd_photo_rows(this.state, this.strip, rows, stride, 4);
  }

  /** {pdq, pdq512}, each {quality: 0..100, codes: eight hex strings in pdqhash's order}. */
  finish() {
    const { kernel, state, codes, qualities, margins } = this;
    if (kernel.exports.sd_photo_finish(state, codes, qualities, margins) !== 0) throw new Error('rows are missing');
    const { buffer } = kernel.memory(this.strip);
    const [pdq, pdq512] = new Int32Array(buffer, qualities, 2);
    return {
      pdq: { quality: pdq, codes: this.codesAt(codes) },
      pdq512: { quality: pdq512, codes: this.codesAt(codes + TURN_COUNT * CODE_BYTES) },
    };
  }

  /** {quality, codes} of a part of the picture, {left, top, width, height} in pixels. Throws RangeError. */
  view({ left, top, width, height }) {
    const quality = this.kernel.exports.sd_photo_view(this.state, left, top, width, height, this.codes);
    if (quality < 0) throw new RangeError('view refused');
    return { quality, codes: this.codesAt(this.codes) };
  }

  /** Eight hex strings. */
  codesAt(address) {
    const memory = this.kernel.memory(this.strip);
    return Array.from({ length: TURN_COUNT }, (_, turn) => {
      const at = address + turn * CODE_BYTES;
      return hex(memory.subarray(at, at + CODE_BYTES));
    });
  }
}

class WasmDigests {
  constructor(kernel) {
    this.kernel = kernel;
    kernel.memory(kernel.free);
    kernel.exports.sd_digest_begin(kernel.digestState);
  }

  update(bytes) {
    const at = this.kernel.free;
    this.kernel.memory(at + bytes.length).set(bytes, at);
    this.kernel.exports.sd_digest_update(this.kernel.digestState, at, bytes.length);
  }

  /** {md5, sha256} in lower-case hex. */
  finish() {
    const { kernel } = this;
    kernel.exports.sd_digest_finish(kernel.digestState, kernel.digestOut);
    const out = kernel.memory(kernel.free).slice(kernel.digestOut, kernel.digestOut + DIGESTS_BYTES);
    return { md5: hex(out.subarray(0, 16)), sha256: hex(out.subarray(16)) };
  }
}
