/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each step of a launch is the same three moves: ask the table whether the step
 * is allowed now, give the command, read the guest's state back from the
 * firmware and compare it with what the table says comes next.
 */
#include "sev/launch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "sev/blob.h"
#include "sev/fwerr.h"
#include "sev/policy.h"
#include "vmm/clock.h"
#include "vmm/log.h"

/* KVM reports no reduction of its own; one bit is what the C-bit costs. */
#define REDUCED_PHYS_BITS_USUAL 1
#define REDUCED_PHYS_BITS_MAX 63

enum step {
	STEP_INIT,
	STEP_START,
	STEP_UPDATE,
	STEP_MEASURE,
	STEP_SECRET,
	STEP_FINISH,
	NSTEP,
};

/* SEV API, 6: the state a step leads to; 0, LAUNCH_NEW: it is refused. */
static const struct {
	const char *name;
	uint8_t next[LAUNCH_NSTATE];
} steps[NSTEP] = {
	[STEP_INIT] = { "KVM_SEV_INIT", { [LAUNCH_NEW] = LAUNCH_INIT } },
	[STEP_START] = { "LAUNCH_START", { [LAUNCH_INIT] = LAUNCH_UPDATE } },
	[STEP_UPDATE] = { "LAUNCH_UPDATE_DATA",
			  { [LAUNCH_UPDATE] = LAUNCH_UPDATE } },
	[STEP_MEASURE] = { "LAUNCH_MEASURE",
			   { [LAUNCH_UPDATE] = LAUNCH_SECRET } },
	[STEP_SECRET] = { "LAUNCH_SECRET",
			  { [LAUNCH_SECRET] = LAUNCH_SECRET } },
	[STEP_FINISH] = { "LAUNCH_FINISH",
			  { [LAUNCH_SECRET] = LAUNCH_RUNNING } },
};

/* The states in QEMU's words, and in the firmware's numbers. */
static const struct {
	const char *name;
	uint32_t firmware;
} states[LAUNCH_NSTATE] = {
	[LAUNCH_NEW] = { "uninit", PSP_GUEST_UNINIT },
	[LAUNCH_INIT] = { "uninit", PSP_GUEST_UNINIT },
	[LAUNCH_UPDATE] = { "launch-update", PSP_GUEST_UPDATE },
	[LAUNCH_SECRET] = { "launch-secret", PSP_GUEST_SECRET },
	[LAUNCH_RUNNING] = { "running", PSP_GUEST_RUNNING },
};

const char *launch_state_name(const struct launch *l)
{
	return states[l->state].name;
}

PRINTF_LIKE(3, 4)
static int fail(struct launch *l, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->why, sizeof(l->why), fmt, ap);
	va_end(ap);
	log_error("SEV: %s", l->why);
	return rc;
}

static int fail_sev(struct launch *l, const char *what, struct sev_error e)
{
	char text[sizeof(l->why)];

	fwerr_describe(what, e, text, sizeof(text));
	return fail(l, e.err, "%s", text);
}

/* A command begins, and ends: on the time line. */
static void begin(struct launch *l, const char *name)
{
	l->step =
		(struct timeline_mark){ .name = name, .start_ns = clock_ns() };
}

static void done(struct launch *l, struct sev_error e)
{
	l->step.failed = e.err;
	timeline_span(l->timeline, TIMELINE_PSP, &l->step);
}

/* A part of the image, or of memory. */
static void put_what(struct launch *l, const char *name)
{
	snprintf(l->step.what, sizeof(l->step.what), "%s", name);
}

static int step_begin(struct launch *l, enum step s)
{
	begin(l, steps[s].name);
	if (steps[s].next[l->state] != LAUNCH_NEW)
		return 0;
	return fail(l, -EPERM, "%s is not possible in state %s", steps[s].name,
		    launch_state_name(l));
}

