/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifetime: which descriptors are VMs and vCPUs, from KVM_CREATE_VM to the last
 * close(2). A program that makes one VM after the other must find nothing of
 * the first in the second: no guest in the secure processor, no memory, no
 * thread, and no number that means something else by now.
 */
#ifndef CARREL_EMU_LIFETIME_H
#define CARREL_EMU_LIFETIME_H

#include "sev/emu/emu.h"

/* The two ioctls: a new descriptor, or -errno. */
int lifetime_create_vm(struct emu *e, int fd, void *arg);
int lifetime_create_vcpu(struct emu *e, int fd, void *arg);

/* The program is about to close this descriptor. */
void lifetime_closing(struct emu *e, int fd);

#endif
