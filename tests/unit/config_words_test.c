/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_words_test: each word that a flag's value may be, after a blank and
 * after an equals sign, and where another one was given before.
 */
#include "tests/unit/config_rig.h"

#define FIELD(field) offsetof(struct config, field), sizeof_field(field)
#define sizeof_field(field) sizeof(((struct config *)NULL)->field)

/* line: the flag and the word as they are written; other: another word. */
static const struct {
	const char *line, *other;
	size_t at, size; /* the field */
	uint32_t want;
} words[] = {
	{ "--watchdog off", "none", FIELD(watchdog), WATCHDOG_OFF },
	{ "--watchdog reset", "none", FIELD(watchdog), WATCHDOG_RESET },
	{ "--watchdog shutdown", "off", FIELD(watchdog), WATCHDOG_SHUTDOWN },
	{ "--watchdog poweroff", "off", FIELD(watchdog), WATCHDOG_POWEROFF },
	{ "--watchdog pause", "off", FIELD(watchdog), WATCHDOG_PAUSE },
	{ "--watchdog inject-nmi", "off", FIELD(watchdog), WATCHDOG_NMI },
	{ "--watchdog none", "off", FIELD(watchdog), WATCHDOG_NONE },
	{ "--panic shutdown", "none", FIELD(panic), PANIC_SHUTDOWN },
	{ "--panic reset", "none", FIELD(panic), PANIC_RESET },
	{ "--panic pause", "none", FIELD(panic), PANIC_PAUSE },
	{ "--panic none", "reset", FIELD(panic), PANIC_NONE },
	{ "--log text", "json", FIELD(log), CONFIG_LOG_TEXT },
	{ "--log json", "text", FIELD(log), CONFIG_LOG_JSON },
	{ "--sandbox on", "off", FIELD(sandbox), true },
	{ "--sandbox off", "on", FIELD(sandbox), false },
	{ "--serial stdio", "none", FIELD(serial.end), END_STDIO },
	{ "--serial none", "stdio", FIELD(serial.end), END_NONE },
	{ "--console stdio", "none", FIELD(console.end), END_STDIO },
	{ "--console none", "stdio", FIELD(console.end), END_NONE },
	{ "--debugcon none", "file=d", FIELD(debugcon.end), END_NONE },
};

static uint32_t field(const struct config *c, size_t at, size_t size)
{
	const uint8_t *p = (const uint8_t *)c + at;
	uint32_t v = 0;

	assert_true(size == 1 || size == 4);
	if (size == 1)
		return *p;
	bytes_copy(&v, sizeof(v), p, sizeof(v));
	return v;
}

static void every_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const char *word = strchr(words[i].line, ' ') + 1;
		int flag = (int)(word - 1 - words[i].line);
		char line[128];
		struct config c;

		for (const char *sign = "= "; *sign; sign++) {
			snprintf(line, sizeof(line), RUN "%.*s=%s %.*s%c%s",
				 flag, words[i].line, words[i].other, flag,
				 words[i].line, *sign, word);
			print_message("%s\n", line);
			accept(&c, line);
			assert_int_equal(field(&c, words[i].at, words[i].size),
					 words[i].want);
			config_close(&c);
		}
	}
}

static void file_system(void **state)
{
	struct config c;

	(void)state;
	accept(&c, RUN "--fs socket=s,tag=src");
	assert_true(c.fs.on);
	assert_int_equal(c.fs.queues, 0); /* as many as there are CPUs */
	config_close(&c);
	accept(&c, RUN "--fs=socket=s,tag=src --fs queues=16");
	assert_string_equal(c.fs.socket, "s");
	assert_string_equal(c.fs.tag, "src");
	assert_int_equal(c.fs.queues, 16);
	config_close(&c);
}

/* Who serves a network's or a socket device's queues. */
static void vhost(void **state)
{
	static const struct {
		const char *line;
		uint32_t want;
	} nets[] = {
		{ RUN "--net tap=t", VHOST_AUTO },
		{ RUN "--net tap=t,vhost=auto", VHOST_AUTO },
		{ RUN "--net tap=t,vhost=on", VHOST_ON },
		{ RUN "--net=tap=t,vhost=off", VHOST_OFF },
	};
	struct config c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
		accept(&c, nets[i].line);
		assert_int_equal(c.net[0].vhost, nets[i].want);
		config_close(&c);
	}
	accept(&c, RUN "--vsock cid=4,vhost=on");
	assert_true(c.vsock.vhost);
	config_close(&c);
	accept(&c, RUN "--vsock cid=4,path=v,vhost=off");
	assert_false(c.vsock.vhost);
	config_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word),
		cmocka_unit_test(file_system),
		cmocka_unit_test(vhost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
