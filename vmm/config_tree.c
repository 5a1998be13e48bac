/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_tree: a flattened device tree into a config, and back. The tree may
 * come from anybody: libfdt checks its shape first, every property is checked
 * against its row, and a node or property that no row has is refused, since
 * dropping it would run something else than its author described.
 */
#include "vmm/config_table.h"

#include <endian.h>
#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/file.h"
#include "vmm/log.h"

#define TREE_BYTES (1 * MIB)
#define WHERE_BYTES 512 /* a file, a node, a property */
#define NODE_BYTES 128

/* Where the reader stands. */
struct tree {
	struct config *c;
	const char *path; /* of the file, for messages */
	const void *fdt;
	uint32_t *given; /* by row, as in config_table.h */
};

/* The row of a property among rows; group rows have none. */
static const struct config_row *find_prop(const struct config_row *r, size_t n,
					  const char *node, const char *prop)
{
	for (size_t i = 0; i < n; i++)
		if (r[i].node && !r[i].n_sub && !strcmp(r[i].node, node) &&
		    !strcmp(config_prop(&r[i]), prop))
			return &r[i];
	return NULL;
}

/* Text of a property: one NUL, at its end. */
static int read_text(const struct config_slot *s, const char *data, int len)
{
	if (len < 1 || memchr(data, '\0', (size_t)len) != data + len - 1) {
		log_error("%s: accepted is one string", s->where);
		return -EINVAL;
	}
	return config_put_text(s, data);
}

/* Big-endian, one cell or two (DTSpec 0.4, 2.2.4: u32, u64). */
static int read_number(const struct config_slot *s, const char *data, int len)
{
	uint64_t v64;
	uint32_t v32;

	switch (len) {
	case sizeof(v32):
		bytes_copy(&v32, sizeof(v32), data, sizeof(v32));
		return config_put_number(s, be32toh(v32));
	case sizeof(v64):
		bytes_copy(&v64, sizeof(v64), data, sizeof(v64));
		return config_put_number(s, be64toh(v64));
	default:
		log_error("%s: has %d bytes; accepted is a number of one or "
			  "two cells",
			  s->where, len);
		return -EINVAL;
	}
}

static int read_prop(const struct config_slot *s, const char *data, int len)
{
	switch (s->row->kind) {
	case KIND_SIZE:
	case KIND_RATE:
	case KIND_COUNT: return read_number(s, data, len);
	case KIND_SWITCH:
		if (!len)
			return config_put_text(s, "on");
		log_error("%s: has a value; accepted is an empty property",
			  s->where);
		return -EINVAL;
	default: return read_text(s, data, len);
	}
}

/* A node as its author knows it: /disks/root. */
static const char *node_path(const struct tree *t, int at, char *buf, int len)
{
	return fdt_get_path(t->fdt, at, buf, len) ? "/..." : buf;
}

/* Which one is meant? Nor is a path to be looked for any number of times. */
static int twice(const char *where)
{
	log_error("%s: is there twice", where);
	return -EINVAL;
}

/* Every property of a node, into base; given has a bit a row. */
static int read_props(const struct tree *t, int at, const char *node,
		      const struct config_row *rows, size_t n, void *base,
		      uint32_t *given)
{
	char path[NODE_BYTES];
	int prop, rc = 0;

	fdt_for_each_property_offset(prop, t->fdt, at)
	{
		char where[WHERE_BYTES];
		const char *name;
		int len;
		const void *data =
			fdt_getprop_by_offset(t->fdt, prop, &name, &len);
		struct config_slot s = { t->c, NULL, base, where };

		if (!data)
			return -EINVAL; /* fdt_check_full forbids it */
		snprintf(where, sizeof(where), "%s: %s, property %s", t->path,
			 node_path(t, at, path, sizeof(path)), name);
		s.row = find_prop(rows, n, node, name);
		if (!s.row) {
			log_error("%s: not known", where);
			return -EINVAL;
		}
		if (*given >> (s.row - rows) & 1)
			return twice(where);
		*given |= 1u << (s.row - rows);
		rc = read_prop(&s, data, len);
		if (rc)
			return rc;
	}
	return 0;
}

