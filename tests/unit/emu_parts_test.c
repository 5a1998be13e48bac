/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emu_parts_test: the small parts of the emulation that need no processor: the
 * cipher of memory pages, key derivation, seccomp filters, the list of
 * mappings, CPUID, options.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "sev/emu/cipher.h"
#include "sev/emu/cpuid.h"
#include "sev/emu/filter.h"
#include "sev/emu/options.h"
#include "sev/emu/stub.h"
#include "sev/emu/vma.h"

static void cipher_depends_on_key_and_place(void **state)
{
	static const uint8_t key[16] = { 1 }, other_key[16] = { 2 };
	uint8_t plain[4096] = { 0 }, a[4096], b[4096];
	struct cipher c, d;

	(void)state;
	assert_int_equal(cipher_open(&c, key), 0);
	assert_int_equal(cipher_open(&d, other_key), 0);
	assert_int_equal(cipher_encrypt(&c, 0x1000, plain, a, 4096), 0);
	for (size_t i = 16; i < sizeof a; i += 16)
		assert_memory_not_equal(a, a + i, 16);
	assert_int_equal(cipher_encrypt(&c, 0x2000, plain, b, 4096), 0);
	assert_memory_not_equal(a, b, 16);
	assert_int_equal(cipher_encrypt(&d, 0x1000, plain, b, 4096), 0);
	assert_memory_not_equal(a, b, 16);
	assert_int_equal(cipher_decrypt(&c, 0x1000, a, b, 4096), 0);
	assert_memory_equal(b, plain, 4096);
	/* A part of a page is the same as that part of the whole, in place. */
	assert_int_equal(cipher_encrypt(&c, 0x1410, plain, plain, 48), 0);
	assert_memory_equal(plain, a + 0x410, 48);
	assert_int_equal(cipher_encrypt(&c, 0x1008, plain, b, 16), -EINVAL);
	assert_int_equal(cipher_encrypt(&c, 0x1000, plain, b, 15), -EINVAL);
	cipher_close(&c);
	cipher_close(&d);
}

/*
 * Worked out with Python's hmac: HMAC-SHA256(bytes(range(48)),
 * 01000000 "sev-master-secret" 00 bytes(16) 80000000)[:16], and so on.
 */
static void kdf_known_answers(void **state)
{
	static const uint8_t master[16] = { 0x31, 0xea, 0x67, 0x57, 0xd6, 0x7e,
					    0xbb, 0x04, 0xf5, 0x71, 0xf4, 0x5f,
					    0x60, 0xb5, 0x9c, 0x24 };
	static const uint8_t kek[16] = { 0x73, 0x3c, 0xa1, 0x11, 0xf5, 0xbb,
					 0xe3, 0x00, 0x34, 0xcb, 0x52, 0xdb,
					 0x26, 0x33, 0xe3, 0x88 };
	uint8_t z[48], nonce[16] = { 0 }, out[16];

	(void)state;
	for (size_t i = 0; i < sizeof z; i++)
		z[i] = (uint8_t)i;
	assert_int_equal(crypto_kdf(z, sizeof z, "sev-master-secret", nonce,
				    sizeof nonce, out),
			 0);
	assert_memory_equal(out, master, 16);
	assert_int_equal(crypto_kdf(master, 16, "sev-kek", NULL, 0, out), 0);
	assert_memory_equal(out, kek, 16);
}

/* Runs a filter as the kernel would, for the instructions that occur here. */
static uint32_t judge(const struct sock_fprog *f, const struct seccomp_data *d)
{
	uint32_t a = 0;

	for (size_t i = 0; i < f->len; i++) {
		const struct sock_filter *s = &f->filter[i];

		switch (s->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(s->k <= sizeof *d - 4);
			memcpy(&a, (const uint8_t *)d + s->k, 4);
			break;
		case BPF_LD | BPF_IMM: a = s->k; break;
		case BPF_ALU | BPF_AND | BPF_K: a &= s->k; break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			i += a == s->k ? s->jt : s->jf;
			break;
		case BPF_RET | BPF_K: return s->k;
		default: fail_msg("instruction 0x%x", s->code);
		}
	}
	fail_msg("no verdict");
	return 0;
}

static void filter_lets_one_page_pass(void **state)
{
	static const struct {
		uint64_t ip;
		int nr;
		uint32_t verdict;
	} table[] = {
		{ 0x7f0012345000, 1, SECCOMP_RET_ALLOW },
		{ 0x7f0012345fff, 1, SECCOMP_RET_ALLOW },
		{ 0x7f0012344fff, 1, SECCOMP_RET_KILL_PROCESS },
		{ 0x7f0012346000, 1, SECCOMP_RET_KILL_PROCESS },
		{ 0x7f0112345000, 1, SECCOMP_RET_KILL_PROCESS },
		{ 0x000012345000, 1, SECCOMP_RET_KILL_PROCESS },
		{ 0x7f0112345000, 39, SECCOMP_RET_ALLOW },
	};
	struct sock_filter theirs[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 39, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog in = { ARRAY_LEN(theirs), theirs }, out;
	static struct sock_filter code[BPF_MAXINSNS];

	(void)state;
	assert_int_equal(filter_extend(&in, 0x7f0012345000, code, &out), 0);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct seccomp_data d = { .nr = table[i].nr,
					  .instruction_pointer = table[i].ip };

		assert_int_equal(judge(&out, &d), table[i].verdict);
	}
	in.len = 0;
	assert_int_equal(filter_extend(&in, 0, code, &out), -EINVAL);
	in.len = BPF_MAXINSNS - FILTER_FRONT + 1;
	assert_int_equal(filter_extend(&in, 0, code, &out), -EINVAL);
}

