// Lets the person keep the receipt: save it as a file with a name that says nothing, copy it, or print it.
// Words that this device made are filled in here; they are forgotten when the person says that they kept them.
//
// DOM: [data-receipt] holds [data-receipt-text] (what is copied), optionally script#receipt-file of type
// application/json (what is saved instead), buttons [data-receipt-save|copy|print], and
// [data-receipt-status] with data-saved, data-copied and data-not-copied. Buttons start hidden.

import { forgetKept, keptForReceipt, normalisePhrase } from './case-key.js';
import { saveFile } from './save-file.js';

const receipt = document.querySelector('[data-receipt]');
const part = (name) => receipt?.querySelector(`[data-receipt-${name}]`);
const text = () => part('text').textContent.trim();
const tell = (key) => {
  if (part('status')) part('status').textContent = part('status').dataset[key] ?? '';
};

function save() {
  const file = document.getElementById('receipt-file');
  const type = file ? 'application/json' : 'text/plain';
  const name = receipt.dataset.fileName || (file ? 'notes.json' : 'notes.txt');
  saveFile(file?.textContent ?? `${text()}\n`, { name, type });
  tell('saved');
}

async function copy() {
  try {
    await navigator.clipboard.writeText(text());
    tell('copied');
  } catch {
    getSelection().selectAllChildren(part('text')); // no permission: selected, so that one key copies it
    tell('notCopied');
  }
}

for (const [name, action] of [['save', save], ['copy', copy], ['print', () => window.print()]]) {
  const button = part(name);
  if (!button) continue;
  button.hidden = false;
  button.addEventListener('click', action);
}

// ---- words that were made on this device

const phrase = document.getElementById('key-phrase');
const waiting = keptForReceipt();
// On the page that says that something was sent before: the words are shown if they are those of that very send.
const again = document.querySelector('[data-words-again]');
if (again && waiting?.sendId === again.dataset.wordsAgain) {
  again.hidden = false;
  for (const other of document.querySelectorAll('[data-words-shown-before]')) other.hidden = true;
}
if (phrase && 'madeHere' in phrase.dataset && !again?.hidden) {
  phrase.textContent = waiting?.phrase ?? '';
  if (!phrase.textContent) receipt.querySelector('[data-words-lost]').hidden = false;
}
for (const link of document.querySelectorAll('[data-kept]')) link.addEventListener('click', forgetKept);

// ---- typed back to check

function compare() {
  const told = part('compared');
  const wanted = normalisePhrase(phrase.textContent).split(' ');
  const typed = normalisePhrase(document.getElementById('typed-back').value).split(' ').filter(Boolean);
  const different = wanted.findIndex((word, place) => word !== typed[place]);
  if (typed.length !== wanted.length) {
    told.textContent = told.dataset.count.replace('{wanted}', wanted.length).replace('{typed}', typed.length);
  } else {
    told.textContent = different < 0 ? told.dataset.same : told.dataset.other.replace('{number}', different + 1);
  }
}

if (part('check')) {
  part('check').hidden = false;
  part('compare').addEventListener('click', compare);
  document.getElementById('typed-back').addEventListener('keydown', (event) => {
    if (event.key === 'Enter') compare();
  });
}
