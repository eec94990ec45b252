#include "aws/sigv4.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/timestamp.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define SUM 32	 /* bytes of a SHA-256 */
#define BLOCK 64 /* of its input */
#define KEYS 8
#define TEXT_MAX 512 /* of an access key, region, service; and of a secret */

/* HMAC with its key worked in: copied for each message. */
struct hmac {
	EVP_MD_CTX *inner, *outer;
};

/* A signing key, and what it was derived from. */
struct key {
	struct hmac hmac;
	char access[TEXT_MAX], secret[TEXT_MAX], region[TEXT_MAX], service[TEXT_MAX];
	int64_t day;
	uint64_t used; /* when, in calls; 0: this entry is free */
};

struct ryde_sigv4 {
	EVP_MD *md;
	EVP_MD_CTX *work;
	uint64_t calls;
	struct key keys[KEYS];
	struct ryde_buf canonical, names;
};

static int
broken(struct ryde_err *err)
{
	return ryde_err_set(err, RYDE_ECONFIG, "OpenSSL gives no SHA-256 here");
}

void
ryde_sigv4_free(struct ryde_sigv4 *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < KEYS; i++) {
		EVP_MD_CTX_free(s->keys[i].hmac.inner);
		EVP_MD_CTX_free(s->keys[i].hmac.outer);
	}
	EVP_MD_CTX_free(s->work);
	EVP_MD_free(s->md);
	ryde_buf_free(&s->canonical);
	ryde_buf_free(&s->names);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

struct ryde_sigv4 *
ryde_sigv4_new(struct ryde_err *err)
{
	struct ryde_sigv4 *s = calloc(1, sizeof(*s));
	bool good;

	if (s == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	ryde_buf_init(&s->canonical, 4 << 20);
	ryde_buf_init(&s->names, 65536);
	s->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	s->work = EVP_MD_CTX_new();
	good = s->md != NULL && s->work != NULL;
	for (size_t i = 0; i < KEYS; i++) {
		s->keys[i].hmac.inner = EVP_MD_CTX_new();
		s->keys[i].hmac.outer = EVP_MD_CTX_new();
		good = good && s->keys[i].hmac.inner != NULL &&
		       s->keys[i].hmac.outer != NULL;
	}
	if (good)
		return s;
	(void)broken(err);
	ryde_sigv4_free(s);
	return NULL;
}

/* ---- SHA-256 and HMAC ---- */

static bool
digest(struct ryde_sigv4 *s, const void *p, size_t n, unsigned char *sum)
{
	return EVP_DigestInit_ex2(s->work, s->md, NULL) == 1 &&
	       EVP_DigestUpdate(s->work, p, n) == 1 &&
	       EVP_DigestFinal_ex(s->work, sum, NULL) == 1;
}

static void
to_hex(const unsigned char *sum, char *to)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < SUM; i++) {
		to[2 * i] = hex[sum[i] >> 4];
		to[2 * i + 1] = hex[sum[i] & 15];
	}
	to[2 * SUM] = '\0';
}

/* Source: RFC 2104. */
static bool
hmac_set(struct ryde_sigv4 *s, struct hmac *h, const void *key, size_t n)
{
	unsigned char pad[BLOCK] = {0}, inner[BLOCK], outer[BLOCK];
	bool good = true;

	if (n > BLOCK)
		good = digest(s, key, n, pad);
	else
		memcpy(pad, key, n);
	for (size_t i = 0; i < BLOCK; i++) {
		inner[i] = pad[i] ^ 0x36;
		outer[i] = pad[i] ^ 0x5c;
	}
	good = good && EVP_DigestInit_ex2(h->inner, s->md, NULL) == 1 &&
	       EVP_DigestUpdate(h->inner, inner, BLOCK) == 1 &&
	       EVP_DigestInit_ex2(h->outer, s->md, NULL) == 1 &&
	       EVP_DigestUpdate(h->outer, outer, BLOCK) == 1;
	OPENSSL_cleanse(pad, BLOCK);
	OPENSSL_cleanse(inner, BLOCK);
	OPENSSL_cleanse(outer, BLOCK);
	return good;
}

static bool
hmac_of(
    struct ryde_sigv4 *s, const struct hmac *h, struct ryde_view text, unsigned char *sum)
{
	return EVP_MD_CTX_copy_ex(s->work, h->inner) == 1 &&
	       EVP_DigestUpdate(s->work, text.p, text.n) == 1 &&
	       EVP_DigestFinal_ex(s->work, sum, NULL) == 1 &&
	       EVP_MD_CTX_copy_ex(s->work, h->outer) == 1 &&
	       EVP_DigestUpdate(s->work, sum, SUM) == 1 &&
	       EVP_DigestFinal_ex(s->work, sum, NULL) == 1;
}

/* ---- signing keys ---- */

static bool
is_for(const struct key *k, const struct ryde_sigv4_scope *scope)
{
	return k->used != 0 && k->day == scope->at_unix_s / 86400 &&
	       strcmp(k->access, scope->access_key) == 0 &&
	       strcmp(k->region, scope->region) == 0 &&
	       strcmp(k->service, scope->service) == 0 &&
	       strcmp(k->secret, scope->secret_key) == 0;
}

