/*
 * A page of records: what GetRecords answers, taken apart in one pass over its text.
 * Payloads and keys are decoded in their own place, so that a page is its text and an
 * index. Source: the service model of Kinesis (GetRecords); timestamps in exponent form
 * and explicit nulls as servers send them.
 */
#ifndef RYDE_AWS_KINESIS_PAGE_H
#define RYDE_AWS_KINESIS_PAGE_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_record;

/* A record's places in the page's text. */
struct ryde_kinesis_entry {
	uint32_t data, data_n, key, key_n, seq, seq_n;
	int64_t arrival_ms;
};

struct ryde_kinesis_page {
	char *text; /* owned */
	size_t text_n;
	struct ryde_kinesis_entry *entries;
	size_t n, cap;
	struct ryde_view next; /* the next iterator, raw; empty: the shard is read */
	struct ryde_view continuation; /* of fan-out: where the next event goes on, in
					  place of next */
	int64_t behind_ms;	       /* MillisBehindLatest; -1: not said */
	bool children;		       /* ChildShards has some */
};

/*
 * Takes a page's text apart. The text is copied. -1 with RYDE_EUNAVAILABLE where it is
 * not what GetRecords answers; the page is empty then. Free it in any case.
 */
int ryde_kinesis_page_read(
    struct ryde_kinesis_page *page, struct ryde_view text, struct ryde_err *err);
/* Frees what it holds; {0} afterwards. */
void ryde_kinesis_page_free(struct ryde_kinesis_page *page);
/* Record i of the page; its shard and form stay 0. Views are good while the page is. */
void ryde_kinesis_page_record(
    const struct ryde_kinesis_page *page, size_t i, struct ryde_record *out);

/* Epoch seconds as a JSON number (1.441215410867E9, 1545084650.987) in milliseconds,
 * rounded to the nearest. False where it is none, or beyond the year 100,000. */
bool ryde_kinesis_page_time(struct ryde_view number, int64_t *ms);

#endif
