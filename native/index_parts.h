/* index_parts.h - what the files of the index share with each other and with nobody else. */
#ifndef STAYDOWN_INDEX_PARTS_H
#define STAYDOWN_INDEX_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/types.h>

#include "staydown_index.h"

#define CODE 32
#define MOST_CHUNKS SD_MOST_CHUNKS
#define MOST_WIDTH 30 /* bits of a chunk: a table of 2^30 buckets is of no use below 10^9 codes */
#define MOST_CODES (UINT32_MAX - 1u)
#define LINE 64      /* bytes of a line of buckets: what a processor fetches at once */
#define LINE_ENDS 60 /* of them for the ends of buckets; the other four are where the first one begins */
#define INLINE static inline __attribute__((always_inline))

_Static_assert(sizeof(size_t) == 8, "sizes of the tables are computed in 64 bits");

/* One chunk in the head of a file. */
typedef struct {
  uint8_t width;     /* bits; chunks follow one another from bit 0 of the code */
  uint8_t step;      /* bytes of a bucket's end: 1, 2 or 4 */
  uint16_t reserved; /* 0 */
  uint32_t crowding; /* how many codes share the bucket of a stored code, on average, times 256 */
} chunk_head;

/* The head of a file, and of the block of memory that has the same form. docs/reference/index.md */
typedef struct {
  char magic[8];
  uint32_t version, byte_order;
  uint64_t file_bytes;
  uint64_t count;    /* codes, with their ids */
  uint64_t distinct; /* codes that differ: each is stored once */
  uint32_t has_thresholds, chunks;
  chunk_head chunk[MOST_CHUNKS];
  uint64_t body_checksum, header_checksum;
} header;
_Static_assert(sizeof(header) == 320, "the header fills whole lines, without padding");

/* The buckets of one chunk: for each value, which of the codes have it. */
typedef struct {
  const uint8_t *lines;
  const uint32_t *positions; /* distinct */
  uint64_t buckets;
  float crowding;
  uint8_t first, width, step;
} table;

/* One immutable segment: one block, byte for byte what a file holds. */
typedef struct {
  uint8_t *block; /* NULL: none */
  size_t bytes, count, distinct;
  int mapped, chunks;
  const uint64_t *ids;       /* count, in the order of the codes, and rising among equal ones */
  const uint32_t *by_id;     /* count: positions in ids, by rising id */
  const uint8_t *thresholds; /* count, or NULL */
  const uint8_t *codes;      /* distinct x 32, rising */
  const uint32_t *starts;    /* distinct + 1: where the ids of a code begin; NULL if each has one */
  table tables[MOST_CHUNKS];
} part;

/* How wide the chunks of a segment are. None: it is scanned. */
typedef struct {
  uint8_t widths[MOST_CHUNKS];
  int chunks;
} layout;

/* How far each chunk is looked around in for one distance; -1: not at all. No use: the segment is scanned. */
typedef struct {
  int8_t radius[MOST_CHUNKS];
  int useful;
  size_t budget; /* candidates beyond which scanning is cheaper */
} plan;

#define USUAL 31 /* bits: the distance that nearly every search asks for */

typedef struct {
  part p;
  plan usual; /* for USUAL bits */
  _Atomic size_t holders;
  _Atomic(uint8_t *) dead; /* one bit for each of p.ids; NULL while nothing was removed */
  _Atomic size_t dead_count;
} segment;

/* The segments at one time. A search goes on with the one that it began with. */
typedef struct {
  _Atomic size_t holders;
  size_t count;
  segment *segments[];
} roster;

struct sd_index {
  pthread_mutex_t writers; /* add, remove, and the moments when the merging thread chooses and installs */
  pthread_rwlock_t guard;  /* the tail and which roster is the present one; held for moments */
  roster *present;
  uint8_t *tail_codes, *tail_thresholds;
  uint64_t *tail_ids;
  size_t tail_count, tail_room, tail_limit;
  layout forced; /* chunks > 0: for every segment, and never scanned */
  /* The merging thread; all of it under `writers`. */
  pthread_t merger;
  pthread_cond_t idle;
  pid_t merger_process; /* whose thread it is: a forked child has it not */
  int has_merger, is_merging;
  atomic_int stopping;
  uint64_t *removed; /* ids that were removed while it merged */
  size_t removed_count, removed_room;
};

