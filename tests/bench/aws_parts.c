/*
 * What sending or receiving records cannot do without, and nothing else: base64, SHA-256 and
 * libcurl. `put URL FILE`: the lines of FILE in bodies of 500 records; `get URL PAGES`: pages
 * of GetRecords, their payloads decoded. Compile with -Ilib and lib/json/base64.c.
 */
#include "json/base64.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char body[8 << 20], answer[16 << 20], plain[1 << 20];
static size_t answer_n;

static size_t
take(char *p, size_t size, size_t n, void *arg)
{
	(void)arg;
	if (answer_n + size * n < sizeof(answer)) {
		memcpy(answer + answer_n, p, size * n);
		answer_n += size * n;
	}
	return size * n;
}

static void
post(CURL *curl, size_t n)
{
	unsigned char sum[64];
	unsigned sum_n;

	answer_n = 0;
	EVP_Digest(body, n, sum, &sum_n, EVP_sha256(), NULL);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)n);
	if (curl_easy_perform(curl) != CURLE_OK)
		exit(1);
}

static void
put(CURL *curl, const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n = 0, records = 0;
	static char line[65536];

	if (f == NULL)
		exit(1);
	while (fgets(line, sizeof(line), f) != NULL) {
		n += (size_t)sprintf(body + n, "{\"Data\":\"");
		n += ryde_base64_encode(body + n, line, strlen(line) - 1);
		n += (size_t)sprintf(body + n, "\",\"PartitionKey\":\"%zu\"},", records);
		if (++records % 500 == 0) {
			post(curl, n);
			n = 0;
		}
	}
	if (n > 0)
		post(curl, n);
	fclose(f);
}

static void
get(CURL *curl, long pages)
{
	for (long i = 0; i < pages; i++) {
		char *p = answer;
		size_t got;

		post(curl, (size_t)sprintf(body, "{\"ShardIterator\":\"%ld\"}", i));
		answer[answer_n] = '\0';
		while ((p = strstr(p, "\"Data\":\"")) != NULL) {
			char *end = strchr(p + 8, '"');

			if (end == NULL || !ryde_base64_decode(plain, p + 8,
					       (size_t)(end - p - 8), &got))
				exit(1);
			p = end;
		}
	}
}

int
main(int argc, char **argv)
{
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = NULL;
	char target[80];

	if (argc != 4 || curl == NULL)
		return 64;
	snprintf(target, sizeof(target), "X-Amz-Target: Kinesis_20131202.%s",
	    argv[1][0] == 'p' ? "PutRecords" : "GetRecords");
	headers = curl_slist_append(headers, target);
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(curl, CURLOPT_URL, argv[2]);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	if (argv[1][0] == 'p')
		put(curl, argv[3]);
	else
		get(curl, atol(argv[3]));
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return 0;
}
