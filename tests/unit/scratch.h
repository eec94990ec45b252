/* A folder of its own for a test: scratch_begin makes it and goes there, scratch_end
 * removes it. */
#ifndef RYDE_TESTS_SCRATCH_H
#define RYDE_TESTS_SCRATCH_H

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch_dir[] = "/tmp/ryde-unit-XXXXXX";

static inline int
scratch_begin(void)
{
	return mkdtemp(scratch_dir) != NULL && chdir(scratch_dir) == 0 ? 0 : -1;
}

static inline void
scratch_end(void)
{
	pid_t pid = chdir("/") == 0 ? fork() : -1;

	if (pid == 0) {
		(void)execlp("rm", "rm", "-rf", scratch_dir, (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

#endif
