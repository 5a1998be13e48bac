/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SEV's commands as a client sees them, from a guest without SEV to one that
 * runs, against a pretended secure processor.
 */
#include "tests/unit/control_peer.h"
#include "tests/unit/fake_psp.h"

#include "sev/qmp.h"

#define RAM (4 * MIB)

/* Base64 of 52, 16 and 16 zero bytes. */
#define HEADER                                                                 \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"       \
	"AAAAAAAA=="
#define SECRET "AAAAAAAAAAAAAAAAAAAAAA=="
#define INJECT "{'execute':'sev-inject-launch-secret','arguments':"

static const uint8_t firmware[4096] = { 0xea };
static struct peer_vm vm;
static struct sev_qmp qmp;
static struct launch launch;
static struct gmem mem;
static struct image image;

static void open_launch(void)
{
	static const struct launch_config cfg = { 1, NULL, NULL, -1, -1, NULL };
	static const struct image_part part = { .name = "firmware",
						.kind = PART_MEASURED,
						.at = { 0x1000 },
						.bytes = firmware,
						.len = sizeof(firmware) };

	fake_reset();
	image_open(&image);
	image.secret = (gpa_t){ 0x10000 };
	image.secret_len = 0xc00;
	assert_int_equal(image_add_part(&image, &part), 0);
	assert_int_equal(gmem_open(&mem, RAM), 0);
	assert_int_equal(launch_open(&launch, FAKE_KVM, FAKE_VM, &cfg), 0);
}

static int setup(void **state)
{
	(void)state;
	open_launch();
	peer_open(&vm);
	assert_int_equal(sev_qmp_open(&qmp, &vm.control, &launch), 0);
	return 0;
}

static int setup_plain(void **state)
{
	(void)state;
	open_launch();
	peer_open(&vm);
	assert_int_equal(sev_qmp_open(&qmp, &vm.control, NULL), 0);
	assert_int_equal(sev_qmp_open(&qmp, &vm.control, NULL), -EEXIST);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	peer_close(&vm);
	launch_close(&launch);
	image_close(&image);
	gmem_close(&mem);
	return 0;
}

static void ask(int fd, const char *say, const char *part)
{
	peer_say(fd, say);
	peer_expect_part(fd, part);
}

static void test_plain_guest(void **state)
{
	int fd;

	(void)state;
	peer_start(&vm);
	fd = peer_negotiated(&vm);
	peer_say(fd, "{'execute':'query-sev'}");
	peer_expect(fd, "{\"return\": {\"enabled\": false, \"api-major\": 0, "
			"\"api-minor\": 0, \"build-id\": 0, \"state\": "
			"\"uninit\", \"sev-type\": \"sev\", \"policy\": 0, "
			"\"handle\": 0}}");
	ask(fd, "{'execute':'query-sev-launch-measure'}",
	    "SEV launch measurement is not available");
	ask(fd, "{'execute':'query-sev-capabilities'}",
	    "SEV is not configured");
	ask(fd,
	    "{'execute':'query-sev-attestation-report','arguments':"
	    "{'mnonce':'AA=='}}",
	    "SEV is not enabled");
	ask(fd, INJECT "{'packet-header':'','secret':''}}",
	    "SEV not enabled for guest");
	close(fd);
}

/* Before the measurement there is none to show, and no secret is taken. */
static void test_early(void **state)
{
	int fd;

	(void)state;
	peer_start(&vm);
	fd = peer_negotiated(&vm);
	ask(fd, "{'execute':'query-sev'}", "\"state\": \"launch-update\"");
	ask(fd, "{'execute':'query-sev-launch-measure'}",
	    "SEV launch measurement is not available");
	ask(fd, INJECT "{'packet-header':'" HEADER "','secret':'" SECRET "'}}",
	    "SEV: Not in correct state. (LSECRET) launch-update");
	assert_null(strstr(fake.log, "secret"));
	close(fd);
}

static const struct {
	const char *args, *part;
} refused[] = {
	{ "{'packet-header':'" HEADER "'}", "Parameter 'secret' is missing" },
	{ "{'secret':'" SECRET "'}", "Parameter 'packet-header' is missing" },
	{ "{'packet-header':1,'secret':''}",
	  "Invalid parameter type for 'packet-header', expected: string" },
	{ "{'packet-header':'','secret':'','gpa':'0'}",
	  "Invalid parameter type for 'gpa', expected: uint64" },
	{ "{'packet-header':'','secret':'','gpa':-1}",
	  "Invalid parameter type for 'gpa', expected: uint64" },
	{ "{'packet-header':'','secret':'" SECRET "'}",
	  "SEV: Failed to decode sequence header" },
	{ "{'packet-header':'*','secret':'" SECRET "'}",
	  "SEV: Failed to decode sequence header" },
	{ "{'packet-header':'AAAA','secret':'" SECRET "'}",
	  "the packet header has 3 bytes; 52 are expected" },
	{ "{'packet-header':'" HEADER HEADER "','secret':'" SECRET "'}",
	  "SEV: Failed to decode sequence header" },
	{ "{'packet-header':'" HEADER "','secret':''}",
	  "SEV: Failed to decode data" },
	{ "{'packet-header':'" HEADER "','secret':'AAAA'}",
	  "the secret has 3 bytes" },
	{ "{'packet-header':'" HEADER "','secret':'" SECRET "','gpa':1}",
	  "gpa 0x1 is no multiple of 16" },
	{ "{'packet-header':'" HEADER "','secret':'" SECRET
	  "','gpa':9223372036854775792}",
	  "no guest memory at gpa" },
};

