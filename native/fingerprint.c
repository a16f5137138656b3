/* fingerprint.c - PDQ of one photo at both scale policies, from rows that are fed once from the top.
 *
 * The algorithm: luma; twice a box filter along the rows and down the columns; 64 x 64 samples of the result;
 * a 16 x 16 corner of their DCT; one bit for each coefficient above the median.
 * Source: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", Facebook 2019,
 * github.com/facebook/ThreatExchange, hashing/hashing.pdf. A readable version is src/staydown/fingerprint/reference.py.
 *
 * The published code holds two float planes of the whole picture. This one holds ceil(height / 128) filtered rows,
 * because a box filter needs no more, and still does every float32 operation in the published order. That order is
 * why the codes are bit-identical to `pdqhash`: do not reassociate, fuse or vectorise along a running sum.
 *
 * Freestanding: no libc, no allocation, no libm, no mutable static state. Compile with -ffp-contract=off.
 */
#include "dct_table.h"
#include "staydown.h"

#define GRID 64             /* the filtered picture is sampled to GRID x GRID */
#define FREQUENCIES 16      /* rows and columns of the DCT corner that is kept */
#define LANES 4             /* picture rows that are filtered side by side */
#define MAX_SIDE 65535      /* keeps every product below inside 32 bits; larger sides are refused */
#define SMALL_SIDE 512      /* pdq512: the side that a longer picture is sampled to first */
#define SMALL_CHANNELS 3
#define STATE_ALIGNMENT 64

/* Four rows side by side: element x of a lane buffer holds column x of each of them. */
typedef float lanes_t __attribute__((vector_size(16), may_alias));

/* One PDQ computation. Its float buffers lie behind it in the same block of memory; offsets count floats. */
typedef struct {
  int32_t width, height;
  int32_t row_window, column_window; /* widths of the box filter along a row and down a column */
  int32_t rows_in;                   /* luma rows taken */
  int32_t first_count;               /* rows now in the running sums of the first column filter */
  int32_t second_in, second_out;     /* rows taken and given by the second column filter */
  int32_t second_count;              /* rows now in second_sum */
  int32_t next_sample;               /* next row of the grid to be filled */
  int32_t sample_x[GRID], sample_y[GRID];
  uint32_t first_sum;   /* width floats: running column sums */
  uint32_t luma;        /* width lanes; later holds the output of the first column filter */
  uint32_t across;      /* width lanes: output of the first row filter */
  uint32_t first_ring;  /* column_window x width floats: the rows now in first_sum */
  uint32_t second_ring; /* column_window x GRID floats: the rows now in second_sum */
  float second_sum[GRID];
  float grid[GRID * GRID];
} scan_t;

/* A photo: the scan of the picture as it is and, for a large one, the scan of its 512 x 512 sample. */
typedef struct {
  int32_t width, height;
  int32_t rows_in;
  int32_t has_small;
  int32_t small_next;    /* next row of the sample to be cut from the picture */
  int32_t small_waiting; /* rows cut but not yet scanned: they go in LANES at a time */
  int32_t is_finished;
  uint32_t small_offset; /* bytes from the photo to its small scan */
  uint16_t small_x[SMALL_SIDE], small_y[SMALL_SIDE];
  uint8_t small_rows[LANES * SMALL_SIDE * SMALL_CHANNELS];
} photo_t;

/* ---- sizes and places --------------------------------------------------------------------------- */

