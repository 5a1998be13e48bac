/* SPDX-License-Identifier: Apache-2.0 */
/*
 * psp_commands: the commands behind psp.c's table. Each is called only in the
 * states and with the alignment that the table names, with the guest that the
 * request's handle names (NULL: a command for the platform).
 */
#ifndef CARREL_EMU_PSP_COMMANDS_H
#define CARREL_EMU_PSP_COMMANDS_H

#include "sev/emu/psp.h"

typedef enum psp_status psp_handler(struct psp *p, struct psp_guest *g,
				    struct psp_request *r,
				    const struct psp_memory *mem);

psp_handler psp_factory_reset, psp_platform_status, psp_pek_gen, psp_pek_csr;
psp_handler psp_pek_cert_import, psp_pdh_cert_export, psp_pdh_gen, psp_get_id;

psp_handler psp_launch_start, psp_launch_update_data, psp_launch_measure;
psp_handler psp_launch_secret, psp_launch_finish;

psp_handler psp_guest_status, psp_attestation, psp_decommission;
psp_handler psp_dbg_decrypt, psp_dbg_encrypt;

/* Forgets a guest: its keys are wiped and its place is free. */
void psp_guest_clear(struct psp_guest *g);

/* Answers with len bytes, or says how many there would be. */
enum psp_status psp_answer(struct psp_room *out, const void *p, uint32_t len);

#endif
