/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line a status code, SEV API table 4 and, from 0x19 on, the SNP firmware
 * ABI (AMD 56860), whose codes a SEV command can return on a host set up for
 * SNP. Whoever reads these is at a shell, not at the specification.
 */
#include "sev/fwerr.h"

#include <errno.h>
#include <stdio.h>

struct fwerr {
	const char *name, *text, *hint;
};

/* What the kernel reports when it could not ask the firmware at all. */
#define NO_FIRMWARE_CALL 0xffffffffu

static const struct fwerr table[] = {
	[0x00] = { "SUCCESS", "success", "nothing is to be done" },
	[0x01] = { "INVALID_PLATFORM_STATE",
		   "the platform is not in a state for this command",
		   "another guest may be starting; if it stays, reload the "
		   "ccp and kvm_amd modules" },
	[0x02] = { "INVALID_GUEST_STATE",
		   "the guest is not in a state for this command",
		   "follow the order: measure, then secrets, then cont" },
	[0x03] = { "INVALID_CONFIG", "the platform's configuration is invalid",
		   "check SEV in the machine's firmware setup" },
	[0x04] = { "INVALID_LENGTH", "a length is not what the command takes",
		   "check that the files are whole: a certificate has 2084 "
		   "bytes, a session 128, a secret's header 52" },
	[0x05] = { "ALREADY_OWNED", "the platform has an owner already",
		   "reset it to factory settings to change the owner" },
	[0x06] = { "INVALID_CERTIFICATE", "a certificate is invalid",
		   "give the godh.cert that was made with this session, and "
		   "make both from this platform's current PDH" },
	[0x07] = { "POLICY_FAILURE", "the guest's policy forbids it",
		   "give the policy that the session was made with, and one "
		   "that this platform's firmware version satisfies" },
	[0x08] = { "INACTIVE", "the guest is not active", "start it anew" },
	[0x09] = { "INVALID_ADDRESS", "an address is invalid",
		   "secrets and measured parts start at multiples of 16" },
	[0x0a] = { "BAD_SIGNATURE", "a signature is wrong",
		   "the certificate or report was altered, or is from another "
		   "platform" },
	[0x0b] = { "BAD_MEASUREMENT", "a MAC is wrong",
		   "the session or secret was made for another launch, another "
		   "policy or other keys, or was altered: make it anew" },
	[0x0c] = { "ASID_OWNED", "the guest's ASID is in use",
		   "stop another SEV guest" },
	[0x0d] = { "INVALID_ASID", "the guest's ASID is out of range",
		   "check the SEV ASID limits in the firmware setup" },
	[0x0e] = { "WBINVD_REQUIRED", "the caches must be flushed first",
		   "the kernel does this by itself: try again" },
	[0x0f] = { "DF_FLUSH_REQUIRED", "the data fabric must be flushed first",
		   "the kernel does this by itself: try again" },
	[0x10] = { "INVALID_GUEST", "the firmware does not know this guest",
		   "start it anew" },
	[0x11] = { "INVALID_COMMAND", "the firmware does not know this command",
		   "update the secure processor's firmware" },
	[0x12] = { "ACTIVE", "the guest is active", "stop it first" },
	[0x13] = { "HWERROR_PLATFORM",
		   "a hardware error; the platform is still safe",
		   "restart the machine" },
	[0x14] = { "HWERROR_UNSAFE",
		   "a hardware error; the platform is not safe any more",
		   "do not trust this machine with secrets; restart it" },
	[0x15] = { "UNSUPPORTED", "a feature is not supported here",
		   "choose a policy without it (SEV-ES needs EPYC 7002 or "
		   "later), or update the firmware" },
	[0x16] = { "INVALID_PARAM", "a parameter is invalid",
		   "check the policy's reserved bits and the secret's flags" },
	[0x17] = { "RESOURCE_LIMIT", "the firmware has no room left",
		   "stop another SEV guest" },
	[0x18] = { "SECURE_DATA_INVALID",
		   "the platform's stored keys fail their integrity check",
		   "reset the platform to factory settings" },
	[0x19] = { "INVALID_PAGE_SIZE", "a page has the wrong size (SNP)",
		   "start without SNP" },
	[0x1a] = { "INVALID_PAGE_STATE", "a page has the wrong state (SNP)",
		   "restart the machine" },
	[0x1b] = { "INVALID_MDATA_ENTRY", "a metadata entry is invalid (SNP)",
		   "restart the machine" },
	[0x1c] = { "INVALID_PAGE_OWNER", "a page has another owner (SNP)",
		   "restart the machine" },
	[0x1d] = { "AEAD_OFLOW", "a message counter ran out (SNP)",
		   "start the guest anew" },
	[0x1f] = { "RB_MODE_EXITED", "the command ring was left (SNP)",
		   "try again" },
	[0x20] = { "RMP_INIT_REQUIRED",
		   "the reverse map table is not set up (SNP)",
		   "start the host kernel with SNP set up, or without it" },
	[0x21] = { "BAD_SVN", "the firmware's security version is too low",
		   "update the secure processor's firmware" },
	[0x22] = { "BAD_VERSION", "the firmware's version is too low",
		   "update the secure processor's firmware" },
	[0x23] = { "SHUTDOWN_REQUIRED", "the platform must be shut down first",
		   "stop all SEV guests, then reload ccp and kvm_amd" },
	[0x24] = { "UPDATE_FAILED", "a firmware update failed",
		   "restart the machine" },
	[0x25] = { "RESTORE_REQUIRED", "the former firmware must be restored",
		   "restart the machine" },
	[0x26] = { "RMP_INIT_FAILED",
		   "the reverse map table could not be set up (SNP)",
		   "check SNP in the machine's firmware setup" },
	[0x27] = { "INVALID_KEY", "a key is invalid or missing",
		   "make the session anew" },
};

