/* module.c - the CPython face of the native core: assembles the functions of the two binding files. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "bindings.h"

static int exec_module(PyObject *module) {
  if (PyModule_AddFunctions(module, sd_fingerprint_methods) < 0) return -1;
  if (PyModule_AddFunctions(module, sd_index_methods) < 0) return -1;
  return PyModule_AddIntConstant(module, "ABI", SD_ABI);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)exec_module}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "staydown._native", .m_doc = "The native core.", .m_size = 0, .m_slots = slots};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
