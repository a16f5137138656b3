/* reading.h - takes a fuzzer's bytes apart: numbers from the front, and zeros once they are used up. */
#ifndef STAYDOWN_FUZZ_READING_H
#define STAYDOWN_FUZZ_READING_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const uint8_t *bytes;
  size_t left;
} reading;

static inline uint8_t take_byte(reading *from) {
  if (!from->left) return 0;
  from->left--;
  return *from->bytes++;
}

static inline uint32_t take_number(reading *from, int bytes) {
  uint32_t number = 0;
  for (int i = 0; i < bytes; i++) number = number << 8 | take_byte(from);
  return number;
}

static inline void take_bytes(reading *from, uint8_t *out, size_t count) {
  size_t there = count < from->left ? count : from->left;
  if (there) memcpy(out, from->bytes, there);
  if (count > there) memset(out + there, 0, count - there);
  from->bytes += there, from->left -= there;
}

/* A promise of the header does not hold: the fuzzer keeps the input and stops. */
static inline void must(int holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "failed: %s\n", what);
  abort();
}

/* Memory of just this size, so that one byte too far is found; never NULL. */
static inline void *exactly(size_t bytes) {
  void *memory = malloc(bytes ? bytes : 1);
  must(memory != NULL, "memory");
  return memory;
}

#endif
