/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal: see the header. The guard sleeps in read(2) on a pipe whose other
 * end only carrel has, so it wakes when carrel is gone, however it went.
 */
#include "devices/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#define INTERRUPT_KEY 0x1d /* Ctrl-] */
#define NO_KEY 0 /* _POSIX_VDISABLE */
#define GUARD_FD (STDERR_FILENO + 1)

/*
 * A guest wants every key, Ctrl-C included, so nothing is a signal but one
 * key that guests do not need. Output stays as it is: our own log lines share
 * the terminal.
 */
static void make_raw(struct termios *t)
{
	t->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR |
				  IGNCR | ICRNL | IXON);
	t->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
	t->c_lflag |= ISIG;
	t->c_cc[VINTR] = INTERRUPT_KEY;
	t->c_cc[VQUIT] = NO_KEY;
	t->c_cc[VSUSP] = NO_KEY;
	t->c_cc[VMIN] = 1;
	t->c_cc[VTIME] = 0;
}

/* A shell that was quicker than the guard has settled it its own way. */
static bool looks_raw(const struct termios *t)
{
	return !(t->c_lflag & ICANON) && t->c_cc[VINTR] == INTERRUPT_KEY;
}

/*
 * Signals that the terminal sends to all of us must not end the guard first,
 * and with SIGTTOU blocked it may act though the shell has the foreground.
 */
static void guard_main(int pipe_fd, const struct termios *before,
		       int (*confine)(void *ctx), void *ctx)
{
	struct termios t;
	sigset_t all;
	char b;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "carrel-terminal");
	if (pipe_fd != GUARD_FD && dup3(pipe_fd, GUARD_FD, O_CLOEXEC) < 0)
		_exit(1);
	if (close_range(GUARD_FD + 1, ~0u, 0) || confine(ctx))
		_exit(1);
	while (read(GUARD_FD, &b, 1) < 0 && errno == EINTR)
		;
	if (!tcgetattr(STDIN_FILENO, &t) && looks_raw(&t))
		(void)tcsetattr(STDIN_FILENO, TCSANOW, before);
	_exit(0);
}

int terminal_guard(int (*confine)(void *ctx), void *ctx)
{
	struct termios before;
	int fd[2];
	pid_t pid;

	if (!isatty(STDIN_FILENO))
		return 0;
	if (tcgetattr(STDIN_FILENO, &before) || pipe2(fd, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0)
		guard_main(fd[0], &before, confine, ctx);
	close(fd[0]);
	if (pid > 0)
		return 0; /* fd[1] stays open as long as we live */
	close(fd[1]);
	return -EAGAIN;
}

int terminal_raw(struct terminal *t)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO))
		return 0;
	if (tcgetattr(STDIN_FILENO, &t->before))
		return -errno;
	raw = t->before;
	make_raw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw))
		return -errno;
	t->raw = true;
	return 0;
}

void terminal_again(const struct terminal *t)
{
	struct termios raw = t->before;

	make_raw(&raw);
	if (t->raw)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void terminal_restore(struct terminal *t)
{
	if (t->raw)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
	t->raw = false;
}
