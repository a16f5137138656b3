#include "staydown.h"
