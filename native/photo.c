/* photo.c - one photo from rows that are fed once from the top: codes at both scale policies, and later its views.
 *
 * Rows become luma numerators (exact integers) once; then they go to the exact filter or to the separable operator, to
 * pdq512's sample, and, if views are wanted, into a plane of block means. Memory is bounded by the width, not by the
 * picture: the plane has at most 2^22 samples whatever the picture's size.
 */
#include "fingerprint_parts.h"

#define MAX_SIDE 65535   /* keeps every product below inside 32 bits; larger sides are refused */
#define PLANE_SIDE 1024  /* the plane's shorter side keeps at least as many samples, so that a view of half of it has 512 */
#define PLANE_SAMPLES (1 << 22) /* and the plane has no more than these, 16 MB: strips and panoramas are kept coarser */

typedef union {
  exact_t exact;
  stream_t stream;
} scan_t;

typedef struct __attribute__((aligned(STATE_ALIGNMENT))) {
  int32_t width, height;       /* of the full-size picture */
  int32_t step;                /* full-size pixels a pixel of the rows that are fed */
  int32_t flags;
  int32_t fed_width, fed_height;
  int32_t rows_in;
  int32_t is_finished;
  int32_t has_small;
  int32_t small_next;    /* exact: next row of the 512 x 512 sample to be cut from the picture */
  int32_t small_waiting; /* exact: rows cut but not yet scanned: they go in BATCH at a time */
  int32_t block; /* fed pixels a side of what one sample of the plane stands for */
  int32_t plane_width, plane_height;
  /* Bytes from the photo to its parts; 0 if there is none. */
  uint32_t rows, full, small, small_rows, block_sums, plane, scratch, end;
} photo_t;

/* ---- sizes and places --------------------------------------------------------------------------- */

static int32_t divided_up(int32_t n, int32_t by) { return (n + by - 1) / by; }

static int is_fast(const photo_t *photo) { return photo->flags & SD_FAST; }

static int32_t block_of(int32_t width, int32_t height) {
  int32_t shorter = width < height ? width : height, block = shorter < PLANE_SIDE ? 1 : shorter / PLANE_SIDE;
  while ((int64_t)divided_up(width, block) * divided_up(height, block) > PLANE_SAMPLES) block++;
  return block;
}

static axis_t whole_axis(int32_t side, int32_t fed_side, int32_t step, int32_t is_512) {
  return (axis_t){0, side, step, fed_side, is_512};
}

static axis_t x_axis(const photo_t *photo, int32_t is_512) {
  return whole_axis(photo->width, photo->fed_width, photo->step, is_512);
}

static axis_t y_axis(const photo_t *photo, int32_t is_512) {
  return whole_axis(photo->height, photo->fed_height, photo->step, is_512);
}

static uint32_t take(photo_t *photo, uint32_t bytes) {
  uint32_t at = photo->end;
  photo->end = round_up(at + bytes, STATE_ALIGNMENT);
  return at;
}

/* A loop of our own, because there is no memset in the browser. bytes: a multiple of eight. */
static void clear(void *memory, uint32_t bytes) {
  uint64_t *words = memory;
  for (uint32_t i = 0; i < bytes / sizeof *words; i++) words[i] = 0;
}

/* Fills in everything that follows from the size; 0 if it is refused. */
static int lay_out(photo_t *photo, int32_t width, int32_t height, int32_t step, int32_t flags) {
  clear(photo, sizeof *photo);
  int is_sized = width >= SD_MIN_SIDE && height >= SD_MIN_SIDE && width <= MAX_SIDE && height <= MAX_SIDE;
  int is_step = step == 1 || ((step == 2 || step == 4 || step == 8) && (flags & SD_FAST));
  if (!is_sized || !is_step || (flags & ~(SD_FAST | SD_KEEP_PLANE))) return 0;
  photo->width = width, photo->height = height, photo->step = step, photo->flags = flags;
  photo->fed_width = divided_up(width, step), photo->fed_height = divided_up(height, step);
  photo->has_small = width > SMALL_SIDE || height > SMALL_SIDE;
  photo->end = round_up(sizeof(photo_t), STATE_ALIGNMENT);
  photo->rows = take(photo, BATCH * 4u * padded(photo->fed_width));
  axis_t x = x_axis(photo, 0), y = y_axis(photo, 0);
  photo->full = take(photo, is_fast(photo) ? stream_bytes(&x, &y) : exact_bytes(width, height));
  if (photo->has_small) {
    photo->small = take(photo, is_fast(photo) ? stream_bytes(&x, &y) : exact_bytes(SMALL_SIDE, SMALL_SIDE));
    if (!is_fast(photo)) photo->small_rows = take(photo, BATCH * 4u * SMALL_SIDE);
  }
  if (flags & SD_KEEP_PLANE) {
    photo->block = block_of(photo->fed_width, photo->fed_height);
    photo->plane_width = divided_up(photo->fed_width, photo->block);
    photo->plane_height = divided_up(photo->fed_height, photo->block);
    photo->block_sums = take(photo, 4u * padded(photo->fed_width));
    photo->plane = take(photo, 4u * padded(photo->plane_width) * (uint32_t)photo->plane_height);
    photo->scratch = take(photo, 4u * (padded(photo->plane_width) + bands_floats(width) + bands_floats(height)));
  }
  return 1;
}

