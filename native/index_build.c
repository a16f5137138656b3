/* index_build.c - builds a segment: merges codes in rising order, stores equal ones once, then fills the tables.
 *
 * The same for a tail that is sealed, a bulk of new codes, segments that are merged, and a file. Beside the segment it needs
 * 8 bytes a code to sort and 4 bytes a bucket of one table at a time.
 */
#define _GNU_SOURCE /* MADV_HUGEPAGE, mremap */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "index_parts.h"

#define LARGE ((size_t)4 << 20) /* bytes from which pages of two megabytes are asked for: fewer misses of the page tables */
#define LOOK 16                 /* how far ahead is fetched where reads jump about */
#define STOP_EVERY 0xfffff      /* codes between two looks at whether to stop */

static int stopped(const atomic_int *stopping) { return stopping && atomic_load(stopping); }

static void *reserve(size_t bytes, int fd) {
  int kind = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
  void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, kind, fd, 0);
  if (block == MAP_FAILED) return NULL;
#ifdef MADV_HUGEPAGE
  if (fd < 0 && bytes >= LARGE) madvise(block, bytes, MADV_HUGEPAGE);
#endif
  return block;
}

/* ---- order ------------------------------------------------------------------------------------------------- */

/* Sorts positions by 64-bit keys that lie `stride` bytes apart, from the last digit to the first. Digits in which all keys
 * agree are passed over. */
static sd_index_status radix_order(const uint8_t *keys, size_t stride, uint32_t *order, size_t n) {
  int bits = n < 100000 ? 11 : 16;
  size_t digits = (size_t)1 << bits;
  uint32_t *other = malloc(4 * (n + 1)), *counts = malloc(4 * digits), *from = order, *to = other;
  for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
  for (int shift = 0; other && counts && shift < 64; shift += bits) {
    memset(counts, 0, 4 * digits);
    uint64_t key;
    for (size_t i = 0; i < n; i++) {
      memcpy(&key, keys + stride * i, 8);
      counts[key >> shift & (digits - 1)]++;
    }
    if (n == 0 || counts[key >> shift & (digits - 1)] == n) continue;
    for (size_t d = 0, sum = 0; d < digits; d++) {
      size_t here = counts[d];
      counts[d] = (uint32_t)sum;
      sum += here;
    }
    for (size_t i = 0; i < n; i++) {
      if (i + LOOK < n) __builtin_prefetch(keys + stride * from[i + LOOK]);
      memcpy(&key, keys + stride * from[i], 8);
      to[counts[key >> shift & (digits - 1)]++] = from[i];
    }
    uint32_t *swap = from;
    from = to, to = swap;
  }
  int enough = other && counts;
  if (enough && from != order) memcpy(order, from, 4 * n);
  free(other);
  free(counts);
  return enough ? SD_INDEX_OK : SD_INDEX_NO_MEMORY;
}

