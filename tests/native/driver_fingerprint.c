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

/* Views at every corner, and what is refused. */
static void views(void *state, int32_t width, int32_t height, int32_t flags) {
  uint8_t codes[256];
  static const int32_t refused[][4] = {{-1, 0, 5, 5}, {0, -1, 5, 5}, {0, 0, 4, 5}, {0, 0, 5, 4}, {0, 0, INT32_MAX, 5},
                                       {0, 0, 5, INT32_MAX}, {INT32_MAX, 0, 5, 5}, {0, INT32_MAX, 5, 5}};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    const int32_t *r = refused[i];
    check(sd_photo_view(state, r[0], r[1], r[2], r[3], codes) == -1, "a rectangle outside is refused");
  }
  if (!(flags & SD_KEEP_PLANE)) {
    check(sd_photo_view(state, 0, 0, width, height, codes) == -1, "no plane, no view");
    check(sd_photo_plane_width(state) == 0 && sd_photo_plane(state, NULL) == -1, "no plane");
    return;
  }
  for (int32_t part = 1; part <= 3; part += 2) {
    int32_t w = width / part < 5 ? 5 : width / part, h = height / part < 5 ? 5 : height / part;
    int32_t places[][2] = {{0, 0}, {width - w, 0}, {0, height - h}, {width - w, height - h}, {(width - w) / 2, (height - h) / 2}};
    for (size_t i = 0; i < 5; i++) {
      int32_t quality = sd_photo_view(state, places[i][0], places[i][1], w, h, codes);
      check(quality >= 0 && quality <= 100, "a view has a quality");
      add(codes, 256);
    }
  }
  size_t values = (size_t)sd_photo_plane_width(state) * (size_t)sd_photo_plane_height(state);
  float *plane = malloc(values * sizeof *plane);
  check(sd_photo_plane(state, plane) == 0, "the plane");
  for (size_t i = 0; i < values; i++) check(plane[i] >= 0 && plane[i] <= 255, "luma in range");
  free(plane);
}

/* Feeds a picture in strips of `strip` rows, each in its own exact allocation. */
static void photo_as(int32_t width, int32_t height, int32_t step, int32_t flags, int32_t channels, int32_t strip,
                     uint8_t codes[512]) {
  uint32_t bytes = sd_photo_bytes(width, height, step, flags), seed = 7;
  check(bytes > 0, "a legal size has a state");
  void *state = aligned(bytes);
  int32_t qualities[2], fed_width = (width + step - 1) / step, fed_height = (height + step - 1) / step;
  float margins[2];
  check(sd_photo_begin(state, width, height, step, flags) == 1, "begin");
  check(sd_photo_finish(state, codes, qualities, margins) == -1, "finish without rows is refused");
  check(sd_photo_view(state, 0, 0, width, height, codes) == -1, "a view before the end is refused");
  for (int32_t y = 0; y < fed_height; y += strip) {
    int32_t rows = fed_height - y < strip ? fed_height - y : strip;
    size_t length = (size_t)rows * (size_t)fed_width * (size_t)channels;
    uint8_t *pixels = malloc(length);
    for (size_t i = 0; i < length; i++) pixels[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
    check(sd_photo_rows(state, pixels, rows, fed_width * channels, channels) == y + rows, "rows are counted");
    free(pixels);
  }
  check(sd_photo_rows(state, codes, 1, fed_width * channels, channels) == fed_height, "surplus rows are not read");
  check(sd_photo_finish(state, codes, qualities, margins) == 0, "finish");
  check(margins[0] >= 0 && margins[1] >= 0, "margins are distances");
  check(qualities[0] >= 0 && qualities[0] <= 100 && qualities[1] >= 0 && qualities[1] <= 100, "quality in range");
  check(sd_photo_finish(state, codes, qualities, margins) == -1, "a second finish is refused");
  add(codes, 512);
  views(state, width, height, flags);
  free(state);
}

/* One of the other ways to take a picture, chosen by `turn` so that all of them meet all kinds of sizes. */
static void another_way(int32_t width, int32_t height, int32_t channels, int32_t strip, size_t turn) {
  static const int32_t ways[][2] = {{1, SD_FAST | SD_KEEP_PLANE}, {2, SD_FAST | SD_KEEP_PLANE}, {1, SD_KEEP_PLANE},
                                    {4, SD_FAST | SD_KEEP_PLANE}, {8, SD_FAST | SD_KEEP_PLANE}, {1, SD_FAST}};
  const int32_t *way = ways[turn % (sizeof ways / sizeof *ways)];
  uint8_t ignored[512];
  photo_as(width, height, way[0], way[1], channels, strip, ignored);
}

static void refusals(void) {
  static const int32_t refused[][2] = {{0, 0}, {4, 9}, {9, 4}, {-1, 9}, {65536, 9}, {9, 65536}, {INT32_MAX, INT32_MAX},
                                       {INT32_MIN, 9}};
  char *state = aligned(64);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    check(sd_photo_bytes(refused[i][0], refused[i][1], 1, 0) == 0, "a bad size has no state");
    check(sd_photo_begin(state, refused[i][0], refused[i][1], 1, 0) == 0, "a bad size does not begin");
  }
  check(sd_photo_bytes(65535, 65535, 1, 0) > 0, "the largest side is accepted");
  check(sd_photo_bytes(65535, 65535, 1, SD_KEEP_PLANE) < 170u << 20, "the largest state is bounded");
  check(sd_photo_bytes(65535, 65535, 1, SD_FAST | SD_KEEP_PLANE) < 40u << 20, "the fast path needs less");
  for (int32_t step = -1; step <= 16; step++) {
    int is_step = step == 1 || step == 2 || step == 4 || step == 8;
    check((sd_photo_bytes(99, 99, step, SD_FAST) > 0) == is_step, "steps are 1, 2, 4 and 8");
    check((sd_photo_bytes(99, 99, step, 0) > 0) == (step == 1), "the exact path has no step");
  }
  check(sd_photo_bytes(99, 99, 1, 4) == 0 && sd_photo_bytes(99, 99, 1, -1) == 0, "unknown flags are refused");
  check(sd_photo_begin(state + 4, 9, 9, 1, 0) == 0, "a state that is not aligned is refused");
  check(sd_photo_begin(NULL, 9, 9, 1, 0) == 0, "no state is refused");
  free(state);
  state = aligned(sd_photo_bytes(9, 9, 1, 0));
  uint8_t row[36] = {0};
  check(sd_photo_begin(state, 9, 9, 1, 0) == 1, "begin");
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
      photo_as(width, height, 1, 0, channels, height, at_once);
      photo_as(width, height, 1, 0, channels, 7, by_strips);
      check(memcmp(at_once, by_strips, sizeof at_once) == 0, "strips give the codes of the whole");
      for (size_t turn = 0; turn < 2; turn++) another_way(width, height, channels, turn ? 7 : height, 2 * i + turn);
    }
  }
  digests();
  printf("%08x\n", checksum);
  return 0;
}
