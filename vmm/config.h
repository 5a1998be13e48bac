/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: what the user asked for, from flags and from a flattened device
 * tree (--config). Pure: parsing opens nothing but the tree's own file. Each
 * flag has a property in the tree and --dump-dtb writes the effective tree.
 */
#ifndef CARREL_VMM_CONFIG_H
#define CARREL_VMM_CONFIG_H

#include <stdint.h>

#include "vmm/num.h"
#include "vmm/rates.h"

#define CONFIG_DISKS 16
#define CONFIG_NETS 8
#define CONFIG_NET_QUEUES_MAX 8
#define CONFIG_MTU_MIN 68 /* RFC 791, 3.2 */
#define CONFIG_MTU_MAX 65535
#define CONFIG_MAC_BYTES 6
#define CONFIG_CPUS_MAX 64
#define CONFIG_QUEUES_MAX 16
#define CONFIG_MEMORY_MIN (64 * MIB)
#define CONFIG_MEMORY_MAX (1024 * GIB)
#define CONFIG_FILE_MIN (64 * KIB) /* of what a guest may fill */
#define CONFIG_FILE_MAX (1024 * GIB)
#define CONFIG_FILE_DEFAULT (64 * MIB)

/* In place of --control's path: the socket was handed over, see inherit.h. */
#define CONFIG_INHERITED "inherited"

enum config_verb { CONFIG_RUN, CONFIG_VERSION, CONFIG_HELP };

/* Where a character device goes. */
/* END_UNSET only while a config is read. */
enum config_end { END_NONE, END_STDIO, END_FILE, END_SOCKET, END_UNSET };

struct config_port {
	enum config_end end;
	const char *path; /* END_FILE, END_SOCKET */
	uint64_t max; /* END_FILE: bytes, then it begins anew; 0: no limit */
};

/* Exactly one of path and peer is given. */
struct config_disk {
	const char *path;
	const char *peer; /* a vhost-user peer's socket */
	const char *id; /* "disk0", ... unless given */
	bool readonly;
	unsigned queues; /* 0: one a vCPU, at most 4 */
	struct rates rates;
};

/* What follows when the guest panicked or crashed, in --panic's order. */
enum config_panic { PANIC_SHUTDOWN, PANIC_RESET, PANIC_PAUSE, PANIC_NONE };

/* And when nobody fed the watchdog, in --watchdog's order. */
enum config_watchdog {
	WATCHDOG_OFF, /* there is none */
	WATCHDOG_RESET,
	WATCHDOG_SHUTDOWN,
	WATCHDOG_POWEROFF,
	WATCHDOG_PAUSE,
	WATCHDOG_NMI,
	WATCHDOG_NONE, /* there is one, but nothing follows */
};

enum config_log { CONFIG_LOG_TEXT, CONFIG_LOG_JSON };

/* Does the host's kernel serve a tap's queues, in --net vhost's order. */
enum config_vhost { VHOST_AUTO, VHOST_ON, VHOST_OFF };

/* Exactly one of tap and passt is given. */
struct config_net {
	const char *tap; /* an interface that exists */
	const char *passt; /* passt's socket */
	const char *id; /* "net0", ... unless given */
	uint8_t mac[CONFIG_MAC_BYTES]; /* all zero: one at random */
	unsigned queues; /* pairs; 0: one */
	struct rates rx, tx; /* rx: to the guest */
	unsigned mtu; /* that the guest is told; 0: a tap's own, or none */
	uint32_t vhost; /* enum config_vhost */
};

struct config_sev {
	bool on;
	uint32_t policy; /* SEV API, table 2: all 32 bits kept */
	const char *dh, *session; /* files, raw or base64; both or neither */
	bool kernel_hashes; /* counts when a kernel is given; default on */
	int cbitpos, reduced_phys_bits; /* -1: from KVM */
};

struct config_vsock {
	bool on;
	uint32_t cid; /* the guest's address; the host's is 2 */
	const char *path; /* of the Unix socket; NULL with vhost */
	bool vhost; /* the host's kernel serves it, as AF_VSOCK */
};

struct config_fs {
	bool on;
	const char *socket; /* of a vhost-user peer */
	const char *tag; /* what the guest mounts */
	unsigned queues; /* 0: one a vCPU, at most what the peer has */
};

/* All text is owned by the config and freed by config_close. */
struct config {
	enum config_verb verb;
	const char *name;
	uint64_t memory; /* bytes, a multiple of 4096 */
	unsigned cpus;
	const char *firmware, *kernel, *initrd, *cmdline;
	struct config_disk disk[CONFIG_DISKS];
	size_t n_disks;
	struct config_net net[CONFIG_NETS];
	size_t n_nets;
	bool rng; /* virtio entropy device */
	bool balloon; /* virtio memory balloon; not with sev */
	uint32_t watchdog; /* enum config_watchdog */
	uint32_t panic; /* enum config_panic */
	struct config_port serial; /* default: stdio, unless console is */
	struct config_port console; /* virtio; END_NONE: no such device */
	struct config_port debugcon;
	const char *control; /* a path, CONFIG_INHERITED or NULL */
	bool no_reboot;
	bool paused; /* --paused: wait for cont */
	bool sandbox; /* default on */
	uint32_t log; /* enum config_log */
	struct config_vsock vsock;
	struct config_fs fs;
	struct config_sev sev;
	const char *timeline; /* a file, .json or .svg; NULL: none */
	const char *dump_dtb;
	bool from_tree; /* some of it, by --config */
	void *owned; /* config.c's list of strings */
};

/*
 * 0, or -EINVAL after one log line that names the flag (or node and property),
 * the value given and what would be accepted.
 */
int config_parse(struct config *c, int argc, char **argv) MUST_USE;

/* Writes c->dump_dtb; -errno after a log line. */
int config_dump(const struct config *c) MUST_USE;

/*
 * Is a file that is emptied at the start (an end's, the time line) named for
 * something else as well? Looks at files, opens none. -EINVAL after a log line.
 */
int config_apart(const struct config *c) MUST_USE;

/* Why the host's kernel cannot serve it, static text; NULL: it can. */
const char *config_no_vhost(const struct config_net *n);

/* Is there a control socket, of which others made the file? */
bool config_inherits(const struct config *c);

/* Does a name end so, with something before it? */
bool config_ends(const char *text, const char *end);

void config_close(struct config *c);

/* The text of `carrel help`, from malloc; NULL: no memory. */
char *config_usage(void) MUST_USE;

#endif
