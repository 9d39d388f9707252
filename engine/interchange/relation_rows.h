/* relation_rows.h: the rows of a table of the relational form, from whoever has it, a window at a time.
 *
 * Columns are found by name and may be of any Arrow type that holds such values: databases give int64, decimals, strings with
 * either kind of offsets, as views or with a dictionary. What is no number from 0 up, no text or no flag is an error with table, row and
 * column. Other columns are left alone. */
#ifndef SL_INTERCHANGE_RELATION_ROWS_H
#define SL_INTERCHANGE_RELATION_ROWS_H

#include "interchange/relations.h"
#include "support/pool.h"

#define SL_I_WINDOW_ROWS 1024u

/** Some rows: of each column the member that its kind says. Texts are borrowed from the batches. */
typedef struct sl_i_window {
    uint64_t first_row; /* in the whole table */
    uint32_t count;
    union {
        uint64_t numbers[SL_I_WINDOW_ROWS]; /* of flags, too */
        double reals[SL_I_WINDOW_ROWS];
        sl_key texts[SL_I_WINDOW_ROWS];
    } columns[SL_I_MAX_FIELDS];
} sl_i_window;

/** Called for each window, in the order of the rows. */
typedef sl_status (*sl_i_take_rows)(void *state, const sl_i_window *window, sl_error *error);

/** Read all rows of a table. Advances `ticker` by one for each. */
sl_status sl_i_relation_read(const sl_batches *batches, sl_relation relation, sl_i_take_rows take, void *state,
                             sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;

/** What is wrong with row `row` of a table (-1: with no single one), in printf's manner: SL_ERROR_INVALID_ARGUMENT with table and row. */
sl_status sl_i_relation_fail(sl_error *error, sl_relation relation, int64_t row, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/** The same of a failure found elsewhere, whose message stays; one that is not the table's fault (memory, an interrupt, the
 *  system, too many records) is passed on as it is. */
sl_status sl_i_relation_blame(sl_error *error, sl_relation relation, int64_t row, sl_status status);

#endif
