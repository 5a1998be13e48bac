/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest: what a launch measures, computed from the launch image alone. The
 * secure processor hashes each measured part as it encrypts it; this hashes
 * the same parts of the same list in the same order.
 */
#ifndef CARREL_SEV_DIGEST_H
#define CARREL_SEV_DIGEST_H

#include "vmm/image.h"
#include "vmm/num.h"

#define DIGEST_LEN 32

/* SHA-256 over the measured parts (a guest without SEV-ES: no VMSA). */
int digest_image(const struct image *im, uint8_t out[DIGEST_LEN]) MUST_USE;

#endif
