/* index_search.c - exact range search by multi-index hashing.
 *
 * A code is cut into 16 chunks of 16 bits. Two codes within 31 bits agree in at least one chunk up to one bit
 * (16 chunks with 2 differences each would be 32), so looking up 16 x 17 buckets finds every such pair. Above 31 bits,
 * or when the buckets hold more than a plain scan would read, the scan is done instead. Refuses to approximate.
 */
#include <stdlib.h>

#include "index_parts.h"

#define PROBES (CHUNKS * 17)
#define BLOCK 512 /* codes a scan measures at a time: 16 KiB, half of a first-level cache */

/* One clone a processor generation: popcount is one instruction from `popcnt` on, eight lanes wide on `icelake`. Not under
 * the sanitizers, whose run time is not up yet when the loader picks a clone. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("default", "popcnt", "avx2", "arch=icelake-server")))
#else
#define FOR_EACH_PROCESSOR
#endif

void sd_hits_free(sd_hits *hits) {
  free(hits->hits);
  *hits = (sd_hits){0};
}

static int keep(sd_hits *hits, uint64_t id, size_t query, int distance) {
  if (hits->count == hits->room) {
    size_t room = hits->room ? hits->room * 2 : 64;
    sd_hit *more = room > SIZE_MAX / sizeof *more ? NULL : realloc(hits->hits, room * sizeof *more);
    if (!more) return 0;
    hits->hits = more;
    hits->room = room;
  }
  hits->hits[hits->count++] = (sd_hit){.id = id, .query = (int64_t)query, .distance_bits = (uint16_t)distance};
  return 1;
}

INLINE int half_distance(const uint8_t *a, const uint8_t *b) {
  uint64_t x[2], y[2];
  memcpy(x, a, 16);
  memcpy(y, b, 16);
  return __builtin_popcountll(x[0] ^ y[0]) + __builtin_popcountll(x[1] ^ y[1]);
}

FOR_EACH_PROCESSOR
static void measure(const uint8_t *restrict codes, size_t n, const uint8_t *restrict query, uint16_t *restrict distances) {
  for (size_t i = 0; i < n; i++)
    distances[i] = (uint16_t)(half_distance(codes + CODE * i, query) + half_distance(codes + CODE * i + 16, query + 16));
}

static int scan(const uint8_t *codes, const uint64_t *ids, const uint8_t *dead, size_t n, const uint8_t *query, size_t row,
                int most, sd_hits *hits) {
  uint16_t distances[BLOCK];
  for (size_t start = 0; start < n; start += BLOCK) {
    size_t here = n - start < BLOCK ? n - start : BLOCK;
    measure(codes + CODE * start, here, query, distances);
    for (size_t i = 0; i < here; i++)
      if (distances[i] <= most && !is_dead(dead, start + i) && !keep(hits, ids[start + i], row, distances[i])) return 0;
  }
  return 1;
}

/* A code may lie in a looked-up bucket of several chunks. It is reported from the first of them only. */
INLINE int found_before(const uint8_t *code, const uint8_t *query, int t, int radius) {
  for (int s = 0; s < t; s++)
    if (__builtin_popcount(chunk(code, s) ^ chunk(query, s)) <= radius) return 1;
  return 0;
}

FOR_EACH_PROCESSOR
static int probe(const part *p, const uint8_t *dead, const uint8_t *query, size_t row, int most, sd_hits *hits) {
  int radius = most < CHUNKS ? 0 : 1; /* within 15 bits, one of 16 chunks is equal */
  int keys = radius ? 17 : 1;
  const uint32_t *from[PROBES + 1], *to[PROBES + 1];
  int ranges = 0;
  size_t candidates = 0;
  for (int t = 0; t < CHUNKS; t++)
    for (int f = 0; f < keys; f++)
      __builtin_prefetch(p->offsets + (size_t)t * (BUCKETS + 1) + (chunk(query, t) ^ (1u << f >> 1)));
  for (int t = 0; t < CHUNKS; t++)
    for (int f = 0; f < keys; f++, ranges++) {
      const uint32_t *offset = p->offsets + (size_t)t * (BUCKETS + 1) + (chunk(query, t) ^ (1u << f >> 1));
      from[ranges] = p->positions + (size_t)t * p->count + offset[0];
      to[ranges] = p->positions + (size_t)t * p->count + offset[1];
      candidates += offset[1] - offset[0];
      __builtin_prefetch(from[ranges]);
    }
  /* Skewed banks: full buckets would be read up to 16 times over. Plain scanning bounds the worst case. */
  if (candidates > p->count) return scan(p->codes, p->ids, dead, p->count, query, row, most, hits);
  from[ranges] = to[ranges] = NULL;
  for (int r = 0; r < ranges; r++) {
    for (const uint32_t *i = from[r + 1]; i < to[r + 1]; i++) __builtin_prefetch(p->codes + CODE * (size_t)*i);
    for (const uint32_t *i = from[r]; i < to[r]; i++) {
      const uint8_t *code = p->codes + CODE * (size_t)*i;
      int distance = half_distance(code, query);
      if (distance > most) continue;
      distance += half_distance(code + 16, query + 16);
      if (distance > most || is_dead(dead, *i) || found_before(code, query, r / keys, radius)) continue;
      if (!keep(hits, p->ids[*i], row, distance)) return 0;
    }
  }
  return 1;
}

static int nearest_first(const void *a, const void *b) {
  const sd_hit *x = a, *y = b;
  if (x->distance_bits != y->distance_bits) return x->distance_bits < y->distance_bits ? -1 : 1;
  return (x->id > y->id) - (x->id < y->id);
}

sd_index_status sd_index_search(sd_index *index, const uint8_t *queries, size_t n, int most, sd_hits *hits) {
  int enough = 1;
  pthread_rwlock_rdlock(&index->guard);
  const part *p = &index->sorted;
  for (size_t row = 0; row < n && enough; row++) {
    const uint8_t *query = queries + CODE * row;
    size_t first = hits->count;
    enough = p->has_tables && most <= 31 ? probe(p, index->dead, query, row, most, hits)
                                         : scan(p->codes, p->ids, index->dead, p->count, query, row, most, hits);
    enough = enough && scan(index->tail_codes, index->tail_ids, NULL, index->tail_count, query, row, most, hits);
    if (hits->count > first) qsort(hits->hits + first, hits->count - first, sizeof *hits->hits, nearest_first);
  }
  pthread_rwlock_unlock(&index->guard);
  return enough ? SD_INDEX_OK : SD_INDEX_NO_MEMORY;
}
