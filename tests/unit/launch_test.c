/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launch against a pretended secure processor: what is refused before the
 * firmware hears of it, the order of commands, and what a firmware that fails
 * or lies leads to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "sev/base64.h"
#include "sev/launch.h"
#include "tests/unit/fake_psp.h"

#define RAM (4 * MIB)
#define FIRMWARE_AT 0xfffff000ull
#define HASHES_AT 0x10c00ull
#define SECRET_AT 0x10000ull

static const uint8_t firmware[4096] = { 0xea };
static const uint8_t hashes[176] = { 0x06 };
static struct gmem mem;
static struct image image;
static char dir[32], path_dh[64], path_session[64];

static void write_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void write_base64(const char *path, const uint8_t *bytes, size_t len)
{
	char text[BASE64_SIZE(SEV_CERT_LEN) + 1];

	base64_encode(bytes, len, text, sizeof(text));
	text[BASE64_SIZE(len) - 1] = '\n';
	write_file(path, text, BASE64_SIZE(len));
}

static int setup(void **state)
{
	static const uint8_t dh[SEV_CERT_LEN] = { 1, 2, 3 };
	static const uint8_t session[SEV_SESSION_LEN] = { 4, 5, 6 };
	const struct image_part part[] = {
		{ "plain", PART_PLAIN, { 0x1000 }, false, hashes, 100, 0 },
		{ "firmware",
		  PART_MEASURED,
		  { FIRMWARE_AT },
		  true,
		  firmware,
		  sizeof(firmware),
		  0 },
		{ "kernel hashes",
		  PART_MEASURED,
		  { HASHES_AT },
		  false,
		  hashes,
		  sizeof(hashes),
		  0 },
	};

	(void)state;
	fake_reset();
	image_open(&image);
	image.secret = (gpa_t){ SECRET_AT };
	image.secret_len = 0xc00;
	for (size_t i = 0; i < ARRAY_LEN(part); i++)
		assert_int_equal(image_add_part(&image, &part[i]), 0);
	assert_int_equal(gmem_open(&mem, RAM), 0);
	assert_int_equal(image_load(&image, &mem), 0);
	snprintf(dir, sizeof(dir), "/tmp/launch_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path_dh, sizeof(path_dh), "%s/dh", dir);
	snprintf(path_session, sizeof(path_session), "%s/session", dir);
	write_base64(path_dh, dh, sizeof(dh));
	write_file(path_session, session, sizeof(session));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path_dh);
	unlink(path_session);
	rmdir(dir);
	image_close(&image);
	gmem_close(&mem);
	return 0;
}

static const struct launch_config usual = { .policy = 1,
					    .cbitpos = -1,
					    .reduced_phys_bits = -1 };

static void open_ok(struct launch *l)
{
	assert_int_equal(launch_open(l, FAKE_KVM, FAKE_VM, &usual), 0);
	assert_string_equal(launch_state_name(l), "launch-update");
}

static void measure_ok(struct launch *l)
{
	open_ok(l);
	assert_int_equal(launch_measure(l, &mem, &image), 0);
	assert_string_equal(launch_state_name(l), "launch-secret");
}

/* Refusals of launch_open: configuration, then host. */
static const struct {
	struct launch_config cfg;
	int rc;
	const char *why;
} refusals[] = {
	{ { 0x41, NULL, NULL, -1, -1, NULL }, -EINVAL, "reserved bits (0x40)" },
	{ { 0x05, NULL, NULL, -1, -1, NULL }, -EINVAL, "SEV-ES, which carrel" },
	{ { 0x19000001, NULL, NULL, -1, -1, NULL },
	  -ENOTSUP,
	  "API 0.25 or later" },
	{ { 0x00010001, NULL, NULL, -1, -1, NULL },
	  -ENOTSUP,
	  "API 1.0 or later" },
	{ { 1, NULL, NULL, 51, -1, NULL }, -EINVAL, "C-bit at 47" },
	{ { 1, NULL, NULL, 47, 0, NULL }, -EINVAL, "reduced-phys-bits=0" },
	{ { 1, NULL, NULL, 47, 64, NULL }, -EINVAL, "reduced-phys-bits=64" },
	{ { 1, path_dh, NULL, -1, -1, NULL }, -EINVAL, "go together" },
	{ { 1, NULL, path_session, -1, -1, NULL }, -EINVAL, "go together" },
	{ { 1, "/nonexistent", path_session, -1, -1, NULL }, -ENOENT, "" },
	{ { 1, path_session, path_dh, -1, -1, NULL }, -EINVAL, "" },
};

