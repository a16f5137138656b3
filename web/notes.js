// The page of private notes. The crypt worker locks and opens; this page shows, and sends and fetches what is locked.
// Words and notes are never kept: they go when the page goes, when it is locked, or after ten minutes of doing nothing.

import { normalisePhrase, openKey } from './case-key.js';
import { message } from './file-list.js';
import { CryptWorker } from './crypt-page.js';
import { LockedStore, NoConnection, StoreRefused } from './locked-store.js';
import { saveFile } from './save-file.js';

const IDLE_MS = 10 * 60_000;
const PICTURE_SIDE = 320;
const FORMAT = 1;

const element = (id) => document.getElementById(id);
const copyOf = (id) => element(id).content.firstElementChild.cloneNode(true);
const store = new LockedStore(document.querySelector('[name=csrfmiddlewaretoken]').value);

let worker = null;
let stored = null; // what the server has: {recipient, wrapped, document, revision, files}; null without notes
let notes = null; // {version, items, advocates} while open
let dirty = false;
let idle = 0;
let dropped = []; // files to delete once a save has gone through

// ---- telling

function tell(name, values) {
  element('status').textContent = name ? message(name, values) : '';
  element('trouble').hidden = true;
}

function complain(text) {
  const box = element('trouble');
  box.firstElementChild.textContent = text;
  box.hidden = false;
  box.focus();
}

/** Runs one action of the person; whatever goes wrong is said, and nothing is lost. */
async function act(work) {
  stayOpen();
  try {
    await work();
  } catch (error) {
    if (error instanceof NoConnection) complain(message('no-connection'));
    else if (error instanceof StoreRefused) complain(error.trouble);
    else complain(message(error.slug === 'other-words' || error.slug === 'no-recipient' ? error.slug : 'not-possible'));
  }
}

function stayOpen() {
  clearTimeout(idle);
  if (notes) idle = setTimeout(lock, IDLE_MS);
}

// ---- opening and locking

async function unlock() {
  const phrase = normalisePhrase(element('phrase').value);
  tell('opening');
  worker?.stop();
  worker = new CryptWorker();
  stored = await store.read(); // another window may have saved, or these were saved and locked here
  if (stored === null) {
    const { kind } = await store.whichWords(await openKey(phrase));
    const empty = { version: FORMAT, items: [], advocates: [] };
    const { recipient, wrapped, document: locked } = await worker.ask('start', { phrase, notes: empty });
    await store.start({ recipient, kind, wrapped, document: locked });
    stored = await store.read();
    notes = empty;
  } else {
    const { document: locked, wrapped } = stored;
    ({ notes } = await worker.ask('open', { phrase, document: locked, wrapped: Object.values(wrapped) }));
  }
  element('phrase').value = '';
  element('locked').hidden = true;
  element('opened').hidden = false;
  dirty = false;
  show();
  tell('open');
  stayOpen();
}

async function lock() {
  if (dirty) await act(save);
  if (dirty) return; // could not be saved: stays open, so that nothing is lost
  worker?.stop();
  worker = null;
  notes = null;
  dropped = [];
  clearTimeout(idle);
  element('items').replaceChildren();
  element('advocates').replaceChildren();
  element('opened').hidden = true;
  element('locked').hidden = false;
  element('first-time').hidden = stored !== null;
  tell('locked');
  element('phrase').focus();
}

// ---- saving

function changed() {
  dirty = true;
  tell('unsaved');
  stayOpen();
}

async function save() {
  tell('saving');
  let merged = false;
  for (;;) {
    const { document: locked } = await worker.ask('lock', { notes });
    try {
      stored.revision = await store.save({ document: locked, revision: stored.revision });
      break;
    } catch (error) {
      if (!(error instanceof StoreRefused) || error.revision === undefined || merged) throw error;
      stored = await store.read();
      join((await worker.ask('read', { document: stored.document })).notes);
      merged = true;
    }
  }
  dirty = false;
  const kept = new Set(notes.items.flatMap((item) => item.files.map((file) => file.id)));
  const gone = dropped.filter((id) => !kept.has(id));
  dropped = [];
  for (const id of gone) await store.removeFile(id);
  if (merged) show();
  tell(merged ? 'merged' : 'saved');
}

