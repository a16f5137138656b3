/* staydown_index.h - exact range search over 256-bit codes by multi-index hashing. Included by staydown.h only. */
#ifndef STAYDOWN_INDEX_H
#define STAYDOWN_INDEX_H
#endif
