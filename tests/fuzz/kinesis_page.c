/* Answers of GetRecords, PutRecords and DynamoDB: any bytes; what is taken must be what a
 * check takes too. */
#include "aws/kinesis_page.h"
#include "aws/attribute.h"
#include "aws/kinesis_put.h"
#include "base/buf.h"
#include "json/scan.h"
#include "line/record.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* An item that becomes attributes comes back as an item of the same size in the other
 * form. */
static void
attributes(struct ryde_view text)
{
	struct ryde_buf there, back, again;

	ryde_buf_init(&there, (size_t)4 << 20);
	ryde_buf_init(&back, (size_t)4 << 20);
	ryde_buf_init(&again, (size_t)4 << 20);
	if (ryde_attribute_put_item(&there, text, NULL, NULL) == 0) {
		struct ryde_json_fault fault;

		must(ryde_json_check(ryde_buf_as_view(&there), NULL, &fault) == 0);
		must(ryde_attribute_get_item(&back, ryde_buf_as_view(&there), NULL) == 0);
		must(ryde_attribute_put_item(
			 &again, ryde_buf_as_view(&back), NULL, NULL) == 0);
		must(ryde_view_eq(ryde_buf_as_view(&there), ryde_buf_as_view(&again)));
	}
	ryde_buf_clear(&back);
	(void)ryde_attribute_get_item(&back, text, NULL);
	ryde_buf_free(&there);
	ryde_buf_free(&back);
	ryde_buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_view text = {(const char *)data, size};
	struct ryde_kinesis_outcome outcomes[3];
	struct ryde_kinesis_page page;
	struct ryde_json_fault fault;
	struct ryde_record r;
	bool is = size > 0 && ryde_json_check(text, NULL, &fault) == 0;

	if (ryde_kinesis_page_read(&page, text, NULL) == 0) {
		for (size_t i = 0; i < page.n; i++) {
			ryde_kinesis_page_record(&page, i, &r);
			must(r.seq.n > 0);
			must(r.data.n == 0 ||
			     (r.data.p >= page.text &&
				 r.data.p + r.data.n <= page.text + size));
		}
	}
	ryde_kinesis_page_free(&page);
	if (ryde_kinesis_put_read(text, outcomes, 3, NULL) == 0)
		must(is);
	if (is)
		attributes(text);
	return 0;
}
