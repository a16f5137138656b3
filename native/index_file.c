/* index_file.c - an index as one file: its layout, writing it whole, and mapping it read-only.
 *
 * Refuses a file that it has not verified to the last byte: length, checksums, and that every table points inside.
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

#define VERSION 1u
#define BYTE_ORDER_MARK 0x01020304u
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
  }
  return "unknown";
}

static size_t round_up(size_t n) { return (n + 63) & ~(size_t)63; }

part sd_part_lay_out(uint8_t *block, size_t count, int has_tables) {
  part p = {.block = block, .count = count, .has_tables = has_tables};
  size_t ids = sizeof(header), codes = round_up(ids + 8 * count), offsets = round_up(codes + CODE * count);
  size_t positions = offsets + 4 * CHUNKS * (size_t)(BUCKETS + 1);
  p.bytes = has_tables ? round_up(positions + 4 * CHUNKS * count) : offsets;
  if (block) {
    p.ids = (const uint64_t *)(block + ids);
    p.codes = block + codes;
    p.offsets = has_tables ? (const uint32_t *)(block + offsets) : NULL;
    p.positions = has_tables ? (const uint32_t *)(block + positions) : NULL;
  }
  return p;
}

void sd_part_drop(part *p) {
  if (p->block && p->mapped) munmap(p->block, p->bytes);
  if (p->block && !p->mapped) free(p->block);
  *p = (part){0};
}

/* 64 bits over whole words. Each step is a bijection of the state, so damage within one word is always seen; damage in
 * several is missed once in 2^64. It is against accidents: whoever may write the file may write anything. */
static uint64_t checksum(const uint8_t *bytes, size_t n) {
  uint64_t state = 0x9e3779b97f4a7c15u ^ n;
  for (size_t i = 0; i + 8 <= n; i += 8) {
    uint64_t word;
    memcpy(&word, bytes + i, 8);
    state ^= word;
    state = ((state << 29) | (state >> 35)) * 0xd6e8feb86659fd93u;
  }
  return state ^ (state >> 32);
}

static int write_all(int fd, const void *bytes, size_t n) {
  for (size_t done = 0; done < n;) {
    ssize_t now = write(fd, (const uint8_t *)bytes + done, n - done);
    if (now < 0 && errno != EINTR) return 0;
    if (now > 0) done += (size_t)now;
  }
  return 1;
}

/* The rename is on disk once the directory is. */
static int sync_directory_of(const char *path) {
  const char *slash = strrchr(path, '/');
  char *directory = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
  int fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  free(directory);
  int done = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  return done;
}

int sd_part_write(const part *p, const char *path) {
  header head = {.version = VERSION, .byte_order = BYTE_ORDER_MARK, .file_bytes = p->bytes, .count = p->count,
                 .has_tables = (uint32_t)p->has_tables};
  memcpy(head.magic, MAGIC, sizeof head.magic);
  head.body_checksum = checksum(p->block + sizeof head, p->bytes - sizeof head);
  head.header_checksum = checksum((const uint8_t *)&head, offsetof(header, header_checksum));
  size_t room = strlen(path) + 8;
  char *temporary = malloc(room);
  if (!temporary) return 0;
  snprintf(temporary, room, "%s.XXXXXX", path);
  int fd = mkstemp(temporary); /* mode 0600: whose fingerprints they are is nobody else's business */
  int done = fd >= 0 && write_all(fd, &head, sizeof head) &&
             write_all(fd, p->block + sizeof head, p->bytes - sizeof head) && fsync(fd) == 0;
  if (fd >= 0 && close(fd) != 0) done = 0;
  int renamed = done && rename(temporary, path) == 0;
  if (fd >= 0 && !renamed) {
    int error = errno;
    unlink(temporary);
    errno = error;
  }
  done = renamed && sync_directory_of(path);
  free(temporary);
  return done;
}

static int tables_stay_inside(const part *p) {
  for (size_t i = 1; i < p->count; i++)
    if (p->ids[i] < p->ids[i - 1]) return 0;
  for (size_t t = 0; p->has_tables && t < CHUNKS; t++) {
    const uint32_t *offsets = p->offsets + t * (BUCKETS + 1), *positions = p->positions + t * p->count;
    if (offsets[0] != 0 || offsets[BUCKETS] != p->count) return 0;
    for (uint32_t b = 0; b < BUCKETS; b++)
      if (offsets[b] > offsets[b + 1]) return 0;
    for (size_t i = 0; i < p->count; i++)
      if (positions[i] >= p->count) return 0;
  }
  return 1;
}

static sd_index_status verify(uint8_t *block, size_t bytes, part *out) {
  header head;
  if (bytes < sizeof head) return bytes >= 8 && memcmp(block, MAGIC, 8) != 0 ? SD_INDEX_NOT_OURS : SD_INDEX_LENGTH;
  memcpy(&head, block, sizeof head);
  if (memcmp(head.magic, MAGIC, sizeof head.magic) != 0) return SD_INDEX_NOT_OURS;
  if (head.byte_order == __builtin_bswap32(BYTE_ORDER_MARK)) return SD_INDEX_BYTE_ORDER;
  if (head.version != VERSION) return SD_INDEX_VERSION;
  if (head.header_checksum != checksum(block, offsetof(header, header_checksum))) return SD_INDEX_HEADER_DAMAGED;
  if (head.byte_order != BYTE_ORDER_MARK || head.count > MOST_CODES || head.has_tables > 1) return SD_INDEX_STRUCTURE;
  part p = sd_part_lay_out(block, head.count, (int)head.has_tables);
  if (head.file_bytes != bytes || p.bytes != bytes) return SD_INDEX_LENGTH;
  if (head.body_checksum != checksum(block + sizeof head, bytes - sizeof head)) return SD_INDEX_BODY_DAMAGED;
  if (!tables_stay_inside(&p)) return SD_INDEX_STRUCTURE;
  p.mapped = 1;
  *out = p;
  return SD_INDEX_OK;
}

sd_index_status sd_index_open(const char *path, size_t tail_limit, sd_index **out) {
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
  part p;
  sd_index *index = NULL;
  sd_index_status status = verify(block, bytes, &p);
  if (status == SD_INDEX_OK) status = sd_index_new(tail_limit, &index);
  if (status != SD_INDEX_OK) {
    munmap(block, bytes);
    return status;
  }
  index->sorted = p;
  *out = index;
  return SD_INDEX_OK;
}
