#include "store/name.h"

#include "base/err.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIR_MAX_BYTES 4096

static bool
starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int
check_name(const char *name, struct ryde_err *err)
{
	size_t n = strlen(name);

	if (strchr(name, '/') != NULL || starts(name, "s3:"))
		return ryde_err_set(err, RYDE_EUSAGE,
		    "'%s' is a place for archives, not the name of a stream, table or "
		    "queue",
		    name);
	if (n == 0 || n > RYDE_NAME_MAX || name[0] == '.' ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			 "0123456789_.-") != n)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "'%.200s' is no name: 1 to %d letters, digits, '_', '-' and '.', the "
		    "first no '.'",
		    name, RYDE_NAME_MAX);
	return 0;
}

static int
default_kind(const struct ryde_store_settings *settings, enum ryde_store_kind *kind,
    struct ryde_err *err)
{
	const char *engine = settings->engine;

	if (engine == NULL || engine[0] == '\0' || strcmp(engine, "local") == 0)
		*kind = RYDE_STORE_LOCAL;
	else if (strcmp(engine, "aws") == 0)
		*kind = RYDE_STORE_AWS;
	else
		return ryde_err_set(err, RYDE_ECONFIG,
		    "the default store is 'local' or 'aws', not '%s' (--store, "
		    "RYDE_STORE)",
		    engine);
	return 0;
}

/* What an ARN names: all behind its last slash or colon. Its region (4th part) and
 * account (5th) go to out. */
static const char *
resource_of(const char *arn, struct ryde_store_name *out)
{
	const char *slash = strrchr(arn, '/'), *colon = strrchr(arn, ':');
	const char *part = arn;

	for (int i = 0; i < 5 && part != NULL; i++) {
		size_t n = strcspn(part, ":");

		if (i == 3 && n < sizeof(out->region))
			memcpy(out->region, part, n);
		if (i == 4 && n < sizeof(out->account))
			memcpy(out->account, part, n);
		part = part[n] == ':' ? part + n + 1 : NULL;
	}
	if (strlen(arn) < sizeof(out->arn))
		memcpy(out->arn, arn, strlen(arn) + 1);
	return slash != NULL && slash > colon ? slash + 1 : colon + 1;
}

int
ryde_store_resolve(const struct ryde_store_settings *settings, const char *text,
    struct ryde_store_name *out, struct ryde_err *err)
{
	enum ryde_store_kind kind = RYDE_STORE_LOCAL;
	const char *name = text;

	memset(out, 0, sizeof(*out));
	if (starts(text, "arn:")) {
		kind = RYDE_STORE_AWS;
		name = resource_of(text, out);
	} else if (starts(text, "aws:")) {
		kind = RYDE_STORE_AWS;
		name = text + 4;
	} else if (starts(text, "local:")) {
		kind = RYDE_STORE_LOCAL;
		name = text + 6;
	} else if (default_kind(settings, &kind, err) != 0) {
		return -1;
	}
	if (check_name(name, err) != 0)
		return -1;
	out->kind = kind;
	(void)snprintf(out->name, sizeof(out->name), "%s", name);
	(void)snprintf(out->label, sizeof(out->label), "%s:%s",
	    kind == RYDE_STORE_AWS ? "aws" : "local", name);
	return 0;
}

int
ryde_store_data_dir(
    const struct ryde_store_settings *settings, char *to, struct ryde_err *err)
{
	const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	int n;

	if (settings->data != NULL && settings->data[0] != '\0')
		n = snprintf(to, DIR_MAX_BYTES, "%s", settings->data);
	else if (xdg != NULL && xdg[0] == '/')
		n = snprintf(to, DIR_MAX_BYTES, "%s/ryde", xdg);
	else if (home != NULL && home[0] != '\0')
		n = snprintf(to, DIR_MAX_BYTES, "%s/.local/share/ryde", home);
	else
		return ryde_err_set(err, RYDE_ECONFIG,
		    "where is the embedded store? Set --data, RYDE_DATA, XDG_DATA_HOME "
		    "or HOME");
	if (n < 0 || n > DIR_MAX_BYTES - 400)
		return ryde_err_set(err, RYDE_ECONFIG,
		    "the embedded store's directory has too long a name");
	return 0;
}
