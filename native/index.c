/* index.c - exact range search over 256-bit codes: what is kept, and how it changes. Searching is index_search.c,
 * files are index_file.c.
 *
 * New codes go to a small unsorted tail, which is folded into the immutable sorted part when it has grown. A removal
 * is a mark on the sorted part, so it holds for the next search. Refuses to hold a change back until a fold.
 */
#define _GNU_SOURCE /* the rwlock kind that does not starve writers */
#include <errno.h>
#include <stdlib.h>

#include "index_parts.h"

static void fill_tables(part *p) {
  for (int t = 0; t < CHUNKS; t++) {
    uint32_t *offsets = (uint32_t *)p->offsets + (size_t)t * (BUCKETS + 1);
    uint32_t *positions = (uint32_t *)p->positions + (size_t)t * p->count;
    for (size_t i = 0; i < p->count; i++) offsets[chunk(p->codes + CODE * i, t) + 1]++;
    for (uint32_t b = 1; b <= BUCKETS; b++) offsets[b] += offsets[b - 1];
    /* Walking backwards with the bucket's end as cursor leaves offsets[b + 1] at the start of b: shift them once after. */
    for (size_t i = p->count; i-- > 0;) positions[--offsets[chunk(p->codes + CODE * i, t) + 1]] = (uint32_t)i;
    memmove(offsets, offsets + 1, 4 * (size_t)BUCKETS);
    offsets[BUCKETS] = (uint32_t)p->count;
  }
}

sd_index_status sd_index_new(size_t tail_limit, sd_index **out) {
  sd_index *index = calloc(1, sizeof *index);
  if (!index) return SD_INDEX_NO_MEMORY;
  index->tail_limit = tail_limit;
  pthread_rwlockattr_t kind;
  pthread_rwlockattr_init(&kind);
#ifdef __GLIBC__
  pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
  pthread_rwlock_init(&index->guard, &kind);
  pthread_rwlockattr_destroy(&kind);
  pthread_mutex_init(&index->writers, NULL);
  *out = index;
  return SD_INDEX_OK;
}

void sd_index_free(sd_index *index) {
  if (!index) return;
  sd_part_drop(&index->sorted);
  free(index->dead);
  free(index->tail_codes);
  free(index->tail_ids);
  pthread_rwlock_destroy(&index->guard);
  pthread_mutex_destroy(&index->writers);
  free(index);
}

static size_t live(const sd_index *index) { return index->sorted.count - index->dead_count + index->tail_count; }

size_t sd_index_count(sd_index *index) {
  pthread_rwlock_rdlock(&index->guard);
  size_t n = live(index);
  pthread_rwlock_unlock(&index->guard);
  return n;
}

static int by_id(const void *a, const void *b) {
  const uint64_t *x = a, *y = b;
  return (x[0] > y[0]) - (x[0] < y[0]);
}

/* Makes a new sorted part of everything that lives and swaps it in. The caller holds `writers`, so that nothing changes
 * while it reads; searches go on over the old part until the swap. Memory holds both for that time. */
static sd_index_status fold(sd_index *index) {
  size_t n = live(index), tail = index->tail_count, written = 0;
  part made = sd_part_lay_out(NULL, n, n >= index->tail_limit && n > 0);
  uint8_t *block = aligned_alloc(64, made.bytes);
  uint64_t(*order)[2] = malloc((tail + 1) * sizeof *order);
  if (!block || !order) {
    free(block);
    free(order);
    return SD_INDEX_NO_MEMORY;
  }
  memset(block, 0, made.bytes);
  made = sd_part_lay_out(block, n, made.has_tables);
  uint64_t *ids = (uint64_t *)made.ids;
  uint8_t *codes = (uint8_t *)made.codes;
  for (size_t i = 0; i < tail; i++) order[i][0] = index->tail_ids[i], order[i][1] = i;
  qsort(order, tail, sizeof *order, by_id);
  const part *old = &index->sorted;
  for (size_t i = 0, j = 0; i < old->count || j < tail;) {
    if (i < old->count && is_dead(index->dead, i)) {
      i++;
    } else if (i < old->count && (j == tail || old->ids[i] <= order[j][0])) {
      ids[written] = old->ids[i];
      memcpy(codes + CODE * written++, old->codes + CODE * i++, CODE);
    } else {
      ids[written] = order[j][0];
      memcpy(codes + CODE * written++, index->tail_codes + CODE * order[j++][1], CODE);
    }
  }
  free(order);
  if (made.has_tables) fill_tables(&made);
  pthread_rwlock_wrlock(&index->guard);
  part before = index->sorted;
  uint8_t *dead = index->dead;
  index->sorted = made;
  index->dead = NULL;
  index->dead_count = index->tail_count = 0;
  pthread_rwlock_unlock(&index->guard);
  sd_part_drop(&before);
  free(dead);
  return SD_INDEX_OK;
}

