/* SPDX-License-Identifier: Apache-2.0 */
/*
 * l0-fixes: preloaded into the lab's own QEMU (TCG; 10.0 to 11.1 looked at),
 * where it takes the place of two functions that make nested guests fail at
 * random. It does nothing in a program that lacks what it looks for.
 *
 * cpu_interrupt: when a nested guest writes CR8 while a virtual interrupt is
 * pending, TCG's CR8 helper calls this without the big QEMU lock, and an
 * assertion ends QEMU ("tcg_handle_interrupt: assertion failed:
 * (bql_locked())"). OVMF restores CR8 in its timer handler, so an OVMF guest
 * inside the lab hits it within seconds. Here it takes the lock.
 *
 * do_interrupt_x86_hardirq: VMRUN delivers an interrupt that the hypervisor
 * injects by this, but has named it as a pending exception before, and leaves
 * that. A kick by another thread before the guest's first instruction (a timer,
 * a device) lets TCG deliver it once more, now as an exception, with interrupts
 * off: a nested kernel panics on its interrupt stack. Here nothing is pending
 * after the delivery. The two offsets this needs are read from QEMU's own code.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define CODE_BYTES 32 /* of a function, where an instruction is looked for */

static bool (*bql_locked)(void);
static void (*bql_lock)(const char *file, int line);
static void (*bql_unlock)(void);
static void (*handle_interrupt)(void *cpu, int mask);

static void (*do_interrupt)(void *cpu, int intno, int is_int, int error_code,
			    uint64_t next_eip, int is_hw);
static int32_t env_at, exception_at; /* in a CPU's structure */

static void *symbol(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

static void locked_cpu_interrupt(void *cpu, int mask)
{
	bool held = bql_locked();

	if (!held)
		bql_lock(__FILE__, __LINE__);
	handle_interrupt(cpu, mask);
	if (!held)
		bql_unlock();
}

static void interrupt_once(uint8_t *env, int intno, int is_hw)
{
	uint8_t *cpu = env - env_at;
	const int32_t none = -1;

	do_interrupt(cpu, intno, 0, 0, 0, is_hw);
	memcpy(cpu + exception_at, &none, sizeof none);
}

/* The four bytes after the first `head` in a function; 0: it is not there. */
static int32_t operand(const uint8_t *code, const char *head, size_t len)
{
	const uint8_t *at = code ? memmem(code, CODE_BYTES, head, len) : NULL;
	int32_t value = 0;

	if (at)
		memcpy(&value, at + len, sizeof value);
	return value;
}

/* Whoever calls entry gets to target: jmp *0(%rip); .quad target. */
static void replace(uint8_t *entry, uint64_t target)
{
	uint8_t jump[14] = { 0xff, 0x25, 0, 0, 0, 0 };
	void *page = (void *)((uintptr_t)entry & ~4095ul);

	if (mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC))
		return;
	memcpy(jump + 6, &target, sizeof target);
	memcpy(entry, jump, sizeof jump);
	mprotect(page, 8192, PROT_READ | PROT_EXEC);
}

static void fix_lock(void)
{
	uint8_t *entry = symbol("cpu_interrupt");

	bql_locked = symbol("bql_locked");
	bql_lock = symbol("bql_lock_impl");
	bql_unlock = symbol("bql_unlock");
	handle_interrupt = symbol("tcg_handle_interrupt");
	if (entry && bql_locked && bql_lock && bql_unlock && handle_interrupt)
		replace(entry, (uint64_t)locked_cpu_interrupt);
}

static void fix_injection(void)
{
	uint8_t *entry = symbol("do_interrupt_x86_hardirq");

	do_interrupt = symbol("do_interrupt_all");
	/* sub $env_at, %rdi; movl $-1, exception_at(%rdi) */
	env_at = operand(entry, "\x48\x81\xef", 3);
	exception_at = operand(symbol("cpu_loop_exit_noexc"), "\xc7\x87", 2);
	if (entry && do_interrupt && env_at > 0 && exception_at > 0)
		replace(entry, (uint64_t)interrupt_once);
}

__attribute__((constructor)) static void fix(void)
{
	fix_lock();
	fix_injection();
}