static int compare(struct launch *l, enum launch_state expected)
{
	struct psp_guest_status s = { 0 };
	struct sev_error e;

	begin(l, "GUEST_STATUS");
	e = psp_guest_status(&l->guest, &s);
	done(l, e);
	if (e.err)
		return fail_sev(l, "GUEST_STATUS", e);
	if (s.state != states[expected].firmware || s.policy != l->policy ||
	    s.handle != l->handle)
		return fail(l, -EIO,
			    "the firmware has guest %u in state %u, policy "
			    "0x%x, instead of %u, %u, 0x%x",
			    s.handle, s.state, s.policy, l->handle,
			    states[expected].firmware, l->policy);
	return 0;
}

static int step_end(struct launch *l, enum step s, struct sev_error e)
{
	enum launch_state was = l->state, now = steps[s].next[was];
	int rc;

	done(l, e);
	if (e.err)
		return fail_sev(l, steps[s].name, e);
	/* Before LAUNCH_START the firmware knows no guest to ask about. */
	rc = now >= LAUNCH_UPDATE ? compare(l, now) : 0;
	if (rc)
		return rc;
	l->state = now;
	if (now != was && l->changed)
		l->changed(l->changed_ctx, launch_state_name(l));
	return 0;
}

/* What the host offers, against what the user asks for. */

static int check_cbit(struct launch *l, int kvm_fd,
		      const struct launch_config *cfg)
{
	uint32_t eax, ebx;
	int rc = sev_cpuid(kvm_fd, &eax, &ebx);

	if (rc)
		return fail(l, rc, "KVM_GET_SUPPORTED_CPUID: %s",
			    strerror(-rc));
	if (!(eax & SEV_CPUID_EAX_SEV))
		return fail(l, -ENOTSUP,
			    "KVM offers no SEV on this host: it needs an AMD "
			    "EPYC with SEV on in its setup, and kvm_amd with "
			    "sev=1");
	l->cbitpos = SEV_CPUID_EBX_CBIT(ebx);
	if (cfg->cbitpos >= 0 && (unsigned)cfg->cbitpos != l->cbitpos)
		return fail(l, -EINVAL,
			    "cbitpos=%d: this host has its C-bit at %u; leave "
			    "it out, or give that",
			    cfg->cbitpos, l->cbitpos);
	l->reduced_phys_bits = SEV_CPUID_EBX_REDUCED(ebx);
	if (!l->reduced_phys_bits)
		l->reduced_phys_bits = REDUCED_PHYS_BITS_USUAL;
	if (cfg->reduced_phys_bits < 0)
		return 0;
	if (cfg->reduced_phys_bits < 1 ||
	    cfg->reduced_phys_bits > REDUCED_PHYS_BITS_MAX)
		return fail(l, -EINVAL,
			    "reduced-phys-bits=%d: 1 to %d is possible, %u is "
			    "usual",
			    cfg->reduced_phys_bits, REDUCED_PHYS_BITS_MAX,
			    l->reduced_phys_bits);
	l->reduced_phys_bits = (unsigned)cfg->reduced_phys_bits;
	return 0;
}

static int open_device(struct launch *l)
{
	int fd = psp_open(PSP_DEVICE);
	struct sev_error e;

	if (fd == -ENOENT || fd == -ENXIO || fd == -ENODEV)
		return fail(l, fd,
			    "%s: %s: this host has no secure processor that "
			    "the kernel can use (module ccp)",
			    PSP_DEVICE, strerror(-fd));
	if (fd < 0)
		return fail_sev(l, PSP_DEVICE, (struct sev_error){ fd, 0 });
	l->guest.psp_fd = fd;
	begin(l, "PLATFORM_STATUS");
	e = psp_platform_status(fd, &l->platform);
	done(l, e);
	return e.err ? fail_sev(l, "PLATFORM_STATUS", e) : 0;
}

/* What no platform changes; why is set, with 0, for a warning too. */
static int own_policy(uint32_t policy, char *why, size_t cap)
{
	int rc = policy_check(policy, NULL, why, cap);

	if (rc || !(policy & POLICY_ES))
		return rc;
	snprintf(why, cap,
		 "policy 0x%x requires SEV-ES, which carrel does not launch; "
		 "clear bit 2",
		 policy);
	return -EINVAL;
}

