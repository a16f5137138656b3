/* index_file.c - a segment as one file: its layout, writing it whole, and mapping it read-only.
 *
 * Refuses a file whose length or checksums do not agree with its header. That its tables point inside is checked where
 * they are read, by searches and merges: a second pass over 50 million codes would take seconds.
 */
#define _GNU_SOURCE /* mkstemp, O_DIRECTORY */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "index_parts.h"

#define VERSION 2u
#define BYTE_ORDER_MARK 0x01020304u
#define LANES 8 /* of the checksum: a multiplication takes several cycles, and eight can be under way */
static const char MAGIC[8] = "SDINDEX";

const char *sd_index_explain(sd_index_status status) {
  switch (status) {
    case SD_INDEX_OK: return "nothing is wrong";
    case SD_INDEX_NO_MEMORY: return "there is not enough memory";
    case SD_INDEX_TOO_MANY: return "an index holds at most 4294967294 codes";
    case SD_INDEX_SYSTEM: return "a system call failed";
    case SD_INDEX_NOT_OURS: return "it is not a Staydown index";
    case SD_INDEX_VERSION: return "its format version is not one that this program reads";
    case SD_INDEX_BYTE_ORDER: return "it was written on a machine of the other byte order";
    case SD_INDEX_LENGTH: return "it is shorter or longer than it should be";
    case SD_INDEX_HEADER_DAMAGED: return "the checksum of its header does not agree";
    case SD_INDEX_BODY_DAMAGED: return "the checksum of its content does not agree";
    case SD_INDEX_STRUCTURE: return "its tables point outside of it";
    case SD_INDEX_STOPPED: return "it was stopped";
  }
  return "unknown";
}

size_t sd_round_up(size_t n) { return (n + LINE - 1) & ~(size_t)(LINE - 1); }

size_t sd_lines_bytes(uint64_t buckets, int step) {
  uint64_t room = LINE_ENDS / (uint64_t)step;
  return LINE * ((buckets + room - 1) / room);
}

int sd_part_lay_out(uint8_t *block, const header *head, part *out) {
  if (head->count > MOST_CODES || head->distinct > head->count || (head->count && !head->distinct)) return 0;
  if (head->has_thresholds > 1 || head->chunks > MOST_CHUNKS) return 0;
  part p = {.block = block, .count = head->count, .distinct = head->distinct, .chunks = (int)head->chunks};
  int bits = 0;
  size_t ids = sizeof(header), by_id = ids + 8 * p.count, thresholds = sd_round_up(by_id + 4 * p.count);
  size_t codes = head->has_thresholds ? sd_round_up(thresholds + p.count) : thresholds;
  size_t starts = codes + CODE * p.distinct;
  size_t end = sd_round_up(p.distinct < p.count ? starts + 4 * (p.distinct + 1) : starts);
  for (int t = 0; t < p.chunks; t++) {
    const chunk_head *chunk = &head->chunk[t];
    if (chunk->width < 1 || chunk->width > MOST_WIDTH || bits + chunk->width > 8 * CODE || chunk->reserved) return 0;
    if (chunk->step != 1 && chunk->step != 2 && chunk->step != 4) return 0;
    table *made = &p.tables[t];
    *made = (table){.first = (uint8_t)bits, .width = chunk->width, .step = chunk->step,
                    .buckets = (uint64_t)1 << chunk->width, .crowding = (float)chunk->crowding / 256};
    size_t lines = end, positions = lines + sd_lines_bytes(made->buckets, made->step);
    if (block) made->lines = block + lines, made->positions = (const uint32_t *)(block + positions);
    end = sd_round_up(positions + 4 * p.distinct);
    bits += chunk->width;
  }
  p.bytes = end;
  if (block) {
    p.ids = (const uint64_t *)(block + ids);
    p.by_id = (const uint32_t *)(block + by_id);
    p.thresholds = head->has_thresholds ? block + thresholds : NULL;
    p.codes = block + codes;
    p.starts = p.distinct < p.count ? (const uint32_t *)(block + starts) : NULL;
  }
  *out = p;
  return 1;
}

void sd_part_drop(part *p) {
  if (p->block) munmap(p->block, p->bytes);
  *p = (part){0};
}

/* 64 bits over whole lines of 64 bytes, in eight lanes. Each step is a bijection of its lane, and so is the folding of the
 * lanes, so damage within one word is always seen; damage in several is missed once in 2^64. It is against accidents:
 * whoever may write the file may write anything. */
static uint64_t mix(uint64_t state, uint64_t word) {
  state ^= word;
  return ((state << 29) | (state >> 35)) * 0xd6e8feb86659fd93u;
}

static uint64_t checksum(const uint8_t *bytes, size_t n) {
  uint64_t lanes[LANES], state = 0x9e3779b97f4a7c15u ^ n;
  for (int k = 0; k < LANES; k++) lanes[k] = state + (uint64_t)k;
  for (size_t i = 0; i + 8 * LANES <= n; i += 8 * LANES)
    for (int k = 0; k < LANES; k++) {
      uint64_t word;
      memcpy(&word, bytes + i + 8 * (size_t)k, 8);
      lanes[k] = mix(lanes[k], word);
    }
  for (int k = 0; k < LANES; k++) state = mix(state, lanes[k]);
  return state ^ (state >> 32);
}

