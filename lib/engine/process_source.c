#include "engine/process_source.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/string.h"

#include <stdlib.h>

int
ryde_process_source_init(struct ryde_process_source *s, struct ryde_view raw_ack,
    struct ryde_view raw_stream, struct ryde_err *err)
{
	*s = (struct ryde_process_source){ryde_view_copy(raw_ack),
	    ryde_json_string_copy(raw_ack), ryde_json_string_copy(raw_stream), false};
	if (s->raw != NULL && s->ack != NULL && s->stream != NULL)
		return 0;
	ryde_process_source_free(s);
	return ryde_err_nomem(err);
}

void
ryde_process_source_free(struct ryde_process_source *s)
{
	free(s->raw);
	free(s->ack);
	free(s->stream);
}
