// Keeps fingerprints that were sent until an answer has come: if the server cannot be reached, the browser shows a page of
// its own, and what was made would be gone. In this tab only, in its session storage, under a name that tells nothing;
// never the pictures or their names. web/answered.js removes it when an answer is shown, and so does the quick exit.

export const KEPT = 'n';

/** {path, sendId, text} of the last send from this page that had no answer, or null. */
export function keptWork() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT));
    return kept?.path === location.pathname && kept.text ? kept : null;
  } catch {
    return null; // no storage here, or not ours
  }
}

export function keepWork(sendId, text) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ path: location.pathname, sendId, text }));
  } catch {
    // No storage in this browser, or it is full: then sending works as before, without a second try.
  }
}

export function forgetWork() {
  try {
    sessionStorage.removeItem(KEPT);
  } catch {
    // no storage
  }
}
