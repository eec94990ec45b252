/* The two files of settings. Source: aws/profiles.h; botocore's configloader.py for what
 * is and is not a profile. */
#include "aws/profiles.h"
#include "base/buf.h"
#include "base/err.h"
#include "check.h"

static const struct {
	bool credentials;
	const char *text;
	enum ryde_profiles_kind kind;
	const char *name, *key, *sub, *want;
} rows[] = {
    {false, "[default]\nregion = us-east-1\n", RYDE_PROFILES_CONFIG_PROFILE, "default",
	"region", NULL, "us-east-1"},
    {false, "[default]\nregion=us-east-1", RYDE_PROFILES_CONFIG_PROFILE, "default",
	"region", NULL, "us-east-1"},
    {false, "[ profile   x ] # note\n REGION : a = b \n", RYDE_PROFILES_CONFIG_PROFILE,
	"x", "region", NULL, "a = b"},
    {false, "[profile \"a b\"]\nk=v", RYDE_PROFILES_CONFIG_PROFILE, "a b", "k", NULL,
	"v"},
    {false, "[profile\t'a b']\nk=v", RYDE_PROFILES_CONFIG_PROFILE, "a b", "k", NULL, "v"},
    {false, "[profile default]\nk=v", RYDE_PROFILES_CONFIG_PROFILE, "default", "k", NULL,
	"v"},
    {false, "[x]\nk=v", RYDE_PROFILES_CONFIG_PROFILE, "x", "k", NULL, NULL},
    {false, "[x]\nk=v", RYDE_PROFILES_OTHER, "x", "k", NULL, "v"},
    {false, "[profilex]\nk=v", RYDE_PROFILES_CONFIG_PROFILE, "x", "k", NULL, NULL},
    {false, "[sso-session s]\nk=v", RYDE_PROFILES_SSO_SESSION, "s", "k", NULL, "v"},
    {true, "[x]\nk=v", RYDE_PROFILES_CREDENTIALS_PROFILE, "x", "k", NULL, "v"},
    {true, "[profile x]\nk=v", RYDE_PROFILES_CREDENTIALS_PROFILE, "profile x", "k", NULL,
	"v"},
    {true, "[x]\n# k=no\n; k=no\nk=v#w\n", RYDE_PROFILES_CREDENTIALS_PROFILE, "x", "k",
	NULL, "v#w"},
    {true, "[x]\nk=1\n[y]\nk=2\n[x]\nk=3\n", RYDE_PROFILES_CREDENTIALS_PROFILE, "x", "k",
	NULL, "3"},
    {true, "[x]\nk=1\nk=2\n", RYDE_PROFILES_CREDENTIALS_PROFILE, "x", "k", NULL, "2"},
    {true, "\xef\xbb\xbf[x]\r\nk = v \r\n", RYDE_PROFILES_CREDENTIALS_PROFILE, "x", "k",
	NULL, "v"},
    {true, "[x]\nk=a\n  b\n\tc\nl=d", RYDE_PROFILES_CREDENTIALS_PROFILE, "x", "k", NULL,
	"a\nb\nc"},
    {true, "[x]\nk=a\n  b\n\tc\nl=d", RYDE_PROFILES_CREDENTIALS_PROFILE, "x", "l", NULL,
	"d"},
    {false,
	"[services s]\nkinesis =\n  Endpoint_URL = http://x\n  b=c\nsqs=\n  "
	"endpoint_url=y\n",
	RYDE_PROFILES_SERVICES, "s", "kinesis", "endpoint_url", "http://x"},
    {false,
	"[services s]\nkinesis =\n  Endpoint_URL = http://x\n  b=c\nsqs=\n  "
	"endpoint_url=y\n",
	RYDE_PROFILES_SERVICES, "s", "kinesis", "b", "c"},
    {false,
	"[services s]\nkinesis =\n  Endpoint_URL = http://x\n  b=c\nsqs=\n  "
	"endpoint_url=y\n",
	RYDE_PROFILES_SERVICES, "s", "sqs", "endpoint_url", "y"},
    {false, "[services s]\nkinesis =\n  a=b\n", RYDE_PROFILES_SERVICES, "s", "kinesis",
	NULL, ""},
    {false, "[default]\ns3 =\n  a = b\nregion = r\n", RYDE_PROFILES_CONFIG_PROFILE,
	"default", "region", NULL, "r"},
    {false, "[default]\ns3 =\n  a = b\nregion = r\n", RYDE_PROFILES_CONFIG_PROFILE,
	"default", "a", NULL, NULL},
    {true, "", RYDE_PROFILES_CREDENTIALS_PROFILE, "x", "k", NULL, NULL},
};

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ryde_profiles *p = ryde_profiles_new(NULL);
		struct ryde_err err = RYDE_ERR_INIT;
		const char *got;

		CHECK(ryde_profiles_parse(p, ryde_view_of(rows[i].text),
			  rows[i].credentials, "F", &err) == 0,
		    "row %zu: %s", i, err.msg);
		got = ryde_profiles_get(
		    p, rows[i].kind, rows[i].name, rows[i].key, rows[i].sub);
		CHECK((got == NULL) == (rows[i].want == NULL) &&
			  (got == NULL || strcmp(got, rows[i].want) == 0),
		    "row %zu: %s", i, got != NULL ? got : "nothing");
		CHECK(got == NULL || ryde_profiles_has(p, rows[i].kind, rows[i].name),
		    "row %zu", i);
		ryde_profiles_free(p);
	}
}

