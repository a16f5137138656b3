// Locks and opens private notes. The identity that opens them is made here, is wrapped by the person's words here, and
// leaves this worker only so wrapped. It is served with a policy of its own, like the other workers: no network.
//
// In:  {id, command, ...}, out: {id, result} or {id, refused: slug}. Commands stand in COMMANDS.

import { AGE } from './vendor/age.js';
import { Refusal } from './refusal.js';
import { tarOf } from './notes-tar.js';

// 2^15 rounds of scrypt take 32 MiB and a fifth of a second: what a phone can bear, behind 74 bits of random words.
const SCRYPT_LOG_ROUNDS = 15;
const READABLE = ['link', 'site', 'account', 'posted', 'recorded', 'words', 'messages', 'reports', 'more'];

let identity = null;
let recipient = null;

async function encrypted(content, { recipients = [], phrase = null }) {
  const encrypter = new AGE.Encrypter();
  if (phrase === null) {
    recipients.forEach((one) => encrypter.addRecipient(one));
  } else {
    encrypter.setScryptWorkFactor(SCRYPT_LOG_ROUNDS);
    encrypter.setPassphrase(phrase);
  }
  return encrypter.encrypt(content);
}

async function decrypted(content, open) {
  const decrypter = new AGE.Decrypter();
  open(decrypter);
  return decrypter.decrypt(content, 'uint8array');
}

function checkOpen() {
  if (identity === null) throw new Refusal('locked');
}

const text = (value) => new TextEncoder().encode(value);
const own = (content) => decrypted(content, (decrypter) => decrypter.addIdentity(identity));
const forUs = (content) => encrypted(content, { recipients: [recipient] });

async function digest(content) {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  return Array.from(sum, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const COMMANDS = {
  /** {phrase, notes} -> {recipient, wrapped, document}: new notes. */
  async start({ phrase, notes }) {
    identity = await AGE.generateX25519Identity();
    recipient = await AGE.identityToRecipient(identity);
    const wrapped = await encrypted(text(identity), { phrase });
    return { recipient, wrapped, document: await forUs(text(JSON.stringify(notes))) };
  },

  /** {phrase, wrapped: [Uint8Array], document} -> {notes} */
  async open({ phrase, wrapped, document }) {
    for (const one of wrapped) {
      try {
        identity = new TextDecoder().decode(await decrypted(one, (decrypter) => decrypter.addPassphrase(phrase)));
      } catch {
        continue; // other words
      }
      recipient = await AGE.identityToRecipient(identity); // never the server's word for it: it could name a key of its own
      return { notes: JSON.parse(new TextDecoder().decode(await own(document))) };
    }
    throw new Refusal('other-words');
  },

  /** {phrase} -> {wrapped}: the identity, locked by other words too. */
  async wrap({ phrase }) {
    checkOpen();
    return { wrapped: await encrypted(text(identity), { phrase }) };
  },

  /** {notes} -> {document} */
  async lock({ notes }) {
    checkOpen();
    return { document: await forUs(text(JSON.stringify(notes))) };
  },

  /** {document} -> {notes} */
  async read({ document }) {
    checkOpen();
    return { notes: JSON.parse(new TextDecoder().decode(await own(document))) };
  },

  /** {file} -> {content: locked, sha256} of the file as it was chosen. */
  async lockFile({ file }) {
    checkOpen();
    const content = new Uint8Array(await file.arrayBuffer());
    return { content: await forUs(content), sha256: await digest(content) };
  },

  /** {content, side} -> ImageBitmap, for this page's eyes only. */
  async picture({ content, side }) {
    checkOpen();
    const whole = await createImageBitmap(new Blob([await own(content)]));
    const scale = Math.min(1, side / Math.max(whole.width, whole.height));
    return createImageBitmap(whole, {
      resizeWidth: Math.max(1, Math.round(whole.width * scale)),
      resizeHeight: Math.max(1, Math.round(whole.height * scale)),
    });
  },

  /** {recipient} -> {fingerprint}: the key of somebody else, if it is one, and eight signs to compare by telephone. */
  async recipient({ recipient: theirs }) {
    try {
      await encrypted(text(''), { recipients: [theirs] });
    } catch {
      throw new Refusal('no-recipient');
    }
    return { fingerprint: (await digest(text(theirs))).slice(0, 8) };
  },

  /** {notes, files: [{name, content: locked}], phrase or recipients, seconds} -> {content}: one age file with a tar. */
  async export({ notes, files, phrase = null, recipients = [], seconds }) {
    checkOpen();
    const parts = [
      { name: 'notes.txt', content: text(readable(notes)) },
      { name: 'notes.json', content: text(JSON.stringify(notes, null, 2)) },
    ];
    for (const { name, content } of files) parts.push({ name, content: await own(content) });
    const sums = await Promise.all(parts.map(async ({ name, content }) => `${await digest(content)}  ${name}\n`));
    parts.push({ name: 'SHA256SUMS', content: text(sums.join('')) });
    const to = phrase === null ? { recipients: [recipient, ...recipients] } : { phrase };
    return { content: await encrypted(tarOf(parts, seconds), to) };
  },
};

/** The notes as plain lines, for whoever opens the archive without this site. */
function readable(notes) {
  return notes.items
    .map((item, place) => {
      const lines = READABLE.filter((name) => item[name]).map((name) => `${name}: ${item[name]}`);
      const files = item.files.map((file) => `file: ${file.stored} (${file.name}, SHA-256 ${file.sha256})`);
      return [`${place + 1}.`, ...lines, ...files, ''].join('\n');
    })
    .join('\n');
}

self.addEventListener('message', async ({ data }) => {
  const { id, command } = data;
  try {
    const result = await COMMANDS[command](data);
    postMessage({ id, result }, result instanceof ImageBitmap ? [result] : []);
  } catch (error) {
    postMessage({ id, refused: error instanceof Refusal ? error.slug : 'not-possible' });
  }
});