static const struct fwerr no_call = {
	"NO_FIRMWARE_CALL",
	"the kernel could not ask the firmware",
	"see the kernel's log for messages of ccp",
};

static const struct fwerr unknown = {
	"unknown status",
	"a status that the specification does not list",
	"see the kernel's log for messages of ccp",
};

static const struct fwerr *find(uint32_t fw)
{
	if (fw == NO_FIRMWARE_CALL)
		return &no_call;
	if (fw < ARRAY_LEN(table) && table[fw].name)
		return &table[fw];
	return &unknown;
}

const char *fwerr_name(uint32_t fw)
{
	return find(fw)->name;
}

const char *fwerr_text(uint32_t fw)
{
	return find(fw)->text;
}

const char *fwerr_hint(uint32_t fw)
{
	return find(fw)->hint;
}

/* System call errors of the kernel's own that deserve more than strerror. */
static const char *errno_hint(int err)
{
	switch (-err) {
	case ENOTTY: return " (this kernel's KVM offers no SEV)";
	case EBUSY: return " (all SEV guests the machine can run are running)";
	case EPERM:
	case EACCES:
		return " (run as root, or as a user who may write to "
		       "/dev/sev)";
	case ENODEV: return " (the secure processor is not available)";
	case ENOMEM:
		return " (memory, or the limit on locked memory, is too "
		       "small: see ulimit -l)";
	case EBADF: return " (/dev/sev was not accepted)";
	case ETIMEDOUT:
		return " (the secure processor does not answer: "
		       "restart the machine)";
	default: return "";
	}
}

void fwerr_describe(const char *what, struct sev_error e, char *text,
		    size_t cap)
{
	const struct fwerr *f = find(e.fw);

	if (e.fw)
		snprintf(text, cap, "%s: firmware error 0x%02x %s, %s; %s",
			 what, e.fw, f->name, f->text, f->hint);
	else
		snprintf(text, cap, "%s: %s%s", what, strerror(-e.err),
			 errno_hint(e.err));
}
