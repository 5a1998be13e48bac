/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys: locked and wiped memory, and the file of transport keys.
 */
#include "sev/owner/keys.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "sev/owner/files.h"
#include "vmm/log.h"

/* OpenSSL's secure heap: one ephemeral P-384 key and its big numbers. */
#define SECURE_HEAP (32 * KIB)
#define SECURE_MIN 16

int keys_protect(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) {
		int rc = -errno;

		log_error("cannot switch core dumps off: %s", strerror(errno));
		return rc;
	}
	if (CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_MIN) != 1) {
		log_error("cannot lock %llu KiB of memory for keys; "
			  "'ulimit -l' must allow at least 64",
			  SECURE_HEAP / KIB);
		return -ENOMEM;
	}
	return 0;
}

void *keys_alloc(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		log_error("no memory for keys: %s", strerror(errno));
		return NULL;
	}
	if (mlock(p, len) || madvise(p, len, MADV_DONTDUMP) ||
	    madvise(p, len, MADV_WIPEONFORK)) {
		log_error("cannot lock %zu bytes of memory for keys: %s; "
			  "'ulimit -l' must allow at least 64 KiB",
			  len, strerror(errno));
		munmap(p, len);
		return NULL;
	}
	return p;
}

void keys_free(void *p, size_t len)
{
	if (!p)
		return;
	explicit_bzero(p, len);
	munmap(p, len);
}

/* A key that others can read is no key, but refusing it helps nobody now. */
static void warn_if_shared(const char *path)
{
	struct stat st;

	if (!stat(path, &st) && S_ISREG(st.st_mode) && (st.st_mode & 077))
		log_warn("%s has mode %04o: others can read these keys; "
			 "chmod 600 it",
			 path, (unsigned)(st.st_mode & 07777));
}

int keys_load_tk(struct tk **out, const char *path)
{
	struct tk *tk = keys_alloc(sizeof(*tk));
	size_t len;
	int rc;

	if (!tk)
		return -ENOMEM;
	rc = files_read(path, (uint8_t *)tk, sizeof(*tk), &len);
	if (!rc && len != sizeof(*tk)) {
		log_error("%s is %zu bytes; a file of transport keys is 32: "
			  "TEK, then TIK",
			  path, len);
		rc = -EINVAL;
	}
	if (rc) {
		keys_free(tk, sizeof(*tk));
		return rc;
	}
	warn_if_shared(path);
	*out = tk;
	return 0;
}