static uint32_t round_up(uint32_t n, uint32_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/* Columns are padded so that every buffer starts at a multiple of 64 bytes and lanes never run over the end. */
static uint32_t padded(int32_t width) { return round_up((uint32_t)width, 16); }

/* The published filter width: ceil(side / (2 * 64)). */
static int32_t window_of(int32_t side) { return (side + 2 * GRID - 1) / (2 * GRID); }

/* How many samples of a window lie at and after its centre, less one, so at the picture's edge they come first. */
static int32_t lead_of(int32_t window) { return (window + 2) / 2 - 1; }

static uint32_t scan_header_bytes(void) { return round_up(sizeof(scan_t), STATE_ALIGNMENT); }
static uint32_t photo_header_bytes(void) { return round_up(sizeof(photo_t), STATE_ALIGNMENT); }

/* At most 4 * (65536 * 521 + 512 * 64) + a header, about 137 MB: far inside 32 bits. */
static uint32_t scan_bytes(int32_t width, int32_t height) {
  uint32_t window = (uint32_t)window_of(height);
  return scan_header_bytes() + 4u * (padded(width) * (1 + 2 * LANES + window) + window * GRID);
}

static float *floats_of(scan_t *scan) { return (float *)((char *)scan + scan_header_bytes()); }

static void scan_begin(scan_t *scan, int32_t width, int32_t height) {
  scan->width = width;
  scan->height = height;
  scan->row_window = window_of(width);
  scan->column_window = window_of(height);
  for (int32_t i = 0; i < GRID; i++) {
    scan->sample_x[i] = (int32_t)(((i + 0.5) * width) / GRID);
    scan->sample_y[i] = (int32_t)(((i + 0.5) * height) / GRID);
  }
  uint32_t offset = 0;
  scan->first_sum = offset, offset += padded(width);
  scan->luma = offset, offset += LANES * padded(width);
  scan->across = offset, offset += LANES * padded(width);
  scan->first_ring = offset, offset += padded(width) * (uint32_t)scan->column_window;
  scan->second_ring = offset;
}

/* ---- luma and the filter along rows: lanes are picture rows ------------------------------------- */

static inline lanes_t splat(float value) { return (lanes_t){value, value, value, value}; }

/* 0.299 R + 0.587 G + 0.114 B with an exact integer numerator and one rounded division. For all 2^24 colours
 * this is float32 of the published double-precision sum (tests/staydown/fingerprint/test_kernel.py). */
static inline float thousandfold_luma(const uint8_t *rgb) {
  return (float)(299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2]);
}

/* Fewer than four rows: the last one is read again, and the surplus lanes are ignored later. */
static void luma_of_rows(const uint8_t *pixels, size_t stride, int32_t channels, int32_t count, lanes_t *out,
                         int32_t width) {
  const uint8_t *a = pixels;
  const uint8_t *b = count > 1 ? a + stride : a;
  const uint8_t *c = count > 2 ? b + stride : b;
  const uint8_t *d = count > 3 ? c + stride : c;
  if (channels == 1) {
    for (int32_t x = 0; x < width; x++) out[x] = (lanes_t){a[x], b[x], c[x], d[x]};
    return;
  }
  const lanes_t thousand = splat(1000.0f);
  for (int32_t x = 0; x < width; x++) {
    lanes_t sum = {thousandfold_luma(a), thousandfold_luma(b), thousandfold_luma(c), thousandfold_luma(d)};
    out[x] = sum / thousand;
    a += channels, b += channels, c += channels, d += channels;
  }
}

/* Box filter along rows. With `columns`, only those 64 results (in rising order) are divided out and written. */
static inline __attribute__((always_inline)) void box_along_rows(const lanes_t *restrict in, lanes_t *restrict out,
                                                                 int32_t width, int32_t window,
                                                                 const int32_t *columns) {
  int32_t lead = lead_of(window), right = 0, left = 0, count = 0, next = 0;
  lanes_t sum = splat(0.0f);
  for (; right < lead; right++, count++) sum += in[right];
  for (int32_t x = 0; x < width; x++) {
    if (right < width) sum += in[right++], count++;
    if (x >= window - lead) sum -= in[left++], count--;
    if (!columns) {
      out[x] = sum / splat((float)count);
    } else {
      while (next < GRID && columns[next] == x) out[next++] = sum / splat((float)count);
    }
  }
}

/* ---- the filters down columns ------------------------------------------------------------------- */

