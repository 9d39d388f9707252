/* digest_method.c: see digest_method.h. */
#include "entities/digest_method.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <private_blake3.h>
#include <pthread.h>

typedef struct digest_row {
    const char *name; /* as libcrypto calls it, too */
    uint32_t size;
} digest_row;

static const digest_row rows[SL_NUM_DIGESTS] = {
    [SL_DIGEST_SHA256] = {"SHA-256", 32},
    [SL_DIGEST_SHA512] = {"SHA-512", 64},
    [SL_DIGEST_BLAKE3] = {"BLAKE3", BLAKE3_OUT_LEN},
    [SL_DIGEST_MD5] = {"MD5", 16},
};

static bool is_digest(sl_digest digest) { return (int)digest >= 0 && (int)digest < (int)SL_NUM_DIGESTS; }

uint32_t sl_digest_size(sl_digest digest) { return is_digest(digest) ? rows[digest].size : 0; }

const char *sl_i_digest_name(sl_digest digest) { return is_digest(digest) ? rows[digest].name : "unknown"; }

/* ---- methods ----------------------------------------------------------------------------------------------------- */

/* The marks leave the thread's error queue as it was: it belongs to the program. */
static sl_status fetch(sl_i_digest_method *method, sl_error *error) {
    const char *name = rows[method->digest].name;
    sl_status status = SL_OK;
    ERR_set_mark();
    method->algorithm = EVP_MD_fetch(NULL, name, NULL);
    if (!method->algorithm) {
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());
        status = sl_i_fail(error, SL_ERROR_SYSTEM,
                           "OpenSSL's libcrypto offers no %s on this system (%.200s): choose another digest, or change "
                           "OpenSSL's configuration",
                           name, reason ? reason : "no reason given");
    }
    ERR_pop_to_mark();
    return status;
}

static pthread_once_t blake3_once = PTHREAD_ONCE_INIT;

/* The library finds out about the processor when it first hashes, and older ones write that down without an atomic: done here,
 * once, before any other thread hashes. */
static void prepare_blake3(void) {
    blake3_hasher hasher;
    uint8_t digest[BLAKE3_OUT_LEN];
    blake3_hasher_init(&hasher);
    blake3_hasher_finalize(&hasher, digest, sizeof digest);
}

sl_status sl_i_digest_method_open(sl_digest digest, sl_i_digest_method *out, sl_error *error) {
    *out = (sl_i_digest_method){.digest = digest};
    if (!is_digest(digest))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "there is no digest of number %d", (int)digest);
    if (digest != SL_DIGEST_BLAKE3) return fetch(out, error);
    (void)pthread_once(&blake3_once, prepare_blake3);
    return SL_OK;
}

void sl_i_digest_method_close(sl_i_digest_method *method) {
    EVP_MD_free(method->algorithm);
    method->algorithm = NULL;
}

/* ---- digesters --------------------------------------------------------------------------------------------------- */

sl_status sl_i_digester_open(const sl_i_digest_method *method, sl_i_digester *out, sl_error *error) {
    *out = (sl_i_digester){.method = method};
    if (!method->algorithm) return sl_i_allocate(&out->blake3, 1, sizeof(blake3_hasher), "a hash", error);
    out->context = EVP_MD_CTX_new();
    return out->context ? SL_OK : sl_i_fail(error, SL_ERROR_MEMORY, "out of memory: a hash of OpenSSL's libcrypto");
}

void sl_i_digester_close(sl_i_digester *digester) {
    EVP_MD_CTX_free(digester->context);
    sl_i_release(digester->blake3, 1, sizeof(blake3_hasher));
    *digester = (sl_i_digester){0};
}

void sl_i_digester_begin(sl_i_digester *digester) {
    if (digester->blake3)
        blake3_hasher_init(digester->blake3);
    else if (EVP_DigestInit_ex2(digester->context, digester->method->algorithm, NULL) != 1)
        digester->failed = true;
}

void sl_i_digester_add(sl_i_digester *digester, const void *bytes, uint64_t length) {
    if (digester->blake3)
        blake3_hasher_update(digester->blake3, bytes, (size_t)length);
    else if (EVP_DigestUpdate(digester->context, bytes, (size_t)length) != 1)
        digester->failed = true;
}

void sl_i_digester_end(sl_i_digester *digester, uint8_t *digest) {
    if (digester->blake3)
        blake3_hasher_finalize(digester->blake3, digest, BLAKE3_OUT_LEN);
    else if (EVP_DigestFinal_ex(digester->context, digest, NULL) != 1)
        digester->failed = true;
}
