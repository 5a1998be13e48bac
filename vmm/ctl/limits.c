/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits: see the header. Limits are written NAME=N, and shown so.
 */
#include "vmm/ctl/limits.h"

#include <stdio.h>

#include "vmm/ctl/show.h"
#include "vmm/log.h"
#include "vmm/size.h"

/* A limit as people write it, and as the command has it. */
struct limit_name {
	const char *word, *member;
};

/* A kind of devices: how it is asked, and told. */
struct limit_kind {
	const char *query, *set;
	const char *id, *id_arg; /* the name's member, and argument */
	const char *within; /* the member that has the limits; NULL: itself */
	struct limit_name name[8];
};

static const struct limit_kind kinds[] = {
	{ .query = "query-block",
	  .set = "block_set_io_throttle",
	  .id = "device",
	  .id_arg = "id",
	  .within = "inserted",
	  .name = { { "bps", "bps" },
		    { "bps-burst", "bps_max" },
		    { "iops", "iops" },
		    { "iops-burst", "iops_max" } } },
	{ .query = "x-carrel-query-nets",
	  .set = "x-carrel-net-limit",
	  .id = "name",
	  .id_arg = "name",
	  .name = { { "rx-bps", "rx-bps" },
		    { "rx-bps-burst", "rx-bps-burst" },
		    { "rx-pps", "rx-pps" },
		    { "rx-pps-burst", "rx-pps-burst" },
		    { "tx-bps", "tx-bps" },
		    { "tx-bps-burst", "tx-bps-burst" },
		    { "tx-pps", "tx-pps" },
		    { "tx-pps-burst", "tx-pps-burst" } } },
};

static void print_limits(const struct limit_kind *k, const json_t *device)
{
	const json_t *o = k->within ? json_object_get(device, k->within)
				    : device;
	bool any = false;

	show_text(stdout, show_string(device, k->id));
	for (size_t i = 0; i < ARRAY_LEN(k->name) && k->name[i].word; i++) {
		uint64_t v = show_number(o, k->name[i].member);

		if (v)
			printf(" %s=%llu", k->name[i].word,
			       (unsigned long long)v);
		any |= v != 0;
	}
	puts(any ? "" : " no limit");
}

/* The devices of a kind; *found: the one that was asked for is among them. */
static int show_kind(struct ctl *c, const struct limit_kind *k, bool *found)
{
	const char *want = c->o.n_words ? c->o.word[0] : NULL;
	json_t *list, *device;
	size_t i;
	int status = verb_ask(c, k->query, NULL, &list);

	if (status)
		return status;
	json_array_foreach(list, i, device)
	{
		const char *id = show_string(device, k->id);

		if (want && (!id || strcmp(id, want)))
			continue;
		*found = true;
		if (c->o.json)
			show_json(stdout, device, false);
		else
			print_limits(k, device);
	}
	json_decref(list);
	return CTL_OK;
}

static int show(struct ctl *c)
{
	bool found = false;
	int status = CTL_OK;

	for (size_t i = 0; !status && i < ARRAY_LEN(kinds); i++)
		status = show_kind(c, &kinds[i], &found);
	if (status || found || !c->o.n_words)
		return status;
	log_error("\"%.64s\" is neither a disk nor a network interface of %s",
		  c->o.word[0], c->o.socket);
	return CTL_REFUSED;
}

/* The kind and the member of "bps=10M"; NULL: there is no such limit. */
static const char *member_of(const char *word, const struct limit_kind **kind)
{
	size_t len = strcspn(word, "=");

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		for (size_t i = 0; i < ARRAY_LEN(kinds[k].name); i++) {
			const struct limit_name *n = &kinds[k].name[i];

			if (!n->word || strlen(n->word) != len ||
			    strncmp(n->word, word, len))
				continue;
			*kind = &kinds[k];
			return n->member;
		}
	return NULL;
}

/* Adds a word to the arguments. -1, logged: it makes no sense, or not here. */
static int add_limit(json_t *args, const char *word,
		     const struct limit_kind **kind)
{
	const struct limit_kind *of = NULL;
	const char *member = member_of(word, &of);
	const char *value = strchr(word, '=');
	uint64_t v;

	if (!member) {
		log_error("\"%.64s\": accepted are bps, iops (of a disk), "
			  "rx-bps, rx-pps, tx-bps, tx-pps (of a network "
			  "interface), each also with -burst, and a number: "
			  "bps=10M",
			  word);
		return -1;
	}
	if (!value || !size_parse(value + 1, &v) || v > INT64_MAX) {
		log_error("\"%.64s\": accepted is a number, perhaps with K, "
			  "M, G or T",
			  word);
		return -1;
	}
	if (*kind && *kind != of) {
		log_error("\"%.64s\": limits of a disk and of a network "
			  "interface do not mix",
			  word);
		return -1;
	}
	*kind = of;
	json_object_set_new(args, member, json_integer((json_int_t)v));
	return 0;
}

int verb_limit(struct ctl *c)
{
	/* What QEMU wants to hear in any case. */
	static const char *const always[] = { "bps",  "bps_rd",	 "bps_wr",
					      "iops", "iops_rd", "iops_wr" };
	const struct limit_kind *k = NULL;
	json_t *args;

	if (c->o.n_words < 2)
		return show(c);
	args = json_object();
	for (size_t i = 1; i < c->o.n_words; i++) {
		if (!add_limit(args, c->o.word[i], &k))
			continue;
		json_decref(args);
		return CTL_USAGE;
	}
	for (size_t i = 0; k->within && i < ARRAY_LEN(always); i++)
		if (!json_object_get(args, always[i]))
			json_object_set_new(args, always[i], json_integer(0));
	json_object_set_new(args, k->id_arg, json_string(c->o.word[0]));
	return verb_do(c, k->set, args);
}

int verb_resize(struct ctl *c)
{
	json_t *args = json_pack("{s:s}", "device", c->o.word[0]);
	uint64_t v;

	if (c->o.n_words > 1) {
		if (!size_parse(c->o.word[1], &v) || v > INT64_MAX) {
			log_error("\"%.64s\": accepted is a size in bytes, or "
				  "with K, M, G or T",
				  c->o.word[1]);
			json_decref(args);
			return CTL_USAGE;
		}
		json_object_set_new(args, "size", json_integer((json_int_t)v));
	}
	return verb_do(c, "block_resize", args);
}
