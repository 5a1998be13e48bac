/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock: the far end of the vsock tests, in the guest's initramfs. It listens
 * on a few ports, a process a connection, and says on which it is ready:
 *
 *   1000  echoes until the end of what it gets, then ends
 *   1001  takes all, then answers "LENGTH CRC\n"
 *   1002  takes a line "LENGTH SEED\n", sends as many bytes
 *   1003  takes a line "PORT CONNECTIONS LENGTH SEED\n", connects to the host
 *         so often at once, sends LENGTH bytes on each, ends that direction,
 *         and expects them back; answers "GOOD BAD\n"
 *   1004  reads nothing for STALL seconds, then all there is, to nowhere
 *   1005  ends at once, without reading
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#define FIRST_PORT 1000
#define PORTS 6
#define BACKLOG 512
#define CHUNK 65536
#define PATIENCE 60 /* seconds */
#define STALL 10 /* seconds */

static uint32_t crc_table[256];

static void crc_init(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
		crc_table[i] = c;
	}
}

/* As zlib has it. */
static uint32_t crc_add(uint32_t crc, const uint8_t *p, size_t n)
{
	crc = ~crc;
	while (n--)
		crc = crc_table[(crc ^ *p++) & 0xff] ^ crc >> 8;
	return ~crc;
}

/* Bytes that depend on their place: what is lost or doubled shows. */
static void pattern(uint8_t *p, size_t n, uint64_t at, uint32_t seed)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t k = at + i;

		p[i] = (uint8_t)(k * 31 + (k >> 8) * 7 + (k >> 16) + seed);
	}
}

static int vsock_at(unsigned cid, unsigned port, int listens)
{
	struct sockaddr_vm a = { .svm_family = AF_VSOCK,
				 .svm_cid = cid,
				 .svm_port = port };
	/* Not the 2 s of Linux: a lab on a busy machine takes its time. */
	const struct timeval patience = { .tv_sec = PATIENCE };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);
	int rc;

	if (fd < 0 || setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT,
				 &patience, sizeof(patience)))
		return -1;
	if (listens)
		rc = bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
		     listen(fd, BACKLOG);
	else
		rc = connect(fd, (struct sockaddr *)&a, sizeof(a));
	if (!rc)
		return fd;
	rc = errno;
	close(fd);
	errno = rc;
	return -1;
}

static int send_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);

		if (k <= 0)
			return -1;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int send_pattern(int fd, uint64_t len, uint32_t seed)
{
	static uint8_t buf[CHUNK];

	for (uint64_t at = 0; at < len; at += CHUNK) {
		size_t n = len - at < CHUNK ? (size_t)(len - at) : CHUNK;

		pattern(buf, n, at, seed);
		if (send_all(fd, buf, n))
			return -1;
	}
	return 0;
}

static int read_line(int fd, char *line, size_t cap)
{
	size_t n = 0;

	while (n + 1 < cap && read(fd, line + n, 1) == 1)
		if (line[n++] == '\n') {
			line[n] = '\0';
			return 0;
		}
	return -1;
}

static void echo(int fd)
{
	static uint8_t buf[CHUNK];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (send_all(fd, buf, (size_t)n))
			return;
}

static void sink(int fd)
{
	static uint8_t buf[CHUNK];
	uint64_t len = 0;
	uint32_t crc = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		crc = crc_add(crc, buf, (size_t)n);
		len += (uint64_t)n;
	}
	dprintf(fd, "%llu %u\n", (unsigned long long)len, crc);
}

static void source(int fd)
{
	unsigned long long len;
	unsigned seed;
	char line[64];

	if (!read_line(fd, line, sizeof(line)) &&
	    sscanf(line, "%llu %u", &len, &seed) == 2)
		send_pattern(fd, len, seed);
}

/* The sender is a process of its own, as the host may echo while we send. */
static int one_storm(unsigned port, uint64_t len, uint32_t seed)
{
	static uint8_t want[CHUNK], got[CHUNK];
	int fd = vsock_at(VMADDR_CID_HOST, port, 0), status;
	uint64_t at = 0;
	ssize_t n;
	pid_t pid;

	if (fd < 0) {
		printf("carrel-guest: vsock: port %u: %s\n", port,
		       strerror(errno));
		return 1;
	}
	pid = fork();
	if (pid == 0) {
		n = send_pattern(fd, len, seed);
		shutdown(fd, SHUT_WR);
		_exit(n != 0);
	}
	while ((n = read(fd, got, sizeof(got))) > 0) {
		pattern(want, (size_t)n, at, seed);
		if (memcmp(want, got, (size_t)n))
			return 2;
		at += (uint64_t)n;
	}
	waitpid(pid, &status, 0);
	return status || n || at != len;
}

static void storm(int fd)
{
	unsigned port, conns, seed, good = 0, bad = 0;
	unsigned long long len;
	char line[64];
	int status;

	if (read_line(fd, line, sizeof(line)) ||
	    sscanf(line, "%u %u %llu %u", &port, &conns, &len, &seed) != 4)
		return;
	for (unsigned i = 0; i < conns; i++)
		if (fork() == 0)
			exit(one_storm(port, len, seed + i));
	while (wait(&status) > 0)
		if (status)
			bad++;
		else
			good++;
	dprintf(fd, "%u %u\n", good, bad);
}

static void stall(int fd)
{
	static char nowhere[65536];

	sleep(STALL);
	while (read(fd, nowhere, sizeof(nowhere)) > 0)
		;
}

static void leave(int fd)
{
	(void)fd;
}

static void serve(unsigned i, int listen_fd)
{
	static void (*const fn[PORTS])(int fd) = { echo,  sink,	 source,
						   storm, stall, leave };

	signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
	for (;;) {
		int fd = accept(listen_fd, NULL, NULL);

		if (fd < 0)
			continue;
		if (fork() == 0) {
			close(listen_fd);
			signal(SIGCHLD, SIG_DFL);
			fn[i](fd);
			_exit(0);
		}
		close(fd);
	}
}

int main(void)
{
	crc_init();
	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < PORTS; i++) {
		int fd = vsock_at(VMADDR_CID_ANY, FIRST_PORT + i, 1);

		if (fd < 0) {
			printf("carrel-guest: vsock: %s\n", strerror(errno));
			return 1;
		}
		if (fork() == 0)
			serve(i, fd);
		close(fd);
	}
	printf("carrel-guest: vsock: ready\n");
	return 0;
}
