/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qmp: SEV's commands on the control socket, with QEMU's names, arguments and
 * results: query-sev, query-sev-capabilities, query-sev-launch-measure,
 * sev-inject-launch-secret, query-sev-attestation-report. Clients are hostile:
 * everything they send is decoded and bounded here before launch.c sees it.
 */
#ifndef CARREL_SEV_QMP_H
#define CARREL_SEV_QMP_H

#include "sev/launch.h"
#include "vmm/control.h"

struct sev_qmp {
	struct launch *launch; /* NULL: the guest has no SEV */
	struct control *control;
};

/*
 * Registers the commands and, for a SEV guest, announces each change of its
 * state with X_CARREL_SEV_STATE {state}. q, l and c must outlive the socket.
 */
int sev_qmp_open(struct sev_qmp *q, struct control *c,
		 struct launch *l) MUST_USE;

#endif
