/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config: starts what the configuration inside an unlocked volume names. The
 * configuration is the owner's; whoever sits at the console is not, so nothing
 * here reads a key.
 */
#ifndef CARREL_GRUB_CONFIG_H
#define CARREL_GRUB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Returns only if the volume starts nothing: true if it had a configuration.
 */
bool config_start(const char *volume);

#endif
