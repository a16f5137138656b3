/* staydown_index.h - exact range search over 256-bit codes by multi-index hashing. Included by staydown.h only.
 *
 * Every function may be called from any thread. Nothing waits for a merge: that is done by a thread of the index's own.
 * Codes are 32 bytes each, ids are the caller's; one id may carry several codes, and the same code twice.
 */
#ifndef STAYDOWN_INDEX_H
#define STAYDOWN_INDEX_H

#include <stddef.h>
#include <stdint.h>

typedef struct sd_index sd_index;

typedef struct {
  uint64_t id;
  int64_t query; /* row of the query */
  uint16_t distance_bits;
} sd_hit;

typedef struct {
  sd_hit *hits;
  size_t count, room;
} sd_hits;

typedef struct {
  uint64_t codes;      /* live ones */
  uint64_t tombstones; /* removed ones that a merge has not left out yet */
  uint64_t tail;       /* codes that are scanned */
  uint64_t segments;
  uint64_t bytes;  /* of the segments, the tail and the tombstones */
  uint64_t mapped; /* how many of these bytes are mapped from files */
} sd_index_facts;

typedef enum {
  SD_INDEX_OK = 0,
  SD_INDEX_NO_MEMORY,
  SD_INDEX_TOO_MANY,       /* more codes than a 32-bit position can name */
  SD_INDEX_SYSTEM,         /* a system call failed; errno says why */
  SD_INDEX_NOT_OURS,       /* file: does not begin with our magic */
  SD_INDEX_VERSION,        /* file: a version that this program does not read */
  SD_INDEX_BYTE_ORDER,     /* file: written on a machine of the other byte order */
  SD_INDEX_LENGTH,         /* file: shorter or longer than its header says */
  SD_INDEX_HEADER_DAMAGED, /* file: header checksum */
  SD_INDEX_BODY_DAMAGED,   /* file: body checksum */
  SD_INDEX_STRUCTURE,      /* file: checksums agree, yet a table points outside; also found by a search */
  SD_INDEX_STOPPED         /* inside only: a merge was called off */
} sd_index_status;

#define SD_NO_THRESHOLD 255 /* of a code: it is found as far away as a search asks for */
#define SD_MOST_CHUNKS 32

/* What a status means, as a short English clause without a full stop. */
const char *sd_index_explain(sd_index_status status);

/* tail_limit: new codes are scanned linearly until there are this many. widths: NULL, or `chunks` widths in bits of the
 * tables that every segment gets, whatever its size, and that every search uses: for tests. */
sd_index_status sd_index_new(size_t tail_limit, const uint8_t *widths, int chunks, sd_index **out);
void sd_index_free(sd_index *index);
/* Live codes (not ids). */
size_t sd_index_count(sd_index *index);
void sd_index_stats(sd_index *index, sd_index_facts *facts);
/* codes: n x 32 bytes; ids: n; thresholds: n, or NULL for none. Either all are added or none. */
sd_index_status sd_index_add(sd_index *index, const uint8_t *codes, const uint64_t *ids, const uint8_t *thresholds,
                             size_t n);
/* Removes every code of each id, at once; ids that are not there are no error. *removed: codes that went. */
sd_index_status sd_index_remove(sd_index *index, const uint64_t *ids, size_t n, size_t *removed);
/* Every live code within max_distance_bits (0..256), and within its own threshold, of each query: one hit a code, ordered
 * by query, distance, id. `threads` share the queries. hits must be zeroed before and freed with sd_hits_free after,
 * whatever is returned. */
sd_index_status sd_index_search(sd_index *index, const uint8_t *queries, size_t n, int max_distance_bits, int threads,
                                sd_hits *hits);
void sd_hits_free(sd_hits *hits);
/* Waits until the index's own thread has nothing left to merge. */
void sd_index_settle(sd_index *index);
/* Writes every live code of these indexes as one file: temporary name, fsync, rename, fsync of the directory. */
sd_index_status sd_index_merge(sd_index *const *indexes, size_t count, const char *path);
/* Maps a saved file read-only; later changes stay in memory. The file may be replaced while it is open, never cut. */
sd_index_status sd_index_open(const char *path, size_t tail_limit, const uint8_t *widths, int chunks, sd_index **out);

#endif
