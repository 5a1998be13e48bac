/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_shape_test: flattened trees that libfdt walks, and of which it would
 * hand on a part: nothing that an author wrote may be dropped without a word.
 * No dtc writes them, so they are put together here.
 */
#include "tests/unit/tree_rig.h"

#define BUILT_MAX (1 * MIB)

static uint8_t tree[BUILT_MAX];

/*
 * By a word each: "{name" begins a node, "}" ends one, "name" is a property
 * without a value, "name=text" one with.
 */
static void build(const char *words)
{
	char copy[256], *save = NULL, *value;
	int rc = fdt_create(tree, sizeof(tree));

	snprintf(copy, sizeof(copy), "%s", words);
	if (!rc)
		rc = fdt_finish_reservemap(tree);
	for (char *w = strtok_r(copy, " ", &save); !rc && w;
	     w = strtok_r(NULL, " ", &save)) {
		value = strchr(w, '=');
		if (value)
			*value++ = '\0';
		if (*w == '{')
			rc = fdt_begin_node(tree, w + 1);
		else if (*w == '}')
			rc = fdt_end_node(tree);
		else if (value)
			rc = fdt_property(tree, w, value,
					  (int)strlen(value) + 1);
		else
			rc = fdt_property(tree, w, NULL, 0);
	}
	if (!rc)
		rc = fdt_finish(tree);
	assert_int_equal(rc, 0);
}

static int parse_built(struct config *c, char *text, size_t cap)
{
	struct scratch s = scratch_open();
	int rc;

	scratch_put(&s, tree, fdt_totalsize(tree));
	rc = parse(c, NULL, s.path, text, cap);
	close(s.fd);
	return rc;
}

#define ROOT "{ compatible=carrel,vm "
#define BOOT "{boot firmware=f } "

static void shapes(void **state)
{
	static const struct {
		const char *words, *say; /* say NULL: it is accepted */
	} t[] = {
		{ ROOT BOOT "}", NULL },
		{ ROOT BOOT "{machine rng } {disks {a path=p } } }", NULL },
		/* Properties come first (DTSpec 0.4, 5.4.2). */
		{ ROOT BOOT "model=x }", "no flattened" },
		{ ROOT BOOT "{disks {a path=p } path=q } }", "no flattened" },
		{ ROOT BOOT "} { compatible=carrel,vm {sev } }",
		  "no flattened" },
		/* Names are of one thing each (2.2.1 and 2.2.4). */
		{ ROOT "compatible=carrel,vm " BOOT "}",
		  "property compatible: is there twice" },
		{ ROOT "{boot firmware=f firmware=g } }",
		  "/boot, property firmware: is there twice" },
		{ ROOT BOOT "{disks {a path=p path=q } } }",
		  "/disks/a, property path: is there twice" },
		{ ROOT BOOT "{run paused } {boot kernel=k } }",
		  "node /boot: is there twice" },
	};
	struct config c;
	char text[2048];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		build(t[i].words);
		if (parse_built(&c, text, sizeof(text)) !=
			    (t[i].say ? -EINVAL : 0) ||
		    (t[i].say && !strstr(text, t[i].say)))
			fail_msg("%s: %s", t[i].words, text);
		config_close(&c);
	}
}

/* A path is looked for from the tree's start, once a property. */
static void many(void **state)
{
	static const char *const nodes[] = { "machine", "run" };
	static const char *const props[] = { "rng", "paused" };
	struct config c;
	char text[2048];
	int rc = fdt_create(tree, sizeof(tree));

	(void)state;
	if (!rc)
		rc = fdt_finish_reservemap(tree);
	rc = rc ?: fdt_begin_node(tree, "");
	rc = rc ?: fdt_property(tree, "compatible", "carrel,vm", 10);
	for (unsigned i = 0; i < 2; i++) {
		rc = rc ?: fdt_begin_node(tree, nodes[i]);
		for (unsigned k = 0; !rc && k < 40000; k++)
			rc = fdt_property(tree, props[i], NULL, 0);
		rc = rc ?: fdt_end_node(tree);
	}
	rc = rc ?: fdt_end_node(tree);
	rc = rc ?: fdt_finish(tree);
	assert_int_equal(rc, 0);
	alarm(60);
	assert_int_equal(parse_built(&c, text, sizeof(text)), -EINVAL);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
