/* Signatures. Source: the AWS signing test suite (aws_sigv4_cases.h); the example of
 * "Signature Calculations for the Authorization Header" in the S3 API reference for S3's
 * form. */
#include "aws/sigv4.h"
#include "aws_sigv4_cases.h"
#include "base/buf.h"
#include "base/err.h"
#include "check.h"

#include <stdlib.h>

#define AT 1440938160 /* 2015-08-30T12:36:00Z */

static struct ryde_sigv4 *signer;
static const struct ryde_sigv4_scope scope = {"AKIDEXAMPLE",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service", AT};

static struct ryde_sigv4_header headers[48];
static size_t n_headers;

static void
add(const char *name, const char *value)
{
	headers[n_headers++] =
	    (struct ryde_sigv4_header){ryde_view_of(name), ryde_view_of(value)};
}

/* "Name:value" lines into headers[]; a folded line belongs to the value before it. */
static void
read_headers(const char *text)
{
	n_headers = 0;
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");
		const char *colon = memchr(text, ':', n);

		if (*text == ' ') {
			headers[n_headers - 1].value.n =
			    (size_t)(text + n - headers[n_headers - 1].value.p);
		} else {
			headers[n_headers].name =
			    ryde_view_mem(text, (size_t)(colon - text));
			headers[n_headers++].value =
			    ryde_view_mem(colon + 1, (size_t)(text + n - colon - 1));
		}
		text += n + (text[n] == '\n');
	}
}

static void
test_case(size_t i)
{
	struct ryde_sigv4_request r = {.method = ryde_view_of(cases[i].method),
	    .path = ryde_view_of(cases[i].path),
	    .query = ryde_view_of(cases[i].query),
	    .path_keeps_dots = cases[i].flags & KEEPS_DOTS};
	char hash[RYDE_SIGV4_HEX + 1], signature[RYDE_SIGV4_HEX + 1];
	struct ryde_buf canonical, names;

	ryde_buf_init(&canonical, 65536);
	ryde_buf_init(&names, 65536);
	read_headers(cases[i].headers);
	add("X-Amz-Date", "20150830T123600Z");
	(void)ryde_sigv4_sha256(signer, ryde_view_of(cases[i].body), hash, NULL);
	if (cases[i].flags & SIGNS_BODY)
		add("x-amz-content-sha256", hash);
	if (cases[i].token != NULL && !(cases[i].flags & TOKEN_BEHIND))
		add("X-Amz-Security-Token", cases[i].token);
	r.headers = headers;
	r.n_headers = n_headers;
	r.payload_hash = ryde_view_of(hash);
	CHECK(
	    ryde_sigv4_canonical(&r, &canonical, &names, NULL) == 0, "%s", cases[i].name);
	CHECK(strcmp(ryde_buf_str(&canonical), cases[i].canonical) == 0, "%s: got\n%s",
	    cases[i].name, ryde_buf_str(&canonical));
	CHECK(ryde_sigv4_signature(
		  signer, &scope, ryde_buf_as_view(&canonical), signature, NULL) == 0 &&
		  strcmp(signature, cases[i].signature) == 0,
	    "%s: %s", cases[i].name, signature);
	ryde_buf_free(&canonical);
	ryde_buf_free(&names);
}

/* The same request with its signature in the query. */
static void
test_query_case(size_t i)
{
	struct ryde_sigv4_request r = {.method = ryde_view_of(cases[i].method),
	    .path = ryde_view_of(cases[i].path),
	    .path_keeps_dots = cases[i].flags & KEEPS_DOTS};
	char hash[RYDE_SIGV4_HEX + 1], signature[RYDE_SIGV4_HEX + 1];
	struct ryde_buf canonical, names, query;

	ryde_buf_init(&canonical, 65536);
	ryde_buf_init(&names, 65536);
	ryde_buf_init(&query, 65536);
	read_headers(cases[i].headers);
	r.headers = headers;
	r.n_headers = n_headers;
	(void)ryde_sigv4_sha256(signer, ryde_view_of(cases[i].body), hash, NULL);
	r.payload_hash = ryde_view_of(hash);
	(void)ryde_sigv4_canonical(&r, &canonical, &names, NULL); /* for the names */
	ryde_buf_clear(&canonical);
	ryde_buf_printf(&query,
	    "%s%sX-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE/20150830/"
	    "us-east-1/service/"
	    "aws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=%s&X-Amz-"
	    "Expires=3600",
	    cases[i].query, cases[i].query[0] != '\0' ? "&" : "", ryde_buf_str(&names));
	if (cases[i].token != NULL && !(cases[i].flags & TOKEN_BEHIND)) {
		ryde_buf_puts(&query, "&X-Amz-Security-Token=");
		ryde_sigv4_encode(&query, ryde_view_of(cases[i].token), false);
	}
	r.query = ryde_buf_as_view(&query);
	(void)ryde_sigv4_canonical(&r, &canonical, &names, NULL);
	CHECK(ryde_sigv4_signature(
		  signer, &scope, ryde_buf_as_view(&canonical), signature, NULL) == 0 &&
		  strcmp(signature, cases[i].query_signature) == 0,
	    "%s in the query: %s of\n%s", cases[i].name, signature,
	    ryde_buf_str(&canonical));
	ryde_buf_free(&canonical);
	ryde_buf_free(&names);
	ryde_buf_free(&query);
}

