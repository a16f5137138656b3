/* bind_index.c - the index for CPython: checks buffers, releases the GIL, calls the kernel, names what went wrong.
 *
 * A file that is refused raises ValueError(status, clause); staydown.matching turns it into its own errors. Whoever
 * calls these functions with buffers of the wrong size gets ValueError, never a read out of bounds.
 */
#include "bindings.h"

#define INDEX_CAPSULE "staydown._native.index"

/* Waits for a merge under way to notice that it is called off: some milliseconds. */
static void free_index(PyObject *capsule) {
  sd_index *index = PyCapsule_GetPointer(capsule, INDEX_CAPSULE);
  Py_BEGIN_ALLOW_THREADS;
  sd_index_free(index);
  Py_END_ALLOW_THREADS;
}

static PyObject *wrap(sd_index *index) {
  PyObject *capsule = PyCapsule_New(index, INDEX_CAPSULE, free_index);
  if (!capsule) sd_index_free(index);
  return capsule;
}

static sd_index *unwrap(PyObject *capsule) { return PyCapsule_GetPointer(capsule, INDEX_CAPSULE); }

static PyObject *refuse(sd_index_status status, PyObject *path) {
  if (status == SD_INDEX_NO_MEMORY) return PyErr_NoMemory();
  if (status == SD_INDEX_SYSTEM) return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
  PyObject *reason = Py_BuildValue("(is)", (int)status, sd_index_explain(status));
  if (reason) PyErr_SetObject(PyExc_ValueError, reason);
  Py_XDECREF(reason);
  return NULL;
}

static int is_whole(const Py_buffer *view, Py_ssize_t unit, const char *what) {
  if (view->len % unit == 0) return 1;
  PyErr_Format(PyExc_ValueError, "%s: %zd bytes are not a multiple of %zd", what, view->len, unit);
  return 0;
}

/* What index_new and index_open have in common: the limit of the tail, and widths of chunks or none. */
static int are_usable(Py_ssize_t tail_limit, const Py_buffer *widths) {
  const uint8_t *width = widths->buf;
  int bits = 0;
  for (Py_ssize_t i = 0; i < widths->len; i++) bits += width[i] >= 1 && width[i] <= 30 ? width[i] : 257;
  if (tail_limit < 1) PyErr_SetString(PyExc_ValueError, "tail_limit is at least 1");
  else if (widths->len > SD_MOST_CHUNKS || bits > 8 * SD_CODE_BYTES)
    PyErr_SetString(PyExc_ValueError, "widths are up to 32 numbers from 1 to 30 that add up to at most 256");
  else return 1;
  return 0;
}

static PyObject *index_new(PyObject *Py_UNUSED(self), PyObject *args) {
  Py_ssize_t tail_limit;
  Py_buffer widths;
  PyObject *result = NULL;
  if (!PyArg_ParseTuple(args, "ny*:index_new", &tail_limit, &widths)) return NULL;
  if (are_usable(tail_limit, &widths)) {
    sd_index *index;
    sd_index_status status =
        sd_index_new((size_t)tail_limit, widths.len ? widths.buf : NULL, (int)widths.len, &index);
    result = status == SD_INDEX_OK ? wrap(index) : refuse(status, NULL);
  }
  PyBuffer_Release(&widths);
  return result;
}

static PyObject *index_count(PyObject *Py_UNUSED(self), PyObject *capsule) {
  sd_index *index = unwrap(capsule);
  if (!index) return NULL;
  size_t count;
  Py_BEGIN_ALLOW_THREADS;
  count = sd_index_count(index);
  Py_END_ALLOW_THREADS;
  return PyLong_FromSize_t(count);
}

static PyObject *index_stats(PyObject *Py_UNUSED(self), PyObject *capsule) {
  sd_index *index = unwrap(capsule);
  if (!index) return NULL;
  sd_index_facts facts;
  Py_BEGIN_ALLOW_THREADS;
  sd_index_stats(index, &facts);
  Py_END_ALLOW_THREADS;
  return Py_BuildValue("(KKKKKK)", (unsigned long long)facts.codes, (unsigned long long)facts.tombstones,
                       (unsigned long long)facts.tail, (unsigned long long)facts.segments,
                       (unsigned long long)facts.bytes, (unsigned long long)facts.mapped);
}

