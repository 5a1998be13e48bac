#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh: the rules of docs/design.md that a machine can check. Prints TAP; a
# rule that is broken says where.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
failures=0

files() { git ls-files -- "$@"; }

# check TITLE COMMAND…: the rule holds if COMMAND ends with 0 and says nothing.
check() {
	local title=$1 out status
	shift

	out=$("$@" 2>&1)
	status=$?
	if [ $status = 0 ] && [ -z "$out" ]; then
		echo "ok - $title"
	else
		echo "not ok - $title"
		printf '%s\n' "${out:-exit status $status}" | head -n 40 |
			sed 's/^/# /'
		failures=$((failures + 1))
	fi
}

# none PATTERN FILE…: no line of these files matches.
none() {
	local pattern=$1
	shift

	[ $# = 0 ] || ! grep -nHE -e "$pattern" -- "$@"
}

format() {
	clang-format --dry-run -Werror "${c_files[@]}" 2>&1 |
		grep -A 1 'error:' || true
}

headers_alone() {
	# shellcheck disable=SC2016 # the inner shell expands them
	printf '%s\n' "${headers[@]}" | xargs -P "$(nproc)" -n 4 sh -c '
		for h; do
			gcc -std=gnu11 -D_GNU_SOURCE -I. "-I$0/gen" -Wall -Wextra \
				-fsyntax-only -x c "$h" || echo "$h"
		done' "$B"
}

own_header_first() {
	awk 'FNR == 1 { own = FILENAME; sub(/c$/, "h", own); seen = 0
			there = (getline line < own) > 0; close(own) }
		/^#include/ && !seen++ && there && $2 != "\"" own "\"" {
			print FILENAME ": starts with " $0 }' \
		"${sources[@]}"
}

# Which folders a folder may include from; a program's main.c is free.
include_direction() {
	awk '/^#include "/ && FILENAME !~ /main\.c$|^vmm\/board(\.c|_ask\.c|_parts\.h)$/ {
		folder = FILENAME; sub(/\/[^\/]*$/, "", folder)
		from = $2; gsub(/"/, "", from); sub(/\/?[^\/]*$/, "", from)
		if (from == folder || from == "vmm" || $2 == "\"dsdt.h\"" ||
		    (folder == "sev/owner" && from == "sev"))
			next
		print FILENAME ":" FNR ": " $0 }' "${product[@]}"
}

# Names of calls that have a safe spelling here; where each is at home.
banned() {
	local all
	mapfile -t all < <(printf '%s\n' "${product[@]}" |
		grep -vE '^(vmm/gmem\.c|vmm/num\.h)$')

	none '\b(memcpy|memmove|sprintf|vsprintf|strcpy|strcat|strncpy|gets|alloca|atoi|strtok)\(' \
		"${all[@]}"
	mapfile -t all < <(printf '%s\n' "${all[@]}" | grep -v '/main\.c$')
	none '(^|[^_a-z])(assert|exit)\(' "${all[@]}"
}

lengths() {
	awk 'FNR == 1 { start = 0 }
		/^\{/ { start = FNR }
		/^\}/ { if (start && FNR - start > 59)
				print FILENAME ":" start ": a function of " \
					FNR - start + 1 " lines"
			start = 0 }' "${product[@]}"
	wc -l "${c_files[@]}" "${scripts[@]}" Makefile | awk '
		$2 != "total" && $1 > ($2 == "Makefile" ? 200 : 500) {
			print $2 ": " $1 " lines" }'
}

columns() {
	awk '{ n = 0; line = $0
		while ((i = index(line, "\t"))) {
			n = int((n + i - 1) / 8) * 8 + 8
			line = substr(line, i + 1) }
		if (n + length(line) > 80)
			print FILENAME ":" FNR ": " n + length(line) " columns"
		}' "${c_files[@]}"
}

spdx() {
	files | grep -vE '^(LICENSE|\.gitignore|\.debian/(changelog|copyright))$|\.md$|^tests/fixtures/|/seeds/' |
		xargs awk 'FNR == 1 { found = 0 }
			/SPDX-License-Identifier: / { found = 1 }
			FNR == 3 && !found { print FILENAME }
			FNR == 3 { nextfile }'
}

# A prologue says what a file is for.
prologue() {
	awk 'FNR == 2 && !/^\/\*/ { print FILENAME ": no prologue" }
		FNR == 2 { nextfile }' "${c_files[@]}"
}

