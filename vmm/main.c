/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main: the recipe of a VM, read from top to bottom. Nothing else here but the
 * wires between parts that must not know each other: the control socket and the
 * machine, the machine and the SEV launch, threads and their sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/plan.h"
#include "devices/terminal.h"
#include "sev/launch.h"
#include "sev/qmp.h"
#include "vmm/board.h"
#include "vmm/board_commands.h"
#include "vmm/config.h"
#include "vmm/clock.h"
#include "vmm/control.h"
#include "vmm/counters.h"
#include "vmm/inherit.h"
#include "vmm/jail.h"
#include "vmm/log.h"
#include "vmm/machine.h"
#include "vmm/notify.h"
#include "vmm/timeline_file.h"
#include "vmm/version.h"
#include "vmm/vm.h"

struct carrel {
	struct config cfg;
	struct vm vm;
	struct image image;
	struct launch launch;
	struct board *board;
	struct machine machine;
	struct control control;
	struct counters counters;
	struct timeline timeline;
	struct timeline_file timeline_file;
	struct notify notify; /* whoever started us */
	int inherited; /* the control socket, if it was handed over */
	struct sev_qmp sev_qmp;
	struct board_dials dials; /* the board's, once it is open */
};

/* The control socket's commands, as the machine's verbs. */

static int do_stop(void *ctx, struct control_error *err)
{
	struct carrel *c = ctx;

	(void)err;
	machine_stop(&c->machine);
	return 0;
}

static int do_cont(void *ctx, struct control_error *err)
{
	struct carrel *c = ctx;
	int rc;

	/* An older failure, of a secret for one, says nothing about this. */
	c->launch.why[0] = '\0';
	if (c->machine.state == MACHINE_PRELAUNCH)
		timeline_phase(&c->timeline, "start");
	rc = machine_cont(&c->machine);
	if (rc && c->machine.state == MACHINE_PRELAUNCH)
		timeline_phase(&c->timeline, "wait");
	if (rc)
		return control_fail(err, rc, "%s",
				    c->launch.why[0] ? c->launch.why
						     : machine_refusal(rc));
	return 0;
}

static int do_powerdown(void *ctx, struct control_error *err)
{
	struct carrel *c = ctx;

	(void)err;
	machine_powerdown(&c->machine);
	return 0;
}

static int do_reset(void *ctx, struct control_error *err)
{
	struct carrel *c = ctx;
	int rc = machine_reset(&c->machine, false, "host-qmp-system-reset");

	return rc ? control_fail(err, rc, "%s", machine_refusal(rc)) : 0;
}

static void do_quit(void *ctx)
{
	struct carrel *c = ctx;

	machine_quit(&c->machine);
}

static const char *get_status(void *ctx)
{
	struct carrel *c = ctx;

	return machine_status(&c->machine);
}

static unsigned get_cpus(void *ctx)
{
	struct carrel *c = ctx;

	return c->vm.cpus.n;
}

static pid_t get_cpu_thread(void *ctx, unsigned cpu)
{
	struct carrel *c = ctx;

	return cpu < c->vm.cpus.n ? c->vm.cpus.v[cpu].tid : 0;
}

static const char *get_name(void *ctx)
{
	struct carrel *c = ctx;

	return c->cfg.name;
}

static const struct control_vm control_vm = {
	.stop = do_stop,
	.cont = do_cont,
	.powerdown = do_powerdown,
	.reset = do_reset,
	.quit = do_quit,
	.status = get_status,
	.cpus = get_cpus,
	.cpu_thread = get_cpu_thread,
	.name = get_name,
};

/* The machine's news for a service manager, in sd_notify(3)'s words. */
static void tell_service(const struct carrel *c, const char *name,
			 const char *reason)
{
	char lines[128];

	if (!strcmp(name, "SHUTDOWN")) {
		snprintf(lines, sizeof(lines), "STOPPING=1\nSTATUS=ended: %s",
			 reason);
		notify_say(&c->notify, true, lines);
	} else if (!strcmp(name, "STOP") || !strcmp(name, "RESUME")) {
		snprintf(lines, sizeof(lines), "STATUS=%s",
			 machine_status(&c->machine));
		notify_say(&c->notify, false, lines);
	}
}

/* The machine's news, as events on the control socket. */
static void on_event(void *ctx, const char *name, bool guest,
		     const char *reason)
{
	struct carrel *c = ctx;

	timeline_event(&c->timeline, name, reason);
	tell_service(c, name, reason);
	if (c->control.fd < 0)
		return;
	if (!strcmp(name, "SHUTDOWN") || !strcmp(name, "RESET"))
		control_event_cause(&c->control, name, guest, reason);
	else
		control_event(&c->control, name,
			      reason ? json_pack("{ss}", "action", reason)
				     : NULL);
}

static int finish_launch(void *ctx)
{
	struct carrel *c = ctx;

	return c->cfg.sev.on ? launch_finish(&c->launch) : 0;
}

static int enter_vcpu(void *ctx)
{
	struct carrel *c = ctx;

	return c->cfg.sandbox ? jail_thread(JAIL_VCPU) : 0;
}