static PyObject *index_settle(PyObject *Py_UNUSED(self), PyObject *capsule) {
  sd_index *index = unwrap(capsule);
  if (!index) return NULL;
  Py_BEGIN_ALLOW_THREADS;
  sd_index_settle(index);
  Py_END_ALLOW_THREADS;
  Py_RETURN_NONE;
}

static PyObject *index_add(PyObject *Py_UNUSED(self), PyObject *args) {
  PyObject *capsule, *result = NULL;
  Py_buffer codes, ids, thresholds;
  if (!PyArg_ParseTuple(args, "Oy*y*z*:index_add", &capsule, &codes, &ids, &thresholds)) return NULL;
  sd_index *index = unwrap(capsule);
  Py_ssize_t n = ids.len / 8;
  if (index && is_whole(&codes, SD_CODE_BYTES, "codes") && is_whole(&ids, 8, "ids")) {
    if (codes.len / SD_CODE_BYTES != n || (thresholds.buf && thresholds.len != n)) {
      PyErr_SetString(PyExc_ValueError, "there are not as many ids or thresholds as codes");
    } else {
      sd_index_status status;
      Py_BEGIN_ALLOW_THREADS;
      status = sd_index_add(index, codes.buf, ids.buf, thresholds.buf, (size_t)n);
      Py_END_ALLOW_THREADS;
      result = status == SD_INDEX_OK ? Py_NewRef(Py_None) : refuse(status, NULL);
    }
  }
  PyBuffer_Release(&codes);
  PyBuffer_Release(&ids);
  PyBuffer_Release(&thresholds);
  return result;
}

static PyObject *index_remove(PyObject *Py_UNUSED(self), PyObject *args) {
  PyObject *capsule, *result = NULL;
  Py_buffer ids;
  if (!PyArg_ParseTuple(args, "Oy*:index_remove", &capsule, &ids)) return NULL;
  sd_index *index = unwrap(capsule);
  if (index && is_whole(&ids, 8, "ids")) {
    sd_index_status status;
    size_t removed;
    Py_BEGIN_ALLOW_THREADS;
    status = sd_index_remove(index, ids.buf, (size_t)(ids.len / 8), &removed);
    Py_END_ALLOW_THREADS;
    result = status == SD_INDEX_OK ? PyLong_FromSize_t(removed) : refuse(status, NULL);
  }
  PyBuffer_Release(&ids);
  return result;
}

/* Three bytearrays, for numpy to look at: queries (int64), ids (uint64), distances (uint16). */
static PyObject *as_arrays(const sd_hits *hits) {
  Py_ssize_t n = (Py_ssize_t)hits->count;
  PyObject *queries = PyByteArray_FromStringAndSize(NULL, n * 8);
  PyObject *ids = PyByteArray_FromStringAndSize(NULL, n * 8);
  PyObject *distances = PyByteArray_FromStringAndSize(NULL, n * 2);
  PyObject *result = queries && ids && distances ? PyTuple_Pack(3, queries, ids, distances) : NULL;
  for (Py_ssize_t i = 0; result && i < n; i++) {
    memcpy(PyByteArray_AS_STRING(queries) + 8 * i, &hits->hits[i].query, 8);
    memcpy(PyByteArray_AS_STRING(ids) + 8 * i, &hits->hits[i].id, 8);
    memcpy(PyByteArray_AS_STRING(distances) + 2 * i, &hits->hits[i].distance_bits, 2);
  }
  Py_XDECREF(queries);
  Py_XDECREF(ids);
  Py_XDECREF(distances);
  return result;
}

