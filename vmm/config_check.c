/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_check: what needs more than one setting to be seen. Each refusal names
 * the flag, and, where a tree was read, its node and property as well.
 */
#include "vmm/config_table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/log.h"

#define PLACE_BYTES 96
#define WHY_BYTES 512

/*
 * Which setting: a flag; of a group a suboption, or of a list "id"; and what it
 * was set to. The last two may be NULL.
 */
struct setting {
	const char *flag, *sub, *value;
};

/* Its node and property, ", /boot, property initrd"; "" without a tree. */
static const char *place(const struct config *c, const struct setting *s,
			 char buf[PLACE_BYTES])
{
	size_t n;
	const struct config_row *rows = config_rows(&n);
	const struct config_row *r =
		config_find(rows, n, s->flag, strlen(s->flag));
	const struct config_row *p = r;

	buf[0] = '\0';
	if (!c->from_tree || !r || !r->node)
		return buf;
	if (r->kind == KIND_LIST) {
		snprintf(buf, PLACE_BYTES, ", /%s/%s", r->node, s->value);
		return buf;
	}
	if (r->kind == KIND_GROUP)
		p = s->sub ? config_find(r->sub, r->n_sub, s->sub,
					 strlen(s->sub))
			   : NULL;
	snprintf(buf, PLACE_BYTES, ", /%s%s%s", r->node, p ? ", property " : "",
		 p ? config_prop(p) : "");
	return buf;
}

__attribute__((format(printf, 3, 4))) static int
refuse(const struct config *c, struct setting s, const char *fmt, ...)
{
	char why[WHY_BYTES], where[PLACE_BYTES];
	const char *value = s.value ? s.value : "",
		   *quote = s.value ? "\"" : "";
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	log_error("--%s%s%s%s%s%s%s%s: %s", s.flag, s.sub ? " " : "",
		  s.sub ? s.sub : "", s.value ? " " : "", quote, value, quote,
		  place(c, &s, where), why);
	return -EINVAL;
}

static int check_boot(const struct config *c)
{
	const struct setting firmware = { .flag = "firmware" },
			     initrd = { "initrd", NULL, c->initrd },
			     cmdline = { "cmdline", NULL, c->cmdline },
			     sev = { .flag = "sev" };

	if (!c->firmware && !c->kernel)
		return refuse(c, firmware,
			      "missing, and --kernel too: name an OVMF image, "
			      "a kernel, or both");
	if (!c->firmware && c->sev.on)
		return refuse(c, sev,
			      "needs --firmware: the owner's measurement is of "
			      "one, and it checks kernel \"%s\"",
			      c->kernel);
	if (c->initrd && !c->kernel)
		return refuse(c, initrd, "needs --kernel");
	if (c->cmdline && !c->kernel)
		return refuse(c, cmdline, "needs --kernel");
	return 0;
}

/* An item of a list. */
static struct setting item(const char *flag, const char *id)
{
	return (struct setting){ flag, "id", id };
}