int launch_policy(uint32_t policy)
{
	char why[200];
	int rc = own_policy(policy, why, sizeof(why));

	if (rc)
		log_error("--sev: %s", why);
	return rc;
}

static int check_policy(struct launch *l)
{
	struct policy_platform at = { l->platform.api_major,
				      l->platform.api_minor, l->platform.es };
	char words[200];
	int rc = own_policy(l->policy, words, sizeof(words));

	if (!rc)
		rc = policy_check(l->policy, &at, words, sizeof(words));
	if (rc)
		return fail(l, rc, "%s", words);
	if (words[0])
		log_warn("SEV: %s", words);
	policy_describe(l->policy, words, sizeof(words));
	log_info("SEV: firmware API %u.%u build %u, policy 0x%x (%s)",
		 at.api_major, at.api_minor, l->platform.build, l->policy,
		 words);
	return 0;
}

static int start(struct launch *l, const struct launch_config *cfg)
{
	uint8_t dh[SEV_CERT_LEN], session[SEV_SESSION_LEN];
	struct sev_error e;
	int rc;

	if (!cfg->dh != !cfg->session)
		return fail(l, -EINVAL,
			    "dh and session go together: give both or "
			    "neither");
	l->session = cfg->dh != NULL;
	if (l->session) {
		rc = blob_read(cfg->dh, "owner's certificate (dh)", dh,
			       sizeof(dh));
		if (!rc)
			rc = blob_read(cfg->session, "session", session,
				       sizeof(session));
		if (rc)
			return rc;
	}
	rc = step_begin(l, STEP_START);
	if (rc)
		return rc;
	if (l->session)
		e = psp_launch_start(&l->guest, l->policy, dh, sizeof(dh),
				     session, sizeof(session), &l->handle);
	else
		e = psp_launch_start(&l->guest, l->policy, NULL, 0, NULL, 0,
				     &l->handle);
	return step_end(l, STEP_START, e);
}

int launch_open(struct launch *l, int kvm_fd, int vm_fd,
		const struct launch_config *cfg)
{
	int rc;

	*l = (struct launch){
		.guest = { .vm_fd = vm_fd, .psp_fd = -1 },
		.policy = cfg->policy,
		.timeline = cfg->timeline,
	};
	rc = open_device(l);
	if (!rc)
		rc = check_policy(l);
	if (!rc)
		rc = check_cbit(l, kvm_fd, cfg);
	if (!rc)
		rc = step_begin(l, STEP_INIT);
	if (!rc)
		rc = step_end(l, STEP_INIT, psp_init(&l->guest));
	if (!rc)
		rc = start(l, cfg);
	if (rc)
		launch_close(l);
	return rc;
}

/* Measuring. */

static int register_regions(struct launch *l, const struct gmem *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct gmem_region *r = &m->r[i];
		uint64_t uaddr;
		struct sev_error e = { 0 };

		begin(l, "REG_REGION");
		l->step.bytes = r->size;
		put_what(l, r->name);
		e.err = gmem_uaddr(m, r->base, r->size, &uaddr);
		if (!e.err)
			e.err = sev_region(l->guest.vm_fd, uaddr, r->size);
		done(l, e);
		if (e.err)
			return fail_sev(l, "KVM_MEMORY_ENCRYPT_REG_REGION", e);
	}
	return 0;
}