static PyObject *index_search(PyObject *Py_UNUSED(self), PyObject *args) {
  PyObject *capsule, *result = NULL;
  Py_buffer queries;
  int most, threads;
  if (!PyArg_ParseTuple(args, "Oy*ii:index_search", &capsule, &queries, &most, &threads)) return NULL;
  sd_index *index = unwrap(capsule);
  if (index && (most < 0 || most > 256)) PyErr_SetString(PyExc_ValueError, "a distance is from 0 to 256 bits");
  else if (index && threads < 1) PyErr_SetString(PyExc_ValueError, "a search has at least one thread");
  else if (index && is_whole(&queries, SD_CODE_BYTES, "queries")) {
    sd_hits hits = {0};
    sd_index_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = sd_index_search(index, queries.buf, (size_t)(queries.len / SD_CODE_BYTES), most, threads,
                             &hits);
    Py_END_ALLOW_THREADS;
    result = status == SD_INDEX_OK ? as_arrays(&hits) : refuse(status, NULL);
    sd_hits_free(&hits);
  }
  PyBuffer_Release(&queries);
  return result;
}

static PyObject *index_merge(PyObject *Py_UNUSED(self), PyObject *args) {
  PyObject *capsules, *path, *result = NULL;
  if (!PyArg_ParseTuple(args, "O!O&:index_merge", &PyTuple_Type, &capsules, PyUnicode_FSConverter, &path)) return NULL;
  Py_ssize_t count = PyTuple_GET_SIZE(capsules), i = 0;
  sd_index **indexes = PyMem_Calloc((size_t)count + 1, sizeof *indexes);
  if (!indexes) PyErr_NoMemory();
  while (indexes && i < count && (indexes[i] = unwrap(PyTuple_GET_ITEM(capsules, i)))) i++;
  if (indexes && i == count) {
    sd_index_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = sd_index_merge(indexes, (size_t)count, PyBytes_AS_STRING(path));
    Py_END_ALLOW_THREADS;
    result = status == SD_INDEX_OK ? Py_NewRef(Py_None) : refuse(status, path);
  }
  PyMem_Free(indexes);
  Py_DECREF(path);
  return result;
}

static PyObject *index_open(PyObject *Py_UNUSED(self), PyObject *args) {
  PyObject *path, *result = NULL;
  Py_ssize_t tail_limit;
  Py_buffer widths;
  if (!PyArg_ParseTuple(args, "O&ny*:index_open", PyUnicode_FSConverter, &path, &tail_limit, &widths)) return NULL;
  if (are_usable(tail_limit, &widths)) {
    sd_index *index;
    sd_index_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = sd_index_open(PyBytes_AS_STRING(path), (size_t)tail_limit, widths.len ? widths.buf : NULL,
                           (int)widths.len, &index);
    Py_END_ALLOW_THREADS;
    result = status == SD_INDEX_OK ? wrap(index) : refuse(status, path);
  }
  PyBuffer_Release(&widths);
  Py_DECREF(path);
  return result;
}

PyMethodDef sd_index_methods[] = {
    {"index_new", index_new, METH_VARARGS, "An empty index; new codes are scanned until there are tail_limit."},
    {"index_count", index_count, METH_O, "Live codes."},
    {"index_stats", index_stats, METH_O, "Codes, tombstones, tail, segments, bytes, mapped bytes."},
    {"index_settle", index_settle, METH_O, "Waits until nothing is left to merge."},
    {"index_add", index_add, METH_VARARGS, "Adds n codes (n * 32 bytes) under n ids (n * 8), with n thresholds or None."},
    {"index_remove", index_remove, METH_VARARGS, "Removes every code of the ids; returns how many codes went."},
    {"index_search", index_search, METH_VARARGS, "Every code within a distance: queries, ids, distances."},
    {"index_merge", index_merge, METH_VARARGS, "Writes every code of a tuple of indexes as one file, atomically."},
    {"index_open", index_open, METH_VARARGS, "Maps a saved file; ValueError(status, clause) if it is refused."},
    {NULL, NULL, 0, NULL}};