static int no_nodes(const struct tree *t, int at)
{
	int child = fdt_first_subnode(t->fdt, at);
	char path[NODE_BYTES];

	if (child < 0)
		return 0;
	log_error("%s: %s: no node is accepted here", t->path,
		  node_path(t, child, path, sizeof(path)));
	return -EINVAL;
}

/* An item of a list: its node's name is its id. */
static int read_item(const struct tree *t, int at, const struct config_row *r)
{
	const char *id = fdt_get_name(t->fdt, at, NULL);
	const struct config_row *id_row =
		config_find(r->sub, r->n_sub, "id", 2);
	char where[WHERE_BYTES];
	struct config_slot s = { t->c, id_row, NULL, where };
	uint32_t given = 0;
	int rc;

	snprintf(where, sizeof(where), "%s: /%s/%s", t->path, r->node, id);
	s.base = config_item_new(t->c, r, where);
	if (!s.base)
		return -EINVAL;
	rc = config_put_text(&s, id);
	if (!rc)
		rc = no_nodes(t, at);
	if (!rc)
		rc = read_props(t, at, r->node, r->sub, r->n_sub, s.base,
				&given);
	return rc ? rc : config_item_add(t->c, r, s.base);
}

static int read_list(const struct tree *t, int at, const struct config_row *r)
{
	int child, rc;

	if (fdt_first_property_offset(t->fdt, at) >= 0) {
		log_error("%s: /%s: accepted is a node a %s, without "
			  "properties beside them",
			  t->path, r->node, r->flag);
		return -EINVAL;
	}
	fdt_for_each_subnode(child, t->fdt, at)
	{
		rc = read_item(t, child, r);
		if (rc)
			return rc;
	}
	return 0;
}

static int read_node(const struct tree *t, int at)
{
	const char *node = fdt_get_name(t->fdt, at, NULL);
	size_t n;
	const struct config_row *rows = config_rows(&n), *r = NULL;
	char where[WHERE_BYTES];
	uint32_t given = 0;
	int rc;

	for (size_t i = 0; !r && i < n; i++)
		if (rows[i].node && !strcmp(rows[i].node, node))
			r = &rows[i];
	if (!r) {
		log_error("%s: node /%s: not known", t->path, node);
		return -EINVAL;
	}
	if (fdt_subnode_offset(t->fdt, 0, node) != at) {
		snprintf(where, sizeof(where), "%s: node /%s", t->path, node);
		return twice(where);
	}
	if (r->kind == KIND_LIST)
		return read_list(t, at, r);
	rc = no_nodes(t, at);
	if (rc)
		return rc;
	if (r->kind != KIND_GROUP)
		return read_props(t, at, node, rows, n, t->c, &given);
	*(bool *)config_group(t->c, r) = true;
	return read_props(t, at, node, r->sub, r->n_sub, config_group(t->c, r),
			  &t->given[r - rows]);
}

static int read_root(const struct tree *t)
{
	char where[WHERE_BYTES];
	int at, prop, len, rc = 0, seen = 0;
	const char *name, *data = fdt_getprop(t->fdt, 0, "compatible", &len);

	if (!data || len != sizeof(CONFIG_COMPATIBLE) ||
	    memcmp(data, CONFIG_COMPATIBLE, sizeof(CONFIG_COMPATIBLE))) {
		log_error("%s: not a description of a VM: accepted is "
			  "compatible = \"%s\"",
			  t->path, CONFIG_COMPATIBLE);
		return -EINVAL;
	}
	if (fdt_num_mem_rsv(t->fdt)) {
		log_error("%s: /memreserve/: not known: carrel lays out memory",
			  t->path);
		return -EINVAL;
	}
	fdt_for_each_property_offset(prop, t->fdt, 0)
	{
		(void)fdt_getprop_by_offset(t->fdt, prop, &name, NULL);
		snprintf(where, sizeof(where), "%s: /, property %s", t->path,
			 name);
		if (strcmp(name, "compatible")) {
			log_error("%s: not known", where);
			return -EINVAL;
		}
		if (seen++)
			return twice(where);
	}
	fdt_for_each_subnode(at, t->fdt, 0)
	{
		rc = read_node(t, at);
		if (rc)
			return rc;
	}
	return 0;
}

