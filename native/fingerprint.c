#include "staydown.h"

int32_t sd_abi(void) { return SD_ABI; }
