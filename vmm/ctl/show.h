/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show: what a VM answered, for a person or a program to read. Its texts are
 * the VM's, which is not trusted: nothing that a terminal would obey is
 * printed, and a member that is missing or of another type reads as 0 or "-".
 */
#ifndef CARREL_VMM_CTL_SHOW_H
#define CARREL_VMM_CTL_SHOW_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "vmm/num.h"

/* One JSON value and a line end, in ASCII; pretty: indented. */
void show_json(FILE *f, const json_t *v, bool pretty);

/* A text, every byte that is not printable ASCII as \xNN; NULL: "-". */
void show_text(FILE *f, const char *text);

/* One event in a line: when, its name, its data as name=value. */
void show_event(FILE *f, const json_t *event);

/* Members of an object. */
uint64_t show_number(const json_t *o, const char *key);
const char *show_string(const json_t *o, const char *key); /* or NULL */

#endif
