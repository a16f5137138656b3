/* driver_fingerprint.c - walks the fingerprint half of the kernel under the sanitizers, with exact-size memory.
 *
 * Every block is allocated with just the bytes that are asked for, so that one byte too far is found. Prints a
 * checksum, which keeps the compiler from dropping the work; exit 1 says a check failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "staydown.h"

static uint32_t checksum = 2166136261u;

static void check(int holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "failed: %s\n", what);
  exit(1);
}

static void *aligned(size_t bytes) {
  void *memory = NULL;
  check(posix_memalign(&memory, 64, bytes) == 0, "memory");
  memset(memory, 0xA5, bytes); /* nothing may rely on cleared memory */
  return memory;
}

static void add(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) checksum = (checksum ^ bytes[i]) * 16777619u;
}

/* Feeds a picture in strips of `strip` rows, each in its own exact allocation. */
static void photo(int32_t width, int32_t height, int32_t channels, int32_t strip, uint8_t codes[512]) {
  uint32_t bytes = sd_photo_bytes(width, height), seed = 7;
  check(bytes > 0, "a legal size has a state");
  void *state = aligned(bytes);
  int32_t qualities[2];
  check(sd_photo_begin(state, width, height) == 1, "begin");
  check(sd_photo_finish(state, codes, qualities) == -1, "finish without rows is refused");
  for (int32_t y = 0; y < height; y += strip) {
    int32_t rows = height - y < strip ? height - y : strip;
    size_t length = (size_t)rows * (size_t)width * (size_t)channels;
    uint8_t *pixels = malloc(length);
    for (size_t i = 0; i < length; i++) pixels[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
    check(sd_photo_rows(state, pixels, rows, width * channels, channels) == y + rows, "rows are counted");
    free(pixels);
  }
  check(sd_photo_rows(state, codes, 1, width * channels, channels) == height, "surplus rows are not read");
  check(sd_photo_finish(state, codes, qualities) == 0, "finish");
  check(qualities[0] >= 0 && qualities[0] <= 100 && qualities[1] >= 0 && qualities[1] <= 100, "quality in range");
  check(sd_photo_finish(state, codes, qualities) == -1, "a second finish is refused");
  add(codes, 512);
  free(state);
}

static void refusals(void) {
  static const int32_t refused[][2] = {{0, 0}, {4, 9}, {9, 4}, {-1, 9}, {65536, 9}, {9, 65536}, {INT32_MAX, INT32_MAX},
                                       {INT32_MIN, 9}};
  char *state = aligned(64);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    check(sd_photo_bytes(refused[i][0], refused[i][1]) == 0, "a bad size has no state");
    check(sd_photo_begin(state, refused[i][0], refused[i][1]) == 0, "a bad size does not begin");
  }
  check(sd_photo_bytes(65535, 65535) > 0, "the largest side is accepted");
  check(sd_photo_bytes(65535, 65535) < 140u << 20, "the largest state is bounded");
  check(sd_photo_begin(state + 4, 9, 9) == 0, "a state that is not aligned is refused");
  check(sd_photo_begin(NULL, 9, 9) == 0, "no state is refused");
  free(state);
  state = aligned(sd_photo_bytes(9, 9));
  uint8_t row[36] = {0};
  check(sd_photo_begin(state, 9, 9) == 1, "begin");
  check(sd_photo_rows(state, row, 1, 27, 2) == 0, "two channels are refused");
  check(sd_photo_rows(state, row, 1, 26, 3) == 0, "a stride below the row is refused");
  check(sd_photo_rows(state, row, 1, -27, 3) == 0, "a negative stride is refused");
  check(sd_photo_rows(state, row, -1, 27, 3) == 0, "a negative count takes nothing");
  check(sd_photo_rows(state, row, 1, 36, 4) == 1, "a row is taken");
  free(state);
}

static void digests(void) {
  for (uint32_t length = 0; length < 300; length++) {
    uint8_t *bytes = malloc(length + 1), whole[48], parts[48];
    uint8_t *state = aligned(sd_digest_bytes());
    for (uint32_t i = 0; i < length; i++) bytes[i] = (uint8_t)(i * 31 + length);
    sd_digest_begin(state);
    sd_digest_update(state, bytes, length);
    sd_digest_finish(state, whole);
    sd_digest_begin(state);
    for (uint32_t at = 0, step = 1; at < length; at += step, step = step * 2 % 67 + 1) {
      sd_digest_update(state, bytes + at, length - at < step ? length - at : step);
    }
    sd_digest_finish(state, parts);
    check(memcmp(whole, parts, sizeof whole) == 0, "parts give the digest of the whole");
    add(whole, sizeof whole);
    free(state);
    free(bytes);
  }
}

int main(void) {
  static const int32_t sizes[][2] = {{5, 5},     {5, 300},   {300, 5},   {63, 64},    {64, 65},   {127, 128}, {129, 127},
                                     {255, 257}, {512, 512}, {513, 37},  {37, 513},   {1000, 5},  {5, 1000},  {700, 650},
                                     {1, 0},     {65535, 5}, {5, 65535}};
  uint8_t by_strips[512], at_once[512];
  refusals();
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    int32_t width = sizes[i][0], height = sizes[i][1];
    if (height < SD_MIN_SIDE) continue;
    for (int32_t channels = 1; channels <= 4; channels += channels == 1 ? 2 : 1) {
      photo(width, height, channels, height, at_once);
      photo(width, height, channels, 7, by_strips);
      check(memcmp(at_once, by_strips, sizeof at_once) == 0, "strips give the codes of the whole");
    }
  }
  digests();
  printf("%08x\n", checksum);
  return 0;
}
