/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: what a person can choose about the emulated processor. The launcher
 * puts the choices into the environment; the preloaded library reads them.
 */
#ifndef CARREL_EMU_OPTIONS_H
#define CARREL_EMU_OPTIONS_H

#include "vmm/num.h"

#define ENV_IDENTITY "CARREL_EMU_IDENTITY"
#define ENV_API "CARREL_EMU_API"
#define ENV_LOG "CARREL_EMU_LOG"

#define API_DEFAULT "1.55.21"

struct options {
	char identity[512]; /* directory */
	char log[512]; /* file; empty: no log */
	uint8_t api_major, api_minor, build;
};

/* "1.55.21" or "1.55": each number 0 to 255. */
int options_api(struct options *o, const char *text) MUST_USE;
/* From the environment, with defaults. */
int options_read(struct options *o) MUST_USE;

#endif
