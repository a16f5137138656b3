/* bindings.h - what the two binding files give to module.c. */
#ifndef STAYDOWN_BINDINGS_H
#define STAYDOWN_BINDINGS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "staydown.h"

extern PyMethodDef sd_fingerprint_methods[];
extern PyMethodDef sd_index_methods[];

#endif
