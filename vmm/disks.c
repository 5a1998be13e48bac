/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disks: see the header. A QEMU disk has a device, a qdev and a node name; here
 * all three are its id.
 */
#include "vmm/disks.h"

#include <errno.h>

#include "vmm/rates_json.h"

static const struct control_arg resize_args[] = {
	{ "device", CONTROL_STRING, true },
	{ "node-name", CONTROL_STRING, true },
	{ "size", CONTROL_UINT64, true },
	{ 0 },
};

/* QEMU's six, all of which it wants, and the optional rest. */
static const struct control_arg throttle_args[] = {
	{ "device", CONTROL_STRING, true },
	{ "id", CONTROL_STRING, true },
	{ "bps", CONTROL_UINT64, false },
	{ "bps_rd", CONTROL_UINT64, false },
	{ "bps_wr", CONTROL_UINT64, false },
	{ "iops", CONTROL_UINT64, false },
	{ "iops_rd", CONTROL_UINT64, false },
	{ "iops_wr", CONTROL_UINT64, false },
	{ "bps_max", CONTROL_UINT64, true },
	{ "bps_rd_max", CONTROL_UINT64, true },
	{ "bps_wr_max", CONTROL_UINT64, true },
	{ "iops_max", CONTROL_UINT64, true },
	{ "iops_rd_max", CONTROL_UINT64, true },
	{ "iops_wr_max", CONTROL_UINT64, true },
	{ "bps_max_length", CONTROL_UINT64, true },
	{ "iops_max_length", CONTROL_UINT64, true },
	{ "iops_size", CONTROL_UINT64, true },
	{ 0 },
};

/* The names of a struct rates there; a burst is what QEMU allows a second of */
static const struct rates_names throttle_names = {
	"bps",
	"bps_max",
	"iops",
	"iops_max",
};

/* Which disk: one of two arguments names it. NULL, err filled: none, or both */
static const char *disk_of(const json_t *args, const char *other,
			   struct control_error *err)
{
	const char *a = json_string_value(json_object_get(args, "device"));
	const char *b = json_string_value(json_object_get(args, other));

	if (!a == !b)
		control_fail(err, -EINVAL,
			     "Exactly one of 'device' and '%s' names the disk",
			     other);
	return !a == !b ? NULL : a ? a : b;
}

static const struct board_disk *find(struct board *b, const char *id,
				     struct board_disk *d)
{
	for (size_t i = 0; board_disk(b, i, d); i++)
		if (!strcmp(d->id, id))
			return d;
	return NULL;
}

/* 0: there is such a disk, and it is ours to change. */
static int find_ours(struct board *b, const char *id, struct board_disk *d,
		     struct control_error *err)
{
	if (!find(b, id, d))
		return control_no_device(err, id);
	if (d->peer)
		return control_fail(err, -ENOTSUP,
				    "Disk '%s' is another process's, at '%s': "
				    "its size and limits are changed there",
				    id, d->path);
	return 0;
}

static int resize(void *ctx, const json_t *args, json_t **ret,
		  struct control_error *err)
{
	const char *id = disk_of(args, "node-name", err);
	const json_t *arg = json_object_get(args, "size");
	unsigned long long size = (unsigned long long)json_integer_value(arg);
	struct board_disk d;
	uint64_t found = 0;
	int rc;

	(void)ret;
	if (!id)
		return -EINVAL;
	rc = find_ours(ctx, id, &d, err);
	if (rc)
		return rc;
	/* A 0 that somebody wrote is a size, and not the word for none. */
	rc = arg && !size ? -ERANGE : board_resize_disk(ctx, id, size, &found);
	switch (rc) {
	case 0: return 0;
	case -EINVAL:
		return control_fail(err, rc,
				    "%llu bytes: a disk has a multiple of 512",
				    size ? size : (unsigned long long)found);
	case -ERANGE:
		return control_fail(err, rc,
				    "Disk '%s' has %llu bytes and is not made "
				    "smaller",
				    id, (unsigned long long)d.bytes);
	case -EPERM:
		return control_fail(err, rc,
				    "What disk '%s' is on has %llu bytes and "
				    "is not changed from here: accepted is "
				    "that size",
				    id, (unsigned long long)found);
	default: return control_fail(err, rc, "%s", strerror(-rc));
	}
}

/* What here has no counterpart must say nothing: 0, or a length of 1 second. */
static int no_counterpart(const json_t *args, struct control_error *err)
{
	static const char *const names[] = {
		"bps_rd",	  "bps_wr",	     "iops_rd",
		"iops_wr",	  "bps_rd_max",	     "bps_wr_max",
		"iops_rd_max",	  "iops_wr_max",     "iops_size",
		"bps_max_length", "iops_max_length",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const json_t *v = json_object_get(args, names[i]);
		bool length = strstr(names[i], "_length") != NULL;

		if (!v || json_integer_value(v) == length)
			continue;
		return control_fail(err, -EINVAL,
				    "%s: accepted is %d: reads and writes "
				    "share one limit, and a burst is what may "
				    "pass at once",
				    names[i], length);
	}
	return 0;
}

static int throttle(void *ctx, const json_t *args, json_t **ret,
		    struct control_error *err)
{
	const char *id = disk_of(args, "id", err);
	struct board_disk d;
	struct rates r;
	int rc;

	(void)ret;
	if (!id)
		return -EINVAL;
	rc = find_ours(ctx, id, &d, err);
	if (!rc)
		rc = no_counterpart(args, err);
	if (!rc)
		rc = rates_from_json(&r, &throttle_names, args, err);
	return rc ? rc : board_limit_disk(ctx, id, &r);
}

/* QEMU's BlockDeviceInfo, as far as it says something here. */
static json_t *inserted(const struct board_disk *d)
{
	json_t *o = json_pack(
		"{s:s, s:o, s:b, s:s, s:b, s:i, s:s, s:i,"
		" s:{s:b, s:b, s:b}, s:{s:o, s:s, s:I}}",
		"node-name", d->id, "file", control_text(d->path), "ro",
		d->readonly, "drv", d->peer ? "vhost-user" : "raw", "encrypted",
		0, "backing_file_depth", 0, "detect_zeroes", "off",
		"write_threshold", 0, "cache", "writeback", 1, "direct", 0,
		"no-flush", 0, "image", "filename", control_text(d->path),
		"format", d->peer ? "vhost-user" : "raw", "virtual-size",
		(json_int_t)d->bytes);
	static const char *const always[] = { "bps_rd", "bps_wr", "iops_rd",
					      "iops_wr" };

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		json_object_set_new(o, always[i], json_integer(0));
	rates_to_json(o, &throttle_names, &d->rates);
	return o;
}

static int query_block(void *ctx, const json_t *args, json_t **ret,
		       struct control_error *err)
{
	struct board_disk d;

	(void)args;
	(void)err;
	*ret = json_array();
	for (size_t i = 0; board_disk(ctx, i, &d); i++)
		json_array_append_new(
			*ret, json_pack("{s:s, s:s, s:s, s:b, s:b, s:o}",
					"device", d.id, "qdev", d.id, "type",
					"unknown", "removable", 0, "locked", 0,
					"inserted", inserted(&d)));
	return 0;
}

int disks_open(struct control *s, struct board *b)
{
	const struct control_command commands[] = {
		{ "query-block", NULL, query_block, b },
		{ "block_resize", resize_args, resize, b },
		{ "block_set_io_throttle", throttle_args, throttle, b },
	};

	return control_register_all(s, commands, ARRAY_LEN(commands));
}