/* The header's own checksum covers all of it but itself. */
static uint64_t header_checksum(header head) {
  head.header_checksum = 0;
  return checksum((const uint8_t *)&head, sizeof head);
}

static void finish_header(part *p) {
  header *head = (header *)p->block;
  memcpy(head->magic, MAGIC, sizeof head->magic);
  head->version = VERSION;
  head->byte_order = BYTE_ORDER_MARK;
  head->file_bytes = p->bytes;
  head->body_checksum = checksum(p->block + sizeof *head, p->bytes - sizeof *head);
  head->header_checksum = header_checksum(*head);
}

/* The rename is on disk once the directory is. */
static int sync_directory_of(const char *path) {
  const char *slash = strrchr(path, '/');
  char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
  int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  int done = fd >= 0 && fsync(fd) == 0;
  int error = errno;
  if (fd >= 0) close(fd);
  free(folder);
  errno = error;
  return done;
}

static sd_index_status write_into(int fd, source *sources, size_t count, const layout *forced) {
  part p;
  sd_index_status status = sd_build(sources, count, forced, fd, NULL, &p);
  if (status != SD_INDEX_OK) return status;
  finish_header(&p);
  off_t bytes = (off_t)p.bytes;
  sd_part_drop(&p);
  return ftruncate(fd, bytes) == 0 && fsync(fd) == 0 ? SD_INDEX_OK : SD_INDEX_SYSTEM;
}

sd_index_status sd_write_file(source *sources, size_t count, const layout *forced, const char *path) {
  size_t room = strlen(path) + 8;
  char *temporary = malloc(room);
  if (!temporary) return SD_INDEX_NO_MEMORY;
  snprintf(temporary, room, "%s.XXXXXX", path);
  int fd = mkstemp(temporary); /* mode 0600: whose fingerprints they are is nobody else's business */
  sd_index_status status = fd < 0 ? SD_INDEX_SYSTEM : write_into(fd, sources, count, forced);
  int error = errno;
  if (fd >= 0 && close(fd) != 0 && status == SD_INDEX_OK) status = SD_INDEX_SYSTEM, error = errno;
  if (status == SD_INDEX_OK && rename(temporary, path) != 0) status = SD_INDEX_SYSTEM, error = errno;
  if (fd >= 0 && status != SD_INDEX_OK) unlink(temporary);
  if (status == SD_INDEX_OK && !sync_directory_of(path)) status = SD_INDEX_SYSTEM, error = errno;
  free(temporary);
  errno = error;
  return status;
}

static sd_index_status verify(uint8_t *block, size_t bytes, part *out) {
  header head;
  if (bytes < 8) return SD_INDEX_LENGTH;
  if (memcmp(block, MAGIC, sizeof MAGIC) != 0) return SD_INDEX_NOT_OURS;
  if (bytes < 16) return SD_INDEX_LENGTH;
  memcpy(&head, block, 16);
  if (head.byte_order == __builtin_bswap32(BYTE_ORDER_MARK)) return SD_INDEX_BYTE_ORDER;
  if (head.version != VERSION) return SD_INDEX_VERSION; /* before the length: another version has another header */
  if (bytes < sizeof head) return SD_INDEX_LENGTH;
  memcpy(&head, block, sizeof head);
  if (head.header_checksum != header_checksum(head)) return SD_INDEX_HEADER_DAMAGED;
  part p;
  if (head.byte_order != BYTE_ORDER_MARK || !sd_part_lay_out(block, &head, &p)) return SD_INDEX_STRUCTURE;
  if (head.file_bytes != bytes || p.bytes != bytes) return SD_INDEX_LENGTH;
  if (head.body_checksum != checksum(block + sizeof head, bytes - sizeof head)) return SD_INDEX_BODY_DAMAGED;
  p.mapped = 1;
  *out = p;
  return SD_INDEX_OK;
}

sd_index_status sd_map_file(const char *path, part *out) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a named pipe is refused below, not waited for */
  if (fd < 0) return SD_INDEX_SYSTEM;
  struct stat facts;
  if (fstat(fd, &facts) != 0) {
    int error = errno;
    close(fd);
    errno = error;
    return SD_INDEX_SYSTEM;
  }
  if (!S_ISREG(facts.st_mode) || facts.st_size <= 0) {
    close(fd);
    return S_ISREG(facts.st_mode) ? SD_INDEX_LENGTH : SD_INDEX_NOT_OURS;
  }
  size_t bytes = (size_t)facts.st_size;
  uint8_t *block = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
  int error = errno;
  close(fd);
  errno = error;
  if (block == MAP_FAILED) return SD_INDEX_SYSTEM;
  sd_index_status status = verify(block, bytes, out);
  if (status != SD_INDEX_OK) munmap(block, bytes);
  return status;
}
