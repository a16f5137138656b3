/* bind_fingerprint.c - fingerprints and digests for CPython: checks arguments, releases the GIL, calls the kernel.
 *
 * A photo lives in a capsule and is fed strip by strip. The capsule carries a busy mark, because the GIL is released
 * while the kernel works: a second thread that touches the same photo meanwhile gets an error, not a data race.
 */
#include "bindings.h"

#define PHOTO_CAPSULE "staydown._native.photo"
#define DIGEST_CAPSULE "staydown._native.digest"
#define STATE_ALIGNMENT 64
#define CODES_BYTES (2 * SD_DIHEDRAL * SD_CODE_BYTES)
#define DIGESTS_BYTES 48
/* One update at most: the kernel counts a call's bytes in 32 bits. */
#define UPDATE_BYTES (1 << 30)

typedef struct {
  int32_t fed_width;
  int is_busy;
  void *block; /* as allocated */
  void *state; /* inside block, aligned */
} photo_holder;

static void free_photo(photo_holder *photo) {
  if (!photo) return;
  PyMem_RawFree(photo->block);
  PyMem_RawFree(photo);
}

static void destroy_photo(PyObject *capsule) { free_photo(PyCapsule_GetPointer(capsule, PHOTO_CAPSULE)); }

static PyObject *photo_begin(PyObject *module, PyObject *arguments) {
  (void)module;
  int width, height, step, flags;
  if (!PyArg_ParseTuple(arguments, "iiii:photo_begin", &width, &height, &step, &flags)) return NULL;
  uint32_t bytes = sd_photo_bytes(width, height, step, flags);
  if (!bytes) return PyErr_Format(PyExc_ValueError, "a picture of %d x %d at step %d is refused", width, height, step);
  photo_holder *photo = PyMem_RawCalloc(1, sizeof *photo);
  if (photo) photo->block = PyMem_RawMalloc((size_t)bytes + STATE_ALIGNMENT);
  PyObject *capsule = photo && photo->block ? PyCapsule_New(photo, PHOTO_CAPSULE, destroy_photo) : PyErr_NoMemory();
  if (!capsule) {
    free_photo(photo);
    return NULL;
  }
  photo->fed_width = (width + step - 1) / step;
  photo->state = (void *)(((uintptr_t)photo->block + STATE_ALIGNMENT - 1) / STATE_ALIGNMENT * STATE_ALIGNMENT);
  sd_photo_begin(photo->state, width, height, step, flags);
  return capsule;
}

/* The photo of a capsule; the caller marks it busy while it works without the GIL. */
static photo_holder *idle_photo(PyObject *capsule) {
  photo_holder *photo = PyCapsule_GetPointer(capsule, PHOTO_CAPSULE);
  if (photo && photo->is_busy) {
    PyErr_SetString(PyExc_RuntimeError, "another thread is at work on this photo");
    return NULL;
  }
  return photo;
}

/* Takes a C-contiguous (rows, width, channels) uint8 buffer; -1 with an exception if it is something else. */
static int get_pixels(PyObject *object, Py_buffer *view) {
  if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) return -1;
  int is_bytes = view->itemsize == 1 && (!view->format || strcmp(view->format, "B") == 0);
  int is_known = view->ndim == 3 && (view->shape[2] == 1 || view->shape[2] == 3 || view->shape[2] == 4);
  if (is_bytes && is_known) return 0;
  PyBuffer_Release(view);
  PyErr_SetString(PyExc_ValueError, "pixels must be a C-contiguous (rows, width, 1 | 3 | 4) array of uint8");
  return -1;
}

static PyObject *photo_rows(PyObject *module, PyObject *arguments) {
  (void)module;
  PyObject *capsule, *pixels;
  Py_buffer view;
  if (!PyArg_ParseTuple(arguments, "OO:photo_rows", &capsule, &pixels)) return NULL;
  photo_holder *photo = idle_photo(capsule);
  if (!photo || get_pixels(pixels, &view) < 0) return NULL;
  if (view.shape[1] != photo->fed_width || view.shape[0] > INT32_MAX) {
    PyBuffer_Release(&view);
    PyErr_SetString(PyExc_ValueError, "these rows do not fit the photo");
    return NULL;
  }
  int32_t taken, channels = (int32_t)view.shape[2], stride = (int32_t)(view.shape[1] * view.shape[2]);
  photo->is_busy = 1;
  Py_BEGIN_ALLOW_THREADS
  taken = sd_photo_rows(photo->state, view.buf, (int32_t)view.shape[0], stride, channels);
  Py_END_ALLOW_THREADS
  photo->is_busy = 0;
  PyBuffer_Release(&view);
  return PyLong_FromLong(taken);
}

static PyObject *photo_finish(PyObject *module, PyObject *capsule) {
  (void)module;
  uint8_t codes[CODES_BYTES];
  int32_t qualities[2], status;
  float margins[2];
  photo_holder *photo = idle_photo(capsule);
  if (!photo) return NULL;
  photo->is_busy = 1;
  Py_BEGIN_ALLOW_THREADS
  status = sd_photo_finish(photo->state, codes, qualities, margins);
  Py_END_ALLOW_THREADS
  photo->is_busy = 0;
  if (status < 0) {
    PyErr_SetString(PyExc_ValueError, "rows are missing, or the photo is finished already");
    return NULL;
  }
  return Py_BuildValue("y#(ii)(ff)", (const char *)codes, (Py_ssize_t)CODES_BYTES, (int)qualities[0], (int)qualities[1],
                       margins[0], margins[1]);
}

