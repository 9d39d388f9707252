/* errors.c: see errors.h.
 *
 * Classes are looked up by name in the module given by set_exceptions at the moment of raising, so the extension holds no
 * reference to any of them; a class that is missing there is replaced by the built-in it would derive from. */
#include "errors.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The class of a status that is not the system's, and the built-in to fall back on. */
static const char *class_name(sl_status status, PyObject **fallback) {
    *fallback = PyExc_ValueError;
    switch (status) {
    case SL_ERROR_MEMORY: *fallback = PyExc_MemoryError; return "OutOfMemoryError";
    case SL_ERROR_INVALID_ARGUMENT: return "InvalidArgumentError";
    case SL_ERROR_INVALID_KEY: return "InvalidKeyError";
    case SL_ERROR_DUPLICATE_KEY: return "DuplicateKeyError";
    case SL_ERROR_KEY_NOT_FOUND: *fallback = PyExc_KeyError; return "KeyNotFoundError";
    case SL_ERROR_INVALID_SCORE: return "InvalidScoreError";
    case SL_ERROR_INVALID_THRESHOLD: return "InvalidThresholdError";
    case SL_ERROR_OVERLAP: return "OverlapError";
    case SL_ERROR_CAPACITY: *fallback = PyExc_OverflowError; return "CapacityError";
    case SL_ERROR_UNKNOWN_METRIC: return "UnknownMetricError";
    case SL_ERROR_COLLECTION_NOT_FOUND: *fallback = PyExc_KeyError; return "CollectionNotFoundError";
    case SL_ERROR_DUPLICATE_COLLECTION: return "DuplicateCollectionError";
    case SL_ERROR_CORRUPT: return "CorruptFileError";
    case SL_OK:
    case SL_ERROR_SYSTEM:
    case SL_ERROR_INTERRUPTED: break;
    }
    *fallback = PyExc_RuntimeError;
    return "StarlingsError";
}

/* The same of a system call that failed with this errno. */
static const char *system_class_name(int code, PyObject **fallback) {
    switch (code) {
    case ENOENT: *fallback = PyExc_FileNotFoundError; return "PathNotFoundError";
    case EISDIR: *fallback = PyExc_IsADirectoryError; return "PathIsFolderError";
    case EACCES:
    case EPERM: *fallback = PyExc_PermissionError; return "PathPermissionError";
    default: *fallback = PyExc_OSError; return "SystemCallError";
    }
}

/* New reference to the class of `status`, with `code` the errno of SL_ERROR_SYSTEM. */
static PyObject *exception_class(const core_state *state, sl_status status, int code) {
    PyObject *fallback;
    const char *name = status == SL_ERROR_SYSTEM ? system_class_name(code, &fallback) : class_name(status, &fallback);
    if (state->exceptions) {
        PyObject *found = PyObject_GetAttrString(state->exceptions, name);
        if (found && PyExceptionClass_Check(found)) return found;
        Py_XDECREF(found);
        PyErr_Clear();
    }
    return Py_NewRef(fallback);
}

/* Negative numbers stand for None. */
static int set_number(PyObject *exception, const char *name, int64_t row) {
    PyObject *value = row < 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong(row);
    if (!value) return -1;
    int failed = PyObject_SetAttrString(exception, name, value);
    Py_DECREF(value);
    return failed;
}

/* Raise with a message that this call takes over (NULL: an exception is already set). */
static int raise_message(const core_state *state, sl_status status, int64_t row, int64_t other_row, int code,
                         PyObject *message) {
    if (!message) return -1;
    PyObject *class = exception_class(state, status, code);
    PyObject *exception = PyObject_CallFunctionObjArgs(class, message, NULL);
    Py_DECREF(message);
    if (exception) {
        /* Built-in fallbacks take attributes too; should a class not, the message says the row anyway. */
        if (set_number(exception, "row", row) < 0 || set_number(exception, "other_row", other_row) < 0) PyErr_Clear();
        if (code && set_number(exception, "errno", code) < 0) PyErr_Clear();
        PyErr_SetObject(class, exception);
        Py_DECREF(exception);
    }
    Py_DECREF(class);
    return -1;
}

int core_raise_error(const core_state *state, const sl_error *error) {
    /* A key quoted in a message may have been no UTF-8, or been cut. */
    PyObject *message = PyUnicode_DecodeUTF8(error->message, (Py_ssize_t)strlen(error->message), "replace");
    return raise_message(state, error->status, error->row, error->other_row, error->system_code, message);
}

