/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_line_fuzz: the input is a client's first bytes. A line that is accepted
 * says its port when it is written again, and none of its starts is refused.
 */
#include <errno.h>
#include <stdio.h>

#include "devices/vsock_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	char again[VSOCK_LINE_BYTES + 1];
	uint32_t port, same;
	size_t line, n;

	if (vsock_line_parse(text, len, &port, &line))
		return 0;
	CHECK(line <= len && line <= VSOCK_LINE_BYTES);
	CHECK(text[line - 1] == '\n' && port != UINT32_MAX);
	for (n = 0; n < line; n++)
		CHECK(vsock_line_parse(text, n, &same, &len) == -EAGAIN);
	n = (size_t)snprintf(again, sizeof(again), "CONNECT %u\n", port);
	CHECK(!vsock_line_parse(again, n, &same, &len));
	CHECK(same == port && len == n);
	return 0;
}
