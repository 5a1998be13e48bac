/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_rules: the system calls of each kind of thread, one a line, with the
 * reason. A line that no code needs any more is taken out.
 */
#include "vmm/jail.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/psp-sev.h>
#include <linux/vhost.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* A line a call, as far as it fits. */
/* clang-format off */
#define EQUAL(n, v) { JAIL_EQUAL, n, v }
#define CLEAR(n, v) { JAIL_CLEAR, n, v }
#define SET(n, v) { JAIL_SET, n, v }
#define SELF(n) { JAIL_SELF, n, 0 }

/* libc's own needs: locks, memory, the clock, an orderly or a hasty end. */
static const struct jail_rule common[] = {
	{ SYS_futex, {}, "locks, condition variables, joining threads" },
	{ SYS_mmap, { CLEAR(2, PROT_EXEC), SET(3, MAP_ANONYMOUS) },
	  "malloc: large blocks and arenas" },
	{ SYS_munmap, {}, "free: large blocks" },
	{ SYS_mprotect, { CLEAR(2, PROT_EXEC) }, "malloc: an arena grows" },
	{ SYS_mremap, {}, "realloc of a large block" },
	{ SYS_madvise, { EQUAL(2, MADV_DONTNEED) },
	  "a thread's stack at its end" },
	{ SYS_brk, {}, "malloc: the main arena" },
	{ SYS_read, {}, "eventfds; what is typed and sent to the guest" },
	{ SYS_write, {}, "eventfds; log lines; what the guest prints" },
	{ SYS_clock_gettime, {}, "clocks, where the vDSO cannot" },
	{ SYS_rt_sigprocmask, {}, "pthread_kill, abort, end of a thread" },
	{ SYS_rt_sigreturn, {}, "end of a signal handler" },
	{ SYS_getpid, {}, "pthread_kill, abort" },
	{ SYS_gettid, {}, "abort" },
	{ SYS_tgkill, { SELF(0), EQUAL(2, SIGABRT) }, "CHECK failed: abort" },
	{ SYS_exit, {}, "end of a thread" },
	{ SYS_exit_group, {}, "end of the process" },
};

