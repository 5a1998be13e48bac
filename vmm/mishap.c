/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mishap: see the header.
 */
#include "vmm/mishap.h"

#include "vmm/log.h"

static void end_crashed(struct machine *m)
{
	machine_tell(m, "SHUTDOWN", true, "guest-panic");
	machine_end(m, EXIT_CRASHED);
}

static void panic_reset(struct machine *m)
{
	if (!m->no_reboot && !m->vm->sev.on) {
		(void)!machine_reset(m, true, "guest-panic");
		return;
	}
	log_info("--panic reset: %s ends here",
		 m->vm->sev.on ? "a SEV guest, which is not reset in place,"
			       : "--no-reboot");
	end_crashed(m);
}

/* stuck: no vCPU could go on, but from a reset. */
static void panic_apply(struct machine *m, enum config_panic action, bool stuck)
{
	switch (action) {
	case PANIC_RESET:
		machine_tell(m, "GUEST_PANICKED", true, "reset");
		panic_reset(m);
		break;
	case PANIC_PAUSE:
		machine_tell(m, "GUEST_PANICKED", true, "pause");
		machine_pause(m, stuck ? "internal-error" : "guest-panicked",
			      stuck);
		break;
	default:
		machine_tell(m, "GUEST_PANICKED", true, "poweroff");
		end_crashed(m);
		break;
	}
}

/* With --panic reset this may come in a loop. */
static bool worth_a_line(struct machine *m)
{
	return m->panic != PANIC_RESET || machine_second(&m->told_reset);
}

void mishap_panic(struct machine *m)
{
	if (worth_a_line(m))
		log_error("the guest panicked");
	panic_apply(m, m->panic, false);
}

void mishap_crash(struct machine *m, const char *why)
{
	if (worth_a_line(m))
		log_error("the guest crashed: %s", why);
	panic_apply(m, m->panic, true);
}

static void watchdog_apply(struct machine *m)
{
	switch (m->watchdog) {
	case WATCHDOG_RESET: machine_guest_reset(m, "watchdog"); break;
	case WATCHDOG_SHUTDOWN: machine_powerdown(m); break;
	case WATCHDOG_POWEROFF: end_crashed(m); break;
	case WATCHDOG_PAUSE: machine_pause(m, "watchdog", false); break;
	case WATCHDOG_NMI:
		if (m->state == MACHINE_RUNNING)
			vcpus_nmi(&m->vm->cpus);
		break;
	default: break;
	}
}

/*
 * It may be set to fire a thousand times a second, of which a power button that
 * is pressed as often would be told, too.
 */
static void watchdog_fired(struct machine *m)
{
	bool aloud = machine_second(&m->told_watchdog);

	static const char *const words[] = {
		[WATCHDOG_OFF] = "none",
		[WATCHDOG_RESET] = "reset",
		[WATCHDOG_SHUTDOWN] = "shutdown",
		[WATCHDOG_POWEROFF] = "poweroff",
		[WATCHDOG_PAUSE] = "pause",
		[WATCHDOG_NMI] = "inject-nmi",
		[WATCHDOG_NONE] = "none",
	};

	if (aloud) {
		log_warn("the watchdog fired: nobody in the guest fed it in "
			 "time");
		machine_tell(m, "WATCHDOG", true, words[m->watchdog]);
	}
	if (aloud || m->watchdog != WATCHDOG_SHUTDOWN)
		watchdog_apply(m);
}

void mishap_notes(struct machine *m, unsigned notes)
{
	const unsigned panics = POWER_NOTE_CRASHLOADED | POWER_NOTE_PANIC;
	bool aloud;

	if (m->state == MACHINE_SHUTDOWN)
		return;
	aloud = notes & panics && machine_second(&m->told_note);
	if (aloud && notes & POWER_NOTE_CRASHLOADED) {
		log_warn("the guest panicked and starts its crash kernel");
		machine_tell(m, "GUEST_CRASHLOADED", true, "run");
	}
	if (aloud && notes & POWER_NOTE_PANIC) {
		log_warn("the guest panicked and goes on, by --panic none");
		machine_tell(m, "GUEST_PANICKED", true, "run");
	}
	if (notes & POWER_NOTE_WATCHDOG)
		watchdog_fired(m);
}
