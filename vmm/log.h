/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: one line to standard error, for a person to read or, as a JSON object,
 * for a collector. A line names what failed, the value that was given and what
 * would be accepted. Bytes of a guest or a peer that end up in a line are made
 * printable first.
 */
#ifndef CARREL_VMM_LOG_H
#define CARREL_VMM_LOG_H

#include <stddef.h>

#include "vmm/num.h"

/* Each writes "carrel: [warning: ]text\n" with a single write(2). */
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * From now on lines are JSON objects: {"time", "level": "error", "warning" or
 * "info", "program", "vm" (if vm is not NULL; kept by reference), "message"}.
 */
void log_json(const char *vm);

/* The name in front of each line (default "carrel"); kept by reference. */
void log_program(const char *name);

#endif
