// The reasons why a file gets no fingerprint. The slugs are those of staydown.fingerprint.errors where the
// server knows the same reason; the page turns a slug into a sentence. A reason never quotes the file.

export class Refusal extends Error {
  /** slug: empty-file, unknown-format, damaged-file, unreadable-file, too-many-pixels, too-small, file-too-large, cancelled */
  constructor(slug) {
    super(slug);
    this.name = 'Refusal';
    this.slug = slug;
  }
}
