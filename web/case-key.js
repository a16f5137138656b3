// The words that open a case, made and used on this device: what goes to the server is only the key derived from them.
// staydown.access.rules derives the same (tests/web/test_case_key.py holds the two together).

import { WORDS } from './dist/words.js'; // made by web/build.py from data/words/en.txt

const PHRASE_WORDS = 7;
const SALT = 'staydown open key 1';
const ROUNDS = 600_000;
const KEY_BITS = 256;

/** Words as they are compared, however they were typed. */
export function normalisePhrase(text) {
  return text.normalize('NFKC').toLowerCase().replace(/[-,]/g, ' ').split(/\s+/u).filter(Boolean).join(' ');
}

/** Seven words of the list, each as likely as any other. */
export function makePhrase() {
  const limit = 2 ** 32 - (2 ** 32 % WORDS.length); // numbers beyond it would favour the first words
  const chosen = [];
  while (chosen.length < PHRASE_WORDS) {
    const [number] = crypto.getRandomValues(new Uint32Array(1));
    if (number < limit) chosen.push(WORDS[number % WORDS.length]);
  }
  return chosen.join(' ');
}

/** What the words open a case by: 43 signs of base64url. Takes a blink to a second. */
export async function openKey(phrase) {
  const bytes = new TextEncoder();
  const words = await crypto.subtle.importKey('raw', bytes.encode(normalisePhrase(phrase)), 'PBKDF2', false, ['deriveBits']);
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: bytes.encode(SALT), iterations: ROUNDS };
  const derived = new Uint8Array(await crypto.subtle.deriveBits(how, words, KEY_BITS));
  return btoa(String.fromCharCode(...derived)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

// Between the page that sends and the page that shows, in this tab only; /exit clears it.
const PLACE = 'w';

/** Keeps new words until the person says that they have them. Throws where nothing can be kept. */
export function keepForReceipt(phrase, sendId) {
  sessionStorage.setItem(PLACE, JSON.stringify({ phrase, sendId }));
}

/** {phrase, sendId}: the words that wait for the receipt, and what they were sent with; null if there are none. */
export function keptForReceipt() {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE));
  } catch {
    return null;
  }
}

export function forgetKept() {
  try {
    sessionStorage.removeItem(PLACE);
  } catch {
    // Nothing can have been kept.
  }
}
