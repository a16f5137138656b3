/* operator.c - PDQ's two box filters and the 64 x 64 sampling as one separable linear operator.
 *
 * A result depends on a short band of rows and a short band of columns, so one multiply-add a pixel replaces four
 * running sums. It equals exact.c but for rounding. Because it is known which full-size pixels each result weighs, the
 * same operator can be laid over a picture that was reduced by area (a scaled JPEG decode, the plane kept for views):
 * each sample takes the weights of the pixels that it stands for. And a rectangle cut out of the picture is only
 * another place for the bands: no crop is ever copied.
 * Why, and which path is used where: docs/adr/0007-one-operator-for-speed-and-views.md. A readable version is
 * src/staydown/fingerprint/reference_operator.py; every float32 operation there has the same order.
 */
#include "fingerprint_parts.h"

/* Results whose bands may hold one row: 14 where pdq512 stretches a side of five pixels, otherwise fewer. */
#define OPEN_RESULTS 16
#define WINDOW_512 4 /* window_of(SMALL_SIDE) */

typedef float wide_t __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t wide_numerators_t __attribute__((vector_size(32), aligned(4), may_alias));

/* ---- bands ---------------------------------------------------------------------------------------- */

/* The largest band in full-size pixels: two windows; of pdq512, eight of its 512 steps, which is no more. */
static uint32_t band_length(int32_t length) { return 2u * (uint32_t)window_of(length) + 8u; }

uint32_t bands_floats(int32_t length) { return round_up(GRID * band_length(length), 16); }

/* Weights of pixels around grid position i of a side, in double precision: a window of windows. */
typedef struct {
  int32_t first, count;
  double weights[2 * 512 + 8]; /* two windows of the longest side, 65,535 pixels */
} band_t;

static void make_band(band_t *band, int32_t side, int i) {
  int32_t window = window_of(side), lead = lead_of(window), behind = window - 1 - lead, centre = sample_of(side, i);
  int32_t from = centre - behind < 0 ? 0 : centre - behind;
  int32_t to = centre + lead > side - 1 ? side - 1 : centre + lead;
  band->first = from - behind < 0 ? 0 : from - behind;
  int32_t last = to + lead > side - 1 ? side - 1 : to + lead;
  band->count = last - band->first + 1;
  for (int32_t t = 0; t < band->count; t++) band->weights[t] = 0.0;
  double outer = 1.0 / (to - from + 1);
  for (int32_t k = from; k <= to; k++) {
    int32_t low = k - behind < 0 ? 0 : k - behind;
    int32_t high = k + lead > side - 1 ? side - 1 : k + lead;
    double inner = outer / (high - low + 1);
    for (int32_t t = low; t <= high; t++) band->weights[t - band->first] += inner;
  }
}

/* The samples that a full-size position falls on, with its share in each: one, or two next to each other. */
typedef struct {
  int32_t sample[2];
  double share[2];
} placed_t;

static placed_t place(const axis_t *axis, int32_t position) {
  if (!axis->is_512) return (placed_t){{(axis->origin + position) / axis->grain, 0}, {1.0, 0.0}};
  int64_t pixel = (int64_t)position * axis->length / SMALL_SIDE; /* pdq512 takes the nearest above and to the left */
  double at = ((double)pixel + 0.5) / axis->grain - 0.5;
  int32_t before = at < 0 ? -1 : (int32_t)at;
  double share = at - before;
  int32_t last = axis->samples - 1;
  return (placed_t){{before < 0 ? 0 : before, before + 1 > last ? last : before + 1}, {1.0 - share, share}};
}

void bands_make(bands_t *bands, float *weights, const axis_t *axis, double divisor) {
  bands->stride = band_length(axis->length);
  for (int i = 0; i < GRID; i++) {
    band_t band;
    double sums[2 * 512 + 8];
    make_band(&band, axis->is_512 ? SMALL_SIDE : axis->length, i);
    int32_t first = place(axis, band.first).sample[0], last = first;
    for (uint32_t j = 0; j < bands->stride; j++) sums[j] = 0.0;
    for (int32_t t = 0; t < band.count; t++) {
      placed_t placed = place(axis, band.first + t);
      for (int half = 0; half < 2 && (half == 0 || placed.share[1] > 0.0); half++) {
        sums[placed.sample[half] - first] += band.weights[t] * placed.share[half];
        if (placed.sample[half] > last) last = placed.sample[half];
      }
    }
    bands->first[i] = first;
    bands->count[i] = last - first + 1;
    float *out = weights + bands->stride * (uint32_t)i;
    for (int32_t j = 0; j < bands->count[i]; j++) out[j] = (float)(sums[j] / divisor);
  }
}

/* ---- rows, then columns ----------------------------------------------------------------------------- */

