/* SPDX-License-Identifier: Apache-2.0 */
/*
 * psp: the table of commands, and what all of them share: the states a command
 * is allowed in, the alignment the firmware asks for, the journal. What a
 * command does is in psp_platform.c, psp_launch.c and psp_guest.c.
 */
#include "sev/emu/psp.h"

#include <stdio.h>

#include "sev/emu/psp_commands.h"

#define P(state) (1u << PLATFORM_##state)
#define G(state) (1u << GUEST_##state)
#define UP (P(INIT) | P(WORKING))
#define LAUNCHED (G(LSECRET) | G(RUNNING))
#define ANY_GUEST (G(LUPDATE) | G(LSECRET) | G(RUNNING))
#define STAY GUEST_UNINIT /* no command leads there */

/*
 * `guest` 0: a command for the platform. `us` and `us_per_kib` estimate what a
 * real processor takes, to an order of magnitude only: measuring and encrypting
 * is reported at about 250 us a KiB.
 */
static const struct rule {
	const char *name;
	uint16_t code; /* the number in SEV API table 3 */
	uint8_t platform, guest;
	enum psp_guest_state next;
	bool aligned; /* address and length: multiples of 16 */
	uint32_t us, us_per_kib;
	psp_handler *run;
} rules[PSP_COMMANDS] = {
	[PSP_FACTORY_RESET] = { "FACTORY_RESET", 0x003, P(UNINIT) | P(INIT), 0,
				STAY, false, 50000, 0, psp_factory_reset },
	[PSP_PLATFORM_STATUS] = { "PLATFORM_STATUS", 0x004, P(UNINIT) | UP, 0,
				  STAY, false, 100, 0, psp_platform_status },
	[PSP_PEK_GEN] = { "PEK_GEN", 0x005, P(INIT), 0, STAY, false, 50000, 0,
			  psp_pek_gen },
	[PSP_PEK_CSR] = { "PEK_CSR", 0x006, UP, 0, STAY, false, 200, 0,
			  psp_pek_csr },
	[PSP_PEK_CERT_IMPORT] = { "PEK_CERT_IMPORT", 0x007, P(INIT), 0, STAY,
				  false, 50000, 0, psp_pek_cert_import },
	[PSP_PDH_CERT_EXPORT] = { "PDH_CERT_EXPORT", 0x008, UP, 0, STAY, false,
				  200, 0, psp_pdh_cert_export },
	[PSP_PDH_GEN] = { "PDH_GEN", 0x009, UP, 0, STAY, false, 30000, 0,
			  psp_pdh_gen },
	[PSP_GET_ID] = { "GET_ID", 0x00b, P(UNINIT) | UP, 0, STAY, false, 100,
			 0, psp_get_id },
	[PSP_DECOMMISSION] = { "DECOMMISSION", 0x020, UP, ANY_GUEST, STAY,
			       false, 200, 0, psp_decommission },
	[PSP_GUEST_STATUS] = { "GUEST_STATUS", 0x023, UP, ANY_GUEST, STAY,
			       false, 100, 0, psp_guest_status },
	[PSP_LAUNCH_START] = { "LAUNCH_START", 0x030, UP, 0, STAY, false, 20000,
			       0, psp_launch_start },
	[PSP_LAUNCH_UPDATE_DATA] = { "LAUNCH_UPDATE_DATA", 0x031, UP,
				     G(LUPDATE), GUEST_LUPDATE, true, 200, 250,
				     psp_launch_update_data },
	[PSP_LAUNCH_MEASURE] = { "LAUNCH_MEASURE", 0x033, UP, G(LUPDATE),
				 GUEST_LSECRET, false, 500, 0,
				 psp_launch_measure },
	[PSP_LAUNCH_SECRET] = { "LAUNCH_SECRET", 0x034, UP, G(LSECRET),
				GUEST_LSECRET, true, 500, 250,
				psp_launch_secret },
	[PSP_LAUNCH_FINISH] = { "LAUNCH_FINISH", 0x035, UP, G(LSECRET),
				GUEST_RUNNING, false, 200, 0,
				psp_launch_finish },
	[PSP_ATTESTATION] = { "ATTESTATION", 0x036, UP, LAUNCHED, STAY, false,
			      20000, 0, psp_attestation },
	[PSP_DBG_DECRYPT] = { "DBG_DECRYPT", 0x060, UP, ANY_GUEST, STAY, true,
			      200, 100, psp_dbg_decrypt },
	[PSP_DBG_ENCRYPT] = { "DBG_ENCRYPT", 0x061, UP, ANY_GUEST, STAY, true,
			      200, 100, psp_dbg_encrypt },
};

