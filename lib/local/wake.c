#include "local/wake.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

int
ryde_wake_open(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

void
ryde_wake_call(int fd)
{
	/* what is written does not matter, nor whether it could be */
	if (fd >= 0 && pwrite(fd, "", 1, 0) != 1)
		return;
}

int
ryde_wake_watch(const char *path)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0)
		return -1;
	/* IN_ATTRIB: the file was unlinked, because the stream was deleted */
	if (inotify_add_watch(fd, path, IN_MODIFY | IN_ATTRIB) < 0) {
		/* made by the first writer, or by us */
		(void)close(ryde_wake_open(path));
		if (inotify_add_watch(fd, path, IN_MODIFY | IN_ATTRIB) < 0) {
			(void)close(fd);
			return -1;
		}
	}
	return fd;
}

void
ryde_wake_drain(int fd)
{
	char events[4096] __attribute__((aligned(8)));

	while (fd >= 0 && read(fd, events, sizeof(events)) == (ssize_t)sizeof(events))
		continue;
}
