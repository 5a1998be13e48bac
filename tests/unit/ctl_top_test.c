/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_top_test: rates of counters, of a VM that counts and of one that lies.
 */
#include "vmm/ctl/top.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void rates(void **state)
{
	static const struct {
		const char *name, *before, *after, *want;
	} t[] = {
		{ "nothing", "{}", "{}",
		  "{\"seconds\": 0.0, \"per-second\": {}}" },
		{ "other types", "{\"uptime-ns\": [], \"vcpus\": 1}",
		  "{\"uptime-ns\": {}, \"vcpus\": \"x\", \"disks\": null}",
		  "{\"seconds\": 0.0, \"per-second\": {\"vcpus\": \"x\", "
		  "\"disks\": null}}" },
		{ "backwards",
		  "{\"uptime-ns\": 9, \"cpu-ns\": 9, \"vcpus\": [1, 2]}",
		  "{\"uptime-ns\": 1, \"cpu-ns\": 1, \"vcpus\": [0]}",
		  "{\"seconds\": 0.0, \"per-second\": {\"cpu-ns\": 0.0, "
		  "\"vcpus\": [0.0]}}" },
		{ "beyond 64 bits", "{\"cpu-ns\": -9223372036854775807}",
		  "{\"uptime-ns\": 1000000000, \"cpu-ns\": "
		  "9223372036854775807}",
		  "{\"seconds\": 1.0, \"per-second\": {\"cpu-ns\": 0.0}}" },
		{ "one more disk", "{\"disks\": []}",
		  "{\"uptime-ns\": 1000000000, \"disks\": [{\"id\": \"a\", "
		  "\"reads\": 5}]}",
		  "{\"seconds\": 1.0, \"per-second\": {\"disks\": [{\"id\": "
		  "\"a\", \"reads\": 0.0}]}}" },
		{ "two seconds",
		  "{\"uptime-ns\": 1000000000, \"cpu-ns\": 10, \"vcpus\": "
		  "[{\"cpu-index\": 3, \"exits\": 4, \"exits-by-kind\": "
		  "{\"other\": 1}}]}",
		  "{\"uptime-ns\": 3000000000, \"cpu-ns\": 14, \"vcpus\": "
		  "[{\"cpu-index\": 3, \"exits\": 7, \"exits-by-kind\": "
		  "{\"other\": 2}}], \"memory\": {\"bytes\": 1}}",
		  "{\"seconds\": 2.0, \"per-second\": {\"cpu-ns\": 2.0, "
		  "\"vcpus\": [{\"cpu-index\": 3, \"exits\": 1.5, "
		  "\"exits-by-kind\": {\"other\": 0.5}}]}, \"memory\": "
		  "{\"bytes\": 1}}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		json_t *before = json_loads(t[i].before, 0, NULL);
		json_t *after = json_loads(t[i].after, 0, NULL);
		json_t *want = json_loads(t[i].want, 0, NULL);
		json_t *got = top_rates(before, after);

		print_message("%s\n", t[i].name);
		assert_non_null(want);
		if (!json_equal(got, want))
			fail_msg("%s", json_dumps(got, 0));
		json_decref(before);
		json_decref(after);
		json_decref(want);
		json_decref(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
