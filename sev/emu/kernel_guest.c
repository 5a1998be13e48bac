/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_guest: KVM_MEMORY_ENCRYPT_OP.
 */
#include <errno.h>
#include <stdlib.h>

#include "sev/emu/kernel.h"
#include "sev/emu/stub.h"

struct call {
	struct emu *e;
	struct vm *vm;
	struct kvm_sev_cmd cmd;
};

static int ask(struct call *c, struct psp_request *r)
{
	const struct psp_memory mem = {
		.ctx = &c->vm->mem,
		.read_plain = memory_read_plain,
		.write_plain = memory_write_plain,
		.read_private = memory_read_private,
		.write_private = memory_write_private,
	};

	if (r->id != PSP_LAUNCH_START)
		r->handle = c->vm->handle;
	return kernel_result(psp_execute(&c->e->psp, r, &mem), &c->cmd.error);
}

/* An address that nobody mapped cannot be pinned: no firmware is asked. */
static int pin(const struct call *c, uint64_t at, uint32_t len)
{
	struct block *b;
	uint64_t end, off;

	if (!len || !add_u64(at, len, &end))
		return -EINVAL;
	return memory_adopt(&c->vm->mem, at, len, false, &b, &off) ? -ENOMEM
								   : 0;
}

static int init(struct call *c)
{
	struct vm *vm = c->vm;
	int rc;

	if (vm->type != UAPI_VM_DEFAULT || vm->vcpus || vm->sev)
		return -EINVAL;
	rc = vm_split(vm);
	journal_line(vm->log, "kvm SEV_INIT c-bit=%u error=%d", vm->c_bit, rc);
	return rc;
}

static int init2(struct call *c)
{
	struct vm *vm = c->vm;
	struct uapi_sev_init a;
	int rc = stub_copy_in(&a, c->cmd.data, sizeof a);

	if (rc)
		return rc;
	if (vm->type != UAPI_VM_SEV || vm->vcpus || vm->sev || a.flags ||
	    a.vmsa_features || a.ghcb_version)
		return -EINVAL;
	rc = vm_split(vm);
	journal_line(vm->log, "kvm SEV_INIT2 c-bit=%u error=%d", vm->c_bit, rc);
	return rc;
}

/*
 * Linux gives each VM one ASID. A second guest cannot have it: ACTIVATE fails,
 * and the guest that was just made goes again.
 */
static int bind(struct call *c, uint32_t handle)
{
	struct psp_request r = { .id = PSP_DECOMMISSION, .handle = handle };

	if (!c->vm->handle) {
		c->vm->handle = handle;
		c->vm->mem.cipher = psp_cipher(&c->e->psp, handle);
		return 0;
	}
	if (psp_execute(&c->e->psp, &r, NULL))
		return -EIO;
	return kernel_result(PSP_ASID_OWNED, &c->cmd.error);
}

static int launch_start(struct call *c)
{
	struct kvm_sev_launch_start a;
	struct psp_request r = { .id = PSP_LAUNCH_START };
	int rc = stub_copy_in(&a, c->cmd.data, sizeof a);

	if (rc)
		return rc;
	if (!emu_is_sev(c->e, (int)c->cmd.sev_fd))
		return -EBADF;
	r.handle = a.handle;
	r.policy = a.policy;
	if (a.dh_uaddr)
		rc = kernel_blob(a.dh_uaddr, a.dh_len, &r.in[0]);
	if (!rc && a.session_uaddr)
		rc = kernel_blob(a.session_uaddr, a.session_len, &r.in[1]);
	if (!rc)
		rc = ask(c, &r);
	if (!rc)
		rc = bind(c, r.handle);
	a.handle = r.handle;
	if (!rc)
		rc = stub_copy_out(c->cmd.data, &a, sizeof a);
	free((void *)r.in[0].p);
	free((void *)r.in[1].p);
	return rc;
}

static int launch_update_data(struct call *c)
{
	struct kvm_sev_launch_update_data a;
	struct psp_request r = { .id = PSP_LAUNCH_UPDATE_DATA };
	int rc = stub_copy_in(&a, c->cmd.data, sizeof a);

	if (!rc)
		rc = pin(c, a.uaddr, a.len);
	r.address = a.uaddr;
	r.length = a.len;
	return rc ? rc : ask(c, &r);
}

/* Only a length of zero gets the right one back, beside the error. */
static int launch_measure(struct call *c)
{
	struct kvm_sev_launch_measure a;
	struct psp_request r = { .id = PSP_LAUNCH_MEASURE };
	uint8_t buf[MEASUREMENT_LEN];
	bool query;
	int rc = stub_copy_in(&a, c->cmd.data, sizeof a), rc2 = 0;

	if (rc)
		return rc;
	query = !a.len;
	if (!query && a.uaddr) {
		if (a.len > UAPI_BLOB_MAX)
			return -EINVAL;
		r.out[0] = (struct psp_room){
			buf, (uint32_t)min_u64(a.len, sizeof buf), 0
		};
	}
	rc = ask(c, &r);
	if (rc && !query)
		return rc;
	if (!rc)
		rc2 = stub_copy_out(a.uaddr, buf, sizeof buf);
	a.len = r.out[0].len;
	if (!rc2)
		rc2 = stub_copy_out(c->cmd.data, &a, sizeof a);
	return rc2 ? rc2 : rc;
}

/*
 * The firmware writes to one run of physical memory. What lies in one page
 * always is one; more is one at the host's luck, and refused here.
 */