places() {
	mapfile -t text < <(files | grep -vE '^LICENSE$|^tests/fixtures/|/seeds/')
	none '(^|[^a-zA-Z0-9_.])/(work|home|tmp/w)/' "${text[@]}"
	none '(^|[^a-z0-9.-])(deb|ftp|mirrors?|security|snapshot|archive|registry|proxy|pypi|files|static|index)\.[a-z0-9-]+\.(org|com|io|net|dev)' \
		"${text[@]}"
}

links() {
	local f target

	files '*.md' | while read -r f; do
		grep -oE '\]\([^)#]+' "$f" | cut -c3- | grep -v '://' |
		while read -r target; do
			[ -e "$(dirname "$f")/$target" ] || echo "$f: $target"
		done
	done
	true
}

manuals() {
	local page

	for page in $(files 'docs/*.[1-8]'); do
		LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings=w -E UTF-8 -l -Tutf8 -Z \
			"$page" 3>&2 2>&1 >/dev/null 3>&-
	done
}

# The options that carrel-image's --help, page and completion name.
image_options() {
	local tool=boot/image/carrel-image page=docs/carrel-image.1 verb asked

	asked=$(for verb in build inspect rekey; do "$tool" $verb --help; done |
		options_in)
	[ -n "$asked" ] || echo "$tool --help names no option"
	diff <(echo "$asked") <(sed '/^\.SH DESCRIPTION/q; s/\\f.//g; s/\\-/-/g' \
		"$page" | options_in) | sed 's/^/synopsis: /'
	diff <(echo "$asked") <(sed -n '/^\.SH OPTIONS/,/^\.SH KEYS/p' "$page" |
		grep -A 1 '^\.TP' | sed 's/\\-/-/g' | options_in) |
		sed 's/^/options of the page: /'
	diff <(echo "$asked") <(options_in < docs/completion/carrel-image) |
		sed 's/^/completion: /'
	true
}

options_in() {
	grep -oE '(^|[^a-z-])--[a-z-]*[a-z]' | grep -oE -- '--.*' |
		grep -vx -e --help | LC_ALL=C sort -u
}

dsdt() {
	local tmp

	tmp=$(mktemp -d)
	iasl -we -vr -p "$tmp/dsdt" boot/dsdt.asl 2>&1 |
		grep -E 'Error|Warning' | grep -v '0 Errors, 0 Warnings'
	rm -rf "$tmp"
}

shells() { shellcheck -x -S warning "${scripts_sh[@]}"; }

pythons() {
	printf '%s\0' "${scripts_py[@]}" | PYTHONDONTWRITEBYTECODE=1 xargs -0 \
		/usr/bin/python3 -c 'import ast, sys
for f in sys.argv[1:]:
	ast.parse(open(f, encoding="utf-8").read(), f)'
}

# The file tables that the rules above walk.
mapfile -t c_files < <(files '*.c' '*.h')
mapfile -t headers < <(files '*.h')
mapfile -t product < <(files 'vmm/*.[ch]' 'devices/*.[ch]' 'boot/*.[ch]' \
	'sev/*.[ch]')
mapfile -t sources < <(files 'vmm/*.c' 'devices/*.c' 'boot/*.c' 'sev/*.c')
mapfile -t scripts < <({ files '*.py'; files | xargs awk '
	FNR == 1 && /^#!/ { print FILENAME }
	FNR == 1 { nextfile }'; } | sort -u)
# started_by PATTERN: the scripts whose first line matches.
started_by() {
	awk -v p="$1" 'FNR == 1 && $0 ~ p { print FILENAME }
		FNR == 1 { nextfile }' "${scripts[@]}"
}
mapfile -t scripts_sh < <(started_by '^#!.*(bash|/sh)$')
mapfile -t scripts_py < <({ files '*.py'; started_by '^#!.*python3$'; } | sort -u)

check 'clang-format' format
check 'each header compiles alone' headers_alone
check 'each source includes its own header first' own_header_first
check 'includes follow the direction of the folders' include_direction
check 'no banned calls' banned
check 'files up to 500 lines, functions up to 60' lengths
check 'C in 80 columns' columns
check 'an SPDX line in every file' spdx
check 'a prologue in every C file' prologue
check 'no path of one machine, no address of a registry' places
check 'links between documents lead somewhere' links
check 'manual pages render without a warning' manuals
check 'carrel-image: its help, page and completion agree' image_options
check 'flags, verbs, commands: each in its page, completion and a test' \
	tests/interface
check 'iasl finds nothing in the DSDT' dsdt
check 'shellcheck' shells
check 'Python files parse' pythons
[ $failures = 0 ]
