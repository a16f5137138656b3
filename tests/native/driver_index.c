/* driver_index.c - walks the index against a plain scan, opens a file damaged at every position, and searches beside
 * changes and merges. Prints the number of checks. Built and run by test_index_sanitized.py under the sanitizers; argv[1]
 * is a folder to write in. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "index_parts.h"

#define MOST 700

static uint64_t seed = 88172645463325252u;
static _Atomic size_t checks;

static uint64_t chance(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  return seed ^= seed << 17;
}

static void check(int holds, const char *what) {
  checks++;
  if (holds) return;
  fprintf(stderr, "does not hold: %s\n", what);
  exit(1);
}

static int distance(const uint8_t *a, const uint8_t *b) {
  int bits = 0;
  for (int i = 0; i < 32; i++) bits += __builtin_popcount(a[i] ^ b[i]);
  return bits;
}

static uint8_t codes[MOST][32];
static uint64_t ids[MOST];
static uint8_t thresholds[MOST];
static int lives[MOST];
static size_t count;

/* Half of the codes are near another one, some are equal, some have long runs of zeros. */
static void make_code(uint8_t *code) {
  int kind = (int)(chance() % 4);
  for (int i = 0; i < 32; i++) code[i] = (uint8_t)(kind == 0 && i > 3 ? 0 : chance());
  if (kind > 1 && count) {
    memcpy(code, codes[chance() % count], 32);
    for (uint64_t flips = chance() % 40; flips-- > 0;) code[chance() % 32] ^= (uint8_t)(1u << chance() % 8);
  }
}

static void compare(sd_index *index, const char *what) {
  size_t live = 0;
  for (size_t i = 0; i < count; i++) live += (size_t)lives[i];
  check(sd_index_count(index) == live, what);
  static const int distances[] = {0, 1, 15, 16, 31, 32, 40, 47, 80, 256};
  for (int round = 0; round < 16; round++) {
    uint8_t *query = malloc(32); /* of exactly this size, so that the sanitizer sees a byte too many */
    make_code(query);
    int most = distances[(round + count) % 10];
    sd_hits hits = {0};
    check(sd_index_search(index, query, 1, most, 1, &hits) == SD_INDEX_OK, "search");
    size_t expected = 0, sum = 0, found = 0;
    for (size_t i = 0; i < count; i++)
      if (lives[i] && distance(codes[i], query) <= most &&
          (thresholds[i] == SD_NO_THRESHOLD || distance(codes[i], query) <= thresholds[i]))
        expected++, sum += ids[i] * 1000 + (size_t)distance(codes[i], query);
    for (size_t i = 0; i < hits.count; i++) found += hits.hits[i].id * 1000 + hits.hits[i].distance_bits;
    check(hits.count == expected && sum == found, what);
    sd_hits_free(&hits);
    free(query);
  }
}

static void walk(const char *path, size_t tail_limit, const uint8_t *widths, int chunks) {
  sd_index *index;
  count = 0;
  check(sd_index_new(tail_limit, widths, chunks, &index) == SD_INDEX_OK, "new");
  compare(index, "empty");
  while (count + 40 <= MOST) {
    size_t batch = chance() % 40 + 1;
    uint8_t *more = malloc(batch * 32);
    uint64_t *more_ids = malloc(batch * 8);
    uint8_t *more_thresholds = malloc(batch);
    int with_thresholds = chance() % 2 == 0;
    for (size_t i = 0; i < batch; i++) {
      make_code(codes[count]);
      ids[count] = more_ids[i] = chance() % 200;
      lives[count] = 1;
      thresholds[count] = more_thresholds[i] = with_thresholds ? (uint8_t)(chance() % 64) : SD_NO_THRESHOLD;
      memcpy(more + 32 * i, codes[count++], 32);
    }
    check(sd_index_add(index, more, more_ids, with_thresholds ? more_thresholds : NULL, batch) == SD_INDEX_OK, "add");
    free(more);
    free(more_ids);
    free(more_thresholds);
    uint64_t gone[3] = {chance() % 200, chance() % 200, 999};
    size_t removed, expected = 0;
    for (size_t i = 0; i < count; i++)
      if (lives[i] && (ids[i] == gone[0] || ids[i] == gone[1])) lives[i] = 0, expected++;
    check(sd_index_remove(index, gone, 3, &removed) == SD_INDEX_OK && removed == expected, "remove");
    compare(index, "after a change");
    if (chance() % 4 == 0) {
      check(sd_index_merge(&index, 1, path) == SD_INDEX_OK, "save");
      compare(index, "after saving");
      sd_index_free(index);
      check(sd_index_open(path, tail_limit, widths, chunks, &index) == SD_INDEX_OK, "open");
      compare(index, "after opening");
    }
  }
  sd_index_free(index);
}

