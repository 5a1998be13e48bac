/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_test: each line of the tables lets its call through, its arguments are
 * matched, and what no line names ends the process. Every case is a process.
 */
#include "vmm/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/landlock.h>
#include <linux/vhost.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/capture.h"
#include "vmm/log.h"

#define X32 0x40000000L
#define ARGS 6

struct call {
	long nr;
	uint64_t arg[ARGS];
};

static volatile sig_atomic_t handled;

static void handler(int sig)
{
	(void)sig;
	handled = 1;
}

/* In the child: the only raw call that cannot be made as it is. */
static void return_from_a_signal(void)
{
	while (!handled)
		;
}

/* How a process of this role ends that makes the call, then ends well. */
static int status_of(enum jail_role role, const struct call *c)
{
	const struct itimerval soon = { .it_value.tv_usec = 1000 };
	struct capture quiet = capture_begin();
	char text[512];
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		const uint64_t *a = c->arg;

		signal(SIGALRM, handler);
		signal(SIGABRT, SIG_DFL);
		if (c->nr == SYS_rt_sigreturn)
			setitimer(ITIMER_REAL, &soon, NULL);
		if (jail_thread(role))
			_exit(3);
		if (c->nr == SYS_rt_sigreturn)
			return_from_a_signal();
		else
			syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		syscall(SYS_exit_group, 0);
	}
	waitpid(pid, &status, 0);
	capture_end(&quiet, text, sizeof(text));
	return status;
}

static bool died(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

/* Arguments that the kernel refuses at once, but for those that match. */
static struct call harmless(const struct jail_rule *r)
{
	struct call c = { .nr = r->call };

	for (unsigned i = 0; i < ARGS; i++)
		c.arg[i] = ~0ull;
	if (r->call == SYS_exit || r->call == SYS_exit_group)
		c.arg[0] = 0;
	for (unsigned i = 0; i < JAIL_MATCHES; i++) {
		const struct jail_match *m = &r->match[i];

		if (m->op == JAIL_CLEAR)
			c.arg[m->arg] = 0;
		else if (m->op == JAIL_SELF)
			c.arg[m->arg] = 0; /* filled in by the caller */
		else if (m->op != JAIL_ANY)
			c.arg[m->arg] = m->value;
	}
	return c;
}

static void role_lets_through(enum jail_role role, const struct jail_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct jail_rule *r = &t->rule[i];
		struct call c = harmless(r);
		int status;

		/* The child's id is not known here: signals_to_ourselves. */
		if (r->match[0].op == JAIL_SELF)
			continue;
		status = status_of(role, &c);
		if (status)
			fail_msg("role %u, call %d (%s): %x", role, r->call,
				 r->why, status);
	}
}

static void each_line_lets_through(void **state)
{
	(void)state;
	for (enum jail_role role = 0; role < JAIL_ROLES; role++) {
		role_lets_through(role, &jail_common);
		role_lets_through(role, &jail_table[role]);
	}
}

static bool listed(const struct jail_table *t, long nr)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rule[i].call == nr)
			return true;
	return false;
}

static bool allowed(enum jail_role role, long nr)
{
	return listed(&jail_common, nr) || listed(&jail_table[role], nr);
}

/* Does some other role have it? */
static bool tempting(long nr)
{
	for (enum jail_role role = 0; role < JAIL_ROLES; role++)
		if (allowed(role, nr))
			return true;
	return false;
}

/* Linux lets these two past every filter: only its own trampolines use them. */
#define SYS_URETPROBE 335
#define SYS_UPROBE 336
#define SYS_END 470

/*
 * What one role has and another has not, every role; any other number, one
 * role; and instead of a number that is listed its x32 twin.
 */
static void nothing_else_is_allowed(void **state)
{
	(void)state;
	for (enum jail_role role = 0; role < JAIL_ROLES; role++) {
		for (long nr = 0; nr < SYS_END; nr++) {
			struct call c = { nr, { 0 } };

			if (nr == SYS_URETPROBE || nr == SYS_UPROBE ||
			    (!tempting(nr) && nr % JAIL_ROLES != role))
				continue;
			memset(c.arg, 0xff, sizeof(c.arg));
			if (allowed(role, nr))
				c.nr |= X32;
			if (!died(status_of(role, &c)))
				fail_msg("role %u lives after call %ld", role,
					 c.nr);
		}
	}
}

#define TIOCSTI_ 0x5412
#define EVERY ((1u << JAIL_ROLES) - 1)

