/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills the kernel's structures and unpacks them again, nothing more. Where a
 * command can be asked for the size it needs, the kernel writes that size back
 * even though the command fails; callers see both.
 */
#include "sev/psp.h"

#include <errno.h>

struct sev_error psp_platform_status(int psp_fd, struct psp_status *out)
{
	struct sev_user_data_status s = { 0 };
	struct sev_error e = sev_platform_cmd(psp_fd, SEV_PLATFORM_STATUS, &s);

	if (e.err)
		return e;
	*out = (struct psp_status){
		.api_major = s.api_major,
		.api_minor = s.api_minor,
		.build = s.build,
		.state = s.state,
		.self_owned = !(s.flags & SEV_STATUS_OWNED),
		.es = s.flags & SEV_STATUS_FLAGS_CONFIG_ES,
		.guests = s.guest_count,
	};
	return e;
}

struct sev_error psp_pdh_export(int psp_fd, void *pdh, size_t *pdh_len,
				void *chain, size_t *chain_len)
{
	struct sev_user_data_pdh_cert_export x = {
		.pdh_cert_address = (uintptr_t)pdh,
		.pdh_cert_len = (uint32_t)*pdh_len,
		.cert_chain_address = (uintptr_t)chain,
		.cert_chain_len = (uint32_t)*chain_len,
	};
	struct sev_error e = sev_platform_cmd(psp_fd, SEV_PDH_CERT_EXPORT, &x);

	*pdh_len = x.pdh_cert_len;
	*chain_len = x.cert_chain_len;
	return e;
}

struct sev_error psp_get_id(int psp_fd, void *id, size_t *len)
{
	struct sev_user_data_get_id2 x = {
		.address = (uintptr_t)id,
		.length = (uint32_t)*len,
	};
	struct sev_error e = sev_platform_cmd(psp_fd, SEV_GET_ID2, &x);

	*len = x.length;
	return e;
}

/*
 * KVM_SEV_INIT2 answers EINVAL on a VM of the default type and on kernels
 * before 6.10; KVM_SEV_INIT is the other way round. Without SEV-ES both lead
 * to the same guest and the same measurement.
 */
struct sev_error psp_init(const struct psp_guest *g)
{
	struct sev_kvm_init init = { 0 };
	struct sev_error e;

	e = sev_cmd(g->vm_fd, g->psp_fd, SEV_KVM_INIT2, &init);
	if (e.err == -EINVAL && !e.fw)
		e = sev_cmd(g->vm_fd, g->psp_fd, KVM_SEV_INIT, NULL);
	return e;
}

struct sev_error psp_launch_start(const struct psp_guest *g, uint32_t policy,
				  const void *dh, size_t dh_len,
				  const void *session, size_t session_len,
				  uint32_t *handle)
{
	struct kvm_sev_launch_start x = {
		.policy = policy,
		.dh_uaddr = (uintptr_t)dh,
		.dh_len = (uint32_t)dh_len,
		.session_uaddr = (uintptr_t)session,
		.session_len = (uint32_t)session_len,
	};
	struct sev_error e;

	e = sev_cmd(g->vm_fd, g->psp_fd, KVM_SEV_LAUNCH_START, &x);
	if (!e.err)
		*handle = x.handle;
	return e;
}

struct sev_error psp_launch_update_data(const struct psp_guest *g,
					uint64_t uaddr, uint32_t len)
{
	struct kvm_sev_launch_update_data x = { .uaddr = uaddr, .len = len };

	return sev_cmd(g->vm_fd, g->psp_fd, KVM_SEV_LAUNCH_UPDATE_DATA, &x);
}

struct sev_error psp_launch_measure(const struct psp_guest *g,
				    uint8_t out[SEV_MEASUREMENT_LEN])
{
	struct kvm_sev_launch_measure x = {
		.uaddr = (uintptr_t)out,
		.len = SEV_MEASUREMENT_LEN,
	};

	return sev_cmd(g->vm_fd, g->psp_fd, KVM_SEV_LAUNCH_MEASURE, &x);
}

struct sev_error psp_launch_secret(const struct psp_guest *g,
				   const uint8_t hdr[SEV_SECRET_HEADER_LEN],
				   const void *data, uint32_t len,
				   uint64_t guest_uaddr)
{
	struct kvm_sev_launch_secret x = {
		.hdr_uaddr = (uintptr_t)hdr,
		.hdr_len = SEV_SECRET_HEADER_LEN,
		.guest_uaddr = guest_uaddr,
		.guest_len = len,
		.trans_uaddr = (uintptr_t)data,
		.trans_len = len,
	};

	return sev_cmd(g->vm_fd, g->psp_fd, KVM_SEV_LAUNCH_SECRET, &x);
}

struct sev_error psp_launch_finish(const struct psp_guest *g)
{
	return sev_cmd(g->vm_fd, g->psp_fd, KVM_SEV_LAUNCH_FINISH, NULL);
}

struct sev_error psp_guest_status(const struct psp_guest *g,
				  struct psp_guest_status *out)
{
	struct kvm_sev_guest_status x = { 0 };
	struct sev_error e;

	e = sev_cmd(g->vm_fd, g->psp_fd, KVM_SEV_GUEST_STATUS, &x);
	if (!e.err)
		*out = (struct psp_guest_status){ x.handle, x.policy, x.state };
	return e;
}

struct sev_error psp_attestation(const struct psp_guest *g,
				 const uint8_t mnonce[SEV_NONCE_LEN],
				 void *report, size_t *len)
{
	struct kvm_sev_attestation_report x = {
		.uaddr = (uintptr_t)report,
		.len = (uint32_t)*len,
	};
	struct sev_error e;

	bytes_copy(x.mnonce, sizeof(x.mnonce), mnonce, SEV_NONCE_LEN);
	e = sev_cmd(g->vm_fd, g->psp_fd, KVM_SEV_GET_ATTESTATION_REPORT, &x);
	*len = x.len;
	return e;
}
