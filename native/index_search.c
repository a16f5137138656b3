/* index_search.c - exact range search by multi-index hashing.
 *
 * For each chunk that the plan names (index_layout.c), every bucket within the chunk's radius is looked up, and its codes
 * are measured. What is read next is fetched a block ahead, because main memory answers slowly and many questions at once.
 * Where a plain scan would be cheaper, or the buckets turn out too full, the scan is done instead. Refuses to
 * approximate, and to follow a number of a mapped file out of it.
 */
#include <stdlib.h>

#include "index_parts.h"

#define BLOCK 512      /* codes a scan measures at a time: 16 KiB, half of a first-level cache */
#define KEYS 64        /* buckets looked up at a time */
#define PENDING 256    /* candidates measured at a time */
#define ROWS 16        /* queries a thread takes at a time */
#define MOST_THREADS 256

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

static int make_room(sd_hits *hits, size_t more) {
  if (hits->room - hits->count >= more) return 1;
  size_t room = hits->room ? hits->room : 64;
  while (room - hits->count < more) room *= 2;
  sd_hit *moved = room > SIZE_MAX / sizeof *moved ? NULL : realloc(hits->hits, room * sizeof *moved);
  if (!moved) return 0;
  hits->hits = moved;
  hits->room = room;
  return 1;
}

/* One query in one segment. */
typedef struct {
  const part *p;
  const uint8_t *dead, *query;
  const plan *how;
  size_t row;
  int most;
  sd_hits *hits;
} hunt;

INLINE int half_distance(const uint8_t *a, const uint8_t *b) {
  uint64_t x[2], y[2];
  memcpy(x, a, 16);
  memcpy(y, b, 16);
  return __builtin_popcountll(x[0] ^ y[0]) + __builtin_popcountll(x[1] ^ y[1]);
}

/* Reports what stands under a code that is near enough. */
static sd_index_status report(const hunt *h, size_t code, int distance) {
  const part *p = h->p;
  size_t from = p->starts ? p->starts[code] : code, to = p->starts ? p->starts[code + 1] : code + 1;
  if (from > to || to > p->count) return SD_INDEX_STRUCTURE;
  if (!make_room(h->hits, to - from)) return SD_INDEX_NO_MEMORY;
  for (size_t i = from; i < to; i++) {
    if (is_dead(h->dead, i)) continue;
    if (p->thresholds && p->thresholds[i] != SD_NO_THRESHOLD && distance > p->thresholds[i]) continue;
    h->hits->hits[h->hits->count++] =
        (sd_hit){.id = p->ids[i], .query = (int64_t)h->row, .distance_bits = (uint16_t)distance};
  }
  return SD_INDEX_OK;
}

/* In words of 64 bits throughout: so the compiler counts the bits of several codes at once where the processor can. */
FOR_EACH_PROCESSOR
static void measure(const uint8_t *restrict codes, size_t n, const uint8_t *restrict query, uint64_t *restrict distances) {
  const uint64_t *restrict words = (const uint64_t *)codes; /* aligned: in a segment, and in the tail */
  uint64_t sought[4];
  memcpy(sought, query, CODE);
  for (size_t i = 0; i < n; i++) {
    uint64_t bits = 0;
    for (int w = 0; w < 4; w++) bits += (uint64_t)__builtin_popcountll(words[4 * i + (size_t)w] ^ sought[w]);
    distances[i] = bits;
  }
}

static sd_index_status scan(const hunt *h) {
  uint64_t distances[BLOCK];
  sd_index_status status = SD_INDEX_OK;
  for (size_t start = 0; start < h->p->distinct; start += BLOCK) {
    size_t here = h->p->distinct - start < BLOCK ? h->p->distinct - start : BLOCK;
    measure(h->p->codes + CODE * start, here, h->query, distances);
    for (size_t i = 0; i < here && status == SD_INDEX_OK; i++)
      if (distances[i] <= (uint64_t)h->most) status = report(h, start + i, (int)distances[i]);
  }
  return status;
}

