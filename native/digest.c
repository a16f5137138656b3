/* digest.c - MD5 (RFC 1321) and SHA-256 (FIPS 180-4) of one stream in one pass.
 *
 * For the browser, where WebCrypto has no MD5 and cannot stream. MD5 is here because partners' lists of exact copies
 * use it; nothing relies on it for security. Freestanding: no libc, no allocation, no mutable static state.
 */
#include "staydown.h"

#define BLOCK_BYTES 64
#define LENGTH_PLACE 56 /* the last eight bytes of the last block hold the length in bits */

typedef struct {
  uint32_t words[8]; /* MD5 uses four */
  uint64_t length;   /* bytes taken */
  uint8_t block[BLOCK_BYTES];
} stream_t;

typedef struct {
  stream_t md5, sha256;
} digests_t;

typedef void block_function(uint32_t *words, const uint8_t *block);

static uint32_t rotate_left(uint32_t x, int bits) { return x << bits | x >> (32 - bits); }
static uint32_t rotate_right(uint32_t x, int bits) { return x >> bits | x << (32 - bits); }

static uint32_t read_little(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t read_big(const uint8_t *p) {
  return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}

/* ---- MD5 ---------------------------------------------------------------------------------------- */

/* RFC 1321, 3.4: floor(2^32 * abs(sin(i + 1))). */
static const uint32_t MD5_SINES[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

/* One round's mixing functions, with the RFC's F and G in the form that needs three operations. */
#define MIX_F(x, y, z) (z ^ (x & (y ^ z)))
#define MIX_G(x, y, z) (y ^ (z & (x ^ y)))
#define MIX_H(x, y, z) (x ^ y ^ z)
#define MIX_I(x, y, z) (y ^ (x | ~z))

#define STEP(MIX, a, b, c, d, place, turn, i) \
  a = b + rotate_left(a + MIX(b, c, d) + message[(place) & 15] + MD5_SINES[i], turn)

/* Sixteen steps: the message words in the order start, start + stride, ...; four turns used in rotation. */
#define ROUND(MIX, base, start, stride, t0, t1, t2, t3)                                     \
  for (int i = 0; i < 16; i += 4) {                                                         \
    STEP(MIX, a, b, c, d, (start) + (stride) * i, t0, (base) + i);                          \
    STEP(MIX, d, a, b, c, (start) + (stride) * (i + 1), t1, (base) + i + 1);                \
    STEP(MIX, c, d, a, b, (start) + (stride) * (i + 2), t2, (base) + i + 2);                \
    STEP(MIX, b, c, d, a, (start) + (stride) * (i + 3), t3, (base) + i + 3);                \
  }

static void md5_block(uint32_t *words, const uint8_t *block) {
  uint32_t message[16], a = words[0], b = words[1], c = words[2], d = words[3];
  for (int i = 0; i < 16; i++) message[i] = read_little(block + 4 * i);
  ROUND(MIX_F, 0, 0, 1, 7, 12, 17, 22)
  ROUND(MIX_G, 16, 1, 5, 5, 9, 14, 20)
  ROUND(MIX_H, 32, 5, 3, 4, 11, 16, 23)
  ROUND(MIX_I, 48, 0, 7, 6, 10, 15, 21)
  words[0] += a, words[1] += b, words[2] += c, words[3] += d;
}

/* ---- SHA-256 ------------------------------------------------------------------------------------ */

/* FIPS 180-4, 4.2.2: fractional parts of the cube roots of the first 64 primes. */
static const uint32_t SHA256_ROOTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static void sha256_block(uint32_t *words, const uint8_t *block) {
  uint32_t schedule[64];
  uint32_t a = words[0], b = words[1], c = words[2], d = words[3];
  uint32_t e = words[4], f = words[5], g = words[6], h = words[7];
  for (int i = 0; i < 16; i++) schedule[i] = read_big(block + 4 * i);
  for (int i = 16; i < 64; i++) {
    uint32_t x = schedule[i - 15], y = schedule[i - 2];
    uint32_t low = rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3;
    uint32_t high = rotate_right(y, 17) ^ rotate_right(y, 19) ^ y >> 10;
    schedule[i] = schedule[i - 16] + low + schedule[i - 7] + high;
  }
  for (int i = 0; i < 64; i++) {
    uint32_t sum_e = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
    uint32_t sum_a = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
    uint32_t choice = g ^ (e & (f ^ g)), majority = (a & b) | (c & (a | b));
    uint32_t first = h + sum_e + choice + SHA256_ROOTS[i] + schedule[i], second = sum_a + majority;
    h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
  }
  words[0] += a, words[1] += b, words[2] += c, words[3] += d;
  words[4] += e, words[5] += f, words[6] += g, words[7] += h;
}

/* ---- what both have in common: blocks of 64 bytes, then 0x80, zeros and the length --------------- */

static void take_bytes(stream_t *stream, const uint8_t *bytes, uint32_t length, block_function *take_block) {
  uint32_t held = (uint32_t)stream->length % BLOCK_BYTES;
  stream->length += length;
  if (held) {
    for (; length && held < BLOCK_BYTES; length--) stream->block[held++] = *bytes++;
    if (held < BLOCK_BYTES) return;
    take_block(stream->words, stream->block);
  }
  for (; length >= BLOCK_BYTES; length -= BLOCK_BYTES, bytes += BLOCK_BYTES) take_block(stream->words, bytes);
  for (uint32_t i = 0; i < length; i++) stream->block[i] = bytes[i];
}

static void pad(stream_t *stream, int is_big_endian, block_function *take_block) {
  uint64_t bits = stream->length * 8;
  uint32_t held = (uint32_t)stream->length % BLOCK_BYTES;
  stream->block[held++] = 0x80;
  if (held > LENGTH_PLACE) {
    while (held < BLOCK_BYTES) stream->block[held++] = 0;
    take_block(stream->words, stream->block);
    held = 0;
  }
  while (held < LENGTH_PLACE) stream->block[held++] = 0;
  for (int i = 0; i < 8; i++) {
    stream->block[LENGTH_PLACE + i] = (uint8_t)(bits >> 8 * (is_big_endian ? 7 - i : i));
  }
  take_block(stream->words, stream->block);
}

static void write_words(const uint32_t *words, int count, int is_big_endian, uint8_t *out) {
  for (int i = 0; i < 4 * count; i++) {
    out[i] = (uint8_t)(words[i / 4] >> 8 * (is_big_endian ? 3 - i % 4 : i % 4));
  }
}

uint32_t sd_digest_bytes(void) { return sizeof(digests_t); }

void sd_digest_begin(void *state) {
  static const uint32_t md5_start[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  static const uint32_t sha256_start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  digests_t *digests = state;
  digests->md5.length = digests->sha256.length = 0;
  for (int i = 0; i < 4; i++) digests->md5.words[i] = md5_start[i];
  for (int i = 0; i < 8; i++) digests->sha256.words[i] = sha256_start[i];
}

void sd_digest_update(void *state, const uint8_t *bytes, uint32_t length) {
  digests_t *digests = state;
  take_bytes(&digests->md5, bytes, length, md5_block);
  take_bytes(&digests->sha256, bytes, length, sha256_block);
}

void sd_digest_finish(void *state, uint8_t *out) {
  digests_t *digests = state;
  pad(&digests->md5, 0, md5_block);
  pad(&digests->sha256, 1, sha256_block);
  write_words(digests->md5.words, 4, 0, out);
  write_words(digests->sha256.words, 8, 1, out + 16);
}