/* Writes every row of the grid that samples the filtered row just completed (several, if the picture is low). */
static void complete_second_row(scan_t *scan) {
  while (scan->next_sample < GRID && scan->sample_y[scan->next_sample] == scan->second_out) {
    float *out = scan->grid + GRID * scan->next_sample++, count = (float)scan->second_count;
    for (int x = 0; x < GRID; x++) out[x] = scan->second_sum[x] / count;
  }
  scan->second_out++;
}

/* One row of 64 samples into the second column filter. */
static void push_second(scan_t *scan, const float *row) {
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
static void second_pass(scan_t *scan, int32_t first, int32_t end) {
  if (first >= end) return;
  const lanes_t *down = (const lanes_t *)(floats_of(scan) + scan->luma);
  lanes_t sampled[GRID];
  box_along_rows(down, sampled, scan->width, scan->row_window, scan->sample_x);
  for (int32_t lane = first; lane < end; lane++) {
    float row[GRID];
    for (int x = 0; x < GRID; x++) row[x] = sampled[x][lane];
    push_second(scan, row);
  }
}

/* One lane of `across` through the first column filter, at the top of the picture or at a ragged end. */
static void first_column_filter_one(scan_t *scan, int32_t index, int32_t lane) {
  float *buffer = floats_of(scan), *sum = buffer + scan->first_sum;
  const float *across = buffer + scan->across + lane;
  float *down = buffer + scan->luma + lane;
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

#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
static inline void transpose(lanes_t *a, lanes_t *b, lanes_t *c, lanes_t *d) {
  lanes_t ab_low = SHUFFLE(*a, *b, 0, 4, 1, 5), ab_high = SHUFFLE(*a, *b, 2, 6, 3, 7);
  lanes_t cd_low = SHUFFLE(*c, *d, 0, 4, 1, 5), cd_high = SHUFFLE(*c, *d, 2, 6, 3, 7);
  *a = SHUFFLE(ab_low, cd_low, 0, 1, 4, 5);
  *b = SHUFFLE(ab_low, cd_low, 2, 3, 6, 7);
  *c = SHUFFLE(ab_high, cd_high, 0, 1, 4, 5);
  *d = SHUFFLE(ab_high, cd_high, 2, 3, 6, 7);
}

/* Replaces the oldest row of the ring by `value` in the running sum, and gives the filtered row. */
static inline lanes_t roll(lanes_t *sum, lanes_t *slot, lanes_t value, lanes_t count) {
  *sum = (*sum + value) - *slot;
  *slot = value;
  return *sum / count;
}

/* All four lanes of `across` once the filter is full: here lanes are four columns, so rows are transposed to
 * columns and back. The slots of one column may be the same (window < 4); they are used in row order. */
static void first_column_filter_four(scan_t *scan, int32_t index) {
  float *buffer = floats_of(scan), *ring = buffer + scan->first_ring;
  uint32_t row_floats = padded(scan->width);
  lanes_t *sums = (lanes_t *)(buffer + scan->first_sum), count = splat((float)scan->first_count);
  const lanes_t *across = (const lanes_t *)(buffer + scan->across);
  lanes_t *down = (lanes_t *)(buffer + scan->luma), *slots[LANES];
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

/* Takes one to four rows of pixels. */
static void scan_rows(scan_t *scan, const uint8_t *pixels, size_t stride, int32_t channels, int32_t count) {
  float *buffer = floats_of(scan);
  lanes_t *luma = (lanes_t *)(buffer + scan->luma), *across = (lanes_t *)(buffer + scan->across);
  luma_of_rows(pixels, stride, channels, count, luma, scan->width);
  box_along_rows(luma, across, scan->width, scan->row_window, NULL);
  int32_t index = scan->rows_in;
  if (count == LANES && index >= scan->column_window) {
    first_column_filter_four(scan, index);
  } else {
    for (int32_t i = 0; i < count; i++) first_column_filter_one(scan, index + i, i);
  }
  scan->rows_in += count;
  /* The first `lead` rows only fill the window; they complete no filtered row. */
  int32_t lead = lead_of(scan->column_window);
  second_pass(scan, index < lead ? lead - index : 0, count);
}

/* The bottom of the picture: rows leave the windows and none comes in. */
static void scan_bottom(scan_t *scan) {
  int32_t window = scan->column_window, lead = lead_of(window), oldest = scan->height - window;
  float *buffer = floats_of(scan), *sum = buffer + scan->first_sum;
  for (int32_t i = 0; i < lead; i++) {
    int32_t lane = i % LANES;
    const float *slot = buffer + scan->first_ring + padded(scan->width) * (uint32_t)((oldest + i) % window);
    float *down = buffer + scan->luma + lane, count = (float)--scan->first_count;
    for (int32_t x = 0; x < scan->width; x++) {
      sum[x] -= slot[x];
      down[LANES * x] = sum[x] / count;
    }
    if (lane == LANES - 1 || i == lead - 1) second_pass(scan, 0, lane + 1);
  }
  for (int32_t i = 0; i < lead; i++) {
    const float *slot = buffer + scan->second_ring + (uint32_t)(GRID * ((oldest + i) % window));
    for (int x = 0; x < GRID; x++) scan->second_sum[x] -= slot[x];
    scan->second_count--;
    complete_second_row(scan);
  }
}

/* ---- from the grid to codes --------------------------------------------------------------------- */

/* A step between neighbours in percent of the full range, cut towards zero as the published code does. */
static int32_t step_percent(float from, float to) {
  int32_t percent = (int32_t)(((from - to) * 100.0f) / 255.0f);
  return percent < 0 ? -percent : percent;
}

/* 0..100: the sum of all steps, scaled so that a picture with too little detail to be told apart is below 50. */
static int32_t quality_of(const float *grid) {
  int32_t sum = 0;
  for (int y = 0; y < GRID - 1; y++)
    for (int x = 0; x < GRID; x++) sum += step_percent(grid[GRID * y + x], grid[GRID * (y + 1) + x]);
  for (int y = 0; y < GRID; y++)
    for (int x = 0; x < GRID - 1; x++) sum += step_percent(grid[GRID * y + x], grid[GRID * y + x + 1]);
  sum /= 90;
  return sum > 100 ? 100 : sum;
}

/* Entry of the DCT matrix without its constant row: sqrt(2/64) * cos(pi * (frequency + 1) * (2 sample + 1) / 128). */
static float dct_entry(int frequency, int sample) {
  int angle = ((frequency + 1) * (2 * sample + 1)) & 255;
  if (angle > 128) angle = 256 - angle;
  return angle > 64 ? -SD_COSINES[128 - angle] : SD_COSINES[angle];
}

/* out = D * grid * D^T with D of 16 x 64, each sum from the left in float32. */
static void dct_of_grid(const float *grid, float *out) {
  float matrix[FREQUENCIES * GRID], half[FREQUENCIES * GRID];
  for (int i = 0; i < FREQUENCIES; i++)
    for (int j = 0; j < GRID; j++) matrix[GRID * i + j] = dct_entry(i, j);
  for (int i = 0; i < FREQUENCIES; i++) {
    float *row = half + GRID * i;
    for (int j = 0; j < GRID; j++) row[j] = 0.0f;
    for (int k = 0; k < GRID; k++) {
      float factor = matrix[GRID * i + k];
      for (int j = 0; j < GRID; j++) row[j] += factor * grid[GRID * k + j];
    }
  }
  for (int i = 0; i < FREQUENCIES; i++) {
    for (int j = 0; j < FREQUENCIES; j++) {
      float sum = 0.0f;
      for (int k = 0; k < GRID; k++) sum += half[GRID * i + k] * matrix[GRID * j + k];
      out[FREQUENCIES * i + j] = sum;
    }
  }
}

/* The 128th smallest of 256: the lower of the two middle values, as Torben's method in the published code gives. */
static float lower_median(const float *values) {
  float v[FREQUENCIES * FREQUENCIES];
  int low = 0, high = FREQUENCIES * FREQUENCIES - 1;
  const int wanted = FREQUENCIES * FREQUENCIES / 2 - 1;
  for (int i = 0; i <= high; i++) v[i] = values[i];
  while (low < high) { /* Hoare's selection */
    float pivot = v[(low + high) / 2];
    int i = low, j = high;
    while (i <= j) {
      while (v[i] < pivot) i++;
      while (v[j] > pivot) j--;
      if (i <= j) {
        float swap = v[i];
        v[i++] = v[j];
        v[j--] = swap;
      }
    }
    if (wanted <= j) high = j;
    else if (wanted >= i) low = i;
    else break;
  }
  return v[wanted];
}

/* Bit k of the code (coefficient k, row by row) is bit k % 8 of byte 31 - k / 8: the hex form reads from bit 255 down. */
static void code_of_dct(const float *dct, uint8_t *code) {
  float median = lower_median(dct);
  for (int i = 0; i < SD_CODE_BYTES; i++) code[i] = 0;
  for (int k = 0; k < 8 * SD_CODE_BYTES; k++) {
    if (dct[k] > median) code[SD_CODE_BYTES - 1 - k / 8] |= (uint8_t)(1u << (k % 8));
  }
}

/* A turned or mirrored picture has the same coefficients up to a transposition and signs: hashing.pdf, dihedral codes.
 * Coefficient rows and columns count from frequency 1, so an even index is an odd frequency. */
static void turn_dct(const float *dct, int derivation, float *out) {
  for (int i = 0; i < FREQUENCIES; i++) {
    for (int j = 0; j < FREQUENCIES; j++) {
      float value = dct[FREQUENCIES * i + j];
      int same = FREQUENCIES * i + j, swapped = FREQUENCIES * j + i;
      switch (derivation) {
        case 0: out[same] = value; break;                           /* full */
        case 1: out[swapped] = j % 2 ? value : -value; break;       /* r90 */
        case 2: out[same] = (i + j) % 2 ? -value : value; break;    /* r180 */
        case 3: out[swapped] = i % 2 ? value : -value; break;       /* r270 */
        case 4: out[same] = i % 2 ? value : -value; break;          /* fV */
        case 5: out[same] = j % 2 ? value : -value; break;          /* fH */
        case 6: out[swapped] = value; break;                        /* fP */
        default: out[swapped] = (i + j) % 2 ? -value : value;       /* fM */
      }
    }
  }
}

/* Writes eight codes, gives the quality. */
static int32_t scan_finish(scan_t *scan, uint8_t *codes) {
  scan_bottom(scan);
  float dct[FREQUENCIES * FREQUENCIES], turned[FREQUENCIES * FREQUENCIES];
  dct_of_grid(scan->grid, dct);
  for (int derivation = 0; derivation < SD_DIHEDRAL; derivation++) {
    turn_dct(dct, derivation, turned);
    code_of_dct(turned, codes + SD_CODE_BYTES * derivation);
  }
  return quality_of(scan->grid);
}

/* ---- the photo: both scale policies from one feed ------------------------------------------------ */

static int is_accepted(int32_t width, int32_t height) {
  return width >= SD_MIN_SIDE && height >= SD_MIN_SIDE && width <= MAX_SIDE && height <= MAX_SIDE;
}

static int is_sampled(int32_t width, int32_t height) { return width > SMALL_SIDE || height > SMALL_SIDE; }

static scan_t *full_scan(photo_t *photo) { return (scan_t *)((char *)photo + photo_header_bytes()); }
static scan_t *small_scan(photo_t *photo) { return (scan_t *)((char *)photo + photo->small_offset); }

/* Scans the rows of the 512 x 512 sample that wait. */
static void flush_small(photo_t *photo) {
  if (!photo->small_waiting) return;
  scan_rows(small_scan(photo), photo->small_rows, SMALL_SIDE * SMALL_CHANNELS, SMALL_CHANNELS, photo->small_waiting);
  photo->small_waiting = 0;
}

/* Cuts the rows of the sample that come from this row of the picture: none, one, or several of a low picture. */
static void sample_row(photo_t *photo, const uint8_t *row, int32_t channels) {
  while (photo->small_next < SMALL_SIDE && photo->small_y[photo->small_next] == photo->rows_in) {
    uint8_t *out = photo->small_rows + photo->small_waiting * SMALL_SIDE * SMALL_CHANNELS;
    for (int32_t x = 0; x < SMALL_SIDE; x++, out += SMALL_CHANNELS) {
      const uint8_t *in = row + (size_t)photo->small_x[x] * (size_t)channels;
      out[0] = in[0];
      out[1] = in[channels == 1 ? 0 : 1];
      out[2] = in[channels == 1 ? 0 : 2];
    }
    photo->small_next++;
    if (++photo->small_waiting == LANES) flush_small(photo);
  }
}

int32_t sd_abi(void) { return SD_ABI; }

uint32_t sd_photo_bytes(int32_t width, int32_t height) {
  if (!is_accepted(width, height)) return 0;
  uint32_t bytes = photo_header_bytes() + scan_bytes(width, height);
  if (is_sampled(width, height)) bytes += scan_bytes(SMALL_SIDE, SMALL_SIDE);
  return round_up(bytes, STATE_ALIGNMENT);
}

int32_t sd_photo_begin(void *state, int32_t width, int32_t height) {
  if (!state || (uintptr_t)state % STATE_ALIGNMENT || !is_accepted(width, height)) return 0;
  lanes_t *clear = state; /* Everything starts at zero, also the padding that the lanes read and ignore. */
  for (uint32_t i = 0, end = sd_photo_bytes(width, height) / sizeof(lanes_t); i < end; i++) clear[i] = splat(0.0f);
  photo_t *photo = state;
  photo->width = width;
  photo->height = height;
  photo->has_small = is_sampled(width, height);
  scan_begin(full_scan(photo), width, height);
  if (photo->has_small) {
    photo->small_offset = photo_header_bytes() + scan_bytes(width, height);
    for (uint32_t i = 0; i < SMALL_SIDE; i++) {
      photo->small_x[i] = (uint16_t)(i * (uint32_t)width / SMALL_SIDE);
      photo->small_y[i] = (uint16_t)(i * (uint32_t)height / SMALL_SIDE);
    }
    scan_begin(small_scan(photo), SMALL_SIDE, SMALL_SIDE);
  }
  return 1;
}

int32_t sd_photo_rows(void *state, const uint8_t *pixels, int32_t rows, int32_t stride_bytes, int32_t channels) {
  photo_t *photo = state;
  int is_known = channels == 1 || channels == 3 || channels == 4;
  if (photo->is_finished || !is_known || stride_bytes < photo->width * channels) return photo->rows_in;
  size_t stride = (size_t)stride_bytes;
  if (rows > photo->height - photo->rows_in) rows = photo->height - photo->rows_in;
  while (rows > 0) {
    int32_t count = rows < LANES ? rows : LANES;
    scan_rows(full_scan(photo), pixels, stride, channels, count);
    for (int32_t i = 0; i < count; i++) {
      if (photo->has_small) sample_row(photo, pixels, channels);
      photo->rows_in++;
      pixels += stride;
    }
    rows -= count;
  }
  return photo->rows_in;
}

int32_t sd_photo_finish(void *state, uint8_t *codes, int32_t *qualities) {
  photo_t *photo = state;
  if (photo->rows_in != photo->height || photo->is_finished) return -1;
  photo->is_finished = 1;
  uint8_t *small_codes = codes + SD_DIHEDRAL * SD_CODE_BYTES;
  qualities[0] = scan_finish(full_scan(photo), codes);
  if (photo->has_small) {
    flush_small(photo);
    qualities[1] = scan_finish(small_scan(photo), small_codes);
  } else {
    qualities[1] = qualities[0];
    for (int i = 0; i < SD_DIHEDRAL * SD_CODE_BYTES; i++) small_codes[i] = codes[i];
  }
  return 0;
}
