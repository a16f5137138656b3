// Saves something as a file of this device, under a name that says nothing about this site.

export function saveFile(content, { name, type }) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // a slow phone may still be writing
}