/* The order of codes: as four numbers, the first one the most significant. */
static int compare_codes(const uint8_t *a, const uint8_t *b) {
  for (int i = 0; i < CODE; i += 8) {
    uint64_t x, y;
    memcpy(&x, a + i, 8);
    memcpy(&y, b + i, 8);
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

typedef struct {
  const uint8_t *code;
  uint64_t id;
  uint32_t at;
} entry;

static int by_code_and_id(const void *a, const void *b) {
  const entry *x = a, *y = b;
  int order = compare_codes(x->code, y->code);
  return order ? order : (x->id > y->id) - (x->id < y->id);
}

/* Codes that agree in their first number, which the radix sort has brought together, are put in order one by one. */
static sd_index_status order_the_rest(const uint8_t *codes, const uint64_t *ids, size_t n, uint32_t *order) {
  for (size_t i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && memcmp(codes + CODE * (size_t)order[i], codes + CODE * (size_t)order[end], 8) == 0;) end++;
    if (end == i + 1) continue;
    entry *run = malloc((end - i) * sizeof *run);
    if (!run) return SD_INDEX_NO_MEMORY;
    for (size_t k = i; k < end; k++) run[k - i] = (entry){codes + CODE * (size_t)order[k], ids[order[k]], order[k]};
    qsort(run, end - i, sizeof *run, by_code_and_id);
    for (size_t k = i; k < end; k++) order[k] = run[k - i].at;
    free(run);
  }
  return SD_INDEX_OK;
}

sd_index_status sd_order_codes(const uint8_t *codes, const uint64_t *ids, size_t n, uint32_t **order) {
  *order = malloc(4 * (n + 1));
  sd_index_status status = *order ? radix_order(codes, CODE, *order, n) : SD_INDEX_NO_MEMORY;
  if (status == SD_INDEX_OK) status = order_the_rest(codes, ids, n, *order);
  if (status != SD_INDEX_OK) {
    free(*order);
    *order = NULL;
  }
  return status;
}

/* ---- sources ----------------------------------------------------------------------------------------------- */

source sd_raw_source(const uint8_t *codes, const uint64_t *ids, const uint8_t *thresholds, const uint32_t *order, size_t n) {
  return (source){.count = n, .distinct = n, .codes = codes, .ids = ids, .thresholds = thresholds, .order = order};
}

source sd_part_source(const part *p, const uint8_t *dead) {
  return (source){.count = p->count, .distinct = p->distinct, .codes = p->codes, .ids = p->ids,
                  .thresholds = p->thresholds, .starts = p->starts, .dead = dead};
}

/* To the next code that lives; 0 at the end, or where the file contradicts itself. */
static int step(source *s) {
  for (;;) {
    if (s->next == s->stop) {
      if (s->code == s->distinct) return 0;
      size_t c = s->code++;
      s->next = s->starts ? s->starts[c] : c;
      s->damaged = s->next != s->stop;
      s->stop = s->starts ? s->starts[c + 1] : c + 1;
      s->damaged |= s->stop < s->next || s->stop > s->count;
      if (s->damaged) return 0;
      s->here = s->codes + CODE * (size_t)(s->order ? s->order[c] : c);
      continue;
    }
    size_t i = s->next++;
    if (s->order) i = s->order[i];
    if (is_dead(s->dead, i)) continue;
    s->id = s->ids[i];
    s->threshold = s->thresholds ? s->thresholds[i] : SD_NO_THRESHOLD;
    return 1;
  }
}

static int comes_before(const source *a, const source *b) {
  int order = compare_codes(a->here, b->here);
  return order ? order < 0 : a->id < b->id;
}

static void sink(source **heap, size_t n, size_t i) {
  for (;;) {
    size_t least = 2 * i + 1;
    if (least >= n) return;
    if (least + 1 < n && comes_before(heap[least + 1], heap[least])) least++;
    if (!comes_before(heap[least], heap[i])) return;
    source *swap = heap[i];
    heap[i] = heap[least], heap[least] = swap;
    i = least;
  }
}

static size_t living(const source *s) {
  size_t dead = 0;
  for (size_t i = 0; s->dead && i < s->count / 8 + 1; i++) dead += (size_t)__builtin_popcount(s->dead[i]);
  return s->count - dead;
}

/* ---- the segment ------------------------------------------------------------------------------------------- */

/* Makes sure that the first `bytes` bytes can be written: a full disk is told here, not by a signal later. */
static sd_index_status grow(place *where, size_t bytes) {
  if (bytes > where->reserved) return SD_INDEX_STRUCTURE;
  if (where->fd >= 0 && bytes > where->bytes) {
    int error = posix_fallocate(where->fd, (off_t)where->bytes, (off_t)(bytes - where->bytes));
    if (error) {
      errno = error;
      return SD_INDEX_SYSTEM;
    }
  }
  where->bytes = bytes;
  return SD_INDEX_OK;
}

/* Writes codes, ids and thresholds in order. starts: room for one number more than there are codes. */
static sd_index_status merge_codes(source *sources, size_t count, header *head, part *p, uint32_t *starts,
                                   const atomic_int *stopping) {
  size_t most = head->count, most_distinct = head->distinct;
  source **heap = malloc((count + 1) * sizeof *heap);
  if (!heap) return SD_INDEX_NO_MEMORY;
  uint8_t *codes = (uint8_t *)p->codes, *thresholds = (uint8_t *)p->thresholds;
  uint64_t *ids = (uint64_t *)p->ids;
  size_t n = 0, written = 0, distinct = 0;
  sd_index_status status = SD_INDEX_OK;
  for (size_t i = 0; i < count; i++) {
    if (step(&sources[i])) heap[n++] = &sources[i];
    else if (sources[i].damaged) status = SD_INDEX_STRUCTURE;
  }
  for (size_t i = n / 2; i-- > 0;) sink(heap, n, i);
  while (n && status == SD_INDEX_OK) {
    source *first = heap[0];
    if (written == most) {
      status = SD_INDEX_STRUCTURE;
      break;
    }
    if (!distinct || memcmp(codes + CODE * (distinct - 1), first->here, CODE) != 0) {
      if (distinct == most_distinct) { /* the codes of a forged file do not rise */
        status = SD_INDEX_STRUCTURE;
        break;
      }
      memcpy(codes + CODE * distinct, first->here, CODE);
      starts[distinct++] = (uint32_t)written;
    }
    if (thresholds) thresholds[written] = first->threshold;
    ids[written++] = first->id;
    if ((written & STOP_EVERY) == 0 && stopped(stopping)) status = SD_INDEX_STOPPED;
    if (!step(first)) {
      if (first->damaged) status = SD_INDEX_STRUCTURE;
      heap[0] = heap[--n];
    }
    sink(heap, n, 0);
  }
  starts[distinct] = (uint32_t)written;
  head->count = written, head->distinct = distinct;
  free(heap);
  return status;
}

/* The fewest bytes in which every end of a bucket, counted from the beginning of its line, can be told. */
static int step_for(const uint32_t *counts, size_t buckets) {
  for (int bytes = 1; bytes < 4; bytes *= 2) {
    uint64_t most = 0;
    size_t room = LINE_ENDS / (size_t)bytes;
    for (size_t line = 0; line < buckets; line += room) {
      uint64_t sum = 0;
      for (size_t b = line; b < line + room && b < buckets; b++) sum += counts[b];
      if (sum > most) most = sum;
    }
    if (most < (uint64_t)1 << 8 * bytes) return bytes;
  }
  return 4;
}

/* Writes the lines, and leaves in `counts` where each bucket begins. */
static void write_lines(uint8_t *lines, uint32_t *counts, size_t buckets, int step) {
  size_t room = LINE_ENDS / (size_t)step;
  uint32_t sum = 0;
  for (size_t b = 0; b < buckets; lines += LINE) {
    uint32_t begin = sum;
    memcpy(lines, &begin, 4);
    for (size_t i = 0; i < room; i++, b++) {
      if (b < buckets) {
        uint32_t here = counts[b];
        counts[b] = sum;
        sum += here;
      }
      uint32_t end = sum - begin;
      uint16_t short_end = (uint16_t)end;
      uint8_t *at = lines + 4 + (size_t)step * i;
      if (step == 1) *at = (uint8_t)end;
      else memcpy(at, step == 2 ? (const void *)&short_end : (const void *)&end, (size_t)step);
    }
  }
}

static sd_index_status fill_table(place *where, header *head, part *p, int t, const atomic_int *stopping) {
  const table *made = &p->tables[t];
  int first = made->first, width = made->width;
  size_t buckets = (size_t)1 << width, distinct = p->distinct;
  uint32_t *counts = reserve(4 * buckets, -1);
  if (!counts) return SD_INDEX_NO_MEMORY;
  for (size_t i = 0; i < distinct; i++) counts[chunk(p->codes + CODE * i, first, width)]++;
  double squares = 0;
  for (size_t b = 0; b < buckets; b++) squares += (double)counts[b] * counts[b];
  int step = step_for(counts, buckets);
  head->chunk[t].step = (uint8_t)step;
  double crowding = distinct ? squares / (double)distinct * 256 : 0;
  head->chunk[t].crowding = crowding < UINT32_MAX ? (uint32_t)crowding : UINT32_MAX;
  head->chunks = (uint32_t)t + 1;
  sd_part_lay_out(where->block, head, p);
  sd_index_status status = grow(where, p->bytes);
  if (status == SD_INDEX_OK) {
    write_lines((uint8_t *)p->tables[t].lines, counts, buckets, step);
    uint32_t *positions = (uint32_t *)p->tables[t].positions;
    for (size_t i = 0; i < distinct && status == SD_INDEX_OK; i++) {
      if (i + LOOK < distinct) __builtin_prefetch(counts + chunk(p->codes + CODE * (i + LOOK), first, width), 1);
      positions[counts[chunk(p->codes + CODE * i, first, width)]++] = (uint32_t)i;
      if ((i & STOP_EVERY) == STOP_EVERY && stopped(stopping)) status = SD_INDEX_STOPPED;
    }
  }
  munmap(counts, 4 * buckets);
  return status;
}

/* The header as if it had every table with its widest lines: an upper bound of the size. */
static header widest(header head, const layout *cut) {
  head.chunks = (uint32_t)cut->chunks;
  for (int t = 0; t < cut->chunks; t++) head.chunk[t].step = 4;
  return head;
}

static sd_index_status fill(place *where, source *sources, size_t count, const layout *forced, header *head,
                            const atomic_int *stopping, part *p) {
  uint32_t *starts = malloc(4 * (head->distinct + 1));
  sd_index_status status = starts ? SD_INDEX_OK : SD_INDEX_NO_MEMORY;
  size_t expected = head->count;
  sd_part_lay_out(where->block, head, p);
  if (status == SD_INDEX_OK) status = grow(where, p->bytes);
  if (status == SD_INDEX_OK) status = merge_codes(sources, count, head, p, starts, stopping);
  if (status == SD_INDEX_OK && head->count != expected) status = SD_INDEX_STRUCTURE;
  if (status == SD_INDEX_OK) {
    sd_part_lay_out(where->block, head, p);
    status = grow(where, p->bytes);
  }
  if (status == SD_INDEX_OK && p->starts) memcpy((uint32_t *)p->starts, starts, 4 * (p->distinct + 1));
  free(starts);
  if (status == SD_INDEX_OK) status = radix_order((const uint8_t *)p->ids, 8, (uint32_t *)p->by_id, p->count);
  layout cut = forced && forced->chunks ? *forced : sd_layout_for(head->distinct);
  for (int t = 0; t < cut.chunks; t++) head->chunk[t].width = cut.widths[t];
  for (int t = 0; t < cut.chunks && status == SD_INDEX_OK; t++) {
    head->chunks = (uint32_t)t + 1;
    head->chunk[t].step = 1;
    sd_part_lay_out(where->block, head, p);
    status = stopped(stopping) ? SD_INDEX_STOPPED : fill_table(where, head, p, t, stopping);
  }
  return status;
}

sd_index_status sd_build(source *sources, size_t count, const layout *forced, int fd, const atomic_int *stopping, part *out) {
  header head = {.has_thresholds = 0};
  size_t distinct = 0;
  for (size_t i = 0; i < count; i++) {
    head.count += living(&sources[i]);
    distinct += sources[i].distinct;
    if (sources[i].thresholds) head.has_thresholds = 1;
  }
  if (head.count > MOST_CODES) return SD_INDEX_TOO_MANY;
  head.distinct = distinct < head.count ? distinct : head.count;
  layout cut = forced && forced->chunks ? *forced : sd_layout_for(head.distinct);
  for (int t = 0; t < cut.chunks; t++) head.chunk[t].width = cut.widths[t];
  header most = widest(head, &cut);
  part p;
  sd_part_lay_out(NULL, &most, &p);
  /* Fewer distinct codes than expected may get another cut, with fewer buckets; and codes that turn out to be equal leave
   * room that their starts take. */
  place where = {.reserved = sd_round_up(p.bytes + CODE * head.count + 4 * head.count + LINE), .fd = fd};
  where.block = reserve(where.reserved, fd);
  if (!where.block) return fd < 0 ? SD_INDEX_NO_MEMORY : SD_INDEX_SYSTEM;
  sd_index_status status = fill(&where, sources, count, forced, &head, stopping, &p);
  if (status == SD_INDEX_OK) {
    sd_part_lay_out(where.block, &head, &p);
    memcpy(where.block, &head, sizeof head);
    size_t page = 4095, kept = (p.bytes + page) & ~page;
    if (kept < where.reserved) munmap(where.block + kept, where.reserved - kept);
    *out = p;
  } else {
    int error = errno;
    munmap(where.block, where.reserved);
    errno = error;
  }
  return status;
}
