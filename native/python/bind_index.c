#include "bindings.h"

PyMethodDef sd_index_methods[] = {{NULL, NULL, 0, NULL}};
