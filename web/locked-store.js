// Sends and fetches what the crypt worker has locked. Takes bytes that are age files already; knows no words and no notes.

const PLACE = '/case/notes';

export class NoConnection extends Error {}

/** The server said no; `trouble` is its sentence, `revision` what is stored if another window saved in between. */
export class StoreRefused extends Error {
  constructor({ trouble, revision }) {
    super(trouble);
    this.trouble = trouble;
    this.revision = revision;
  }
}

function plain(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

export class LockedStore {
  constructor(token) {
    this.token = token;
  }

  async call(path, { body = null, type = 'application/json', method = 'POST' } = {}) {
    let answer;
    try {
      const headers = { 'X-CSRFToken': this.token, ...(body && { 'Content-Type': type }) };
      answer = await fetch(PLACE + path, { method, body, headers, credentials: 'same-origin' });
    } catch {
      throw new NoConnection();
    }
    if (answer.ok) return answer;
    let said;
    try {
      said = await answer.json();
    } catch {
      throw new NoConnection(); // not our own answer: something on the way
    }
    throw new StoreRefused(said);
  }

  async tell(path, values = {}) {
    return (await this.call(path, { body: JSON.stringify(values) })).json();
  }

  /** {recipient, wrapped: {kind: bytes}, document, revision, files}, or null. */
  async read() {
    const { notes } = await (await this.call('/stored', { method: 'GET' })).json();
    if (!notes) return null;
    const wrapped = Object.fromEntries(Object.entries(notes.wrapped).map(([kind, text]) => [kind, bytesOf(text)]));
    return { ...notes, wrapped, document: bytesOf(notes.document) };
  }

  whichWords(openKey) {
    return this.tell('/words', { open_key: openKey });
  }

  start({ recipient, kind, wrapped, document }) {
    return this.tell('/start', { recipient, kind, wrapped: plain(wrapped), document: plain(document) });
  }

  wrap({ kind, wrapped }) {
    return this.tell('/wrap', { kind, wrapped: plain(wrapped) });
  }

  async save({ document, revision }) {
    return (await this.tell('/save', { document: plain(document), revision })).revision;
  }

  async addFile(content) {
    const answer = await this.call('/files', { body: content, type: 'application/octet-stream' });
    return (await answer.json()).id;
  }

  async file(id) {
    return new Uint8Array(await (await this.call(`/files/${id}`, { method: 'GET' })).arrayBuffer());
  }

  removeFile(id) {
    return this.tell(`/files/${id}/delete`);
  }

  deleteAll() {
    return this.tell('/delete');
  }
}
