/* Sequence numbers: digits computed with Python's integers from the layout that
 * local/seq.h states. Source: aws-facts 2.4. */
#include "check.h"
#include "local/seq.h"

static const struct {
	int64_t created_s, id;
	int shard;
	const char *want;
} numbers[] = {
    {0, 0, 0, "49039857307708443467467104868809893875799651909875269634"},
    {0, 1, 0, "49039857307708443467467104868809893875799651978594746370"},
    {1700000000, 1, 0, "49646437577108476416916876405825929308762319293794746370"},
    {1700000000, 1, 7, "49646437577108476416916876405825929308762319293794746482"},
    {1700000000, 145519152, 3,
	"49646437577108476416916876405825929318762319205581717554"},
    {1700000000, 145519153, 3,
	"49646437577108476416916876405825929318762319274301194290"},
    {1795490000, 140737488355327, 999,
	"49680509547652599444177440337641283787962533308534898290"},
    {68719476735, 140737488355327, 2147483647,
	"73559785961205853278024167332959940727894021079755128818"},
    {1795490000, 123456789012, 2147483647,
	"49680509547652599444177440337631620865291556789610872818"},
};

static void
test_numbers(void)
{
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct ryde_pos p;
		struct ryde_seq s;
		int64_t id = -1;

		ryde_seq_init(&s, numbers[i].created_s);
		ryde_seq_format(&s, numbers[i].id, numbers[i].shard, &p);
		CHECK(ryde_view_is(ryde_pos_view(&p), numbers[i].want), "row %zu: %.*s",
		    i, p.n, p.seq);
		CHECK(
		    ryde_seq_parse(&s, &p, numbers[i].shard, &id) && id == numbers[i].id,
		    "row %zu: %lld", i, (long long)id);
		CHECK(!ryde_seq_parse(&s, &p, numbers[i].shard ^ 1, &id), "row %zu", i);
	}
}

/* Each id's number is larger than the one before, and reads back. */
static void
test_order(void)
{
	static const int64_t starts[] = {
	    0, 145519000, 291038304, 14551915228, RYDE_SEQ_ID_MAX - 1000};
	struct ryde_pos p, last = {.n = 0};
	int wrong = 0;
	struct ryde_seq s;

	ryde_seq_init(&s, 1795490000);
	for (size_t k = 0; k < sizeof starts / sizeof *starts; k++) {
		for (int64_t i = starts[k]; i < starts[k] + 1000; i++) {
			int64_t id = -1;

			ryde_seq_format(&s, i, (int)(i % 5), &p);
			wrong += ryde_pos_cmp(&last, &p) >= 0;
			wrong += !ryde_seq_parse(&s, &p, (int)(i % 5), &id) || id != i;
			last = p;
		}
	}
	CHECK(wrong == 0, "%d", wrong);
}

/* A number of another stream, of another shape, or one off, is refused. */
static void
test_strangers(void)
{
	struct ryde_seq a, b;
	struct ryde_pos p, q;
	int accepted = 0;
	int64_t id;

	ryde_seq_init(&a, 1795490000);
	ryde_seq_init(&b, 1795490001);
	ryde_seq_format(&a, 77, 0, &p);
	CHECK(!ryde_seq_parse(&b, &p, 0, &id));
	ryde_seq_format(&b, 77, 0, &q);
	CHECK(!ryde_seq_parse(&a, &q, 0, &id));
	for (int i = 0; i < RYDE_SEQ_DIGITS; i++) {
		q = p;
		q.seq[i] = q.seq[i] == '9' ? '0' : (char)(q.seq[i] + 1);
		accepted += ryde_seq_parse(&a, &q, 0, &id);
	}
	CHECK(accepted == 0, "%d", accepted);
	q = p;
	q.n--;
	CHECK(!ryde_seq_parse(&a, &q, 0, &id));
	q.n = 0;
	CHECK(!ryde_seq_parse(&a, &q, 0, &id));
}

int
main(void)
{
	test_numbers();
	test_order();
	test_strangers();
	return check_end("local_seq");
}
