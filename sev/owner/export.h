/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export: a platform's certificates, fetched from its secure processor by
 * whoever administers the host. What comes out is evidence for the owner to
 * verify, not something that is trusted here.
 */
#ifndef CARREL_SEV_OWNER_EXPORT_H
#define CARREL_SEV_OWNER_EXPORT_H

#include "vmm/num.h"

/*
 * Writes pdh, pek, oca, cek and cert_chain .cert into dir. -errno after a log
 * line, with the firmware's error in words if it was the firmware's.
 */
int export_platform(const char *dir, bool force) MUST_USE;

#endif
