/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_value: one value, from text or from a tree's number, checked against
 * its row and stored. A refusal names where it was, what it was and what the
 * row would accept.
 */
#include "vmm/config_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/gmem.h"
#include "vmm/log.h"
#include "vmm/size.h"

/* Texts of a config: a list, so that config_close finds every one. */
struct kept {
	struct kept *next;
	char text[];
};

char *config_keep(struct config *c, const char *text, size_t len)
{
	struct kept *k = malloc(sizeof(*k) + len + 1);

	if (!k) {
		log_error("configuration: out of memory");
		return NULL;
	}
	bytes_copy(k->text, len + 1, text, len);
	k->text[len] = '\0';
	k->next = c->owned;
	c->owned = k;
	return k->text;
}

void config_close(struct config *c)
{
	struct kept *k = c->owned;

	while (k) {
		struct kept *next = k->next;

		free(k);
		k = next;
	}
	*c = (struct config){ .verb = c->verb };
}

/* What a row accepts, in words. */
static void describe(const struct config_row *r, char *text, size_t cap)
{
	const unsigned long long min = r->min, max = r->max;

	switch (r->kind) {
	case KIND_SIZE:
		snprintf(text, cap,
			 "%lluM to %lluG, in whole pages of %llu bytes, as "
			 "bytes or with K, M, G or T",
			 min / MIB, max / GIB, GMEM_PAGE);
		break;
	case KIND_RATE:
		snprintf(text, cap,
			 "%llu to %lluG, or with K, M, G or T (K is 1024)", min,
			 max / GIB);
		break;
	case KIND_COUNT:
		snprintf(text, cap, "%llu to %llu, decimal or with 0x", min,
			 max);
		break;
	case KIND_NAME:
		snprintf(text, cap,
			 "%llu to %llu letters, digits, '.', '_' and '-'", min,
			 max);
		break;
	case KIND_MAC:
		snprintf(text, cap,
			 "six bytes as in 02:00:00:12:34:56; not zero, no "
			 "group's address");
		break;
	case KIND_TEXT:
		snprintf(text, cap, "%llu to %llu bytes", min, max);
		break;
	case KIND_WORD: snprintf(text, cap, "%s", r->arg); break;
	case KIND_PORT:
		snprintf(text, cap,
			 "%s; a socket's path has at most %d bytes; SIZE is 0 "
			 "(no limit) or %lluK to %lluG",
			 r->arg, CONFIG_SOCKET_BYTES, CONFIG_FILE_MIN / KIB,
			 CONFIG_FILE_MAX / GIB);
		break;
	default: snprintf(text, cap, "on and off"); break;
	}
}

/* Always -EINVAL. A long value must not push out what is accepted. */
static int refuse(const struct config_slot *s, const char *given)
{
	char accepted[192];

	describe(s->row, accepted, sizeof(accepted));
	log_error("%s \"%.200s\": accepted are %s", s->where, given, accepted);
	return -EINVAL;
}

static bool name_ok(const char *text)
{
	return !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789._-")];
}

static int put_string(const struct config_slot *s, const char *text)
{
	const size_t len = strlen(text);
	const char *kept;

	if (len < s->row->min || len > s->row->max ||
	    (s->row->kind == KIND_NAME && !name_ok(text)))
		return refuse(s, text);
	kept = config_keep(s->c, text, len);
	if (!kept)
		return -ENOMEM;
	*(const char **)((char *)s->base + s->row->at) = kept;
	return 0;
}

/*
 * The path in text, of *len bytes, and the limit after its last ",max=", the
 * only comma that is not the path's.
 */
static bool parse_file(const char *text, size_t *len, uint64_t *max)
{
	static const char mark[] = ",max=";
	const char *last = NULL;

	*max = CONFIG_FILE_DEFAULT;
	*len = strlen(text);
	for (const char *p = text; (p = strstr(p, mark)) != NULL; p++)
		last = p;
	if (!last)
		return true;
	*len = (size_t)(last - text);
	return size_parse(last + strlen(mark), max) &&
	       (*max == 0 ||
		(*max >= CONFIG_FILE_MIN && *max <= CONFIG_FILE_MAX));
}

