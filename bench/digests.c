/* The floor of hashing entities: SHA-256 of bytes that are encoded, sorted and joined already, and nothing else.
 *
 * What the hash library alone takes for the same digests, single-threaded: no keys, no encoding, no order, no threads. Its
 * digests are those of the other cases, byte for byte. Compiled by the benchmark with `cc -O3` as a shared library. */
#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

/* Hashes `bytes[ends[i - 1] .. ends[i])` for each i, the first from 0, into 32 bytes each; returns how many it hashed. */
int64_t reference_digests(const uint8_t *bytes, const uint64_t *ends, size_t count, uint8_t *digests) {
    EVP_MD *algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int64_t done = 0;
    uint64_t start = 0;
    for (; algorithm && context && (size_t)done < count; done++) {
        if (!EVP_DigestInit_ex2(context, algorithm, NULL)) break;
        if (!EVP_DigestUpdate(context, bytes + start, ends[done] - start)) break;
        if (!EVP_DigestFinal_ex(context, digests + 32 * done, NULL)) break;
        start = ends[done];
    }
    EVP_MD_CTX_free(context);
    EVP_MD_free(algorithm);
    return done;
}
