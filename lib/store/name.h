/*
 * What a name means: which engine holds the resource. Only this floor knows that there
 * are two.
 *
 *	wildrydes                       in the default store
 *	local:wildrydes, aws:wildrydes  in that one
 *	arn:aws:…                       on AWS
 *	./archive /var/x s3://b/p       an archive (ryde-archive, ryde-query)
 */
#ifndef RYDE_STORE_NAME_H
#define RYDE_STORE_NAME_H

struct ryde_err;

#define RYDE_NAME_MAX 128
#define RYDE_ARN_MAX 255

/* What options and environment say. Strings are borrowed and may be NULL. */
struct ryde_store_settings {
	const char *engine; /* "local" or "aws": where bare names are */
	const char *data;   /* directory of the embedded store; NULL: $XDG_DATA_HOME/ryde,
			       ~/.local/share/ryde */
	const char *region, *profile, *endpoint_url, *identity_pool, *login; /* AWS */
};

enum ryde_store_kind {
	RYDE_STORE_LOCAL,
	RYDE_STORE_AWS,
};

struct ryde_store_name {
	enum ryde_store_kind kind;
	char name[RYDE_NAME_MAX +
		  1]; /* without its prefix: [A-Za-z0-9_.-]+, no leading dot */
	char label[RYDE_NAME_MAX +
		   16]; /* "local:wildrydes": what envelopes and messages say */
	/* of an ARN: the whole of it, its region and its account; else "" */
	char arn[RYDE_ARN_MAX + 1], region[32], account[16];
};

/* -1 with RYDE_EUSAGE where text is no name, RYDE_ECONFIG where the default store is
 * neither local nor aws. */
int ryde_store_resolve(const struct ryde_store_settings *settings, const char *text,
    struct ryde_store_name *out, struct ryde_err *err);
/* The directory of the embedded store into to[4096]; -1 with RYDE_ECONFIG where neither
 * settings nor environment name one. */
int ryde_store_data_dir(
    const struct ryde_store_settings *settings, char *to, struct ryde_err *err);
#endif
