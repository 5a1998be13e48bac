/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_line: see the header.
 */
#include "devices/vsock_line.h"

#include <errno.h>
#include <strings.h>

int vsock_line_parse(const char *text, size_t len, uint32_t *port,
		     size_t *line_len)
{
	/* Firecracker takes small letters, too: there are such clients. */
	static const char word[] = "CONNECT ";
	const size_t word_len = sizeof(word) - 1;
	uint64_t v = 0;
	size_t i;

	if (strncasecmp(text, word, (size_t)min_u64(len, word_len)))
		return -EINVAL;
	for (i = word_len; i < len && text[i] != '\n'; i++) {
		if (text[i] < '0' || text[i] > '9' || i + 1 >= VSOCK_LINE_BYTES)
			return -EINVAL;
		v = v * 10 + (uint64_t)(text[i] - '0');
	}
	/* The last number is the one for "any port" (VMADDR_PORT_ANY). */
	if (v >= UINT32_MAX || (i < len && i == word_len))
		return -EINVAL;
	if (i >= len)
		return -EAGAIN;
	*port = (uint32_t)v;
	*line_len = i + 1;
	return 0;
}
