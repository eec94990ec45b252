/* Prefixes of objects. Source: engine/archive_prefix.h; java.time's DateTimeFormatter and
 * Firehose's "Custom prefixes for Amazon S3 objects", by hand. */
#include "engine/archive_prefix.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/timestamp.h"
#include "check.h"
#include "json/path.h"
#include "json/scan.h"

#include <stdlib.h>

static const struct {
	const char *text, *at, *payload, *want; /* want NULL: put says what is wrong */
} rows[] = {
    {"", "2026-11-23T14:05:06.789Z", "{}", "2026/11/23/14/"},
    {"raw/", "2026-01-02T03:04:05Z", "{}", "raw/2026/01/02/03/"},
    {"raw-", "2026-01-02T03:04:05Z", "{}", "raw-2026/01/02/03/"},
    {"!{timestamp:}", "2026-01-02T03:04:05Z", "{}", ""},
    {"!{timestamp:y/M/d/H}/", "2026-01-02T03:04:05Z", "{}", "2026/1/2/3/"},
    {"!{timestamp:yy-uuuu}/", "2026-01-02T03:04:05Z", "{}", "26-2026/"},
    {"!{timestamp:MMM-MMMM-LLL}/", "2026-05-02T03:04:05Z", "{}", "May-May-May/"},
    {"!{timestamp:MMMM}/", "2026-09-02T03:04:05Z", "{}", "September/"},
    {"!{timestamp:D-DDD}/", "2024-12-31T03:04:05Z", "{}", "366-366/"},
    {"!{timestamp:DDD}/", "2025-03-01T00:00:00Z", "{}", "060/"},
    {"!{timestamp:E-EEEE}/", "2026-11-23T00:00:00Z", "{}", "Mon-Monday/"},
    {"!{timestamp:E}/", "1969-12-31T00:00:00Z", "{}", "Wed/"},
    {"!{timestamp:Q-q-QQ}/", "2026-12-01T00:00:00Z", "{}", "4-4-04/"},
    {"!{timestamp:HH-kk-KK-hh-a}/", "2026-01-01T00:30:00Z", "{}", "00-24-00-12-AM/"},
    {"!{timestamp:HH-kk-KK-hh-a}/", "2026-01-01T12:30:00Z", "{}", "12-12-00-12-PM/"},
    {"!{timestamp:HH-kk-KK-hh-a}/", "2026-01-01T23:30:00Z", "{}", "23-23-11-11-PM/"},
    {"!{timestamp:ss.S-SSS-SSSSSS}/", "2026-01-01T00:00:07.089Z", "{}",
	"07.0-089-089000/"},
    {"!{timestamp:A}/", "1970-01-01T00:00:01.5Z", "{}", "1500/"},
    {"!{timestamp:A}/", "1969-12-31T23:59:59.999Z", "{}", "86399999/"},
    {"!{timestamp:z-Z-X-x-xx-xxx}/", "2026-01-01T00:00:00Z", "{}",
	"UTC-+0000-Z-+00-+0000-+00:00/"},
    {"!{timestamp:G}/", "2026-01-01T00:00:00Z", "{}", "AD/"},
    {"!{timestamp:'dt='yyyy'}'}/", "2026-01-01T00:00:00Z", "{}", "dt=2026}/"},
    {"!{timestamp:''yyyy''''}/", "2026-01-01T00:00:00Z", "{}", "'2026''/"},
    {"!{timestamp:yyyy}!{timestamp:MM}/", "2026-01-01T00:00:00Z", "{}", "202601/"},
    {"a!b{c}/!{timestamp:}", "2026-01-01T00:00:00Z", "{}", "a!b{c}/"},
    {"!{ryde:random-string}/!{timestamp:}", "2026-01-01T00:00:00Z", "{}", "\x01/"},
    {"!{firehose:random-string}!{ryde:random-string}/!{timestamp:}",
	"2026-01-01T00:00:00Z", "{}", "\x01\x01/"},
    {"n=!{field:.N}/!{timestamp:}", "2026-01-01T00:00:00Z", "{\"N\":\"x y\"}", "n=x y/"},
    {"!{field:.a.\"}\"}/!{timestamp:}", "2026-01-01T00:00:00Z", "{\"a\":{\"}\":1.50}}",
	"1.50/"},
    {"!{field:.N}/!{timestamp:}", "2026-01-01T00:00:00Z", "{\"N\":true}", "true/"},
    {"!{field:.N}/!{timestamp:}", "2026-01-01T00:00:00Z",
	"{\"N\":\"\\u0000\\n/\\u00e9\"}", "%00%0A%2F\xc3\xa9/"},
    {"!{field:.N}/!{timestamp:}", "2026-01-01T00:00:00Z", "{\"N\":\"..\"}", "%2E./"},
    {"!{field:.N}/!{timestamp:}", "2026-01-01T00:00:00Z", "{\"N\":\"\"}", NULL},
    {"!{field:.N}/!{timestamp:}", "2026-01-01T00:00:00Z", "{\"N\":null}", NULL},
    {"!{field:.N}/!{timestamp:}", "2026-01-01T00:00:00Z", "{}", NULL},
    {"!{field:.N}/!{timestamp:}", "2026-01-01T00:00:00Z", "{\"N\":[1]}", NULL},
    {"!{field:.N}/!{timestamp:}", "2026-01-01T00:00:00Z", "{\"N\":{}}", NULL},
    {"a//!{timestamp:}", "2026-01-01T00:00:00Z", "{}", NULL},
    {"/!{timestamp:}", "2026-01-01T00:00:00Z", "{}", NULL},
    {"a/../!{timestamp:}", "2026-01-01T00:00:00Z", "{}", NULL},
    {"./!{timestamp:}", "2026-01-01T00:00:00Z", "{}", NULL},
    {"0123456789012345678901234567890123456789x!{timestamp:}", "2026-01-01T00:00:00Z",
	"{}", NULL},
};

