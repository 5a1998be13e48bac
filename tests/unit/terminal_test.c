/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal_test: a process makes its terminal raw and ends in every way that
 * there is; the terminal is to be as before, each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices/terminal.h"
#include "vmm/jail.h"

/* As vmm/main.c does; or fails. */
static int confine(void *ctx)
{
	const struct jail_options nothing = { 0 };
	int rc = *(int *)ctx;

	if (!rc)
		rc = jail_process(&nothing);
	return rc ? rc : jail_thread(JAIL_MAIN);
}

/* In the child: raw, then told, then gone. */
static void raw_and_gone(int slave, int tell, int how, int confined)
{
	struct terminal t = { 0 };

	if (dup2(slave, STDIN_FILENO) < 0 || terminal_guard(confine, &confined))
		_exit(1);
	if (terminal_raw(&t) || !t.raw || write(tell, "", 1) != 1)
		_exit(2);
	if (!how)
		terminal_restore(&t);
	else if (how != SIGKILL) /* cmocka's handlers are not ours */
		signal(how, SIG_DFL);
	if (how)
		(void)raise(how);
	_exit(0);
}

static bool same(int fd, const struct termios *want)
{
	struct termios t;

	assert_int_equal(tcgetattr(fd, &t), 0);
	return t.c_lflag == want->c_lflag && t.c_iflag == want->c_iflag &&
	       t.c_cc[VINTR] == want->c_cc[VINTR];
}

/* Is the terminal as before a moment after a process ended this way? */
static bool restored(int how, int confined)
{
	int master, slave, told[2], status;
	struct termios before;
	bool ok = false;
	pid_t pid;
	char b;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	assert_int_equal(pipe(told), 0);
	assert_int_equal(tcgetattr(slave, &before), 0);
	pid = fork();
	if (!pid)
		raw_and_gone(slave, told[1], how, confined);
	assert_int_equal(read(told[0], &b, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (how)
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == how);
	for (unsigned i = 0; !ok && i < (confined ? 200 : 5000); i++) {
		ok = same(slave, &before);
		usleep(1000);
	}
	close(master);
	close(slave);
	close(told[0]);
	close(told[1]);
	return ok;
}

static void however_it_ends(void **state)
{
	static const int how[] = { 0, SIGKILL, SIGSYS, SIGSEGV, SIGTERM };

	(void)state;
	/* The test can tell: a guard that is not confined is none. */
	assert_false(restored(SIGKILL, -EPERM));
	for (size_t i = 0; i < ARRAY_LEN(how); i++)
		if (!restored(how[i], 0))
			fail_msg("the terminal stays raw after signal %d",
				 how[i]);
}

/* No terminal: nothing to guard, nothing changed. */
static void no_terminal(void **state)
{
	struct terminal t = { 0 };
	int saved = dup(STDIN_FILENO), fd[2], none = -EPERM;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(dup2(fd[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(terminal_guard(confine, &none), 0);
	assert_int_equal(terminal_raw(&t), 0);
	assert_false(t.raw);
	terminal_restore(&t);
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(however_it_ends),
		cmocka_unit_test(no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
