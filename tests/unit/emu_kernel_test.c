/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emu_kernel_test: /dev/sev and KVM_MEMORY_ENCRYPT_OP as a program meets them:
 * errno for what Linux refuses, EIO and a status for what the firmware does.
 */
#include "tests/unit/emu_rig.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "sev/emu/kernel.h"

struct world {
	struct emu emu;
	struct vm vm;
	char dir[64];
};

/* Takes the rig's processor over, and its directory with it. */
static int begin(void **state)
{
	struct rig *r;
	void *rig = NULL;
	struct world *w;
	int rc = rig_setup(&rig);

	r = rig;
	w = calloc(1, sizeof *w);
	w->emu.psp = r->psp;
	w->emu.opt = r->opt;
	w->emu.log.fd = w->vm.fd = -1;
	w->emu.psp.opt = &w->emu.opt;
	w->emu.psp.log = w->vm.log = &w->emu.log;
	strcpy(w->dir, r->dir);
	free(r);
	*state = w;
	return rc;
}

static int end(void **state)
{
	struct world *w = *state;
	char command[128];

	(void)snprintf(command, sizeof command, "rm -r %s", w->dir);
	psp_close(&w->emu.psp);
	free(w);
	return system(command);
}

static int issue(struct world *w, uint32_t cmd, void *data, bool writable,
		 uint32_t *error)
{
	struct sev_issue_cmd c = { .cmd = cmd, .data = (uintptr_t)data };
	int rc = kernel_platform(&w->emu, (uintptr_t)&c, writable);

	*error = c.error;
	return rc;
}

static void platform_refusals(void **state)
{
	static const struct {
		uint32_t cmd;
		bool writable;
		int rc;
	} table[] = {
		{ SEV_MAX, true, -EINVAL },
		{ ~0u, true, -EINVAL },
		{ SEV_PEK_GEN, false, -EPERM },
		{ SEV_PDH_GEN, false, -EPERM },
		{ SEV_PEK_CSR, false, -EPERM },
		{ SEV_PEK_CERT_IMPORT, false, -EPERM },
		{ SEV_FACTORY_RESET, false, -EPERM },
		{ SEV_PLATFORM_STATUS, true, -EFAULT },
		{ SEV_PDH_CERT_EXPORT, true, -EFAULT },
		{ SEV_GET_ID2, true, -EFAULT },
		{ SEV_PEK_CERT_IMPORT, true, -EFAULT },
	};
	struct world *w = *state;
	uint32_t error;

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_int_equal(
			issue(w, table[i].cmd, NULL, table[i].writable, &error),
			table[i].rc);
	assert_int_equal(kernel_platform(&w->emu, 0, true), -EFAULT);
	assert_int_equal(kernel_platform(&w->emu, ~0ull, true), -EFAULT);
}

static void reset_needs_no_guests(void **state)
{
	struct world *w = *state;
	uint32_t error;

	w->emu.psp.state = PLATFORM_WORKING;
	assert_int_equal(issue(w, SEV_FACTORY_RESET, NULL, true, &error),
			 -EBUSY);
	assert_int_equal(issue(w, SEV_PEK_GEN, NULL, true, &error), -EIO);
	assert_int_equal(error, PSP_INVALID_PLATFORM_STATE);
	w->emu.psp.state = PLATFORM_INIT;
	assert_int_equal(issue(w, SEV_PEK_GEN, NULL, true, &error), 0);
	assert_int_equal(error, 0);
}

/* Lengths of zero are how a program asks for the right ones. */
static void lengths_are_told(void **state)
{
	struct world *w = *state;
	struct sev_user_data_pdh_cert_export a = { 0 };
	struct sev_user_data_get_id2 id = { 0 };
	struct sev_user_data_pek_csr csr = { 0 };
	static uint8_t pdh[2084], chain[6252], chip[64];
	uint32_t error;

	assert_int_equal(issue(w, SEV_PDH_CERT_EXPORT, &a, false, &error),
			 -EIO);
	assert_int_equal(error, PSP_INVALID_LENGTH);
	assert_int_equal(a.pdh_cert_len, sizeof pdh);
	assert_int_equal(a.cert_chain_len, sizeof chain);
	a.pdh_cert_address = (uintptr_t)pdh;
	a.cert_chain_address = (uintptr_t)chain;
	assert_int_equal(issue(w, SEV_PDH_CERT_EXPORT, &a, false, &error), 0);
	assert_memory_equal(pdh, &w->emu.psp.id.cert[PART_PDH], sizeof pdh);
	a.pdh_cert_len = UAPI_BLOB_MAX + 1;
	assert_int_equal(issue(w, SEV_PDH_CERT_EXPORT, &a, false, &error),
			 -EFAULT);

	assert_int_equal(issue(w, SEV_GET_ID2, &id, false, &error), -EIO);
	assert_int_equal(id.length, sizeof chip);
	id.address = (uintptr_t)chip;
	assert_int_equal(issue(w, SEV_GET_ID2, &id, false, &error), 0);
	assert_memory_equal(chip, w->emu.psp.id.chip_id, sizeof chip);

	assert_int_equal(issue(w, SEV_PEK_CSR, &csr, true, &error), -EIO);
	assert_int_equal(csr.length, 2084);
	csr.address = 8;
	assert_int_equal(issue(w, SEV_PEK_CSR, &csr, true, &error), -EFAULT);
}

static int guest(struct world *w, uint32_t id, void *data, uint32_t *error)
{
	struct kvm_sev_cmd c = { .id = id, .data = (uintptr_t)data };
	int rc = kernel_guest(&w->emu, &w->vm, (uintptr_t)&c);

	*error = c.error;
	return rc;
}

