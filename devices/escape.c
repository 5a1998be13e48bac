/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape: see the header.
 */
#include "devices/escape.h"

#define CTRL_A 0x01

const char escape_help[] = "\r\n"
			   "Ctrl-A h  this help\r\n"
			   "Ctrl-A x  end the VM at once\r\n"
			   "Ctrl-A b  send a break (serial port)\r\n"
			   "Ctrl-A a  send Ctrl-A, as Ctrl-A Ctrl-A does\r\n"
			   "Ctrl-]    press the power button; twice: end\r\n";

/* True: the key after Ctrl-A is the guest's, as a Ctrl-A. */
static bool second_key(uint8_t key, unsigned *asked)
{
	switch (key) {
	case 'h':
	case '?': *asked |= ESCAPE_HELP; break;
	case 'x': *asked |= ESCAPE_LEAVE; break;
	case 'b': *asked |= ESCAPE_BREAK; break;
	case 'a':
	case CTRL_A: return true;
	default: break;
	}
	return false;
}

unsigned escape_filter(struct escape *e, uint8_t *keys, size_t *len)
{
	unsigned asked = 0;
	size_t kept = 0;

	for (size_t i = 0; i < *len; i++) {
		bool second = e->begun;

		e->begun = !second && keys[i] == CTRL_A;
		if (second && second_key(keys[i], &asked))
			keys[kept++] = CTRL_A;
		else if (!second && !e->begun)
			keys[kept++] = keys[i];
	}
	*len = kept;
	return asked;
}