/* Folding when the tail is an eighth of the rest keeps both the scan of the tail and the cost of adding small. */
static void fold_if_due(sd_index *index) {
  int grown = index->tail_count >= index->tail_limit && index->tail_count >= index->sorted.count / 8;
  int hollow = index->dead_count >= index->tail_limit && index->dead_count > index->sorted.count / 2;
  if (grown || hollow) (void)fold(index); /* without memory it stays as it is: slower, still exact */
}

sd_index_status sd_index_add(sd_index *index, const uint8_t *codes, const uint64_t *ids, size_t n) {
  if (n == 0) return SD_INDEX_OK;
  sd_index_status status = SD_INDEX_OK;
  pthread_mutex_lock(&index->writers);
  if (n > MOST_CODES || live(index) + index->dead_count + n > MOST_CODES) {
    status = SD_INDEX_TOO_MANY;
  } else {
    pthread_rwlock_wrlock(&index->guard);
    if (index->tail_count + n > index->tail_room) {
      size_t room = index->tail_room * 2 > index->tail_count + n ? index->tail_room * 2 : index->tail_count + n;
      uint8_t *more_codes = realloc(index->tail_codes, room * CODE);
      if (more_codes) index->tail_codes = more_codes;
      uint64_t *more_ids = more_codes ? realloc(index->tail_ids, room * 8) : NULL;
      if (more_ids) index->tail_ids = more_ids;
      if (more_ids) index->tail_room = room;
      if (!more_ids) status = SD_INDEX_NO_MEMORY;
    }
    if (status == SD_INDEX_OK) {
      memcpy(index->tail_codes + CODE * index->tail_count, codes, CODE * n);
      memcpy(index->tail_ids + index->tail_count, ids, 8 * n);
      index->tail_count += n;
    }
    pthread_rwlock_unlock(&index->guard);
    if (status == SD_INDEX_OK) fold_if_due(index);
  }
  pthread_mutex_unlock(&index->writers);
  return status;
}

static size_t first_not_below(const uint64_t *ids, size_t n, uint64_t id) {
  size_t low = 0;
  while (n > 0) {
    size_t half = n / 2;
    if (ids[low + half] < id) low += half + 1, n -= half + 1;
    else n = half;
  }
  return low;
}

sd_index_status sd_index_remove(sd_index *index, const uint64_t *ids, size_t n, size_t *removed) {
  *removed = 0;
  if (n == 0) return SD_INDEX_OK;
  pthread_mutex_lock(&index->writers);
  const part *sorted = &index->sorted;
  uint8_t *fresh = index->dead ? NULL : calloc(sorted->count / 8 + 1, 1);
  uint64_t *wanted = malloc(n * 8);
  if (!wanted || !(index->dead || fresh)) {
    free(fresh);
    free(wanted);
    pthread_mutex_unlock(&index->writers);
    return SD_INDEX_NO_MEMORY;
  }
  memcpy(wanted, ids, n * 8);
  qsort(wanted, n, 8, by_id);
  pthread_rwlock_wrlock(&index->guard);
  if (fresh) index->dead = fresh;
  for (size_t k = 0; k < n; k++)
    for (size_t i = first_not_below(sorted->ids, sorted->count, wanted[k]); i < sorted->count && sorted->ids[i] == wanted[k]; i++)
      if (!is_dead(index->dead, i)) {
        index->dead[i >> 3] |= (uint8_t)(1u << (i & 7));
        index->dead_count++;
        ++*removed;
      }
  for (size_t i = index->tail_count; i-- > 0;) {
    size_t k = first_not_below(wanted, n, index->tail_ids[i]);
    if (k == n || wanted[k] != index->tail_ids[i]) continue;
    size_t last = --index->tail_count; /* the last one takes its place: order in the tail means nothing */
    index->tail_ids[i] = index->tail_ids[last];
    memmove(index->tail_codes + CODE * i, index->tail_codes + CODE * last, CODE);
    ++*removed;
  }
  pthread_rwlock_unlock(&index->guard);
  fold_if_due(index);
  pthread_mutex_unlock(&index->writers);
  free(wanted);
  return SD_INDEX_OK;
}

sd_index_status sd_index_save(sd_index *index, const char *path) {
  pthread_mutex_lock(&index->writers);
  sd_index_status status = SD_INDEX_OK;
  if (!index->sorted.block || index->tail_count || index->dead_count) status = fold(index);
  if (status == SD_INDEX_OK && !sd_part_write(&index->sorted, path)) status = SD_INDEX_SYSTEM;
  int error = errno;
  pthread_mutex_unlock(&index->writers);
  errno = error;
  return status;
}