static const char *item_text(const struct config *c,
			     const struct config_row *list, size_t i, size_t at)
{
	const char *base = config_item(c, list, i);

	return *(const char *const *)(base + at);
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
			return refuse(c, item(list->flag, id),
				      "two %ss have it, \"%s\" and \"%s\"",
				      list->flag, item_what(c, list, k),
				      item_what(c, list, i));
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

static int check_disks(const struct config *c)
{
	for (size_t i = 0; i < c->n_disks; i++) {
		const struct config_disk *d = &c->disk[i];

		if (!d->path == !d->peer)
			return refuse(c, item("disk", d->id),
				      "needs either path=FILE or "
				      "vhost-user=SOCKET");
		if (d->peer && d->readonly)
			return refuse(c, item("disk", d->id),
				      "readonly is for \"%s\" to say; "
				      "accepted is readonly=off",
				      d->peer);
		if (d->peer && (rates_any(&d->rates) || d->rates.bytes_burst ||
				d->rates.ops_burst))
			return refuse(c, item("disk", d->id),
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
	return alone ? refuse(c, item(flag, id), "%s%s-burst needs %s%s", dir,
			      alone, dir, alone)
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

static int check_nets(const struct config *c)
{
	for (size_t i = 0; i < c->n_nets; i++) {
		const struct config_net *n = &c->net[i];

		if (!n->tap == !n->passt)
			return refuse(c, item("net", n->id),
				      "needs either tap=IFNAME or "
				      "passt=SOCKET");
		if (n->passt && n->queues > 1)
			return refuse(c, item("net", n->id),
				      "queues=%u, but passt \"%s\" is one "
				      "socket: accepted is queues=1",
				      n->queues, n->passt);
		if (n->vhost == VHOST_ON && config_no_vhost(n))
			return refuse(c, item("net", n->id),
				      "vhost=on, but %s; accepted are "
				      "vhost=auto and vhost=off",
				      config_no_vhost(n));
	}
	return 0;
}

/* Both would wait for a cont that can come by the control socket alone. */
static int check_control(const struct config *c)
{
	const struct setting paused = { .flag = "paused" },
			     session = { "sev", "session", c->sev.session };

	if (c->paused && !c->control)
		return refuse(c, paused,
			      "needs --control, where cont comes from");
	if (c->sev.session && !c->control)
		return refuse(c, session,
			      "needs --control, where the secret and cont come "
			      "from");
	return 0;
}

/* One terminal, and a socket's name for one of them. */
static int check_ends(const struct config *c)
{
	const struct config_port *p[] = { &c->serial, &c->console };
	struct setting end[] = { { "serial", NULL, c->serial.path },
				 { "console", NULL, c->console.path } };

	if (c->serial.end == END_STDIO && c->console.end == END_STDIO) {
		end[0].value = "stdio";
		return refuse(c, end[0],
			      "--console is as well; one of them is accepted");
	}
	for (size_t i = 0; i < ARRAY_LEN(p); i++)
		if (c->control && p[i]->end == END_SOCKET &&
		    !strcmp(c->control, p[i]->path))
			return refuse(c, end[i],
				      "--control is as well; accepted are two "
				      "sockets");
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

/* about: the setting that path is of. */
static int refuse_reach(const struct config *c, struct setting about,
			const char *path)
{
	if (!path || !guest_reaches(c, path))
		return 0;
	return refuse(c, about,
		      "the guest could connect to \"%s\", as --vsock path is "
		      "\"%s\": another name is accepted",
		      path, c->vsock.path);
}

static int check_reach(const struct config *c)
{
	const struct setting control = { .flag = "control" },
			     serial = { .flag = "serial" },
			     console = { .flag = "console" },
			     fs = { .flag = "fs", .sub = "socket" };
	int rc = refuse_reach(c, control, c->control);

	if (!rc && c->serial.end == END_SOCKET)
		rc = refuse_reach(c, serial, c->serial.path);
	if (!rc && c->console.end == END_SOCKET)
		rc = refuse_reach(c, console, c->console.path);
	for (size_t i = 0; !rc && i < c->n_disks; i++)
		rc = refuse_reach(c, item("disk", c->disk[i].id),
				  c->disk[i].peer);
	for (size_t i = 0; !rc && i < c->n_nets; i++)
		rc = refuse_reach(c, item("net", c->net[i].id),
				  c->net[i].passt);
	return rc ? rc : refuse_reach(c, fs, c->fs.socket);
}

/* Nor to a peer of its own devices, in our place. */
static int check_vsock(const struct config *c)
{
	const struct setting vsock = { .flag = "vsock" };

	if (!c->vsock.path == !c->vsock.vhost)
		return refuse(c, vsock, "needs either path=SOCKET or vhost=on");
	return c->vsock.vhost ? 0 : check_reach(c);
}

static int check_sev(const struct config *c)
{
	const struct setting balloon = { .flag = "balloon" },
			     dh = { "sev", "dh", c->sev.dh },
			     session = { "sev", "session", c->sev.session };

	if (c->balloon)
		return refuse(c, balloon,
			      "not accepted with --sev: KVM pins the memory of "
			      "a SEV guest, which cannot be given back, and "
			      "what comes in its place could not be decrypted");
	if (!c->sev.dh == !c->sev.session)
		return 0;
	return c->sev.dh ? refuse(c, dh, "needs session as well")
			 : refuse(c, session, "needs dh as well");
}

/* The name says what is written. */
static int check_timeline(const struct config *c)
{
	const struct setting timeline = { "timeline", NULL, c->timeline };

	if (!c->timeline || config_ends(c->timeline, ".json") ||
	    config_ends(c->timeline, ".svg"))
		return 0;
	return refuse(c, timeline,
		      "accepted are names that end in .json or .svg");
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
	size_t n;
	const struct config_row *rows = config_rows(&n);

	for (size_t i = 0; i < n; i++) {
		const struct setting group = { .flag = rows[i].flag };
		const struct config_row *lacks = NULL;

		if (rows[i].kind == KIND_GROUP && config_group_on(c, &rows[i]))
			lacks = config_lacks(&rows[i], given[i]);
		if (lacks)
			return refuse(c, group, "needs %s=%s", lacks->flag,
				      lacks->arg);
	}
	return 0;
}

int config_check(const struct config *c, const uint32_t *given)
{
	int rc = check_groups(c, given);

	return rc ? rc : check_all(c);
}
