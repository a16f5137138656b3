/* fuzz_index.c - fuzzes the index: files that lie, and adding, removing and searching against a plain scan.
 *
 * Includes index_file.c for its checksums: a file whose checksums agree gets past them, to where the tables are read.
 */
#include "../index_file.c"

#include "reading.h"

#define MOST 96 /* codes of one run: a plain scan stays quick */
static const uint8_t WIDTHS[] = {7, 7, 6, 6, 6, 5, 5, 5, 5, 5, 5}; /* as many chunks as ten million codes have */

typedef struct {
  uint8_t codes[MOST][CODE], thresholds[MOST];
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
  must(sd_index_search(index, query, 1, most, 1, &hits) == SD_INDEX_OK, "a search is answered");
  size_t expected = 0;
  uint64_t sum = 0;
  for (size_t i = 0; i < model->count; i++) {
    int bits = apart(model->codes[i], query);
    if (bits <= most && (model->thresholds[i] == SD_NO_THRESHOLD || bits <= model->thresholds[i])) expected++, sum += model->ids[i] * 300 + (uint64_t)bits;
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
  must(fd >= 0 && write(fd, bytes, length) == (ssize_t)length, "a file");
  file_path(fd, path, sizeof path);
  sd_index_status status = sd_index_open(path, 8, WIDTHS, sizeof WIDTHS, &index);
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
    sd_index_search(index, code, 1, take_byte(input), 1, &hits);
    sd_hits_free(&hits);
    sd_index_add(index, code, &id, i & 1 ? code : NULL, 1);
    sd_index_remove(index, &id, 1, &removed);
  }
  sd_index_settle(index); /* the mapped segment stays the first */
  part merged;
  source sources[] = {sd_part_source(&index->present->segments[0]->p, NULL)};
  if (sd_build(sources, 1, &index->forced, -1, NULL, &merged) == SD_INDEX_OK) sd_part_drop(&merged);
  sd_index_free(index);
}

static void raw_file(reading *input) {
  sd_index *index = opened(input->bytes, input->left);
  if (index) use(index, input);
}

/* A file of a few codes in which some bytes were changed and whose fields may lie, with checksums that agree. */
static void lying_file(reading *input) {
  uint8_t lie = take_byte(input), codes[MOST][CODE], thresholds[MOST];
  uint64_t ids[MOST];
  size_t count = take_byte(input) % MOST;
  for (size_t i = 0; i < count; i++) {
    take_code(input, codes[i]);
    ids[i] = lie & 1 ? take_byte(input) : i;
    thresholds[i] = (uint8_t)(16 * i);
  }
  uint32_t *order;
  part p;
  layout cut = {.chunks = lie & 2 ? 0 : sizeof WIDTHS};
  memcpy(cut.widths, WIDTHS, sizeof WIDTHS);
  must(sd_order_codes(codes[0], ids, count, &order) == SD_INDEX_OK, "an order");
  source raw = sd_raw_source(codes[0], ids, lie & 4 ? thresholds : NULL, order, count);
  must(sd_build(&raw, 1, &cut, -1, NULL, &p) == SD_INDEX_OK, "a segment");
  free(order);
  size_t length = p.bytes;
  uint8_t *block = exactly(length);
  memcpy(block, p.block, length);
  sd_part_drop(&p);
  for (int i = lie >> 3 & 7; i > 0; i--) {
    size_t at = sizeof(header) + take_number(input, 2) % (length - sizeof(header) + 1);
    if (at < length) block[at] = take_byte(input);
  }
  header head;
  memcpy(&head, block, sizeof head);
  memcpy(head.magic, MAGIC, sizeof head.magic);
  head.version = VERSION, head.byte_order = BYTE_ORDER_MARK, head.file_bytes = length;
  if (lie & 64) ((uint8_t *)&head)[24 + take_byte(input) % (sizeof head - 40)] = take_byte(input);
  if (lie & 128) length -= take_byte(input) % (length - sizeof head + 1);
  head.body_checksum = checksum(block + sizeof head, length - sizeof head);
  head.header_checksum = header_checksum(head);
  memcpy(block, &head, sizeof head);
  sd_index *index = opened(block, length);
  free(block);
  if (index) use(index, input);
}

static void work(reading *input) {
  plain model = {.count = 0};
  sd_index *index = NULL;
  uint8_t code[CODE];
  must(sd_index_new(1 + take_byte(input) % 16, WIDTHS, sizeof WIDTHS, &index) == SD_INDEX_OK, "an index");
  while (input->left) {
    uint8_t what = take_byte(input);
    take_code(input, code);
    if (what % 4 < 2 && model.count < MOST) {
      uint64_t id = what >> 2 & 15;
      uint8_t threshold = what & 128 ? SD_NO_THRESHOLD : what & 31;
      must(sd_index_add(index, code, &id, &threshold, 1) == SD_INDEX_OK, "a code is added");
      model.thresholds[model.count] = threshold;
      memcpy(model.codes[model.count], code, CODE);
      model.ids[model.count++] = id;
    } else if (what % 4 == 2) {
      uint64_t id = what >> 2 & 15;
      size_t removed = 0, kept = 0;
      must(sd_index_remove(index, &id, 1, &removed) == SD_INDEX_OK, "an id is removed");
      for (size_t i = 0; i < model.count; i++)
        if (model.ids[i] != id) {
          memmove(model.codes[kept], model.codes[i], CODE);
          model.thresholds[kept] = model.thresholds[i];
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
