/* fingerprint_parts.h - what the parts of the fingerprint kernel share. Nobody outside native/ includes this.
 *
 *   photo.c     the feed: rows of pixels in, to whichever of the parts below are wanted
 *   exact.c     the published filter in the published order of operations: bit-identical to `pdqhash`
 *   operator.c  the same filter as one separable operator: quicker, for reduced pictures, and for cut rectangles
 *   code.c      from the 64 x 64 grid to codes, quality and margin
 *
 * Everything is freestanding: no libc, no allocation, no libm, no mutable static state.
 */
#ifndef STAYDOWN_FINGERPRINT_PARTS_H
#define STAYDOWN_FINGERPRINT_PARTS_H

#include "staydown.h"

#define GRID 64               /* the filtered picture is sampled to GRID x GRID */
#define LANES 4               /* picture rows in one vector */
#define BATCH 8               /* picture rows that are fed side by side: two vectors */
#define SMALL_SIDE 512        /* pdq512: the side that a longer picture is sampled to first */
#define STATE_ALIGNMENT 64
#define NUMERATOR 1000        /* luma numerators are 299 R + 587 G + 114 B: thousandths of a grey level */
#define HELD __attribute__((visibility("hidden")))

/* Wider instructions where the processor has them; no operation changes, so no bit does. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define WIDE_CLONES
#endif

/* Four picture rows side by side: element x of a lane buffer holds column x of each of them. */
typedef float lanes_t __attribute__((vector_size(16), may_alias));
typedef int32_t numerators_t __attribute__((vector_size(16), may_alias));

static inline uint32_t round_up(uint32_t n, uint32_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/* Columns are padded so that every buffer starts at a multiple of 64 bytes and vectors never run over the end. */
static inline uint32_t padded(int32_t width) { return round_up((uint32_t)width, 16); }

/* The published filter width: ceil(side / (2 * 64)). */
static inline int32_t window_of(int32_t side) { return (side + 2 * GRID - 1) / (2 * GRID); }

/* How many samples of a window lie at and after its centre, less one, so at the picture's edge they come first. */
static inline int32_t lead_of(int32_t window) { return (window + 2) / 2 - 1; }

/* Grid position i along a side: the middle of the i-th of 64 equal parts. */
static inline int32_t sample_of(int32_t side, int i) { return (int32_t)(((i + 0.5) * side) / GRID); }

/* ---- code.c ---- */

typedef struct {
  int32_t quality;
  float margin; /* distance between the two coefficients around the median, of the picture as it is */
} coded_t;

/* Writes SD_DIHEDRAL codes of a grid. */
HELD coded_t code_grid(const float *grid, uint8_t *codes);

/* ---- exact.c ---- */

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
} exact_t;

HELD uint32_t exact_bytes(int32_t width, int32_t height);
/* The state must be zeroed. */
HELD void exact_begin(exact_t *scan, int32_t width, int32_t height);
/* One to BATCH rows of luma numerators, `row_length` apart. */
HELD void exact_rows(exact_t *scan, const int32_t *numerators, uint32_t row_length, int32_t count);
/* The finished grid; call once, after the last row. */
HELD const float *exact_grid(exact_t *scan);

/* ---- operator.c ---- */

/* How a side of a rectangle lies on samples that each stand for `grain` pixels of the full-size picture. */
typedef struct {
  int32_t origin;  /* first full-size pixel of the rectangle */
  int32_t length;  /* full-size pixels of the rectangle */
  int32_t grain;   /* full-size pixels a sample */
  int32_t samples; /* samples along the whole side of the picture */
  int32_t is_512;  /* the side is sampled to 512 first (pdq512); then origin is 0 and length the whole side */
} axis_t;

/* The weights of the samples in each of the 64 results along one side. Weights lie `stride` floats apart. */
typedef struct {
  int32_t first[GRID], count[GRID];
  uint32_t stride;
} bands_t;

/* Floats of weights that `bands_make` may write for a side of this full-size length. */
HELD uint32_t bands_floats(int32_t length);
/* divisor: what every weight is divided by (1, or NUMERATOR where samples are numerators). */
HELD void bands_make(bands_t *bands, float *weights, const axis_t *axis, double divisor);

/* A picture fed as rows of numerators. Buffers lie behind it; offsets count floats. */
typedef struct {
  int32_t width, height; /* samples */
  int32_t rows_in, next_result;
  bands_t rows, columns;
  uint32_t row_weights, column_weights, sums;
  float grid[GRID * GRID];
} stream_t;

HELD uint32_t stream_bytes(const axis_t *x, const axis_t *y);
/* The state must be zeroed. */
HELD void stream_begin(stream_t *stream, const axis_t *x, const axis_t *y);
HELD void stream_row(stream_t *stream, const int32_t *numerators);

/* The grid of a rectangle on a plane of samples. scratch: padded(plane width) + both axes' bands_floats. */
HELD void grid_of_rectangle(const float *plane, uint32_t row_length, const axis_t *x, const axis_t *y, float *scratch,
                            float *grid);

#endif
