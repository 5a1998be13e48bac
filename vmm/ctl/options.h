/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: carrelctl's command line. It is the user's own and trusted; what a
 * VM answers is not, see vmm/qmp.h.
 */
#ifndef CARREL_VMM_CTL_OPTIONS_H
#define CARREL_VMM_CTL_OPTIONS_H

#include "vmm/num.h"

#define OPTIONS_WORDS 9 /* after the verb */
#define OPTIONS_PATH 108 /* sockaddr_un.sun_path with its NUL */

/* carrelctl's exit statuses (carrelctl(1), EXIT STATUS). */
enum ctl_status {
	CTL_OK = 0,
	CTL_USAGE = 1,
	CTL_NO_VM = 2, /* not reached, or no proper answer */
	CTL_REFUSED = 3, /* by the VM */
};

struct options {
	char socket[OPTIONS_PATH]; /* empty: no VM is named */
	const char *verb; /* NULL: none is given */
	const char *word[OPTIONS_WORDS];
	size_t n_words;
	bool json, help, version;
	const char *svg; /* timeline: a file for a picture; NULL: none */
	unsigned timeout_s; /* for each answer */
	unsigned interval_s, count; /* of top; count 0: without end */
};

/*
 * argv into o, borrowed. With --socket the first word is the verb, without it
 * the VM's name, but for verbs that need no VM ("help", "version"). -EINVAL
 * after one log line.
 */
int options_parse(struct options *o, int argc, char **argv) MUST_USE;

#endif