static void test_secret(void **state)
{
	char say[512];
	int fd;

	(void)state;
	assert_int_equal(launch_measure(&launch, &mem, &image), 0);
	peer_start(&vm);
	fd = peer_negotiated(&vm);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		snprintf(say, sizeof(say), INJECT "%s}", refused[i].args);
		ask(fd, say, refused[i].part);
	}
	assert_null(strstr(fake.log, "secret"));
	fake.fail_cmd = KVM_SEV_LAUNCH_SECRET;
	fake.failure = (struct sev_error){ -EIO, 0x0b };
	ask(fd, INJECT "{'packet-header':'" HEADER "','secret':'" SECRET "'}}",
	    "SEV: failed to inject secret: LAUNCH_SECRET: firmware error 0x0b "
	    "BAD_MEASUREMENT");
	fake.fail_cmd = -1;
	ask(fd, INJECT "{'packet-header':'" HEADER "','secret':'" SECRET "'}}",
	    "{\"return\": {}}");
	ask(fd,
	    INJECT "{'packet-header':'" HEADER "','secret':'" SECRET
		   "','gpa':4096}}",
	    "{\"return\": {}}");
	assert_int_equal(launch.n_secrets, 2);
	close(fd);
}

/* Expected values: `openssl base64` of the pretended bytes. */
static void test_answers(void **state)
{
	char *line;
	int fd;

	(void)state;
	assert_int_equal(launch_measure(&launch, &mem, &image), 0);
	peer_start(&vm);
	fd = peer_negotiated(&vm);
	ask(fd, "{'execute':'query-sev'}",
	    "{\"enabled\": true, \"api-major\": 0, \"api-minor\": 24, "
	    "\"build-id\": 5, \"state\": \"launch-secret\", \"sev-type\": "
	    "\"sev\", \"policy\": 1, \"handle\": 7}");
	peer_say(fd, "{'execute':'query-sev-launch-measure'}");
	peer_expect(fd, "{\"return\": {\"data\": \"paWlpaWlpaWlpaWlpaWlpaWlpaWl"
			"paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWl\"}}");
	ask(fd,
	    "{'execute':'query-sev-attestation-report','arguments':"
	    "{'mnonce':'AA=='}}",
	    "mnonce must be base64 of 16 bytes");
	ask(fd,
	    "{'execute':'query-sev-attestation-report','arguments':"
	    "{'mnonce':'" SECRET "AAAA'}}",
	    "must be base64 of 16 bytes");
	ask(fd,
	    "{'execute':'query-sev-attestation-report','arguments':"
	    "{'mnonce':'" SECRET "'}}",
	    "{\"data\": \"WlpaWlpa");
	peer_say(fd, "{'execute':'query-sev-capabilities'}");
	line = peer_line(fd);
	assert_non_null(strstr(line, "\"cbitpos\": 47, \"reduced-phys-bits\": "
				     "1, \"pdh\": \"AQEBAQEB"));
	assert_non_null(strstr(line, "AQEBAQEBAQE=\", \"cert-chain\": \"AgIC"));
	assert_non_null(strstr(line, "\"cpu0-id\": \"AwMDAwMD"));
	free(line);
	fake.fail_cmd = 1000 + SEV_PDH_CERT_EXPORT;
	fake.failure = (struct sev_error){ -EIO, 1 };
	ask(fd, "{'execute':'query-sev-capabilities'}",
	    "SEV: Failed to export PDH cert: firmware error 0x01");
	fake.fail_cmd = KVM_SEV_GET_ATTESTATION_REPORT;
	ask(fd,
	    "{'execute':'query-sev-attestation-report','arguments':"
	    "{'mnonce':'" SECRET "'}}",
	    "SEV: ATTESTATION: firmware error");
	close(fd);
}

/* The launch's own changes are announced; the last is the end of the launch. */
static int finish(void *ctx, const json_t *args, json_t **ret,
		  struct control_error *err)
{
	(void)args;
	(void)ret;
	(void)err;
	return launch_finish(ctx);
}

static void test_announced(void **state)
{
	static const struct control_command cmd = { "x-finish", NULL, finish,
						    &launch };
	int fd;

	(void)state;
	assert_int_equal(launch_measure(&launch, &mem, &image), 0);
	assert_int_equal(control_register(&vm.control, &cmd), 0);
	peer_start(&vm);
	fd = peer_negotiated(&vm);
	ask(fd, "{'execute':'x-finish'}",
	    "\"event\": \"X_CARREL_SEV_STATE\", \"data\": {\"state\": "
	    "\"running\"}}");
	peer_expect(fd, "{\"return\": {}}");
	ask(fd, "{'execute':'query-sev'}", "\"state\": \"running\"");
	ask(fd, "{'execute':'query-sev-launch-measure'}", "\"data\": \"paWl");
	ask(fd, INJECT "{'packet-header':'" HEADER "','secret':'" SECRET "'}}",
	    "SEV: Not in correct state. (LSECRET) running");
	close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain_guest, setup_plain,
						teardown),
		cmocka_unit_test_setup_teardown(test_early, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_announced, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
