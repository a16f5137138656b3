// What the form will send, as text: for the form, and file by file for the person to look at first. It shows the very
// text that the form's field holds and adds nothing to it; names of files are only beside it, never in it.
// Text enters the page by textContent only.

import { message } from './file-list.js';

/** One file's part of the text, each code on a line of its own. item: as the device made it. */
function itemText({ codes, ...rest }) {
  const start = JSON.stringify(rest).slice(0, -1);
  return `${start},"codes":[${codes.map((code) => `\n${JSON.stringify(code)}`).join(',')}]}`;
}

/** The whole text: docs/reference/submission.md. Empty if there is nothing to send. */
export function submissionText(items) {
  return items.length ? `{"version":1,"items":[\n${items.map(itemText).join(',\n')}\n]}` : '';
}

/** The items of such a text, or none if it is no such text. */
export function itemsOf(text) {
  try {
    return JSON.parse(text).items.filter(({ codes }) => Array.isArray(codes));
  } catch {
    return [];
  }
}

/** The part of the page under "See exactly what will be sent". */
export class SentText {
  constructor({ total, files, whole }) {
    Object.assign(this, { total, files, whole });
    this.rowTemplate = document.getElementById('sent-row');
    this.rows = new Map();
  }

  /** entries: {name, item}. What was opened stays open. */
  show(entries) {
    const text = submissionText(entries.map(({ item }) => item));
    const codes = entries.reduce((count, { item }) => count + item.codes.length, 0);
    const kilobytes = Math.ceil(text.length / 1000);
    this.total.textContent = message('sent-total', { files: entries.length, codes, kilobytes });
    this.whole.textContent = text;
    for (const [entry, row] of this.rows) {
      if (entries.includes(entry)) continue;
      row.remove();
      this.rows.delete(entry);
    }
    for (const entry of entries) if (!this.rows.has(entry)) this.add(entry);
  }

  add(entry) {
    const row = this.rowTemplate.content.firstElementChild.cloneNode(true);
    const text = row.querySelector('pre');
    row.querySelector('.file-name').textContent = entry.name;
    row.querySelector('.file-status').textContent = message('sent-codes', { codes: entry.item.codes.length });
    text.setAttribute('aria-label', message('sent-text-of', { name: entry.name }));
    row.querySelector('details').addEventListener('toggle', () => {
      text.textContent = itemText(entry.item); // only now: a hundred files have a third of a megabyte of text
    });
    this.rows.set(entry, row);
    this.files.append(row);
  }
}
