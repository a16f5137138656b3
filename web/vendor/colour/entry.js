// Little CMS, the library that the server converts colours with: from an embedded profile to sRGB.
import lcmsFactory from 'lcms-wasm';
import lcmsBytes from 'lcms-wasm/dist/lcms.wasm';

/** Little CMS, with its C functions as `_cms...`. */
export async function startColour() {
  const compiled = await WebAssembly.compile(lcmsBytes);
  return lcmsFactory({
    locateFile: (name) => name,
    print: () => {},
    printErr: () => {},
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(compiled, imports);
      done(instance, compiled);
      return instance.exports;
    },
  });
}
