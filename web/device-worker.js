// The page's side of the workers: one request at a time, progress, cancel. This thread hands over File handles and never
// reads a file's bytes. The only script URLs that it can make are those of its workers, without anything after them.

const workerUrl = (name) => new URL(`./dist/${name}-worker.js`, import.meta.url).href;
const WORKER_URLS = ['fingerprint', 'decode', 'heic'].map(workerUrl);

const policy = globalThis.trustedTypes?.createPolicy('staydown-worker', {
  createScriptURL(url) {
    if (!WORKER_URLS.includes(url)) throw new TypeError('not a worker of this page');
    return url;
  },
});

function startWorker(name) {
  const url = workerUrl(name);
  return new Worker(policy ? policy.createScriptURL(url) : url);
}

/** A file without a fingerprint; `slug` says why (web/device/refusal.js), or 'worker-failed'. */
export class Refused extends Error {
  constructor(slug) {
    super(slug);
    this.slug = slug;
  }
}

export class DeviceWorker {
  /** Starts at once, so that the page also works when the connection is cut afterwards. */
  constructor() {
    this.waiting = new Map();
    this.lastId = 0;
    this.failed = false;
    this.decoders = new Map(); // name -> Worker
    try {
      this.worker = startWorker('fingerprint');
      this.worker.addEventListener('message', ({ data }) => this.receive(data));
      this.worker.addEventListener('error', () => this.fail());
    } catch {
      this.fail();
    }
  }

  receive({ id, needs, progress, result, refused }) {
    if (needs) this.startDecoder(needs);
    const request = this.waiting.get(id);
    if (!request) return;
    if (progress !== undefined) {
      request.onProgress?.(progress);
      return;
    }
    this.waiting.delete(id);
    if (refused) request.reject(new Refused(refused));
    else request.resolve(result);
  }

  fail() {
    this.failed = true;
    for (const { reject } of this.waiting.values()) reject(new Refused('worker-failed'));
    this.waiting.clear();
  }

  /**
   * Starts a decoder for what the fingerprint worker cannot decode ('decode', 'heic') and joins the two by a port, over
   * which files and pixels pass by this thread. Nothing to do if it runs. Without a connection it cannot be loaded.
   */
  startDecoder(name) {
    if (this.decoders.has(name) || this.failed) return;
    const lost = () => {
      this.decoders.get(name)?.terminate();
      this.decoders.delete(name);
      this.worker.postMessage({ command: 'connect', name, port: null });
    };
    try {
      const decoder = startWorker(name);
      this.decoders.set(name, decoder);
      decoder.addEventListener('error', lost);
      const { port1, port2 } = new MessageChannel();
      decoder.postMessage({ port: port1 }, [port1]);
      this.worker.postMessage({ command: 'connect', name, port: port2 }, [port2]);
    } catch {
      lost();
    }
  }

  ask(message, { onProgress, signal } = {}) {
    if (this.failed) return Promise.reject(new Refused('worker-failed'));
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, onProgress });
      const cancel = () => this.waiting.has(id) && this.worker.postMessage({ id, command: 'cancel' });
      signal?.addEventListener('abort', cancel, { once: true });
      this.worker.postMessage({ id, ...message });
    });
  }

  /** {pixels: 'exact' | 'falsified' | 'missing', kernel}. */
  selfTest() {
    return this.ask({ command: 'selftest' });
  }

  /** {item, note}. Throws Refused. */
  fingerprint(file, options) {
    return this.ask({ command: 'fingerprint', file }, options);
  }

  /** An ImageBitmap with no side longer than `side`. Throws Refused. */
  smallPicture(file, side) {
    return this.ask({ command: 'picture', file, side });
  }
}
