/* exact.c - PDQ's filter in the published order of operations, from rows that are fed once from the top.
 *
 * Twice a box filter along the rows and down the columns, then 64 x 64 samples of the result.
 * The published code holds two float planes of the whole picture. This one holds ceil(height / 128) filtered rows,
 * because a box filter needs no more, and still does every float32 operation in the published order. That order is
 * why the codes are bit-identical to `pdqhash`: do not reassociate, fuse or vectorise along a running sum.
 * Source: ThreatExchange hashing/hashing.pdf; a readable version is src/staydown/fingerprint/reference.py.
 */
#include "fingerprint_parts.h"

static uint32_t header_bytes(void) { return round_up(sizeof(exact_t), STATE_ALIGNMENT); }

/* At most 4 * (65536 * 529 + 512 * 64) + a header, about 139 MB: far inside 32 bits. */
uint32_t exact_bytes(int32_t width, int32_t height) {
  uint32_t window = (uint32_t)window_of(height);
  return header_bytes() + 4u * (padded(width) * (1 + 2 * BATCH + window) + window * GRID);
}

static float *floats_of(exact_t *scan) { return (float *)((char *)scan + header_bytes()); }

/* Lane buffer 0 or 1 of the two at this place: rows 0 to 3 and 4 to 7 of a batch. */
static lanes_t *lanes_of(exact_t *scan, uint32_t offset, int32_t which) {
  return (lanes_t *)(floats_of(scan) + offset) + padded(scan->width) * (uint32_t)which;
}

void exact_begin(exact_t *scan, int32_t width, int32_t height) {
  scan->width = width;
  scan->height = height;
  scan->row_window = window_of(width);
  scan->column_window = window_of(height);
  for (int32_t i = 0; i < GRID; i++) {
    scan->sample_x[i] = sample_of(width, i);
    scan->sample_y[i] = sample_of(height, i);
  }
  uint32_t offset = 0;
  scan->first_sum = offset, offset += padded(width);
  scan->luma = offset, offset += BATCH * padded(width);
  scan->across = offset, offset += BATCH * padded(width);
  scan->first_ring = offset, offset += padded(width) * (uint32_t)scan->column_window;
  scan->second_ring = offset;
}

/* ---- the filter along rows: lanes are picture rows ---------------------------------------------- */

static inline lanes_t splat(float value) { return (lanes_t){value, value, value, value}; }

#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
static inline void transpose(lanes_t *a, lanes_t *b, lanes_t *c, lanes_t *d) {
  lanes_t ab_low = SHUFFLE(*a, *b, 0, 4, 1, 5), ab_high = SHUFFLE(*a, *b, 2, 6, 3, 7);
  lanes_t cd_low = SHUFFLE(*c, *d, 0, 4, 1, 5), cd_high = SHUFFLE(*c, *d, 2, 6, 3, 7);
  *a = SHUFFLE(ab_low, cd_low, 0, 1, 4, 5);
  *b = SHUFFLE(ab_low, cd_low, 2, 3, 6, 7);
  *c = SHUFFLE(ab_high, cd_high, 0, 1, 4, 5);
  *d = SHUFFLE(ab_high, cd_high, 2, 3, 6, 7);
}

/* Luma of four rows, column by column: an exact integer numerator and one rounded division. For all 2^24 colours this
 * is float32 of the published double-precision sum (tests/staydown/fingerprint/test_kernel.py).
 * Fewer than four rows: the last one is read again, and the surplus lanes are ignored later. */
static void luma_of_rows(const int32_t *numerators, uint32_t row_length, int32_t count, lanes_t *out, int32_t width) {
  const numerators_t *rows[LANES];
  for (int32_t i = 0; i < LANES; i++) {
    rows[i] = (const numerators_t *)(numerators + row_length * (uint32_t)(i < count ? i : count - 1));
  }
  const lanes_t thousand = splat((float)NUMERATOR);
  for (int32_t x = 0, group = 0; x < width; x += LANES, group++) {
    lanes_t a = __builtin_convertvector(rows[0][group], lanes_t) / thousand;
    lanes_t b = __builtin_convertvector(rows[1][group], lanes_t) / thousand;
    lanes_t c = __builtin_convertvector(rows[2][group], lanes_t) / thousand;
    lanes_t d = __builtin_convertvector(rows[3][group], lanes_t) / thousand;
    transpose(&a, &b, &c, &d);
    out[x] = a, out[x + 1] = b, out[x + 2] = c, out[x + 3] = d;
  }
}

