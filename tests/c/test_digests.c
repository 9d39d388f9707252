/* test_digests.c: the hash of an entity is the hash of its canonical encoding, as the hash library itself computes it of bytes that are
 * encoded one by one and sorted by the C library; known answers; the same for any number of threads, context and order. */
#include "support/expect.h"

#include <openssl/evp.h>
#include <private_blake3.h>
#include <stdio.h>

#include "entities/encoded_order.h"
#include "support/entity_cases.h"
#include "support/failing_memory.h"
#include "support/listener.h"

#define LARGEST_DIGEST 64

/* ---- the library itself ------------------------------------------------------------------------------------------ */

static void hash_plainly(sl_digest digest, const void *bytes, size_t length, uint8_t *out) {
    if (digest == SL_DIGEST_BLAKE3) {
        blake3_hasher hasher;
        blake3_hasher_init(&hasher);
        blake3_hasher_update(&hasher, bytes, length);
        blake3_hasher_finalize(&hasher, out, BLAKE3_OUT_LEN);
        return;
    }
    const EVP_MD *algorithm = digest == SL_DIGEST_SHA256   ? EVP_sha256()
                              : digest == SL_DIGEST_SHA512 ? EVP_sha512()
                                                           : EVP_md5();
    assert_int_equal(EVP_Digest(bytes, length, out, NULL, algorithm, NULL), 1);
}

static void expect_hex(const uint8_t *digest, uint32_t size, const char *hex) {
    char text[2 * LARGEST_DIGEST + 1] = "";
    for (uint32_t i = 0; i < size; i++) (void)snprintf(text + (size_t)2 * i, 3, "%02x", digest[i]);
    assert_string_equal(text, hex);
}

static uint8_t *digests_of(const entity_case *c, sl_digest digest, sl_hash_input input) {
    uint8_t *digests = fresh_memory(sl_partition_num_entities(c->partition), LARGEST_DIGEST);
    EXPECT_OK(sl_partition_digests(c->partition, c->context, digest, input, digests, NULL, &expect_error));
    return digests;
}

/* ---- known answers ----------------------------------------------------------------------------------------------- */

