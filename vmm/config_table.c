/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_table: the settings of a VM, one row each, and the usage text that
 * follows from them.
 */
#include "vmm/config_table.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/log.h"

#define AT(field) offsetof(struct config, field)
#define DISK(field) offsetof(struct config_disk, field)
#define NET(field) offsetof(struct config_net, field)
#define SEV(field) offsetof(struct config_sev, field)
#define VSOCK(field) offsetof(struct config_vsock, field)
#define FS(field) offsetof(struct config_fs, field)

#define PATH_BYTES CONFIG_PATH_BYTES
#define SOCKET_BYTES CONFIG_SOCKET_BYTES
#define CMDLINE_BYTES 4095
#define ANY_END                                                                \
	(1u << END_NONE | 1u << END_STDIO | 1u << END_FILE | 1u << END_SOCKET)
#define FILE_END (1u << END_NONE | 1u << END_FILE)

/* One number of a struct rates, and all four of it. */
#define RATE(name, tree, where, text)                                          \
	{                                                                      \
		name, tree, KIND_RATE, where, .min = 1, .max = RATE_MAX,       \
					      .arg = "N", .help = text         \
	}
#define RATES(tree, dir, each, of, at, to)                                     \
	RATE(dir "bps", tree, of(at.bytes), "bytes a second" to),              \
		RATE(dir "bps-burst", tree, of(at.bytes_burst),                \
		     "bytes" to " at once; default: a tenth"),                 \
		RATE(each, tree, of(at.ops), "operations a second" to),        \
		RATE(each "-burst", tree, of(at.ops_burst),                    \
		     "operations" to " at once; default: a tenth")

static const struct config_row disk_rows[] = {
	{ "path", "disks", KIND_TEXT, DISK(path), .min = 1, .max = PATH_BYTES,
	  .arg = "FILE", .help = "raw image; a comma in the name is doubled" },
	{ "vhost-user", "disks", KIND_TEXT, DISK(peer), .min = 1,
	  .max = SOCKET_BYTES, .arg = "SOCKET",
	  .help = "the disk of another process, instead of path" },
	{ "readonly", "disks", KIND_SWITCH, DISK(readonly), .arg = "on|off",
	  .help = "the guest may not write" },
	/* Not a property: the node's name is the id. */
	{ "id", NULL, KIND_NAME, DISK(id), .min = 1, .max = 20, .arg = "ID",
	  .help = "serial number the guest sees; default: disk0, ..." },
	{ "queues", "disks", KIND_COUNT, DISK(queues), .min = 1,
	  .max = CONFIG_QUEUES_MAX, .arg = "N",
	  .help = "request queues; default: one a CPU, at most 4" },
	RATES("disks", "", "iops", DISK, rates, ""),
};

static const struct config_list disk_list = {
	.size = sizeof(struct config_disk),
	.count_at = AT(n_disks),
	.max = CONFIG_DISKS,
	.id_at = DISK(id),
};

static const struct config_row net_rows[] = {
	{ "tap", "nets", KIND_NAME, NET(tap), .min = 1, .max = 15,
	  .arg = "IFNAME", .help = "a tap interface that exists" },
	{ "passt", "nets", KIND_TEXT, NET(passt), .min = 1, .max = SOCKET_BYTES,
	  .arg = "SOCKET", .help = "passt's socket, instead of a tap" },
	{ "mac", "nets", KIND_MAC, NET(mac), .arg = "XX:XX:XX:XX:XX:XX",
	  .help = "the guest's address; default: random" },
	{ "queues", "nets", KIND_COUNT, NET(queues), .min = 1,
	  .max = CONFIG_NET_QUEUES_MAX, .arg = "N",
	  .help = "queue pairs of a tap, 1 to 8; default: 1" },
	{ "mtu", "nets", KIND_COUNT, NET(mtu), .min = CONFIG_MTU_MIN,
	  .max = CONFIG_MTU_MAX, .arg = "N",
	  .help = "MTU the guest is told; default: the tap's" },
	{ "vhost", "nets", KIND_WORD, NET(vhost), .arg = "auto|on|off",
	  .help = "the kernel serves a tap's queues; default: auto" },
	RATES("nets", "rx-", "rx-pps", NET, rx, " to the guest"),
	RATES("nets", "tx-", "tx-pps", NET, tx, " from it"),
	/* Not a property: the node's name is the id. */
	{ "id", NULL, KIND_NAME, NET(id), .min = 1, .max = 20, .arg = "ID",
	  .help = "its name for set_link; default: net0, ..." },
};