/* S3: the path as it is, and the payload's hash among the headers. */
static void
test_s3(void)
{
	static const struct ryde_sigv4_scope s3 = {"AKIAIOSFODNN7EXAMPLE",
	    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3", 1369353600};
	struct ryde_sigv4_request r = {.method = ryde_view_of("GET"),
	    .path = ryde_view_of("/test.txt"),
	    .query = ryde_view_of(""),
	    .headers = headers,
	    .path_is_canonical = true};
	char empty[RYDE_SIGV4_HEX + 1];
	struct ryde_buf out;

	(void)ryde_sigv4_sha256(signer, ryde_view_of(""), empty, NULL);
	n_headers = 0;
	add("Range", "bytes=0-9");
	add("x-amz-date", "20130524T000000Z");
	add("x-amz-content-sha256", empty);
	add("Host", "examplebucket.s3.amazonaws.com");
	add("User-Agent", "never signed");
	add("Expect", "100-continue");
	r.n_headers = n_headers;
	r.payload_hash = ryde_view_of(empty);
	ryde_buf_init(&out, 4096);
	CHECK(ryde_sigv4_authorization(signer, &s3, &r, &out, NULL) == 0, " ");
	CHECK(
	    strcmp(ryde_buf_str(&out),
		"AWS4-HMAC-SHA256 "
		"Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
		"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
		"Signature="
		"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41") == 0,
	    "%s", ryde_buf_str(&out));
	ryde_buf_free(&out);
}

static const struct {
	const char *path;
	bool canonical, keeps_dots;
	const char *want;
} paths[] = {
    {"", false, false, "/"},
    {"/", false, false, "/"},
    {"/a%20b", false, false, "/a%2520b"}, /* encoded once more */
    {"/a%20b//./c", true, false, "/a%20b//./c"},
    {"/a/./b/../..", false, false, "/"},
    {"/a/..", false, false, "/"},
    {"/a/b/..", false, false, "/a/"},
    {"/../../x", false, false, "/x"},
    {"//a//", false, false, "/a/"},
    {"//a//", false, true, "//a//"},
    {"/...", false, false, "/..."},
};

static void
test_paths(void)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct ryde_sigv4_request r = {.method = ryde_view_of("GET"),
		    .path = ryde_view_of(paths[i].path),
		    .path_is_canonical = paths[i].canonical,
		    .path_keeps_dots = paths[i].keeps_dots};
		struct ryde_buf out, names;
		size_t n = strlen(paths[i].want);

		ryde_buf_init(&out, 4096);
		ryde_buf_init(&names, 4096);
		(void)ryde_sigv4_canonical(&r, &out, &names, NULL);
		CHECK(out.n > n + 4 && memcmp(out.p + 4, paths[i].want, n) == 0 &&
			  out.p[4 + n] == '\n',
		    "%s: %s", paths[i].path, ryde_buf_str(&out));
		ryde_buf_free(&out);
		ryde_buf_free(&names);
	}
}

/* Too many parts are refused, and so is a key that does not fit. */
static void
test_limits(void)
{
	struct ryde_sigv4_request r = {
	    .method = ryde_view_of("GET"), .path = ryde_view_of("/")};
	struct ryde_sigv4_scope long_key = scope;
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf out, query;
	char key[600];

	ryde_buf_init(&out, 65536);
	ryde_buf_init(&query, 65536);
	n_headers = 0;
	for (int i = 0; i < RYDE_SIGV4_HEADERS_MAX + 1; i++)
		add("x", "y");
	r.headers = headers;
	r.n_headers = n_headers;
	CHECK(ryde_sigv4_authorization(signer, &scope, &r, &out, &err) == -1 &&
		  err.code == RYDE_EUSAGE,
	    " ");
	r.n_headers = 1;
	for (int i = 0; i < RYDE_SIGV4_PARAMS_MAX + 1; i++)
		ryde_buf_puts(&query, "a&");
	r.query = ryde_buf_as_view(&query);
	CHECK(ryde_sigv4_authorization(signer, &scope, &r, &out, &err) == -1 &&
		  err.code == RYDE_EUSAGE,
	    " ");
	r.query.n -= 2;
	CHECK(ryde_sigv4_authorization(signer, &scope, &r, &out, &err) == 0,
	    "as many as there may be");
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	long_key.secret_key = key;
	CHECK(ryde_sigv4_authorization(signer, &long_key, &r, &out, &err) == -1 &&
		  err.code == RYDE_ECONFIG,
	    " ");
	key[511] = '\0'; /* longer than HMAC's block: hashed first */
	CHECK(ryde_sigv4_authorization(signer, &long_key, &r, &out, &err) == 0, " ");
	ryde_buf_free(&out);
	ryde_buf_free(&query);
}

/* More scopes than signing keys are kept, in turn: each has its own signature every time,
 * and so has a new secret of the same access key, and a new day. */
static void
test_cache(void)
{
	char first[24][RYDE_SIGV4_HEX + 1], again[RYDE_SIGV4_HEX + 1], region[16],
	    secret[16];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 24; i++) {
			struct ryde_sigv4_scope s = scope;

			(void)snprintf(region, sizeof(region), "region-%d", i % 3);
			(void)snprintf(secret, sizeof(secret), "secret-%d", i / 12);
			s.region = region;
			s.secret_key = secret;
			s.at_unix_s += 86400 * (i / 3 % 4);
			(void)ryde_sigv4_signature(signer, &s, ryde_view_of("x"),
			    round == 0 ? first[i] : again, NULL);
			CHECK(round == 0 || strcmp(first[i], again) == 0, "scope %d", i);
		}
	}
	for (int i = 0; i < 24; i++)
		for (int j = 0; j < i; j++)
			CHECK(strcmp(first[i], first[j]) != 0, "scopes %d and %d", i, j);
}

int
main(void)
{
	signer = ryde_sigv4_new(NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_case(i);
		test_query_case(i);
	}
	test_s3();
	test_paths();
	test_limits();
	test_cache();
	ryde_sigv4_free(signer);
	return check_end("aws_sigv4");
}
