/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_flags: argv into a config. "--flag value" and "--flag=value" are the
 * same; the last one wins, except that --disk and --net add and groups
 * collect.
 */
#include "vmm/config_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/log.h"

#define WORD_BYTES 24 /* longer words are compared by their start */

/* Levenshtein distance of the words' first WORD_BYTES bytes. */
static unsigned distance(const char *a, const char *b)
{
	const size_t na = strnlen(a, WORD_BYTES), nb = strnlen(b, WORD_BYTES);
	unsigned row[WORD_BYTES + 1];

	for (unsigned k = 0; k <= nb; k++)
		row[k] = k;
	for (unsigned i = 1; i <= na; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned k = 1; k <= nb; k++) {
			unsigned best = diagonal + (a[i - 1] != b[k - 1]);

			diagonal = row[k];
			if (row[k] + 1 < best)
				best = row[k] + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			row[k] = best;
		}
	}
	return row[nb];
}

/* Logs a name that no row has, with the nearest one that there is. */
static int unknown(const struct config_row *rows, size_t n, const char *before,
		   const char *name, size_t len)
{
	char word[WORD_BYTES + 1];
	size_t nearest = 0;
	unsigned best = WORD_BYTES + 1;

	len = min_u64(len, WORD_BYTES);
	bytes_copy(word, sizeof(word), name, len);
	word[len] = '\0';
	for (size_t i = 0; i < n; i++) {
		unsigned d = distance(word, rows[i].flag);

		if (d < best) {
			best = d;
			nearest = i;
		}
	}
	log_error("%s%s: not known; the nearest is %s%s", before, word, before,
		  rows[nearest].flag);
	return -EINVAL;
}

/*
 * Cuts the next item off a list: a single comma ends it, a doubled one is a
 * comma of the item. Works in place; NULL: the list is at its end.
 */
static char *next_item(char **list)
{
	char *item = *list, *in = item, *out = item;

	if (!in)
		return NULL;
	while (*in) {
		if (in[0] == ',' && in[1] != ',')
			break;
		if (in[0] == ',')
			in++;
		*out++ = *in++;
	}
	*list = *in ? in + 1 : NULL;
	*out = '\0';
	return item;
}

/* name=value, or the name alone of a switch. */
static int read_item(struct config *c, const struct config_row *group,
		     void *base, char *item, uint32_t *given)
{
	const size_t len = strcspn(item, "=");
	const struct config_row *r =
		config_find(group->sub, group->n_sub, item, len);
	struct config_slot s = { c, r, base, NULL };
	char where[64], before[32];

	snprintf(before, sizeof(before), "--%s ", group->flag);
	if (!r)
		return unknown(group->sub, group->n_sub, before, item, len);
	snprintf(where, sizeof(where), "%s%s", before, r->flag);
	s.where = where;
	*given |= 1u << (r - group->sub);
	if (item[len])
		return config_put_text(&s, item + len + 1);
	if (r->kind == KIND_SWITCH)
		return config_put_text(&s, "on");
	log_error("%s: needs a value, %s=%s", where, r->flag, r->arg);
	return -EINVAL;
}

static int read_items(struct config *c, const struct config_row *group,
		      void *base, const char *text, uint32_t *given)
{
	char *copy = strdup(text), *list = copy, *item;
	int rc = 0;

	if (!copy) {
		log_error("--%s: out of memory", group->flag);
		return -ENOMEM;
	}
	while (!rc && (item = next_item(&list)) != NULL)
		rc = read_item(c, group, base, item, given);
	free(copy);
	return rc;
}

static int read_list(struct config *c, const struct config_row *r,
		     const char *text, const char *where)
{
	void *item = config_item_new(c, r, where);
	uint32_t given = 0; /* nothing of a list's is required by itself */
	int rc;

	if (!item)
		return -EINVAL;
	rc = read_items(c, r, item, text, &given);
	return rc ? rc : config_item_add(c, r, item);
}

static int read_value(struct config *c, const struct config_row *r,
		      const char *text, uint32_t *given)
{
	char where[32];
	struct config_slot s = { c, r, c, where };
	size_t n;

	snprintf(where, sizeof(where), "--%s", r->flag);
	switch (r->kind) {
	case KIND_TREE: return config_read_tree(c, text, given);
	case KIND_LIST: return read_list(c, r, text, where);
	case KIND_GROUP:
		*(bool *)config_group(c, r) = true;
		return read_items(c, r, config_group(c, r), text,
				  &given[r - config_rows(&n)]);
	default: return config_put_text(&s, text);
	}
}

/* The row that "--flag" or "--flag=value" names; NULL after a log line. */
static const struct config_row *find_flag(const char *word, const char **text)
{
	size_t n, len;
	const struct config_row *rows = config_rows(&n), *r;

	if (strncmp(word, "--", 2)) {
		log_error("\"%s\": accepted are flags, which begin with --",
			  word);
		return NULL;
	}
	word += 2;
	len = strcspn(word, "=");
	r = config_find(rows, n, word, len);
	*text = word[len] ? word + len + 1 : NULL;
	if (!r)
		(void)unknown(rows, n, "--", word, len);
	return r;
}

int config_read_flags(struct config *c, int argc, char **argv, uint32_t *given)
{
	int rc = 0;

	for (int i = 0; !rc && i < argc; i++) {
		const bool first = i == 0;
		const struct config_row *r;
		const char *text;

		if (!strcmp(argv[i], "--help")) {
			c->verb = CONFIG_HELP;
			return 0;
		}
		r = find_flag(argv[i], &text);
		if (!r)
			return -EINVAL;
		if (!text && r->kind == KIND_SWITCH)
			text = "on";
		else if (!text && i + 1 < argc)
			text = argv[++i];
		if (!text) {
			log_error("--%s: needs a value, %s", r->flag, r->arg);
			return -EINVAL;
		}
		if (r->kind == KIND_TREE && !first) {
			log_error("--config \"%s\": must be the first flag; "
				  "those after it override it",
				  text);
			return -EINVAL;
		}
		rc = read_value(c, r, text, given);
	}
	return rc;
}
