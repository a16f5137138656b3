/* fuzz_photo.c - fuzzes one photo: sizes, steps, flags, channels, strips, strides, views, and calls out of order.
 *
 * What it holds against the kernel beside the sanitizers: a refused size has no state; the codes do not depend on how
 * the rows were cut into strips; qualities and luma stay in their ranges.
 */
#include "reading.h"
#include "staydown.h"

/* A usual run is kept short; now and then one may have any side. */
#define MOST_USUAL_SAMPLES 6000
#define MOST_SAMPLES 327675
#define SELDOM 0xA53C /* no number that the fuzzer is fond of */

typedef struct {
  int32_t width, height, step, flags, channels;
} plan;

static void *begun(const plan *p) {
  uint32_t bytes = sd_photo_bytes(p->width, p->height, p->step, p->flags);
  void *state = NULL;
  if (!bytes) {
    uint64_t nothing[8];
    must(!sd_photo_begin(nothing, p->width, p->height, p->step, p->flags), "what has no state cannot begin");
    return NULL;
  }
  must(posix_memalign(&state, 64, bytes) == 0, "memory");
  memset(state, 0xA5, bytes); /* nothing may rely on cleared memory */
  must(sd_photo_begin(state, p->width, p->height, p->step, p->flags), "what has a state begins");
  return state;
}

static void check_views(void *state, const plan *p, reading *input) {
  uint8_t codes[256];
  for (int i = 0; i < 4; i++) {
    int32_t left = (int32_t)take_number(input, 4), top = (int32_t)take_number(input, 4);
    int32_t width = (int32_t)take_number(input, 4), height = (int32_t)take_number(input, 4);
    if (i & 1) { /* half of them inside, if there is an inside */
      left = (int32_t)((uint32_t)left % (uint32_t)p->width), top = (int32_t)((uint32_t)top % (uint32_t)p->height);
      width = 1 + (int32_t)((uint32_t)width % (uint32_t)(p->width - left));
      height = 1 + (int32_t)((uint32_t)height % (uint32_t)(p->height - top));
    }
    int32_t quality = sd_photo_view(state, left, top, width, height, codes);
    must(quality >= -1 && quality <= 100, "a view's quality is in range");
  }
  size_t values = (size_t)sd_photo_plane_width(state) * (size_t)sd_photo_plane_height(state);
  must((values != 0) == ((p->flags & SD_KEEP_PLANE) != 0), "there is a plane if one was asked for");
  if (!values) return;
  float *plane = exactly(values * sizeof *plane);
  must(sd_photo_plane(state, plane) == 0, "the plane is there");
  for (size_t i = 0; i < values; i++) must(plane[i] >= 0 && plane[i] <= 255, "luma is in range");
  free(plane);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  reading input = {bytes, length};
  uint8_t shape = take_byte(&input);
  plan p = {.width = (int32_t)take_number(&input, 2), .height = (int32_t)take_number(&input, 2)};
  p.step = 1 << (shape & 3);
  p.flags = shape >> 2 & 3;
  p.channels = (const int32_t[]){1, 3, 4, 3}[shape >> 4 & 3];
  if (shape & 0x40) { /* any number at all */
    p.width = (int32_t)take_number(&input, 4), p.height = (int32_t)take_number(&input, 4);
    p.step = (int32_t)take_number(&input, 1), p.flags = (int32_t)take_number(&input, 1);
  }
  int is_large = take_number(&input, 2) == SELDOM;
  if (p.width >= 5 && p.height >= 5 && p.width <= 65535 && p.height <= 65535) {
    int32_t most = is_large ? MOST_SAMPLES : MOST_USUAL_SAMPLES;
    if (p.width > most / 5) p.width = 5 + p.width % (most / 5 - 4);
    if (p.height > most / p.width) p.height = 5 + p.height % (most / p.width - 4);
  }
  void *whole = begun(&p);
  if (!whole) return 0;
  void *parts = begun(&p);
  int32_t fed_width = (p.width + p.step - 1) / p.step, fed_height = (p.height + p.step - 1) / p.step;
  int32_t row_bytes = fed_width * p.channels, gap = take_byte(&input) & 15;
  uint8_t codes[2][512];
  int32_t qualities[2];
  float margins[2];
  must(sd_photo_finish(whole, codes[0], qualities, margins) == -1, "no codes without rows");

  /* The pixels: what is left of the input, over and over, so that a short input still makes a picture. */
  size_t count = (size_t)row_bytes * (size_t)fed_height;
  uint8_t *pixels = exactly(count);
  reading strips = input;
  for (size_t i = 0; i < count; i++) pixels[i] = input.left ? input.bytes[i % input.left] ^ (uint8_t)(i / input.left) : 77;
  must(sd_photo_rows(whole, pixels, fed_height, row_bytes, 2) == 0, "two channels are refused");
  must(sd_photo_rows(whole, pixels, fed_height, row_bytes - 1, p.channels) == 0, "a short stride is refused");
  must(sd_photo_rows(whole, pixels, fed_height, row_bytes, p.channels) == fed_height, "all rows are taken");
  must(sd_photo_rows(whole, pixels, 1, row_bytes, p.channels) == fed_height, "a row too many is not taken");
  for (int32_t row = 0; row < fed_height;) {
    int32_t rows = 1 + take_byte(&strips) % 9;
    if (rows > fed_height - row) rows = fed_height - row;
    int32_t stride = row_bytes + gap;
    uint8_t *strip = exactly((size_t)(rows - 1) * (size_t)stride + (size_t)row_bytes);
    for (int32_t i = 0; i < rows; i++)
      memcpy(strip + (size_t)i * (size_t)stride, pixels + (size_t)(row + i) * (size_t)row_bytes, (size_t)row_bytes);
    row += rows;
    must(sd_photo_rows(parts, strip, rows, stride, p.channels) == row, "a strip is taken");
    free(strip);
  }
  free(pixels);
  must(sd_photo_finish(whole, codes[0], qualities, margins) == 0, "codes");
  must(qualities[0] >= 0 && qualities[0] <= 100 && qualities[1] >= 0 && qualities[1] <= 100, "qualities in range");
  must(sd_photo_finish(whole, codes[1], qualities, margins) == -1, "codes are given once");
  must(sd_photo_finish(parts, codes[1], qualities, margins) == 0, "codes of strips");
  must(memcmp(codes[0], codes[1], sizeof codes[0]) == 0, "strips leave no trace");
  check_views(whole, &p, &strips);
  free(whole);
  free(parts);
  return 0;
}
