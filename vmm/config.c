/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: defaults, the verb, and the checks that need more than one setting.
 */
#include "vmm/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/config_table.h"
#include "vmm/log.h"

static const struct config defaults = {
	.memory = 512 * MIB,
	.cpus = 1,
	.serial = { .end = END_UNSET },
	.sandbox = true,
	.sev = { .kernel_hashes = true,
		 .cbitpos = -1,
		 .reduced_phys_bits = -1 },
};

static int check_boot(const struct config *c)
{
	if (!c->firmware && !c->kernel) {
		log_error("--firmware and --kernel are missing: name an OVMF "
			  "image, a kernel, or both");
		return -EINVAL;
	}
	if (!c->firmware && c->sev.on) {
		log_error("--sev needs --firmware: the owner's measurement "
			  "is of one, and it checks kernel \"%s\"",
			  c->kernel);
		return -EINVAL;
	}
	if (c->initrd && !c->kernel) {
		log_error("--initrd \"%s\": needs --kernel", c->initrd);
		return -EINVAL;
	}
	if (c->cmdline && !c->kernel) {
		log_error("--cmdline \"%s\": needs --kernel", c->cmdline);
		return -EINVAL;
	}
	return 0;
}

static const char *item_text(const struct config *c,
			     const struct config_row *list, size_t i, size_t at)
{
	const char *item = config_item(c, list, i);

	return *(const char *const *)(item + at);
}

static const char *item_id(const struct config *c,
			   const struct config_row *list, size_t i)
{
	return item_text(c, list, i, list->list->id_at);
}

/* What an item is on: the first of its texts that is given. */
static const char *item_what(const struct config *c,
			     const struct config_row *list, size_t i)
{
	for (size_t k = 0; k < list->n_sub; k++) {
		const struct config_row *r = &list->sub[k];
		const char *text = NULL;

		if (r->kind == KIND_TEXT || r->kind == KIND_NAME)
			text = item_text(c, list, i, r->at);
		if (text)
			return text;
	}
	return "";
}

/* Of each list: two items of one name could not be told apart. */
static int check_names(const struct config *c, const struct config_row *list)
{
	for (size_t i = 0; i < config_items(c, list); i++) {
		const char *id = item_id(c, list, i);

		for (size_t k = 0; k < i; k++) {
			if (strcmp(id, item_id(c, list, k)))
				continue;
			log_error("--%s id \"%s\": two %ss have it, \"%s\" and "
				  "\"%s\"",
				  list->flag, id, list->flag,
				  item_what(c, list, k), item_what(c, list, i));
			return -EINVAL;
		}
	}
	return 0;
}

static int check_lists(const struct config *c)
{
	size_t n;
	const struct config_row *rows = config_rows(&n);
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++)
		if (rows[i].kind == KIND_LIST)
			rc = check_names(c, &rows[i]);
	return rc;
}

/* Of a list's item: its node too, where it may have come from a tree. */
__attribute__((format(printf, 4, 5))) static int refuse(const struct config *c,
							const char *flag,
							const char *id,
							const char *fmt, ...)
{
	char why[256], node[64] = "";
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (c->from_tree)
		(void)snprintf(node, sizeof(node), ", /%ss/%s", flag, id);
	log_error("--%s id \"%s\"%s: %s", flag, id, node, why);
	return -EINVAL;
}

static int check_disks(const struct config *c)
{
	for (size_t i = 0; i < c->n_disks; i++) {
		const struct config_disk *d = &c->disk[i];

		if (!d->path == !d->peer)
			return refuse(c, "disk", d->id,
				      "needs either path=FILE or "
				      "vhost-user=SOCKET");
		if (d->peer && d->readonly)
			return refuse(c, "disk", d->id,
				      "readonly is for \"%s\" to say; "
				      "accepted is readonly=off",
				      d->peer);
		if (d->peer && (rates_any(&d->rates) || d->rates.bytes_burst ||
				d->rates.ops_burst))
			return refuse(c, "disk", d->id,
				      "bps and iops do not bind \"%s\", which "
				      "carrel does not see at work; accepted "
				      "is a disk without limits",
				      d->peer);
	}
	return 0;
}