static const struct {
	const char *text;
	size_t n;
	const char *words;
} faults[] = {
    {"k=v", 3, "F:1: a setting stands before"},
    {"[x]\n\n# c\nk", 10, "F:4: neither a [section] nor"},
    {"[x]\n=v", 6, "F:2: neither"},
    {"[x", 2, "F:1: a section has no ']'"},
    {"[]", 2, "F:1: a section has no name"},
    {"[ ]", 3, "F:1: a section has no name"},
    {"[x]\nk=a\0b", 9, "F:2: a NUL byte"},
    {"[x]\nk=\n  sub", 12, "F:3: an indented line"},
    {"[x]\nk=\n  =v", 11, "F:3: an indented line"},
};

static void
test_faults(void)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct ryde_profiles *p = ryde_profiles_new(NULL);
		struct ryde_err err = RYDE_ERR_INIT;

		CHECK(ryde_profiles_parse(p, ryde_view_mem(faults[i].text, faults[i].n),
			  true, "F", &err) == -1 &&
			  err.code == RYDE_ECONFIG &&
			  strstr(err.msg, faults[i].words) != NULL,
		    "row %zu: %s", i, err.msg);
		ryde_profiles_free(p);
	}
}

/* Both files are one; many settings; no file is no fault; a folder is. */
static void
test_files(void)
{
	struct ryde_profiles *p = ryde_profiles_new(NULL);
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf b;

	ryde_buf_init(&b, 1 << 20);
	ryde_buf_puts(&b, "[x]\n");
	for (int i = 0; i < 1000; i++)
		ryde_buf_printf(&b, "key%d =\n  sub = %d\n", i, i);
	CHECK(ryde_profiles_parse(p, ryde_buf_as_view(&b), true, "F", &err) == 0, "%s",
	    err.msg);
	CHECK(ryde_profiles_parse(
		  p, ryde_view_of("[profile x]\nkey = config"), false, "G", &err) == 0,
	    " ");
	CHECK(strcmp(ryde_profiles_get(
			 p, RYDE_PROFILES_CREDENTIALS_PROFILE, "x", "key777", "sub"),
		  "777") == 0,
	    " ");
	CHECK(strcmp(ryde_profiles_get(p, RYDE_PROFILES_CONFIG_PROFILE, "x", "key", NULL),
		  "config") == 0,
	    " ");
	CHECK(ryde_profiles_read(p, "/nonexistent/file", true, &err) == 0, "%s", err.msg);
	CHECK(ryde_profiles_read(p, "/etc/passwd/file", true, &err) == 0, "%s", err.msg);
	CHECK(ryde_profiles_read(p, "/etc", true, &err) == -1, " ");
	ryde_profiles_free(p);
	ryde_profiles_free(NULL);
	ryde_buf_free(&b);
}

int
main(void)
{
	test_rows();
	test_faults();
	test_files();
	return check_end("aws_profiles");
}
