/* entity_operations.c: one value for each entity of a partition: hashes and fingerprints, as Buffers, and hashes as text.
 *
 * The engine computes without the GIL into memory that the Buffer then owns. */
#include "buffer_type.h"
#include "objects.h"

#include <stdlib.h>
#include <string.h>

static const char *const digest_names[SL_NUM_DIGESTS] = {
    [SL_DIGEST_SHA256] = "sha256",
    [SL_DIGEST_SHA512] = "sha512",
    [SL_DIGEST_BLAKE3] = "blake3",
    [SL_DIGEST_MD5] = "md5",
};

static int find_digest(const core_state *state, const char *name, sl_digest *out) {
    for (int digest = 0; digest < SL_NUM_DIGESTS; digest++) {
        if (strcmp(digest_names[digest], name) != 0) continue;
        *out = (sl_digest)digest;
        return 0;
    }
    return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "no digest '%s': take sha256, sha512, blake3 or md5", name);
}

PyObject *core_partition_digests(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"context", "digest", "of_indices", "progress", NULL};
    core_state *state = core_state_of(self);
    const sl_partition *partition = ((core_partition *)self)->partition;
    core_context *context;
    const char *name;
    int of_indices = 0;
    PyObject *callback = NULL;
    sl_digest digest = SL_DIGEST_SHA256;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!s|pO:digests", names, state->context_type, &context, &name,
                                     &of_indices, &callback))
        return NULL;
    if (core_call_init(&call, state, callback) < 0 || find_digest(state, name, &digest) < 0) return NULL;
    uint64_t entities = sl_partition_num_entities(partition), size = sl_digest_size(digest);
    uint8_t *digests = core_allocate(state, entities, (size_t)size, "hashes");
    if (!digests) return NULL;
    core_call_leave(&call);
    sl_status status =
        sl_partition_digests(partition, context->context, digest, of_indices ? SL_HASH_INDICES : SL_HASH_IDENTITIES,
                             digests, &call.progress, &call.error);
    if (core_call_return(&call, status) == 0) return core_buffer_take(state, digests, entities * size, 'B');
    free(digests);
    return NULL;
}

PyObject *core_partition_fingerprints(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"context", "progress", NULL};
    core_state *state = core_state_of(self);
    const sl_partition *partition = ((core_partition *)self)->partition;
    core_context *context;
    PyObject *callback = NULL;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!|O:fingerprints", names, state->context_type, &context,
                                     &callback))
        return NULL;
    if (core_call_init(&call, state, callback) < 0) return NULL;
    uint64_t length = (uint64_t)sl_partition_num_entities(partition) * SL_FINGERPRINT_LENGTH;
    uint32_t *values = core_allocate(state, length, sizeof *values, "fingerprints");
    if (!values) return NULL;
    core_call_leave(&call);
    sl_status status = sl_partition_fingerprints(partition, context->context, values, &call.progress, &call.error);
    if (core_call_return(&call, status) == 0) return core_buffer_take(state, values, length, 'I');
    free(values);
    return NULL;
}

PyObject *core_fingerprint_similarity(PyObject *module, PyObject *arguments) {
    const core_state *state = PyModule_GetState(module);
    PyObject *objects[2], *result = NULL;
    Py_buffer views[2];
    int count = 0;
    if (!PyArg_ParseTuple(arguments, "OO:fingerprint_similarity", &objects[0], &objects[1])) return NULL;
    for (; count < 2; count++) {
        if (core_array_view(state, objects[count], SL_COLUMN_UINT32, "a fingerprint", &views[count]) < 0) goto done;
        if (core_array_length(&views[count]) == SL_FINGERPRINT_LENGTH) continue;
        core_raise(state, SL_ERROR_INVALID_ARGUMENT, "a fingerprint has %d values, not %llu", SL_FINGERPRINT_LENGTH,
                   (unsigned long long)core_array_length(&views[count]));
        count++;
        goto done;
    }
    result = PyFloat_FromDouble(sl_fingerprint_similarity(views[0].buf, views[1].buf));
done:
    while (count > 0) PyBuffer_Release(&views[--count]);
    return result;
}

/* ---------------------------------------------------------------------------------------------------- hashes as text */

/* The two digits of every byte. */
typedef struct digit_pairs {
    char pairs[256][2];
} digit_pairs;

static void make_pairs(digit_pairs *digits) {
    for (int byte = 0; byte < 256; byte++) {
        digits->pairs[byte][0] = "0123456789abcdef"[byte >> 4];
        digits->pairs[byte][1] = "0123456789abcdef"[byte & 15];
    }
}

static PyObject *hex_string(const digit_pairs *digits, const uint8_t *bytes, size_t size, char *text) {
    for (size_t i = 0; i < size; i++) memcpy(text + 2 * i, digits->pairs[bytes[i]], 2);
    return PyUnicode_DecodeASCII(text, (Py_ssize_t)(2 * size), NULL);
}

static int set_text(PyObject *texts, uint64_t number, PyObject *text) {
    PyObject *key = text ? PyLong_FromUnsignedLongLong(number) : NULL;
    int failed = key ? PyDict_SetItem(texts, key, text) : -1;
    Py_XDECREF(key);
    Py_XDECREF(text);
    return failed;
}

static PyObject *hex_dict(core_call *call, const Py_buffer *view, size_t size, char *text) {
    uint64_t count = core_array_length(view) / size;
    digit_pairs digits;
    make_pairs(&digits);
    PyObject *texts = PyDict_New();
    for (uint64_t i = 0; texts && i < count; i++) {
        int failed = i % CORE_POLL_ROWS ? 0 : core_call_poll(call, "writing hashes", i, count);
        const uint8_t *bytes = (const uint8_t *)view->buf + i * size;
        if (failed || set_text(texts, i, hex_string(&digits, bytes, size, text)) < 0) Py_CLEAR(texts);
    }
    return texts;
}

PyObject *core_hex_dict(PyObject *module, PyObject *arguments) {
    core_state *state = PyModule_GetState(module);
    PyObject *object, *texts = NULL;
    uint32_t size;
    Py_buffer view;
    core_call call;
    if (!PyArg_ParseTuple(arguments, "OO&:hex_dict", &object, core_uint32_argument, &size)) return NULL;
    if (core_call_init(&call, state, NULL) < 0) return NULL;
    if (core_array_view(state, object, SL_COLUMN_UINT8, "hashes", &view) < 0) return NULL;
    char *text = core_allocate(state, 2 * (uint64_t)size, 1, "a hash");
    if (size == 0 || core_array_length(&view) % size != 0)
        core_raise(state, SL_ERROR_INVALID_ARGUMENT, "hashes of %u bytes do not fill %llu", (unsigned)size,
                   (unsigned long long)core_array_length(&view));
    else if (text)
        texts = hex_dict(&call, &view, size, text);
    free(text);
    PyBuffer_Release(&view);
    return texts;
}
