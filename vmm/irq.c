/* SPDX-License-Identifier: Apache-2.0 */
/*
 * irq: see the header. KVM replaces its whole routing table at once, so a
 * change rebuilds it from what is kept here: the fixed lines (PIC 0 to 15, I/O
 * APIC 0 to 23, the ISA timer on pin 2) and every routed message.
 */
#include "vmm/irq.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PIC_PINS 16
#define ROUTES_MAX (PIC_PINS + IRQ_LINES + IRQ_MSI_MAX)
#define GSI_OF(id) (IRQ_LINES + (id))

static void add_pin(struct kvm_irq_routing *t, uint32_t gsi, uint32_t chip,
		    uint32_t pin)
{
	struct kvm_irq_routing_entry *e = &t->entries[t->nr++];

	e->gsi = gsi;
	e->type = KVM_IRQ_ROUTING_IRQCHIP;
	e->u.irqchip.irqchip = chip;
	e->u.irqchip.pin = pin;
}

static void add_lines(struct kvm_irq_routing *t)
{
	for (uint32_t i = 0; i < PIC_PINS; i++)
		if (i != 2) /* the cascade */
			add_pin(t, i,
				i < 8 ? KVM_IRQCHIP_PIC_MASTER
				      : KVM_IRQCHIP_PIC_SLAVE,
				i % 8);
	for (uint32_t i = 0; i < IRQ_LINES; i++)
		if (i != 2) /* GSI 0, the timer, is wired to pin 2 */
			add_pin(t, i, KVM_IRQCHIP_IOAPIC, i == 0 ? 2 : i);
}

static void add_msi(struct kvm_irq_routing *t, uint32_t gsi,
		    const struct irq_msi *m)
{
	struct kvm_irq_routing_entry *e = &t->entries[t->nr++];

	e->gsi = gsi;
	e->type = KVM_IRQ_ROUTING_MSI;
	e->u.msi.address_lo = (uint32_t)m->addr;
	e->u.msi.address_hi = (uint32_t)(m->addr >> 32);
	e->u.msi.data = m->data;
}

/* With the lock held. */
static int set_routes(struct irq *q)
{
	struct kvm_irq_routing *t;
	int rc = 0;

	if (q->vm_fd < 0)
		return 0;
	t = calloc(1, sizeof(*t) + ROUTES_MAX * sizeof(*t->entries));
	if (!t)
		return -ENOMEM;
	add_lines(t);
	for (uint32_t i = 0; i < IRQ_MSI_MAX; i++)
		if (q->msi[i].routed)
			add_msi(t, GSI_OF(i), &q->msi[i]);
	if (ioctl(q->vm_fd, KVM_SET_GSI_ROUTING, t))
		rc = -errno;
	free(t);
	return rc;
}

static int set_irqfd_of(const struct irq *q, unsigned id, int fd, bool on)
{
	struct kvm_irqfd f = { .fd = (uint32_t)fd,
			       .gsi = GSI_OF(id),
			       .flags = on ? 0 : KVM_IRQFD_FLAG_DEASSIGN };

	if (q->vm_fd < 0)
		return 0;
	return ioctl(q->vm_fd, KVM_IRQFD, &f) ? -errno : 0;
}

static int set_irqfd(const struct irq *q, unsigned id, bool on)
{
	return set_irqfd_of(q, id, q->msi[id].fd, on);
}

int irq_open(struct irq *q, int vm_fd)
{
	*q = (struct irq){ .vm_fd = vm_fd };
	for (size_t i = 0; i < IRQ_MSI_MAX; i++)
		q->msi[i].fd = -1;
	if (pthread_mutex_init(&q->lock, NULL))
		return -ENOMEM;
	return set_routes(q);
}

void irq_close(struct irq *q)
{
	for (unsigned i = 0; i < IRQ_MSI_MAX; i++)
		if (q->msi[i].fd >= 0)
			irq_msi_free(q, i);
	pthread_mutex_destroy(&q->lock);
}

