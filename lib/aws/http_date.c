#include "aws/http_date.h"

#include "base/timestamp.h"

#include <stdio.h>

int64_t
ryde_http_date(struct ryde_view v)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const char form[] = "___, 00 ___ 0000 00:00:00 GMT";
	char text[RYDE_TIMESTAMP_MAX];
	const char *p = v.p;
	int64_t at_ms;
	int month;

	if (v.n != sizeof(form) - 1)
		return -1;
	for (size_t i = 0; i < v.n; i++) {
		if (form[i] == '0' ? p[i] < '0' || p[i] > '9'
				   : form[i] != '_' && p[i] != form[i])
			return -1;
	}
	for (month = 0; month < 12; month++)
		if (memcmp(months + 3 * month, p + 8, 3) == 0)
			break;
	if (month == 12)
		return -1;
	(void)snprintf(
	    text, sizeof(text), "%.4s-%02d-%.2s %.8s", p + 12, month + 1, p + 5, p + 17);
	return ryde_timestamp_parse(ryde_view_of(text), &at_ms) ? at_ms / 1000 : -1;
}
