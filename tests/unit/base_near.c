/* Near names. Source: base/near.h. */
#include "base/near.h"

#include "base/buf.h"
#include "check.h"

static void
test_near(void)
{
	static const char *const names[] = {
	    "wildrydes", "wildrydes", "other", "WildRyde", "wildrydes-summary", "w"};
	struct ryde_near near = {.wanted = "wildryde"};
	struct ryde_buf b;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ryde_near_offer(&near, names[i]);
	ryde_buf_init(&b, 1000);
	ryde_near_put(&near, &b);
	CHECK(strcmp(ryde_buf_str(&b),
		  " (did you mean WildRyde or wildrydes or wildrydes-summary?)") == 0,
	    "%s", ryde_buf_str(&b));
	ryde_buf_free(&b);
}

int
main(void)
{
	test_near();
	return check_end("base_near");
}
