/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine: see the header.
 */
#include "vmm/machine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "vmm/clock.h"
#include "vmm/log.h"
#include "vmm/mishap.h"

void machine_tell(const struct machine *m, const char *name, bool guest,
		  const char *reason)
{
	if (m->event)
		m->event(m->ctx, name, guest, reason);
}

void machine_end(struct machine *m, int status)
{
	machine_stop(m);
	m->state = MACHINE_SHUTDOWN;
	m->exit_status = status;
	event_stop(&m->vm->ev);
}

/* One that is paused already is so for another reason now. */
void machine_pause(struct machine *m, const char *why, bool needs_reset)
{
	const bool ran = m->state == MACHINE_RUNNING;

	if (!ran && m->state != MACHINE_PAUSED)
		return;
	m->paused_for = why;
	m->needs_reset = needs_reset;
	if (!ran)
		return;
	vcpus_pause(&m->vm->cpus);
	power_settle(&m->vm->power);
	board_pause(m->board);
	m->state = MACHINE_PAUSED;
	machine_tell(m, "STOP", false, NULL);
}

void machine_stop(struct machine *m)
{
	if (m->state == MACHINE_RUNNING)
		machine_pause(m, NULL, false);
}

int machine_cont(struct machine *m)
{
	if (m->state == MACHINE_PRELAUNCH && m->first_run) {
		int rc = m->first_run(m->ctx);

		if (rc)
			return rc;
	}
	if (m->state == MACHINE_RUNNING || m->state == MACHINE_SHUTDOWN)
		return 0;
	if (m->needs_reset)
		return -ENOTRECOVERABLE;
	if (m->state == MACHINE_PAUSED) {
		vcpus_tell_pause(&m->vm->cpus);
		board_resume(m->board);
	}
	m->state = MACHINE_RUNNING;
	m->paused_for = NULL;
	vcpus_run(&m->vm->cpus);
	machine_tell(m, "RESUME", false, NULL);
	return 0;
}

void machine_quit(struct machine *m)
{
	machine_tell(m, "SHUTDOWN", false, "host-qmp-quit");
	machine_end(m, EXIT_POWERED_OFF);
}

void machine_powerdown(struct machine *m)
{
	machine_tell(m, "POWERDOWN", false, NULL);
	board_power_button(m->board);
}

int machine_reset(struct machine *m, bool guest, const char *reason)
{
	bool ran = m->state == MACHINE_RUNNING;
	int rc;

	if (m->vm->sev.on)
		return -EOPNOTSUPP;
	if (ran) {
		vcpus_pause(&m->vm->cpus);
		board_pause(m->board);
	}
	/* Another vCPU may have asked too before it was parked. */
	power_settle(&m->vm->power);
	power_forget_reset(&m->vm->power);
	board_reset(m->board);
	rc = vm_reset(m->vm, m->image);
	if (rc) {
		log_error("reset: %s", strerror(-rc));
		machine_end(m, EXIT_HOST);
		return rc;
	}
	m->paused_for = NULL;
	m->needs_reset = false;
	machine_tell(m, "RESET", guest, reason);
	if (ran) {
		board_resume(m->board);
		vcpus_run(&m->vm->cpus);
	}
	return 0;
}

const char *machine_refusal(int rc)
{
	switch (rc) {
	case -EOPNOTSUPP:
		return "a SEV guest is not reset in place: launch it again, "
		       "with a fresh session";
	case -ENOTRECOVERABLE:
		return "Resetting the Virtual Machine is required";
	default: return strerror(-rc);
	}
}

/* What a guest does in a loop must not fill the log: a line a second. */
bool machine_second(int64_t *told)
{
	int64_t now = (int64_t)(clock_ns() / CLOCK_NS_PER_S) + 1;

	if (now == *told)
		return false;
	*told = now;
	return true;
}

void machine_guest_reset(struct machine *m, const char *why)
{
	if (m->no_reboot) {
		log_info("the guest reset (%s); --no-reboot ends here", why);
		machine_tell(m, "SHUTDOWN", true, "guest-reset");
		machine_end(m, EXIT_RESET);
	} else if (m->vm->sev.on) {
		log_info("the guest reset (%s); a SEV guest is not reset in "
			 "place: launch it again, with a fresh session and a "
			 "fresh measurement",
			 why);
		machine_tell(m, "SHUTDOWN", true, "guest-reset");
		machine_end(m, EXIT_RESET);
	} else {
		if (machine_second(&m->told_reset))
			log_info("the guest reset (%s)", why);
		(void)!machine_reset(m, true, "guest-reset");
	}
}