WIDE_CLONES static void add_numerators(float *sums, const int32_t *numerators, float weight, uint32_t padded_width) {
  wide_t *out = (wide_t *)sums;
  const wide_numerators_t *in = (const wide_numerators_t *)numerators;
  for (uint32_t x = 0; x < padded_width / 8; x++) out[x] = out[x] + __builtin_convertvector(in[x], wide_t) * weight;
}

/* `count` need not be a multiple of anything: what is left over is added one by one. */
WIDE_CLONES static void add_samples(float *sums, const float *samples, float weight, int32_t count) {
  int32_t x = 0;
  for (; x + 8 <= count; x += 8) *(wide_t *)(sums + x) = *(wide_t *)(sums + x) + *(const wide_t *)(samples + x) * weight;
  for (; x < count; x++) sums[x] = sums[x] + samples[x] * weight;
}

/* One row of the grid from weighted sums of rows. `origin` is the sample that sums[0] is of. */
static void columns_of(const float *sums, int32_t origin, const bands_t *bands, const float *weights, float *out) {
  for (int i = 0; i < GRID; i++) {
    const float *in = sums + (bands->first[i] - origin), *weight = weights + bands->stride * (uint32_t)i;
    float total = 0.0f;
    for (int32_t j = 0; j < bands->count[i]; j++) total = total + in[j] * weight[j];
    out[i] = total;
  }
}

/* ---- a picture row by row ----------------------------------------------------------------------------- */

static uint32_t header_bytes(void) { return round_up(sizeof(stream_t), STATE_ALIGNMENT); }

uint32_t stream_bytes(const axis_t *x, const axis_t *y) {
  uint32_t floats = bands_floats(x->length) + bands_floats(y->length) + OPEN_RESULTS * padded(x->samples);
  return header_bytes() + 4u * floats;
}

static float *floats_of(stream_t *stream) { return (float *)((char *)stream + header_bytes()); }

void stream_begin(stream_t *stream, const axis_t *x, const axis_t *y) {
  stream->width = x->samples;
  stream->height = y->samples;
  stream->row_weights = 0;
  stream->column_weights = bands_floats(y->length);
  stream->sums = stream->column_weights + bands_floats(x->length);
  bands_make(&stream->rows, floats_of(stream) + stream->row_weights, y, NUMERATOR);
  bands_make(&stream->columns, floats_of(stream) + stream->column_weights, x, 1.0);
}

void stream_row(stream_t *stream, const int32_t *numerators) {
  const bands_t *rows = &stream->rows;
  float *buffer = floats_of(stream);
  uint32_t width = padded(stream->width);
  int32_t y = stream->rows_in++;
  for (int32_t i = stream->next_result; i < GRID && rows->first[i] <= y; i++) {
    int32_t place_in_band = y - rows->first[i];
    if (place_in_band >= rows->count[i]) continue;
    float weight = buffer[stream->row_weights + rows->stride * (uint32_t)i + (uint32_t)place_in_band];
    float *sums = buffer + stream->sums + width * (uint32_t)(i % OPEN_RESULTS);
    if (weight != 0.0f) add_numerators(sums, numerators, weight, width);
  }
  while (stream->next_result < GRID) { /* results that this row completes */
    int32_t i = stream->next_result;
    if (rows->first[i] + rows->count[i] - 1 > y) break;
    float *sums = buffer + stream->sums + width * (uint32_t)(i % OPEN_RESULTS);
    columns_of(sums, 0, &stream->columns, buffer + stream->column_weights, stream->grid + GRID * i);
    for (uint32_t x = 0; x < width; x++) sums[x] = 0.0f;
    stream->next_result++;
  }
}

/* ---- a rectangle of a plane ----------------------------------------------------------------------------- */

void grid_of_rectangle(const float *plane, uint32_t row_length, const axis_t *x, const axis_t *y, float *scratch,
                       float *grid) {
  bands_t rows, columns;
  float *row_weights = scratch + padded(x->samples), *column_weights = row_weights + bands_floats(y->length);
  bands_make(&rows, row_weights, y, 1.0);
  bands_make(&columns, column_weights, x, 1.0);
  int32_t left = x->origin / x->grain, count = (x->origin + x->length - 1) / x->grain - left + 1;
  for (int i = 0; i < GRID; i++) {
    for (int32_t j = 0; j < count; j++) scratch[j] = 0.0f;
    for (int32_t j = 0; j < rows.count[i]; j++) {
      const float *row = plane + row_length * (uint32_t)(rows.first[i] + j) + left;
      add_samples(scratch, row, row_weights[rows.stride * (uint32_t)i + (uint32_t)j], count);
    }
    columns_of(scratch, left, &columns, column_weights, grid + GRID * i);
  }
}