/* A burst is the start of a limit, and none without it. */
static int check_rates(const struct config *c, const char *flag, const char *id,
		       const char *dir, const char *ops, const struct rates *r)
{
	const char *alone = NULL;

	if (r->bytes_burst && !r->bytes)
		alone = "bps";
	else if (r->ops_burst && !r->ops)
		alone = ops;
	return alone ? refuse(c, flag, id, "%s%s-burst needs %s%s", dir, alone,
			      dir, alone)
		     : 0;
}

static int check_limits(const struct config *c)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < c->n_disks; i++)
		rc = check_rates(c, "disk", c->disk[i].id, "", "iops",
				 &c->disk[i].rates);
	for (size_t i = 0; !rc && i < c->n_nets; i++) {
		rc = check_rates(c, "net", c->net[i].id, "rx-", "pps",
				 &c->net[i].rx);
		if (!rc)
			rc = check_rates(c, "net", c->net[i].id, "tx-", "pps",
					 &c->net[i].tx);
	}
	return rc;
}

/* What the kernel does to queues of its own is as the kernel has it. */
const char *config_no_vhost(const struct config_net *n)
{
	if (!n->tap)
		return "passt is no interface of the kernel's";
	return rates_any(&n->rx) || rates_any(&n->tx)
		       ? "the kernel keeps to no limits"
		       : NULL;
}

static int check_nets(const struct config *c)
{
	for (size_t i = 0; i < c->n_nets; i++) {
		const struct config_net *n = &c->net[i];

		if (!n->tap == !n->passt)
			return refuse(c, "net", n->id,
				      "needs either tap=IFNAME or "
				      "passt=SOCKET");
		if (n->passt && n->queues > 1)
			return refuse(c, "net", n->id,
				      "queues=%u, but passt \"%s\" is one "
				      "socket: accepted is queues=1",
				      n->queues, n->passt);
		if (n->vhost == VHOST_ON && config_no_vhost(n))
			return refuse(c, "net", n->id,
				      "vhost=on, but %s; accepted are "
				      "vhost=auto and vhost=off",
				      config_no_vhost(n));
	}
	return 0;
}

/* Both would wait for a cont that can come by the control socket alone. */
static int check_control(const struct config *c)
{
	if (c->paused && !c->control) {
		log_error("--paused: needs --control, where cont comes from");
		return -EINVAL;
	}
	if (c->sev.session && !c->control) {
		log_error("--sev session \"%s\": needs --control, where the "
			  "secret and cont come from",
			  c->sev.session);
		return -EINVAL;
	}
	return 0;
}

/* One terminal, and a socket's name for one of them. */
static int check_ends(const struct config *c)
{
	const struct config_port *p[] = { &c->serial, &c->console };
	static const char *const flag[] = { "serial", "console" };

	if (c->serial.end == END_STDIO && c->console.end == END_STDIO) {
		log_error("--serial stdio and --console stdio: one of them is "
			  "accepted");
		return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		if (c->control && p[i]->end == END_SOCKET &&
		    !strcmp(c->control, p[i]->path)) {
			log_error("--%s and --control: both are \"%s\"",
				  flag[i], c->control);
			return -EINVAL;
		}
	}
	return 0;
}

/* PATH_N, of which the guest chooses N: it connects to what is there. */
static bool guest_reaches(const struct config *c, const char *path)
{
	size_t n = strlen(c->vsock.path);
	const char *number = path + n + 1;

	return !strncmp(path, c->vsock.path, n) && path[n] == '_' && *number &&
	       !number[strspn(number, "0123456789")];
}

static int refuse_reach(const struct config *c, const char *flag,
			const char *path)
{
	if (!path || !guest_reaches(c, path))
		return 0;
	log_error("--%s \"%s\": the guest could connect to it, as --vsock path "
		  "is \"%s\": another name is accepted",
		  flag, path, c->vsock.path);
	return -EINVAL;
}

/* Nor to a peer of its own devices, in our place. */
static int check_vsock(const struct config *c)
{
	const struct config_port *serial = &c->serial, *console = &c->console;
	int rc;

	if (!c->vsock.path == !c->vsock.vhost) {
		log_error("--vsock: needs either path=SOCKET or vhost=on");
		return -EINVAL;
	}
	if (c->vsock.vhost)
		return 0;
	rc = refuse_reach(c, "control", c->control);
	if (!rc && serial->end == END_SOCKET)
		rc = refuse_reach(c, "serial", serial->path);
	if (!rc && console->end == END_SOCKET)
		rc = refuse_reach(c, "console", console->path);
	for (size_t i = 0; !rc && i < c->n_disks; i++)
		rc = refuse_reach(c, "disk vhost-user", c->disk[i].peer);
	for (size_t i = 0; !rc && i < c->n_nets; i++)
		rc = refuse_reach(c, "net passt", c->net[i].passt);
	return rc ? rc : refuse_reach(c, "fs socket", c->fs.socket);
}

