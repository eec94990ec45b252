/* Creating, listing, finding and deleting. Source: store/catalog.h. */
#include "base/buf.h"
#include "base/err.h"
#include "check.h"
#include "scratch.h"
#include "store/catalog.h"
#include "store/name.h"

#include <stdio.h>
#include <stdlib.h>

static void
gather(void *arg, const char *name)
{
	struct ryde_buf *b = arg;

	ryde_buf_puts(b, name);
	ryde_buf_putc(b, ' ');
}

static void
list(const struct ryde_store_settings *s, enum ryde_catalog_kind kind, const char *want)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf b;

	ryde_buf_init(&b, 1000);
	CHECK(ryde_catalog_list(s, kind, gather, &b, &err) == 0, "%s", err.msg);
	CHECK(strcmp(ryde_buf_str(&b), want) == 0, "%s", ryde_buf_str(&b));
	ryde_buf_free(&b);
}

static const char *const aws_env[] = {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"};

int
main(void)
{
	struct ryde_store_settings s = {.engine = "local"};
	struct ryde_err err = RYDE_ERR_INIT;
	bool is[3] = {true, true, true};

	if (scratch_begin() != 0)
		return 1;
	/* a directory that is not there yet, nor its parent */
	s.data = "deep/store";
	list(&s, RYDE_CATALOG_STREAM, "");
	CHECK(ryde_catalog_find(&s, "x", is, &err) == 0 && !is[0] && !is[1] && !is[2],
	    "find");
	CHECK(ryde_catalog_delete(&s, RYDE_CATALOG_QUEUE, "x", &err) != 0 &&
		  err.code == RYDE_ENOINPUT,
	    "%s", err.msg);
	CHECK(ryde_catalog_create_stream(&s, "x", 2, 0, &err) == 0, "%s", err.msg);
	CHECK(ryde_catalog_create_stream(&s, "b.db", 1, 0, &err) == 0, "%s", err.msg);
	CHECK(ryde_catalog_create_stream(&s, "b", 1, 5000, &err) == 0, "%s", err.msg);
	CHECK(ryde_catalog_create_stream(&s, "b", 1, 6000, &err) != 0 &&
		  err.code == RYDE_ECANTCREAT,
	    "%s", err.msg);
	CHECK(ryde_catalog_create_stream(&s, "none", 0, 0, &err) != 0 &&
		  err.code == RYDE_EUSAGE,
	    "%s", err.msg);
	CHECK(ryde_catalog_create_table(&s, "x", "a", "a", &err) != 0 &&
		  err.code == RYDE_EUSAGE,
	    "%s", err.msg);
	CHECK(ryde_catalog_create_table(&s, "x", "odd \"key\".[0]", NULL, &err) == 0,
	    "%s", err.msg);
	CHECK(ryde_catalog_create_queue(&s, "q", &err) == 0, "%s", err.msg);
	CHECK(ryde_catalog_create_queue(&s, "q", &err) == 0, "%s", err.msg);
	list(&s, RYDE_CATALOG_STREAM, "b b.db x ");
	list(&s, RYDE_CATALOG_TABLE, "x ");
	list(&s, RYDE_CATALOG_QUEUE, "q ");
	CHECK(ryde_catalog_find(&s, "local:x", is, &err) == 0 &&
		  is[RYDE_CATALOG_STREAM] && is[RYDE_CATALOG_TABLE] &&
		  !is[RYDE_CATALOG_QUEUE],
	    "find");
	CHECK(
	    ryde_catalog_delete(&s, RYDE_CATALOG_STREAM, "b", &err) == 0, "%s", err.msg);
	CHECK(ryde_catalog_delete(&s, RYDE_CATALOG_TABLE, "x", &err) == 0, "%s", err.msg);
	list(&s, RYDE_CATALOG_STREAM, "b.db x ");
	list(&s, RYDE_CATALOG_TABLE, "");
	/* on AWS: nothing is sent where nobody says which region */
	for (size_t i = 0; i < sizeof(aws_env) / sizeof(aws_env[0]); i++)
		(void)unsetenv(aws_env[i]);
	(void)setenv("HOME", "/nonexistent", 1);
	s.engine = "aws";
	CHECK(ryde_catalog_create_queue(&s, "q", &err) != 0 && err.code == RYDE_ECONFIG,
	    "%s", err.msg);
	scratch_end();
	return check_end("store_catalog");
}