/* Listed calls with arguments that are not. */
static void arguments_are_matched(void **state)
{
	static const struct {
		struct call c;
		unsigned may; /* a bit a role that survives it */
	} t[] = {
		{ { SYS_mmap,
		    { 0, 4096, PROT_READ | PROT_EXEC,
		      MAP_PRIVATE | MAP_ANONYMOUS, ~0ull, 0 } },
		  0 },
		{ { SYS_mmap, { 0, 4096, PROT_READ, MAP_SHARED, 0, 0 } }, 0 },
		{ { SYS_mmap,
		    { 0, 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, ~0ull, 0 } },
		  EVERY },
		{ { SYS_mprotect, { 0, 0, PROT_READ | PROT_EXEC } }, 0 },
		{ { SYS_mprotect, { 0, 0, PROT_READ } }, EVERY },
		{ { SYS_madvise, { 0, 0, MADV_WIPEONFORK } }, 0 },
		{ { SYS_madvise, { 0, 0, MADV_NOHUGEPAGE } },
		  1 << JAIL_WORKER },
		{ { SYS_ioctl, { 0, KVM_NMI } }, 1 << JAIL_MAIN },
		{ { SYS_ioctl, { 0, TIOCSTI_, 0 } }, 0 },
		{ { SYS_ioctl, { 0, KVM_CREATE_VM } }, 0 },
		{ { SYS_ioctl, { 0, KVM_CREATE_VCPU } }, 0 },
		{ { SYS_ioctl, { 0, KVM_SET_USER_MEMORY_REGION } }, 0 },
		{ { SYS_ioctl, { 0, KVM_RUN | 1ull << 32 } }, 0 },
		{ { SYS_ioctl, { 0, KVM_RUN } }, 1 << JAIL_VCPU },
		{ { SYS_ioctl, { 0, KVM_SET_SREGS } }, 1 << JAIL_MAIN },
		{ { SYS_ioctl, { 0, KVM_MEMORY_ENCRYPT_OP } }, 1 << JAIL_MAIN },
		{ { SYS_ioctl, { 0, KVM_IRQ_LINE } },
		  1 << JAIL_MAIN | 1 << JAIL_VCPU },
		{ { SYS_ioctl, { 0, VHOST_SET_MEM_TABLE } }, 0 },
		{ { SYS_ioctl, { 0, VHOST_SET_VRING_KICK } }, 0 },
		{ { SYS_ioctl, { 0, VHOST_SET_VRING_CALL } }, 0 },
		{ { SYS_ioctl, { 0, VHOST_SET_VRING_ADDR } },
		  1 << JAIL_KERNEL },
		{ { SYS_tgkill, { 1, 1, SIGABRT } }, 0 },
		{ { SYS_tgkill, { 1, 1, SIGUSR1 } }, 0 },
		{ { SYS_kill, { 0, 0 } }, 0 },
		{ { SYS_fcntl, { 0, F_SETOWN, 1 } }, 0 },
		{ { SYS_fcntl, { 0, F_GETFL } }, 1 << JAIL_MAIN },
		{ { SYS_clone, { SIGCHLD, 0, 0, 0, 0 } }, 0 },
		{ { SYS_socket, { AF_INET, SOCK_STREAM, 0 } }, 0 },
		{ { SYS_socket, { AF_UNIX, SOCK_STREAM, 0 } },
		  1 << JAIL_DIALER },
		{ { SYS_connect, { ~0ull } }, 1 << JAIL_DIALER },
		{ { SYS_recvfrom, { ~0ull, 0, 0, MSG_PEEK } },
		  1 << JAIL_MAIN | 1 << JAIL_VSOCK },
		{ { SYS_recvfrom, { ~0ull } }, 1 << JAIL_MAIN },
		{ { SYS_sendto, { ~0ull } }, 1 << JAIL_MAIN },
		{ { SYS_sendto, { ~0ull, 0, 0, 0, ~0ull, 16 } }, 0 },
		{ { SYS_sendmsg, { ~0ull } },
		  1 << JAIL_VHOST | 1 << JAIL_DIALER },
		{ { SYS_preadv2, { ~0ull } }, 1 << JAIL_WORKER },
		{ { SYS_accept4, { ~0ull } },
		  1 << JAIL_MAIN | 1 << JAIL_VSOCK },
		{ { SYS_unlink, { 0 } }, 1 << JAIL_MAIN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		for (enum jail_role role = 0; role < JAIL_ROLES; role++) {
			int status = status_of(role, &t[i].c);

			if (t[i].may >> role & 1 ? status != 0 : !died(status))
				fail_msg("case %zu, role %u: %x", i, role,
					 status);
		}
	}
}

static bool status_line(const char *expected)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");
	bool found = false;

	while (f && fgets(line, sizeof(line), f))
		found = found || !strcmp(line, expected);
	if (f)
		fclose(f);
	return found;
}

static const struct jail_options no_names;

