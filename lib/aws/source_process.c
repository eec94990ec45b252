#include "aws/config.h"
#include "aws/source.h"
#include "base/buf.h"
#include "base/capture.h"
#include "base/err.h"
#include "json/scan.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS_MAX 64
#define OUTPUT_MAX 65536
#define TIMEOUT_MS (5 * 60 * 1000)

/* "Version": 1, a number. */
static bool
version_is_1(struct ryde_view text)
{
	struct ryde_json_value key, value;
	struct ryde_json_fault fault;
	struct ryde_json_walk walk;
	bool found = false;

	if (ryde_json_check(text, NULL, &fault) != 0 ||
	    !ryde_json_walk_begin(&walk, text))
		return false;
	while (ryde_json_walk_next(&walk, &key, &value))
		if (ryde_view_is(key.text, "Version"))
			found = value.kind == RYDE_JSON_NUMBER &&
				ryde_view_is(value.text, "1");
	return found;
}

int
ryde_aws_source_process(struct ryde_aws_search *s, const char *profile,
    struct ryde_aws_keys *keys, struct ryde_err *err)
{
	static const struct ryde_aws_keys_names names = {
	    ".AccessKeyId", ".SecretAccessKey", ".SessionToken", ".Expiration"};
	const char *command =
	    ryde_aws_config_key(s->config, profile, "credential_process");
	char from[120], *words[WORDS_MAX], *text;
	struct ryde_buf b;
	int rc = -1;

	if (command == NULL)
		return 0;
	(void)snprintf(
	    from, sizeof(from), "credential_process of profile %.60s", profile);
	ryde_buf_init(&b, OUTPUT_MAX);
	text = strdup(command);
	if (text == NULL || ryde_buf_room(&b, OUTPUT_MAX) == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	if (ryde_capture_words(text, words, WORDS_MAX) < 1) {
		(void)ryde_err_set(err, RYDE_ECONFIG,
		    "%s: a quote has no end, or there are too many words", from);
		goto out;
	}
	if (ryde_capture_run(words, TIMEOUT_MS, &b, err) != 0) {
		(void)ryde_err_prefix(err, "%s", from);
		goto out;
	}
	if (!version_is_1(ryde_buf_as_view(&b))) {
		(void)ryde_err_set(err, RYDE_ENOPERM,
		    "%s: what it printed is no JSON object with \"Version\": 1", from);
		goto out;
	}
	rc = ryde_aws_keys_json(keys, ryde_buf_as_view(&b), &names, from, err);
	if (rc == 0)
		(void)snprintf(keys->source, sizeof(keys->source), "%s", from);
out:
	if (b.p != NULL)
		OPENSSL_cleanse(b.p, b.cap);
	ryde_buf_free(&b);
	free(text);
	return rc == 0 ? 1 : -1;
}
