// Decodes HEIC, which most browsers cannot, by libheif: with the pixels of the server's decoder. A file of its own,
// loaded only when somebody chooses such a picture.

import { HEIC } from './vendor/heic.js'; // web/vendor, put before this by web/build.py
import { colourRule } from './colour-profile.js';
import { checkSize } from './decode.js';
import { serveDecoder } from './decoder-port.js';
import { boxTags } from './file-tags.js';
import { Refusal } from './refusal.js';

let heif = null;

serveDecoder(async (bytes) => {
  const { profile, profiles } = boxTags(bytes);
  if (profiles > 1) throw new Refusal('not-exact'); // which of the pictures each belongs to is not read here
  heif ??= await HEIC.startHeif();
  const decoder = new heif.HeifDecoder();
  const images = decoder.decode(bytes);
  try {
    const primary = images.find((image) => image.is_primary()) ?? images[0];
    if (!primary) throw new Refusal('damaged-file');
    const [width, height] = [primary.get_width(), primary.get_height()];
    checkSize(width, height);
    const target = { data: new Uint8ClampedArray(width * height * 4), width, height };
    const shown = await new Promise((done) => primary.display(target, done));
    if (!shown) throw new Refusal('damaged-file');
    return { ...target, colour: await colourRule(profile, 'RGB') }; // libheif has turned it already
  } finally {
    for (const image of images) image.free();
  }
});