static void maps_lines_are_parsed(void **state)
{
	static const char *const bad[] = {
		"",
		"7f00",
		"7f00-",
		"7f00-8000",
		"7f00-8000 rw",
		"8000-7f00 rw-p 00000000 00:00 0",
		"7f00-8000 rw-p zz",
		"7f00-8000 rw-p 0 00 0",
	};
	struct vma v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(vma_parse(bad[i], &v));
	assert_true(vma_parse("7f0000000000-7f0000002000 rw-s 00001000 00:01 "
			      "1234   /memfd:ram (deleted)",
			      &v));
	assert_true(v.start == 0x7f0000000000 && v.end == 0x7f0000002000);
	assert_int_equal(v.prot, PROT_READ | PROT_WRITE);
	assert_true(v.shared);
	assert_int_equal(v.offset, 0x1000);
	assert_int_equal(v.inode, 1234);
}

/* Three mappings of one file that follow each other are one. */
static void mappings_are_joined(void **state)
{
	int fd;
	uint8_t *at = stub_map_new(4 * 4096, &fd);
	uint64_t a = (uintptr_t)at;
	struct vma v;

	(void)state;
	assert_non_null(at);
	assert_int_equal(madvise(at + 4096, 4096, MADV_DONTFORK), 0);
	assert_int_equal(vma_find(a + 4096, 8192, &v), 0);
	assert_true(v.start == a && v.end == a + 4 * 4096);
	assert_int_equal(munmap(at + 3 * 4096, 4096), 0);
	assert_int_equal(vma_find(a + 8192, 4096, &v), 0);
	assert_true(v.end == a + 3 * 4096);
	assert_int_equal(vma_find(a + 8192, 8192, &v), -EFAULT);
	assert_int_equal(vma_find(0, 4096, &v), -EFAULT);
	/* What the stubs duplicate is the same memory. */
	uint8_t *again = stub_map_again(at, 4096, NULL);

	assert_non_null(again);
	again[7] = 42;
	assert_int_equal(at[7], 42);
	stub_unmap(again, 4096);
	stub_unmap(at, 3 * 4096);
	stub_close(fd);
}

static void copies_survive_bad_addresses(void **state)
{
	uint8_t buf[16];

	(void)state;
	assert_int_equal(stub_copy_in(buf, 8, sizeof buf), -EFAULT);
	assert_int_equal(stub_copy_out(8, buf, sizeof buf), -EFAULT);
	assert_int_equal(stub_copy_in(buf, ~0ull - 3, sizeof buf), -EFAULT);
	assert_int_equal(stub_copy_in(buf, 8, 0), 0);
}

/* A list with room for a few leaves: head's own array is open-ended. */
union leaves {
	struct kvm_cpuid2 head;
	struct {
		uint32_t nent, padding;
		struct kvm_cpuid_entry2 e[4];
	};
};

static void cpuid_tells_of_sev(void **state)
{
	union leaves l = { .nent = 3 };

	(void)state;
	l.e[0] = (struct kvm_cpuid_entry2){ .function = 0x80000000,
					    .eax = 0x8000000a };
	l.e[1] = (struct kvm_cpuid_entry2){ .function = 0x80000008,
					    .eax = 0x3028 };
	l.e[2] = (struct kvm_cpuid_entry2){ .function = 0x40000001,
					    .eax = 0x01000001 };
	assert_int_equal(cpuid_offer(&l.head, 3, 47), -E2BIG);
	assert_int_equal(cpuid_offer(&l.head, 4, 47), 0);
	assert_int_equal(l.nent, 4);
	assert_int_equal(l.e[0].eax, 0x8000001f);
	assert_int_equal(l.e[3].function, 0x8000001f);
	assert_int_equal(l.e[3].eax, 2);
	assert_int_equal(l.e[3].ebx, 47);

	l.e[3].ebx = 0; /* as QEMU gives it */
	cpuid_guest(&l.head, 47);
	assert_int_equal(l.e[3].ebx, 47 | 1 << 6);
	assert_int_equal(l.e[2].eax, 0x01030001);
	assert_int_equal(l.e[1].eax, 0x3030);
	l.e[3].eax = 0; /* a guest that is not told */
	l.e[2].eax = 1;
	cpuid_guest(&l.head, 47);
	assert_int_equal(l.e[2].eax, 1);
}

static void api_versions(void **state)
{
	static const char *const bad[] = { "",	     "1",     "1.",   ".5",
					   "256.1",  "1.256", "1.2.", "1.2.256",
					   "1.2.3.", "1.2x",  " 1.2", "-1.2" };
	struct options o = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(options_api(&o, bad[i]), -EINVAL);
	assert_int_equal(options_api(&o, "0.16"), 0);
	assert_true(o.api_major == 0 && o.api_minor == 16 && o.build == 0);
	assert_int_equal(options_api(&o, "1.55.255"), 0);
	assert_true(o.api_minor == 55 && o.build == 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cipher_depends_on_key_and_place),
		cmocka_unit_test(kdf_known_answers),
		cmocka_unit_test(filter_lets_one_page_pass),
		cmocka_unit_test(maps_lines_are_parsed),
		cmocka_unit_test(mappings_are_joined),
		cmocka_unit_test(copies_survive_bad_addresses),
		cmocka_unit_test(cpuid_tells_of_sev),
		cmocka_unit_test(api_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
