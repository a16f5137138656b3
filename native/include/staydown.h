/* staydown.h - the one public header of the native core.
 *
 * The fingerprint half is freestanding C11: no libc, no allocation, no libm, so that the same source
 * compiles for CPython (gcc) and for the browser (clang, wasm32). Compile with -ffp-contract=off: the
 * results are bit-identical to `pdqhash` only while every float32 operation keeps its own rounding.
 * The index half needs a hosted C library (memory, files, mmap).
 */
#ifndef STAYDOWN_H
#define STAYDOWN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __wasm__
#define SD_EXPORT(name) __attribute__((export_name(#name)))
#else
#define SD_EXPORT(name)
#endif

#define SD_ABI 2
#define SD_CODE_BYTES 32 /* a PDQ code: 256 bits, first hex digit first */
#define SD_DIHEDRAL 8    /* full, r90, r180, r270, fV, fH, fP, fM - in pdqhash's order */
#define SD_MIN_SIDE 5    /* pixels; the smallest picture that PDQ is defined for here */

SD_EXPORT(sd_abi) int32_t sd_abi(void);

/* ---- one photo, both scale policies, fed row by row --------------------------------------------
 * pdq:    the picture as it is.
 * pdq512: if either side is longer than 512, the picture sampled (nearest, source index
 *         floor(i * side / 512)) to 512x512 first; otherwise the same as pdq.
 */
#define SD_FAST 1       /* the separable operator instead of the published order of operations (exact) */
#define SD_KEEP_PLANE 2 /* keep block means of the luma, so that views can be coded afterwards */

/* Bytes of state; 0 if this is refused: a side below SD_MIN_SIDE or above 65535, an unknown flag, a step without SD_FAST.
 * State must be 64-byte aligned. width, height: the full-size picture. step: 1, or 2, 4, 8 if a decoder has already
 * reduced it: the rows then have ceil(width / step) pixels, each the mean of step x step, and there are
 * ceil(height / step) of them. */
SD_EXPORT(sd_photo_bytes) uint32_t sd_photo_bytes(int32_t width, int32_t height, int32_t step, int32_t flags);
/* 1 if the state was prepared, 0 if it is refused. */
SD_EXPORT(sd_photo_begin) int32_t sd_photo_begin(void *state, int32_t width, int32_t height, int32_t step, int32_t flags);
/* Feeds rows from the top. channels: 1 (luma), 3 (RGB) or 4 (RGBX, the fourth is ignored). Returns rows taken so far. */
SD_EXPORT(sd_photo_rows) int32_t sd_photo_rows(void *state, const uint8_t *pixels, int32_t rows, int32_t stride_bytes,
                                               int32_t channels);
/* codes: 2 x 8 x 32 bytes (pdq's eight, then pdq512's eight). qualities: 2 values, 0..100. margins: 2 values: the
 * distance between the two coefficients around the median; while rounding moves none by half as much, no bit of the
 * unturned code differs from the exact path. 0 if done, -1 if rows are missing. */
SD_EXPORT(sd_photo_finish) int32_t sd_photo_finish(void *state, uint8_t *codes, int32_t *qualities, float *margins);

/* After sd_photo_finish, with SD_KEEP_PLANE: the pdq codes (8 x 32 bytes) of a rectangle in full-size pixels, each side
 * at least SD_MIN_SIDE. Returns its quality, 0..100, or -1 if it is refused. */
SD_EXPORT(sd_photo_view) int32_t sd_photo_view(void *state, int32_t left, int32_t top, int32_t width, int32_t height,
                                               uint8_t *codes);
/* The kept plane: luma 0..255 of equal blocks, at most 2^22 of them; 0 without SD_KEEP_PLANE. */
SD_EXPORT(sd_photo_plane_width) int32_t sd_photo_plane_width(const void *state);
SD_EXPORT(sd_photo_plane_height) int32_t sd_photo_plane_height(const void *state);
/* out: plane_height x plane_width floats. 0 if done, -1 if there is none yet. */
SD_EXPORT(sd_photo_plane) int32_t sd_photo_plane(const void *state, float *out);

/* ---- MD5 and SHA-256 of one stream in one pass ------------------------------------------------- */
SD_EXPORT(sd_digest_bytes) uint32_t sd_digest_bytes(void);
SD_EXPORT(sd_digest_begin) void sd_digest_begin(void *state);
SD_EXPORT(sd_digest_update) void sd_digest_update(void *state, const uint8_t *bytes, uint32_t length);
/* out: 48 bytes: MD5 (16), then SHA-256 (32). */
SD_EXPORT(sd_digest_finish) void sd_digest_finish(void *state, uint8_t *out);

#ifndef __wasm__
/* ---- exact range search over 256-bit codes: see native/index.c (added below by its owner) ------ */
#include "staydown_index.h"
#endif

#endif