/* A descriptor that passes for /dev/sev. */
static int emu_sev(struct world *w)
{
	int fd = memfd_create("sev", MFD_CLOEXEC);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	w->emu.sev_device = st.st_dev;
	w->emu.sev_inode = st.st_ino;
	return fd;
}

static void no_guest_no_launch(void **state)
{
	static const uint32_t launch[] = {
		KVM_SEV_LAUNCH_START,  KVM_SEV_LAUNCH_UPDATE_DATA,
		KVM_SEV_LAUNCH_SECRET, KVM_SEV_LAUNCH_MEASURE,
		KVM_SEV_LAUNCH_FINISH, KVM_SEV_GUEST_STATUS,
		KVM_SEV_DBG_DECRYPT,   KVM_SEV_GET_ATTESTATION_REPORT,
		KVM_SEV_ES_INIT,
	};
	struct world *w = *state;
	uint32_t error;

	for (size_t i = 0; i < ARRAY_LEN(launch); i++)
		assert_int_equal(guest(w, launch[i], NULL, &error), -ENOTTY);
	assert_int_equal(guest(w, ~0u, NULL, &error), -EINVAL);
	assert_int_equal(guest(w, 1000, NULL, &error), -EINVAL);
}

/* The old call is for plain VMs, the new one for the SEV type; before vCPUs. */
static void init_fits_the_vm(void **state)
{
	struct uapi_sev_init a = { 0 };
	struct world *w = *state;
	uint32_t error;

	w->vm.type = UAPI_VM_SEV;
	assert_int_equal(guest(w, KVM_SEV_INIT, NULL, &error), -EINVAL);
	assert_int_equal(guest(w, UAPI_SEV_INIT2, NULL, &error), -EFAULT);
	a.flags = 1;
	assert_int_equal(guest(w, UAPI_SEV_INIT2, &a, &error), -EINVAL);
	a = (struct uapi_sev_init){ .vmsa_features = 1 };
	assert_int_equal(guest(w, UAPI_SEV_INIT2, &a, &error), -EINVAL);
	a = (struct uapi_sev_init){ .ghcb_version = 1 };
	assert_int_equal(guest(w, UAPI_SEV_INIT2, &a, &error), -EINVAL);
	w->vm.type = UAPI_VM_DEFAULT;
	a = (struct uapi_sev_init){ 0 };
	assert_int_equal(guest(w, UAPI_SEV_INIT2, &a, &error), -EINVAL);
	w->vm.vcpus = 1;
	assert_int_equal(guest(w, KVM_SEV_INIT, NULL, &error), -EINVAL);
	w->vm.vcpus = 0;
}

static void launch_refusals(void **state)
{
	struct kvm_sev_launch_update_data u = { .uaddr = 4096, .len = 0 };
	struct kvm_sev_launch_start s = { .policy = 1 };
	struct world *w = *state;
	uint32_t error;

	w->vm.sev = true;
	w->vm.mem.log = &w->emu.log;
	assert_int_equal(guest(w, KVM_SEV_LAUNCH_START, NULL, &error), -EFAULT);
	/* Descriptor 0 is no /dev/sev. */
	assert_int_equal(guest(w, KVM_SEV_LAUNCH_START, &s, &error), -EBADF);
	assert_int_equal(guest(w, KVM_SEV_LAUNCH_UPDATE_DATA, &u, &error),
			 -EINVAL);
	u.len = 16;
	assert_int_equal(guest(w, KVM_SEV_LAUNCH_UPDATE_DATA, &u, &error),
			 -ENOMEM);
	u.uaddr = ~0ull;
	assert_int_equal(guest(w, KVM_SEV_LAUNCH_UPDATE_DATA, &u, &error),
			 -EINVAL);
	assert_int_equal(guest(w, KVM_SEV_LAUNCH_FINISH, NULL, &error), -EIO);
	assert_int_equal(error, PSP_INVALID_GUEST);
	assert_int_equal(guest(w, KVM_SEV_LAUNCH_UPDATE_VMSA, NULL, &error),
			 -ENOTTY);
	w->vm.sev = false;
}

/* One VM is one guest: a second key would part it from its own memory. */
static void one_guest_a_vm(void **state)
{
	struct world *w = *state;
	struct kvm_sev_launch_start s = { .policy = 1 };
	struct kvm_sev_guest_status g;
	struct sev_user_data_status p;
	int fd = emu_sev(w);
	struct kvm_sev_cmd c = { .id = KVM_SEV_LAUNCH_START,
				 .sev_fd = (uint32_t)fd,
				 .data = (uintptr_t)&s };
	uint32_t error;

	w->vm.sev = true;
	assert_int_equal(kernel_guest(&w->emu, &w->vm, (uintptr_t)&c), 0);
	assert_int_equal(s.handle, w->vm.handle);
	for (int i = 0; i < 2 * PSP_GUESTS; i++) {
		s.handle = 0;
		assert_int_equal(kernel_guest(&w->emu, &w->vm, (uintptr_t)&c),
				 -EIO);
		assert_int_equal(c.error, PSP_ASID_OWNED);
	}
	assert_int_equal(guest(w, KVM_SEV_GUEST_STATUS, &g, &error), 0);
	assert_int_equal(g.handle, w->vm.handle);
	assert_int_equal(issue(w, SEV_PLATFORM_STATUS, &p, false, &error), 0);
	assert_int_equal(p.guest_count, 1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(platform_refusals),
		cmocka_unit_test(reset_needs_no_guests),
		cmocka_unit_test(lengths_are_told),
		cmocka_unit_test(no_guest_no_launch),
		cmocka_unit_test(init_fits_the_vm),
		cmocka_unit_test(launch_refusals),
		cmocka_unit_test(one_guest_a_vm),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