/* Told from the policy alone, with no device to ask. */
static void test_policy(void **state)
{
	(void)state;
	fake_reset();
	assert_int_equal(launch_policy(0x41), -EINVAL);
	assert_int_equal(launch_policy(0x05), -EINVAL);
	assert_int_equal(launch_policy(0), 0);
	assert_int_equal(launch_policy(0xff00003b), 0);
	assert_string_equal(fake.log, "");
}

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct launch l;

		fake_reset();
		assert_int_equal(
			launch_open(&l, FAKE_KVM, FAKE_VM, &refusals[i].cfg),
			refusals[i].rc);
		if (!strstr(l.why, refusals[i].why))
			fail_msg("%zu: %s", i, l.why);
		assert_null(strstr(fake.log, "start"));
		assert_int_equal(l.guest.psp_fd, -1);
	}
}

static void refused_by_host(int rc, const char *why)
{
	struct launch l;

	assert_int_equal(launch_open(&l, FAKE_KVM, FAKE_VM, &usual), rc);
	if (!strstr(l.why, why))
		fail_msg("%s", l.why);
	assert_int_equal(l.guest.psp_fd, -1);
	fake_reset();
}

static void test_host(void **state)
{
	(void)state;
	fake.open_rc = -ENOENT;
	refused_by_host(-ENOENT, "no secure processor");
	fake.open_rc = -EACCES;
	refused_by_host(-EACCES, "run as root");
	fake.fail_cmd = 1000 + SEV_PLATFORM_STATUS;
	fake.failure = (struct sev_error){ -ENODEV, 0 };
	refused_by_host(-ENODEV, "PLATFORM_STATUS");
	fake.cpuid_rc = -E2BIG;
	refused_by_host(-E2BIG, "CPUID");
	fake.eax = 0;
	refused_by_host(-ENOTSUP, "no SEV on this host");
	fake.fail_cmd = SEV_KVM_INIT2;
	fake.failure = (struct sev_error){ -EBUSY, 0 };
	refused_by_host(-EBUSY, "all SEV guests");
	fake.failure = (struct sev_error){ -EIO, 1 };
	fake.fail_cmd = SEV_KVM_INIT2;
	refused_by_host(-EIO, "INVALID_PLATFORM_STATE");
	fake.fail_cmd = KVM_SEV_LAUNCH_START;
	fake.failure = (struct sev_error){ -EIO, 0x0b };
	refused_by_host(-EIO, "LAUNCH_START: firmware error 0x0b");
	fake.fail_cmd = KVM_SEV_GUEST_STATUS;
	fake.failure = (struct sev_error){ -EIO, 0x10 };
	refused_by_host(-EIO, "GUEST_STATUS");
	fake.state_lie = PSP_GUEST_RUNNING;
	refused_by_host(-EIO, "state 3");
}

static void test_order(void **state)
{
	struct launch l;

	(void)state;
	measure_ok(&l);
	assert_int_equal(launch_finish(&l), 0);
	assert_string_equal(launch_state_name(&l), "running");
	assert_string_equal(fake.log,
			    "init2; start; region 400000; region 1000; "
			    "update 1000; update b0; measure; finish; ");
	assert_int_equal(l.cbitpos, 47);
	assert_int_equal(l.reduced_phys_bits, 1);
	assert_int_equal(l.handle, FAKE_HANDLE);
	assert_int_equal(l.measurement[47], 0xa5);
	assert_false(l.session);
	assert_int_equal(fake.start.dh_uaddr, 0);
	launch_close(&l);
	launch_close(&l);
}

static void test_old_kernel(void **state)
{
	struct launch l;

	(void)state;
	fake.old_kernel = true;
	open_ok(&l);
	assert_string_equal(fake.log, "init2; init; start; ");
	launch_close(&l);
}

static void test_session(void **state)
{
	struct launch_config cfg = { 0x18000001,   path_dh, /* API 0.24 */
				     path_session, 47,	    5, NULL };
	struct launch l;

	(void)state;
	assert_int_equal(launch_open(&l, FAKE_KVM, FAKE_VM, &cfg), 0);
	assert_true(l.session);
	assert_int_equal(fake.start.policy, 0x18000001);
	assert_int_equal(fake.start.dh_len, SEV_CERT_LEN);
	assert_int_equal(fake.start.session_len, SEV_SESSION_LEN);
	assert_int_equal(l.reduced_phys_bits, 5);
	launch_close(&l);
}