int core_raise(const core_state *state, sl_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    PyObject *message = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    return raise_message(state, status, -1, -1, 0, message);
}

int core_raise_row(const core_state *state, sl_status status, int64_t row, int64_t other_row, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    PyObject *message = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    return raise_message(state, status, row, other_row, 0, message);
}

int core_raise_memory(const core_state *state, const char *what) {
    return core_raise(state, SL_ERROR_MEMORY, "out of memory for %s", what);
}

/* Replace the first "row <old>" in `message` that is a whole number by "row <new>", within the message's fixed size. */
static void replace_row(char message[512], int64_t old_row, int64_t new_row) {
    char from[32], to[32], rest[512];
    int from_length = snprintf(from, sizeof from, "row %lld", (long long)old_row);
    snprintf(to, sizeof to, "row %lld", (long long)new_row);
    char *at = message;
    while ((at = strstr(at, from)) != NULL) {
        const char *after = at + from_length;
        if (*after < '0' || *after > '9') break;
        at++;
    }
    if (!at) return;
    snprintf(rest, sizeof rest, "%s", at + from_length);
    snprintf(at, (size_t)(512 - (at - message)), "%s%s", to, rest);
}

void core_error_shift_rows(sl_error *error, uint64_t first_row) {
    if (first_row == 0 || error->row < 0) return;
    int64_t shift = (int64_t)first_row;
    replace_row(error->message, error->row, error->row + shift);
    error->row += shift;
    if (error->other_row < 0) return;
    replace_row(error->message, error->other_row, error->other_row + shift);
    error->other_row += shift;
}

void *core_allocate(const core_state *state, uint64_t count, size_t size, const char *what) {
    uint64_t bytes;
    void *memory = NULL;
    if (!__builtin_mul_overflow(count, (uint64_t)size, &bytes) && bytes <= (uint64_t)PY_SSIZE_T_MAX)
        memory = malloc(bytes ? (size_t)bytes : 1);
    if (!memory) core_raise_memory(state, what);
    return memory;
}

int core_grow(const core_state *state, void *memory_io, size_t *capacity_io, uint64_t needed, size_t size,
              const char *what) {
    if (needed <= *capacity_io) return 0;
    uint64_t capacity = *capacity_io < 16 ? 16 : (uint64_t)*capacity_io * 2;
    if (capacity < needed) capacity = needed;
    uint64_t bytes;
    void *memory, *grown = NULL;
    memcpy(&memory, memory_io, sizeof memory);
    if (!__builtin_mul_overflow(capacity, (uint64_t)size, &bytes) && bytes <= (uint64_t)PY_SSIZE_T_MAX)
        grown = realloc(memory, (size_t)bytes);
    if (!grown) return core_raise_memory(state, what);
    memcpy(memory_io, &grown, sizeof grown);
    *capacity_io = (size_t)capacity;
    return 0;
}

#define SHOWN_CHARACTERS 60

/* The start of `words`, which this takes over (NULL: a pending exception, which is dropped). */
static const char *start_of(PyObject *words, char text[CORE_TEXT_SIZE]) {
    bool is_long = words && PyUnicode_GetLength(words) > SHOWN_CHARACTERS;
    PyObject *start = is_long ? PyUnicode_Substring(words, 0, SHOWN_CHARACTERS) : Py_XNewRef(words);
    const char *bytes = start ? PyUnicode_AsUTF8AndSize(start, NULL) : NULL;
    snprintf(text, CORE_TEXT_SIZE, "%s%s", bytes ? bytes : "(unprintable)", bytes && is_long ? "..." : "");
    if (!bytes) PyErr_Clear();
    Py_XDECREF(start);
    Py_XDECREF(words);
    return text;
}

const char *core_type_text(PyObject *object, char text[CORE_TEXT_SIZE]) {
    return start_of(PyType_GetName(Py_TYPE(object)), text);
}

const char *core_value_text(PyObject *object, char text[CORE_TEXT_SIZE]) {
    PyObject *words = PyObject_Repr(object);
    if (words) return start_of(words, text);
    char type[CORE_TEXT_SIZE]; /* an int of too many digits, say */
    PyErr_Clear();
    snprintf(text, CORE_TEXT_SIZE, "(%.200s)", core_type_text(object, type));
    return text;
}

int core_caught(PyObject *type) {
    if (!PyErr_ExceptionMatches(type)) return 0;
    PyErr_Clear();
    return 1;
}
