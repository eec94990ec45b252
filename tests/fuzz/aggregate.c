/*
 * The parser of aggregates, behind their magic and MD5, which a fuzzer would never find:
 * the input is the protobuf. What is taken apart and put together again is taken apart
 * the same way.
 */
#include "line/aggregate.h"
#include "base/err.h"

#include <openssl/evp.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run where a law does not hold. */
static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
again(const struct ryde_line_aggregate *a)
{
	struct ryde_line_aggregate b = {0};
	struct ryde_line_aggregate_pack pack;
	struct ryde_buf made;

	ryde_buf_init(&made, (size_t)64 << 20);
	ryde_line_aggregate_pack_init(&pack, (size_t)64 << 20);
	for (size_t i = 0; i < a->n; i++)
		must(ryde_line_aggregate_pack_add(&pack, &a->parts[i], NULL) == 0);
	must(ryde_line_aggregate_pack_put(&pack, &made, NULL) == 0);
	must(ryde_line_aggregate_parse(&b, ryde_buf_as_view(&made), NULL) == 1);
	must(a->n == b.n);
	for (size_t i = 0; i < a->n; i++)
		must(ryde_view_eq(a->parts[i].data, b.parts[i].data) &&
		     ryde_view_eq(a->parts[i].key, b.parts[i].key) &&
		     ryde_view_eq(a->parts[i].hash_key, b.parts[i].hash_key));
	ryde_line_aggregate_free(&b);
	ryde_line_aggregate_pack_free(&pack);
	ryde_buf_free(&made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_line_aggregate a = {0};
	unsigned char sum[EVP_MAX_MD_SIZE];
	struct ryde_buf record;
	unsigned n = 0;

	ryde_buf_init(&record, size + RYDE_LINE_AGGREGATE_AROUND);
	ryde_buf_add(&record, "\xf3\x89\x9a\xc2", 4);
	ryde_buf_add(&record, data, size);
	must(EVP_Digest(data, size, sum, &n, EVP_md5(), NULL) == 1);
	ryde_buf_add(&record, sum, n);
	if (ryde_line_aggregate_parse(&a, ryde_buf_as_view(&record), NULL) == 1)
		again(&a);
	ryde_line_aggregate_free(&a);
	ryde_buf_free(&record);
	return 0;
}
