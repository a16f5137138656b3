// Writes the letter on the device, so that nothing of it is sent: fills the template with what was typed, copies it, or
// saves it under a name that says nothing. Without JavaScript the same form is answered by the server.

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
  const url = URL.createObjectURL(new Blob([text.value], { type: 'text/plain' }));
  Object.assign(document.createElement('a'), { href: url, download: 'notes.txt' }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // a slow phone may still be writing
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
