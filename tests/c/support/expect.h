/* expect.h: cmocka with what every test of a fallible call says: it succeeded, or it failed as promised. */
#ifndef SL_TESTS_EXPECT_H
#define SL_TESTS_EXPECT_H

/* Before <cmocka.h>, as it asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "starlings.h"

/* Sanitizers slow everything down: large cases are smaller under them. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EXPECT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define EXPECT_SANITIZED 1
#endif
#endif
#ifndef EXPECT_SANITIZED
#define EXPECT_SANITIZED 0
#endif

/** `large` in a plain build, `small` under a sanitizer. */
#define EXPECT_SIZE(large, small) (EXPECT_SANITIZED ? (small) : (large))

/** The error struct of the calls below. */
extern _Thread_local sl_error expect_error;

/** The call succeeds. */
#define EXPECT_OK(call)                                                                                                \
    do {                                                                                                               \
        expect_error.message[0] = '\0';                                                                                \
        if ((call) != SL_OK) fail_msg("%s: %s", #call, expect_error.message);                                          \
    } while (0)

/** The call (given &expect_error) fails with this status, the error struct says so, and names the row (-1: none). */
#define EXPECT_FAILURE(call, expected, expected_row)                                                                   \
    do {                                                                                                               \
        memset(&expect_error, 0x7F, sizeof expect_error);                                                              \
        sl_status expect_status_ = (call);                                                                             \
        if (expect_status_ != (expected))                                                                              \
            fail_msg("%s: \"%s\", not \"%s\"", #call, sl_status_name(expect_status_), sl_status_name(expected));       \
        assert_int_equal(expect_error.status, expected);                                                               \
        assert_int_equal(expect_error.row, expected_row);                                                              \
        assert_non_null(memchr(expect_error.message, '\0', sizeof expect_error.message));                              \
        assert_true(strlen(expect_error.message) > 8);                                                                 \
    } while (0)

/** Memory of the test itself: zeroed, never NULL. */
void *fresh_memory(uint64_t count, size_t size);

/** Set-up and teardown of a test: afterwards the library holds as much memory as before, and the default number of threads is back.
 *  (A test that failed may have left objects behind: that is not the next one's fault.) */
int note_held(void **state);
int expect_nothing_more_held(void **state);
/** What the library held when the test at work began. */
extern uint64_t held_before;
/** A test with these two. */
#define TEST(function) cmocka_unit_test_setup_teardown(function, note_held, expect_nothing_more_held)

#endif
