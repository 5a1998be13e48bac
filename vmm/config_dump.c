/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_dump: the effective description as a flattened device tree that
 * --config reads back. Walks the same rows as the readers.
 */
#include "vmm/config_table.h"

#include <errno.h>
#include <fcntl.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/log.h"

/* Every text is bounded by its row: CONFIG_DISKS paths and a dozen more. */
#define DUMP_BYTES (256 * KIB)

static int dump_text(void *fdt, const char *prop, const char *text)
{
	return text ? fdt_property(fdt, prop, text, (int)strlen(text) + 1) : 0;
}

static int dump_port(void *fdt, const char *prop, const struct config_port *p)
{
	char text[CONFIG_PATH_BYTES + 48];

	switch (p->end) {
	case END_STDIO: return dump_text(fdt, prop, "stdio");
	case END_FILE:
		snprintf(text, sizeof(text), "file=%s,max=%llu", p->path,
			 (unsigned long long)p->max);
		return dump_text(fdt, prop, text);
	case END_SOCKET:
		snprintf(text, sizeof(text), "socket=%s", p->path);
		return dump_text(fdt, prop, text);
	default: return dump_text(fdt, prop, "none");
	}
}

/* All zero was never given. */
static int dump_mac(void *fdt, const char *prop, const uint8_t *mac)
{
	static const uint8_t none[CONFIG_MAC_BYTES];
	char text[3 * CONFIG_MAC_BYTES];

	if (!memcmp(mac, none, sizeof(none)))
		return 0;
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
		 mac[1], mac[2], mac[3], mac[4], mac[5]);
	return dump_text(fdt, prop, text);
}

/* A count outside its row's range was never given: its default stands. */
static int dump_count(void *fdt, const struct config_row *r, const char *prop,
		      uint32_t v)
{
	return v >= r->min && v <= r->max ? fdt_property_u32(fdt, prop, v) : 0;
}

static int dump_rate(void *fdt, const char *prop, uint64_t v)
{
	return v ? fdt_property_u64(fdt, prop, v) : 0;
}

/* The word that a value stands for, see KIND_WORD. */
static int dump_word(void *fdt, const char *prop, const char *words, uint32_t v)
{
	char text[16];
	size_t n;

	for (; v; v--)
		words += strcspn(words, "|") + 1;
	n = strcspn(words, "|");
	bytes_copy(text, sizeof(text) - 1, words, n);
	text[n] = '\0';
	return dump_text(fdt, prop, text);
}

static int dump_row(void *fdt, const struct config_row *r, const void *base)
{
	const char *prop = config_prop(r);
	const void *v = (const char *)base + r->at;

	switch (r->kind) {
	case KIND_TEXT:
	case KIND_NAME: return dump_text(fdt, prop, *(const char *const *)v);
	case KIND_SIZE:
		return fdt_property_u64(fdt, prop, *(const uint64_t *)v);
	case KIND_RATE: return dump_rate(fdt, prop, *(const uint64_t *)v);
	case KIND_COUNT: return dump_count(fdt, r, prop, *(const uint32_t *)v);
	case KIND_SWITCH:
		return *(const bool *)v ? fdt_property(fdt, prop, NULL, 0) : 0;
	case KIND_ONOFF:
		return dump_text(fdt, prop, *(const bool *)v ? "on" : "off");
	case KIND_WORD:
		return dump_word(fdt, prop, r->arg, *(const uint32_t *)v);
	case KIND_MAC: return dump_mac(fdt, prop, v);
	case KIND_PORT: return dump_port(fdt, prop, v);
	default: return 0; /* nodes of their own */
	}
}

static int dump_node(void *fdt, const char *name, const struct config_row *r,
		     size_t n, const void *base)
{
	int rc = fdt_begin_node(fdt, name);

	for (size_t i = 0; !rc && i < n; i++)
		if (r[i].node)
			rc = dump_row(fdt, &r[i], base);
	return rc ? rc : fdt_end_node(fdt);
}

static int dump_list(void *fdt, const struct config *c,
		     const struct config_row *r)
{
	int rc = fdt_begin_node(fdt, r->node);

	for (size_t i = 0; !rc && i < config_items(c, r); i++) {
		const char *item = config_item(c, r, i);

		rc = dump_node(fdt,
			       *(const char *const *)(item + r->list->id_at),
			       r->sub, r->n_sub, item);
	}
	return rc ? rc : fdt_end_node(fdt);
}

/* The rows of one node are neighbours; returns how many they are. */
static size_t run_of(const struct config_row *r, size_t n)
{
	size_t i = 1;

	while (i < n && r[i].node && !strcmp(r[i].node, r->node))
		i++;
	return i;
}

static int dump_nodes(void *fdt, const struct config *c)
{
	size_t n, k;
	const struct config_row *rows = config_rows(&n);
	int rc = dump_text(fdt, "compatible", CONFIG_COMPATIBLE);

	for (size_t i = 0; !rc && i < n; i += k) {
		const struct config_row *r = &rows[i];

		k = r->node ? run_of(r, n - i) : 1;
		if (!r->node ||
		    (r->kind == KIND_GROUP && !config_group_on(c, r)))
			continue;
		if (r->kind == KIND_LIST)
			rc = dump_list(fdt, c, r);
		else if (r->kind == KIND_GROUP)
			rc = dump_node(fdt, r->node, r->sub, r->n_sub,
				       (const char *)c + r->at);
		else
			rc = dump_node(fdt, r->node, r, k, c);
	}
	return rc;
}

static int dump_tree(void *fdt, const struct config *c)
{
	int rc = fdt_create(fdt, DUMP_BYTES);

	if (!rc)
		rc = fdt_finish_reservemap(fdt);
	if (!rc)
		rc = fdt_begin_node(fdt, "");
	if (!rc)
		rc = dump_nodes(fdt, c);
	if (!rc)
		rc = fdt_end_node(fdt);
	return rc ? rc : fdt_finish(fdt);
}

static int write_all(int fd, const uint8_t *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_file(const char *path, const void *bytes, size_t len)
{
	const bool out = !strcmp(path, "-");
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
	int fd = out ? STDOUT_FILENO : open(path, flags, 0666);
	int rc = fd < 0 ? -errno : write_all(fd, bytes, len);

	if (!out && fd >= 0 && close(fd) && !rc)
		rc = -errno;
	if (rc)
		log_error("--dump-dtb \"%s\": %s", path, strerror(-rc));
	return rc;
}

int config_dump(const struct config *c)
{
	void *fdt = malloc(DUMP_BYTES);
	int rc = fdt ? dump_tree(fdt, c) : 0;

	if (!fdt || rc) {
		log_error("--dump-dtb \"%s\": %s", c->dump_dtb,
			  fdt ? fdt_strerror(rc) : "out of memory");
		rc = -ENOMEM;
	} else {
		rc = write_file(c->dump_dtb, fdt, fdt_totalsize(fdt));
	}
	free(fdt);
	return rc;
}