/* The codes that were added last, which the caller has locked. */
static sd_index_status scan_tail(const sd_index *index, const uint8_t *query, size_t row, int most, sd_hits *hits) {
  uint64_t distances[BLOCK];
  for (size_t start = 0; start < index->tail_count; start += BLOCK) {
    size_t here = index->tail_count - start < BLOCK ? index->tail_count - start : BLOCK;
    measure(index->tail_codes + CODE * start, here, query, distances);
    for (size_t i = 0; i < here; i++) {
      int distance = (int)distances[i], threshold = index->tail_thresholds[start + i];
      if (distance > most || (threshold != SD_NO_THRESHOLD && distance > threshold)) continue;
      if (!make_room(hits, 1)) return SD_INDEX_NO_MEMORY;
      hits->hits[hits->count++] =
          (sd_hit){.id = index->tail_ids[start + i], .query = (int64_t)row, .distance_bits = (uint16_t)distance};
    }
  }
  return SD_INDEX_OK;
}

/* A code may lie in a looked-up bucket of several chunks. It is reported from the first of them only. */
INLINE int found_before(const hunt *h, const uint8_t *code, int t) {
  for (int s = 0; s < t; s++) {
    const table *other = &h->p->tables[s];
    uint32_t apart = chunk(code, other->first, other->width) ^ chunk(h->query, other->first, other->width);
    if (__builtin_popcount(apart) <= h->how->radius[s]) return 1;
  }
  return 0;
}

INLINE sd_index_status verify(const hunt *h, int t, const uint32_t *pending, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const uint8_t *code = h->p->codes + CODE * (size_t)pending[i];
    int distance = half_distance(code, h->query);
    if (distance > h->most) continue;
    distance += half_distance(code + 16, h->query + 16);
    if (distance > h->most || found_before(h, code, t)) continue;
    sd_index_status status = report(h, pending[i], distance);
    if (status != SD_INDEX_OK) return status;
  }
  return SD_INDEX_OK;
}

/* All masks of up to `radius` of `width` bits, by rising number of bits. */
typedef struct {
  uint32_t mask;
  int bits, radius, width, more;
} masks;

INLINE void next_mask(masks *m) {
  uint32_t low = m->mask & (0u - m->mask), up = m->mask + low;
  uint32_t next = m->mask ? (((up ^ m->mask) >> 2) >> __builtin_ctz(m->mask)) | up : 1u << m->width;
  if (next >> m->width) {
    if (++m->bits > m->radius || m->bits > m->width) m->more = 0;
    else next = (1u << m->bits) - 1;
  }
  m->mask = next;
}

/* Some buckets of one chunk on their way through the stages. Between two stages the other blocks of the ring have their
 * turn, and what was asked of memory arrives. */
typedef struct {
  int t, is_full;
  size_t keys_count, ranges, found;
  uint32_t keys[KEYS], from[KEYS], to[KEYS], pending[PENDING];
} block;

INLINE void choose_keys(const hunt *h, block *b, masks *m) {
  const table *here = &h->p->tables[b->t];
  uint32_t own = chunk(h->query, here->first, here->width);
  for (b->keys_count = 0; b->keys_count < KEYS && m->more; b->keys_count++, next_mask(m)) {
    uint32_t key = own ^ m->mask;
    b->keys[b->keys_count] = key;
    __builtin_prefetch(here->lines + LINE * line_of(key, here->step));
  }
}

INLINE int look_up(const hunt *h, block *b, size_t *candidates) {
  const table *here = &h->p->tables[b->t];
  int inside = 1;
  b->ranges = 0;
  for (size_t i = 0; i < b->keys_count; i++) {
    uint32_t from, to;
    inside &= bucket(here, h->p->distinct, b->keys[i], &from, &to);
    if (!inside) break;
    b->from[b->ranges] = from, b->to[b->ranges] = to;
    b->ranges += from < to;
    *candidates += to - from;
    __builtin_prefetch(here->positions + from);
  }
  return inside;
}