/* A worker without its sandbox must not see a byte of the guest's. */
static void enter_worker(void *ctx, int role)
{
	struct carrel *c = ctx;

	if (c->cfg.sandbox && jail_thread((enum jail_role)role)) {
		log_error("the sandbox of a device's thread failed");
		exit(EXIT_HOST);
	}
}

/* In a process beside us, which removes nothing. */
static int confine(const struct carrel *c, enum jail_role role)
{
	const struct jail_options nothing = { 0 };
	int rc = c->cfg.sandbox ? jail_process(&nothing) : 0;

	return rc || !c->cfg.sandbox ? rc : jail_thread(role);
}

static int confine_guard(void *ctx)
{
	return confine(ctx, JAIL_MAIN);
}

static int confine_dialer(void *ctx)
{
	return confine(ctx, JAIL_DIALER);
}

/* Whatever becomes of us, the user's terminal is as it was. */
static int guard_terminal(struct carrel *c)
{
	int rc = 0;

	if (c->cfg.serial.end == END_STDIO || c->cfg.console.end == END_STDIO)
		rc = terminal_guard(confine_guard, c);
	if (rc)
		log_error("standard input: cannot guard the terminal: %s",
			  strerror(-rc));
	return rc;
}

/* Now, as they are to have nothing of what we are about to open. */
static int start_dialers(struct carrel *c)
{
	return board_dial(&c->dials, &c->cfg, confine_dialer, c);
}

/* Files into an ordered list of what the guest starts from. */
static int plan(struct carrel *c)
{
	uint64_t low = min_u64(c->cfg.memory, GMEM_LOW_MAX);
	int rc = c->cfg.sev.on ? launch_policy(c->cfg.sev.policy) : 0;
	struct boot_source src = {
		.firmware = c->cfg.firmware,
		.kernel = c->cfg.kernel,
		.initrd = c->cfg.initrd,
		.cmdline = c->cfg.cmdline,
		.kernel_hashes = c->cfg.sev.on && c->cfg.kernel &&
				 c->cfg.sev.kernel_hashes,
		.ram_low = low,
		.ram_high = c->cfg.memory - low,
		.cpus = c->cfg.cpus,
		.name = c->cfg.name,
	};

	timeline_phase(&c->timeline, "files");
	return rc ? rc : boot_plan(&c->image, &src);
}

/* A SEV guest is one from before its first vCPU on. */
static int open_launch(struct carrel *c)
{
	struct launch_config lc = {
		.policy = c->cfg.sev.policy,
		.dh = c->cfg.sev.dh,
		.session = c->cfg.sev.session,
		.cbitpos = c->cfg.sev.cbitpos,
		.reduced_phys_bits = c->cfg.sev.reduced_phys_bits,
		.timeline = &c->timeline,
	};
	int rc;

	if (!c->cfg.sev.on)
		return 0;
	timeline_phase(&c->timeline, "keys");
	rc = launch_open(&c->launch, c->vm.kvm.fd, c->vm.kvm.vm_fd, &lc);
	if (!rc)
		c->vm.sev = (struct cpuid_sev){ true, c->launch.cbitpos,
						c->launch.reduced_phys_bits };
	return rc;
}

static int measure(struct carrel *c)
{
	if (!c->cfg.sev.on)
		return 0;
	timeline_phase(&c->timeline, "measure");
	return launch_measure(&c->launch, &c->vm.mem, &c->image);
}

static int open_machine(struct carrel *c)
{
	c->machine = (struct machine){
		.vm = &c->vm,
		.image = &c->image,
		.no_reboot = c->cfg.no_reboot,
		.panic = (enum config_panic)c->cfg.panic,
		.watchdog = (enum config_watchdog)c->cfg.watchdog,
		.first_run = finish_launch,
		.event = on_event,
		.ctx = c,
	};
	return machine_open(&c->machine);
}

static int open_board(struct carrel *c)
{
	const struct board_host host = { enter_worker, c, &c->dials };
	int rc;

	timeline_phase(&c->timeline, "devices");
	rc = board_open(&c->board, &c->vm, &c->cfg, &c->image, &host);

	c->machine.board = c->board;
	return rc;
}

static int open_control(struct carrel *c)
{
	int rc;

	if (!c->cfg.control)
		return 0;
	timeline_phase(&c->timeline, "control");
	c->counters.machine = &c->machine;
	c->counters.timeline = &c->timeline;
	c->counters.name = c->cfg.name;
	if (config_inherits(&c->cfg))
		rc = control_take(&c->control, &c->vm.ev, c->inherited,
				  &control_vm, c);
	else
		rc = control_open(&c->control, &c->vm.ev, c->cfg.control,
				  &control_vm, c);
	if (!rc)
		rc = counters_open(&c->counters, &c->control);
	if (!rc)
		rc = board_commands_open(&c->control, c->board);
	if (rc)
		return rc;
	return sev_qmp_open(&c->sev_qmp, &c->control,
			    c->cfg.sev.on ? &c->launch : NULL);
}

