/* What names mean. Source: DESIGN section 4. */
#include "base/err.h"
#include "check.h"
#include "store/name.h"

#include <stdlib.h>

static const struct {
	const char *engine, *text;
	int code; /* RYDE_OK: it is one */
	enum ryde_store_kind kind;
	const char *label;
} names[] = {
    {NULL, "wildrydes", RYDE_OK, RYDE_STORE_LOCAL, "local:wildrydes"},
    {"local", "a.b-c_9", RYDE_OK, RYDE_STORE_LOCAL, "local:a.b-c_9"},
    {"aws", "wildrydes", RYDE_OK, RYDE_STORE_AWS, "aws:wildrydes"},
    {"aws", "local:wildrydes", RYDE_OK, RYDE_STORE_LOCAL, "local:wildrydes"},
    {NULL, "aws:wildrydes", RYDE_OK, RYDE_STORE_AWS, "aws:wildrydes"},
    {NULL, "arn:aws:kinesis:us-east-1:123456789012:stream/wildrydes", RYDE_OK,
	RYDE_STORE_AWS, "aws:wildrydes"},
    {NULL, "arn:aws:sqs:us-east-1:123456789012:wildrydes-queue", RYDE_OK, RYDE_STORE_AWS,
	"aws:wildrydes-queue"},
    {"sqlite", "wildrydes", RYDE_ECONFIG, RYDE_STORE_LOCAL, NULL},
    {NULL, "", RYDE_EUSAGE, RYDE_STORE_LOCAL, NULL},
    {NULL, ".hidden", RYDE_EUSAGE, RYDE_STORE_LOCAL, NULL},
    {NULL, "local:", RYDE_EUSAGE, RYDE_STORE_LOCAL, NULL},
    {NULL, "a b", RYDE_EUSAGE, RYDE_STORE_LOCAL, NULL},
    {NULL, "../x", RYDE_EUSAGE, RYDE_STORE_LOCAL, NULL},
    {NULL, "local:../x", RYDE_EUSAGE, RYDE_STORE_LOCAL, NULL},
    {NULL, "s3://bucket/x", RYDE_EUSAGE, RYDE_STORE_LOCAL, NULL},
    {NULL, "firehose:x", RYDE_EUSAGE, RYDE_STORE_LOCAL, NULL},
    {NULL, "caf\xc3\xa9", RYDE_EUSAGE, RYDE_STORE_LOCAL, NULL},
};

static void
test_names(void)
{
	char longest[RYDE_NAME_MAX + 2];
	struct ryde_store_settings s = {.engine = NULL};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_store_name out;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		int rc;

		s.engine = names[i].engine;
		err.code = RYDE_OK;
		rc = ryde_store_resolve(&s, names[i].text, &out, &err);
		CHECK((rc == 0) == (names[i].code == RYDE_OK), "row %zu", i);
		CHECK((int)err.code == names[i].code, "row %zu: %s", i, err.msg);
		if (rc == 0)
			CHECK(out.kind == names[i].kind &&
				  strcmp(out.label, names[i].label) == 0,
			    "row %zu: %s", i, out.label);
	}
	s.engine = NULL;
	memset(longest, 'a', sizeof(longest));
	longest[RYDE_NAME_MAX + 1] = '\0';
	CHECK(ryde_store_resolve(&s, longest, &out, &err) != 0);
	longest[RYDE_NAME_MAX] = '\0';
	CHECK(ryde_store_resolve(&s, longest, &out, &err) == 0);
}

static void
test_directory(void)
{
	struct ryde_store_settings s = {.data = "/data"};
	struct ryde_err err = RYDE_ERR_INIT;
	char dir[4096];

	CHECK(ryde_store_data_dir(&s, dir, &err) == 0 && strcmp(dir, "/data") == 0);
	s.data = NULL;
	(void)setenv("XDG_DATA_HOME", "/xdg", 1);
	(void)setenv("HOME", "/home/x", 1);
	CHECK(ryde_store_data_dir(&s, dir, &err) == 0 && strcmp(dir, "/xdg/ryde") == 0);
	(void)unsetenv("XDG_DATA_HOME");
	CHECK(ryde_store_data_dir(&s, dir, &err) == 0 &&
	      strcmp(dir, "/home/x/.local/share/ryde") == 0);
	(void)unsetenv("HOME");
	CHECK(ryde_store_data_dir(&s, dir, &err) != 0 && err.code == RYDE_ECONFIG);
}

static void
test_arns(void)
{
	static const struct {
		const char *arn, *name, *region, *account;
	} rows[] = {
	    {"arn:aws:kinesis:us-east-1:123456789012:stream/wildrydes", "wildrydes",
		"us-east-1", "123456789012"},
	    {"arn:aws-cn:sqs:cn-north-1:1:q.fifo", "q.fifo", "cn-north-1", "1"},
	    {"arn:aws:dynamodb:eu-west-1:1:table/t", "t", "eu-west-1", "1"},
	    {"aws:t", "t", "", ""},
	};
	struct ryde_store_settings s = {.engine = NULL};
	struct ryde_store_name out;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(ryde_store_resolve(&s, rows[i].arn, &out, NULL) == 0);
		CHECK(
		    strcmp(out.name, rows[i].name) == 0, "%s: %s", rows[i].arn, out.name);
		CHECK(strcmp(out.region, rows[i].region) == 0 &&
			  strcmp(out.account, rows[i].account) == 0,
		    "%s: %s %s", rows[i].arn, out.region, out.account);
		CHECK(strcmp(out.arn, rows[i].region[0] != '\0' ? rows[i].arn : "") == 0,
		    "%s: %s", rows[i].arn, out.arn);
	}
}

int
main(void)
{
	test_names();
	test_directory();
	test_arns();
	return check_end("store_name");
}
