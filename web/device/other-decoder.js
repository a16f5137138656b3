// Decoding by another worker, where this browser's own decoder cannot be used: the page starts that worker and joins the
// two by a port, over which the file's handle goes there and rows of pixels come back. The page sees neither.
// The other end is web/device/decoder-port.js.

import { checkSize, MAX_PICTURE_BYTES } from './decode.js';
import { Refusal } from './refusal.js';

const WAIT_MS = 100; // how often "cancel" is looked for while the other worker is busy

export class OtherDecoders {
  /** need(name): asks the page for the worker of this name, which answers by `connect`. */
  constructor(need) {
    this.need = need;
    this.joined = new Map(); // name -> {ready: promise of a port or null, answer}
    this.jobs = 0;
  }

  entry(name) {
    if (!this.joined.has(name)) {
      const entry = {};
      entry.ready = new Promise((answer) => (entry.answer = answer));
      this.joined.set(name, entry);
    }
    return this.joined.get(name);
  }

  /** port: null if the worker could not be started, or has stopped; it may be asked for again. */
  connect(name, port) {
    const entry = this.entry(name);
    if (port) {
      entry.answer(port);
      return;
    }
    this.joined.delete(name);
    entry.answer(null);
    entry.lost?.();
  }

  /** As decode.js's decodePicture, by the worker of this name. Throws Refusal; 'decoder-missing' if it cannot be had. */
  async decode(name, file, kind, { begin, take, pause }) {
    if (file.size > MAX_PICTURE_BYTES) throw new Refusal('file-too-large');
    const entry = this.entry(name);
    this.need(name);
    const port = await patiently(entry.ready, pause);
    if (!port) throw new Refusal('decoder-missing');
    const job = ++this.jobs;
    const messages = inbox(port, job, entry);
    let [height, done] = [0, 0];
    try {
      port.postMessage({ job, file, kind });
      for (;;) {
        const message = await patiently(messages.next(), pause, height && done / height);
        if (message.refused) throw new Refusal(message.refused);
        if (message.done) return;
        if (message.width) {
          checkSize(message.width, message.height);
          begin(message.width, message.height);
          height = message.height;
        } else {
          take(message.pixels, message.rows);
          port.postMessage({ job, command: 'taken' });
          done += message.rows;
          await pause(done / height);
        }
      }
    } catch (error) {
      port.postMessage({ job, command: 'stop' });
      throw error;
    } finally {
      port.onmessage = entry.lost = null;
    }
  }
}

/** Messages of one job, in order; a worker that has stopped gives a last one. */
function inbox(port, job, entry) {
  const waiting = [];
  let wake = null;
  const put = (message) => {
    waiting.push(message);
    wake?.();
  };
  port.onmessage = ({ data }) => data.job === job && put(data);
  entry.lost = () => put({ refused: 'decoder-missing' });
  return {
    async next() {
      while (!waiting.length) await new Promise((resume) => (wake = resume));
      return waiting.shift();
    },
  };
}

/** The promise's value; meanwhile pause() lets "cancel" in, which throws. */
async function patiently(promise, pause, done = 0) {
  const nothing = {};
  for (;;) {
    let timer;
    const tick = new Promise((resume) => (timer = setTimeout(resume, WAIT_MS, nothing)));
    const value = await Promise.race([promise, tick]);
    clearTimeout(timer);
    if (value !== nothing) return value;
    await pause(done);
  }
}
