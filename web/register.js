// The page on which fingerprints are made: chooses files, shows what was made of each, and lets an ordinary form
// send the result. It never sends by itself, and it computes nothing before the age question is answered with yes.

import { DeviceWorker } from './device-worker.js';
import { FileList, message } from './file-list.js';
import { forgetWork, keepWork, keptWork } from './kept-work.js';
import { SentText, itemsOf, submissionText } from './sent-text.js';

const MAX_ITEMS = 100; // what the server takes in one form

const element = (id) => document.getElementById(id);
const form = element('register');
const chooser = element('files');
const field = element('fingerprints');
const progress = element('progress');
const live = element('live');
const sendButton = element('send');
const cancelButton = element('cancel');
const exact = element('exact');

const device = new DeviceWorker();
const entries = []; // {name, file, item: what will be sent or null, state}
const list = new FileList(element('file-list'), {
  onRemove: removeEntry,
  makePicture: (file, side) => device.smallPicture(file, side),
});
const sentText = new SentText({
  total: element('exact-total'),
  files: element('exact-files'),
  whole: element('exact-text'),
});
let queue = [];
let running = null; // AbortController of the run
let sending = false;
const ownSendId = form.elements.send_id.value;
let pixels = 'exact'; // what the self-test says (web/device/selftest.js)

// ---- the age question

function ageAnswered() {
  const answer = form.querySelector('input[name="adult"]:checked')?.value;
  if (answer === 'no') {
    stop();
    sending = true; // nothing here is worth a warning on the way out
    forgetWork();
    location.assign(form.dataset.under18Url);
    return;
  }
  chooser.disabled = answer !== 'yes' || device.failed;
  refresh();
}

// ---- the list

function ready() {
  return entries.filter((entry) => entry.item);
}

function payload() {
  return submissionText(ready().map((entry) => entry.item));
}

function refresh() {
  const count = ready().length;
  const adult = form.querySelector('input[name="adult"]:checked')?.value === 'yes';
  field.value = payload();
  sendButton.disabled = count === 0 || running !== null || !adult;
  element('work').hidden = running === null;
  element('chosen').hidden = entries.length === 0;
  element('what-is-sent').hidden = count === 0;
  if (exact.open) sentText.show(ready());
}

function removeEntry(entry, nextFocus) {
  entries.splice(entries.indexOf(entry), 1);
  queue = queue.filter((waiting) => waiting !== entry);
  entry.abort?.abort();
  live.textContent = message('removed', { name: entry.name });
  (nextFocus ?? chooser).focus();
  refresh();
}

function addEntry(entry) {
  entries.push(entry);
  list.add(entry);
}

// ---- choosing and making

function filesChosen() {
  const files = [...chooser.files];
  chooser.value = ''; // the page keeps its own list; the same file may be chosen again after removing it
  const room = Math.max(0, MAX_ITEMS - entries.length);
  showLeftOut(files.slice(room), files.length);
  for (const file of files.slice(0, room)) {
    const entry = { name: file.name, file, item: null };
    addEntry(entry);
    list.show(entry, 'waiting', message('waiting'));
    queue.push(entry);
  }
  if (queue.length && running === null) run();
}

function showLeftOut(files, chosen) {
  const notice = element('left-out');
  notice.hidden = files.length === 0;
  if (!files.length) return;
  const text = message('left-out', { chosen, limit: MAX_ITEMS, rest: files.length });
  element('left-out-text').textContent = text;
  element('left-out-names').replaceChildren(
    ...files.map((file) => Object.assign(document.createElement('li'), { textContent: file.name })),
  );
  live.textContent = text;
}

async function run() {
  running = new AbortController();
  let done = 0;
  refresh();
  while (queue.length) {
    const entry = queue.shift();
    progress.max = done + 1 + queue.length;
    live.textContent = message('working-on', { number: done + 1, total: progress.max });
    await make(entry, (part) => (progress.value = done + part));
    progress.value = ++done;
    field.value = payload();
  }
  running = null;
  live.textContent = message('all-done', { ready: ready().length, total: entries.length });
  refresh();
  form.dataset.state = 'done';
}

/** Whether another worker opens this file. HEIC's is fetched now, before a byte of the file is read; most people need none. */
function openedByOtherWorker(file) {
  const isHeic = /\.hei[cf]$/i.test(file.name) || /^image\/hei[cf]/.test(file.type);
  if (isHeic) device.startDecoder('heic');
  return isHeic || (pixels !== 'exact' && !file.type.startsWith('video/'));
}