static struct psp_guest *find_guest(struct psp *p, uint32_t handle)
{
	for (size_t i = 0; handle && i < PSP_GUESTS; i++)
		if (p->guest[i].handle == handle)
			return &p->guest[i];
	return NULL;
}

static enum psp_status check(const struct psp *p, const struct rule *u,
			     const struct psp_guest *g,
			     const struct psp_request *r)
{
	if (!(u->platform & 1u << p->state))
		return PSP_INVALID_PLATFORM_STATE;
	if (u->guest && !g)
		return PSP_INVALID_GUEST;
	if (g && !(u->guest & 1u << g->state))
		return PSP_INVALID_GUEST_STATE;
	if (u->aligned && r->address % 16)
		return PSP_INVALID_ADDRESS;
	if (u->aligned && (!r->length || r->length % 16))
		return PSP_INVALID_LENGTH;
	return PSP_SUCCESS;
}

static void record(const struct psp *p, const struct rule *u,
		   const struct psp_guest *g, const struct psp_request *r,
		   enum psp_status s)
{
	uint64_t est = u->us + (uint64_t)u->us_per_kib * r->length / KIB;

	journal_line(p->log,
		     "psp %s code=0x%03x guest=%u bytes=%u measured=%llu "
		     "state=%u status=0x%02x estimate_us=%llu",
		     u->name, u->code, g ? g->handle : r->handle, r->length,
		     (unsigned long long)(g ? g->measured_bytes : 0),
		     g ? (unsigned)g->state : (unsigned)p->state, (unsigned)s,
		     (unsigned long long)est);
}

static void record_digest(const struct psp *p, const struct psp_guest *g)
{
	char hex[2 * MAC_LEN + 1];

	for (size_t i = 0; i < MAC_LEN; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", g->ld[i]);
	journal_line(p->log,
		     "launch-digest %s guest=%u policy=0x%x measured=%llu", hex,
		     g->handle, g->policy,
		     (unsigned long long)g->measured_bytes);
}

enum psp_status psp_execute(struct psp *p, struct psp_request *r,
			    const struct psp_memory *mem)
{
	const struct rule *u = &rules[r->id];
	struct psp_guest *g = u->guest ? find_guest(p, r->handle) : NULL;
	enum psp_status s = check(p, u, g, r);

	if (s == PSP_SUCCESS)
		s = u->run(p, g, r, mem);
	if (s == PSP_SUCCESS && g && u->next != STAY)
		g->state = u->next;
	record(p, u, g, r, s);
	if (s == PSP_SUCCESS && r->id == PSP_LAUNCH_MEASURE)
		record_digest(p, g);
	return s;
}

struct cipher *psp_cipher(struct psp *p, uint32_t handle)
{
	struct psp_guest *g = find_guest(p, handle);

	return g ? &g->cipher : NULL;
}

/* Linux brings the platform up before any program can ask for something. */
int psp_open(struct psp *p, const struct options *opt,
	     const struct journal *log)
{
	*p = (struct psp){ .opt = opt, .log = log, .state = PLATFORM_INIT };
	return identity_open(&p->id, opt->identity, opt->api_major,
			     opt->api_minor);
}

void psp_close(struct psp *p)
{
	for (size_t i = 0; i < PSP_GUESTS; i++)
		psp_guest_clear(&p->guest[i]);
	identity_close(&p->id);
	*p = (struct psp){ 0 };
}