static uint8_t *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(*size);
  check(fread(bytes, 1, *size, file) == *size, "read");
  fclose(file);
  return bytes;
}

static void write_file(const char *path, const uint8_t *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  fwrite(bytes, 1, size, file);
  fclose(file);
}

static void refuse_damage(const char *path, size_t tail_limit, const uint8_t *widths, int chunks, size_t stride) {
  sd_index *index;
  check(sd_index_new(tail_limit, widths, chunks, &index) == SD_INDEX_OK, "new");
  check(sd_index_add(index, codes[0], ids, NULL, 5) == SD_INDEX_OK, "add");
  check(sd_index_merge(&index, 1, path) == SD_INDEX_OK, "save");
  sd_index_free(index);
  size_t size;
  uint8_t *bytes = read_file(path, &size);
  for (size_t i = 0; i < size; i += i < 512 ? 1 : stride) {
    bytes[i] ^= (uint8_t)(1u << (i % 8));
    write_file(path, bytes, size);
    check(sd_index_open(path, 1, NULL, 0, &index) >= SD_INDEX_NOT_OURS, "a flipped bit is refused");
    bytes[i] ^= (uint8_t)(1u << (i % 8));
  }
  for (size_t cut = 0; cut < size; cut += cut < 512 ? 1 : stride) {
    write_file(path, bytes, cut);
    check(sd_index_open(path, 1, NULL, 0, &index) >= SD_INDEX_NOT_OURS, "a cut file is refused");
  }
  write_file(path, bytes, size);
  check(sd_index_open(path, 1, NULL, 0, &index) == SD_INDEX_OK, "the whole file is read");
  sd_index_free(index);
  free(bytes);
}

/* Every cut uses no bit twice, and the radii of every plan reach: no code within the distance can be missed. */
static void plans_reach(void) {
  for (size_t n = 1; n < 4000000000u; n = n * 3 / 2 + 1) {
    layout cut = sd_layout_for(n);
    part p = {.chunks = cut.chunks, .distinct = n};
    int bits = 0;
    for (int t = 0; t < cut.chunks; t++) {
      bits += p.tables[t].width = cut.widths[t];
      p.tables[t].crowding = (float)n / (float)(1u << cut.widths[t]) + (float)(chance() % 3);
    }
    check(cut.chunks == 0 || bits == 256, "a cut takes the whole code");
    for (int most = 0; most <= 256; most++) {
      plan made = sd_plan_for(&p, most, 0);
      int reach = 0;
      for (int t = 0; t < cut.chunks && made.useful; t++) reach += made.radius[t] + 1;
      check(!made.useful || reach > most, "the radii reach");
      check(most != 31 || made.useful || n <= 1000, "31 bits are looked up");
    }
  }
}

static void *keep_searching(void *shared) {
  for (int round = 0; round < 200; round++) {
    sd_hits hits = {0};
    sd_index_facts facts;
    check(sd_index_search(shared, codes[round], 40, round % 48, 2, &hits) == SD_INDEX_OK, "search beside changes");
    sd_hits_free(&hits);
    sd_index_stats(shared, &facts);
    check(facts.codes <= 400, "no more codes than were added");
  }
  return NULL;
}

static void search_beside_changes(void) {
  static const uint8_t widths[] = {9, 9, 8, 8, 8, 8, 8, 8};
  sd_index *index;
  pthread_t readers[2];
  check(sd_index_new(3, widths, 8, &index) == SD_INDEX_OK, "new");
  for (int i = 0; i < 2; i++) pthread_create(&readers[i], NULL, keep_searching, index);
  size_t removed;
  for (size_t i = 0; i + 4 < 400; i += 2) {
    sd_index_add(index, codes[i], ids + i, thresholds + i, 2);
    if (i % 8 == 0) sd_index_remove(index, ids + i, 1, &removed);
    if (i % 50 == 0) check(sd_index_merge(&index, 1, "beside.index") == SD_INDEX_OK, "save beside changes");
  }
  for (int i = 0; i < 2; i++) pthread_join(readers[i], NULL);
  sd_index_free(index); /* a merge may be under way */
}

int main(int argc, char **argv) {
  if (argc != 2 || chdir(argv[1]) != 0) return 2;
  static const uint8_t uneven[] = {11, 11, 10, 10, 10, 9, 9, 9, 9, 9, 9}, even[] = {8, 8, 8, 8, 8, 8, 8, 8, 8, 8};
  plans_reach();
  walk("walked.index", 16, uneven, 11);
  walk("walked.index", 1, even, 10);
  walk("walked.index", 4096, NULL, 0);
  refuse_damage("tiny.index", 4096, NULL, 0, 1);
  refuse_damage("tables.index", 1, uneven, 11, 31);
  search_beside_changes();
  printf("%zu\n", checks);
  return 0;
}