static const struct config_list net_list = {
	.size = sizeof(struct config_net),
	.count_at = AT(n_nets),
	.max = CONFIG_NETS,
	.id_at = NET(id),
};

static const struct config_row sev_rows[] = {
	{ "policy", "sev", KIND_COUNT, SEV(policy), .required = true,
	  .max = UINT32_MAX, .arg = "N", .help = "guest policy, all 32 bits" },
	{ "dh", "sev", KIND_TEXT, SEV(dh), .min = 1, .max = PATH_BYTES,
	  .arg = "FILE", .help = "the owner's certificate, godh.cert" },
	{ "session", "sev", KIND_TEXT, SEV(session), .min = 1,
	  .max = PATH_BYTES, .arg = "FILE",
	  .help = "the owner's session, launch_blob.bin" },
	{ "kernel-hashes", "sev", KIND_ONOFF, SEV(kernel_hashes),
	  .arg = "on|off",
	  .help = "measure kernel, initrd, cmdline; default: on" },
	{ "cbitpos", "sev", KIND_COUNT, SEV(cbitpos), .min = 32, .max = 63,
	  .arg = "N", .help = "position of the C-bit; default: KVM's" },
	{ "reduced-phys-bits", "sev", KIND_COUNT, SEV(reduced_phys_bits),
	  .max = 32, .arg = "N",
	  .help = "address bits encryption costs; default: KVM's" },
};

/* Of a guest: 0 to 2 and the last have their own meanings (virtio 5.10.4). */
#define CID_MIN 3
#define CID_MAX 0xfffffffeu
#define PORT_BYTES 11 /* "_4294967295", which other names have behind it */

static const struct config_row vsock_rows[] = {
	{ "cid", "vsock", KIND_COUNT, VSOCK(cid), .required = true,
	  .min = CID_MIN, .max = CID_MAX, .arg = "N",
	  .help = "the guest's address, 3 or more" },
	{ "path", "vsock", KIND_TEXT, VSOCK(path), .min = 1,
	  .max = SOCKET_BYTES - PORT_BYTES, .arg = "SOCKET",
	  .help = "Unix socket for CONNECT; SOCKET_P is port P" },
	{ "vhost", "vsock", KIND_SWITCH, VSOCK(vhost), .arg = "on|off",
	  .help = "the kernel's AF_VSOCK, instead of path" },
};

#define TAG_BYTES 36 /* virtio 1.2, 5.11.4 */

static const struct config_row fs_rows[] = {
	{ "socket", "fs", KIND_TEXT, FS(socket), .required = true, .min = 1,
	  .max = SOCKET_BYTES, .arg = "SOCKET", .help = "virtiofsd's socket" },
	{ "tag", "fs", KIND_NAME, FS(tag), .required = true, .min = 1,
	  .max = TAG_BYTES, .arg = "NAME", .help = "what the guest mounts" },
	{ "queues", "fs", KIND_COUNT, FS(queues), .min = 1,
	  .max = CONFIG_QUEUES_MAX, .arg = "N",
	  .help = "default: one a CPU, at most 4 or what it has" },
};