/* The name that a port takes away at the end, or swaps before; or none. */
static const char *port_name(const struct config_port *p)
{
	return p->end == END_FILE && !p->max ? NULL : p->path;
}

/* Nothing is opened after this; vCPU threads start inside the sandbox. */
static int enter_jail(struct carrel *c)
{
	const struct jail_options o = {
		.removable = { config_inherits(&c->cfg) ? NULL : c->cfg.control,
			       port_name(&c->cfg.serial),
			       port_name(&c->cfg.console),
			       port_name(&c->cfg.debugcon), c->cfg.vsock.path },
	};
	int rc;

	timeline_phase(&c->timeline, "sandbox");
	rc = c->cfg.sandbox ? jail_process(&o) : 0;
	if (rc)
		return rc;
	c->vm.cpus.enter = enter_vcpu;
	c->vm.cpus.enter_ctx = c;
	rc = vcpus_start(&c->vm.cpus);
	return rc || !c->cfg.sandbox ? rc : jail_thread(JAIL_MAIN);
}

/* An owner with a session decides when the guest runs. */
static int start(struct carrel *c)
{
	int rc;

	if (c->cfg.paused || (c->cfg.sev.on && c->launch.session)) {
		timeline_phase(&c->timeline, "wait");
		log_info("waiting for cont on the control socket");
		notify_say(&c->notify, true,
			   "READY=1\nSTATUS=waiting for cont");
		return 0;
	}
	timeline_phase(&c->timeline, "start");
	rc = machine_cont(&c->machine);
	if (!rc)
		notify_say(&c->notify, true, "READY=1");
	return rc;
}

static int carrel_run(struct carrel *c)
{
	int rc = open_machine(c);

	/* clang-format off */
	if (!rc) rc = open_launch(c);		  /* SEV: keys for this guest */
	if (!rc) rc = vm_load(&c->vm, &c->image); /* the image into memory    */
	if (!rc) rc = vm_add_cpus(&c->vm, c->cfg.cpus, &c->image);
	if (!rc) rc = open_board(c);		  /* devices, one line each   */
	if (!rc) rc = measure(c);		  /* SEV: encrypt and measure */
	if (!rc) rc = open_control(c);
	if (!rc) rc = enter_jail(c);		  /* nothing opens after this */
	if (!rc) rc = start(c);
	if (!rc) rc = machine_run(&c->machine);
	/* clang-format on */
	return rc;
}

static void carrel_close(struct carrel *c)
{
	if (c->vm.cpus.n)
		vcpus_close(&c->vm.cpus);
	control_close(&c->control);
	board_close(c->board);
	machine_close(&c->machine);
	if (c->cfg.sev.on)
		launch_close(&c->launch);
	vm_close(&c->vm);
}

/* What whoever started us has left for us, before anything is opened. */
static int take_over(struct carrel *c)
{
	c->inherited = -1;
	if (config_inherits(&c->cfg))
		c->inherited = inherit_socket("control");
	notify_open(&c->notify);
	return config_inherits(&c->cfg) && c->inherited < 0 ? -ENOENT : 0;
}

static int run(struct carrel *c)
{
	int rc;

	if (c->cfg.dump_dtb)
		return config_dump(&c->cfg) ? EXIT_HOST : 0;
	if (config_apart(&c->cfg))
		return EXIT_USAGE;
	if (inherit_standard() || guard_terminal(c) || take_over(c) ||
	    start_dialers(c))
		return EXIT_HOST;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit on files: EFBIG says so, too */
	c->control.fd = -1;
	c->launch.guest.psp_fd = -1;
	if (timeline_file_open(&c->timeline_file, c->cfg.timeline))
		return EXIT_HOST;
	rc = plan(c); /* files: nothing runs yet  */
	if (rc)
		return rc == -EINVAL ? EXIT_USAGE : EXIT_HOST;
	rc = vm_open(&c->vm, &c->cfg, &c->timeline); /* KVM, memory, buses */
	if (!rc)
		rc = carrel_run(c);
	carrel_close(c);
	notify_close(&c->notify);
	image_close(&c->image);
	return rc ? EXIT_HOST : c->machine.exit_status;
}

int main(int argc, char **argv)
{
	static struct carrel c;
	char *usage;
	int status = 0;

	timeline_start(&c.timeline);
	timeline_phase(&c.timeline, "configuration");
	c.counters.started_ns = clock_ns();
	if (config_parse(&c.cfg, argc, argv))
		return EXIT_USAGE;
	if (c.cfg.log == CONFIG_LOG_JSON)
		log_json(c.cfg.name);
	switch (c.cfg.verb) {
	case CONFIG_HELP:
		usage = config_usage();
		fputs(usage ? usage : "", stdout);
		free(usage);
		break;
	case CONFIG_VERSION: puts("carrel " CARREL_VERSION); break;
	case CONFIG_RUN: status = run(&c); break;
	}
	timeline_file_close(&c.timeline_file, &c.timeline, &c.cfg);
	config_close(&c.cfg);
	return status;
}
