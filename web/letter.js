// Writes the letter on the device, so that nothing of it is sent: fills the template with what was typed, copies it, or
// saves it under a name that says nothing. Without JavaScript the same form is answered by the server.

import { saveFile } from './save-file.js';

const form = document.querySelector('[data-letter-form]');
const letter = document.querySelector('[data-letter]');
const text = document.getElementById('letter-text');
const printed = letter.querySelector('.letter-printed');
const status = letter.querySelector('[data-letter-status]');
const template = document.getElementById('letter-template').content.textContent;

function write() {
  const typed = new FormData(form);
  text.value = template.replace(/\{(location|statement|contact|signature)\}/g, (_, name) => typed.get(name).trim());
  printed.textContent = text.value;
}

function save() {
  saveFile(text.value, { name: 'notes.txt', type: 'text/plain' });
  status.textContent = status.dataset.saved;
}

async function copy() {
  try {
    await navigator.clipboard.writeText(text.value);
    status.textContent = status.dataset.copied;
  } catch {
    text.focus();
    text.select();
    status.textContent = status.dataset.notCopied;
  }
}

for (const [name, action] of Object.entries({ copy, save })) {
  const button = letter.querySelector(`[data-letter-${name}]`);
  button.hidden = false;
  button.addEventListener('click', action);
}
document.querySelector('[data-with-script]').hidden = false;
text.addEventListener('input', () => (printed.textContent = text.value));
form.addEventListener('submit', (event) => {
  event.preventDefault();
  write();
  letter.hidden = false;
  text.focus();
});
