/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail: see the header.
 */
#include "vmm/jail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <malloc.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "vmm/log.h"

static int fail(const char *what, int rc)
{
	log_error("sandbox: %s: %s (--sandbox off runs without it)", what,
		  strerror(-rc));
	return rc;
}

static int set_limit(__rlimit_resource_t what, rlim_t value)
{
	const struct rlimit l = { .rlim_cur = value, .rlim_max = value };

	return setrlimit(what, &l) ? -errno : 0;
}

/*
 * All descriptors of ours are close-on-exec and none of those that survived
 * our parent's exec is: that tells them apart. The three standard ones stay.
 */
static int close_inherited(void)
{
	DIR *d = opendir("/proc/self/fd");
	const struct dirent *e;

	if (!d)
		return -errno;
	while ((e = readdir(d)) != NULL) {
		/* "." and ".." give 0. */
		int fd = (int)strtol(e->d_name, NULL, 10);
		int flags = fd > STDERR_FILENO ? fcntl(fd, F_GETFD) : -1;

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			close(fd);
	}
	closedir(d);
	return 0;
}

/*
 * Capabilities belong to a thread. The bounding set goes too, as long as
 * CAP_SETPCAP is there to do it; without that there is nothing to bound.
 */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {
		{ 0 }
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	for (unsigned long cap = 0; !prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);)
		cap++;
	/* Kernels before 4.3 have no ambient set to clear. */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &head, none) ? -errno : 0;
}

/*
 * libc opens two files when it first needs them, which would be too late: the
 * time zone, and overcommit_memory where an arena other than the main one
 * gives memory back. The second is made never to happen (other allocators
 * than libc's, a sanitizer's for one, have no such setting and no such need).
 */
static void settle_libc(void)
{
	tzset();
	(void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

/* Lets the ruleset remove names in the directory of path. */
static int allow_removal(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_REMOVE_FILE,
	};
	char *copy = strdup(path);
	int rc = 0;

	if (!copy)
		return -ENOMEM;
	rule.parent_fd = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (rule.parent_fd < 0)
		return -errno;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		    &rule, 0))
		rc = -errno;
	close(rule.parent_fd);
	return rc;
}

/*
 * seccomp cannot look at names, Landlock can. After no_new_privs, which it
 * asks for.
 */
static int confine_removal(const struct jail_options *o)
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_REMOVE_FILE,
	};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr),
			      0);
	int rc = 0;

	if (fd < 0) /* before Linux 5.13, or switched off: one wall less */
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	for (size_t i = 0; !rc && i < JAIL_REMOVABLE; i++)
		if (o->removable[i])
			rc = allow_removal(fd, o->removable[i]);
	if (!rc && syscall(SYS_landlock_restrict_self, fd, 0))
		rc = -errno;
	close(fd);
	return rc;
}

int jail_process(const struct jail_options *o)
{
	int rc;

	/*
	 * KVM counts pages it pins for a SEV guest against this limit unless
	 * CAP_IPC_LOCK is there, and LAUNCH_SECRET pins some yet. A user
	 * without the right to raise it keeps what it had.
	 */
	(void)set_limit(RLIMIT_MEMLOCK, RLIM_INFINITY);
	rc = set_limit(RLIMIT_CORE, 0);
	if (rc)
		return fail("core dumps off", rc);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return fail("PR_SET_DUMPABLE", -errno);
	rc = close_inherited();
	if (rc)
		return fail("/proc/self/fd", rc);
	rc = drop_capabilities();
	if (rc)
		return fail("capabilities", rc);
	rc = confine_removal(o);
	return rc ? fail("Landlock", rc) : 0;
}

static struct scmp_arg_cmp comparison(const struct jail_match *m)
{
	struct scmp_arg_cmp c = { m->arg, SCMP_CMP_EQ, m->value, 0 };

	switch (m->op) {
	case JAIL_CLEAR: /* arg & value == 0 */
		c.op = SCMP_CMP_MASKED_EQ;
		break;
	case JAIL_SET: /* arg & value == value */
		c.op = SCMP_CMP_MASKED_EQ;
		c.datum_b = m->value;
		break;
	case JAIL_SELF: c.datum_a = (scmp_datum_t)getpid(); break;
	case JAIL_ANY:
	case JAIL_EQUAL: break;
	}
	return c;
}

static int add_rules(scmp_filter_ctx f, const struct jail_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct jail_rule *r = &t->rule[i];
		struct scmp_arg_cmp cmp[JAIL_MATCHES];
		unsigned n = 0;
		int rc;

		while (n < JAIL_MATCHES && r->match[n].op != JAIL_ANY) {
			cmp[n] = comparison(&r->match[n]);
			n++;
		}
		rc = seccomp_rule_add_exact_array(f, SCMP_ACT_ALLOW, r->call, n,
						  cmp);
		if (rc)
			return rc;
	}
	return 0;
}

int jail_thread(enum jail_role role)
{
	scmp_filter_ctx f;
	int rc = drop_capabilities();

	if (rc)
		return fail("capabilities", rc);
	settle_libc();
	f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!f)
		return fail("seccomp_init", -ENOMEM);
	rc = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH,
			      SCMP_ACT_KILL_PROCESS);
	if (!rc)
		rc = add_rules(f, &jail_common);
	if (!rc)
		rc = add_rules(f, &jail_table[role]);
	if (!rc)
		rc = seccomp_load(f);
	if (rc)
		rc = fail("seccomp", rc);
	seccomp_release(f);
	return rc;
}