/* The event loop, the control socket, the launch, reset, and the end. */
static const struct jail_rule main_rules[] = {
	{ SYS_epoll_wait, {}, "event loop" },
	{ SYS_epoll_ctl, {}, "event loop: sources come and go" },
	{ SYS_timerfd_settime, {}, "timers: clock chip, serial, sockets" },
	{ SYS_accept4, {}, "clients of control and serial sockets" },
	{ SYS_recvfrom, {}, "control socket: requests" },
	{ SYS_sendto, { EQUAL(4, 0) }, "control socket: replies and events" },
	{ SYS_shutdown, {}, "cut a client off, a passt that is lost" },
	{ SYS_recvmsg, {}, "network: the dialer's socket to a new passt" },
	{ SYS_dup, {}, "serial socket: one descriptor a direction" },
	{ SYS_close, {}, "clients that leave; everything at the end" },
	{ SYS_tgkill, { SELF(0), EQUAL(2, SIGUSR1) }, "kick a vCPU" },
	{ SYS_ioctl, { EQUAL(1, KVM_MEMORY_ENCRYPT_OP) },
	  "SEV: secret, finish, status, attestation" },
	{ SYS_ioctl, { EQUAL(1, SEV_ISSUE_CMD) },
	  "query-sev-capabilities: certificates and identity" },
	{ SYS_ioctl, { EQUAL(1, KVM_IRQ_LINE) }, "interrupt lines" },
	{ SYS_ioctl, { EQUAL(1, KVM_NMI) }, "watchdog: inject-nmi" },
	{ SYS_ioctl, { EQUAL(1, KVM_KVMCLOCK_CTRL) }, "cont: clocks stood" },
	{ SYS_ioctl, { EQUAL(1, KVM_IRQFD) }, "reset: MSI detached" },
	{ SYS_ioctl, { EQUAL(1, KVM_IOEVENTFD) }, "reset: doorbells detached" },
	{ SYS_ioctl, { EQUAL(1, KVM_SET_IRQCHIP) }, "reset: PIC, I/O APIC" },
	{ SYS_ioctl, { EQUAL(1, KVM_SET_PIT2) }, "reset: PIT" },
	{ SYS_ioctl, { EQUAL(1, KVM_SET_MP_STATE) }, "reset: vCPU" },
	{ SYS_ioctl, { EQUAL(1, KVM_SET_SREGS) }, "reset: vCPU" },
	{ SYS_ioctl, { EQUAL(1, KVM_SET_REGS) }, "reset: vCPU" },
	{ SYS_ioctl, { EQUAL(1, KVM_SET_XSAVE) }, "reset: vCPU" },
	{ SYS_ioctl, { EQUAL(1, KVM_SET_XCRS) }, "reset: vCPU" },
	{ SYS_ioctl, { EQUAL(1, KVM_SET_DEBUGREGS) }, "reset: vCPU" },
	{ SYS_ioctl, { EQUAL(1, KVM_SET_LAPIC) }, "reset: vCPU" },
	{ SYS_ioctl, { EQUAL(1, KVM_SET_VCPU_EVENTS) }, "reset: vCPU" },
	{ SYS_ioctl, { EQUAL(1, KVM_SET_MSRS) }, "reset: vCPU" },
	{ SYS_ioctl, { EQUAL(1, TIOCGWINSZ) }, "console: the window's size" },
	{ SYS_fstat, {}, "x-carrel-counters: guest memory (newer libcs)" },
	{ SYS_poll, {}, "the end: a slow reader of the guest's last words" },
	{ SYS_ioctl, { EQUAL(1, TCGETS) }, "the end: tcsetattr, first half" },
	{ SYS_ioctl, { EQUAL(1, TCSETS) }, "the end: the terminal as it was" },
	{ SYS_fcntl, { EQUAL(1, F_GETFL) }, "the end: standard output" },
	{ SYS_fcntl, { EQUAL(1, F_SETFL) }, "the end: blocking as before" },
	/* Names are no arguments that seccomp could match: see jail.c. */
	{ SYS_newfstatat, {}, "the end: names of ours; fstat of older libcs" },
	{ SYS_unlink, {}, "the end: names of our sockets" },
	{ SYS_renameat2, { EQUAL(4, RENAME_EXCHANGE) },
	  "files that the guest fills: the old one and the new" },
	{ SYS_ftruncate, {}, "likewise: the new one is empty; block_resize" },
	{ SYS_lseek, { EQUAL(2, SEEK_END) },
	  "block_resize: how large a disk's file is by now" },
};

/* The guest's registers are hostile: run it, and reach its interrupts. */
static const struct jail_rule vcpu_rules[] = {
	{ SYS_ioctl, { EQUAL(1, KVM_RUN) }, "enter the guest" },
	{ SYS_ioctl, { EQUAL(1, KVM_IRQ_LINE) }, "interrupt lines" },
	{ SYS_ioctl, { EQUAL(1, KVM_SET_GSI_ROUTING) }, "MSI-X: a message" },
	{ SYS_ioctl, { EQUAL(1, KVM_IRQFD) }, "MSI-X: a vector" },
	{ SYS_ioctl, { EQUAL(1, KVM_IOEVENTFD) },
	  "virtio: a BAR with doorbells moves" },
	{ SYS_poll, {}, "doorbells; MSI-X: does an eventfd have something" },
};

/*
 * A virtio queue: descriptors are hostile, its backend is what it reaches. No
 * sendto or sendmsg: those can name a peer, for a datagram socket even when it
 * is connected, and the second takes descriptors along.
 */
static const struct jail_rule worker_rules[] = {
	{ SYS_preadv2, {}, "disk: read" },
	{ SYS_pwritev2, {}, "disk: write" },
	{ SYS_fdatasync, {}, "disk: flush" },
	{ SYS_fallocate, {}, "disk: discard, write zeroes; balloon" },
	{ SYS_getrandom, {}, "entropy device" },
	{ SYS_madvise, { EQUAL(2, MADV_NOHUGEPAGE) },
	  "balloon: its memory becomes one of small pages" },
	{ SYS_ppoll, {}, "sleep until a frame comes or a limit ends" },
	{ SYS_readv, {}, "network, tap: a frame" },
	{ SYS_writev, {}, "network: a frame" },
	{ SYS_ioctl, { EQUAL(1, TUNSETOFFLOAD) },
	  "network, tap: what the driver can take" },
	{ SYS_ioctl, { EQUAL(1, TUNSETQUEUE) },
	  "network, tap: how many queues it uses" },
};