static int put_port(const struct config_slot *s, const char *text)
{
	static const struct {
		const char *name;
		enum config_end end;
		size_t path_max; /* bytes; 0: takes no path */
	} ends[] = {
		{ "none", END_NONE, 0 },
		{ "stdio", END_STDIO, 0 },
		{ "file=", END_FILE, CONFIG_PATH_BYTES },
		{ "socket=", END_SOCKET, CONFIG_SOCKET_BYTES },
	};
	struct config_port *port = (void *)((char *)s->base + s->row->at);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		const size_t n = strlen(ends[i].name);
		const size_t path_max = ends[i].path_max;
		struct config_port p = { .end = ends[i].end };
		size_t len = strlen(text) - min_u64(n, strlen(text));

		if (strncmp(text, ends[i].name, n) ||
		    !(s->row->max >> ends[i].end & 1))
			continue;
		if (p.end == END_FILE && !parse_file(text + n, &len, &p.max))
			break;
		if (len > path_max || (path_max && !len))
			break;
		if (path_max) {
			p.path = config_keep(s->c, text + n, len);
			if (!p.path)
				return -ENOMEM;
		}
		*port = p;
		return 0;
	}
	return refuse(s, text);
}

/* Two digits each, with colons between (IEEE 802, 8.1: bit 0 is a group's). */
static int put_mac(const struct config_slot *s, const char *text)
{
	uint8_t *out = (uint8_t *)s->base + s->row->at, all = 0;
	uint8_t mac[CONFIG_MAC_BYTES];
	const char *p = text;

	for (unsigned i = 0; i < CONFIG_MAC_BYTES; i++, p += 3) {
		unsigned high = size_digit(p[0]);
		unsigned low = high > 15 ? 16 : size_digit(p[1]);

		if (low > 15 || p[2] != (i + 1 < CONFIG_MAC_BYTES ? ':' : '\0'))
			return refuse(s, text);
		mac[i] = (uint8_t)(high << 4 | low);
		all |= mac[i];
	}
	if (!all || mac[0] & 1)
		return refuse(s, text);
	bytes_copy(out, CONFIG_MAC_BYTES, mac, sizeof(mac));
	return 0;
}

static int put_bool(const struct config_slot *s, const char *text)
{
	const bool on = !strcmp(text, "on");

	if (!on && strcmp(text, "off"))
		return refuse(s, text);
	*(bool *)((char *)s->base + s->row->at) = on;
	return 0;
}

/* The place of text among the words of list, or -1. */
static int word_of(const char *list, const char *text)
{
	size_t len = strlen(text);

	for (int i = 0; *list; i++) {
		size_t n = strcspn(list, "|");

		if (n == len && !memcmp(list, text, len))
			return i;
		list += n + (list[n] == '|');
	}
	return -1;
}

static int put_word(const struct config_slot *s, const char *text)
{
	int i = word_of(s->row->arg, text);

	if (i < 0)
		return refuse(s, text);
	*(uint32_t *)((char *)s->base + s->row->at) = (uint32_t)i;
	return 0;
}

static int put_number(const struct config_slot *s, uint64_t v,
		      const char *given)
{
	const struct config_row *r = s->row;
	void *out = (char *)s->base + r->at;

	if (v < r->min || v > r->max || (r->kind == KIND_SIZE && v % GMEM_PAGE))
		return refuse(s, given);
	if (r->kind == KIND_SIZE || r->kind == KIND_RATE)
		*(uint64_t *)out = v;
	else
		*(uint32_t *)out = (uint32_t)v;
	return 0;
}

int config_put_number(const struct config_slot *s, uint64_t v)
{
	char given[24];

	snprintf(given, sizeof(given), "%llu", (unsigned long long)v);
	return put_number(s, v, given);
}

int config_put_text(const struct config_slot *s, const char *text)
{
	const char *end;
	uint64_t v;

	switch (s->row->kind) {
	case KIND_SIZE:
	case KIND_RATE:
		if (!size_parse(text, &v))
			return refuse(s, text);
		return put_number(s, v, text);
	case KIND_COUNT:
		if (!size_number(text, &end, &v) || *end)
			return refuse(s, text);
		return put_number(s, v, text);
	case KIND_SWITCH:
	case KIND_ONOFF: return put_bool(s, text);
	case KIND_WORD: return put_word(s, text);
	case KIND_MAC: return put_mac(s, text);
	case KIND_PORT: return put_port(s, text);
	default: return put_string(s, text);
	}
}
