/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch: the SEV launch of one guest, as a state machine over the secure
 * processor's commands. The order is a table, so a wrong one is refused before
 * the firmware sees it, and after each step the firmware's own state is read
 * back and compared. The host is not trusted by the guest's owner; here we only
 * see to it that mistakes and hostile inputs end in a clear refusal.
 *
 *   open (before vCPUs) -> [image_load] -> measure -> secret* -> finish -> run
 *
 * A function that fails writes one log line, keeps its text in why for the
 * control socket, and returns -errno.
 */
#ifndef CARREL_SEV_LAUNCH_H
#define CARREL_SEV_LAUNCH_H

#include "sev/psp.h"
#include "vmm/gmem.h"
#include "vmm/image.h"
#include "vmm/timeline.h"

struct launch_config {
	uint32_t policy;
	const char *dh, *session; /* files, raw or base64; both or neither */
	int cbitpos, reduced_phys_bits; /* -1: from KVM */
	struct timeline *timeline; /* may be NULL */
};

/* In the order of a launch; the first two are ours, the others firmware's. */
enum launch_state {
	LAUNCH_NEW, /* an ordinary VM */
	LAUNCH_INIT, /* KVM made it a SEV VM */
	LAUNCH_UPDATE, /* has keys; memory is being encrypted and measured */
	LAUNCH_SECRET, /* measured; waits for secrets and the end */
	LAUNCH_RUNNING,
	LAUNCH_NSTATE,
};

struct launch {
	struct psp_guest guest; /* psp_fd is ours, vm_fd borrowed */
	enum launch_state state;
	struct psp_status platform;
	uint32_t policy, handle;
	unsigned cbitpos, reduced_phys_bits; /* for the guest's CPUID */
	bool session; /* an owner waits: start paused */
	const struct gmem *mem; /* from launch_measure on */
	gpa_t secret; /* the firmware's secret area */
	uint64_t secret_len; /* 0: it names none */
	unsigned n_secrets; /* accepted so far */
	uint8_t measurement[SEV_MEASUREMENT_LEN];
	char why[256]; /* the last failure, in words */
	struct timeline *timeline;
	struct timeline_mark step; /* the command that is being given */
	void (*changed)(void *ctx, const char *state); /* may be NULL */
	void *changed_ctx;
};

/*
 * -EINVAL after a log line: no platform takes this policy, or carrel does not
 * launch what it asks for. Needs no device.
 */
int launch_policy(uint32_t policy) MUST_USE;

/*
 * Opens /dev/sev, checks policy, C-bit and platform, makes vm_fd a SEV guest
 * and starts its launch. After KVM_CREATE_VM and before the first vCPU.
 */
int launch_open(struct launch *l, int kvm_fd, int vm_fd,
		const struct launch_config *cfg) MUST_USE;

/*
 * Registers m's regions with KVM, encrypts and measures the image's measured
 * parts in order, and fetches the measurement. After image_load, before a vCPU
 * has run. m must live as long as l.
 */
int launch_measure(struct launch *l, const struct gmem *m,
		   const struct image *im) MUST_USE;

/*
 * Hands an owner's packet to the firmware, which checks it and decrypts it into
 * the guest at gpa (NULL: the firmware image's secret area). -EINVAL: sizes;
 * -EPERM: not now; -EFAULT: not guest memory; -EIO: the firmware refused.
 */
int launch_secret(struct launch *l, const void *hdr, size_t hdr_len,
		  const void *data, size_t len, const gpa_t *gpa) MUST_USE;

/* Ends the launch; no secret is taken any more and vCPUs may run. */
int launch_finish(struct launch *l) MUST_USE;

/* "uninit", "launch-update", "launch-secret" or "running", QEMU's words. */
const char *launch_state_name(const struct launch *l);

/* Closes the device; KVM ends the guest in the firmware with the VM. */
void launch_close(struct launch *l);

#endif
