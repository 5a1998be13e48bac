/* SPDX-License-Identifier: Apache-2.0 */
/*
 * balloon: a traditional virtio memory balloon (virtio 1.2, 5.5). The driver
 * takes memory out of use, up to a target, and names its pages; we give them
 * back to the host. It also reports pages that are free at the moment, and how
 * much memory it has left. Everything it names is hostile: pages outside RAM
 * break the device, and a request is bounded.
 *
 * Not for SEV guests: see gmem_discard.
 */
#ifndef CARREL_DEVICES_BALLOON_H
#define CARREL_DEVICES_BALLOON_H

#include "devices/virtio_pci.h"
#include "vmm/counter.h"
#include "vmm/event.h"

/* Feature bits (5.5.3). */
#define BALLOON_F_STATS_VQ (1ull << 1)
#define BALLOON_F_DEFLATE_ON_OOM (1ull << 2)
#define BALLOON_F_PAGE_POISON (1ull << 4)
#define BALLOON_F_REPORTING (1ull << 5)

/* Configuration (5.5.4): the driver writes the last and actual. */
#define BALLOON_NUM_PAGES 0
#define BALLOON_ACTUAL 4
#define BALLOON_POISON 12
#define BALLOON_CONFIG_BYTES 16

#define BALLOON_PAGE 4096ull /* whatever pages the guest has */
#define BALLOON_QUEUES 5
#define BALLOON_PFNS_MAX 16384u /* of a request; drivers use up to 1024 */

struct balloon {
	struct vdev vdev; /* first: handlers cast back */
	struct virtio_pci pci;
	struct event *event;
	uint64_t ram_bytes;
	/* Main thread: news of a new size, one a second at most. */
	void (*changed)(void *ctx, uint64_t actual_bytes);
	void *changed_ctx;
	int changed_fd, timer_fd;
	bool told, untold; /* this second */
	_Atomic(uint32_t) poison; /* what the driver expects in free pages */
	/* The worker's. */
	bool small_pages;
	bool stats_held; /* the buffer that we fill no sooner than wanted */
	uint16_t stats_head;
	struct counter inflated_bytes, reported_bytes;
	/* The driver's last words, by the worker; when: clock_ns, 0: none. */
	_Atomic(bool) stats_wanted;
	_Atomic(uint32_t) stats;
	_Atomic(uint64_t) stats_ns, stat[BALLOON_STATS];
};

/* 0, or -errno after one log line. *b must stay where it is. */
int balloon_attach(struct balloon *b, struct pci_bus *pci, uint8_t devfn,
		   const struct gmem *mem, struct irq *irq, struct event *event,
		   const struct worker_hooks *hooks) MUST_USE;
void balloon_close(struct balloon *b);

void balloon_pause(struct balloon *b);
void balloon_resume(struct balloon *b);

/* Main thread: how much memory the guest shall have; more than it has: all. */
void balloon_set(struct balloon *b, uint64_t bytes);

/* Main thread. Asks the driver for new statistics, too, for the next time. */
void balloon_count(struct balloon *b, struct balloon_counts *out);

#endif
