/* SPDX-License-Identifier: Apache-2.0 */
/*
 * num: what happens when an invariant of our own does not hold. The program
 * ends at once: going on would run a guest on a state we do not understand.
 */
#include "vmm/num.h"

#include <stdlib.h>

#include "vmm/log.h"

_Noreturn void check_failed(const char *what, const char *file, int line)
{
	log_error("internal error: \"%s\" does not hold (%s:%d)", what, file,
		  line);
	abort();
}
