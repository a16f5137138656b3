/* index_parts.h - what the files of the index share with each other and with nobody else. */
#ifndef STAYDOWN_INDEX_PARTS_H
#define STAYDOWN_INDEX_PARTS_H

#include <pthread.h>
#include <string.h>

#include "staydown_index.h"

#define CODE 32
#define CHUNKS 16
#define BUCKETS 65536u
#define MOST_CODES (UINT32_MAX - 1u)
#define INLINE static inline __attribute__((always_inline))

_Static_assert(sizeof(size_t) == 8, "sizes of the tables are computed in 64 bits");

/* The head of a file, and of the block of memory that becomes one. */
typedef struct {
  char magic[8];
  uint32_t version, byte_order;
  uint64_t file_bytes, count;
  uint32_t has_tables, reserved;
  uint64_t body_checksum, reserved_too, header_checksum;
} header;
_Static_assert(sizeof(header) == 64, "the header fills one cache line, without padding");

/* The sorted part: one block, byte for byte what a file holds. */
typedef struct {
  uint8_t *block; /* NULL: empty */
  size_t bytes, count;
  int mapped, has_tables;
  const uint64_t *ids;                /* count, ascending */
  const uint8_t *codes;               /* count x 32 */
  const uint32_t *offsets, *positions; /* 16 x 65537 and 16 x count, if has_tables */
} part;

struct sd_index {
  pthread_mutex_t writers; /* add, remove, save: one at a time; also held through a fold, which searches do not wait for */
  pthread_rwlock_t guard;  /* searches read; the short moments of change write */
  part sorted;
  uint8_t *dead; /* one bit a code of the sorted part; NULL while nothing was removed from it */
  size_t dead_count;
  uint8_t *tail_codes;
  uint64_t *tail_ids;
  size_t tail_count, tail_room, tail_limit;
};

/* index_file.c: where everything lies in a block for `count` codes; block may be NULL to learn the size. */
part sd_part_lay_out(uint8_t *block, size_t count, int has_tables);
void sd_part_drop(part *p);
/* 0, with errno set, if it failed: the old file is still there, or the rename is not known to be on disk. */
int sd_part_write(const part *p, const char *path);

INLINE uint32_t chunk(const uint8_t *code, int t) {
  uint16_t value;
  memcpy(&value, code + 2 * t, 2);
  return value;
}

INLINE int is_dead(const uint8_t *dead, size_t i) { return dead && (dead[i >> 3] >> (i & 7) & 1); }

#endif