/*
 * Whether a property has its length from where it stands to the next tag.
 * libfdt 1.6 adds lengths without a look at their sign: one of -12 ends where
 * it began, and every walk, the full check's too, reads it for ever; one of -1
 * passes.
 */
static bool length_ok(const void *fdt, int at, int next)
{
	const struct fdt_property *prop =
		fdt_offset_ptr(fdt, at, sizeof(*prop));

	return prop && next >= at + (int)sizeof(*prop) &&
	       fdt32_ld(&prop->len) <= (uint32_t)(next - at) - sizeof(*prop);
}

/*
 * One root, and in each node the properties first (DTSpec 0.4, 5.4.2): the
 * full check lets others pass, and libfdt's readers see nothing of them.
 */
static int check_order(const void *fdt)
{
	uint32_t tag, last = FDT_NOP; /* none yet */
	int at, next = 0, depth = 0;

	do {
		at = next;
		tag = fdt_next_tag(fdt, at, &next);
		if (next < 0)
			return next;
		if (tag == FDT_NOP)
			continue;
		if (tag == FDT_PROP &&
		    (!length_ok(fdt, at, next) ||
		     (last != FDT_BEGIN_NODE && last != FDT_PROP)))
			return -FDT_ERR_BADSTRUCTURE;
		if (tag == FDT_BEGIN_NODE && !depth++ && last != FDT_NOP)
			return -FDT_ERR_BADSTRUCTURE;
		if (tag == FDT_END_NODE && !depth--)
			return -FDT_ERR_BADSTRUCTURE;
		last = tag;
	} while (tag != FDT_END);
	return 0;
}

/*
 * What dtc writes: version 17, its blocks aligned (DTSpec 0.4, 5.2 and 5.6).
 * libfdt 1.6 takes older ones as well, but its full check ends in a null
 * pointer when a node of theirs has no path, and it reads cells where the
 * header says that they are.
 */
static int check_tree(const uint8_t *bytes, size_t len)
{
	int rc;

	if (len < sizeof(struct fdt_header))
		return -FDT_ERR_TRUNCATED;
	if (fdt_magic(bytes) != FDT_MAGIC)
		return -FDT_ERR_BADMAGIC;
	if (fdt_version(bytes) != FDT_LAST_SUPPORTED_VERSION)
		return -FDT_ERR_BADVERSION;
	if (fdt_off_dt_struct(bytes) % sizeof(uint32_t) ||
	    fdt_off_mem_rsvmap(bytes) % sizeof(uint64_t))
		return -FDT_ERR_BADLAYOUT;
	if (fdt_totalsize(bytes) > len)
		return -FDT_ERR_TRUNCATED;
	rc = fdt_check_header(bytes);
	if (!rc)
		rc = check_order(bytes);
	return rc ? rc : fdt_check_full(bytes, len);
}

int config_read_tree(struct config *c, const char *path, uint32_t *given)
{
	struct tree t = { .c = c, .path = path, .given = given };
	uint8_t *bytes = NULL;
	size_t len;
	int rc = file_read(path, "--config", TREE_BYTES, &bytes, &len), bad;

	if (rc)
		return rc;
	bad = check_tree(bytes, len);
	if (bad) {
		log_error("--config \"%s\": no flattened device tree (%s); "
			  "accepted is what dtc -O dtb writes",
			  path, fdt_strerror(bad));
		rc = -EINVAL;
	} else {
		t.fdt = bytes;
		c->from_tree = true;
		rc = read_root(&t);
	}
	free(bytes);
	return rc;
}