void irq_line(struct irq *q, unsigned line, bool level)
{
	struct kvm_irq_level l = { .irq = line, .level = level };
	uint32_t bit, was;

	CHECK(line < IRQ_LINES);
	bit = 1u << line;
	pthread_mutex_lock(&q->lock);
	was = q->level;
	q->level = level ? was | bit : was & ~bit;
	/*
	 * Devices call this after every access, so most calls change nothing.
	 * Fails only for a line that KVM does not have: not ours to cure.
	 */
	if (q->vm_fd >= 0 && q->level != was)
		(void)ioctl(q->vm_fd, KVM_IRQ_LINE, &l);
	pthread_mutex_unlock(&q->lock);
}

int irq_msi_new(struct irq *q, unsigned *id)
{
	int rc = -ENOSPC;

	pthread_mutex_lock(&q->lock);
	for (unsigned i = 0; i < IRQ_MSI_MAX; i++) {
		if (q->msi[i].fd >= 0)
			continue;
		q->msi[i] = (struct irq_msi){
			.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)
		};
		rc = q->msi[i].fd < 0 ? -errno : 0;
		*id = i;
		break;
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}

/* With the lock held. */
static int detach(struct irq *q, unsigned id)
{
	int rc;

	if (!q->msi[id].routed)
		return 0;
	rc = set_irqfd(q, id, false);
	q->msi[id].routed = false;
	return rc;
}

void irq_msi_free(struct irq *q, unsigned id)
{
	CHECK(id < IRQ_MSI_MAX);
	pthread_mutex_lock(&q->lock);
	if (q->msi[id].fd >= 0) {
		(void)detach(q, id);
		close(q->msi[id].fd);
		q->msi[id].fd = -1;
	}
	pthread_mutex_unlock(&q->lock);
}

int irq_msi_route(struct irq *q, unsigned id, uint64_t addr, uint32_t data)
{
	struct irq_msi *m;
	bool was;
	int rc;

	CHECK(id < IRQ_MSI_MAX && q->msi[id].fd >= 0);
	pthread_mutex_lock(&q->lock);
	m = &q->msi[id];
	was = m->routed;
	*m = (struct irq_msi){ m->fd, true, addr, data };
	rc = set_routes(q);
	/* The irqfd goes in after its route: what fired meanwhile is kept. */
	if (!rc && !was)
		rc = set_irqfd(q, id, true);
	if (rc) {
		/* Or the next attempt would find its own irqfd in the way. */
		if (was)
			(void)set_irqfd(q, id, false);
		m->routed = false;
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}

int irq_msi_mask(struct irq *q, unsigned id)
{
	int rc;

	CHECK(id < IRQ_MSI_MAX && q->msi[id].fd >= 0);
	pthread_mutex_lock(&q->lock);
	rc = detach(q, id);
	pthread_mutex_unlock(&q->lock);
	return rc;
}

int irq_msi_fd(const struct irq *q, unsigned id)
{
	CHECK(id < IRQ_MSI_MAX);
	return q->msi[id].fd;
}

void irq_msi_fire(const struct irq *q, unsigned id)
{
	CHECK(id < IRQ_MSI_MAX && q->msi[id].fd >= 0);
	/* EAGAIN: 2^64 - 2 fires already wait. */
	(void)!write(q->msi[id].fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

int irq_msi_feed(struct irq *q, unsigned id, int fd, bool on)
{
	CHECK(id < IRQ_MSI_MAX && q->msi[id].fd >= 0);
	return set_irqfd_of(q, id, fd, on);
}

int irq_doorbell(struct irq *q, uint64_t addr, int fd, bool on)
{
	struct kvm_ioeventfd e = { .addr = addr,
				   .len = 0,
				   .fd = fd,
				   .flags = on ? 0
					       : KVM_IOEVENTFD_FLAG_DEASSIGN };

	if (q->vm_fd < 0)
		return 0;
	return ioctl(q->vm_fd, KVM_IOEVENTFD, &e) ? -errno : 0;
}