static void blake3_is_that_of_its_test_vectors(void **state) {
    static const struct {
        size_t length;
        const char *hex;
    } vectors[] = {{0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
                   {1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
                   {1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
                   {1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"},
                   {2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"}};
    uint8_t bytes[2048], digest[LARGEST_DIGEST];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i % 251);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        hash_plainly(SL_DIGEST_BLAKE3, bytes, vectors[i].length, digest);
        expect_hex(digest, BLAKE3_OUT_LEN, vectors[i].hex);
    }
}

/* What sha256sum, sha512sum and md5sum say of the encodings, written with printf. */
static void hashes_are_those_of_the_command_line(void **state) {
    static const char *const alone[SL_NUM_DIGESTS] = {
        [SL_DIGEST_SHA256] = "71f6b26767ba4bbdc786b2735e8510fd0d2909d822144bc7c699864471896f1f",
        [SL_DIGEST_SHA512] = "3034f9abb295be2028a2983318486224752b2e1d5e54243b04f2ccf6dd17e486"
                             "2835095a13c9d3ad2a9475e280bd9f09f1422bb7bf886f0605aebb6c43a796d3",
        [SL_DIGEST_MD5] = "b0594c699d4c7d3fdbf9de03fb477a5a"};
    static const char *const three[SL_NUM_DIGESTS] = {
        [SL_DIGEST_SHA256] = "3677e17900b9dada7a8ca010e877ee7337e5594237256574b660f714836eaa79",
        [SL_DIGEST_SHA512] = "0790400484280bebffc05cc0863c0cd2c5106c01fd06a7a1a79b0c7dc6c362a1"
                             "96ba9eb0e156ece2498972f0dfe792aa8a9c5f144096da759355f3112596908f",
        [SL_DIGEST_MD5] = "231c21970fbff0a107ae4fae1ea65476"};
    static const uint32_t labels[4] = {0, 0, 1, 0};
    entity_case c;
    (void)state;
    EXPECT_OK(sl_context_create(&c.context, &expect_error));
    entity_case_add(c.context, "default", entity_case_text(SL_KEY_STRING, "5"));
    entity_case_add(c.context, "default", entity_case_int(5));
    entity_case_add(c.context, "default", entity_case_int(1));
    entity_case_add(c.context, "crm", entity_case_text(SL_KEY_STRING, "ann"));
    c.partition = entity_case_cut(labels, 4, 4);
    for (sl_digest digest = SL_DIGEST_SHA256; digest < SL_NUM_DIGESTS; digest++) {
        uint32_t size = sl_digest_size(digest);
        uint8_t *digests = digests_of(&c, digest, SL_HASH_IDENTITIES);
        if (three[digest]) {
            expect_hex(digests, size, three[digest]);
            expect_hex(digests + size, size, alone[digest]);
        }
        free(digests);
    }
    entity_case_free(&c);
}

static void sizes_of_digests(void **state) {
    (void)state;
    assert_int_equal(sl_digest_size(SL_DIGEST_SHA256), 32);
    assert_int_equal(sl_digest_size(SL_DIGEST_SHA512), 64);
    assert_int_equal(sl_digest_size(SL_DIGEST_BLAKE3), 32);
    assert_int_equal(sl_digest_size(SL_DIGEST_MD5), 16);
    assert_int_equal(sl_digest_size(SL_NUM_DIGESTS), 0);
    assert_int_equal(sl_digest_size((sl_digest)77), 0);
}

/* ---- against the plain encoding ---------------------------------------------------------------------------------- */

static void check_identities(const entity_case *c, sl_digest digest) {
    uint32_t size = sl_digest_size(digest), entities = sl_partition_num_entities(c->partition);
    uint8_t *digests = digests_of(c, digest, SL_HASH_IDENTITIES), expected[LARGEST_DIGEST];
    for (uint32_t entity = 0; entity < entities; entity++) {
        plain_bytes bytes = plain_encode_entity(c, entity);
        hash_plainly(digest, bytes.bytes, bytes.length, expected);
        assert_memory_equal(digests + (size_t)entity * size, expected, size);
        free(bytes.bytes);
    }
    free(digests);
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void check_indices(const entity_case *c, sl_digest digest) {
    uint32_t size = sl_digest_size(digest), entities = sl_partition_num_entities(c->partition), count;
    uint8_t *digests = digests_of(c, digest, SL_HASH_INDICES), expected[LARGEST_DIGEST];
    for (uint32_t entity = 0; entity < entities; entity++) {
        const uint32_t *members = entity_case_members(c->partition, entity, &count);
        uint32_t *sorted = fresh_memory(count, sizeof *sorted);
        uint8_t *bytes = fresh_memory(count, sizeof *sorted);
        memcpy(sorted, members, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, ascending);
        for (uint32_t i = 0; i < 4 * count; i++) bytes[i] = (uint8_t)(sorted[i / 4] >> (8 * (i % 4)));
        hash_plainly(digest, bytes, 4 * (size_t)count, expected);
        assert_memory_equal(digests + (size_t)entity * size, expected, size);
        free(sorted);
        free(bytes);
    }
    free(digests);
}

static void check_every_digest(entity_case c) {
    for (sl_digest digest = SL_DIGEST_SHA256; digest < SL_NUM_DIGESTS; digest++) {
        check_identities(&c, digest);
        check_indices(&c, digest);
    }
    entity_case_free(&c);
}

static void hashes_are_those_of_the_plain_encoding(void **state) {
    static const uint32_t sizes[] = {1, 2, 3, 10, 100, 1000};
    (void)state;
    for (uint32_t i = 0; i < 48; i++) {
        uint32_t size = sizes[i % 6], records = i < 12 ? i : size * 7;
        check_every_digest(entity_case_make(records, i % 4 ? records : records * 3 / 4, 1 + i * i, size, i));
    }
}

static void large_entities_are_sorted_and_hashed_whole(void **state) {
    uint32_t records = EXPECT_SIZE(250000, 60000);
    (void)state;
    check_every_digest(entity_case_make(records, records, 300, records, 5)); /* two entities */
    check_every_digest(entity_case_make(records, records - 5, 1, 30000, 6));
}

/* Longer than the blocks in which sorted encodings go to the hash, and than those between two looks for an interrupt. */
static void long_keys_are_hashed_whole(void **state) {
    size_t length = (size_t)5 << 20;
    char *text = fresh_memory(length + 1, 1);
    entity_case c;
    (void)state;
    EXPECT_OK(sl_context_create(&c.context, &expect_error));
    for (int i = 0; i < 3; i++) {
        memset(text, 'z' - i, length);
        text[length >> i] = '\0';
        entity_case_add(c.context, "default", entity_case_text(SL_KEY_STRING, text));
        entity_case_add(c.context, i ? "b" : "a", entity_case_int((uint64_t)i));
    }
    text[60000] = '\0';
    entity_case_add(c.context, "default", entity_case_text(SL_KEY_BYTES, text));
    entity_case_add(c.context, "default", entity_case_text(SL_KEY_STRING, text));
    entity_case_add(c.context, "default", entity_case_text(SL_KEY_STRING, ""));
    c.partition = entity_case_cut((uint32_t[9]){0}, 9, 9);
    check_every_digest(c);
    free(text);
}

/* ---- what does not matter ---------------------------------------------------------------------------------------- */

static void threads_do_not_matter(void **state) {
    entity_case c = entity_case_make(EXPECT_SIZE(60000, 15000), EXPECT_SIZE(50000, 12000), 9, 3, 1);
    size_t bytes = (size_t)sl_partition_num_entities(c.partition) * sl_digest_size(SL_DIGEST_SHA256);
    (void)state;
    sl_set_num_threads(1);
    uint8_t *one = digests_of(&c, SL_DIGEST_SHA256, SL_HASH_IDENTITIES);
    for (uint32_t threads = 2; threads <= 5; threads++) {
        sl_set_num_threads(threads);
        uint8_t *many = digests_of(&c, SL_DIGEST_SHA256, SL_HASH_IDENTITIES);
        assert_memory_equal(one, many, bytes);
        free(many);
    }
    free(one);
    entity_case_free(&c);
}

/* The same records added in another order, after others, with the source names numbered differently. */
static void contexts_do_not_matter(void **state) {
    entity_case c[2];
    const char *const sources[2] = {"shop", "crm"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        EXPECT_OK(sl_context_create(&c[i].context, &expect_error));
        if (i) entity_case_add(c[i].context, "other", entity_case_int(99));
        for (uint32_t k = 0; k < 8; k++) {
            uint32_t key = i ? 7 - k : k;
            entity_case_add(c[i].context, sources[key % 2], entity_case_int((uint64_t)key << 31));
        }
    }
    c[0].partition = entity_case_cut((uint32_t[8]){0}, 8, 8);
    c[1].partition = entity_case_cut((uint32_t[9]){1}, 9, 9);
    uint8_t *one = digests_of(&c[0], SL_DIGEST_BLAKE3, SL_HASH_IDENTITIES);
    uint8_t *other = digests_of(&c[1], SL_DIGEST_BLAKE3, SL_HASH_IDENTITIES);
    assert_memory_equal(one, other + 32, 32);
    free(one);
    free(other);
    for (int i = 0; i < 2; i++) entity_case_free(&c[i]);
}

/* ---- the order --------------------------------------------------------------------------------------------------- */

static void encodings_are_sorted_by_their_bytes(void **state) {
    uint64_t seed = 3;
    (void)state;
    for (uint32_t round = 0; round < 200; round++) {
        uint32_t count = graph_below(&seed, round % 10 ? 60 : 3000);
        sl_i_encoded *items = fresh_memory(count, sizeof *items), *scratch = fresh_memory(count, sizeof *scratch);
        uint8_t *bytes = fresh_memory(count, 16);
        for (uint32_t i = 0; i < count; i++) { /* few letters, so that one begins another */
            uint32_t length = graph_below(&seed, 15);
            for (uint32_t k = 0; k < length; k++) bytes[16 * i + k] = (uint8_t)graph_below(&seed, 2);
            items[i] = (sl_i_encoded){.start = 16 * i, .length = length};
        }
        const sl_i_encoded *sorted = sl_i_sort_encoded(items, scratch, count, bytes, NULL, 0);
        assert_non_null(sorted);
        uint64_t starts = 0;
        for (uint32_t i = 0; i < count; i++) starts += sorted[i].start / 16;
        assert_int_equal(starts, count ? (uint64_t)count * (count - 1) / 2 : 0);
        for (uint32_t i = 1; i < count; i++) {
            uint64_t a = sorted[i - 1].length, b = sorted[i].length;
            int order = memcmp(bytes + sorted[i - 1].start, bytes + sorted[i].start, a < b ? a : b);
            assert_true(order < 0 || (order == 0 && a <= b));
        }
        free(items);
        free(scratch);
        free(bytes);
    }
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void expect_zero(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) assert_int_equal(bytes[i], 0);
}

static void bad_arguments_are_refused(void **state) {
    entity_case c = entity_case_make(40, 40, 3, 4, 8), empty = entity_case_make(10, 10, 2, 4, 8);
    uint32_t entities = sl_partition_num_entities(c.partition);
    uint8_t *digests = fresh_memory(entities, LARGEST_DIGEST);
    const sl_partition *p = c.partition;
    (void)state;
    EXPECT_FAILURE(sl_partition_digests(p, NULL, SL_DIGEST_MD5, SL_HASH_IDENTITIES, digests, NULL, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(
        sl_partition_digests(p, empty.context, SL_DIGEST_MD5, SL_HASH_IDENTITIES, digests, NULL, &expect_error),
        SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_partition_digests(p, c.context, SL_NUM_DIGESTS, SL_HASH_IDENTITIES, digests, NULL, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_partition_digests(p, c.context, SL_DIGEST_MD5, (sl_hash_input)2, digests, NULL, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_OK(sl_partition_digests(p, NULL, SL_DIGEST_MD5, SL_HASH_INDICES, digests, NULL, &expect_error));
    assert_int_equal(sl_partition_digests(p, NULL, SL_DIGEST_MD5, SL_HASH_IDENTITIES, digests, NULL, NULL),
                     SL_ERROR_INVALID_ARGUMENT);
    expect_zero(digests, (size_t)entities * sl_digest_size(SL_DIGEST_MD5));
    free(digests);
    entity_case_free(&c);
    entity_case_free(&empty);
}

static void one_giant_entity_can_be_interrupted(void **state) {
    uint32_t records = EXPECT_SIZE(600000, 200000);
    entity_case c = entity_case_make(records, records, 2, records + 1, 8);
    listener l = {.stop_at = 1};
    const sl_progress progress = {listener_tick, &l};
    uint8_t digest[LARGEST_DIGEST];
    (void)state;
    assert_int_equal(sl_partition_num_entities(c.partition), 1);
    EXPECT_FAILURE(sl_partition_digests(c.partition, c.context, SL_DIGEST_SHA512, SL_HASH_IDENTITIES, digest, &progress,
                                        &expect_error),
                   SL_ERROR_INTERRUPTED, -1);
    expect_zero(digest, sl_digest_size(SL_DIGEST_SHA512));
    entity_case_free(&c);
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    failing_memory_after(FAILING_NEVER);
    entity_case c = entity_case_make(3000, 2900, 5, 900, 4);
    const uint32_t *unused; /* made once and kept */
    EXPECT_OK(sl_partition_offsets(c.partition, &unused, &expect_error));
    EXPECT_OK(sl_partition_records(c.partition, &unused, &expect_error));
    size_t bytes = (size_t)sl_partition_num_entities(c.partition) * LARGEST_DIGEST;
    uint64_t held = sl_memory_in_use();
    for (int input = SL_HASH_IDENTITIES; input <= SL_HASH_INDICES; input++) {
        sl_digest digest = input ? SL_DIGEST_SHA512 : SL_DIGEST_BLAKE3;
        uint8_t *right = digests_of(&c, digest, (sl_hash_input)input), *digests = fresh_memory(bytes, 1);
        uint64_t k = 0;
        for (;; k++) {
            failing_memory_after(k);
            sl_status status = sl_partition_digests(c.partition, c.context, digest, (sl_hash_input)input, digests, NULL,
                                                    &expect_error);
            failing_memory_after(FAILING_NEVER);
            assert_int_equal(sl_memory_in_use(), held);
            if (status == SL_OK) break;
            assert_int_equal(status, SL_ERROR_MEMORY);
            expect_zero(digests, bytes);
        }
        assert_true(k > 3);
        assert_memory_equal(digests, right, bytes);
        free(right);
        free(digests);
    }
    entity_case_free(&c);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(blake3_is_that_of_its_test_vectors),
        TEST(hashes_are_those_of_the_command_line),
        TEST(sizes_of_digests),
        TEST(hashes_are_those_of_the_plain_encoding),
        TEST(large_entities_are_sorted_and_hashed_whole),
        TEST(long_keys_are_hashed_whole),
        TEST(threads_do_not_matter),
        TEST(contexts_do_not_matter),
        TEST(encodings_are_sorted_by_their_bytes),
        TEST(bad_arguments_are_refused),
        TEST(one_giant_entity_can_be_interrupted),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
