/*
 * Credentials over a long life: kept, renewed ahead of their end, used to their end while
 * nobody renews them, and back after a new login. Source: aws/credentials.h. They come
 * from a command that prints a file, which the test writes.
 */
#include "aws/config.h"
#include "aws/credentials.h"
#include "aws/http.h"
#include "aws/keys.h"
#include "aws/sigv4.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/timestamp.h"
#include "check.h"
#include "scratch.h"
#include "store/name.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int warnings;

static void
count(enum ryde_log_level level, const char *text)
{
	CHECK(strstr(text, "SECRET") == NULL, "%s", text);
	if (level == RYDE_LOG_WARNING)
		warnings++;
}

static void
write_file(const char *name, const char *text)
{
	CHECK(ryde_file_replace(name, ryde_view_of(text), NULL) == 0, "%s", name);
}

/* What the command prints from now on: this key, good for so many ms. */
static void
give(const char *key, int64_t good_for_ms)
{
	char text[300], at[RYDE_TIMESTAMP_MAX];

	(void)ryde_timestamp_rfc3339(ryde_clock_wall_ms() + good_for_ms, at);
	(void)snprintf(text, sizeof(text),
	    "{\"Version\":1,\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"SECRET\","
	    "\"Expiration\":\"%s\"}",
	    key, at);
	write_file("keys", text);
}

static const char *
get(struct ryde_aws_credentials *c, struct ryde_err *err)
{
	const struct ryde_aws_keys *keys;
	int rc;

	*err = (struct ryde_err)RYDE_ERR_INIT;
	while ((rc = ryde_aws_credentials_get(c, &keys, err)) == 1)
		(void)poll(NULL, 0, 1);
	return rc == 0 ? keys->access : "none";
}

#define GETS(key) CHECK(strcmp(get(c, &err), key) == 0, "%s, %s", get(c, &err), err.msg)
#define HOUR 3600000

static void
test_life(struct ryde_aws_credentials *c)
{
	struct ryde_err err;
	int64_t until;

	CHECK(!ryde_aws_credentials_may_change(c), "none yet");
	give("ONE", HOUR);
	GETS("ONE");
	give("TWO", HOUR);
	GETS("ONE"); /* kept: an hour is far away */
	CHECK(ryde_aws_credentials_may_change(c), " ");

	/* AWS says that they have expired: others are looked for */
	ryde_aws_credentials_renew(c);
	GETS("TWO");
	/* none are there: that may change again, so it is no reason to end for good */
	write_file("keys", "nothing");
	ryde_aws_credentials_renew(c);
	GETS("none");
	CHECK(err.code == RYDE_EUNAVAILABLE && strstr(err.msg, "SECRET") == NULL, "%s",
	    err.msg);
	/* the config file is read again as well */
	write_file("config", "[default\n");
	GETS("none");
	CHECK(err.code == RYDE_ECONFIG, "%s", err.msg);
	write_file("config", "[default]\ncredential_process = cat keys\n");

	/* a short life: its last quarter is when they are renewed; a failure is said, and
	 * they are used to their end */
	give("SHORT", 2000);
	GETS("SHORT");
	write_file("keys", "nothing");
	warnings = 0;
	until = ryde_clock_mono_ms() + 10000;
	while (strcmp(get(c, &err), "SHORT") == 0 && ryde_clock_mono_ms() < until)
		;
	CHECK(warnings == 1, "%d", warnings);
	GETS("none");
	CHECK(err.code == RYDE_EUNAVAILABLE, "%s", err.msg);

	/* someone has logged in again */
	give("THREE", HOUR);
	GETS("THREE");
	/* renewed before their end */
	give("FOUR", 2000);
	ryde_aws_credentials_renew(c);
	GETS("FOUR");
	give("FIVE", HOUR);
	until = ryde_clock_mono_ms() + 1900;
	while (strcmp(get(c, &err), "FOUR") == 0 && ryde_clock_mono_ms() < until)
		;
	GETS("FIVE");
}

/* Nobody waits for a renewal, however long it takes: the old keys are used meanwhile, and
 * where there are none of use, that is said at once. What renews dies with c. */
