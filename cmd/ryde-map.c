/* ryde-map: where the unicorns are, live, in a browser. */
#include "base/buf.h"
#include "base/log.h"
#include "base/random.h"
#include "cli.h"
#include "engine/map.h"
#include "engine/map_auth.h"
#include "flow/intake.h"
#include "json/string.h"
#include "line/writer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct cli cli;
static struct {
	const char *listen, *tiles, *attribution, *token_file;
	struct ryde_strings hosts;
	struct ryde_map_fields fields;
	int64_t alert, forget_ms, patience_ms;
	bool pass, stay, no_token;
} opt = {
    .listen = "127.0.0.1:8808", .alert = 100, .forget_ms = 30000, .patience_ms = 10000};

static const struct ryde_opt options[] = {
    {"listen", 0, RYDE_OPT_STRING, &opt.listen, "HOST:PORT",
	"where to serve the map; port 0: any (127.0.0.1:8808)", 0, 0},
    {"host", 0, RYDE_OPT_STRINGS, &opt.hosts, "NAME",
	"a name that a reverse proxy calls it by; repeatable", 0, 0},
    {"tiles", 0, RYDE_OPT_STRING, &opt.tiles, "URL",
	"streets from a tile server: https://HOST/{z}/{x}/{y}.png", 0, 0},
    {"attribution", 0, RYDE_OPT_STRING, &opt.attribution, "TEXT",
	"whose tiles they are, as shown on the map", 0, 0},
    {"pass", 0, RYDE_OPT_FLAG, &opt.pass, NULL, "hand the input on to stdout, unchanged",
	0, 0},
    {"stay", 0, RYDE_OPT_FLAG, &opt.stay, NULL,
	"serve on after the end of the input, until a signal", 0, 0},
    {"no-token", 0, RYDE_OPT_FLAG, &opt.no_token, NULL,
	"let everybody look who can connect", 0, 0},
    {"token-file", 0, RYDE_OPT_STRING, &opt.token_file, "FILE",
	"keep the token there, so that it outlives this run", 0, 0},
    {"name", 0, RYDE_OPT_STRING, &opt.fields.name, "PATH", "field of the name (.Name)", 0,
	0},
    {"latitude", 0, RYDE_OPT_STRING, &opt.fields.latitude, "PATH",
	"field of the latitude in degrees (.Latitude)", 0, 0},
    {"longitude", 0, RYDE_OPT_STRING, &opt.fields.longitude, "PATH",
	"field of the longitude in degrees (.Longitude)", 0, 0},
    {"time", 't', RYDE_OPT_STRING, &opt.fields.time, "PATH",
	"field of the time (.StatusTime, else arrival)", 0, 0},
    {"distance", 0, RYDE_OPT_STRING, &opt.fields.distance, "PATH",
	"field of the meters since the line before (.Distance)", 0, 0},
    {"health", 0, RYDE_OPT_STRING, &opt.fields.health, "PATH",
	"first field that is watched (.HealthPoints)", 0, 0},
    {"magic", 0, RYDE_OPT_STRING, &opt.fields.magic, "PATH",
	"second field that is watched (.MagicPoints)", 0, 0},
    {"alert", 0, RYDE_OPT_INT, &opt.alert, "N",
	"a watched field below this is an alert (100)", INT32_MIN, INT32_MAX},
    {"forget", 0, RYDE_OPT_DURATION, &opt.forget_ms, "D",
	"a name goes so long after its last line; 0: never (30s)", 0, 0},
    {"patience", 0, RYDE_OPT_DURATION, &opt.patience_ms, "D",
	"how long a viewer may take nothing, or a request last (10s)", 1, INT64_MAX / 2},
};

static struct cli_program program = {
    .name = "ryde-map",
    .synopsis = "[--listen 127.0.0.1:8808] [--tiles URL] [--pass] [--no-token] [FILE...]",
    .about = "Shows where each name is, live, in a browser: lines with a name, a "
	     "latitude and a\n"
	     "longitude, as soon as they come. The address is printed on stderr.",
    .examples = {"ryde-consume wildrydes | ryde-map",
	"ryde-replay --speed 10x rides.ndjson | ryde-map --pass | ryde-produce -k .Name "
	"wildrydes"},
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .reads_lines = true,
    .is_sink = true,
    .min_operands = 0,
    .max_operands = -1,
};

struct map {
	char token[RYDE_MAP_TOKEN_MAX + 1], life[RYDE_RANDOM_TOKEN + 1];
	struct ryde_buf settings;
};

static void
ready(void *arg, const struct ryde_map_http *http)
{
	const struct map *m = arg;

	if (ryde_map_http_is_public(http))
		ryde_log(RYDE_LOG_WARNING,
		    "other machines can connect, and nothing is encrypted: a reverse "
		    "proxy gives it TLS (man ryde-map)");
	ryde_log(RYDE_LOG_NOTICE, "the map is at %s%s%s", ryde_map_http_url(http),
	    opt.no_token ? "" : "?token=", m->token);
	cli_ready(&cli);
}

static void
tick(void *arg, struct ryde_waits *w, size_t names, size_t viewers)
{
	static size_t said_names = SIZE_MAX, said_viewers;
	char text[80];

	(void)arg;
	if (names != said_names || viewers != said_viewers) {
		(void)snprintf(
		    text, sizeof(text), "%zu on the map, %zu looking", names, viewers);
		cli_note(&cli, text);
		said_names = names;
		said_viewers = viewers;
	}
	cli_tick(&cli, w);
}

