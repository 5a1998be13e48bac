/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * intact: no configuration is read that is damaged. The volume's encryption
 * does not authenticate, so whoever has the disk can turn pieces of it into
 * noise, without knowing what they were; but not into other text.
 */
#ifndef CARREL_GRUB_INTACT_H
#define CARREL_GRUB_INTACT_H

/* From here on, a configuration with noise in it powers the machine off. */
void intact_demand(void);

#endif
