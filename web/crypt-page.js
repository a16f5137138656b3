// The page's side of the crypt worker: asks, and waits for the answer. The only script URL that it can make is the worker's.

const WORKER_URL = new URL('./dist/crypt-worker.js', import.meta.url).href;

const policy = globalThis.trustedTypes?.createPolicy('staydown-worker', {
  createScriptURL(url) {
    if (url !== WORKER_URL) throw new TypeError('not the crypt worker');
    return url;
  },
});

/** What the worker refused; `slug` says why. */
export class CryptRefused extends Error {
  constructor(slug) {
    super(slug);
    this.slug = slug;
  }
}

export class CryptWorker {
  constructor() {
    this.waiting = new Map();
    this.lastId = 0;
    this.worker = new Worker(policy ? policy.createScriptURL(WORKER_URL) : WORKER_URL);
    this.worker.addEventListener('message', ({ data }) => this.receive(data));
    this.worker.addEventListener('error', () => this.fail());
  }

  receive({ id, result, refused }) {
    const request = this.waiting.get(id);
    this.waiting.delete(id);
    if (refused) request?.reject(new CryptRefused(refused));
    else request?.resolve(result);
  }

  fail() {
    for (const { reject } of this.waiting.values()) reject(new CryptRefused('not-possible'));
    this.waiting.clear();
  }

  ask(command, values) {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, command, ...values });
    });
  }

  /** Ends the worker, and with it the identity that it holds. */
  stop() {
    this.worker.terminate();
    this.fail();
  }
}