static const struct config_row rows[] = {
	{ "config", NULL, KIND_TREE, 0, .min = 1, .max = PATH_BYTES,
	  .arg = "FILE", .help = "first read a flattened device tree" },
	{ "dump-dtb", NULL, KIND_TEXT, AT(dump_dtb), .min = 1,
	  .max = PATH_BYTES, .arg = "FILE",
	  .help = "write the effective description; - is stdout" },
	{ "name", "machine", KIND_NAME, AT(name), .prop = "label", .min = 1,
	  .max = 64, .arg = "NAME", .help = "name of the VM" },
	{ "memory", "machine", KIND_SIZE, AT(memory), .min = CONFIG_MEMORY_MIN,
	  .max = CONFIG_MEMORY_MAX, .arg = "SIZE",
	  .help = "guest memory, 64M to 1T; default: 512M" },
	{ "cpus", "machine", KIND_COUNT, AT(cpus), .min = 1,
	  .max = CONFIG_CPUS_MAX, .arg = "N",
	  .help = "virtual CPUs, 1 to 64; default: 1" },
	{ "rng", "machine", KIND_SWITCH, AT(rng),
	  .help = "virtio entropy device" },
	{ "balloon", "machine", KIND_SWITCH, AT(balloon),
	  .help = "virtio memory balloon; not with --sev" },
	{ "watchdog", "machine", KIND_WORD, AT(watchdog),
	  .arg = "off|reset|shutdown|poweroff|pause|inject-nmi|none",
	  .help = "i6300ESB, and what follows when it fires; default: off" },
	{ "serial", "machine", KIND_PORT, AT(serial), .max = ANY_END,
	  .arg = "stdio|file=FILE[,max=SIZE]|socket=PATH|none",
	  .help = "first serial port; default: stdio" },
	{ "console", "machine", KIND_PORT, AT(console), .max = ANY_END,
	  .arg = "stdio|file=FILE[,max=SIZE]|socket=PATH|none",
	  .help = "virtio console, hvc0; default: none" },
	{ "debugcon", "machine", KIND_PORT, AT(debugcon), .max = FILE_END,
	  .arg = "file=FILE[,max=SIZE]|none",
	  .help = "firmware log, port 0x402" },
	{ "firmware", "boot", KIND_TEXT, AT(firmware), .min = 1,
	  .max = PATH_BYTES, .arg = "FILE", .help = "OVMF image" },
	{ "kernel", "boot", KIND_TEXT, AT(kernel), .min = 1, .max = PATH_BYTES,
	  .arg = "FILE",
	  .help = "Linux bzImage, for the firmware; without one also vmlinux" },
	{ "initrd", "boot", KIND_TEXT, AT(initrd), .min = 1, .max = PATH_BYTES,
	  .arg = "FILE", .help = "initial RAM disk of the kernel" },
	{ "cmdline", "boot", KIND_TEXT, AT(cmdline), .max = CMDLINE_BYTES,
	  .arg = "TEXT", .help = "command line of the kernel" },
	{ "control", "run", KIND_TEXT, AT(control), .min = 1,
	  .max = SOCKET_BYTES, .arg = "PATH|" CONFIG_INHERITED,
	  .help = "control socket (QMP)" },
	{ "paused", "run", KIND_SWITCH, AT(paused),
	  .help = "wait for cont on the control socket" },
	{ "no-reboot", "run", KIND_SWITCH, AT(no_reboot),
	  .help = "end with status 3 when the guest resets" },
	{ "panic", "run", KIND_WORD, AT(panic),
	  .arg = "shutdown|reset|pause|none",
	  .help = "when the guest panics or crashes; default: shutdown" },
	{ "sandbox", "run", KIND_ONOFF, AT(sandbox), .arg = "on|off",
	  .help = "confine the process; default: on" },
	{ "log", "run", KIND_WORD, AT(log), .arg = "text|json",
	  .help = "form of messages; default: text" },
	{ "timeline", "run", KIND_TEXT, AT(timeline), .min = 1,
	  .max = PATH_BYTES, .arg = "FILE",
	  .help = "write what took the time, as .json or .svg" },
	{ "disk", "disks", KIND_LIST, AT(disk), .sub = disk_rows,
	  .n_sub = ARRAY_LEN(disk_rows), .list = &disk_list,
	  .arg = "NAME=VALUE,...",
	  .help = "virtio disk; repeatable, at most 16" },
	{ "net", "nets", KIND_LIST, AT(net), .sub = net_rows,
	  .n_sub = ARRAY_LEN(net_rows), .list = &net_list,
	  .arg = "NAME=VALUE,...",
	  .help = "virtio network interface; repeatable, at most 8" },
	{ "vsock", "vsock", KIND_GROUP, AT(vsock), .sub = vsock_rows,
	  .n_sub = ARRAY_LEN(vsock_rows), .arg = "NAME=VALUE,...",
	  .help = "virtio socket device" },
	{ "fs", "fs", KIND_GROUP, AT(fs), .sub = fs_rows,
	  .n_sub = ARRAY_LEN(fs_rows), .arg = "NAME=VALUE,...",
	  .help = "directory of the host's, by virtiofsd" },
	{ "sev", "sev", KIND_GROUP, AT(sev), .sub = sev_rows,
	  .n_sub = ARRAY_LEN(sev_rows), .arg = "NAME=VALUE,...",
	  .help = "launch the guest under AMD SEV" },
};

