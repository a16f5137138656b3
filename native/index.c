/* index.c - an index of immutable segments: what is kept, and how it changes. Searching is index_search.c, building a
 * segment index_build.c, files index_file.c.
 *
 * New codes go to a small unsorted tail; a full tail, or many codes at once, becomes a segment. A thread of the index's own
 * merges segments of similar size, and nothing waits for it. A removal is a mark, so it holds for the next search. Refuses to
 * merge a segment that is mapped from a file: other processes share its memory.
 */
#define _GNU_SOURCE /* the rwlock kind that does not starve writers */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "index_parts.h"

/* A segment is merged with all smaller ones once those hold a quarter as many codes: a search meets few segments, each a
 * fifth of the next or less, and a code is copied four times for each of them. */
#define SHARE 4

/* The merging thread takes this before any lock of an index, and a fork takes it too, so that no child inherits a lock that
 * nobody will open. */
static pthread_mutex_t fork_gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void before_fork(void) { pthread_mutex_lock(&fork_gate); }
static void after_fork(void) { pthread_mutex_unlock(&fork_gate); }
static void mind_forks(void) { pthread_atfork(before_fork, after_fork, after_fork); }

/* ---- rosters ------------------------------------------------------------------------------------------------- */

static segment *new_segment(const sd_index *index, const part *p) {
  segment *made = calloc(1, sizeof *made);
  if (!made) return NULL;
  made->p = *p;
  made->usual = sd_plan_for(p, USUAL, index->forced.chunks > 0);
  return made; /* held by nobody yet */
}

/* A roster of the old one's segments but those that `leaves` marks, and of one more; held once. */
static roster *next_roster(const roster *old, const uint8_t *leaves, segment *added) {
  roster *made = calloc(1, sizeof *made + (old->count + 1) * sizeof *made->segments);
  if (!made) return NULL;
  for (size_t i = 0; i < old->count; i++)
    if (!leaves || !leaves[i]) made->segments[made->count++] = old->segments[i];
  if (added) made->segments[made->count++] = added;
  for (size_t i = 0; i < made->count; i++) atomic_fetch_add(&made->segments[i]->holders, 1);
  atomic_store(&made->holders, 1);
  return made;
}

static size_t live_of(const segment *one) { return one->p.count - atomic_load(&((segment *)one)->dead_count); }

static size_t live(const sd_index *index) {
  size_t n = index->tail_count;
  for (size_t i = 0; i < index->present->count; i++) n += live_of(index->present->segments[i]);
  return n;
}

/* ---- beginning and end ----------------------------------------------------------------------------------------- */

sd_index_status sd_index_new(size_t tail_limit, const uint8_t *widths, int chunks, sd_index **out) {
  pthread_once(&fork_once, mind_forks);
  sd_index *index = calloc(1, sizeof *index);
  roster *empty = calloc(1, sizeof *empty);
  if (!index || !empty) {
    free(index);
    free(empty);
    return SD_INDEX_NO_MEMORY;
  }
  atomic_store(&empty->holders, 1);
  index->present = empty;
  index->tail_limit = tail_limit;
  if (widths) memcpy(index->forced.widths, widths, (size_t)chunks);
  index->forced.chunks = widths ? chunks : 0;
  pthread_rwlockattr_t kind;
  pthread_rwlockattr_init(&kind);
#ifdef __GLIBC__
  pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
  pthread_rwlock_init(&index->guard, &kind);
  pthread_rwlockattr_destroy(&kind);
  pthread_mutex_init(&index->writers, NULL);
  pthread_cond_init(&index->idle, NULL);
  *out = index;
  return SD_INDEX_OK;
}

static int is_ours(const sd_index *index) { return index->has_merger && index->merger_process == getpid(); }

void sd_index_free(sd_index *index) {
  if (!index) return;
  atomic_store(&index->stopping, 1);
  if (is_ours(index)) pthread_join(index->merger, NULL);
  sd_let_go(index->present);
  free(index->tail_codes);
  free(index->tail_ids);
  free(index->tail_thresholds);
  free(index->removed);
  pthread_cond_destroy(&index->idle);
  pthread_rwlock_destroy(&index->guard);
  pthread_mutex_destroy(&index->writers);
  free(index);
}

