/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine: see the header.
 */
#include "vmm/machine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "vmm/log.h"

static void tell(const struct machine *m, const char *name, bool guest,
		 const char *reason)
{
	if (m->event)
		m->event(m->ctx, name, guest, reason);
}

static void machine_end(struct machine *m, int status)
{
	machine_stop(m);
	m->state = MACHINE_SHUTDOWN;
	m->exit_status = status;
	event_stop(&m->vm->ev);
}

void machine_stop(struct machine *m)
{
	if (m->state != MACHINE_RUNNING)
		return;
	vcpus_pause(&m->vm->cpus);
	board_pause(m->board);
	m->state = MACHINE_PAUSED;
	tell(m, "STOP", false, NULL);
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
	if (m->state == MACHINE_PAUSED) {
		vcpus_tell_pause(&m->vm->cpus);
		board_resume(m->board);
	}
	m->state = MACHINE_RUNNING;
	vcpus_run(&m->vm->cpus);
	tell(m, "RESUME", false, NULL);
	return 0;
}

void machine_quit(struct machine *m)
{
	tell(m, "SHUTDOWN", false, "host-qmp-quit");
	machine_end(m, EXIT_POWERED_OFF);
}

void machine_powerdown(struct machine *m)
{
	tell(m, "POWERDOWN", false, NULL);
	board_power_button(m->board);
}

int machine_reset(struct machine *m, bool guest)
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
	power_forget_reset(&m->vm->power);
	board_reset(m->board);
	rc = vm_reset(m->vm, m->image);
	if (rc) {
		log_error("reset: %s", strerror(-rc));
		machine_end(m, EXIT_HOST);
		return rc;
	}
	tell(m, "RESET", guest,
	     guest ? "guest-reset" : "host-qmp-system-reset");
	if (ran) {
		board_resume(m->board);
		vcpus_run(&m->vm->cpus);
	}
	return 0;
}

/* A guest that resets in a loop must not fill the log: a line a second. */
static bool second_begins(struct machine *m)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) || now.tv_sec == m->told_reset)
		return false;
	m->told_reset = now.tv_sec;
	return true;
}

static void guest_reset(struct machine *m, const char *why)
{
	if (m->no_reboot) {
		log_info("the guest reset (%s); --no-reboot ends here", why);
		tell(m, "SHUTDOWN", true, "guest-reset");
		machine_end(m, EXIT_RESET);
	} else if (m->vm->sev.on) {
		log_info("the guest reset (%s); a SEV guest is not reset in "
			 "place: launch it again, with a fresh session and a "
			 "fresh measurement",
			 why);
		tell(m, "SHUTDOWN", true, "guest-reset");
		machine_end(m, EXIT_RESET);
	} else {
		if (second_begins(m))
			log_info("the guest reset (%s)", why);
		(void)!machine_reset(m, true);
	}
}

static void on_power(void *ctx, int fd, uint32_t events)
{
	struct machine *m = ctx;
	const char *why;

	(void)fd;
	(void)events;
	switch (power_take(&m->vm->power, &why)) {
	case POWER_NONE: break;
	case POWER_RESET: guest_reset(m, why); break;
	case POWER_OFF:
		log_info("the guest powered off (%s)", why);
		tell(m, "SHUTDOWN", true, "guest-shutdown");
		machine_end(m, EXIT_POWERED_OFF);
		break;
	case POWER_CRASH:
		log_error("the guest crashed: %s", why);
		tell(m, "GUEST_PANICKED", true, why);
		tell(m, "SHUTDOWN", true, "guest-panic");
		machine_end(m, EXIT_CRASHED);
		break;
	case POWER_LEAVE:
		log_info("ended at the terminal");
		tell(m, "SHUTDOWN", false, "host-ui");
		machine_end(m, EXIT_POWERED_OFF);
		break;
	case POWER_QUIT:
		tell(m, "SHUTDOWN", false, "host-error");
		machine_end(m, EXIT_HOST);
		break;
	}
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
	tell(m, "SHUTDOWN", false, "host-signal");
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

	return words[m->state];
}
