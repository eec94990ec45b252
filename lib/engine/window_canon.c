#include "engine/window_canon.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/window_number.h"
#include "json/decimal.h"
#include "json/string.h"

int
ryde_window_canon_number(struct ryde_buf *to, struct ryde_view text, struct ryde_err *err)
{
	struct ryde_window_number n;
	struct ryde_decimal d = {0};
	int rc;

	ryde_window_number_read(&n, text);
	if (n.small && n.plain && n.scale == 0) {
		ryde_buf_view(to, text);
		return 0;
	}
	rc = ryde_decimal_parse(&d, text, err);
	if (rc == 0)
		ryde_decimal_put(to, &d);
	ryde_decimal_free(&d);
	return rc;
}

int
ryde_window_canon_string(
    struct ryde_buf *to, struct ryde_view text, bool escaped, struct ryde_err *err)
{
	struct ryde_buf plain;
	int rc;

	if (!escaped) {
		ryde_buf_view(to, text);
		return 0;
	}
	ryde_buf_init(&plain, RYDE_WINDOW_CANON_MAX);
	ryde_json_string_decode(&plain, ryde_view_mem(text.p + 1, text.n - 2));
	rc = ryde_buf_check(&plain, err);
	if (rc == 0)
		ryde_json_string_put(to, ryde_buf_as_view(&plain));
	ryde_buf_free(&plain);
	return rc;
}