async function make(entry, onProgress) {
  delete form.dataset.state;
  const slow = openedByOtherWorker(entry.file);
  list.show(entry, 'working', message(slow ? 'working-slow' : 'working'));
  entry.abort = new AbortController();
  const signal = AbortSignal.any ? AbortSignal.any([entry.abort.signal, running.signal]) : running.signal;
  try {
    const { item, note } = await device.fingerprint(entry.file, { onProgress, signal });
    if (!entries.includes(entry)) return;
    if (entries.some((other) => other.item?.sha256 === item.sha256)) {
      list.show(entry, 'refused', message('already-chosen'));
      return;
    }
    entry.item = item;
    list.show(entry, note ? 'exact-only' : 'ready', message(note ? `note-${note}` : 'ready'));
  } catch (error) {
    list.show(entry, 'refused', message(`refused-${error.slug ?? 'worker-failed'}`));
  } finally {
    entry.abort = null;
  }
}

function stop() {
  for (const entry of queue) list.show(entry, 'refused', message('refused-cancelled'));
  queue = [];
  running?.abort();
}

// ---- starting

/** After a refused send the server gives the fingerprints back: the files need not be chosen again. */
function takeBackWhatWasSent() {
  for (const [index, item] of itemsOf(field.value).entries()) {
    const entry = { name: message('made-before', { number: index + 1 }), file: null, item };
    addEntry(entry);
    list.show(entry, 'ready', message('ready'));
  }
}

/** A send that had no answer: offered again, and never sent by itself. */
function offerKept() {
  const answered = field.value !== ''; // the server has given this page back, with what it got
  if (answered) forgetWork();
  element('kept').hidden = answered || keptWork() === null;
}

/** The same text is sent under the same number: if it did arrive the first time, nothing is stored twice. */
function sendIdOf(text) {
  const kept = keptWork();
  return kept?.text === text ? kept.sendId : ownSendId;
}

function useKept() {
  field.value = keptWork().text;
  element('kept').hidden = true;
  takeBackWhatWasSent();
  refresh();
  live.textContent = message('kept-is-back', { ready: ready().length });
  const unanswered = form.querySelector('input[name="adult"]:checked')?.value !== 'yes';
  (unanswered ? element('adult-yes') : sendButton).focus();
}

function tellConnection(state) {
  const notice = element('connection');
  notice.hidden = false;
  notice.textContent = message(state);
}

async function tellWhatThisBrowserCanDo() {
  try {
    const test = await device.selfTest();
    pixels = test.pixels;
    element('pixels-notice').hidden = pixels === 'exact';
    if (pixels !== 'exact') device.startDecoder('decode');
    document.documentElement.dataset.kernel = test.kernel;
  } catch {
    element('worker-notice').hidden = false;
    chooser.disabled = true;
  }
}

for (const choice of form.querySelectorAll('input[name="adult"]')) choice.addEventListener('change', ageAnswered);
chooser.addEventListener('change', filesChosen);
cancelButton.addEventListener('click', stop);
exact.addEventListener('toggle', refresh);
element('show-pictures').addEventListener('click', ({ currentTarget: button }) => {
  const shown = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', String(shown));
  list.showPictures(shown);
});
form.addEventListener('submit', (event) => {
  if (sendButton.disabled) {
    event.preventDefault(); // Enter in a field while files are still being read
    return;
  }
  if (!navigator.onLine) {
    event.preventDefault(); // the browser would leave this page for one of its own
    tellConnection('offline');
    return;
  }
  form.elements.send_id.value = sendIdOf(field.value);
  keepWork(form.elements.send_id.value, field.value);
  sending = true;
});
window.addEventListener('online', () => !element('connection').hidden && tellConnection('online'));
element('use-kept').addEventListener('click', useKept);
element('forget-kept').addEventListener('click', () => {
  forgetWork();
  element('kept').hidden = true;
  chooser.focus();
});
// Asks before unsent work is lost; but never stands in the way of the quick exit (web/exit.js).
window.addEventListener('beforeunload', (event) => {
  const leaving = 'leaving' in document.documentElement.dataset;
  if (!sending && !leaving && entries.length) event.preventDefault();
});
window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted) sending = false;
});

element('with-script').hidden = false;
offerKept();
takeBackWhatWasSent();
ageAnswered();
tellWhatThisBrowserCanDo();