bool config_ends(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && !strcmp(text + len - n, end);
}

bool config_inherits(const struct config *c)
{
	return c->control && !strcmp(c->control, CONFIG_INHERITED);
}

static int check_sev(const struct config *c)
{
	if (c->balloon) {
		log_error("--balloon: not accepted with --sev: KVM pins the "
			  "memory of a SEV guest, which cannot be given back, "
			  "and what comes in its place could not be decrypted");
		return -EINVAL;
	}
	if (!c->sev.dh == !c->sev.session)
		return 0;
	log_error("--sev %s \"%s\": needs %s as well",
		  c->sev.dh ? "dh" : "session",
		  c->sev.dh ? c->sev.dh : c->sev.session,
		  c->sev.dh ? "session" : "dh");
	return -EINVAL;
}

/* The name says what is written. */
static int check_timeline(const struct config *c)
{
	if (!c->timeline || config_ends(c->timeline, ".json") ||
	    config_ends(c->timeline, ".svg"))
		return 0;
	log_error("--timeline \"%s\": accepted are names that end in .json "
		  "or .svg",
		  c->timeline);
	return -EINVAL;
}

static int check_all(const struct config *c)
{
	int rc = check_boot(c);

	if (!rc)
		rc = check_lists(c);
	if (!rc)
		rc = check_disks(c);
	if (!rc)
		rc = check_nets(c);
	if (!rc)
		rc = check_limits(c);
	if (!rc && c->sev.on)
		rc = check_sev(c);
	if (!rc)
		rc = check_control(c);
	if (!rc && c->vsock.on)
		rc = check_vsock(c);
	if (!rc)
		rc = check_timeline(c);
	if (!rc)
		rc = check_ends(c);
	return rc;
}

/* What a group needs may come from a tree and from several flags. */
static int check_groups(const struct config *c, const uint32_t *given)
{
	char where[32];
	size_t n;
	const struct config_row *rows = config_rows(&n);
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++) {
		if (rows[i].kind != KIND_GROUP || !config_group_on(c, &rows[i]))
			continue;
		snprintf(where, sizeof(where), "--%s", rows[i].flag);
		rc = config_required(&rows[i], given[i], where);
	}
	return rc;
}

/* Flags of run; --help among them turns the verb into help. */
static int parse_run(struct config *c, int argc, char **argv)
{
	uint32_t given[CONFIG_ROWS] = { 0 };
	int rc = config_read_flags(c, argc, argv, given);

	if (rc || c->verb != CONFIG_RUN)
		return rc;
	/* The terminal belongs to one of them. */
	if (c->serial.end == END_UNSET)
		c->serial.end = c->console.end == END_STDIO ? END_NONE
							    : END_STDIO;
	rc = check_groups(c, given);
	return rc ? rc : check_all(c);
}

static int parse_verb(struct config *c, int argc, char **argv)
{
	static const struct {
		const char *word;
		enum config_verb verb;
	} verbs[] = {
		{ "run", CONFIG_RUN },		 { "version", CONFIG_VERSION },
		{ "--version", CONFIG_VERSION }, { "help", CONFIG_HELP },
		{ "--help", CONFIG_HELP },
	};

	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[1], verbs[i].word))
			continue;
		c->verb = verbs[i].verb;
		if (c->verb == CONFIG_RUN)
			return parse_run(c, argc - 2, argv + 2);
		return 0;
	}
	if (argc > 1)
		log_error("command \"%s\": accepted are run, version and help",
			  argv[1]);
	else
		log_error("no command: accepted are run, version and help");
	return -EINVAL;
}

int config_parse(struct config *c, int argc, char **argv)
{
	int rc;

	*c = defaults;
	rc = parse_verb(c, argc, argv);
	if (!rc)
		return 0;
	config_close(c);
	return -EINVAL;
}
