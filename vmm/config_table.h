/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_table: one row a setting. Flags, properties of the tree, --dump-dtb
 * and the usage text all walk these rows, so none of them can drift. Private
 * to config*.c. Texts come from the user, trees possibly from somebody else:
 * every value goes through config_put_text or config_put_number.
 */
#ifndef CARREL_VMM_CONFIG_TABLE_H
#define CARREL_VMM_CONFIG_TABLE_H

#include "vmm/config.h"

#define CONFIG_COMPATIBLE "carrel,vm" /* of the root of a tree */
#define CONFIG_PATH_BYTES 4095 /* PATH_MAX without its NUL */
#define CONFIG_SOCKET_BYTES 107 /* sockaddr_un.sun_path, likewise */
#define CONFIG_ROWS 64 /* room for what config_rows gives */

/* How a value is written as a flag, and what it is stored in. */
enum config_kind {
	KIND_TEXT, /* const char *: min to max bytes */
	KIND_NAME, /* the same, of letters, digits, '.', '_' and '-' */
	KIND_SIZE, /* uint64_t: whole pages, min to max; K, M, G, T */
	KIND_RATE, /* uint64_t: 1 to RATE_MAX; K, M, G, T; 0: not given */
	KIND_COUNT, /* uint32_t or int: min to max, decimal or 0x */
	KIND_SWITCH, /* bool: given or not; an empty property */
	KIND_ONOFF, /* bool: "on" or "off" */
	KIND_WORD, /* uint32_t: which of arg's words, "a|b|c" */
	KIND_MAC, /* CONFIG_MAC_BYTES: a station's address, xx:xx:xx:xx:xx:xx */
	KIND_PORT, /* struct config_port: max has a bit an accepted end */
	KIND_GROUP, /* name=value,...; a node with a property each; a struct
		       that begins with bool on */
	KIND_LIST, /* the same, repeatable; a node with a node each */
	KIND_TREE, /* --config itself */
};

/* Where the items of a KIND_LIST are: an array at the row's offset. */
struct config_list {
	size_t size; /* of an item */
	size_t count_at; /* size_t: how many there are, in struct config */
	size_t max;
	size_t id_at; /* const char *: an item's name, in the item */
};

struct config_row {
	const char *flag; /* without "--"; or a suboption's name */
	const char *node; /* below the root; NULL: not in the tree */
	enum config_kind kind;
	size_t at; /* offset in the struct that holds the value */
	const char *prop; /* NULL: named like the flag */
	bool required; /* suboptions of a group only */
	uint64_t min, max;
	const char *arg, *help;
	const struct config_row *sub;
	size_t n_sub;
	const struct config_list *list; /* KIND_LIST */
};

/* Rows in the order of the usage text; those of one node are neighbours. */
const struct config_row *config_rows(size_t *n);

/* The row of a flag; NULL: there is none. */
const struct config_row *config_find(const struct config_row *rows, size_t n,
				     const char *flag, size_t len);

/*
 * A value while it is parsed: base is the struct that row->at counts from,
 * where names the flag, or node and property, in messages.
 */
struct config_slot {
	struct config *c;
	const struct config_row *row;
	void *base;
	const char *where;
};

/* -EINVAL after a log line; -ENOMEM likewise. */
int config_put_text(const struct config_slot *s, const char *text) MUST_USE;
int config_put_number(const struct config_slot *s, uint64_t v) MUST_USE;

/* A copy of len bytes and a NUL, owned by c; NULL, logged: no memory. */
char *config_keep(struct config *c, const char *text, size_t len) MUST_USE;

/* The items of a list's row: item i, and how many there are. */
void *config_item(const struct config *c, const struct config_row *list,
		  size_t i);
size_t config_items(const struct config *c, const struct config_row *list);

/* The item after the last one, not yet counted; NULL, logged: no room. */
void *config_item_new(struct config *c, const struct config_row *list,
		      const char *where);

/* Gives it an id unless it has one, and counts it. */
int config_item_add(struct config *c, const struct config_row *list,
		    void *item) MUST_USE;

/* The first required suboption that is not among the bits of given, or NULL. */
const struct config_row *config_lacks(const struct config_row *group,
				      uint32_t given);

/* The name of its property. */
const char *config_prop(const struct config_row *r);

/* A group's struct, and whether it was asked for. */
void *config_group(struct config *c, const struct config_row *group);
bool config_group_on(const struct config *c, const struct config_row *group);

/*
 * config_flags.c: argv after the verb. given: for each of config_rows, if it is
 * a group, a bit a suboption (in the order of its rows), since the flag may
 * come in pieces.
 */
int config_read_flags(struct config *c, int argc, char **argv,
		      uint32_t *given) MUST_USE;

/* config_check.c: what several settings say together; -EINVAL, logged. */
int config_check(const struct config *c, const uint32_t *given) MUST_USE;

/* config_tree.c: the file of --config. */
int config_read_tree(struct config *c, const char *path,
		     uint32_t *given) MUST_USE;

#endif
