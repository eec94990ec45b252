#include "engine/query_print.h"

#include <string.h>

const struct ryde_query_printer *
ryde_query_print(const char *name)
{
	static const struct ryde_query_printer *const all[] = {&ryde_query_print_table,
	    &ryde_query_print_ndjson, &ryde_query_print_csv, &ryde_query_print_tsv,
	    &ryde_query_print_chart};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}
