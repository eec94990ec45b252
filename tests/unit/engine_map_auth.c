/* Who may look. Source: engine/map_auth.h; RFC 9112 (Host), RFC 6265 (cookies). */
#include "engine/map_auth.h"

#include "base/err.h"
#include "check.h"
#include "scratch.h"

#include <stdlib.h>
#include <sys/stat.h>

static const struct {
	const char *host;
	bool answered;
} hosts[] = {
    {"127.0.0.1", true},
    {"127.0.0.1:8808", true},
    {"192.168.1.9:1", true},
    {"[::1]", true},
    {"[::1]:8808", true},
    {"[fe80::1]:80", true},
    {"localhost", true},
    {"LOCALHOST:8808", true},
    {"localhost:", true},
    {"map.example.com", true},
    {"MAP.example.COM:443", true},
    {"", false},
    {":80", false},
    {"localhost.", false},
    {"localhost.evil.example", false},
    {"evil.example", false},
    {"evil.example:8808", false},
    {"xmap.example.com", false},
    {"map.example.com.evil", false},
    {"127.0.0.1.evil.example", false},
    {"127.1", false},
    {"2130706433", false},
    {"127.0.0.1:80:80", false},
    {"127.0.0.1:x", false},
    {"127.0.0.1:123456", false},
    {"::1", false},
    {"[::1", false},
    {"[]", false},
    {"[127.0.0.1]", false},
    {"[::1]x", false},
    {"user@localhost", false},
};

static const struct {
	const char *header, *value;
} cookies[] = {
    {"m=1", "1"},
    {"a=2; m=1", "1"},
    {"a=2;m=1;b=3", "1"},
    {"  m=1", "1"},
    {"m=", ""},
    {"mm=1", ""},
    {"xm=1", ""},
    {"m", ""},
    {"", ""},
    {";;;", ""},
    {"m=a=b", "a=b"},
    {"M=1", ""},
    {"a=m=1", ""},
};

static void
check_equal(void)
{
	static const char *const words[] = {"", "a", "b", "ab", "aa", "aaa", "abab"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
			CHECK(ryde_map_auth_equal(ryde_view_of(words[i]),
				  ryde_view_of(words[k])) == (i == k),
			    "%s %s", words[i], words[k]);
}

static void
write_file(const char *text, mode_t mode)
{
	FILE *f = fopen("token", "w");

	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0 &&
		  chmod("token", mode) == 0,
	    "written");
}

static void
check_file(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	char made[RYDE_MAP_TOKEN_MAX + 1], again[RYDE_MAP_TOKEN_MAX + 1] = "";
	struct stat st;

	CHECK(ryde_map_auth_token_file("token", made, &err) == 0, "%s", err.msg);
	CHECK(strlen(made) == RYDE_RANDOM_TOKEN, "128 bits");
	CHECK(stat("token", &st) == 0 && (st.st_mode & 0777) == 0600, "private");
	CHECK(ryde_map_auth_token_file("token", again, &err) == 0 &&
		  strcmp(made, again) == 0,
	    "the same one");
	write_file("0123456789abcdef\n", 0600);
	CHECK(ryde_map_auth_token_file("token", again, &err) == 0 &&
		  strcmp(again, "0123456789abcdef") == 0,
	    "a user's own");
	write_file("0123456789abcdef\n", 0640);
	CHECK(ryde_map_auth_token_file("token", again, &err) == -1 &&
		  err.code == RYDE_ECONFIG,
	    "others may read it");
	write_file("0123456789 abcdef", 0600);
	err = (struct ryde_err)RYDE_ERR_INIT;
	CHECK(ryde_map_auth_token_file("token", again, &err) == -1 &&
		  err.code == RYDE_ECONFIG,
	    "a blank");
	write_file("short", 0600);
	err = (struct ryde_err)RYDE_ERR_INIT;
	CHECK(ryde_map_auth_token_file("token", again, &err) == -1, "too short");
	err = (struct ryde_err)RYDE_ERR_INIT;
	CHECK(ryde_map_auth_token_file("none/token", again, &err) == -1, "no folder");
}

int
main(void)
{
	static const char *const names[] = {"other.example", "map.example.com"};

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		CHECK(ryde_map_auth_host(ryde_view_of(hosts[i].host), names, 2) ==
			  hosts[i].answered,
		    "%s", hosts[i].host);
	for (size_t i = 0; i < sizeof(cookies) / sizeof(cookies[0]); i++)
		CHECK(ryde_view_is(
			  ryde_map_auth_cookie(ryde_view_of(cookies[i].header), "m"),
			  cookies[i].value),
		    "%s", cookies[i].header);
	check_equal();
	CHECK(scratch_begin() == 0, "a folder");
	check_file();
	scratch_end();
	return check_end("engine_map_auth");
}
