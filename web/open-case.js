// Opens a case without sending the words: the form gets the key derived from them, and the words' field is left out.

import { openKey } from './case-key.js';

const form = document.querySelector('form[data-opens-case]');

form.addEventListener('submit', async (event) => {
  const words = form.elements.key_phrase;
  if (!globalThis.crypto?.subtle || words.disabled) return;
  event.preventDefault();
  const field = Object.assign(document.createElement('input'), { type: 'hidden', name: 'open_key' });
  field.value = await openKey(words.value);
  form.append(field);
  words.disabled = true; // a disabled field is not sent
  form.submit();
});
// After going back the words can be typed again.
window.addEventListener('pageshow', () => {
  form.elements.key_phrase.disabled = false;
  form.querySelector('input[name="open_key"]')?.remove();
});
