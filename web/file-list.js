// The rows of the list of chosen files: name, state, an optional small picture, and a button that removes the row.
// Text enters by textContent only; small pictures are drawn on a canvas, so no address of a picture ever exists.

const SMALL_SIDE = 96;

/** A sentence of the page's <template id="messages">, with {names} filled in. */
export function message(key, values = {}) {
  const found = document.getElementById('messages').content.querySelector(`[data-message="${key}"]`);
  return found.textContent.trim().replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export class FileList {
  constructor(list, { onRemove, makePicture }) {
    this.list = list;
    this.rowTemplate = document.getElementById('file-row');
    this.onRemove = onRemove;
    this.makePicture = makePicture;
    this.rows = new Map();
    this.picturesShown = false;
  }

  add(entry) {
    const row = this.rowTemplate.content.firstElementChild.cloneNode(true);
    row.querySelector('.file-name').textContent = entry.name;
    const remove = row.querySelector('button');
    remove.querySelector('.visually-hidden').textContent = entry.name;
    remove.addEventListener('click', () => this.remove(entry));
    this.rows.set(entry, row);
    this.list.append(row);
    this.list.hidden = false;
  }

  remove(entry) {
    const row = this.rows.get(entry);
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.rows.delete(entry);
    this.list.hidden = this.rows.size === 0;
    this.onRemove(entry, neighbour?.querySelector('button') ?? null);
  }

  /** state: waiting, working, ready, exact-only or refused; CSS may mark it, the words alone say it. */
  show(entry, state, text) {
    const row = this.rows.get(entry);
    if (!row) return;
    row.dataset.state = state;
    const status = row.querySelector('.file-status');
    status.textContent = text;
    status.classList.toggle('error-message', state === 'refused');
    if (this.picturesShown) this.draw(entry);
  }

  async showPictures(shown) {
    this.picturesShown = shown;
    for (const [entry, row] of this.rows) {
      if (shown) await this.draw(entry);
      else row.querySelector('.file-picture').replaceChildren();
    }
  }

  async draw(entry) {
    const place = this.rows.get(entry)?.querySelector('.file-picture');
    if (!place || place.firstChild || !entry.file || !entry.item) return;
    try {
      const bitmap = await this.makePicture(entry.file, SMALL_SIDE);
      if (!this.picturesShown || place.firstChild) {
        bitmap.close();
        return;
      }
      const canvas = document.createElement('canvas');
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      canvas.setAttribute('role', 'img');
      canvas.setAttribute('aria-label', message('small-picture-of', { name: entry.name }));
      canvas.getContext('bitmaprenderer').transferFromImageBitmap(bitmap);
      place.append(canvas);
    } catch {
      // A video, or a kind of picture that this browser cannot draw: the name stays.
    }
  }
}
