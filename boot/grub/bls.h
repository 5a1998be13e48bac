/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bls: an entry of the Boot Loader Specification (UAPI.1, "Type #1"), and which
 * of two is newer. Pure: everything handed out is a piece of the text. The text
 * comes from an unlocked volume: the owner's, but not proof against a host that
 * damages ciphertext.
 */
#ifndef CARREL_GRUB_BLS_H
#define CARREL_GRUB_BLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BLS_PARTS_MAX = 16 };

struct bls_text {
	const char *p;
	size_t len;
};

struct bls {
	struct bls_text title;
	struct bls_text version;
	struct bls_text kernel; /* "linux" */
	struct bls_text initrd[BLS_PARTS_MAX];
	int initrds;
	struct bls_text options[BLS_PARTS_MAX]; /* one a line */
	int options_n;
};

enum bls_verdict {
	BLS_FINE,
	BLS_NO_KERNEL, /* an EFI program, or nothing at all */
	BLS_FOREIGN, /* for another architecture */
	BLS_DAMAGED, /* a NUL in it, or more lines than there is room for */
};

enum bls_verdict bls_parse(const char *text, size_t len, struct bls *out);

/* Below, equal or above 0, as by UAPI.10, "Version Comparison". */
int bls_version_compare(struct bls_text a, struct bls_text b);

/*
 * Takes the next word off *in and writes it to out as a string, without the
 * double quotes that hold it together; false at the end, or if it does not fit.
 */
bool bls_word(struct bls_text *in, char *out, size_t room);

#endif
