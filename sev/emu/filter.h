/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter: makes room for the emulation in a seccomp filter that the program is
 * about to install. The program's own rules stay as they are, and in force for
 * every system call that does not come from the stub page.
 */
#ifndef CARREL_EMU_FILTER_H
#define CARREL_EMU_FILTER_H

#include <linux/filter.h>

#include "vmm/num.h"

#define FILTER_FRONT 7 /* instructions that are put in front */

/*
 * Writes into out (room for BPF_MAXINSNS) a rule that allows every call made
 * from the page at `page`, followed by the program's filter. -EINVAL: no
 * filter, or no room left in it.
 */
int filter_extend(const struct sock_fprog *in, uint64_t page,
		  struct sock_filter out[BPF_MAXINSNS],
		  struct sock_fprog *extended) MUST_USE;

#endif
