/*
 * The two files in which AWS users keep their settings, ~/.aws/config and
 *~/.aws/credentials, as they are read by AWS's own tools.
 *
 *	[default]            in both files
 *	[profile NAME]       [sso-session NAME] [services NAME]: in config
 *	[NAME]               in credentials
 *	key = value          a line that begins with # or ; is a comment
 *	key =
 *	  subkey = value     one level deeper
 *
 * Source: "Configuration and credential file settings" (AWS CLI User Guide); botocore's
 * configloader.py.
 */
#ifndef RYDE_AWS_PROFILES_H
#define RYDE_AWS_PROFILES_H

#include "base/view.h"

#include <stdbool.h>

struct ryde_err;
struct ryde_profiles;

enum ryde_profiles_kind {
	RYDE_PROFILES_CONFIG_PROFILE,	   /* of config */
	RYDE_PROFILES_CREDENTIALS_PROFILE, /* of credentials */
	RYDE_PROFILES_SSO_SESSION,
	RYDE_PROFILES_SERVICES,
	RYDE_PROFILES_OTHER, /* a section of config that AWS's tools pass over: [NAME]
				without "profile" */
};

#define RYDE_PROFILES_BYTES_MAX (1 << 20) /* of a file */

/* No settings at all. NULL without memory. */
struct ryde_profiles *ryde_profiles_new(struct ryde_err *err);
/* Wipes what it held. */
void ryde_profiles_free(struct ryde_profiles *p);
/*
 * Adds the settings of one file's text; of equal keys the later one counts. `credentials`
 * says which of the two grammars; file is its name in messages. -1 with RYDE_ECONFIG and
 * "FILE:LINE: …".
 */
int ryde_profiles_parse(struct ryde_profiles *p, struct ryde_view text, bool credentials,
    const char *file, struct ryde_err *err);
/* Adds a file. One that does not exist adds nothing. */
int ryde_profiles_read(
    struct ryde_profiles *p, const char *file, bool credentials, struct ryde_err *err);
/* The files' names into to[4096]: AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, else
 * below ~/.aws. False where there is no home. */
bool ryde_profiles_file(bool credentials, char *to);

bool ryde_profiles_has(
    const struct ryde_profiles *p, enum ryde_profiles_kind kind, const char *name);
/* The value of a key (lower case), or of sub-key `sub` below it; NULL where there is
 * none. Good while p is. */
const char *ryde_profiles_get(const struct ryde_profiles *p, enum ryde_profiles_kind kind,
    const char *name, const char *key, const char *sub);

#endif
