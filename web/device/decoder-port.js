// The other end of web/device/other-decoder.js: in a worker that can decode what the fingerprint worker cannot. It gets a
// File handle, and gives upright rows of pixels over white, a few strips at a time, to that one port and to nobody else.
// The port comes from the page, which can see neither.
//
// In:  {job, file, kind} | {job, command: 'taken'} (a strip; more may come) | {job, command: 'stop'}
// Out: {job, width, height}, then {job, pixels, rows} ..., then {job, done: true}; or {job, refused: slug}

import { Refusal } from './refusal.js';
import { uprightSize, uprightStrips } from './upright.js';

const STRIPS_UNDERWAY = 2; // one is coded while the next is made

/** decode(bytes, kind) gives {width, height, data, orientation, colour} or throws Refusal. */
export function serveDecoder(decode) {
  self.addEventListener('message', ({ data: { port } }) => serve(port, decode));
}

function serve(port, decode) {
  let running = null; // {job, room, wake, stopped}
  port.onmessage = async ({ data }) => {
    if (data.command) {
      if (running?.job !== data.job) return;
      if (data.command === 'stop') running.stopped = true;
      else running.room += 1;
      running.wake?.();
      return;
    }
    const { job, file, kind } = data;
    running = { job, room: STRIPS_UNDERWAY, wake: null, stopped: false };
    try {
      const picture = await decode(new Uint8Array(await file.arrayBuffer()), kind);
      await send(port, running, picture);
    } catch (error) {
      port.postMessage({ job, refused: slugOf(error) });
    }
  };
}

async function send(port, running, picture) {
  const { job } = running;
  port.postMessage({ job, ...uprightSize(picture) });
  for (const { pixels, rows } of uprightStrips(picture)) {
    while (running.room === 0 && !running.stopped) await new Promise((wake) => (running.wake = wake));
    if (running.stopped) return;
    running.room -= 1;
    port.postMessage({ job, pixels, rows }, [pixels.buffer]);
  }
  port.postMessage({ job, done: true });
}

function slugOf(error) {
  if (error instanceof Refusal) return error.slug;
  if (error.name === 'NotReadableError' || error.name === 'NotFoundError') return 'unreadable-file';
  return 'not-exact'; // a decoder that fails says nothing about the file: digests only
}