/** What another window saved, beside what is here: nothing of either is lost. */
function join(theirs) {
  const mine = new Map(notes.items.map((item) => [item.id, JSON.stringify(item)]));
  for (const item of theirs.items) {
    if (mine.get(item.id) === JSON.stringify(item)) continue;
    notes.items.push(mine.has(item.id) ? { ...item, id: crypto.randomUUID() } : item);
  }
  const known = new Set(notes.advocates.map((one) => one.recipient));
  notes.advocates.push(...theirs.advocates.filter((one) => !known.has(one.recipient)));
}

// ---- showing

function show() {
  element('items').replaceChildren(...notes.items.map(itemRow));
  element('advocates').replaceChildren(...notes.advocates.map(advocateRow));
  element('none-yet').hidden = notes.items.length > 0;
}

function titleOf(item) {
  return item.site || item.link || message('untitled', { number: notes.items.indexOf(item) + 1 });
}

function itemRow(item) {
  const row = copyOf('item');
  const summary = row.querySelector('[data-summary]');
  summary.textContent = titleOf(item);
  for (const field of row.querySelectorAll('[data-field]')) {
    const name = field.dataset.field;
    field.id = `${item.id}-${name}`;
    row.querySelector(`[data-for="${name}"]`).htmlFor = field.id;
    field.value = item[name] ?? '';
    field.addEventListener('input', () => {
      item[name] = field.value;
      summary.textContent = titleOf(item);
      changed();
    });
  }
  const file = row.querySelector('[data-file]');
  for (const choice of row.querySelectorAll('[data-adult]')) {
    choice.name = `${item.id}-adult`;
    choice.addEventListener('change', () => {
      if (choice.dataset.adult === 'no') leaveForMinors();
      else file.disabled = false;
    });
  }
  file.addEventListener('change', () => act(() => attach(item, file, row)));
  row.querySelector('[data-files]').replaceChildren(...item.files.map((one) => fileRow(item, one, row)));
  row.querySelector('[data-remove]:not(li li [data-remove])').addEventListener('click', () => removeItem(item));
  return row;
}

function leaveForMinors() {
  dirty = false; // nothing was read, and what was typed about it is not kept
  location.assign('/help/under-18');
}

function removeItem(item) {
  const place = notes.items.indexOf(item);
  notes.items.splice(place, 1);
  dropped.push(...item.files.map((file) => file.id));
  show();
  changed();
  const undo = Object.assign(document.createElement('button'), { type: 'button', className: 'button secondary' });
  undo.textContent = message('undo-button');
  undo.addEventListener('click', () => {
    notes.items.splice(place, 0, item);
    dropped = dropped.filter((id) => !item.files.some((file) => file.id === id));
    show();
    changed();
  });
  tell('undo');
  element('status').append(' ', undo);
  undo.focus();
}

// ---- files

async function attach(item, chooser, row) {
  const [file] = chooser.files;
  if (!file) return;
  const { content, sha256 } = await worker.ask('lockFile', { file });
  const id = await store.addFile(content);
  item.files.push({ id, name: file.name, type: file.type, bytes: file.size, sha256, kept: new Date().toISOString() });
  chooser.value = '';
  chooser.disabled = true; // the question is asked anew for the next one
  for (const choice of row.querySelectorAll('[data-adult]')) choice.checked = false;
  row.querySelector('[data-files]').replaceChildren(...item.files.map((one) => fileRow(item, one, row)));
  await save();
  tell('file-locked', { name: file.name });
}

function fileRow(item, file, itemElement) {
  const row = copyOf('file');
  row.querySelector('[data-name]').textContent = file.name;
  row.querySelector('[data-show]').addEventListener('click', () =>
    act(async () => {
      const place = row.querySelector('[data-picture]');
      if (place.firstChild) return place.replaceChildren();
      const content = await store.file(file.id);
      let bitmap;
      try {
        bitmap = await worker.ask('picture', { content, side: PICTURE_SIDE });
      } catch {
        return complain(message('no-picture'));
      }
      const canvas = Object.assign(document.createElement('canvas'), { width: bitmap.width, height: bitmap.height });
      canvas.getContext('2d').drawImage(bitmap, 0, 0);
      canvas.setAttribute('role', 'img');
      canvas.setAttribute('aria-label', file.name);
      place.replaceChildren(canvas);
    }),
  );
  row.querySelector('[data-remove]').addEventListener('click', () => {
    item.files.splice(item.files.indexOf(file), 1);
    dropped.push(file.id);
    row.remove();
    changed();
    itemElement.querySelector('[data-file]').focus();
  });
  return row;
}

