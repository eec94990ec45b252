# For bats files: `load wait`. A test waits for what it needs to be true, never for a time that should be enough.

# until_ok COMMAND...: runs it again and again until it succeeds. A minute without success is a failure: it never will.
until_ok() {
	local end=$((SECONDS + 60))
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ]; then
			echo "never: $*" >&2
			return 1
		fi
		read -r -t 0.02 <> <(:) || :
	done
}

# has_lines N FILE: true once FILE has N lines
has_lines() {
	[ "$(grep -c '' "$2" 2>/dev/null)" = "$1" ]
}
