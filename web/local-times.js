// Adds the reader's own time behind each UTC time of the page: <time datetime="2026-11-22T15:30:00Z">. The UTC text
// stays, because a deadline must read the same for everyone. Says nothing where the reader's clock is UTC.

const format = new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
  year: 'numeric',
  month: 'long',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
  numberingSystem: 'latn', // the digits that the page itself uses
});

for (const time of document.querySelectorAll('time[datetime]')) {
  const text = time.getAttribute('datetime');
  const moment = new Date(text);
  const isMoment = /T.*(Z|[+-]\d\d:?\d\d)$/.test(text) && !Number.isNaN(moment.getTime()); // not a bare date
  if (!isMoment || moment.getTimezoneOffset() === 0) continue;
  const local = document.createElement('bdi');
  local.className = 'local-time';
  local.textContent = ` (${format.format(moment)})`;
  time.after(local);
}
