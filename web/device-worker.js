// The page's side of the fingerprint worker: one request at a time, progress, cancel. This thread hands over
// File handles and never reads a file's bytes. The only script URL that it can make is the worker's.

const WORKER_URL = new URL('./dist/fingerprint-worker.js', import.meta.url).href;

const policy = globalThis.trustedTypes?.createPolicy('staydown-worker', {
  createScriptURL(url) {
    if (url !== WORKER_URL) throw new TypeError('not the fingerprint worker');
    return url;
  },
});

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
    try {
      this.worker = new Worker(policy ? policy.createScriptURL(WORKER_URL) : WORKER_URL);
      this.worker.addEventListener('message', ({ data }) => this.receive(data));
      this.worker.addEventListener('error', () => this.fail());
    } catch {
      this.fail();
    }
  }

  receive({ id, progress, result, refused }) {
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