static_assert(ARRAY_LEN(rows) <= CONFIG_ROWS, "room for what was given");
static_assert(SEV(on) == 0 && VSOCK(on) == 0 && FS(on) == 0,
	      "as config_group_on reads it");

void *config_group(struct config *c, const struct config_row *group)
{
	return (char *)c + group->at;
}

bool config_group_on(const struct config *c, const struct config_row *group)
{
	return *(const bool *)((const char *)c + group->at);
}

const struct config_row *config_rows(size_t *n)
{
	*n = ARRAY_LEN(rows);
	return rows;
}

const struct config_row *config_find(const struct config_row *r, size_t n,
				     const char *flag, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(r[i].flag) == len && !memcmp(r[i].flag, flag, len))
			return &r[i];
	return NULL;
}

const struct config_row *config_lacks(const struct config_row *group,
				      uint32_t given)
{
	for (size_t i = 0; i < group->n_sub; i++)
		if (group->sub[i].required && !(given >> i & 1))
			return &group->sub[i];
	return NULL;
}

const char *config_prop(const struct config_row *r)
{
	return r->prop ? r->prop : r->flag;
}

void *config_item(const struct config *c, const struct config_row *list,
		  size_t i)
{
	return (char *)c + list->at + i * list->list->size;
}

size_t config_items(const struct config *c, const struct config_row *list)
{
	return *(const size_t *)((const char *)c + list->list->count_at);
}

void *config_item_new(struct config *c, const struct config_row *list,
		      const char *where)
{
	size_t n = config_items(c, list);
	void *item;

	if (n == list->list->max) {
		log_error("%s: one %s too many; at most %zu are accepted",
			  where, list->flag, list->list->max);
		return NULL;
	}
	item = config_item(c, list, n);
	memset(item, 0, list->list->size);
	return item;
}

int config_item_add(struct config *c, const struct config_row *list, void *item)
{
	size_t *n = (size_t *)((char *)c + list->list->count_at);
	const char **name = (const char **)((char *)item + list->list->id_at);
	char text[24];

	if (!*name) {
		int len = snprintf(text, sizeof(text), "%s%zu", list->flag, *n);

		*name = config_keep(c, text, (size_t)len);
	}
	if (!*name)
		return -ENOMEM;
	(*n)++;
	return 0;
}

/* A flag or suboption and its help; a wide one gets a line of its own. */
static void usage_row(FILE *f, const struct config_row *r, const char *before,
		      const char *between)
{
	const int column = 28;
	int width = fprintf(f, "%s%s%s%s", before, r->flag,
			    r->arg ? between : "", r->arg ? r->arg : "");

	if (width >= column)
		width = fprintf(f, "\n") - 1;
	fprintf(f, "%*s%s\n", column - width, "", r->help);
	for (size_t i = 0; i < r->n_sub; i++)
		usage_row(f, &r->sub[i], "      ", "=");
}

char *config_usage(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fprintf(f, "usage: carrel run [FLAG]...\n"
		   "       carrel {version | help | --version | --help}\n\n"
		   "Flags of run, as --flag value or --flag=value:\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		usage_row(f, &rows[i], "  --", " ");
	fprintf(f, "\nExit status: 0 powered off, 1 usage or configuration, "
		   "2 refused by the host,\n"
		   "3 reset with --no-reboot, 4 the guest crashed.\n");
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