static void *part(photo_t *photo, uint32_t offset) { return (char *)photo + offset; }

/* ---- luma ------------------------------------------------------------------------------------------- */

WIDE_CLONES static void numerators_of_row(const uint8_t *pixels, int32_t channels, int32_t *restrict out, int32_t width) {
  if (channels == 1) {
    for (int32_t x = 0; x < width; x++) out[x] = NUMERATOR * pixels[x];
  } else if (channels == 3) {
    for (int32_t x = 0; x < width; x++) out[x] = 299 * pixels[3 * x] + 587 * pixels[3 * x + 1] + 114 * pixels[3 * x + 2];
  } else {
    for (int32_t x = 0; x < width; x++) out[x] = 299 * pixels[4 * x] + 587 * pixels[4 * x + 1] + 114 * pixels[4 * x + 2];
  }
}

/* ---- the plane ---------------------------------------------------------------------------------------- */

WIDE_CLONES static void add_row(uint32_t *restrict sums, const int32_t *restrict numerators, int32_t width) {
  for (int32_t x = 0; x < width; x++) sums[x] += (uint32_t)numerators[x];
}

WIDE_CLONES static void set_row(uint32_t *restrict sums, const int32_t *restrict numerators, int32_t width) {
  for (int32_t x = 0; x < width; x++) sums[x] = (uint32_t)numerators[x];
}

/* Means of whole blocks: `block` columns of sums that are of `rows` rows each. */
static inline __attribute__((always_inline)) void block_means(const uint32_t *restrict sums, float *restrict out,
                                                              int32_t blocks, int32_t block, int32_t rows) {
  double share = 1.0 / (NUMERATOR * rows * block);
  for (int32_t j = 0; j < blocks; j++) {
    uint32_t sum = 0;
    for (int32_t i = 0; i < block; i++) sum += sums[block * j + i];
    out[j] = (float)((double)(int32_t)sum * share);
  }
}

/* The common block widths by name, so that each becomes a loop without a loop inside. */
WIDE_CLONES static void plane_values(const uint32_t *restrict sums, float *restrict out, int32_t blocks, int32_t block,
                                     int32_t rows) {
  switch (block) {
    case 1: block_means(sums, out, blocks, 1, rows); break;
    case 2: block_means(sums, out, blocks, 2, rows); break;
    case 3: block_means(sums, out, blocks, 3, rows); break;
    case 4: block_means(sums, out, blocks, 4, rows); break;
    default: block_means(sums, out, blocks, block, rows);
  }
}

/* A block has at most 64 x 64 pixels, so its sum stays below 2^30. */
static void plane_row(photo_t *photo, const int32_t *numerators) {
  uint32_t *sums = part(photo, photo->block_sums);
  int32_t y = photo->rows_in, width = photo->fed_width, block = photo->block, rows = y % block + 1;
  (rows == 1 ? set_row : add_row)(sums, numerators, width);
  if (rows < block && y < photo->fed_height - 1) return;
  float *out = (float *)part(photo, photo->plane) + padded(photo->plane_width) * (uint32_t)(y / block);
  int32_t whole = width / block;
  plane_values(sums, out, whole, block, rows);
  if (whole < photo->plane_width) block_means(sums + whole * block, out + whole, 1, width - whole * block, rows);
}

/* ---- pdq512 in the exact path ---------------------------------------------------------------------------- */

static int32_t nearest(int32_t i, int32_t side) { return (int32_t)((uint32_t)i * (uint32_t)side / SMALL_SIDE); }

/* Scans the rows of the 512 x 512 sample that wait. */
static void flush_small(photo_t *photo) {
  if (!photo->small_waiting) return;
  exact_rows(part(photo, photo->small), part(photo, photo->small_rows), SMALL_SIDE, photo->small_waiting);
  photo->small_waiting = 0;
}

/* Cuts the rows of the sample that come from this row of the picture: none, one, or several of a low picture. */
static void sample_row(photo_t *photo, const int32_t *numerators) {
  while (photo->small_next < SMALL_SIDE && nearest(photo->small_next, photo->height) == photo->rows_in) {
    int32_t *out = (int32_t *)part(photo, photo->small_rows) + SMALL_SIDE * photo->small_waiting;
    for (int32_t x = 0; x < SMALL_SIDE; x++) out[x] = numerators[nearest(x, photo->width)];
    photo->small_next++;
    if (++photo->small_waiting == BATCH) flush_small(photo);
  }
}

/* ---- the photo -------------------------------------------------------------------------------------------- */

int32_t sd_abi(void) { return SD_ABI; }

uint32_t sd_photo_bytes(int32_t width, int32_t height, int32_t step, int32_t flags) {
  photo_t photo;
  return lay_out(&photo, width, height, step, flags) ? photo.end : 0;
}

