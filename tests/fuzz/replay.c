/*
 * Runs a fuzz target on each file named on the command line, or in a directory named
 * there, so that the corpus is part of every check, without an engine. Link it with one
 * target. 0 when all files ran; a fault ends it by signal.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t cap = 1 << 16, n = 0, got;
	uint8_t *data = NULL, *grown;
	int result = -1;

	if (f == NULL)
		goto out;
	do {
		cap *= 2;
		grown = realloc(data, cap);
		if (grown == NULL)
			goto out;
		data = grown;
		got = fread(data + n, 1, cap - n, f);
		n += got;
	} while (n == cap);
	if (ferror(f))
		goto out;
	/* A copy of the exact size, so that tools that watch memory see a byte read too
	 * far. */
	grown = malloc(n > 0 ? n : 1);
	if (grown == NULL)
		goto out;
	memcpy(grown, data, n);
	(void)LLVMFuzzerTestOneInput(grown, n);
	free(grown);
	result = 0;
out:
	if (result != 0)
		perror(path);
	free(data);
	if (f != NULL)
		(void)fclose(f);
	return result;
}

/* Counts the files that ran in *n. */
static int
replay(const char *path, size_t *n)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char file[4096];
	int result = 0;

	if (dir == NULL) {
		++*n;
		return replay_file(path);
	}
	while (result == 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(file, sizeof(file), "%s/%s", path, entry->d_name) >=
		    (int)sizeof(file)) {
			fprintf(stderr, "%s: a name too long\n", path);
			result = -1;
			break;
		}
		++*n;
		result = replay_file(file);
	}
	(void)closedir(dir);
	return result;
}

int
main(int argc, char **argv)
{
	size_t n = 0;

	for (int i = 1; i < argc; i++) {
		if (replay(argv[i], &n) != 0)
			return 1;
	}
	printf("%zu inputs\n", n);
	return 0;
}
