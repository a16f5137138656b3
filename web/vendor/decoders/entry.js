// The decoders of a browser whose canvas cannot be trusted: libjpeg (mozjpeg) and libwebp. Each call starts a
// decoder of its own, so that its memory goes when the picture is done.
import jpegFactory from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import jpegBytes from '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm';
import webpFactory from '@jsquash/webp/codec/dec/webp_dec.js';
import webpBytes from '@jsquash/webp/codec/dec/webp_dec.wasm';

/** {decode, said}: the library's decoder, and what it said about the file meanwhile. */
function starter(factory, bytes) {
  let compiled = null;
  return async () => {
    compiled ??= await WebAssembly.compile(bytes);
    const said = [];
    const module = await factory({
      noInitialRun: true,
      locateFile: (name) => name,
      print: (text) => said.push(text),
      printErr: (text) => said.push(text),
      instantiateWasm(imports, done) {
        const instance = new WebAssembly.Instance(compiled, imports);
        done(instance, compiled);
        return instance.exports;
      },
    });
    return { module, said };
  };
}

export const startJpeg = starter(jpegFactory, jpegBytes);
export const startWebp = starter(webpFactory, webpBytes);