/* Every step out of its turn is refused and reaches no firmware. */
static void test_wrong_order(void **state)
{
	uint8_t hdr[SEV_SECRET_HEADER_LEN] = { 0 }, data[16] = { 0 };
	struct launch l;
	size_t len;

	(void)state;
	open_ok(&l);
	len = strlen(fake.log);
	assert_int_equal(launch_finish(&l), -EPERM);
	assert_int_equal(launch_secret(&l, hdr, sizeof(hdr), data, 16, NULL),
			 -EPERM);
	assert_int_equal(strlen(fake.log), len);
	assert_int_equal(launch_measure(&l, &mem, &image), 0);
	assert_null(strstr(fake.log, "finish"));
	assert_int_equal(launch_measure(&l, &mem, &image), -EPERM);
	assert_int_equal(launch_finish(&l), 0);
	assert_int_equal(launch_finish(&l), -EPERM);
	assert_int_equal(launch_secret(&l, hdr, sizeof(hdr), data, 16, NULL),
			 -EPERM);
	assert_non_null(strstr(l.why, "LAUNCH_SECRET is not possible in state "
				      "running"));
	launch_close(&l);
}

/* A failed command leaves the state, and says what the firmware said. */
static void test_failures(void **state)
{
	struct launch l;

	(void)state;
	open_ok(&l);
	fake.region_rc = -ENOMEM;
	assert_int_equal(launch_measure(&l, &mem, &image), -ENOMEM);
	assert_non_null(strstr(l.why, "ulimit -l"));
	fake.region_rc = 0;
	fake.fail_cmd = KVM_SEV_LAUNCH_UPDATE_DATA;
	fake.failure = (struct sev_error){ -EIO, 9 };
	assert_int_equal(launch_measure(&l, &mem, &image), -EIO);
	assert_non_null(strstr(l.why, "INVALID_ADDRESS"));
	fake.fail_cmd = KVM_SEV_LAUNCH_MEASURE;
	fake.failure = (struct sev_error){ -EINTR, 0 };
	assert_int_equal(launch_measure(&l, &mem, &image), -EINTR);
	assert_string_equal(launch_state_name(&l), "launch-update");
	fake.fail_cmd = -1;
	fake.policy = 0; /* the firmware holds another policy */
	assert_int_equal(launch_measure(&l, &mem, &image), -EIO);
	assert_non_null(strstr(l.why, "policy 0x0"));
	launch_close(&l);
}

static void measure_refused(struct image_part p, int rc)
{
	struct image im;
	struct launch l;

	fake_reset();
	image_open(&im);
	assert_int_equal(image_add_part(&im, &p), 0);
	open_ok(&l);
	assert_int_equal(launch_measure(&l, &mem, &im), rc);
	assert_null(strstr(fake.log, "update"));
	launch_close(&l);
}

static void test_parts(void **state)
{
	struct image_part p = { "p", PART_PLAIN, { 0 }, false, hashes, 16, 0 };

	(void)state;
	measure_refused(p, -EINVAL); /* nothing is measured */
	p.kind = PART_MEASURED;
	p.at.v = 8;
	measure_refused(p, -EINVAL);
	p.at.v = 0;
	p.len = 24;
	measure_refused(p, -EINVAL);
	p.len = 0;
	measure_refused(p, -EINVAL);
	p.len = 1ull << 32;
	measure_refused(p, -EINVAL);
	p.len = 32;
	p.at.v = RAM - 16;
	measure_refused(p, -EFAULT);
	p.at.v = ~15ull;
	measure_refused(p, -EFAULT);
}

static const struct {
	size_t hdr_len, len;
	uint64_t gpa; /* 0: by default */
	int rc;
} secrets[] = {
	{ 51, 16, 0, -EINVAL },	       { 53, 16, 0, -EINVAL },
	{ 52, 0, 0, -EINVAL },	       { 52, 8, 0, -EINVAL },
	{ 52, 24, 0, -EINVAL },	       { 52, 0x4010, 0x20000, -EINVAL },
	{ 52, 0xc10, 0, -EINVAL }, /* over the secret area */
	{ 52, 16, 0x20008, -EINVAL },  { 52, 16, RAM, -EFAULT },
	{ 52, 32, RAM - 16, -EFAULT }, { 52, 32, ~15ull, -EFAULT },
	{ 52, 16, RAM - 16, 0 },       { 52, 0xc00, 0, 0 },
	{ 52, 0x4000, 0x20000, 0 },
};

