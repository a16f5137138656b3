/* index_layout.c - how codes are cut into chunks, and how far each chunk is looked around in for a distance.
 *
 * Two codes within d bits differ in chunk t by at most r[t] bits for some t, if the sum of (r[t] + 1) is more than d: were
 * every chunk beyond its radius, the differences would add up to more. So any cut is exact; which one is chosen decides the
 * time only. Only the cut is stored; the radii are found anew for each distance.
 */
#include "index_parts.h"

/* Nanoseconds, roughly, of which only the ratios count: to look a bucket up, to fetch a code from one and measure it, to
 * measure a code in passing. From searches in banks of one and ten million codes, which main memory serves, on the machine
 * of benchmarks/results/match.md. */
#define PROBE 6.0f
#define CANDIDATE 12.0f
#define PASSING 3.0f
#define MOST_FORCED 200000.0f /* probes: where a layout is forced, a scan is left to distances that would take for ever */

typedef struct {
  size_t most; /* distinct codes */
  struct {
    uint8_t count, width;
  } run[3];
} cut;

/* The least probes and candidates at 31 bits for so many random codes, found by trying all cuts into runs of up to three
 * widths that take at most 75 bytes a code. */
static const cut CUTS[] = {
    {255, {{0, 0}}},
    {1000, {{32, 8}}},
    {10000, {{12, 14}, {8, 11}}},
    {200000, {{16, 16}}},
    {600000, {{4, 20}, {6, 18}, {4, 17}}},
    {1500000, {{6, 21}, {4, 19}, {3, 18}}},
    {3000000, {{8, 22}, {4, 20}}},
    {30000000, {{4, 24}, {6, 23}, {1, 22}}},
    {MOST_CODES, {{6, 26}, {4, 25}}},
};

layout sd_layout_for(size_t distinct) {
  const cut *chosen = CUTS;
  while (chosen->most < distinct) chosen++;
  layout made = {.chunks = 0};
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < chosen->run[i].count; k++) made.widths[made.chunks++] = chosen->run[i].width;
  return made;
}

/* Starting from "skip every chunk", raises the radius that is cheapest to raise until the radii reach. */
plan sd_plan_for(const part *p, int most, int forced) {
  plan made = {.useful = 0};
  float price[MOST_CHUNKS], probes[MOST_CHUNKS], total = 0, looked_up = 0;
  float scan = PASSING * (float)p->distinct;
  for (int t = 0; t < p->chunks; t++) {
    made.radius[t] = -1;
    probes[t] = 1;
    price[t] = PROBE + CANDIDATE * p->tables[t].crowding;
  }
  for (int needed = most + 1; needed > 0; needed--) {
    int cheapest = -1;
    for (int t = 0; t < p->chunks; t++)
      if (made.radius[t] < p->tables[t].width && (cheapest < 0 || price[t] < price[cheapest])) cheapest = t;
    if (cheapest < 0) return made;
    const table *t = &p->tables[cheapest];
    total += price[cheapest];
    looked_up += probes[cheapest];
    if (forced ? looked_up > MOST_FORCED : total > scan) return made;
    int radius = ++made.radius[cheapest];
    probes[cheapest] *= (float)(t->width - radius) / (float)(radius + 1);
    price[cheapest] = probes[cheapest] * (PROBE + CANDIDATE * t->crowding);
  }
  made.useful = p->chunks > 0;
  made.budget = forced ? SIZE_MAX : (size_t)((float)p->distinct * (PASSING / CANDIDATE)) + 64;
  return made;
}