size_t sd_index_count(sd_index *index) {
  pthread_rwlock_rdlock(&index->guard);
  size_t n = live(index);
  pthread_rwlock_unlock(&index->guard);
  return n;
}

void sd_index_stats(sd_index *index, sd_index_facts *facts) {
  *facts = (sd_index_facts){0};
  pthread_rwlock_rdlock(&index->guard);
  facts->codes = live(index);
  facts->tail = index->tail_count;
  facts->segments = index->present->count;
  facts->bytes = index->tail_room * (CODE + 9);
  for (size_t i = 0; i < index->present->count; i++) {
    segment *one = index->present->segments[i];
    facts->tombstones += atomic_load(&one->dead_count);
    facts->bytes += one->p.bytes + (atomic_load(&one->dead) ? one->p.count / 8 + 1 : 0);
    if (one->p.mapped) facts->mapped += one->p.bytes;
  }
  pthread_rwlock_unlock(&index->guard);
}

/* ---- merging in the background ----------------------------------------------------------------------------------- */

/* Marks the segments that should become one; how many there are. */
static size_t choose(const sd_index *index, uint8_t *chosen) {
  const roster *now = index->present;
  size_t count = 0;
  memset(chosen, 0, now->count + 1);
  for (size_t i = 0; i < now->count; i++) { /* more than half removed: worth copying by itself */
    const segment *one = now->segments[i];
    if (!one->p.mapped && one->p.count > 2 * live_of(one)) chosen[i] = 1, count++;
  }
  for (size_t i = 0; i < now->count; i++) {
    size_t own = live_of(now->segments[i]), smaller = 0;
    if (now->segments[i]->p.mapped) continue;
    for (size_t k = 0; k < now->count; k++)
      if (k != i && !now->segments[k]->p.mapped) {
        size_t n = live_of(now->segments[k]);
        if (n < own || (n == own && k > i)) smaller += n;
      }
    if (smaller == 0 || smaller * SHARE < own) continue;
    for (size_t k = 0; k < now->count; k++) {
      size_t n = live_of(now->segments[k]);
      if (now->segments[k]->p.mapped || chosen[k] || n > own || (n == own && k < i)) continue;
      chosen[k] = 1, count++;
    }
  }
  return count;
}

static size_t first_not_below(const part *p, uint64_t id) {
  size_t low = 0, n = p->count;
  while (n > 0) {
    size_t half = n / 2, position = p->by_id[low + half];
    if (position < p->count && p->ids[position] < id) low += half + 1, n -= half + 1;
    else n = half;
  }
  return low;
}

/* Goes through the codes of an id; 0 at their end. A position that points outside ends them. */
static int code_of_id(const part *p, uint64_t id, size_t k, size_t *position) {
  if (k >= p->count) return 0;
  *position = p->by_id[k];
  return *position < p->count && p->ids[*position] == id;
}

/* Marks every code of the id in a segment that has room for marks; how many had no mark before. */
static size_t mark(segment *one, uint64_t id) {
  uint8_t *dead = atomic_load(&one->dead);
  size_t marked = 0, position;
  for (size_t k = first_not_below(&one->p, id); code_of_id(&one->p, id, k, &position); k++) {
    if (is_dead(dead, position)) continue;
    __atomic_fetch_or(dead + (position >> 3), (uint8_t)(1u << (position & 7)), __ATOMIC_RELAXED);
    marked++;
  }
  atomic_fetch_add(&one->dead_count, marked);
  return marked;
}

static int has_id(const part *p, uint64_t id) {
  size_t position;
  return code_of_id(p, id, first_not_below(p, id), &position);
}

/* Room for marks, where any of the ids is there. 0: there is no memory. */
static int make_markable(segment *one, const uint64_t *ids, size_t n) {
  int wanted = 0;
  if (atomic_load(&one->dead)) return 1;
  for (size_t i = 0; i < n && !wanted; i++) wanted = has_id(&one->p, ids[i]);
  if (!wanted) return 1;
  uint8_t *dead = calloc(one->p.count / 8 + 1, 1);
  if (dead) atomic_store(&one->dead, dead);
  return dead != NULL;
}

