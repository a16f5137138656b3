// Makes the words of a new case on this device: a form [data-makes-key] is sent with the key that opens the case, in its
// field open_key, and without the words. Where the browser cannot do it the field stays empty and the server makes words.

import { keepForReceipt, keptForReceipt, makePhrase, openKey } from './case-key.js';

for (const form of document.querySelectorAll('form[data-makes-key]')) {
  const prepared = prepare();
  let done = false;
  form.addEventListener('submit', async (event) => {
    if (done || event.defaultPrevented) return;
    event.preventDefault();
    let { phrase, key } = await prepared;
    // A form cannot be sent while its submit event is still being told to others, which a resolved promise does not end.
    await new Promise((resolve) => setTimeout(resolve));
    try {
      if (!key) throw new Error('no words were made');
      const sendId = form.elements.send_id.value;
      const kept = keptForReceipt();
      if (kept?.sendId === sendId) {
        // Sent again, since no answer came: if it did arrive the first time, these are the words that open the case.
        phrase = kept.phrase;
        key = await openKey(phrase);
      }
      keepForReceipt(phrase, sendId);
      form.elements.open_key.value = key;
    } catch {
      form.elements.open_key.value = ''; // the server makes words, and shows them once
    }
    done = true;
    form.requestSubmit(event.submitter ?? undefined);
    done = false; // after going back the same page sends once more, with the same words
  });
}

async function prepare() {
  try {
    const phrase = makePhrase();
    return { phrase, key: await openKey(phrase) };
  } catch {
    return {};
  }
}
