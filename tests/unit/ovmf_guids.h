/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovmf_guids: of the tables at the end of an OVMF image, as boot/firmware.h has
 * them; the bytes are from Python's uuid.
 */
#ifndef CARREL_TESTS_UNIT_OVMF_GUIDS_H
#define CARREL_TESTS_UNIT_OVMF_GUIDS_H

#define FOOTER                                                                 \
	"\xde\x82\xb5\x96\xb2\x1f\xf7\x45\xba\xea\xa3\x66\xc5\x5a\x08\x2d"
#define SECRET                                                                 \
	"\x61\xb3\x2e\x4c\x9b\x7d\xc3\x4c\x80\x81\x12\x7c\x90\xd3\xd2\x94"
#define HASHES                                                                 \
	"\x1f\x37\x55\x72\x3b\x3a\x04\x4b\x92\x7b\x1d\xa6\xef\xa8\xd4\x54"

#endif
