/*
 * What the embedded store is measured against: a bare SQLite program that does the same work with the same rows and no
 * more. usage: bare insert|select|upsert DATABASE [FILE]
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMIT 500

static void
must(int ok, sqlite3 *db)
{
	if (ok)
		return;
	fprintf(stderr, "bare: %s\n", sqlite3_errmsg(db));
	exit(70);
}

static sqlite3 *
open_db(const char *path, const char *schema)
{
	sqlite3 *db = NULL;

	must(sqlite3_open(path, &db) == SQLITE_OK, db);
	must(sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", NULL, NULL, NULL) ==
		SQLITE_OK,
	    db);
	must(sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK, db);
	return db;
}

/* The text of a string field; enough for a benchmark's own lines. */
static int
field(const char *line, const char *name, const char **p)
{
	const char *at = strstr(line, name);
	const char *end;

	if (at == NULL)
		return 0;
	*p = at + strlen(name);
	end = strchr(*p, '"');
	return end == NULL ? 0 : (int)(end - *p);
}

static void
write_rows(sqlite3 *db, const char *sql, FILE *in, int upsert)
{
	static char line[1 << 16];
	sqlite3_stmt *st = NULL;
	long n = 0;

	must(sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK, db);
	while (fgets(line, sizeof(line), in) != NULL) {
		size_t len = strcspn(line, "\n");
		const char *name, *time;
		int nn = field(line, "\"Name\":\"", &name), tn = field(line, "\"StatusTime\":\"", &time);

		if (n % COMMIT == 0)
			must(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK, db);
		if (upsert) {
			sqlite3_bind_text(st, 1, name, nn, SQLITE_STATIC);
			sqlite3_bind_text(st, 2, time, tn, SQLITE_STATIC);
			sqlite3_bind_text(st, 3, line, (int)len, SQLITE_STATIC);
		} else {
			sqlite3_bind_int64(st, 1, n + 1);
			sqlite3_bind_int64(st, 2, 0);
			sqlite3_bind_int64(st, 3, 1795442400000 + n);
			sqlite3_bind_int64(st, 4, 1);
			sqlite3_bind_text(st, 5, name, nn, SQLITE_STATIC);
			sqlite3_bind_blob(st, 6, line, (int)len, SQLITE_STATIC);
		}
		must(sqlite3_step(st) == SQLITE_DONE, db);
		sqlite3_reset(st);
		if (++n % COMMIT == 0)
			must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK, db);
	}
	if (n % COMMIT != 0)
		must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK, db);
	sqlite3_finalize(st);
}

static void
select_rows(sqlite3 *db)
{
	sqlite3_stmt *st = NULL;
	sqlite3_int64 sum = 0;

	must(sqlite3_prepare_v2(
		 db, "SELECT id, shard, arrival, form, key, data FROM records ORDER BY id", -1, &st, NULL) == SQLITE_OK,
	    db);
	while (sqlite3_step(st) == SQLITE_ROW) {
		for (int i = 0; i < 4; i++)
			sum += sqlite3_column_int64(st, i);
		sum += sqlite3_column_text(st, 4)[0];
		fwrite(sqlite3_column_blob(st, 5), 1, (size_t)sqlite3_column_bytes(st, 5), stdout);
		putchar('\n');
	}
	sqlite3_finalize(st);
	must(sum > 0, db);
}

int
main(int argc, char **argv)
{
	const char *records = "CREATE TABLE IF NOT EXISTS records(id INTEGER PRIMARY KEY, shard INTEGER, "
			      "arrival INTEGER, form INTEGER, key TEXT, data BLOB)";
	const char *items = "CREATE TABLE IF NOT EXISTS items(pk TEXT, sk TEXT, item TEXT, "
			    "PRIMARY KEY(pk, sk)) WITHOUT ROWID";
	int upsert;
	sqlite3 *db;
	FILE *in;

	if (argc < 3)
		return 64;
	upsert = strcmp(argv[1], "upsert") == 0;
	db = open_db(argv[2], upsert ? items : records);
	if (strcmp(argv[1], "select") == 0) {
		select_rows(db);
	} else {
		in = argc > 3 ? fopen(argv[3], "r") : stdin;
		if (in == NULL)
			return 66;
		write_rows(db,
		    upsert ? "INSERT INTO items VALUES(?,?,?) ON CONFLICT DO UPDATE SET item=excluded.item"
			   : "INSERT INTO records VALUES(?,?,?,?,?,?)",
		    in, upsert);
	}
	return sqlite3_close(db) == SQLITE_OK && fflush(stdout) == 0 ? 0 : 74;
}
