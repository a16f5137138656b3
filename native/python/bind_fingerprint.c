#include "bindings.h"

PyMethodDef sd_fingerprint_methods[] = {{NULL, NULL, 0, NULL}};
