/* fuzz_digest.c - fuzzes the digests: however a stream is cut, MD5 and SHA-256 are those of the whole. */
#include "reading.h"
#include "staydown.h"

static void *begun(void) {
  void *state = exactly(sd_digest_bytes());
  memset(state, 0xA5, sd_digest_bytes());
  sd_digest_begin(state);
  return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  reading input = {bytes, length};
  uint8_t expected[48], found[48];
  uint32_t turns = take_byte(&input);
  uint8_t *copy = exactly(input.left);
  uint32_t count = (uint32_t)input.left;
  memcpy(copy, input.bytes, count);
  void *whole = begun(), *parts = begun();
  sd_digest_update(whole, copy, count);
  for (uint32_t done = 0; done < count;) {
    uint32_t now = (turns + copy[done]) % 150;
    if (now > count - done) now = count - done;
    uint8_t *part = exactly(now);
    memcpy(part, copy + done, now);
    sd_digest_update(parts, part, now);
    free(part);
    done += now;
    if (!now) turns++;
  }
  sd_digest_finish(whole, expected);
  sd_digest_finish(parts, found);
  must(memcmp(expected, found, sizeof expected) == 0, "parts leave no trace");
  free(whole);
  free(parts);
  free(copy);
  return 0;
}