static int launch_secret(struct call *c)
{
	struct kvm_sev_launch_secret a;
	struct psp_request r = { .id = PSP_LAUNCH_SECRET };
	int rc = stub_copy_in(&a, c->cmd.data, sizeof a);

	if (!rc)
		rc = pin(c, a.guest_uaddr, a.guest_len);
	if (!rc && a.guest_uaddr % PAGE + a.guest_len > PAGE)
		rc = -EINVAL;
	r.address = a.guest_uaddr;
	r.length = a.guest_len;
	if (!rc)
		rc = kernel_blob(a.trans_uaddr, a.trans_len, &r.in[1]);
	if (!rc)
		rc = kernel_blob(a.hdr_uaddr, a.hdr_len, &r.in[0]);
	if (!rc)
		rc = ask(c, &r);
	free((void *)r.in[0].p);
	free((void *)r.in[1].p);
	return rc;
}

static int launch_finish(struct call *c)
{
	struct psp_request r = { .id = PSP_LAUNCH_FINISH };

	return ask(c, &r);
}

static int guest_status(struct call *c)
{
	struct psp_request r = { .id = PSP_GUEST_STATUS };
	struct kvm_sev_guest_status a;
	int rc = ask(c, &r);

	if (rc)
		return rc;
	a = (struct kvm_sev_guest_status){ c->vm->handle, r.policy, r.state };
	return stub_copy_out(c->cmd.data, &a, sizeof a);
}

static int attestation(struct call *c)
{
	struct kvm_sev_attestation_report a;
	struct psp_request r = { .id = PSP_ATTESTATION };
	uint8_t buf[512];
	bool query;
	int rc = stub_copy_in(&a, c->cmd.data, sizeof a), rc2 = 0;

	if (rc)
		return rc;
	query = !a.len;
	if (!query && a.uaddr) {
		if (a.len > UAPI_BLOB_MAX)
			return -EINVAL;
		r.out[0] = (struct psp_room){
			buf, (uint32_t)min_u64(a.len, sizeof buf), 0
		};
	}
	r.in[0] = (struct span){ a.mnonce, sizeof a.mnonce };
	rc = ask(c, &r);
	if (rc && !query)
		return rc;
	if (!rc)
		rc2 = stub_copy_out(a.uaddr, buf, r.out[0].len);
	a.len = r.out[0].len;
	if (!rc2)
		rc2 = stub_copy_out(c->cmd.data, &a, sizeof a);
	return rc2 ? rc2 : rc;
}

/* Linux rounds a debugger's odd addresses to the firmware's blocks itself. */
static int debug(struct call *c, bool decrypt)
{
	struct kvm_sev_dbg a;
	struct psp_request r = { .id = decrypt ? PSP_DBG_DECRYPT
					       : PSP_DBG_ENCRYPT };
	uint64_t end;
	int rc = stub_copy_in(&a, c->cmd.data, sizeof a);

	if (rc)
		return rc;
	if (!a.len || !add_u64(a.src_uaddr, a.len, &end) || !a.dst_uaddr)
		return -EINVAL;
	r.address = decrypt ? a.src_uaddr : a.dst_uaddr;
	r.other = decrypt ? a.dst_uaddr : a.src_uaddr;
	r.length = a.len;
	return ask(c, &r);
}

static int dbg_decrypt(struct call *c)
{
	return debug(c, true);
}

static int dbg_encrypt(struct call *c)
{
	return debug(c, false);
}

int kernel_guest(struct emu *e, struct vm *vm, uint64_t arg)
{
	static const struct {
		int (*run)(struct call *c);
		bool before; /* works on a VM that is no SEV guest yet */
	} ops[] = {
		[KVM_SEV_INIT] = { init, true },
		[KVM_SEV_LAUNCH_START] = { launch_start, false },
		[KVM_SEV_LAUNCH_UPDATE_DATA] = { launch_update_data, false },
		[KVM_SEV_LAUNCH_MEASURE] = { launch_measure, false },
		[KVM_SEV_LAUNCH_SECRET] = { launch_secret, false },
		[KVM_SEV_LAUNCH_FINISH] = { launch_finish, false },
		[KVM_SEV_GUEST_STATUS] = { guest_status, false },
		[KVM_SEV_DBG_DECRYPT] = { dbg_decrypt, false },
		[KVM_SEV_DBG_ENCRYPT] = { dbg_encrypt, false },
		[KVM_SEV_GET_ATTESTATION_REPORT] = { attestation, false },
		[UAPI_SEV_INIT2] = { init2, true },
	};
	struct call c = { .e = e, .vm = vm };
	int rc = stub_copy_in(&c.cmd, arg, sizeof c.cmd), rc2;

	if (rc)
		return rc;
	if (c.cmd.id < ARRAY_LEN(ops) && ops[c.cmd.id].run)
		rc = vm->sev || ops[c.cmd.id].before ? ops[c.cmd.id].run(&c)
						     : -ENOTTY;
	else /* ES, migration and SNP: not on this platform */
		rc = c.cmd.id == KVM_SEV_ES_INIT || vm->sev ? -ENOTTY : -EINVAL;
	if (rc && c.cmd.error == 0)
		journal_line(vm->log, "kvm command=%u error=%d", c.cmd.id, rc);
	rc2 = stub_copy_out(arg, &c.cmd, sizeof c.cmd);
	return rc2 ? rc2 : rc;
}
