// Looks again every three seconds while the platform is still at work, unless somebody is using the page.
const EVERY_MS = 3000;

setInterval(() => {
  if (document.hidden || document.activeElement !== document.body) return;
  location.reload();
}, EVERY_MS);
