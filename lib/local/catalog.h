/* What is there in the embedded store: the files of its directory. */
#ifndef RYDE_LOCAL_CATALOG_H
#define RYDE_LOCAL_CATALOG_H

#include <stdbool.h>

struct ryde_err;

/* Calls fn for each resource in a folder ("streams", "tables", "queues") of dir, sorted
 * by name. A folder that is not there is empty. */
int ryde_catalog_local_list(const char *dir, const char *folder,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err);
bool ryde_catalog_local_has(const char *dir, const char *folder, const char *name);

#define RYDE_CATALOG_NEAR_MAX 300
/* " (did you mean X or Y?)" for a name that is not there; "" where none is near. */
void ryde_catalog_local_near(const char *dir, const char *folder, const char *name,
    char text[RYDE_CATALOG_NEAR_MAX]);

#endif
