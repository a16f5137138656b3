// The native kernel (native/fingerprint.c, native/digest.c) as WebAssembly, with the same two classes as
// kernel-js.js and digest-js.js. Memory stays bounded: the kernel keeps rows, not pictures. The module
// imports nothing, so it can call nothing.

import { hex } from './kernel-js.js';

const PAGE = 65536;
const CODE_BYTES = 32;
const DIHEDRAL_COUNT = 8;
const CODES_BYTES = 2 * DIHEDRAL_COUNT * CODE_BYTES;
const DIGESTS_BYTES = 48; // MD5 (16), then SHA-256 (32)
const ABI = 1; // SD_ABI in staydown.h
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

  photo(width, height) {
    return new WasmPhoto(this, width, height);
  }

  digests() {
    return new WasmDigests(this);
  }
}

class WasmPhoto {
  constructor(kernel, width, height) {
    const stateBytes = kernel.exports.sd_photo_bytes(width, height) >>> 0;
    if (stateBytes === 0) throw new RangeError('too small');
    this.kernel = kernel;
    this.width = width;
    this.state = kernel.free;
    this.codes = aligned(this.state + stateBytes);
    this.qualities = this.codes + CODES_BYTES;
    this.strip = aligned(this.qualities + 8);
    kernel.memory(this.strip);
    if (kernel.exports.sd_photo_begin(this.state, width, height) !== 1) throw new RangeError('size refused');
  }

  /** pixels: rows x width x 4 bytes (red, green, blue, ignored). */
  rows(pixels, rows) {
    const stride = this.width * 4;
    this.kernel.memory(this.strip + rows * stride).set(pixels.subarray(0, rows * stride), this.strip);
    this.kernel.exports.sd_photo_rows(this.state, this.strip, rows, stride, 4);
  }

  /** {pdq, pdq512}, each {quality: 0..100, codes: eight hex strings in pdqhash's order}. */
  finish() {
    const { kernel, codes, qualities } = this;
    if (kernel.exports.sd_photo_finish(this.state, codes, qualities) !== 0) throw new Error('rows are missing');
    const memory = kernel.memory(this.strip);
    const view = new DataView(memory.buffer);
    const scale = (index) => ({
      quality: view.getInt32(qualities + 4 * index, true),
      codes: Array.from({ length: DIHEDRAL_COUNT }, (_, turn) => {
        const at = codes + (index * DIHEDRAL_COUNT + turn) * CODE_BYTES;
        return hex(memory.subarray(at, at + CODE_BYTES));
      }),
    });
    return { pdq: scale(0), pdq512: scale(1) };
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
