/* SPDX-License-Identifier: Apache-2.0 */
/*
 * psp: the firmware of the secure processor, as the SEV API (AMD 55766, 3.24)
 * describes it: platform and guest states, policy, sizes, keys, measurement.
 * What Linux checks before it asks the firmware is kernel.h's business. Every
 * field of a request is the host's: hostile, but already copied.
 */
#ifndef CARREL_EMU_PSP_H
#define CARREL_EMU_PSP_H

#include "sev/emu/cipher.h"
#include "sev/emu/identity.h"
#include "sev/emu/journal.h"
#include "sev/emu/options.h"
#include "sev/emu/session.h"

/* Status codes (SEV API 5.1.2, table 4). */
enum psp_status {
	PSP_SUCCESS = 0x00,
	PSP_INVALID_PLATFORM_STATE = 0x01,
	PSP_INVALID_GUEST_STATE = 0x02,
	PSP_INVALID_CONFIG = 0x03,
	PSP_INVALID_LENGTH = 0x04,
	PSP_ALREADY_OWNED = 0x05,
	PSP_INVALID_CERTIFICATE = 0x06,
	PSP_POLICY_FAILURE = 0x07,
	PSP_INACTIVE = 0x08,
	PSP_INVALID_ADDRESS = 0x09,
	PSP_BAD_SIGNATURE = 0x0a,
	PSP_BAD_MEASUREMENT = 0x0b,
	PSP_ASID_OWNED = 0x0c,
	PSP_INVALID_GUEST = 0x10,
	PSP_HWERROR_PLATFORM = 0x13,
	PSP_UNSUPPORTED = 0x15,
	PSP_INVALID_PARAM = 0x16,
	PSP_RESOURCE_LIMIT = 0x17,
};

enum psp_platform_state { PLATFORM_UNINIT, PLATFORM_INIT, PLATFORM_WORKING };
enum psp_guest_state {
	GUEST_UNINIT,
	GUEST_LUPDATE,
	GUEST_LSECRET,
	GUEST_RUNNING
};

/* Guest policy (table 2). */
#define POLICY_NODBG (1u << 0)
#define POLICY_ES (1u << 2)
#define POLICY_API_MAJOR(p) ((p) >> 16 & 0xff)
#define POLICY_API_MINOR(p) ((p) >> 24 & 0xff)

enum psp_command {
	PSP_FACTORY_RESET,
	PSP_PLATFORM_STATUS,
	PSP_PEK_GEN,
	PSP_PEK_CSR,
	PSP_PEK_CERT_IMPORT,
	PSP_PDH_CERT_EXPORT,
	PSP_PDH_GEN,
	PSP_GET_ID,
	PSP_GUEST_STATUS,
	PSP_LAUNCH_START,
	PSP_LAUNCH_UPDATE_DATA,
	PSP_LAUNCH_MEASURE,
	PSP_LAUNCH_SECRET,
	PSP_LAUNCH_FINISH,
	PSP_ATTESTATION,
	PSP_DBG_DECRYPT,
	PSP_DBG_ENCRYPT,
	PSP_DECOMMISSION,
	PSP_COMMANDS
};

/* Room at the host for an answer; len: what was written, or is needed. */
struct psp_room {
	uint8_t *p;
	uint32_t cap, len;
};

struct psp_request {
	enum psp_command id;
	uint32_t handle, policy, state;
	uint64_t address; /* guest memory, as the host addresses it */
	uint64_t other; /* DBG_*: the host's own side */
	uint32_t length;
	struct span in[2]; /* DH certificate and session, PEK and OCA,
				   secret header and data */
	struct psp_room out[2];
};

/*
 * How the processor reaches memory. `plain` is what the host sees; `private`
 * what the guest sees with its key: storing it leaves ciphertext for the host.
 */
struct psp_memory {
	void *ctx;
	int (*read_plain)(void *ctx, uint64_t at, uint8_t *to, size_t len);
	int (*write_plain)(void *ctx, uint64_t at, const uint8_t *p,
			   size_t len);
	int (*read_private)(void *ctx, struct cipher *key, uint64_t at,
			    uint8_t *to, size_t len);
	int (*write_private)(void *ctx, struct cipher *key, uint64_t at,
			     const uint8_t *p, size_t len);
};

#define PSP_GUESTS 16
#define MEASUREMENT_LEN (MAC_LEN + 16)

struct psp_guest {
	enum psp_guest_state state;
	uint32_t handle; /* 0: the place is free */
	uint32_t policy;
	struct transport_keys keys;
	struct cipher cipher;
	struct psp_memory mem;
	EVP_MD_CTX *digest; /* runs while in LUPDATE */
	uint8_t ld[MAC_LEN];
	uint8_t measurement[MEASUREMENT_LEN];
	uint64_t measured_bytes;
};

struct psp {
	const struct options *opt;
	const struct journal *log;
	struct identity id;
	enum psp_platform_state state;
	uint32_t last_handle;
	struct psp_guest guest[PSP_GUESTS];
};

int psp_open(struct psp *p, const struct options *opt,
	     const struct journal *log) MUST_USE;
void psp_close(struct psp *p);

/* mem is for LAUNCH_START only: the new guest keeps it. */
enum psp_status psp_execute(struct psp *p, struct psp_request *r,
			    const struct psp_memory *mem) MUST_USE;

/* The memory key of a guest that exists; NULL: it does not. */
struct cipher *psp_cipher(struct psp *p, uint32_t handle);

#endif