static PyObject *photo_view(PyObject *module, PyObject *arguments) {
  (void)module;
  PyObject *capsule;
  int left, top, width, height;
  if (!PyArg_ParseTuple(arguments, "Oiiii:photo_view", &capsule, &left, &top, &width, &height)) return NULL;
  photo_holder *photo = idle_photo(capsule);
  if (!photo) return NULL;
  uint8_t codes[SD_DIHEDRAL * SD_CODE_BYTES];
  int32_t quality;
  photo->is_busy = 1;
  Py_BEGIN_ALLOW_THREADS
  quality = sd_photo_view(photo->state, left, top, width, height, codes);
  Py_END_ALLOW_THREADS
  photo->is_busy = 0;
  if (quality < 0) {
    PyErr_SetString(PyExc_ValueError, "the rectangle does not lie in the photo, or the photo keeps no plane or is unfinished");
    return NULL;
  }
  return Py_BuildValue("y#i", (const char *)codes, (Py_ssize_t)sizeof codes, (int)quality);
}

static PyObject *photo_plane(PyObject *module, PyObject *capsule) {
  (void)module;
  photo_holder *photo = idle_photo(capsule);
  if (!photo) return NULL;
  int width = sd_photo_plane_width(photo->state), height = sd_photo_plane_height(photo->state);
  PyObject *floats = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)sizeof(float) * width * height);
  if (!floats) return NULL;
  if (sd_photo_plane(photo->state, (float *)(void *)PyByteArray_AS_STRING(floats)) < 0) {
    Py_DECREF(floats);
    PyErr_SetString(PyExc_ValueError, "the photo keeps no plane or is unfinished");
    return NULL;
  }
  return Py_BuildValue("Nii", floats, width, height);
}

/* ---- digests ------------------------------------------------------------------------------------- */

static void update_all(void *state, const uint8_t *bytes, Py_ssize_t length) {
  while (length > 0) {
    uint32_t part = length < UPDATE_BYTES ? (uint32_t)length : UPDATE_BYTES;
    sd_digest_update(state, bytes, part);
    bytes += part;
    length -= part;
  }
}

static PyObject *digests(PyObject *module, PyObject *data) {
  (void)module;
  Py_buffer view;
  uint8_t out[DIGESTS_BYTES];
  if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) return NULL;
  void *state = PyMem_RawMalloc(sd_digest_bytes());
  if (!state) {
    PyBuffer_Release(&view);
    return PyErr_NoMemory();
  }
  Py_BEGIN_ALLOW_THREADS
  sd_digest_begin(state);
  update_all(state, view.buf, view.len);
  sd_digest_finish(state, out);
  Py_END_ALLOW_THREADS
  PyMem_RawFree(state);
  PyBuffer_Release(&view);
  return PyBytes_FromStringAndSize((const char *)out, DIGESTS_BYTES);
}

static void destroy_digest(PyObject *capsule) { PyMem_RawFree(PyCapsule_GetPointer(capsule, DIGEST_CAPSULE)); }

static PyObject *digest_begin(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  void *state = PyMem_RawMalloc(sd_digest_bytes());
  if (!state) return PyErr_NoMemory();
  sd_digest_begin(state);
  PyObject *capsule = PyCapsule_New(state, DIGEST_CAPSULE, destroy_digest);
  if (!capsule) PyMem_RawFree(state);
  return capsule;
}

/* Holds the GIL: the streaming pair serves tests of the browser's kernel; files go through hashlib. */
static PyObject *digest_update(PyObject *module, PyObject *arguments) {
  (void)module;
  PyObject *capsule;
  Py_buffer view;
  if (!PyArg_ParseTuple(arguments, "Oy*:digest_update", &capsule, &view)) return NULL;
  void *state = PyCapsule_GetPointer(capsule, DIGEST_CAPSULE);
  if (state) update_all(state, view.buf, view.len);
  PyBuffer_Release(&view);
  if (!state) return NULL;
  Py_RETURN_NONE;
}

static PyObject *digest_finish(PyObject *module, PyObject *capsule) {
  (void)module;
  uint8_t out[DIGESTS_BYTES];
  void *state = PyCapsule_GetPointer(capsule, DIGEST_CAPSULE);
  if (!state) return NULL;
  sd_digest_finish(state, out);
  sd_digest_begin(state); /* what is fed after the end starts a new stream */
  return PyBytes_FromStringAndSize((const char *)out, DIGESTS_BYTES);
}

PyMethodDef sd_fingerprint_methods[] = {
    {"photo_begin", photo_begin, METH_VARARGS,
     "photo_begin(width, height, step, flags) -> photo, to be fed by photo_rows. Raises ValueError if it is refused."},
    {"photo_rows", photo_rows, METH_VARARGS,
     "photo_rows(photo, pixels) -> rows taken so far. pixels: (rows, width, 1 | 3 | 4) uint8, C-contiguous."},
    {"photo_finish", photo_finish, METH_O,
     "photo_finish(photo) -> (512 bytes, (quality of pdq, of pdq512), (margin of pdq, of pdq512)).\n\n"
     "Raises ValueError if rows are missing."},
    {"photo_view", photo_view, METH_VARARGS,
     "photo_view(photo, left, top, width, height) -> (256 bytes, quality). Raises ValueError."},
    {"photo_plane", photo_plane, METH_O, "photo_plane(photo) -> (float32 values, width, height). Raises ValueError."},
    {"digests", digests, METH_O, "digests(data) -> 48 bytes: MD5, then SHA-256."},
    {"digest_begin", digest_begin, METH_NOARGS, "digest_begin() -> stream, to be fed by digest_update."},
    {"digest_update", digest_update, METH_VARARGS, "digest_update(stream, data) -> None"},
    {"digest_finish", digest_finish, METH_O, "digest_finish(stream) -> 48 bytes: MD5, then SHA-256."},
    {NULL, NULL, 0, NULL}};
