/* fuzz_index.c - fuzzes the index: files that lie, and adding, removing, searching and saving against a plain scan.
 *
 * Includes index_file.c for its checksums: a file whose checksums agree gets past them, to where the tables are read.
 */
#include "../index_file.c"

#include "reading.h"

#define MOST 96 /* codes of one run: a plain scan stays quick */

typedef struct {
  uint8_t codes[MOST][CODE];
  uint64_t ids[MOST];
  size_t count;
} plain;

/* A code near one of eight, so that searches find something. */
static void take_code(reading *input, uint8_t *code) {
  uint8_t which = take_byte(input);
  memset(code, which & 7, CODE);
  for (int i = 0; i < (which >> 3 & 7); i++) {
    uint8_t bit = take_byte(input);
    code[bit >> 3] ^= (uint8_t)(1 << (bit & 7));
  }
}

static int apart(const uint8_t *a, const uint8_t *b) {
  int bits = 0;
  for (int i = 0; i < CODE; i++) bits += __builtin_popcount(a[i] ^ b[i]);
  return bits;
}

static void check_search(sd_index *index, const plain *model, const uint8_t *query, int most) {
  sd_hits hits = {0};
  must(sd_index_search(index, query, 1, most, &hits) == SD_INDEX_OK, "a search is answered");
  size_t expected = 0;
  uint64_t sum = 0;
  for (size_t i = 0; i < model->count; i++) {
    int bits = apart(model->codes[i], query);
    if (bits <= most) expected++, sum += model->ids[i] * 300 + (uint64_t)bits;
  }
  must(hits.count == expected, "a search finds what a scan finds");
  for (size_t i = 0; i < hits.count; i++) sum -= hits.hits[i].id * 300 + hits.hits[i].distance_bits;
  must(sum == 0, "with the same ids and distances");
  sd_hits_free(&hits);
}

static void file_path(int fd, char *path, size_t room) { snprintf(path, room, "/proc/self/fd/%d", fd); }

/* Opens these bytes as a file; NULL if they are refused. */
static sd_index *opened(const uint8_t *bytes, size_t length) {
  char path[64];
  sd_index *index = NULL;
  int fd = memfd_create("index", 0);
  must(fd >= 0 && write_all(fd, bytes, length), "a file");
  file_path(fd, path, sizeof path);
  sd_index_status status = sd_index_open(path, 8, &index);
  must((status == SD_INDEX_OK) == (index != NULL), "an index if it is well");
  must(sd_index_explain(status)[0] != 'u', "a status has its words");
  close(fd);
  return index;
}

/* Whatever was let in must be safe to use. */
static void use(sd_index *index, reading *input) {
  uint8_t code[CODE];
  uint64_t id = take_byte(input);
  size_t removed = 0;
  for (int i = 0; i < 4; i++) {
    sd_hits hits = {0};
    take_code(input, code);
    sd_index_search(index, code, 1, take_byte(input), &hits);
    sd_hits_free(&hits);
    sd_index_add(index, code, &id, 1);
    sd_index_remove(index, &id, 1, &removed);
  }
  sd_index_free(index);
}

static void raw_file(reading *input) {
  sd_index *index = opened(input->bytes, input->left);
  if (index) use(index, input);
}

/* A file of a small part whose fields may lie, with checksums that agree. */
static void lying_file(reading *input) {
  uint8_t lie = take_byte(input);
  size_t count = take_byte(input) % MOST;
  int has_tables = (lie & 15) == 15; /* seldom: the tables take four megabytes */
  part p = sd_part_lay_out(NULL, count, has_tables);
  uint8_t *block = exactly(p.bytes);
  memset(block, 0, p.bytes);
  p = sd_part_lay_out(block, count, has_tables);
  for (size_t i = 0; i < count; i++) {
    uint64_t id = lie & 16 ? take_byte(input) : i;
    memcpy(block + sizeof(header) + 8 * i, &id, 8);
    take_code(input, block + ((const uint8_t *)p.codes - block) + CODE * i);
  }
  if (has_tables && !(lie & 32)) { /* nearly right tables: all in the last bucket, then some numbers changed */
    uint32_t *offsets = (uint32_t *)(block + ((const uint8_t *)p.offsets - block));
    uint32_t *positions = (uint32_t *)(block + ((const uint8_t *)p.positions - block));
    for (size_t t = 0; t < CHUNKS; t++) {
      offsets[t * (BUCKETS + 1) + BUCKETS] = (uint32_t)count;
      for (size_t i = 0; i < count; i++) positions[t * count + i] = (uint32_t)i;
    }
    for (int i = take_byte(input) & 3; i > 0; i--) {
      size_t words = (p.bytes - (size_t)((uint8_t *)offsets - block)) / 4;
      if (words) offsets[take_number(input, 3) % words] = take_number(input, 4);
    }
  }
  header head = {.version = VERSION, .byte_order = BYTE_ORDER_MARK, .file_bytes = p.bytes, .count = count,
                 .has_tables = (uint32_t)has_tables};
  memcpy(head.magic, MAGIC, sizeof head.magic);
  size_t length = p.bytes;
  if (lie & 64) {
    head.count = take_number(input, 4), head.has_tables = take_byte(input);
    if (take_byte(input) & 1) head.file_bytes = take_number(input, 4);
  }
  if (lie & 128) length -= take_byte(input) % (length - sizeof head + 1);
  head.body_checksum = checksum(block + sizeof head, length - sizeof head);
  head.header_checksum = checksum((const uint8_t *)&head, offsetof(header, header_checksum));
  memcpy(block, &head, sizeof head);
  sd_index *index = opened(block, length);
  free(block);
  if (index) use(index, input);
}

static void work(reading *input) {
  plain model = {.count = 0};
  sd_index *index = NULL;
  uint8_t code[CODE];
  must(sd_index_new(1 + take_byte(input) % 16, &index) == SD_INDEX_OK, "an index");
  while (input->left) {
    uint8_t what = take_byte(input);
    take_code(input, code);
    if (what % 4 < 2 && model.count < MOST) {
      uint64_t id = what >> 2 & 15;
      must(sd_index_add(index, code, &id, 1) == SD_INDEX_OK, "a code is added");
      memcpy(model.codes[model.count], code, CODE);
      model.ids[model.count++] = id;
    } else if (what % 4 == 2) {
      uint64_t id = what >> 2 & 15;
      size_t removed = 0, kept = 0;
      must(sd_index_remove(index, &id, 1, &removed) == SD_INDEX_OK, "an id is removed");
      for (size_t i = 0; i < model.count; i++)
        if (model.ids[i] != id) {
          memmove(model.codes[kept], model.codes[i], CODE);
          model.ids[kept++] = model.ids[i];
        }
      must(removed == model.count - kept, "as many codes went as there were");
      model.count = kept;
    } else {
      check_search(index, &model, code, take_byte(input));
    }
    must(sd_index_count(index) == model.count, "the count is right");
  }
  sd_index_free(index);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  reading input = {bytes, length};
  uint8_t mode = take_byte(&input) % 3;
  (mode == 0 ? raw_file : mode == 1 ? lying_file : work)(&input);
  return 0;
}