/* Box filter along rows, of two lane buffers at a time: their running sums are two chains, and a processor works on
 * the second while it waits for the first. With `columns`, only those 64 results (in rising order) are divided out. */
static inline __attribute__((always_inline)) void box_along_rows(const lanes_t *restrict in, lanes_t *restrict out,
                                                                 uint32_t in_length, uint32_t out_length, int32_t width,
                                                                 int32_t window, const int32_t *columns) {
  const lanes_t *in_b = in + in_length;
  lanes_t *out_b = out + out_length;
  int32_t lead = lead_of(window), right = 0, left = 0, count = 0, next = 0;
  lanes_t sum = splat(0.0f), sum_b = sum;
  for (; right < lead; right++, count++) sum += in[right], sum_b += in_b[right];
  for (int32_t x = 0; x < width; x++) {
    if (right < width) sum += in[right], sum_b += in_b[right], right++, count++;
    if (x >= window - lead) sum -= in[left], sum_b -= in_b[left], left++, count--;
    lanes_t divisor = splat((float)count);
    if (!columns) {
      out[x] = sum / divisor;
      out_b[x] = sum_b / divisor;
    } else {
      for (; next < GRID && columns[next] == x; next++) out[next] = sum / divisor, out_b[next] = sum_b / divisor;
    }
  }
}

/* ---- the filters down columns ------------------------------------------------------------------- */

/* Writes every row of the grid that samples the filtered row just completed (several, if the picture is low). */
static void complete_second_row(exact_t *scan) {
  while (scan->next_sample < GRID && scan->sample_y[scan->next_sample] == scan->second_out) {
    float *out = scan->grid + GRID * scan->next_sample++, count = (float)scan->second_count;
    for (int x = 0; x < GRID; x++) out[x] = scan->second_sum[x] / count;
  }
  scan->second_out++;
}

/* One row of 64 samples into the second column filter. */
static void push_second(exact_t *scan, const float *row) {
  int32_t window = scan->column_window, index = scan->second_in++;
  float *slot = floats_of(scan) + scan->second_ring + (uint32_t)(GRID * (index % window));
  if (index < window) {
    for (int x = 0; x < GRID; x++) scan->second_sum[x] += row[x], slot[x] = row[x];
    scan->second_count++;
    if (index < lead_of(window)) return;
  } else {
    for (int x = 0; x < GRID; x++) {
      float sum = scan->second_sum[x] + row[x];
      scan->second_sum[x] = sum - slot[x];
      slot[x] = row[x];
    }
  }
  complete_second_row(scan);
}

/* Rows `first` to `end` of the lanes in `luma` (now column-filtered once) through both second filters. */
static void second_pass(exact_t *scan, int32_t first, int32_t end) {
  if (first >= end) return;
  const lanes_t *down = lanes_of(scan, scan->luma, 0);
  lanes_t sampled[2 * GRID];
  box_along_rows(down, sampled, padded(scan->width), GRID, scan->width, scan->row_window, scan->sample_x);
  for (int32_t i = first; i < end; i++) {
    float row[GRID];
    for (int x = 0; x < GRID; x++) row[x] = sampled[GRID * (i / LANES) + x][i % LANES];
    push_second(scan, row);
  }
}

/* Row i of `across` through the first column filter, at the top of the picture or at a ragged end. */
static void first_column_filter_one(exact_t *scan, int32_t index, int32_t i) {
  float *buffer = floats_of(scan), *sum = buffer + scan->first_sum;
  const float *across = (const float *)lanes_of(scan, scan->across, i / LANES) + i % LANES;
  float *down = (float *)lanes_of(scan, scan->luma, i / LANES) + i % LANES;
  float *slot = buffer + scan->first_ring + padded(scan->width) * (uint32_t)(index % scan->column_window);
  int is_full = index >= scan->column_window;
  if (!is_full) scan->first_count++;
  float count = (float)scan->first_count;
  for (int32_t x = 0; x < scan->width; x++) {
    float value = across[LANES * x], total = sum[x] + value;
    if (is_full) total -= slot[x];
    sum[x] = total;
    slot[x] = value;
    down[LANES * x] = total / count;
  }
}

