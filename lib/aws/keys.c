#include "aws/keys.h"

#include "aws/xml.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/timestamp.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/string.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#define TEXT_MAX 65536

void
ryde_aws_keys_wipe(char *text)
{
	if (text != NULL)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
}

void
ryde_aws_keys_clear(struct ryde_aws_keys *k)
{
	ryde_aws_keys_wipe(k->access);
	ryde_aws_keys_wipe(k->secret);
	ryde_aws_keys_wipe(k->token);
	*k = (struct ryde_aws_keys)RYDE_AWS_KEYS_INIT;
}

/* Printable and without blanks: what may stand in a header, and what every key is. */
static bool
clean(struct ryde_view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] <= ' ' || v.p[i] >= 0x7f)
			return false;
	return v.n < TEXT_MAX;
}

static char *
copy(struct ryde_view v)
{
	char *s = malloc(v.n + 1);

	if (s == NULL)
		return NULL;
	if (v.n > 0)
		memcpy(s, v.p, v.n);
	s[v.n] = '\0';
	return s;
}

int
ryde_aws_keys_set(struct ryde_aws_keys *k, struct ryde_view access,
    struct ryde_view secret, struct ryde_view token, const char *from,
    struct ryde_err *err)
{
	ryde_aws_keys_clear(k);
	if (access.n == 0 || secret.n == 0)
		return ryde_err_set(err, RYDE_ENOPERM,
		    "%s: half of the credentials is missing: no %s", from,
		    access.n == 0 ? "access key id" : "secret access key");
	if (!clean(access) || !clean(secret) || !clean(token))
		return ryde_err_set(err, RYDE_ENOPERM,
		    "%s: the credentials have blanks or other characters that no key has",
		    from);
	k->access = copy(access);
	k->secret = copy(secret);
	k->token = copy(token);
	if (k->access != NULL && k->secret != NULL && k->token != NULL)
		return 0;
	ryde_aws_keys_clear(k);
	return ryde_err_nomem(err);
}

/* ---- JSON ---- */

static char *
string_of(const struct ryde_json_value *v)
{
	struct ryde_buf b;
	char *s;

	if (v->kind != RYDE_JSON_STRING)
		return NULL;
	ryde_buf_init(&b, TEXT_MAX);
	/* as much as it can need at once: nothing is left behind where it grew */
	if (v->text.n < TEXT_MAX && ryde_buf_room(&b, v->text.n + 1) != NULL)
		ryde_json_string_decode(&b, v->text);
	s = b.n > 0 && !b.failed && memchr(b.p, '\0', b.n) == NULL
		? copy(ryde_buf_as_view(&b))
		: NULL;
	if (b.p != NULL)
		OPENSSL_cleanse(b.p, b.cap);
	ryde_buf_free(&b);
	return s;
}

static bool
find(struct ryde_view json, const char *const *paths, size_t n,
    struct ryde_json_value *values)
{
	struct ryde_json_paths *set = ryde_json_paths_new();
	struct ryde_json_fault fault;
	bool found = set != NULL;
	size_t index;

	for (size_t i = 0; found && i < n; i++)
		found = ryde_json_paths_add(set, paths[i], &index, NULL) == 0;
	found = found && ryde_json_find(json, set, values, &fault) == 0;
	ryde_json_paths_free(set);
	return found;
}

char *
ryde_aws_keys_pick(struct ryde_view json, const char *path)
{
	struct ryde_json_value value;

	return find(json, &path, 1, &value) ? string_of(&value) : NULL;
}

/* An expiration that cannot be read must not pass for "never". */
static int
set_expiration(struct ryde_aws_keys *k, struct ryde_view text, const char *from,
    struct ryde_err *err)
{
	if (ryde_timestamp_parse(text, &k->expires_unix_ms))
		return 0;
	ryde_aws_keys_clear(k);
	return ryde_err_set(err, RYDE_ENOPERM,
	    "%s: the time at which the credentials expire is no time", from);
}

int
ryde_aws_keys_json(struct ryde_aws_keys *k, struct ryde_view text,
    const struct ryde_aws_keys_names *names, const char *from, struct ryde_err *err)
{
	const char *paths[] = {names->access, names->secret, names->token,
	    names->expiration != NULL ? names->expiration : names->token};
	char *access = NULL, *secret = NULL, *token = NULL;
	struct ryde_json_value values[4] = {{.kind = RYDE_JSON_ABSENT}};
	int rc;

	/* equal paths are one: values[3] is set only where there is a fourth */
	if (!find(text, paths, names->expiration != NULL ? 4 : 3, values))
		return ryde_err_set(
		    err, RYDE_ENOPERM, "%s: what it gave is no JSON", from);
	access = string_of(&values[0]);
	secret = string_of(&values[1]);
	token = string_of(&values[2]);
	rc = ryde_aws_keys_set(k, ryde_view_of(access), ryde_view_of(secret),
	    ryde_view_of(token), from, err);
	if (rc == 0 && names->expiration != NULL &&
	    (values[3].kind == RYDE_JSON_STRING || values[3].kind == RYDE_JSON_NUMBER))
		rc = set_expiration(k, values[3].text, from, err);
	ryde_aws_keys_wipe(access);
	ryde_aws_keys_wipe(secret);
	ryde_aws_keys_wipe(token);
	return rc;
}

int
ryde_aws_keys_xml(struct ryde_aws_keys *k, struct ryde_view text, const char *from,
    struct ryde_err *err)
{
	struct ryde_view access = {0}, secret = {0}, token = {0}, expiration;

	/* none of them has a character that XML would escape */
	(void)ryde_xml_find(text, "AccessKeyId", &access);
	(void)ryde_xml_find(text, "SecretAccessKey", &secret);
	(void)ryde_xml_find(text, "SessionToken", &token);
	if (ryde_aws_keys_set(k, access, secret, token, from, err) != 0)
		return -1;
	if (ryde_xml_find(text, "Expiration", &expiration))
		return set_expiration(k, expiration, from, err);
	return 0;
}