static void child_process_jail(void)
{
	int ours = open("/dev/null", O_RDWR | O_CLOEXEC);
	int stray = dup(ours);
	struct rlimit l;

	CHECK(stray > STDERR_FILENO);
	if (jail_process(&no_names))
		_exit(1);
	CHECK(fcntl(ours, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(stray, F_GETFD) == -1);
	CHECK(fcntl(STDERR_FILENO, F_GETFD) >= 0);
	CHECK(getrlimit(RLIMIT_CORE, &l) == 0 && l.rlim_max == 0);
	CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(status_line("CapEff:\t0000000000000000\n"));
	CHECK(status_line("CapPrm:\t0000000000000000\n"));
	CHECK(status_line("CapInh:\t0000000000000000\n"));
	CHECK(status_line("CapAmb:\t0000000000000000\n"));
	/* Without CAP_SETPCAP it stays, and bounds nothing. */
	CHECK(geteuid() || status_line("CapBnd:\t0000000000000000\n"));
	_exit(0);
}

static int status_of_child(void (*fn)(void))
{
	struct capture text = capture_begin();
	char line[256];
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		fn();
	}
	waitpid(pid, &status, 0);
	capture_end(&text, line, sizeof(line));
	return status;
}

static void process_jail(void **state)
{
	(void)state;
	assert_int_equal(status_of_child(child_process_jail), 0);
}

static void put_file(const char *dir, char *path, size_t cap)
{
	int fd;

	CHECK(mkdir(dir, 0700) == 0 || errno == EEXIST);
	snprintf(path, cap, "%s/socket", dir);
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	close(fd);
}

static void child_removes(void)
{
	char ours[64], others[64];
	const struct jail_options o = { .removable = { ours } };

	put_file("ours", ours, sizeof(ours));
	put_file("others", others, sizeof(others));
	if (jail_process(&o))
		_exit(1);
	CHECK(unlink(others) == -1 && errno == EACCES);
	CHECK(unlink(ours) == 0);
	_exit(0);
}

/* Linux before 5.13, or a kernel that has it switched off. */
static bool no_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
		       LANDLOCK_CREATE_RULESET_VERSION) < 0;
}

static void only_our_names_are_removed(void **state)
{
	char dir[] = "/tmp/jail_test.XXXXXX";
	int back = open(".", O_PATH | O_CLOEXEC), status;

	(void)state;
	if (no_landlock()) {
		print_message("skipped: this kernel has no Landlock\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	status = status_of_child(child_removes);
	assert_int_equal(unlink("others/socket"), 0);
	assert_int_equal(rmdir("others"), 0);
	assert_int_equal(rmdir("ours"), 0);
	assert_int_equal(fchdir(back), 0);
	assert_int_equal(rmdir(dir), 0);
	close(back);
	assert_int_equal(status, 0);
}

/* Sanitizers make calls of their own, which no table has. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

/* pthread_kill of itself, as a role that may not and as one that may. */
static int status_of_kick(enum jail_role role, int sig)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGUSR1, handler);
		signal(SIGABRT, SIG_DFL);
		if (jail_thread(role))
			_exit(3);
		if (sig == SIGABRT)
			abort();
		pthread_kill(pthread_self(), sig);
		syscall(SYS_exit_group, handled ? 0 : 4);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void signals_to_ourselves(void **state)
{
	(void)state;
	for (enum jail_role role = 0; role < JAIL_ROLES; role++) {
		int status = status_of_kick(role, SIGABRT);

		/* A failed CHECK ends as one, not as a trespass. */
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
		status = status_of_kick(role, SIGUSR1);
		assert_true(role == JAIL_MAIN ? status == 0 : died(status));
		assert_true(died(status_of_kick(role, SIGTERM)));
	}
}

/* What code of any role asks of libc, enough of it to reach the kernel. */
static void use_libc(void)
{
	time_t now = time(NULL);
	struct timespec ts;
	struct tm tm;
	char *p = NULL;

	for (size_t n = 16; n < 64 * MIB; n *= 3) {
		char *q = realloc(p, n);

		CHECK(q != NULL);
		p = q;
		memset(p, 1, n);
	}
	free(p);
	CHECK(gmtime_r(&now, &tm) != NULL);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
	CHECK(strerror(EIO) != NULL);
	log_info("%s", tm.tm_year > 100 ? "a line" : "a clock that is wrong");
}

static void *thread_main(void *arg)
{
	enum jail_role role = *(enum jail_role *)arg;

	if (jail_thread(role))
		_exit(1);
	use_libc();
	return NULL;
}

static void child_threads(void)
{
	enum jail_role role[] = { JAIL_WORKER, JAIL_VCPU };
	pthread_t t[ARRAY_LEN(role)];

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		int rc = i == 1 ? jail_process(&no_names) : 0;

		CHECK(rc == 0);
		rc = pthread_create(&t[i], NULL, thread_main, &role[i]);
		CHECK(rc == 0);
	}
	if (jail_thread(JAIL_MAIN))
		_exit(1);
	use_libc();
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		pthread_join(t[i], NULL);
	syscall(SYS_exit_group, 0);
}

static void threads_with_libc(void **state)
{
	(void)state;
	assert_int_equal(status_of_child(child_threads), 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_else_is_allowed),
		cmocka_unit_test(arguments_are_matched),
		cmocka_unit_test(process_jail),
		cmocka_unit_test(only_our_names_are_removed),
		cmocka_unit_test(each_line_lets_through),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		cmocka_unit_test(signals_to_ourselves),
		cmocka_unit_test(threads_with_libc),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
