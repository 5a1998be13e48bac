/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guid: EFI GUIDs as they lie in memory (UEFI 2.10, appendix A): the first
 * three fields little-endian, the rest in the order it is written.
 */
#ifndef CARREL_BOOT_GUID_H
#define CARREL_BOOT_GUID_H

#include "vmm/num.h"

#define GUID_LEN 16

struct guid {
	uint8_t b[GUID_LEN];
};

/* GUID(96b582de, 1fb2, 45f7, ba,ea, a3,66,c5,5a,08,2d), as it is printed. */
#define GUID(a, s, t, ...)                                                     \
	{                                                                      \
		{                                                              \
			(uint8_t)0x##a##u, (uint8_t)(0x##a##u >> 8),           \
				(uint8_t)(0x##a##u >> 16),                     \
				(uint8_t)(0x##a##u >> 24), (uint8_t)0x##s##u,  \
				(uint8_t)(0x##s##u >> 8), (uint8_t)0x##t##u,   \
				(uint8_t)(0x##t##u >> 8), __VA_ARGS__          \
		}                                                              \
	}

static inline bool guid_equal(const struct guid *g, const uint8_t *bytes)
{
	return memcmp(g->b, bytes, GUID_LEN) == 0;
}

#endif
