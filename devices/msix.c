/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msix: see the header. A change of KVM's routes costs it a grace period, so
 * masking does not touch them: a masked vector is one that we do not fire. A
 * route is set when an open vector's message differs from what KVM last saw.
 */
#include "devices/msix.h"

#include <assert.h>
#include <poll.h>

#include "vmm/log.h"

/* PCI 3.0, 6.8.2.1: the capability. */
#define CAP_ID 0x11
#define CAP_LEN 12
#define CAP_CONTROL 2
#define CAP_TABLE 4
#define CAP_PBA 8
#define CONTROL_MASK_ALL (1u << 14)
#define CONTROL_ENABLE (1u << 15)

/* 6.8.2.9: one bit of a vector's control word. */
#define VECTOR_MASKED 1u

static_assert(MSIX_VECTORS <= 8 * MSIX_PBA_SIZE, "one bit per vector");

static bool vector_open(const struct msix *m, const struct msix_vector *v)
{
	return m->enabled && m->master && !m->masked &&
	       !(v->control & VECTOR_MASKED);
}

/*
 * With the lock held. A feed is attached while its vector is open and routed:
 * KVM looks at the eventfd when it is, so what it gathered before is not lost.
 */
static void feeds_sync(struct msix *m, const struct msix_vector *v)
{
	bool on = vector_open(m, v) && !v->fresh && !v->dead;

	for (unsigned i = 0; i < MSIX_VECTORS; i++) {
		struct msix_feed *f = &m->feed[i];

		if (f->fd < 0 || &m->v[f->vector] != v || f->attached == on)
			continue;
		if (!irq_msi_feed(m->irq, v->msi, f->fd, on) || !on)
			f->attached = on;
		else if (!m->warned)
			log_warn("%s: KVM takes no interrupts from outside",
				 m->pci->ops->name);
		m->warned = m->warned || f->attached != on;
	}
}

/*
 * With the lock held: sends what was kept, if it can be. Any thread: it changes
 * nothing of KVM's, which the sandbox of a worker does not let it.
 */
static void send_kept(struct msix *m, struct msix_vector *v)
{
	if (!vector_open(m, v) || v->fresh)
		return;
	if (v->pending && !v->dead)
		irq_msi_fire(m->irq, v->msi);
	v->pending = false;
}

/* With the lock held: makes KVM agree, then sends what was kept. */
static void vector_sync(struct msix *m, struct msix_vector *v)
{
	uint64_t addr = (uint64_t)v->addr_hi << 32 | v->addr_lo;

	if (!vector_open(m, v)) {
		feeds_sync(m, v);
		return;
	}
	if (v->fresh) {
		v->dead = irq_msi_route(m->irq, v->msi, addr, v->data) != 0;
		if (v->dead && !m->warned)
			log_warn("%s: KVM refuses interrupt message 0x%x to "
				 "0x%llx: the vector is lost",
				 m->pci->ops->name, v->data,
				 (unsigned long long)addr);
		m->warned = m->warned || v->dead;
		v->fresh = false;
	}
	feeds_sync(m, v);
	send_kept(m, v);
}

int msix_open(struct msix *m, struct pci_dev *pci, struct irq *irq, unsigned n,
	      unsigned bar, uint32_t table, uint32_t pba)
{
	int rc;

	CHECK(n && n <= MSIX_VECTORS);
	*m = (struct msix){ .irq = irq, .pci = pci };
	for (unsigned i = 0; i < MSIX_VECTORS; i++)
		m->feed[i].fd = -1;
	rc = pci_add_cap(pci, CAP_ID, CAP_LEN, &m->cap);
	if (rc)
		return rc;
	put_le16(&pci->cfg[m->cap + CAP_CONTROL], (uint16_t)(n - 1));
	put_le32(&pci->cfg[m->cap + CAP_TABLE], table | bar);
	put_le32(&pci->cfg[m->cap + CAP_PBA], pba | bar);
	put_le16(&pci->wmask[m->cap + CAP_CONTROL],
		 CONTROL_ENABLE | CONTROL_MASK_ALL);
	for (; m->n < n; m->n++) {
		rc = irq_msi_new(irq, &m->v[m->n].msi);
		if (rc)
			goto fail;
		m->v[m->n].control = VECTOR_MASKED;
		m->v[m->n].fresh = true;
	}
	pthread_mutex_init(&m->lock, NULL);
	return 0;
fail:
	while (m->n)
		irq_msi_free(irq, m->v[--m->n].msi);
	return rc;
}

void msix_close(struct msix *m)
{
	for (unsigned i = 0; i < MSIX_VECTORS; i++)
		msix_feed(m, i, -1, 0);
	while (m->n)
		irq_msi_free(m->irq, m->v[--m->n].msi);
	pthread_mutex_destroy(&m->lock);
}