static int update(struct launch *l, const struct gmem *m,
		  const struct image_part *p)
{
	struct sev_error e;
	uint64_t uaddr;
	int rc = step_begin(l, STEP_UPDATE);

	if (rc)
		return rc;
	/* SEV API, 6.3: whole blocks of the cipher. */
	if (p->at.v % 16 || p->len % 16 || !p->len || p->len > UINT32_MAX)
		return fail(l, -EINVAL,
			    "%s: 0x%zx bytes at 0x%llx; address and size must "
			    "be multiples of 16",
			    p->name, p->len, (unsigned long long)p->at.v);
	rc = gmem_uaddr(m, p->at, p->len, &uaddr);
	if (rc)
		return fail(l, rc, "%s: no guest memory at 0x%llx", p->name,
			    (unsigned long long)p->at.v);
	l->step.bytes = p->len;
	put_what(l, p->name);
	e = psp_launch_update_data(&l->guest, uaddr, (uint32_t)p->len);
	return step_end(l, STEP_UPDATE, e);
}

int launch_measure(struct launch *l, const struct gmem *m,
		   const struct image *im)
{
	size_t n = 0;
	int rc = register_regions(l, m);

	for (size_t i = 0; !rc && i < im->n_parts; i++) {
		if (im->part[i].kind != PART_MEASURED)
			continue;
		rc = update(l, m, &im->part[i]);
		n++;
	}
	if (rc)
		return rc;
	if (!n)
		return fail(l, -EINVAL,
			    "the image has no measured part: a SEV guest "
			    "starts from firmware");
	rc = step_begin(l, STEP_MEASURE);
	if (rc)
		return rc;
	l->mem = m;
	l->secret = im->secret;
	l->secret_len = im->secret_len;
	return step_end(l, STEP_MEASURE,
			psp_launch_measure(&l->guest, l->measurement));
}

/* A secret. */

static int check_secret(struct launch *l, size_t hdr_len, size_t len, gpa_t at)
{
	if (hdr_len != SEV_SECRET_HEADER_LEN)
		return fail(l, -EINVAL,
			    "the packet header has %zu bytes; %d are expected",
			    hdr_len, SEV_SECRET_HEADER_LEN);
	if (len < SEV_SECRET_MIN || len > SEV_SECRET_MAX ||
	    len % SEV_SECRET_ALIGN)
		return fail(l, -EINVAL,
			    "the secret has %zu bytes; %d to %d in multiples "
			    "of %d are possible",
			    len, SEV_SECRET_MIN, SEV_SECRET_MAX,
			    SEV_SECRET_ALIGN);
	if (at.v % SEV_SECRET_ALIGN)
		return fail(l, -EINVAL, "gpa 0x%llx is no multiple of %d",
			    (unsigned long long)at.v, SEV_SECRET_ALIGN);
	return 0;
}

int launch_secret(struct launch *l, const void *hdr, size_t hdr_len,
		  const void *data, size_t len, const gpa_t *gpa)
{
	gpa_t at = gpa ? *gpa : l->secret;
	struct sev_error e;
	uint64_t uaddr;
	int rc = step_begin(l, STEP_SECRET);

	if (rc)
		return rc;
	if (!gpa && !l->secret_len)
		return fail(l, -EINVAL,
			    "no secret area found in the firmware; give a gpa");
	rc = check_secret(l, hdr_len, len, at);
	if (rc)
		return rc;
	if (!gpa && len > l->secret_len)
		return fail(l, -EINVAL,
			    "the secret has %zu bytes; the firmware's secret "
			    "area has %llu",
			    len, (unsigned long long)l->secret_len);
	rc = gmem_uaddr(l->mem, at, len, &uaddr);
	if (rc)
		return fail(l, rc, "no guest memory at gpa 0x%llx",
			    (unsigned long long)at.v);
	l->step.bytes = len;
	e = psp_launch_secret(&l->guest, hdr, data, (uint32_t)len, uaddr);
	rc = step_end(l, STEP_SECRET, e);
	if (!rc)
		l->n_secrets++;
	return rc;
}

int launch_finish(struct launch *l)
{
	int rc = step_begin(l, STEP_FINISH);

	return rc ? rc : step_end(l, STEP_FINISH, psp_launch_finish(&l->guest));
}

void launch_close(struct launch *l)
{
	if (l->guest.psp_fd >= 0)
		close(l->guest.psp_fd);
	l->guest.psp_fd = -1;
}
