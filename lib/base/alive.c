#include "base/alive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PART_MAX 64

/* The first line of a small file; false where it cannot be read. */
static bool
read_line(const char *path, char *to, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, to, room - 1);
	(void)close(fd);
	if (n <= 0)
		return false;
	to[n] = '\0';
	to[strcspn(to, "\n")] = '\0';
	return true;
}

/* BOOT/NAMESPACE, the part that all processes here share. */
static bool
put_place(char *to, size_t room)
{
	char boot[PART_MAX], space[PART_MAX];
	ssize_t n = readlink("/proc/self/ns/pid", space, sizeof(space) - 1);

	if (n <= 0 || !read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot)))
		return false;
	space[n] = '\0';
	return snprintf(to, room, "%.40s/%.32s", boot, space) < (int)room;
}

/* When the process began, in clock ticks since the boot: field 22, the 20th behind the
 * name. */
static bool
start_of(const char *pid, char *to, size_t room)
{
	char path[PART_MAX], stat[1024];
	const char *p;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	if (!read_line(path, stat, sizeof(stat)))
		return false;
	p = strrchr(stat, ')');
	for (int i = 0; p != NULL && i < 20; i++)
		p = strchr(p + 1, ' ');
	if (p == NULL)
		return false;
	return snprintf(to, room, "%.*s", (int)strcspn(p + 1, " "), p + 1) < (int)room;
}

void
ryde_alive_identity(char to[RYDE_ALIVE_MAX])
{
	char place[100], pid[24], start[24];

	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	if (!put_place(place, sizeof(place)) || !start_of(pid, start, sizeof(start)) ||
	    snprintf(to, RYDE_ALIVE_MAX, "%s/%s/%s", place, pid, start) >= RYDE_ALIVE_MAX)
		to[0] = '\0';
}

bool
ryde_alive_is_gone(const char *identity)
{
	char place[100], pid[24], start[24];
	const char *p = identity;
	size_t n;

	if (!put_place(place, sizeof(place)))
		return false;
	n = strlen(place);
	if (strncmp(identity, place, n) != 0 || identity[n] != '/')
		return false;
	p += n + 1;
	n = strcspn(p, "/");
	if (p[n] != '/' || n == 0 || n >= sizeof(pid) || strspn(p, "0123456789") != n)
		return false;
	memcpy(pid, p, n);
	pid[n] = '\0';
	errno = 0;
	if (start_of(pid, start, sizeof(start)))
		return strcmp(start, p + n + 1) != 0;
	return errno == ENOENT || errno == ESRCH;
}