static void test_secrets(void **state)
{
	static uint8_t hdr[64] = { 9 }, data[0x5000];
	struct launch l;
	unsigned good = 0;

	(void)state;
	measure_ok(&l);
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		gpa_t at = { secrets[i].gpa };
		size_t len = strlen(fake.log);
		uint64_t uaddr;

		assert_int_equal(launch_secret(&l, hdr, secrets[i].hdr_len,
					       data, secrets[i].len,
					       at.v ? &at : NULL),
				 secrets[i].rc);
		if (secrets[i].rc) {
			assert_int_equal(strlen(fake.log), len);
			continue;
		}
		at.v = at.v ? at.v : SECRET_AT;
		assert_int_equal(gmem_uaddr(&mem, at, secrets[i].len, &uaddr),
				 0);
		assert_int_equal(fake.secret.guest_uaddr, uaddr);
		assert_int_equal(fake.secret.guest_len, secrets[i].len);
		assert_int_equal(fake.secret.trans_len, secrets[i].len);
		assert_int_equal(fake.header[0], 9);
		assert_int_equal(l.n_secrets, ++good);
	}
	fake.fail_cmd = KVM_SEV_LAUNCH_SECRET;
	fake.failure = (struct sev_error){ -EIO, 0x0b };
	assert_int_equal(launch_secret(&l, hdr, 52, data, 16, NULL), -EIO);
	assert_non_null(strstr(l.why, "BAD_MEASUREMENT"));
	assert_string_equal(launch_state_name(&l), "launch-secret");
	l.secret_len = 0;
	fake.fail_cmd = -1;
	assert_int_equal(launch_secret(&l, hdr, 52, data, 16, NULL), -EINVAL);
	assert_non_null(strstr(l.why, "no secret area"));
	launch_close(&l);
}

/* Owner's files: sizes, base64 with line breaks, garbage. */
static void test_files(void **state)
{
	struct launch_config cfg = { 1, path_dh, path_session, -1, -1, NULL };
	uint8_t session[SEV_SESSION_LEN + 1] = { 0 };
	struct launch l;

	(void)state;
	write_base64(path_session, session, SEV_SESSION_LEN);
	assert_int_equal(launch_open(&l, FAKE_KVM, FAKE_VM, &cfg), 0);
	launch_close(&l);
	write_file(path_session, session, SEV_SESSION_LEN - 1);
	assert_int_equal(launch_open(&l, FAKE_KVM, FAKE_VM, &cfg), -EINVAL);
	write_file(path_session, session, SEV_SESSION_LEN + 1);
	assert_int_equal(launch_open(&l, FAKE_KVM, FAKE_VM, &cfg), -EINVAL);
	write_base64(path_session, session, SEV_SESSION_LEN - 1);
	assert_int_equal(launch_open(&l, FAKE_KVM, FAKE_VM, &cfg), -EINVAL);
	write_base64(path_session, session, SEV_SESSION_LEN + 1);
	assert_int_equal(launch_open(&l, FAKE_KVM, FAKE_VM, &cfg), -EINVAL);
	write_file(path_session, session, 0);
	assert_int_equal(launch_open(&l, FAKE_KVM, FAKE_VM, &cfg), -ENODATA);
}

/* Every command is on the time line, with its bytes; one that fails, too. */
static void test_timeline(void **state)
{
	static const struct {
		const char *name, *what;
		uint64_t bytes;
	} want[] = {
		{ "PLATFORM_STATUS", "", 0 },
		{ "KVM_SEV_INIT", "", 0 },
		{ "LAUNCH_START", "", 0 },
		{ "GUEST_STATUS", "", 0 },
		{ "REG_REGION", "ram", RAM },
		{ "REG_REGION", "firmware", sizeof(firmware) },
		{ "LAUNCH_UPDATE_DATA", "firmware", sizeof(firmware) },
		{ "GUEST_STATUS", "", 0 },
		{ "LAUNCH_UPDATE_DATA", "kernel hashes", sizeof(hashes) },
		{ "GUEST_STATUS", "", 0 },
		{ "LAUNCH_MEASURE", "", 0 },
	};
	static struct timeline t;
	struct launch_config cfg = usual;
	struct launch l;

	(void)state;
	timeline_start(&t);
	cfg.timeline = &t;
	assert_int_equal(launch_open(&l, FAKE_KVM, FAKE_VM, &cfg), 0);
	fake.fail_cmd = KVM_SEV_LAUNCH_MEASURE;
	fake.failure = (struct sev_error){ -EINTR, 0 };
	assert_int_not_equal(launch_measure(&l, &mem, &image), 0);
	assert_int_equal(t.lane[TIMELINE_PSP].n, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct timeline_mark *m = &t.lane[TIMELINE_PSP].mark[i];

		assert_string_equal(m->name, want[i].name);
		assert_string_equal(m->what, want[i].what);
		assert_int_equal(m->bytes, want[i].bytes);
		assert_true(m->start_ns && m->start_ns <= m->end_ns);
		assert_int_equal(m->failed, i == ARRAY_LEN(want) - 1);
	}
	launch_close(&l);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_policy),	     T(test_refusals),	 T(test_host),
		T(test_order),	     T(test_old_kernel), T(test_session),
		T(test_wrong_order), T(test_failures),	 T(test_parts),
		T(test_secrets),     T(test_files),	 T(test_timeline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
