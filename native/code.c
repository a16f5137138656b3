/* code.c - from a 64 x 64 grid of brightness to eight PDQ codes, their quality, and how sure the codes are.
 *
 * The 16 x 16 lowest frequencies of the grid's DCT (without the constant row and column) give one bit each: is the
 * coefficient above the median? A turned or mirrored picture has the same coefficients up to order and sign.
 * Source: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", Facebook 2019,
 * github.com/facebook/ThreatExchange, hashing/hashing.pdf. A readable version is src/staydown/fingerprint/reference.py.
 */
#include "dct_table.h"
#include "fingerprint_parts.h"

#define FREQUENCIES 16 /* rows and columns of the DCT corner that is kept */

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

/* The 128th and the 129th smallest of 256. The first is the median as Torben's method in the published code gives it. */
typedef struct {
  float lower, upper;
} middle_t;

static middle_t middle_of(const float *values) {
  float v[FREQUENCIES * FREQUENCIES];
  int low = 0, high = FREQUENCIES * FREQUENCIES - 1;
  const int last = high, wanted = FREQUENCIES * FREQUENCIES / 2 - 1;
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
  middle_t middle = {v[wanted], v[wanted + 1]}; /* what lies behind the wanted place is not smaller */
  for (int i = wanted + 2; i <= last; i++) {
    if (v[i] < middle.upper) middle.upper = v[i];
  }
  return middle;
}

/* Bit k of the code (coefficient k, row by row) is bit k % 8 of byte 31 - k / 8: the hex form reads from bit 255 down.
 * Returns the margin: while no coefficient is off by half as much, every bit is what it should be. */
static float code_of_dct(const float *dct, uint8_t *code) {
  middle_t middle = middle_of(dct);
  for (int i = 0; i < SD_CODE_BYTES; i++) code[i] = 0;
  for (int k = 0; k < 8 * SD_CODE_BYTES; k++) {
    if (dct[k] > middle.lower) code[SD_CODE_BYTES - 1 - k / 8] |= (uint8_t)(1u << (k % 8));
  }
  return middle.upper - middle.lower;
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

coded_t code_grid(const float *grid, uint8_t *codes) {
  float dct[FREQUENCIES * FREQUENCIES], turned[FREQUENCIES * FREQUENCIES];
  dct_of_grid(grid, dct);
  coded_t coded = {quality_of(grid), 0.0f};
  for (int derivation = 0; derivation < SD_DIHEDRAL; derivation++) {
    turn_dct(dct, derivation, turned);
    float margin = code_of_dct(turned, codes + SD_CODE_BYTES * derivation);
    if (derivation == 0) coded.margin = margin;
  }
  return coded;
}
