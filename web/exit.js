// The quick exit: the link to /exit, or Shift pressed three times. It empties the screen at once and replaces this
// page in the history, so that Back does not return here. It cannot erase what the browser's history already lists.
//
// The link is the page's a[data-exit]; without scripts it is an ordinary link. data-two-more and data-one-more
// on it are what a screen reader hears after the first and second Shift.

const WITHIN_MS = 5000; // three presses in five seconds: as in the GOV.UK component, whose users know it
const PRESSES = 3;

const link = document.querySelector('a[data-exit]') ?? document.querySelector('a[href="/exit"]');
const url = link?.href ?? new URL('/exit', location.origin).href;
let presses = 0;
let firstAt = 0;

function leave() {
  document.documentElement.dataset.leaving = ''; // register.js then asks nothing
  document.body.hidden = true;
  try {
    sessionStorage.clear(); // not every browser does it for the answer's Clear-Site-Data
  } catch {
    // no storage here
  }
  document.title = ' ';
  location.replace(url);
}

const live = document.createElement('p');
live.className = 'visually-hidden';
live.setAttribute('role', 'status');
link?.after(live);

link?.addEventListener('click', (event) => {
  event.preventDefault();
  leave();
});

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Shift') {
    presses = 0; // a capital letter, not a call for the exit
    return;
  }
  if (event.repeat) return;
  if (presses === 0 || event.timeStamp - firstAt > WITHIN_MS) {
    presses = 0;
    firstAt = event.timeStamp;
  }
  presses += 1;
  if (presses >= PRESSES) leave();
  else live.textContent = (presses === 1 ? link?.dataset.twoMore : link?.dataset.oneMore) ?? '';
});

window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted && 'leaving' in document.documentElement.dataset) location.replace(url);
});
