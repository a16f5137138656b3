// Writes a tar archive (POSIX ustar) of a few files with short plain names: what any system opens. No folders, no owners.

const BLOCK = 512;
const END_BLOCKS = 2;

function header(name, size, seconds) {
  const block = new Uint8Array(BLOCK);
  const put = (text, at) => block.set(new TextEncoder().encode(text), at);
  const octal = (value, digits) => value.toString(8).padStart(digits, '0');
  put(name, 0);
  put('0000600\0', 100); // to be read by its owner alone
  put('0000000\0', 108);
  put('0000000\0', 116);
  put(`${octal(size, 11)}\0`, 124);
  put(`${octal(seconds, 11)}\0`, 136);
  put('        ', 148); // the sum counts its own place as spaces
  put('0', 156);
  put('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${octal(sum, 6)}\0 `, 148);
  return block;
}

/** files: [{name: at most 99 plain letters, content: Uint8Array}]; seconds: their time, since 1970. One Uint8Array. */
export function tarOf(files, seconds) {
  const blocks = files.map(({ content }) => 1 + Math.ceil(content.length / BLOCK));
  const archive = new Uint8Array(BLOCK * (blocks.reduce((total, count) => total + count, 0) + END_BLOCKS));
  let at = 0;
  files.forEach(({ name, content }, place) => {
    if (!/^[\w./-]{1,99}$/.test(name)) throw new Error('a name that tar might not keep');
    archive.set(header(name, content.length, seconds), at);
    archive.set(content, at + BLOCK);
    at += blocks[place] * BLOCK;
  });
  return archive;
}