static void do_request(struct machine *m, enum power_request what,
		       const char *why)
{
	switch (what) {
	case POWER_NONE: break;
	case POWER_RESET: machine_guest_reset(m, why); break;
	case POWER_OFF:
		log_info("the guest powered off (%s)", why);
		machine_tell(m, "SHUTDOWN", true, "guest-shutdown");
		machine_end(m, EXIT_POWERED_OFF);
		break;
	case POWER_PANIC: mishap_panic(m); break;
	case POWER_CRASH: mishap_crash(m, why); break;
	case POWER_LEAVE:
		log_info("ended at the terminal");
		machine_tell(m, "SHUTDOWN", false, "host-ui");
		machine_end(m, EXIT_POWERED_OFF);
		break;
	case POWER_QUIT:
		machine_tell(m, "SHUTDOWN", false, "host-error");
		machine_end(m, EXIT_HOST);
		break;
	}
}

/* Notes are of what was before: a crash kernel, then its reset. */
static void on_power(void *ctx, int fd, uint32_t events)
{
	struct machine *m = ctx;
	enum power_request what;
	const char *why;

	(void)fd;
	(void)events;
	what = power_take(&m->vm->power, &why);
	mishap_notes(m, power_take_notes(&m->vm->power));
	if (m->state != MACHINE_SHUTDOWN)
		do_request(m, what, why);
	power_settle(&m->vm->power);
}

/* The first signal presses the power button, the second pulls the plug. */
static void on_signal(void *ctx, int fd, uint32_t events)
{
	struct machine *m = ctx;
	struct signalfd_siginfo si;

	(void)events;
	if (read(fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (!m->told_off && m->state == MACHINE_RUNNING) {
		m->told_off = true;
		log_info("%s: power button pressed; once more to quit",
			 strsignal((int)si.ssi_signo));
		machine_powerdown(m);
		return;
	}
	log_info("%s: quitting", strsignal((int)si.ssi_signo));
	machine_tell(m, "SHUTDOWN", false, "host-signal");
	machine_end(m, EXIT_POWERED_OFF);
}

/*
 * nohup and shells, for background jobs, have us ignore some signals. That is
 * to stay so: a signalfd would deliver them all the same, as they are blocked.
 */
static bool ignored(int sig)
{
	struct sigaction now;

	return !sigaction(sig, NULL, &now) && now.sa_handler == SIG_IGN;
}

static int take_signals(struct machine *m)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (!ignored(SIGINT))
		sigaddset(&set, SIGINT);
	if (!ignored(SIGHUP))
		sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	m->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (m->signal_fd < 0)
		return -errno;
	return event_add(&m->vm->ev, m->signal_fd, EPOLLIN, on_signal, m);
}

int machine_open(struct machine *m)
{
	int rc;

	m->state = MACHINE_PRELAUNCH;
	m->vm->power.panic_passes = m->panic == PANIC_NONE;
	m->signal_fd = -1;
	rc = take_signals(m);
	if (!rc)
		rc = event_add(&m->vm->ev, m->vm->power.fd, EPOLLIN, on_power,
			       m);
	if (rc)
		log_error("signals and power requests: %s", strerror(-rc));
	return rc;
}

void machine_close(struct machine *m)
{
	if (!m->vm)
		return;
	event_remove(&m->vm->ev, m->vm->power.fd);
	if (m->signal_fd >= 0) {
		event_remove(&m->vm->ev, m->signal_fd);
		close(m->signal_fd);
	}
}

int machine_run(struct machine *m)
{
	int rc = event_run(&m->vm->ev);

	if (rc)
		log_error("the event loop ended: %s", strerror(-rc));
	return rc;
}

const char *machine_status(const struct machine *m)
{
	static const char *const words[] = {
		[MACHINE_PRELAUNCH] = "prelaunch",
		[MACHINE_RUNNING] = "running",
		[MACHINE_PAUSED] = "paused",
		[MACHINE_SHUTDOWN] = "shutdown",
	};

	return m->paused_for && m->state == MACHINE_PAUSED ? m->paused_for
							   : words[m->state];
}
