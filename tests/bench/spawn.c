/*
 * What ryde-process is measured against: batches of N lines of stdin to a new process each, posix_spawn, a pipe, a wait,
 * and no more. usage: spawn N COMMAND [ARG...]
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void
run(char **argv, const char *data, size_t n)
{
	posix_spawn_file_actions_t actions;
	int fds[2], status;
	pid_t pid;

	if (pipe(fds) != 0)
		exit(71);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[0], 0);
	posix_spawn_file_actions_addclose(&actions, fds[0]);
	posix_spawn_file_actions_addclose(&actions, fds[1]);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) != 0)
		exit(71);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[0]);
	while (n > 0) {
		ssize_t done = write(fds[1], data, n);

		if (done <= 0)
			break;
		data += done;
		n -= (size_t)done;
	}
	close(fds[1]);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		exit(65);
}

int
main(int argc, char **argv)
{
	static char batch[16 << 20];
	char line[65536];
	size_t n = 0;
	long size = argc > 2 ? strtol(argv[1], NULL, 10) : 0, lines = 0;

	if (size < 1)
		return 64;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		size_t len = strlen(line);

		if (n + len > sizeof(batch))
			return 65;
		memcpy(batch + n, line, len);
		n += len;
		if (++lines == size) {
			run(argv + 2, batch, n);
			n = 0;
			lines = 0;
		}
	}
	if (n > 0)
		run(argv + 2, batch, n);
	return 0;
}