INLINE sd_index_status collect(const hunt *h, block *b) {
  const uint32_t *positions = h->p->tables[b->t].positions;
  b->found = 0;
  for (size_t i = 0; i < b->ranges; i++)
    for (uint32_t k = b->from[i]; k < b->to[i]; k++) {
      uint32_t position = positions[k];
      if (position >= h->p->distinct) return SD_INDEX_STRUCTURE;
      __builtin_prefetch(h->p->codes + CODE * (size_t)position);
      b->pending[b->found++] = position;
      if (b->found < PENDING) continue;
      sd_index_status status = verify(h, b->t, b->pending, b->found);
      if (status != SD_INDEX_OK) return status;
      b->found = 0;
    }
  return SD_INDEX_OK;
}

/* Looks up the buckets of all chunks. `is_enough` says that more candidates came than a scan would read. */
FOR_EACH_PROCESSOR
static sd_index_status probe(const hunt *h, int *is_enough) {
  block ring[4];
  for (int i = 0; i < 4; i++) ring[i].is_full = 0;
  masks m = {.more = 0};
  size_t candidates = 0;
  int t = -1;
  for (unsigned turn = 0;; turn++) {
    block *made = &ring[turn & 3], *looked = &ring[(turn + 3) & 3], *collected = &ring[(turn + 2) & 3];
    block *verified = &ring[(turn + 1) & 3];
    while (!m.more && t + 1 < h->p->chunks) {
      t++;
      m = (masks){.radius = h->how->radius[t], .width = h->p->tables[t].width, .more = h->how->radius[t] >= 0};
    }
    made->is_full = m.more;
    made->t = t;
    if (m.more) choose_keys(h, made, &m);
    if (looked->is_full && !look_up(h, looked, &candidates)) return SD_INDEX_STRUCTURE;
    if (candidates > h->how->budget) {
      *is_enough = 1;
      return SD_INDEX_OK;
    }
    sd_index_status status = SD_INDEX_OK;
    if (collected->is_full) status = collect(h, collected);
    if (status == SD_INDEX_OK && verified->is_full) status = verify(h, verified->t, verified->pending, verified->found);
    if (status != SD_INDEX_OK) return status;
    if (!made->is_full && !looked->is_full && !collected->is_full) return SD_INDEX_OK;
  }
}

static sd_index_status search_segment(const hunt *h) {
  size_t before = h->hits->count;
  int is_enough = !h->how->useful;
  sd_index_status status = is_enough ? SD_INDEX_OK : probe(h, &is_enough);
  if (status != SD_INDEX_OK || !is_enough) return status;
  h->hits->count = before;
  return scan(h);
}

static int nearest_first(const void *a, const void *b) {
  const sd_hit *x = a, *y = b;
  if (x->distance_bits != y->distance_bits) return x->distance_bits < y->distance_bits ? -1 : 1;
  return (x->id > y->id) - (x->id < y->id);
}

static void sort(sd_hit *hits, size_t n) {
  size_t i = 1;
  while (i < n && nearest_first(hits + i - 1, hits + i) <= 0) i++;
  if (i < n) qsort(hits, n, sizeof *hits, nearest_first);
}

/* ---- the whole index ---------------------------------------------------------------------------------------- */

/* What the threads of one search share. Each takes ROWS queries at a time and keeps their hits apart. */
typedef struct {
  sd_index *index;
  const uint8_t *queries;
  size_t n;
  int most;
  _Atomic size_t next;
  _Atomic int status;
  sd_hits *found; /* one for every ROWS queries */
} search;

/* The roster that a thread holds, and its plans. */
typedef struct {
  roster *held;
  plan *plans;
} sight;

void sd_let_go(roster *held) {
  if (!held || atomic_fetch_sub(&held->holders, 1) > 1) return;
  for (size_t i = 0; i < held->count; i++) {
    segment *one = held->segments[i];
    if (atomic_fetch_sub(&one->holders, 1) > 1) continue;
    sd_part_drop(&one->p);
    free(atomic_load(&one->dead));
    free(one);
  }
  free(held);
}

