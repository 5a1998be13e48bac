/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emu: everything the preloaded library knows: one secure processor, the
 * program's VMs, and the C library's own entry points behind ours.
 */
#ifndef CARREL_EMU_EMU_H
#define CARREL_EMU_EMU_H

#include "sev/emu/journal.h"
#include "sev/emu/mailbox.h"
#include "sev/emu/options.h"
#include "sev/emu/psp.h"
#include "sev/emu/vm.h"

#define EMU_VMS 8

/* The C library's functions, which make the program's own system calls. */
struct next {
	int (*ioctl)(int fd, unsigned long request, ...);
	int (*open)(const char *path, int flags, ...);
	int (*openat)(int at, const char *path, int flags, ...);
	long (*syscall)(long nr, ...);
	int (*prctl)(int option, ...);
	int (*close)(int fd);
};

struct emu {
	struct next next;
	struct options opt;
	struct journal log;
	struct mailbox box; /* the processor's thread: psp is its own */
	bool psp_up;
	struct psp psp;
	uint64_t sev_device, sev_inode; /* what /dev/sev is here; 0: unopened */
	int sev_fd;
	unsigned c_bit;
	struct lock lock; /* vm[] */
	struct vm *vm[EMU_VMS];
};

/* Once, before anything else. */
void emu_begin(struct emu *e);
void emu_end(struct emu *e);

/* Brings the processor up, if it is not; -EIO: it has no identity. */
int emu_start(struct emu *e) MUST_USE;

/* A descriptor that behaves as /dev/sev; -errno. */
int emu_open_sev(struct emu *e, int flags);
bool emu_is_sev(const struct emu *e, int fd);

/* Is it /dev/kvm itself, not a VM, a vCPU or a device of one? */
bool emu_is_kvm(int fd);

/* The VM or vCPU behind a descriptor; NULL: not one of KVM's that we saw. */
struct vm *emu_vm(struct emu *e, int fd);
struct vcpu *emu_vcpu(struct emu *e, int fd);

/* The program's own call: 0 or more, or -errno. */
int emu_ioctl(const struct emu *e, int fd, unsigned long request, void *arg);

#endif
