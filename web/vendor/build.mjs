// Bundles each library of BUNDLES into one committed file, web/vendor/NAME/NAME.js, which defines one constant, and
// lays the licences beside it. web/build.py joins these files into workers, and refuses words that reach a network:
// so every name that could is replaced by `undefined` here. Run by script/vendor-web, with a name for one of them.
//
// To add one: its exact version in package.json (npm install --save-exact), an entry here, an entry file NAME/entry.js
// that exports what the worker needs, script/vendor-web NAME, and the result committed.

import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

// `constant`: what the file defines; `packages`: what it is made of, whose LICENSE is copied.
const BUNDLES = [];

// None of these exists for a bundled library, even if it looks for it.
const NETWORK_NAMES = [
  'fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'WebTransport', 'RTCPeerConnection', 'importScripts',
  'SharedWorker', 'BroadcastChannel', 'caches', 'indexedDB', 'eval', 'Function', 'Worker', 'process', 'require',
];
const define = Object.fromEntries(
  NETWORK_NAMES.flatMap((name) => ['', 'self.', 'window.', 'globalThis.'].map((on) => [`${on}${name}`, 'undefined'])),
);

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
for (const { name, constant, packages, patches = [] } of BUNDLES) {
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
    plugins: [{ name: 'patches', setup: (build) => patches.forEach((patch) => patch(build)) }],
    banner: { js: `// ${said}; licences in web/vendor/${name}/. Made by script/vendor-web; do not edit.` },
  });
  for (const { one } of versions) {
    writeFileSync(`${name}/LICENSE.${one.replace('@', '').replace('/', '-')}.txt`, licenceOf(one));
  }
  console.log(`web/vendor/${name}/${name}.js: ${said}`);
}
