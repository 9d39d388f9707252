/* digest_method.h: one way of using every digest: SHA-256, SHA-512 and MD5 of OpenSSL's libcrypto, BLAKE3 of its own library.
 *
 * A method is had once for each call (libcrypto looks it up among its providers, which takes longer than hashing an
 * entity), a digester once for each thread. */
#ifndef SL_ENTITIES_DIGEST_METHOD_H
#define SL_ENTITIES_DIGEST_METHOD_H

#include "support/memory.h"

typedef struct sl_i_digest_method {
    sl_digest digest;
    struct evp_md_st *algorithm; /* NULL for BLAKE3 */
} sl_i_digest_method;

/** Work of one thread on one digest at a time. */
typedef struct sl_i_digester {
    const sl_i_digest_method *method;
    struct evp_md_ctx_st *context; /* of libcrypto */
    void *blake3;                  /* a blake3_hasher */
    bool failed;                   /* some digest since it was opened: libcrypto refused */
} sl_i_digester;

/** SL_ERROR_INVALID_ARGUMENT for a number that is no digest; SL_ERROR_SYSTEM where libcrypto does not offer it. */
sl_status sl_i_digest_method_open(sl_digest digest, sl_i_digest_method *out, sl_error *error) SL_MUST_USE;
void sl_i_digest_method_close(sl_i_digest_method *method);
const char *sl_i_digest_name(sl_digest digest);

sl_status sl_i_digester_open(const sl_i_digest_method *method, sl_i_digester *out, sl_error *error) SL_MUST_USE;
void sl_i_digester_close(sl_i_digester *digester);
/** Begin anew, add bytes, and write the digest. */
void sl_i_digester_begin(sl_i_digester *digester);
void sl_i_digester_add(sl_i_digester *digester, const void *bytes, uint64_t length);
void sl_i_digester_end(sl_i_digester *digester, uint8_t *digest);

#endif
