/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hooks: the ioctls that are answered here, or corrected on their way to KVM.
 */
#ifndef CARREL_EMU_HOOKS_H
#define CARREL_EMU_HOOKS_H

#include "sev/emu/emu.h"

/*
 * A program's ioctl: 0 or more, or -errno, as the kernel of an EPYC would
 * answer. What does not concern us goes through as it is.
 */
int hooks_ioctl(struct emu *e, int fd, uint32_t request, void *arg);

#endif