void msix_reset(struct msix *m)
{
	pthread_mutex_lock(&m->lock);
	m->enabled = m->masked = m->master = false;
	for (unsigned i = 0; i < m->n; i++) {
		feeds_sync(m, &m->v[i]);
		/* A route that stays behind a refusal is never fired at. */
		(void)!irq_msi_mask(m->irq, m->v[i].msi);
		m->v[i] = (struct msix_vector){ .msi = m->v[i].msi,
						.control = VECTOR_MASKED,
						.fresh = true };
	}
	pthread_mutex_unlock(&m->lock);
}

void msix_control(struct msix *m)
{
	uint16_t control = get_le16(&m->pci->cfg[m->cap + CAP_CONTROL]);

	pthread_mutex_lock(&m->lock);
	m->enabled = control & CONTROL_ENABLE;
	m->masked = control & CONTROL_MASK_ALL;
	m->master = m->pci->cfg[PCI_COMMAND] & PCI_CMD_MASTER;
	for (unsigned i = 0; i < m->n; i++)
		vector_sync(m, &m->v[i]);
	pthread_mutex_unlock(&m->lock);
}

/* The dword of the table at off (a multiple of 4). */
static uint32_t *table_word(struct msix *m, uint64_t off)
{
	struct msix_vector *v = &m->v[off / MSIX_ENTRY];

	switch (off % MSIX_ENTRY) {
	case 0: return &v->addr_lo;
	case 4: return &v->addr_hi;
	case 8: return &v->data;
	default: return &v->control;
	}
}

/* 6.8.2: aligned dwords and qwords; anything else is undefined there. */
static bool table_access_ok(const struct msix *m, uint64_t off, size_t len)
{
	return (len == 4 || len == 8) && off % len == 0 &&
	       range_ok(off, len, (uint64_t)m->n * MSIX_ENTRY);
}

bool msix_table_read(struct msix *m, uint64_t off, uint8_t *buf, size_t len)
{
	if (!table_access_ok(m, off, len))
		return false;
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < len; i += 4)
		put_le32(buf + i, *table_word(m, off + i));
	pthread_mutex_unlock(&m->lock);
	return true;
}

bool msix_table_write(struct msix *m, uint64_t off, const uint8_t *buf,
		      size_t len)
{
	struct msix_vector *v;

	if (!table_access_ok(m, off, len))
		return false;
	pthread_mutex_lock(&m->lock);
	v = &m->v[off / MSIX_ENTRY];
	for (size_t i = 0; i < len; i += 4)
		*table_word(m, off + i) = get_le32(buf + i);
	v->control &= VECTOR_MASKED;
	if (off % MSIX_ENTRY < 12)
		v->fresh = true;
	vector_sync(m, v);
	pthread_mutex_unlock(&m->lock);
	return true;
}

/* With the lock held: a masked vector's feed has something to say. */
static bool feed_waits(const struct msix_feed *f)
{
	struct pollfd p = { .fd = f->fd, .events = POLLIN };

	return f->fd >= 0 && !f->attached && poll(&p, 1, 0) > 0;
}

bool msix_pba_read(struct msix *m, uint64_t off, uint8_t *buf, size_t len)
{
	uint64_t bits = 0;

	if ((len != 4 && len != 8) || off % len ||
	    !range_ok(off, len, MSIX_PBA_SIZE))
		return false;
	pthread_mutex_lock(&m->lock);
	for (unsigned i = 0; i < m->n; i++)
		bits |= (uint64_t)m->v[i].pending << i;
	for (unsigned i = 0; i < MSIX_VECTORS; i++)
		if (feed_waits(&m->feed[i]))
			bits |= 1ull << m->feed[i].vector;
	pthread_mutex_unlock(&m->lock);
	put_le(buf, len, bits >> 8 * off);
	return true;
}

bool msix_fire(struct msix *m, unsigned vector)
{
	bool on;

	pthread_mutex_lock(&m->lock);
	on = m->enabled;
	if (on && vector < m->n) {
		m->v[vector].pending = true;
		send_kept(m, &m->v[vector]);
	}
	pthread_mutex_unlock(&m->lock);
	return on;
}

void msix_feed(struct msix *m, unsigned i, int fd, unsigned vector)
{
	struct msix_feed *f = &m->feed[i];

	CHECK(i < MSIX_VECTORS);
	pthread_mutex_lock(&m->lock);
	if (f->attached)
		(void)!irq_msi_feed(m->irq, m->v[f->vector].msi, f->fd, false);
	*f = (struct msix_feed){ .fd = vector < m->n ? fd : -1,
				 .vector = vector < m->n ? vector : 0 };
	if (f->fd >= 0)
		feeds_sync(m, &m->v[vector]);
	pthread_mutex_unlock(&m->lock);
}