/*
 * Packets of the guest's and bytes of the host's clients are hostile: it moves
 * them between sockets that are connected. It cannot make one or name a peer.
 */
static const struct jail_rule vsock_rules[] = {
	{ SYS_epoll_wait, {}, "doorbell, clients, connections" },
	{ SYS_epoll_ctl, {}, "connections come; the listener rests" },
	{ SYS_accept4, {}, "clients of the Unix socket" },
	{ SYS_recvfrom, { EQUAL(3, MSG_PEEK) }, "a client's first line" },
	{ SYS_recvmsg, {}, "sockets that the dialer has connected" },
	{ SYS_readv, {}, "host to guest, into its memory" },
	{ SYS_writev, {}, "guest to host, from its memory" },
	{ SYS_shutdown, {}, "half a connection ends" },
	{ SYS_close, {}, "a connection ends" },
};

/*
 * The peer of a vhost-user device is hostile, and no byte of the guest's comes
 * here: it talks to that peer over a socket that is connected. It has to pass
 * descriptors, as other workers may not.
 */
static const struct jail_rule vhost_rules[] = {
	{ SYS_poll, {}, "held or not, the peer, the dialer" },
	{ SYS_sendmsg, {}, "to the peer, with memory and eventfds" },
	{ SYS_recvmsg, {}, "from the peer; a socket from the dialer" },
	{ SYS_recvfrom, { SET(3, MSG_DONTWAIT) }, "what a dead peer left" },
	{ SYS_close, {}, "a connection that is lost" },
};

/*
 * The host's kernel serves the guest's queues (vhost): this one starts and
 * stops them, and moves no frame of the guest's. Memory and eventfds were given
 * to the kernel before; no rule lets them be changed.
 */
static const struct jail_rule kernel_rules[] = {
	{ SYS_poll, {}, "held or not, control requests, errors, the tap" },
	{ SYS_ioctl, { EQUAL(1, VHOST_SET_FEATURES) }, "a driver begins" },
	{ SYS_ioctl, { EQUAL(1, VHOST_SET_VRING_NUM) }, "a ring: its size" },
	{ SYS_ioctl, { EQUAL(1, VHOST_SET_VRING_BASE) }, "where it goes on" },
	{ SYS_ioctl, { EQUAL(1, VHOST_SET_VRING_ADDR) }, "where it is" },
	{ SYS_ioctl, { EQUAL(1, VHOST_GET_VRING_BASE) }, "how far it went" },
	{ SYS_ioctl, { EQUAL(1, VHOST_NET_SET_BACKEND) },
	  "network: a ring starts, or stops" },
	{ SYS_ioctl, { EQUAL(1, VHOST_VSOCK_SET_RUNNING) },
	  "vsock: both rings start, or stop" },
	{ SYS_ioctl, { EQUAL(1, TUNSETOFFLOAD) },
	  "network: what the driver can take" },
	{ SYS_ioctl, { EQUAL(1, TUNSETQUEUE) },
	  "network: how many queues it uses" },
	{ SYS_readv, {}, "network: frames from before it were, forgotten" },
};

/* It knows one path and is sent numbers; what connects it passes on. */
static const struct jail_rule dialer_rules[] = {
	{ SYS_socket, { EQUAL(0, AF_UNIX) }, "a connection is wanted" },
	{ SYS_connect, {}, "likewise" },
	{ SYS_sendmsg, {}, "the answer, with the socket" },
	{ SYS_close, {}, "our copy of it" },
};

#define TABLE(rules) { rules, ARRAY_LEN(rules) }
/* clang-format on */

const struct jail_table jail_common = TABLE(common);

const struct jail_table jail_table[JAIL_ROLES] = {
	[JAIL_MAIN] = TABLE(main_rules),
	[JAIL_VCPU] = TABLE(vcpu_rules),
	[JAIL_WORKER] = TABLE(worker_rules),
	[JAIL_VSOCK] = TABLE(vsock_rules),
	[JAIL_VHOST] = TABLE(vhost_rules),
	[JAIL_KERNEL] = TABLE(kernel_rules),
	[JAIL_DIALER] = TABLE(dialer_rules),
};