static bool
derive(struct ryde_sigv4 *s, struct key *k, const struct ryde_sigv4_scope *scope,
    const char *day)
{
	const char *const steps[] = {day, scope->region, scope->service, "aws4_request"};
	unsigned char sum[SUM];
	char first[TEXT_MAX + 4];
	int n = snprintf(first, sizeof(first), "AWS4%s", scope->secret_key);
	bool good = n > 0 && hmac_set(s, &k->hmac, first, (size_t)n);

	for (size_t i = 0; good && i < sizeof(steps) / sizeof(steps[0]); i++)
		good = hmac_of(s, &k->hmac, ryde_view_of(steps[i]), sum) &&
		       hmac_set(s, &k->hmac, sum, SUM);
	OPENSSL_cleanse(first, sizeof(first));
	OPENSSL_cleanse(sum, sizeof(sum));
	return good;
}

static int
too_long(const struct ryde_sigv4_scope *scope, struct ryde_err *err)
{
	if (strlen(scope->access_key) < TEXT_MAX &&
	    strlen(scope->secret_key) < TEXT_MAX && strlen(scope->region) < TEXT_MAX &&
	    strlen(scope->service) < TEXT_MAX)
		return 0;
	return ryde_err_set(err, RYDE_ECONFIG,
	    "an access key, secret key or region of %d characters or more", TEXT_MAX);
}

/* The key of a scope: one at hand, or derived in place of the one that was not used for
 * longest. */
static struct key *
key_of(struct ryde_sigv4 *s, const struct ryde_sigv4_scope *scope, const char *day,
    struct ryde_err *err)
{
	struct key *oldest = &s->keys[0];

	for (size_t i = 0; i < KEYS; i++) {
		struct key *k = &s->keys[i];

		if (is_for(k, scope)) {
			k->used = ++s->calls;
			return k;
		}
		if (k->used < oldest->used)
			oldest = k;
	}
	if (too_long(scope, err) != 0)
		return NULL;
	oldest->used = 0;
	if (!derive(s, oldest, scope, day)) {
		(void)broken(err);
		return NULL;
	}
	oldest->day = scope->at_unix_s / 86400;
	(void)snprintf(oldest->access, TEXT_MAX, "%s", scope->access_key);
	(void)snprintf(oldest->secret, TEXT_MAX, "%s", scope->secret_key);
	(void)snprintf(oldest->region, TEXT_MAX, "%s", scope->region);
	(void)snprintf(oldest->service, TEXT_MAX, "%s", scope->service);
	oldest->used = ++s->calls;
	return oldest;
}

/* ---- what others call ---- */

void
ryde_sigv4_time(int64_t at_unix_s, char *to)
{
	struct ryde_civil c = ryde_timestamp_civil(at_unix_s * 1000);

	/* the year has four digits for some millennia */
	(void)snprintf(to, RYDE_SIGV4_TIME + 1, "%04u%02u%02uT%02u%02u%02uZ",
	    (unsigned)(c.year % 10000), (unsigned)c.month % 100, (unsigned)c.day % 100,
	    (unsigned)c.hour % 100, (unsigned)c.minute % 100, (unsigned)c.second % 100);
}

int
ryde_sigv4_sha256(
    struct ryde_sigv4 *s, struct ryde_view bytes, char *to, struct ryde_err *err)
{
	unsigned char sum[SUM];

	if (!digest(s, bytes.p, bytes.n, sum))
		return broken(err);
	to_hex(sum, to);
	return 0;
}

int
ryde_sigv4_signature(struct ryde_sigv4 *s, const struct ryde_sigv4_scope *scope,
    struct ryde_view canonical, char *to, struct ryde_err *err)
{
	char time[RYDE_SIGV4_TIME + 1], day[9], hash[RYDE_SIGV4_HEX + 1];
	unsigned char sum[SUM];
	struct key *key;
	struct ryde_buf text;
	int rc = -1;

	ryde_sigv4_time(scope->at_unix_s, time);
	memcpy(day, time, 8);
	day[8] = '\0';
	key = key_of(s, scope, day, err);
	if (key == NULL || ryde_sigv4_sha256(s, canonical, hash, err) != 0)
		return -1;
	ryde_buf_init(&text, 4096);
	ryde_buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", time,
	    day, scope->region, scope->service, hash);
	if (ryde_buf_check(&text, err) != 0)
		goto out;
	if (!hmac_of(s, &key->hmac, ryde_buf_as_view(&text), sum)) {
		(void)broken(err);
		goto out;
	}
	to_hex(sum, to);
	rc = 0;
out:
	ryde_buf_free(&text);
	return rc;
}

int
ryde_sigv4_authorization(struct ryde_sigv4 *s, const struct ryde_sigv4_scope *scope,
    const struct ryde_sigv4_request *r, struct ryde_buf *out, struct ryde_err *err)
{
	char time[RYDE_SIGV4_TIME + 1], signature[RYDE_SIGV4_HEX + 1];

	ryde_buf_clear(&s->canonical);
	ryde_buf_clear(&s->names);
	if (ryde_sigv4_canonical(r, &s->canonical, &s->names, err) != 0 ||
	    ryde_sigv4_signature(
		s, scope, ryde_buf_as_view(&s->canonical), signature, err) != 0)
		return -1;
	ryde_sigv4_time(scope->at_unix_s, time);
	ryde_buf_printf(out,
	    "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=",
	    scope->access_key, time, scope->region, scope->service);
	ryde_buf_view(out, ryde_buf_as_view(&s->names));
	ryde_buf_printf(out, ", Signature=%s", signature);
	return ryde_buf_check(out, err);
}