static void
test_ahead(struct ryde_aws_config *config, struct ryde_http *http, struct ryde_sigv4 *s)
{
	struct ryde_aws_credentials *c = ryde_aws_credentials_new(config, http, s, NULL);
	const struct ryde_aws_keys *keys;
	struct ryde_err err = RYDE_ERR_INIT;
	int rc;

	write_file(
	    "slow", "echo $$ >pid; mkfifo gate 2>/dev/null; read -r x <gate; cat keys\n");
	give("EARLY", 1500);
	GETS("EARLY");
	write_file("config", "[default]\ncredential_process = sh slow\n");
	give("LATER", HOUR);
	/* due in the last quarter: by then the search is under way, behind its gate */
	while (access("pid", F_OK) != 0) {
		if (ryde_aws_credentials_get(c, &keys, &err) < 0)
			break;
		(void)poll(NULL, 0, 1);
	}
	while ((rc = ryde_aws_credentials_get(c, &keys, &err)) == 0) {
		if (strcmp(keys->access, "EARLY") != 0)
			break;
		(void)poll(NULL, 0, 1);
	}
	CHECK(rc == 1, "expired, and no other keys yet: %d, %s", rc, err.msg);
	write_file("opener", "echo >gate\n");
	CHECK(system("sh opener") == 0, " ");
	GETS("LATER");
	/* refused by AWS, searched for again, and given up at the end */
	(void)unlink("pid");
	ryde_aws_credentials_renew(c);
	while (access("pid", F_OK) != 0) {
		rc = ryde_aws_credentials_get(c, &keys, &err);
		if (rc != 1)
			break;
	}
	CHECK(rc == 1, "%s", err.msg);
	ryde_aws_credentials_free(c);
	CHECK(system("sh opener") == 0, " "); /* for the command, which outlives it */
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
	write_file("config", "[default]\ncredential_process = cat keys\n");
}

/* What cannot change while the program runs is an end. */
static void
test_environment(struct ryde_aws_credentials *c)
{
	struct ryde_err err;

	(void)setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
	(void)setenv("AWS_SECRET_ACCESS_KEY", "SECRET", 1);
	GETS("ENVIRONMENT");
	CHECK(!ryde_aws_credentials_may_change(c), " ");
}

static void
test_keys(void)
{
	struct ryde_aws_keys k = RYDE_AWS_KEYS_INIT;
	struct ryde_err err = RYDE_ERR_INIT;
	static const struct ryde_aws_keys_names names = {".a", ".b", ".c", ".d"};
	static const struct {
		const char *text;
		int64_t expires; /* -1: refused */
	} rows[] = {
	    {"{\"a\":\"A\",\"b\":\"B\"}", INT64_MAX},
	    {"{\"a\":\"A\",\"b\":\"B\",\"c\":null,\"d\":null}", INT64_MAX},
	    {"{\"a\":\"A\",\"b\":\"B\",\"d\":1.5e9}", 1500000000000},
	    {"{\"a\":\"A\",\"b\":\"B\",\"d\":1500000000123}", 1500000000123},
	    {"{\"a\":\"A\",\"b\":\"B\",\"d\":\"1970-01-01T00:00:01Z\"}", 1000},
	    {"{\"a\":\"A\",\"b\":\"B\",\"d\":\"never\"}", -1},
	    {"{\"a\":\"A\",\"b\":\"\"}", -1},
	    {"{\"a\":\"\",\"b\":\"B\"}", -1},
	    {"{\"a\":7,\"b\":\"B\"}", -1},
	    {"{\"a\":\"A\\n\",\"b\":\"B\"}", -1},
	    {"{\"a\":\"A\\u0000\",\"b\":\"B\"}", -1},
	    {"{\"a\":\"A\",\"b\":\"\xc3\xa4\"}", -1},
	    {"[]", -1},
	    {"<html>", -1},
	    {"", -1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rc =
		    ryde_aws_keys_json(&k, ryde_view_of(rows[i].text), &names, "F", &err);

		CHECK((rc == 0) == (rows[i].expires != -1), "row %zu: %s", i, err.msg);
		CHECK(rc != 0 || k.expires_unix_ms == rows[i].expires, "row %zu: %lld", i,
		    (long long)k.expires_unix_ms);
		CHECK(rc == 0 || (err.code == RYDE_ENOPERM && k.access == NULL &&
				     k.secret == NULL),
		    "row %zu", i);
	}
	ryde_aws_keys_clear(&k);
}

int
main(void)
{
	static const char *const variables[] = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE",
	    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	    "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION",
	    "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"};
	struct ryde_store_settings settings = {.region = "us-east-1"};
	struct ryde_aws_config *config;
	struct ryde_http *http = ryde_http_new(NULL);
	struct ryde_sigv4 *sigv4 = ryde_sigv4_new(NULL);
	struct ryde_aws_credentials *c;

	if (scratch_begin() != 0 || ryde_signals_init(NULL) != 0)
		return 1;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		(void)unsetenv(variables[i]);
	(void)setenv("HOME", scratch_dir, 1);
	(void)setenv("AWS_CONFIG_FILE", "config", 1);
	(void)setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	write_file("config", "[default]\ncredential_process = cat keys\n");
	ryde_log_set(count, RYDE_LOG_DEBUG);
	config = ryde_aws_config_new(&settings, NULL);
	c = ryde_aws_credentials_new(config, http, sigv4, NULL);
	test_life(c);
	ryde_aws_credentials_free(c);
	test_ahead(config, http, sigv4);
	c = ryde_aws_credentials_new(config, http, sigv4, NULL);
	test_environment(c);
	ryde_aws_credentials_free(c);
	test_keys();
	ryde_aws_config_free(config);
	ryde_sigv4_free(sigv4);
	ryde_http_free(http);
	scratch_end();
	return check_end("aws_credentials");
}
