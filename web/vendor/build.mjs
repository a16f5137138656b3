// Bundles each library of BUNDLES into one committed file, web/vendor/NAME/NAME.js, which defines one constant, and
// lays the licences beside it. web/build.py joins these files into workers, and refuses words that reach a network:
// so every name that could is replaced by `undefined` here. Run by script/vendor-web, with a name for one of them.
//
// To add one: its exact version in package.json (npm install --save-exact), an entry here, an entry file NAME/entry.js
// that exports what the worker needs, script/vendor-web NAME, and the result committed.

import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

// `constant`: what the file defines; `packages`: what it is made of, whose LICENSE is copied.
const BUNDLES = [
  {
    name: 'age',
    constant: 'AGE',
    packages: ['age-encryption', '@noble/ciphers', '@noble/curves', '@noble/hashes', '@noble/post-quantum', '@scure/base'],
  },
  { name: 'colour', constant: 'COLOUR', packages: ['lcms-wasm'] },
  { name: 'decoders', constant: 'DECODERS', packages: ['@jsquash/jpeg', '@jsquash/webp'] },
  { name: 'heic', constant: 'HEIC', packages: ['libheif-js'] },
];

// None of these exists for a bundled library, even if it looks for it.
const NETWORK_NAMES = [
  'fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'WebTransport', 'RTCPeerConnection', 'BroadcastChannel',
  'caches', 'indexedDB', 'eval', 'Function', 'Worker', 'process', 'require',
];
const define = {
  ...Object.fromEntries(
    NETWORK_NAMES.flatMap((name) => ['', 'self.', 'window.', 'globalThis.'].map((on) => [`${on}${name}`, 'undefined'])),
  ),
  importScripts: 'Object', // Emscripten takes it for a worker's sign and asks only whether it is a function
  'import.meta.url': '""',
};

// Words in the libraries' error messages that would look like a way out to web/build.py's check.
const SENTENCES = [
  [/Function (?=')/g, 'Callable '],
  [/ or XMLHttpRequest(?=\.")/g, ''],
];

const sentences = {
  name: 'sentences',
  setup(build) {
    build.onLoad({ filter: /node_modules.*\.m?js$/ }, ({ path }) => ({
      contents: SENTENCES.reduce((text, [found, said]) => text.replace(found, said), readFileSync(path, 'utf8')),
      loader: 'js',
    }));
  },
};

// For speed, libheif's WebAssembly build tells libde265 to leave out the two last filters of HEVC (deblocking and sample
// offsets): de265_set_parameter_bool(decoder, 7 and 8, 1). Samples are then off by one or two, and fingerprints by up to
// 6 bits. Here the 1 becomes 0 in the four places (two for each filter), and the build stops if there are not four.
const FILTERS_LEFT_OUT = [0x41, 0x07, 0x41, 0x01, 0x10]; // i32.const 7, i32.const 1, call; and the same with 8
const exactFilters = {
  name: 'exact-filters',
  setup(build) {
    build.onLoad({ filter: /libheif\.wasm$/ }, ({ path }) => {
      const contents = new Uint8Array(readFileSync(path));
      let changed = 0;
      for (let at = 0; at + FILTERS_LEFT_OUT.length <= contents.length; at++) {
        for (const parameter of [7, 8]) {
          if (FILTERS_LEFT_OUT.every((byte, i) => contents[at + i] === (i === 1 ? parameter : byte))) {
            contents[at + 3] = 0;
            changed += 1;
          }
        }
      }
      if (changed !== 4) throw new Error(`libheif.wasm has the filters' switches in ${changed} places, not in 4`);
      return { contents, loader: 'binary' };
    });
  },
};

function licenceOf(name) {
  const folder = `node_modules/${name}`;
  for (const file of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'LICENCE']) {
    try {
      return readFileSync(`${folder}/${file}`, 'utf8');
    } catch {
      // the next spelling
    }
  }
  throw new Error(`${name} has no licence file`);
}

const wanted = process.argv.slice(2);
for (const { name, constant, packages } of BUNDLES) {
  if (wanted.length && !wanted.includes(name)) continue;
  const versions = packages.map((one) => {
    const { version, license } = JSON.parse(readFileSync(`node_modules/${one}/package.json`, 'utf8'));
    return { one, version, license };
  });
  const said = versions.map(({ one, version, license }) => `${one} ${version} (${license})`).join(', ');
  await build({
    entryPoints: [`${name}/entry.js`],
    outfile: `${name}/${name}.js`,
    bundle: true,
    format: 'iife',
    globalName: constant,
    platform: 'browser',
    target: 'es2022',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'inline',
    charset: 'ascii',
    loader: { '.wasm': 'binary' },
    external: ['node:*', 'fs', 'path', 'module', 'worker_threads'],
    define,
    plugins: [sentences, exactFilters],
    banner: { js: `// ${said}; licences in web/vendor/${name}/. Made by script/vendor-web; do not edit.` },
  });
  for (const { one } of versions) {
    writeFileSync(`${name}/LICENSE.${one.replace('@', '').replace('/', '-')}.txt`, licenceOf(one));
  }
  console.log(`web/vendor/${name}/${name}.js: ${said}`);
}