static uint8_t *copy_of_marks(segment *one) {
  size_t bytes = one->p.count / 8 + 1;
  const uint8_t *dead = atomic_load(&one->dead);
  uint8_t *copy = dead ? malloc(bytes) : NULL;
  if (copy) memcpy(copy, dead, bytes);
  return copy;
}

/* Swaps the roster. The caller holds `writers`; `made` becomes the index's. */
static void install(sd_index *index, roster *made, int empties_tail) {
  pthread_rwlock_wrlock(&index->guard);
  roster *before = index->present;
  index->present = made;
  if (empties_tail) index->tail_count = 0;
  pthread_rwlock_unlock(&index->guard);
  sd_let_go(before);
}

/* Puts the merged segment in the place of the chosen ones. What was removed meanwhile is marked in it. */
static int replace(sd_index *index, const uint8_t *chosen, const roster *old, part *p) {
  segment *one = p->count ? new_segment(index, p) : NULL;
  uint8_t *leaves = calloc(index->present->count + 1, 1);
  int ready = leaves && (one || !p->count) && (!one || make_markable(one, index->removed, index->removed_count));
  for (size_t i = 0; ready && i < index->removed_count; i++)
    if (one && atomic_load(&one->dead)) mark(one, index->removed[i]);
  for (size_t i = 0; ready && i < index->present->count; i++)
    for (size_t k = 0; k < old->count; k++)
      if (chosen[k] && old->segments[k] == index->present->segments[i]) leaves[i] = 1;
  roster *made = ready ? next_roster(index->present, leaves, one) : NULL;
  if (made) install(index, made, 0);
  if (!made || !one) sd_part_drop(p);
  if (!made && one) {
    free(atomic_load(&one->dead));
    free(one);
  }
  free(leaves);
  return made != NULL;
}

/* One merge. The caller holds `writers`, which is let go while the segment is built. 0: nothing was due, or it failed. */
static int merge_once(sd_index *index) {
  roster *old = index->present;
  uint8_t *chosen = malloc(old->count + 1);
  size_t count = chosen ? choose(index, chosen) : 0, n = 0;
  source *sources = count ? calloc(count, sizeof *sources) : NULL;
  int done = 0, enough = sources != NULL;
  for (size_t i = 0; sources && i < old->count; i++)
    if (chosen[i]) {
      uint8_t *dead = copy_of_marks(old->segments[i]);
      if (!dead && atomic_load(&old->segments[i]->dead)) enough = 0;
      sources[n++] = sd_part_source(&old->segments[i]->p, dead);
    }
  if (enough) {
    part made;
    index->removed_count = 0;
    atomic_fetch_add(&old->holders, 1);
    pthread_mutex_unlock(&index->writers);
    pthread_mutex_unlock(&fork_gate);
    sd_index_status status = sd_build(sources, n, &index->forced, -1, &index->stopping, &made);
    pthread_mutex_lock(&fork_gate);
    pthread_mutex_lock(&index->writers);
    done = status == SD_INDEX_OK && replace(index, chosen, old, &made);
    pthread_mutex_unlock(&index->writers);
    pthread_mutex_unlock(&fork_gate);
    sd_let_go(old); /* to give back gigabytes takes a while */
    pthread_mutex_lock(&fork_gate);
    pthread_mutex_lock(&index->writers);
  }
  for (size_t i = 0; i < n; i++) free((uint8_t *)sources[i].dead);
  free(sources);
  free(chosen);
  return done;
}

static void *merge_in_background(void *shared) {
  sd_index *index = shared;
  pthread_mutex_lock(&fork_gate);
  pthread_mutex_lock(&index->writers);
  while (!atomic_load(&index->stopping) && merge_once(index)) {}
  index->is_merging = 0;
  pthread_cond_broadcast(&index->idle);
  pthread_mutex_unlock(&index->writers);
  pthread_mutex_unlock(&fork_gate);
  return NULL;
}