/* Replaces the oldest row of the ring by `value` in the running sum, and gives the filtered row. */
static inline lanes_t roll(lanes_t *sum, lanes_t *slot, lanes_t value, lanes_t count) {
  *sum = (*sum + value) - *slot;
  *slot = value;
  return *sum / count;
}

/* All lanes of one buffer of `across` once the filter is full: here lanes are four columns, so rows are transposed to
 * columns and back. The slots of one column may be the same (window < 4); they are used in row order. */
static void first_column_filter_four(exact_t *scan, int32_t index, int32_t which) {
  float *buffer = floats_of(scan), *ring = buffer + scan->first_ring;
  uint32_t row_floats = padded(scan->width);
  lanes_t *sums = (lanes_t *)(buffer + scan->first_sum), count = splat((float)scan->first_count);
  const lanes_t *across = lanes_of(scan, scan->across, which);
  lanes_t *down = lanes_of(scan, scan->luma, which), *slots[LANES];
  for (int32_t i = 0; i < LANES; i++) {
    slots[i] = (lanes_t *)(ring + row_floats * (uint32_t)((index + i) % scan->column_window));
  }
  for (int32_t x = 0, group = 0; x < scan->width; x += LANES, group++) {
    lanes_t a = across[x], b = across[x + 1], c = across[x + 2], d = across[x + 3], sum = sums[group];
    transpose(&a, &b, &c, &d);
    a = roll(&sum, slots[0] + group, a, count);
    b = roll(&sum, slots[1] + group, b, count);
    c = roll(&sum, slots[2] + group, c, count);
    d = roll(&sum, slots[3] + group, d, count);
    sums[group] = sum;
    transpose(&a, &b, &c, &d);
    down[x] = a, down[x + 1] = b, down[x + 2] = c, down[x + 3] = d;
  }
}

void exact_rows(exact_t *scan, const int32_t *numerators, uint32_t row_length, int32_t count) {
  lanes_t *luma = lanes_of(scan, scan->luma, 0), *across = lanes_of(scan, scan->across, 0);
  uint32_t length = padded(scan->width);
  for (int32_t i = 0; i < count; i += LANES) {
    luma_of_rows(numerators + row_length * (uint32_t)i, row_length, count - i, luma + length * (uint32_t)(i / LANES),
                 scan->width);
  }
  box_along_rows(luma, across, length, length, scan->width, scan->row_window, NULL);
  int32_t index = scan->rows_in;
  for (int32_t i = 0; i < count;) {
    if (i % LANES == 0 && count - i >= LANES && index + i >= scan->column_window) {
      first_column_filter_four(scan, index + i, i / LANES);
      i += LANES;
    } else {
      first_column_filter_one(scan, index + i, i);
      i++;
    }
  }
  scan->rows_in += count;
  /* The first `lead` rows only fill the window; they complete no filtered row. */
  int32_t lead = lead_of(scan->column_window);
  second_pass(scan, index < lead ? lead - index : 0, count);
}

/* The bottom of the picture: rows leave the windows and none comes in. */
static void scan_bottom(exact_t *scan) {
  int32_t window = scan->column_window, lead = lead_of(window), oldest = scan->height - window;
  float *buffer = floats_of(scan), *sum = buffer + scan->first_sum;
  for (int32_t i = 0; i < lead; i++) {
    int32_t place = i % BATCH;
    const float *slot = buffer + scan->first_ring + padded(scan->width) * (uint32_t)((oldest + i) % window);
    float *down = (float *)lanes_of(scan, scan->luma, place / LANES) + place % LANES;
    float count = (float)--scan->first_count;
    for (int32_t x = 0; x < scan->width; x++) {
      sum[x] -= slot[x];
      down[LANES * x] = sum[x] / count;
    }
    if (place == BATCH - 1 || i == lead - 1) second_pass(scan, 0, place + 1);
  }
  for (int32_t i = 0; i < lead; i++) {
    const float *slot = buffer + scan->second_ring + (uint32_t)(GRID * ((oldest + i) % window));
    for (int x = 0; x < GRID; x++) scan->second_sum[x] -= slot[x];
    scan->second_count--;
    complete_second_row(scan);
  }
}

const float *exact_grid(exact_t *scan) {
  scan_bottom(scan);
  return scan->grid;
}