static const char *const refused[] = {"!{", "!{x}", "!{timestamp:yyyy", "!{timestamp:Y}",
    "!{timestamp:b}", "!{timestamp:yyyyyyyyyy}", "!{timestamp:HHH}", "!{timestamp:'x}",
    "!{timestamp:[y]}", "!{timestamp:#}", "!{field:Name}", "!{field:.N",
    "!{ryde:error-output-type}", "!{ryde:random-string", "!{firehose:x}", "a\nb", "a\x7f",
    "!{partitionKeyFromQuery:x}"};

static void
check_row(size_t i)
{
	struct ryde_json_paths *paths = ryde_json_paths_new();
	struct ryde_json_value values[8];
	struct ryde_json_fault fault;
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_archive_prefix *p;
	const char *wrong;
	struct ryde_buf out;
	int64_t at = 0;

	ryde_buf_init(&out, 4096);
	ryde_buf_puts(&out, "before:");
	p = ryde_archive_prefix_new(rows[i].text, false, paths, &err);
	CHECK(p != NULL, "%s: %s", rows[i].text, err.msg);
	CHECK(ryde_timestamp_parse(ryde_view_of(rows[i].at), &at));
	CHECK(ryde_json_find(ryde_view_of(rows[i].payload), paths, values, &fault) == 0);
	wrong = ryde_archive_prefix_put(p, at, values, &out);
	if (rows[i].want == NULL)
		CHECK(wrong != NULL && out.n == 7, "%s", rows[i].text);
	else
		CHECK(wrong == NULL && strcmp(ryde_buf_str(&out) + 7, rows[i].want) == 0,
		    "%s: %s, not %s (%s)", rows[i].text, ryde_buf_str(&out) + 7,
		    rows[i].want, wrong != NULL ? wrong : "");
	ryde_archive_prefix_free(p);
	ryde_json_paths_free(paths);
	ryde_buf_free(&out);
}

static void
check_refused(const char *text, bool is_error)
{
	struct ryde_json_paths *paths = ryde_json_paths_new();
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(ryde_archive_prefix_new(text, is_error, paths, &err) == NULL, "%s", text);
	CHECK(err.code == RYDE_EUSAGE && err.msg[0] != '\0', "%s", text);
	ryde_json_paths_free(paths);
}

/* A step is where the prefix stays the same: the step of hours, of days, of a
 * millisecond. */
static void
check_steps(void)
{
	static const struct {
		const char *text;
		int64_t step_ms;
		bool fields;
	} steps[] = {{"", 3600000, false}, {"!{timestamp:yyyy}", 86400000, false},
	    {"!{timestamp:mm}", 60000, false}, {"!{timestamp:ss}", 1000, false},
	    {"!{timestamp:yyyySSS}", 1, false}, {"!{timestamp:a}", 3600000, false},
	    {"!{field:.x}!{timestamp:dd}", 86400000, true}};
	struct ryde_json_paths *paths = ryde_json_paths_new();
	struct ryde_err err = RYDE_ERR_INIT;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct ryde_archive_prefix *p =
		    ryde_archive_prefix_new(steps[i].text, false, paths, &err);

		CHECK(p != NULL && ryde_archive_prefix_step_ms(p) == steps[i].step_ms &&
			  ryde_archive_prefix_has_fields(p) == steps[i].fields,
		    "%s", steps[i].text);
		ryde_archive_prefix_free(p);
	}
	ryde_json_paths_free(paths);
}

static void
check_error_prefix(void)
{
	struct ryde_json_paths *paths = ryde_json_paths_new();
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_archive_prefix *p = ryde_archive_prefix_new(
	    "e/!{firehose:error-output-type}/", true, paths, &err);
	struct ryde_buf out;

	ryde_buf_init(&out, 4096);
	CHECK(p != NULL && ryde_archive_prefix_put(p, 0, NULL, &out) == NULL);
	CHECK(strcmp(ryde_buf_str(&out), "e/processing-failed/1970/01/01/00/") == 0);
	check_refused("!{field:.N}/", true);
	ryde_archive_prefix_free(p);
	ryde_json_paths_free(paths);
	ryde_buf_free(&out);
}

static void
check_long(void)
{
	char text[1100];

	memset(text, 'x', sizeof(text));
	text[1025] = '\0';
	check_refused(text, false);
	memset(text, 0, sizeof(text));
	for (int i = 0; i < 130; i++)
		memcpy(text + i * 7, "!{field", 7);
	check_refused(text, false);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(i);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		check_refused(refused[i], false);
	check_steps();
	check_error_prefix();
	check_long();
	return check_end("engine_archive_prefix");
}