/* One input of a merge: codes in rising order, as a segment has them or through `order`. */
typedef struct {
  size_t count, distinct;
  const uint8_t *codes, *thresholds, *dead;
  const uint64_t *ids;
  const uint32_t *starts, *order;
  /* Where it stands. */
  size_t code, next, stop;
  const uint8_t *here;
  uint64_t id;
  uint8_t threshold;
  int damaged;
} source;

/* Where a segment is built: memory, or a file that is mapped. */
typedef struct {
  uint8_t *block;
  size_t reserved, bytes;
  int fd; /* -1: memory */
} place;

/* index_layout.c */
layout sd_layout_for(size_t distinct);
plan sd_plan_for(const part *p, int most, int forced);

/* index_build.c */
sd_index_status sd_order_codes(const uint8_t *codes, const uint64_t *ids, size_t n, uint32_t **order);
source sd_raw_source(const uint8_t *codes, const uint64_t *ids, const uint8_t *thresholds, const uint32_t *order, size_t n);
source sd_part_source(const part *p, const uint8_t *dead);
/* Builds one segment of all that lives in the sources. The checksums are left to whoever wants a file. `stopping` may be
 * NULL. On failure nothing is kept of it, but for the file. */
sd_index_status sd_build(source *sources, size_t count, const layout *forced, int fd, const atomic_int *stopping, part *out);

/* index_file.c */
size_t sd_round_up(size_t bytes);
size_t sd_lines_bytes(uint64_t buckets, int step);
/* Points into the block at what the header describes; 0 if the header cannot be true. */
int sd_part_lay_out(uint8_t *block, const header *head, part *out);
void sd_part_drop(part *p);
sd_index_status sd_write_file(source *sources, size_t count, const layout *forced, const char *path);
sd_index_status sd_map_file(const char *path, part *out);

/* index_search.c */
void sd_let_go(roster *held);

INLINE uint32_t chunk(const uint8_t *code, int first, int width) {
  uint64_t word;
  int byte = first >> 3 < CODE - 8 ? first >> 3 : CODE - 8; /* eight bytes from here hold a chunk of up to 30 bits */
  memcpy(&word, code + byte, 8);
  return (uint32_t)(word >> (first - 8 * byte)) & ((1u << width) - 1u);
}

INLINE int is_dead(const uint8_t *dead, size_t i) {
  return dead && (__atomic_load_n(dead + (i >> 3), __ATOMIC_RELAXED) >> (i & 7) & 1);
}

/* Which line holds the bucket of a key, and where in it: 60, 30 or 15 buckets a line. */
INLINE size_t line_of(uint32_t key, int step) { return (step == 1 ? key >> 2 : step == 2 ? key >> 1 : key) / 15; }

/* The codes of a bucket are positions[*from] to before positions[*to]. 0: the line points outside. */
INLINE int bucket(const table *t, size_t distinct, uint32_t key, uint32_t *from, uint32_t *to) {
  size_t line = line_of(key, t->step);
  const uint8_t *bytes = t->lines + LINE * line, *ends = bytes + 4;
  size_t i = key - line * (LINE_ENDS / t->step);
  uint32_t begin, before = 0, end;
  memcpy(&begin, bytes, 4);
  if (t->step == 1) {
    before = i ? ends[i - 1] : 0, end = ends[i];
  } else if (t->step == 2) {
    uint16_t two[2] = {0, 0};
    if (i) memcpy(two, ends + 2 * i - 2, 2);
    memcpy(two + 1, ends + 2 * i, 2);
    before = two[0], end = two[1];
  } else {
    if (i) memcpy(&before, ends + 4 * i - 4, 4);
    memcpy(&end, ends + 4 * i, 4);
  }
  *from = begin + before, *to = begin + end;
  return before <= end && begin <= distinct && end <= distinct - begin;
}

#endif