/* The last key of a path, for people. */
static void
put_label(struct ryde_buf *b, const char *key, const char *path, const char *other)
{
	const char *text = path != NULL ? path : other;
	const char *dot = strrchr(text, '.');

	ryde_buf_printf(b, "\"%s\":", key);
	ryde_json_string_put(
	    b, ryde_view_of(dot != NULL && dot[1] != '\0' ? dot + 1 : text));
}

static void
put_tiles(struct ryde_buf *b)
{
	const char *whose = opt.attribution;

	if (opt.tiles == NULL) {
		ryde_buf_puts(b, "null");
		return;
	}
	if (whose == NULL)
		whose = strstr(opt.tiles, "openstreetmap.org/") != NULL
			    ? "\302\251 OpenStreetMap contributors"
			    : opt.tiles;
	ryde_buf_puts(b, "{\"url\":");
	ryde_json_string_put(b, ryde_view_of(opt.tiles));
	ryde_buf_puts(b, ",\"attribution\":");
	ryde_json_string_put(b, ryde_view_of(whose));
	ryde_buf_putc(b, '}');
}

/* What the page has to know; lib/engine/map_page/live.js reads it. */
static int
make_settings(struct map *m, struct ryde_err *err)
{
	struct ryde_buf *b = &m->settings;

	ryde_buf_printf(b,
	    "{\"life\":\"%s\",\"version\":\"%s\",\"forget\":%lld,\"alert\":%lld,",
	    m->life, RYDE_VERSION, (long long)opt.forget_ms, (long long)opt.alert);
	put_label(b, "name", opt.fields.name, "Name");
	ryde_buf_putc(b, ',');
	put_label(b, "distance", opt.fields.distance, "Distance");
	ryde_buf_putc(b, ',');
	put_label(b, "health", opt.fields.health, "HealthPoints");
	ryde_buf_putc(b, ',');
	put_label(b, "magic", opt.fields.magic, "MagicPoints");
	ryde_buf_puts(b, ",\"tiles\":");
	put_tiles(b);
	ryde_buf_putc(b, '}');
	return ryde_buf_check(b, err);
}

static int
make_token(struct map *m, struct ryde_err *err)
{
	if (ryde_random_token(m->life, err) != 0)
		return -1;
	if (opt.no_token)
		return 0;
	if (opt.token_file != NULL)
		return ryde_map_auth_token_file(opt.token_file, m->token, err);
	return ryde_random_token(m->token, err);
}

static int
run(struct map *m, struct ryde_intake *in, struct ryde_writer *out, struct ryde_err *err)
{
	const struct ryde_map_opts o = {
	    .fields = opt.fields,
	    .forget_ms = opt.forget_ms,
	    .http = {.listen = opt.listen,
		.hosts = opt.hosts.v,
		.n_hosts = opt.hosts.n,
		.token = opt.no_token ? NULL : m->token,
		.tiles = opt.tiles,
		.patience_ms = opt.patience_ms,
		.settings = ryde_buf_str(&m->settings)},
	    .intake = in,
	    .out = out,
	    .stay = opt.stay,
	    .grace_ms = cli.grace_ms,
	    .books = &cli.books,
	    .ready = ready,
	    .tick = tick,
	    .arg = m,
	};

	return ryde_map(&o, err);
}

/* Lines on the same terminal leave no place for progress; said before the options are. */
static bool
passes(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--pass") == 0)
			return true;
	return false;
}

static void
check_options(void)
{
	if (opt.no_token && opt.token_file != NULL)
		cli_usage(&cli, "--no-token and --token-file exclude each other");
	if (opt.attribution != NULL && opt.tiles == NULL)
		cli_usage(
		    &cli, "--attribution says whose tiles they are: it needs --tiles");
	if (opt.pass && cli.filter != NULL)
		cli_usage(&cli, "--pass hands lines on unchanged, and -f changes them: "
				"filter before, ryde-replay -f ... --speed max");
}

int
main(int argc, char **argv)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_intake_opts input = {.program = program.name};
	struct ryde_intake *in = NULL;
	struct ryde_writer *out = NULL;
	struct map m = {0};
	bool closed = false;
	int status = 0;

	program.is_sink = !passes(argc, argv);
	cli_start(&cli, &program, argc, argv);
	check_options();
	ryde_buf_init(&m.settings, 16384);
	if (make_token(&m, &err) != 0 || make_settings(&m, &err) != 0)
		goto out;
	cli_input(&cli, 0, &input);
	input.role = opt.pass ? RYDE_ACK_FILTER : RYDE_ACK_SINK;
	if (opt.pass && (out = ryde_writer_new(STDOUT_FILENO, &err)) == NULL)
		goto out;
	in = ryde_intake_new(&input, &err);
	if (in == NULL)
		goto out;
	status = run(&m, in, out, &err);
	closed = out != NULL && ryde_writer_closed(out);
out:
	ryde_intake_free(in);
	ryde_writer_free(out);
	ryde_buf_free(&m.settings);
	ryde_strings_free(&opt.hosts);
	if (closed)
		cli_finish_closed(&cli);
	if (err.code == RYDE_EUSAGE)
		cli_usage(&cli, "%s", err.msg);
	return cli_finish(&cli, status, &err);
}
