#include "engine/query_partition.h"

#include "base/buf.h"
#include "base/num.h"

#include <string.h>

/* Takes a folder from the front of *path; what has no slash behind it is the file. */
static bool
next_folder(struct ryde_view *path, struct ryde_view *folder)
{
	const char *slash = path->n > 0 ? memchr(path->p, '/', path->n) : NULL;
	size_t n;

	if (slash == NULL)
		return false;
	n = (size_t)(slash - path->p);
	*folder = ryde_view_mem(path->p, n);
	*path = ryde_view_mem(slash + 1, path->n - n - 1);
	return true;
}

/* Digits of that number, between the two. */
static bool
is_part(struct ryde_view v, size_t digits, int64_t min, int64_t max)
{
	int64_t n;

	if (v.n != digits)
		return false;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	while (v.n > 1 && *v.p == '0')
		v = ryde_view_mem(v.p + 1, v.n - 1);
	return ryde_num_i64(v, min, max, &n);
}

bool
ryde_query_partition_hour(
    struct ryde_view path, struct ryde_view parts[RYDE_QUERY_HOUR_PARTS])
{
	static const struct {
		size_t digits;
		int64_t min, max;
	} form[RYDE_QUERY_HOUR_PARTS] = {
	    {4, 1, 9999}, {2, 1, 12}, {2, 1, 31}, {2, 0, 23}};
	struct ryde_view last[RYDE_QUERY_HOUR_PARTS] = {{0}}, folder;
	bool found = false;

	while (next_folder(&path, &folder)) {
		bool is = true;

		memmove(last, last + 1, sizeof(last) - sizeof(last[0]));
		last[RYDE_QUERY_HOUR] = folder;
		for (int i = 0; i < RYDE_QUERY_HOUR_PARTS; i++)
			is = is &&
			     is_part(last[i], form[i].digits, form[i].min, form[i].max);
		if (is) {
			memcpy(parts, last, sizeof(last));
			found = true;
		}
	}
	return found;
}

bool
ryde_query_partition_next(
    struct ryde_view *path, struct ryde_view *key, struct ryde_view *value)
{
	struct ryde_view folder;

	while (next_folder(path, &folder)) {
		const char *equal = folder.n > 0 ? memchr(folder.p, '=', folder.n) : NULL;
		size_t n;

		if (equal == NULL || equal == folder.p)
			continue;
		n = (size_t)(equal - folder.p);
		*key = ryde_view_mem(folder.p, n);
		*value = ryde_view_mem(equal + 1, folder.n - n - 1);
		return true;
	}
	return false;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void
ryde_query_partition_decode(struct ryde_buf *to, struct ryde_view v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '%' && i + 2 < v.n && hex(v.p[i + 1]) >= 0 &&
		    hex(v.p[i + 2]) >= 0) {
			ryde_buf_putc(to, (char)(hex(v.p[i + 1]) * 16 + hex(v.p[i + 2])));
			i += 2;
		} else {
			ryde_buf_putc(to, v.p[i]);
		}
	}
}
