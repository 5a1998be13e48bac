/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine: what the whole VM is doing (prelaunch, running, paused, shut down)
 * and everything that changes it: the control socket's commands, signals and
 * the guest's own requests. Main thread only.
 */
#ifndef CARREL_VMM_MACHINE_H
#define CARREL_VMM_MACHINE_H

#include "vmm/board.h"
#include "vmm/vm.h"

enum machine_state {
	MACHINE_PRELAUNCH, /* no instruction has run yet */
	MACHINE_RUNNING,
	MACHINE_PAUSED,
	MACHINE_SHUTDOWN,
};

/* carrel's exit statuses (carrel(1), EXIT STATUS). */
enum machine_exit {
	EXIT_POWERED_OFF = 0,
	EXIT_USAGE = 1,
	EXIT_HOST = 2,
	EXIT_RESET = 3,
	EXIT_CRASHED = 4,
};

struct machine {
	struct vm *vm;
	struct board *board;
	const struct image *image;
	enum machine_state state;
	bool no_reboot;
	const char *paused_for; /* a RunState besides "paused"; or NULL */
	bool needs_reset; /* paused, and cannot go on as it is */
	enum config_panic panic;
	enum config_watchdog watchdog;
	int exit_status;
	int signal_fd;
	int64_t told_reset; /* second of the last log line about a reset */
	int64_t told_note, told_watchdog; /* and about a note of each kind */
	bool told_off; /* one SIGTERM or SIGINT came already */
	/* Before the first instruction (SEV: LAUNCH_FINISH). May be NULL. */
	int (*first_run)(void *ctx);
	/*
	 * name and reason in QMP's words; may be NULL. Of GUEST_PANICKED,
	 * GUEST_CRASHLOADED and WATCHDOG the reason is what follows.
	 */
	void (*event)(void *ctx, const char *name, bool guest,
		      const char *reason);
	void *ctx;
};

/*
 * Fill vm, board, image, no_reboot and the callbacks first. Takes over SIGTERM,
 * SIGINT, SIGHUP and the VM's power requests.
 */
int machine_open(struct machine *m) MUST_USE;
void machine_close(struct machine *m); /* never opened: nothing */

/* Runs the loop until the VM ends; the result is in exit_status. */
int machine_run(struct machine *m) MUST_USE;

/*
 * QMP's verbs. cont: -errno of first_run; -ENOTRECOVERABLE: only a reset helps.
 * reset: -EOPNOTSUPP under SEV.
 */
int machine_cont(struct machine *m) MUST_USE;
void machine_stop(struct machine *m);
void machine_quit(struct machine *m);
void machine_powerdown(struct machine *m);
int machine_reset(struct machine *m, bool guest, const char *reason) MUST_USE;

/* What such a refusal means; other codes in the system's words. */
const char *machine_refusal(int rc);

/*
 * QMP's RunState: "prelaunch", "running", "paused", "shutdown"; for paused also
 * "guest-panicked", "internal-error", "watchdog".
 */
const char *machine_status(const struct machine *m);

/* For mishap.c. */
void machine_tell(const struct machine *m, const char *name, bool guest,
		  const char *reason);
void machine_pause(struct machine *m, const char *why, bool needs_reset);
void machine_end(struct machine *m, int status);
void machine_guest_reset(struct machine *m, const char *why);

/* Is this another second than *told, by then now? */
bool machine_second(int64_t *told);

#endif
