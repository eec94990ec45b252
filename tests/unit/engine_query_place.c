/* Where the objects of an archive lie. Source: engine/query_place.h. */
#include "engine/query_place.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "check.h"
#include "scratch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static void
make(const char *path, const char *text)
{
	struct ryde_err err = RYDE_ERR_INIT;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && ryde_file_write_all(fd, ryde_view_of(text), path, &err) == 0,
	    "%s", path);
	(void)close(fd);
}

struct seen {
	char names[20][80];
	size_t n;
	int64_t bytes;
	size_t most;
};

static int
see(void *arg, const char *name, int64_t size_bytes, struct ryde_err *err)
{
	struct seen *s = arg;

	(void)err;
	if (s->n == s->most)
		return 1;
	(void)snprintf(s->names[s->n++], sizeof(s->names[0]), "%s", name);
	s->bytes += size_bytes;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Lists the place; the names in order, with a blank behind each. */
static void
lists(const char *path, const char *want, int64_t bytes)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_query_place *p = ryde_query_place_open(NULL, path, &err);
	struct seen s = {.most = 20};
	struct ryde_buf b;

	CHECK(p != NULL && p->ops->list(p, see, &s, &err) == 0, "%s", err.msg);
	qsort(s.names, s.n, sizeof(s.names[0]), by_name);
	ryde_buf_init(&b, 4000);
	for (size_t i = 0; i < s.n; i++)
		ryde_buf_printf(&b, "%s ", s.names[i]);
	CHECK(strcmp(ryde_buf_str(&b), want) == 0, "%s", ryde_buf_str(&b));
	CHECK(s.bytes == bytes, "%lld", (long long)s.bytes);
	ryde_buf_free(&b);
	if (p != NULL)
		p->ops->close(p);
}

static void
test_files(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_query_place *p = ryde_query_place_open(NULL, "a", &err);
	struct ryde_buf path;
	int fd = 0;

	ryde_buf_init(&path, 1000);
	CHECK(p != NULL && strcmp(p->path, "a/") == 0);
	CHECK(p->ops->file(p, "d/two", &path, &fd, &err) == 0 && fd == -1);
	CHECK(strcmp(ryde_buf_str(&path), "a/d/two") == 0, "%s", ryde_buf_str(&path));
	p->ops->close(p);
	ryde_buf_clear(&path);
	p = ryde_query_place_open(NULL, "a/one", &err);
	CHECK(p != NULL && p->ops->file(p, "", &path, &fd, &err) == 0 && fd == -1);
	CHECK(strcmp(ryde_buf_str(&path), "a/one") == 0, "%s", ryde_buf_str(&path));
	p->ops->close(p);
	ryde_buf_free(&path);
}

static void
test_ends(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_query_place *p = ryde_query_place_open(NULL, "nothing", &err);
	struct seen s = {.most = 1};

	CHECK(p == NULL && err.code == RYDE_ENOINPUT, "%s", err.msg);
	err = (struct ryde_err)RYDE_ERR_INIT;
	p = ryde_query_place_open(NULL, "a", &err);
	CHECK(p != NULL && p->ops->list(p, see, &s, &err) == -1 && s.n == 1);
	p->ops->close(p);
	/* a folder that leads to itself ends, and says so */
	CHECK(mkdir("round", 0700) == 0 && symlink(".", "round/again") == 0);
	s = (struct seen){.most = 20};
	p = ryde_query_place_open(NULL, "round", &err);
	CHECK(p != NULL && p->ops->list(p, see, &s, &err) == -1 && err.code != RYDE_OK,
	    "%s", err.msg);
	p->ops->close(p);
}

int
main(void)
{
	CHECK(scratch_begin() == 0);
	CHECK(mkdir("a", 0700) == 0 && mkdir("a/d", 0700) == 0 &&
	      mkdir("a/.hidden", 0700) == 0 && mkdir("a/_left", 0700) == 0 &&
	      mkdir("a/empty", 0700) == 0);
	make("a/one", "1\n");
	make("a/d/two", "22\n");
	make("a/.dot", "x\n");
	make("a/_SUCCESS", "x\n");
	make("a/.hidden/x", "x\n");
	make("a/_left/x", "x\n");
	CHECK(symlink("nowhere", "a/dangling") == 0 && symlink("one", "a/link") == 0);
	lists("a", "d/two link one ", 7);
	lists("a/", "d/two link one ", 7);
	lists("a/empty", "", 0);
	lists("a/one", " ", 2);
	lists("a/.hidden", "x ", 2);
	test_files();
	test_ends();
	scratch_end();
	return check_end("engine_query_place");
}
