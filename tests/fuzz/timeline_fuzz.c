/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline_fuzz: the answer of a VM that is not trusted, drawn as a picture.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmm/qmp.h"
#include "vmm/timeline_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct report r;
	json_t *v = qmp_parse((const char *)p, len);
	char *text = NULL;
	size_t n;
	FILE *f;

	if (v && !report_parse(&r, v)) {
		f = open_memstream(&text, &n);
		if (!f)
			abort();
		report_svg(f, &r);
		if (fclose(f) || strncmp(text, "<svg ", 5))
			abort();
		for (size_t i = 0; i < n; i++)
			if (text[i] != '\n' &&
			    (text[i] < 0x20 || text[i] > 0x7e))
				abort();
		free(text);
	}
	json_decref(v);
	return 0;
}
