/* SPDX-License-Identifier: Apache-2.0 */
/*
 * psp: the secure processor's commands, one function each, parameters checked
 * by the firmware and by KVM, not here: who may call what and when is decided
 * in launch.c. Section numbers are those of the SEV API specification (AMD
 * 55766, 0.24). Each returns {0, 0} or what went wrong on both channels.
 */
#ifndef CARREL_SEV_PSP_H
#define CARREL_SEV_PSP_H

#include "sev/cmd.h"
#include "sev/uapi.h"

/* PLATFORM_STATUS (5.6). */
struct psp_status {
	uint8_t api_major, api_minor, build;
	uint8_t state; /* 0 uninitialised, 1 initialised, 2 working */
	bool self_owned;
	bool es; /* SEV-ES is set up */
	uint32_t guests;
};

/* GUEST_STATUS (6.17). */
struct psp_guest_status {
	uint32_t handle, policy;
	uint32_t state; /* enum psp_guest_state */
};

enum psp_guest_state {
	PSP_GUEST_UNINIT = 0,
	PSP_GUEST_UPDATE = 1, /* LUPDATE: data is encrypted and measured */
	PSP_GUEST_SECRET = 2, /* LSECRET: measured, takes secrets */
	PSP_GUEST_RUNNING = 3,
	PSP_GUEST_SENDING = 4,
	PSP_GUEST_RECEIVING = 5,
	PSP_GUEST_SENT = 6,
};

/* Platform commands, for which no guest is needed. */
struct sev_error psp_platform_status(int psp_fd,
				     struct psp_status *out) MUST_USE;

/*
 * PDH_CERT_EXPORT (5.14): the PDH and the chain PEK, OCA, CEK. *len holds the
 * room on entry and the size on return; with {-EIO, INVALID_LENGTH} the sizes
 * that are needed.
 */
struct sev_error psp_pdh_export(int psp_fd, void *pdh, size_t *pdh_len,
				void *chain, size_t *chain_len) MUST_USE;

/* GET_ID (5.15), sized like the above. */
struct sev_error psp_get_id(int psp_fd, void *id, size_t *len) MUST_USE;

/* A guest: its VM, and the device its commands go through. */
struct psp_guest {
	int vm_fd, psp_fd;
};

/*
 * Makes the VM a SEV guest, before its first vCPU exists. KVM_SEV_INIT2 where
 * the VM was created with the type KVM_X86_SEV_VM, else KVM_SEV_INIT.
 */
struct sev_error psp_init(const struct psp_guest *g) MUST_USE;

/* LAUNCH_START (6.2). dh and session: both, or both NULL and 0. */
struct sev_error psp_launch_start(const struct psp_guest *g, uint32_t policy,
				  const void *dh, size_t dh_len,
				  const void *session, size_t session_len,
				  uint32_t *handle) MUST_USE;

/* LAUNCH_UPDATE_DATA (6.3): encrypts in place, 16-aligned both. */
struct sev_error psp_launch_update_data(const struct psp_guest *g,
					uint64_t uaddr, uint32_t len) MUST_USE;

/* LAUNCH_MEASURE (6.5): MAC, then nonce. */
struct sev_error psp_launch_measure(const struct psp_guest *g,
				    uint8_t out[SEV_MEASUREMENT_LEN]) MUST_USE;

/* LAUNCH_SECRET (6.6): guest and packet lengths are equal. */
struct sev_error psp_launch_secret(const struct psp_guest *g,
				   const uint8_t hdr[SEV_SECRET_HEADER_LEN],
				   const void *data, uint32_t len,
				   uint64_t guest_uaddr) MUST_USE;

/* LAUNCH_FINISH (6.7). */
struct sev_error psp_launch_finish(const struct psp_guest *g) MUST_USE;

struct sev_error psp_guest_status(const struct psp_guest *g,
				  struct psp_guest_status *out) MUST_USE;

/* ATTESTATION (6.8), sized like psp_pdh_export. */
struct sev_error psp_attestation(const struct psp_guest *g,
				 const uint8_t mnonce[SEV_NONCE_LEN],
				 void *report, size_t *len) MUST_USE;

#endif