/* Scans the tail and takes hold of the segments that go with it, in one moment. */
static sd_index_status look(search *s, sight *in, size_t row, sd_hits *hits) {
  sd_index *index = s->index;
  pthread_rwlock_rdlock(&index->guard);
  roster *old = in->held == index->present ? NULL : in->held;
  int changed = in->held != index->present;
  in->held = index->present;
  if (changed) atomic_fetch_add(&in->held->holders, 1);
  sd_index_status status = scan_tail(index, s->queries + CODE * row, row, s->most, hits);
  pthread_rwlock_unlock(&index->guard);
  sd_let_go(old);
  if (!changed || status != SD_INDEX_OK) return status;
  free(in->plans);
  in->plans = malloc((in->held->count + 1) * sizeof *in->plans);
  if (!in->plans) return SD_INDEX_NO_MEMORY;
  for (size_t i = 0; i < in->held->count; i++) {
    const segment *one = in->held->segments[i];
    in->plans[i] = s->most == USUAL ? one->usual : sd_plan_for(&one->p, s->most, index->forced.chunks > 0);
  }
  return SD_INDEX_OK;
}

static sd_index_status search_row(search *s, sight *in, size_t row, sd_hits *hits) {
  size_t first = hits->count;
  sd_index_status status = look(s, in, row, hits);
  for (size_t i = 0; status == SD_INDEX_OK && i < in->held->count; i++) {
    segment *one = in->held->segments[i];
    hunt h = {.p = &one->p, .dead = atomic_load(&one->dead), .query = s->queries + CODE * row, .how = &in->plans[i],
              .row = row, .most = s->most, .hits = hits};
    status = search_segment(&h);
  }
  if (status == SD_INDEX_OK && hits->count > first) sort(hits->hits + first, hits->count - first);
  return status;
}

static void *take_rows(void *shared) {
  search *s = shared;
  sight in = {NULL, NULL};
  for (;;) {
    size_t first = atomic_fetch_add(&s->next, ROWS);
    if (first >= s->n || atomic_load(&s->status) != SD_INDEX_OK) break;
    size_t last = s->n - first < ROWS ? s->n : first + ROWS;
    sd_index_status status = SD_INDEX_OK;
    for (size_t row = first; row < last && status == SD_INDEX_OK; row++)
      status = search_row(s, &in, row, &s->found[first / ROWS]);
    if (status != SD_INDEX_OK) atomic_store(&s->status, (int)status);
  }
  sd_let_go(in.held);
  free(in.plans);
  return NULL;
}

static sd_index_status gather(const sd_hits *found, size_t blocks, sd_hits *hits) {
  size_t total = 0;
  for (size_t i = 0; i < blocks; i++) total += found[i].count;
  if (!make_room(hits, total)) return SD_INDEX_NO_MEMORY;
  for (size_t i = 0; i < blocks; i++) {
    if (found[i].count) memcpy(hits->hits + hits->count, found[i].hits, found[i].count * sizeof *hits->hits);
    hits->count += found[i].count;
  }
  return SD_INDEX_OK;
}

sd_index_status sd_index_search(sd_index *index, const uint8_t *queries, size_t n, int most, int threads, sd_hits *hits) {
  size_t blocks = (n + ROWS - 1) / ROWS;
  if (!blocks) return SD_INDEX_OK;
  search s = {.index = index, .queries = queries, .n = n, .most = most, .found = calloc(blocks, sizeof(sd_hits))};
  if (!s.found) return SD_INDEX_NO_MEMORY;
  pthread_t others[MOST_THREADS];
  size_t wanted = threads > MOST_THREADS ? MOST_THREADS : (size_t)threads, started = 0;
  while (started + 1 < wanted && started + 1 < blocks && pthread_create(&others[started], NULL, take_rows, &s) == 0) started++;
  take_rows(&s);
  for (size_t i = 0; i < started; i++) pthread_join(others[i], NULL);
  sd_index_status status = (sd_index_status)atomic_load(&s.status);
  if (status == SD_INDEX_OK && blocks == 1) *hits = s.found[0];
  else if (status == SD_INDEX_OK) status = gather(s.found, blocks, hits);
  for (size_t i = 0; i < blocks && !(status == SD_INDEX_OK && blocks == 1); i++) sd_hits_free(&s.found[i]);
  free(s.found);
  return status;
}
