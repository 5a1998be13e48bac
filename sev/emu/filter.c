/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter: see the header. Jumps in classic BPF are relative, so the program's
 * instructions can be moved as they are.
 */
#include "sev/emu/filter.h"

#include <errno.h>
#include <linux/seccomp.h>

#define PAGE_MASK 0xfffff000u

int filter_extend(const struct sock_fprog *in, uint64_t page,
		  struct sock_filter out[BPF_MAXINSNS],
		  struct sock_fprog *extended)
{
	uint32_t ip = offsetof(struct seccomp_data, instruction_pointer);
	const struct sock_filter front[FILTER_FRONT] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(page >> 32), 0,
			 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, PAGE_MASK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)page & PAGE_MASK,
			 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		/* A filter starts with an accumulator of zero. */
		BPF_STMT(BPF_LD | BPF_IMM, 0),
	};
	size_t room = (BPF_MAXINSNS - FILTER_FRONT) * sizeof *out;

	if (!in->filter || !in->len || in->len > BPF_MAXINSNS - FILTER_FRONT)
		return -EINVAL;
	bytes_copy(out, sizeof front, front, sizeof front);
	bytes_copy(out + FILTER_FRONT, room, in->filter, in->len * sizeof *out);
	*extended = (struct sock_fprog){
		.len = (unsigned short)(in->len + FILTER_FRONT),
		.filter = out,
	};
	return 0;
}
