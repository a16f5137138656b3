// libheif with libde265, for photos of phones that no browser but Safari opens. LGPL: this file is separate, is made by
// script/vendor-web from the published package (with two switches turned: build.mjs), and can be replaced by another build.
import heifFactory from 'libheif-js/libheif-wasm/libheif.js';
import heifBytes from 'libheif-js/libheif-wasm/libheif.wasm';

export function startHeif() {
  return heifFactory({ wasmBinary: heifBytes, locateFile: (name) => name, print: () => {}, printErr: () => {} });
}