/* The caller holds `writers`. Without memory or threads it stays as it is: slower, still exact, and tried again later. */
static void merge_if_due(sd_index *index) {
  if (index->is_merging && is_ours(index)) return;
  uint8_t *chosen = malloc(index->present->count + 1);
  size_t due = chosen ? choose(index, chosen) : 0;
  free(chosen);
  if (!due) return;
  if (is_ours(index)) pthread_join(index->merger, NULL); /* it has nothing left to do but end */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the program's own threads */
  index->has_merger = index->is_merging = pthread_create(&index->merger, NULL, merge_in_background, index) == 0;
  index->merger_process = getpid();
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void sd_index_settle(sd_index *index) {
  pthread_mutex_lock(&index->writers);
  merge_if_due(index);
  while (index->is_merging && is_ours(index)) pthread_cond_wait(&index->idle, &index->writers);
  pthread_mutex_unlock(&index->writers);
}

/* ---- changes ------------------------------------------------------------------------------------------------------- */

static sd_index_status build_raw(const sd_index *index, const uint8_t *codes, const uint64_t *ids, const uint8_t *thresholds,
                                 size_t n, segment **out) {
  uint32_t *order;
  part made;
  sd_index_status status = sd_order_codes(codes, ids, n, &order);
  if (status != SD_INDEX_OK) return status;
  source raw = sd_raw_source(codes, ids, thresholds, order, n);
  status = sd_build(&raw, 1, &index->forced, -1, NULL, &made);
  free(order);
  if (status != SD_INDEX_OK) return status;
  *out = new_segment(index, &made);
  if (!*out) sd_part_drop(&made);
  return *out ? SD_INDEX_OK : SD_INDEX_NO_MEMORY;
}

/* The caller holds `writers`. */
static sd_index_status enlist(sd_index *index, segment *one, int empties_tail) {
  roster *made = next_roster(index->present, NULL, one);
  if (!made) {
    sd_part_drop(&one->p);
    free(one);
    return SD_INDEX_NO_MEMORY;
  }
  install(index, made, empties_tail);
  merge_if_due(index);
  return SD_INDEX_OK;
}

static const uint8_t *thresholds_of_tail(const sd_index *index) {
  for (size_t i = 0; i < index->tail_count; i++)
    if (index->tail_thresholds[i] != SD_NO_THRESHOLD) return index->tail_thresholds;
  return NULL;
}

static void seal_if_full(sd_index *index) {
  segment *one;
  if (index->tail_count < index->tail_limit) return;
  if (build_raw(index, index->tail_codes, index->tail_ids, thresholds_of_tail(index), index->tail_count, &one) == SD_INDEX_OK)
    (void)enlist(index, one, 1); /* without memory the tail goes on growing: slower, still exact */
}

static int make_tail_room(sd_index *index, size_t n) {
  if (index->tail_count + n <= index->tail_room) return 1;
  size_t room = index->tail_room * 2 > index->tail_count + n ? index->tail_room * 2 : index->tail_count + n;
  uint8_t *codes = realloc(index->tail_codes, room * CODE);
  if (codes) index->tail_codes = codes;
  uint64_t *ids = codes ? realloc(index->tail_ids, room * 8) : NULL;
  if (ids) index->tail_ids = ids;
  uint8_t *thresholds = ids ? realloc(index->tail_thresholds, room) : NULL;
  if (thresholds) index->tail_thresholds = thresholds, index->tail_room = room;
  return thresholds != NULL;
}

static sd_index_status append(sd_index *index, const uint8_t *codes, const uint64_t *ids, const uint8_t *thresholds, size_t n) {
  pthread_rwlock_wrlock(&index->guard);
  int enough = make_tail_room(index, n);
  if (enough) {
    size_t at = index->tail_count;
    memcpy(index->tail_codes + CODE * at, codes, CODE * n);
    memcpy(index->tail_ids + at, ids, 8 * n);
    if (thresholds) memcpy(index->tail_thresholds + at, thresholds, n);
    else memset(index->tail_thresholds + at, SD_NO_THRESHOLD, n);
    index->tail_count += n;
  }
  pthread_rwlock_unlock(&index->guard);
  return enough ? SD_INDEX_OK : SD_INDEX_NO_MEMORY;
}

sd_index_status sd_index_add(sd_index *index, const uint8_t *codes, const uint64_t *ids, const uint8_t *thresholds, size_t n) {
  if (n == 0) return SD_INDEX_OK;
  if (n > MOST_CODES) return SD_INDEX_TOO_MANY;
  segment *bulk = NULL;
  sd_index_status status = SD_INDEX_OK;
  if (n >= index->tail_limit) status = build_raw(index, codes, ids, thresholds, n, &bulk); /* before anybody is kept waiting */
  pthread_mutex_lock(&index->writers);
  if (status == SD_INDEX_OK && live(index) + n > MOST_CODES) status = SD_INDEX_TOO_MANY;
  if (status != SD_INDEX_OK && bulk) {
    sd_part_drop(&bulk->p);
    free(bulk);
  } else if (status == SD_INDEX_OK && bulk) {
    status = enlist(index, bulk, 0);
  } else if (status == SD_INDEX_OK) {
    status = append(index, codes, ids, thresholds, n);
    if (status == SD_INDEX_OK) seal_if_full(index);
  }
  pthread_mutex_unlock(&index->writers);
  return status;
}

static int by_number(const void *a, const void *b) {
  const uint64_t *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* Room for marks everywhere, and in the list of what a merge under way has to learn: then nothing can fail halfway. */
static int prepare_removal(sd_index *index, const uint64_t *wanted, size_t n) {
  for (size_t i = 0; i < index->present->count; i++)
    if (!make_markable(index->present->segments[i], wanted, n)) return 0;
  if (!index->is_merging) return 1;
  if (index->removed_count + n > index->removed_room) {
    size_t room = 2 * (index->removed_count + n);
    uint64_t *more = realloc(index->removed, room * sizeof *more);
    if (!more) return 0;
    index->removed = more, index->removed_room = room;
  }
  memcpy(index->removed + index->removed_count, wanted, n * sizeof *wanted);
  index->removed_count += n;
  return 1;
}

static size_t remove_from_tail(sd_index *index, const uint64_t *wanted, size_t n) {
  size_t removed = 0;
  pthread_rwlock_wrlock(&index->guard);
  for (size_t i = index->tail_count; i-- > 0;) {
    if (!bsearch(&index->tail_ids[i], wanted, n, sizeof *wanted, by_number)) continue;
    size_t last = --index->tail_count; /* the last one takes its place: order in the tail means nothing */
    index->tail_ids[i] = index->tail_ids[last];
    index->tail_thresholds[i] = index->tail_thresholds[last];
    memmove(index->tail_codes + CODE * i, index->tail_codes + CODE * last, CODE);
    removed++;
  }
  pthread_rwlock_unlock(&index->guard);
  return removed;
}

sd_index_status sd_index_remove(sd_index *index, const uint64_t *ids, size_t n, size_t *removed) {
  *removed = 0;
  if (n == 0) return SD_INDEX_OK;
  uint64_t *wanted = malloc(n * sizeof *wanted);
  if (!wanted) return SD_INDEX_NO_MEMORY;
  memcpy(wanted, ids, n * sizeof *wanted);
  qsort(wanted, n, sizeof *wanted, by_number);
  pthread_mutex_lock(&index->writers);
  sd_index_status status = prepare_removal(index, wanted, n) ? SD_INDEX_OK : SD_INDEX_NO_MEMORY;
  if (status == SD_INDEX_OK) {
    for (size_t i = 0; i < index->present->count; i++) {
      segment *one = index->present->segments[i];
      for (size_t k = 0; k < n && atomic_load(&one->dead); k++) *removed += mark(one, wanted[k]);
    }
    *removed += remove_from_tail(index, wanted, n);
    if (*removed) merge_if_due(index);
  }
  pthread_mutex_unlock(&index->writers);
  free(wanted);
  return status;
}

/* ---- files ----------------------------------------------------------------------------------------------------------- */

/* An index at one moment, copied where it would change. */
typedef struct {
  roster *held;
  uint8_t *codes, *thresholds;
  uint64_t *ids;
  uint32_t *order;
  uint8_t **marks;
  size_t tail;
} moment;

static void forget(moment *m) {
  for (size_t i = 0; m->marks && i < m->held->count; i++) free(m->marks[i]);
  free(m->marks);
  free(m->codes);
  free(m->thresholds);
  free(m->ids);
  free(m->order);
  sd_let_go(m->held);
}

static sd_index_status capture(sd_index *index, moment *m) {
  *m = (moment){0};
  pthread_mutex_lock(&index->writers);
  m->held = index->present;
  atomic_fetch_add(&m->held->holders, 1);
  size_t n = m->tail = index->tail_count;
  m->codes = malloc(CODE * n + 1), m->ids = malloc(8 * n + 1), m->thresholds = malloc(n + 1);
  m->marks = calloc(m->held->count + 1, sizeof *m->marks);
  int enough = m->codes && m->ids && m->thresholds && m->marks;
  if (enough && n) {
    memcpy(m->codes, index->tail_codes, CODE * n);
    memcpy(m->ids, index->tail_ids, 8 * n);
    memcpy(m->thresholds, index->tail_thresholds, n);
    if (!thresholds_of_tail(index)) {
      free(m->thresholds);
      m->thresholds = NULL;
    }
  }
  for (size_t i = 0; enough && i < m->held->count; i++) {
    m->marks[i] = copy_of_marks(m->held->segments[i]);
    enough = m->marks[i] || !atomic_load(&m->held->segments[i]->dead);
  }
  pthread_mutex_unlock(&index->writers);
  return enough ? sd_order_codes(m->codes, m->ids, n, &m->order) : SD_INDEX_NO_MEMORY;
}

sd_index_status sd_index_merge(sd_index *const *indexes, size_t count, const char *path) {
  moment *moments = calloc(count + 1, sizeof *moments);
  source *sources = NULL;
  size_t taken = 0, most = 0, n = 0;
  sd_index_status status = moments ? SD_INDEX_OK : SD_INDEX_NO_MEMORY;
  while (status == SD_INDEX_OK && taken < count) {
    status = capture(indexes[taken], &moments[taken]);
    most += moments[taken++].held->count + 1;
  }
  if (status == SD_INDEX_OK && !(sources = calloc(most + 1, sizeof *sources))) status = SD_INDEX_NO_MEMORY;
  for (size_t i = 0; status == SD_INDEX_OK && i < taken; i++) {
    const moment *m = &moments[i];
    for (size_t k = 0; k < m->held->count; k++) sources[n++] = sd_part_source(&m->held->segments[k]->p, m->marks[k]);
    if (m->tail) sources[n++] = sd_raw_source(m->codes, m->ids, m->thresholds, m->order, m->tail);
  }
  if (status == SD_INDEX_OK) status = sd_write_file(sources, n, count ? &indexes[0]->forced : NULL, path);
  int error = errno;
  for (size_t i = 0; i < taken; i++) forget(&moments[i]);
  free(sources);
  free(moments);
  errno = error;
  return status;
}

sd_index_status sd_index_open(const char *path, size_t tail_limit, const uint8_t *widths, int chunks, sd_index **out) {
  part p;
  sd_index *index = NULL;
  sd_index_status status = sd_map_file(path, &p);
  if (status != SD_INDEX_OK) return status;
  status = sd_index_new(tail_limit, widths, chunks, &index);
  segment *one = status == SD_INDEX_OK ? new_segment(index, &p) : NULL;
  roster *made = one ? next_roster(index->present, NULL, one) : NULL;
  if (!made) {
    sd_index_free(index);
    free(one);
    sd_part_drop(&p);
    return SD_INDEX_NO_MEMORY;
  }
  install(index, made, 0);
  *out = index;
  return SD_INDEX_OK;
}
