// Feeds raw pictures to a wasm kernel, as the survivor site's worker does, and prints what it gives.
// node run_wasm.mjs KERNEL.wasm JOBS.json -> one JSON list. A job: {digest: file, part} or
// {file, width, height, channels, strip, step, flags, view}: width and height at full size; view: a rectangle or nothing.
import { readFileSync } from "node:fs";

const [kernelPath, jobsPath] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(kernelPath));
const imports = WebAssembly.Module.imports(module);
if (imports.length) throw new Error("the kernel imports something");

function instance() {
  return new WebAssembly.Instance(module, {}).exports;
}

// Memory from the heap base upwards, grown as needed.
function reserver(kernel) {
  let next = kernel.__heap_base.value;
  return (bytes) => {
    const at = (next + 63) & ~63;
    next = at + bytes;
    const missing = next - kernel.memory.buffer.byteLength;
    if (missing > 0) kernel.memory.grow(Math.ceil(missing / 65536));
    return at;
  };
}

function bytesAt(kernel, at, length) {
  return new Uint8Array(kernel.memory.buffer, at, length);
}

function photo({ file, width, height, channels, strip, step, flags, view }) {
  const kernel = instance();
  const reserve = reserver(kernel);
  const pixels = readFileSync(file);
  const fedHeight = Math.ceil(height / step);
  const stride = Math.ceil(width / step) * channels;
  const state = reserve(kernel.sd_photo_bytes(width, height, step, flags));
  const rows = reserve(strip * stride);
  const out = reserve(512 + 16);
  if (kernel.sd_photo_begin(state, width, height, step, flags) !== 1) throw new Error("refused");
  for (let y = 0; y < fedHeight; y += strip) {
    const count = Math.min(strip, fedHeight - y);
    bytesAt(kernel, rows, count * stride).set(pixels.subarray(y * stride, (y + count) * stride));
    kernel.sd_photo_rows(state, rows, count, stride, channels);
  }
  if (kernel.sd_photo_finish(state, out, out + 512, out + 520) !== 0) throw new Error("rows are missing");
  const codes = Buffer.from(bytesAt(kernel, out, 512)).toString("hex");
  const qualities = [...new Int32Array(kernel.memory.buffer, out + 512, 2)];
  const margin = Math.min(...new Float32Array(kernel.memory.buffer, out + 520, 2));
  if (!view) return { codes, qualities, margin };
  const quality = kernel.sd_photo_view(state, ...view, out);
  return { codes, qualities, margin, view: [Buffer.from(bytesAt(kernel, out, 256)).toString("hex"), quality] };
}

function digest({ digest: file, part }) {
  const kernel = instance();
  const reserve = reserver(kernel);
  const data = readFileSync(file);
  const state = reserve(kernel.sd_digest_bytes());
  const buffer = reserve(part);
  const out = reserve(48);
  kernel.sd_digest_begin(state);
  for (let at = 0; at < data.length; at += part) {
    const piece = data.subarray(at, at + part);
    bytesAt(kernel, buffer, piece.length).set(piece);
    kernel.sd_digest_update(state, buffer, piece.length);
  }
  kernel.sd_digest_finish(state, out);
  return { digests: Buffer.from(bytesAt(kernel, out, 48)).toString("hex") };
}

const jobs = JSON.parse(readFileSync(jobsPath, "utf8"));
console.log(JSON.stringify(jobs.map((job) => (job.digest ? digest(job) : photo(job)))));