// ---- people, and taking everything along

function advocateRow(advocate) {
  const row = copyOf('advocate-row');
  row.querySelector('[data-name]').textContent = advocate.name;
  row.querySelector('[data-fingerprint]').textContent = advocate.fingerprint;
  row.querySelector('[data-remove]').addEventListener('click', () => {
    notes.advocates.splice(notes.advocates.indexOf(advocate), 1);
    row.remove();
    changed();
  });
  return row;
}

async function addAdvocate() {
  const recipient = element('advocate-key').value.trim();
  const { fingerprint } = await worker.ask('recipient', { recipient });
  notes.advocates.push({ name: element('advocate-name').value.trim(), recipient, fingerprint });
  element('advocate').reset();
  show();
  changed();
}

async function exportNotes(to) {
  const files = [];
  const named = structuredClone(notes);
  for (const item of named.items) {
    for (const file of item.files) {
      const ending = /\.([a-z0-9]{1,5})$/i.exec(file.name)?.[1].toLowerCase() ?? 'bin';
      file.stored = `file-${files.length + 1}.${ending}`;
      files.push({ name: file.stored, content: await store.file(file.id) });
    }
  }
  const seconds = Math.floor(Date.now() / 1000);
  const { content } = await worker.ask('export', { notes: named, files, seconds, ...to });
  saveFile(content, { name: 'notes.age', type: 'application/octet-stream' });
  tell('exported');
}

// ---- starting

function onSubmit(id, work) {
  element(id).addEventListener('submit', (event) => {
    event.preventDefault();
    act(work);
  });
}

onSubmit('unlock', unlock);
onSubmit('advocate', addAdvocate);
onSubmit('wrap', async () => {
  const phrase = normalisePhrase(element('wrap-words').value);
  const { kind } = await store.whichWords(await openKey(phrase));
  const { wrapped } = await worker.ask('wrap', { phrase });
  await store.wrap({ kind, wrapped });
  stored.wrapped[kind] = wrapped;
  element('wrap').reset();
  tell('wrapped');
});
element('add').addEventListener('click', () => {
  const recorded = new Date().toISOString().slice(0, 16).replace('T', ' ') + ' UTC';
  notes.items.push({ id: crypto.randomUUID(), recorded, files: [] });
  show();
  changed();
  element('items').lastElementChild.querySelector('[data-field]').focus();
});
element('save').addEventListener('click', () => act(save));
element('lock').addEventListener('click', lock);
element('export-phrase').addEventListener('click', () => {
  element('export-again').hidden = false;
  element('export-words').focus();
});
element('export-now').addEventListener('click', () =>
  act(async () => {
    const phrase = normalisePhrase(element('export-words').value);
    await store.whichWords(await openKey(phrase)); // a slip here would lock the file for ever
    element('export-words').value = '';
    element('export-again').hidden = true;
    await exportNotes({ phrase });
  }),
);
element('export-keys').addEventListener('click', () =>
  act(async () => {
    if (!notes.advocates.length) return complain(message('nobody'));
    await exportNotes({ recipients: notes.advocates.map((one) => one.recipient) });
  }),
);
element('delete').addEventListener('click', () => {
  element('delete-again').hidden = false;
  element('keep').focus();
});
element('keep').addEventListener('click', () => (element('delete-again').hidden = true));
element('delete-now').addEventListener('click', () =>
  act(async () => {
    await store.deleteAll();
    stored = null;
    dirty = false;
    element('delete-again').hidden = true;
    await lock();
    tell('deleted');
  }),
);
window.addEventListener('beforeunload', (event) => {
  if (dirty && !('leaving' in document.documentElement.dataset)) event.preventDefault();
});

element('with-script').hidden = false;
act(async () => {
  stored = await store.read();
  element('first-time').hidden = stored !== null;
});