int32_t sd_photo_begin(void *state, int32_t width, int32_t height, int32_t step, int32_t flags) {
  uint32_t bytes = sd_photo_bytes(width, height, step, flags);
  if (!state || (uintptr_t)state % STATE_ALIGNMENT || !bytes) return 0;
  clear(state, bytes); /* Everything starts at zero, also the padding that vectors read and ignore. */
  photo_t *photo = state;
  lay_out(photo, width, height, step, flags);
  for (int small = 0; small <= photo->has_small; small++) {
    scan_t *scan = part(photo, small ? photo->small : photo->full);
    axis_t x = x_axis(photo, small), y = y_axis(photo, small);
    if (is_fast(photo)) stream_begin(&scan->stream, &x, &y);
    else if (small) exact_begin(&scan->exact, SMALL_SIDE, SMALL_SIDE);
    else exact_begin(&scan->exact, width, height);
  }
  return 1;
}

/* One to BATCH rows, already as numerators. */
static void feed(photo_t *photo, const int32_t *numerators, uint32_t row_length, int32_t count) {
  scan_t *full = part(photo, photo->full), *small = part(photo, photo->small);
  if (!is_fast(photo)) exact_rows(&full->exact, numerators, row_length, count);
  for (int32_t i = 0; i < count; i++, numerators += row_length) {
    if (is_fast(photo)) {
      stream_row(&full->stream, numerators);
      if (photo->has_small) stream_row(&small->stream, numerators);
    } else if (photo->has_small) {
      sample_row(photo, numerators);
    }
    if (photo->plane) plane_row(photo, numerators);
    photo->rows_in++;
  }
}

int32_t sd_photo_rows(void *state, const uint8_t *pixels, int32_t rows, int32_t stride_bytes, int32_t channels) {
  photo_t *photo = state;
  int is_known = channels == 1 || channels == 3 || channels == 4;
  if (photo->is_finished || !is_known || stride_bytes < photo->fed_width * channels) return photo->rows_in;
  int32_t *numerators = part(photo, photo->rows);
  uint32_t row_length = padded(photo->fed_width);
  if (rows > photo->fed_height - photo->rows_in) rows = photo->fed_height - photo->rows_in;
  while (rows > 0) {
    int32_t count = rows < BATCH ? rows : BATCH;
    for (int32_t i = 0; i < count; i++, pixels += stride_bytes) {
      numerators_of_row(pixels, channels, numerators + row_length * (uint32_t)i, photo->fed_width);
    }
    feed(photo, numerators, row_length, count);
    rows -= count;
  }
  return photo->rows_in;
}

static coded_t code_scan(photo_t *photo, scan_t *scan, uint8_t *codes) {
  return code_grid(is_fast(photo) ? scan->stream.grid : exact_grid(&scan->exact), codes);
}

int32_t sd_photo_finish(void *state, uint8_t *codes, int32_t *qualities, float *margins) {
  photo_t *photo = state;
  if (photo->rows_in != photo->fed_height || photo->is_finished) return -1;
  photo->is_finished = 1;
  uint8_t *small_codes = codes + SD_DIHEDRAL * SD_CODE_BYTES;
  coded_t full = code_scan(photo, part(photo, photo->full), codes), small = full;
  if (photo->has_small) {
    if (!is_fast(photo)) flush_small(photo);
    small = code_scan(photo, part(photo, photo->small), small_codes);
  } else {
    for (int i = 0; i < SD_DIHEDRAL * SD_CODE_BYTES; i++) small_codes[i] = codes[i];
  }
  qualities[0] = full.quality, qualities[1] = small.quality;
  margins[0] = full.margin, margins[1] = small.margin;
  return 0;
}

/* ---- views -------------------------------------------------------------------------------------------------- */

int32_t sd_photo_view(void *state, int32_t left, int32_t top, int32_t width, int32_t height, uint8_t *codes) {
  photo_t *photo = state;
  int is_inside = left >= 0 && top >= 0 && width >= SD_MIN_SIDE && height >= SD_MIN_SIDE && width <= photo->width &&
                  height <= photo->height && left <= photo->width - width && top <= photo->height - height;
  if (!photo->is_finished || !photo->plane || !is_inside) return -1;
  axis_t x = {left, width, photo->step * photo->block, photo->plane_width, 0};
  axis_t y = {top, height, photo->step * photo->block, photo->plane_height, 0};
  float grid[GRID * GRID];
  grid_of_rectangle(part(photo, photo->plane), padded(photo->plane_width), &x, &y, part(photo, photo->scratch), grid);
  return code_grid(grid, codes).quality;
}

int32_t sd_photo_plane_width(const void *state) { return ((const photo_t *)state)->plane_width; }

int32_t sd_photo_plane_height(const void *state) { return ((const photo_t *)state)->plane_height; }

int32_t sd_photo_plane(const void *state, float *out) {
  const photo_t *photo = state;
  if (!photo->is_finished || !photo->plane) return -1;
  const float *plane = (const float *)((const char *)state + photo->plane);
  for (int32_t y = 0; y < photo->plane_height; y++) {
    const float *row = plane + padded(photo->plane_width) * (uint32_t)y;
    for (int32_t x = 0; x < photo->plane_width; x++) *out++ = row[x];
  }
  return 0;
}
