/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serial: registers of the 16550A. Clause numbers are of National's PC16550D
 * data sheet.
 */
#include "devices/serial.h"

#include "vmm/board_map.h"
#include "vmm/log.h"
#include "vmm/timeline_once.h"

#define PORTS 8

enum {
	REG_DATA = 0, /* RBR and THR; DLL with LCR.DLAB */
	REG_IER = 1, /* DLM with LCR.DLAB */
	REG_IIR_FCR = 2,
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
	REG_MSR = 6,
	REG_SCR = 7,
};

#define IER_RX 0x01
#define IER_THRE 0x02
#define IER_LINE 0x04
#define IER_MODEM 0x08
#define IER_ALL 0x0f

/* 8.6, table IV, highest priority first. */
#define IIR_LINE 0x06
#define IIR_RX 0x04
#define IIR_RX_TIMEOUT 0x0c
#define IIR_THRE 0x02
#define IIR_MODEM 0x00
#define IIR_NONE 0x01
#define IIR_FIFO 0xc0

#define FCR_ENABLE 0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04
#define FCR_KEPT 0xc9
#define FCR_TRIGGER_SHIFT 6

#define LCR_BREAK 0x40
#define LCR_DLAB 0x80

#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_ALL 0x1f

#define LSR_READY 0x01
#define LSR_OVERRUN 0x02
#define LSR_BREAK 0x10
#define LSR_THRE 0x20
#define LSR_TEMT 0x40
#define LSR_FIFO_ERROR 0x80

#define MSR_DCTS 0x01
#define MSR_DDSR 0x02
#define MSR_TERI 0x04
#define MSR_DDCD 0x08
#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI 0x40
#define MSR_DCD 0x80

static unsigned fifo_room(const struct serial *s, const struct serial_fifo *f)
{
	unsigned size = s->fcr & FCR_ENABLE ? SERIAL_FIFO : 1;

	return f->len < size ? size - f->len : 0;
}

static void fifo_put(struct serial_fifo *f, uint8_t v)
{
	f->byte[f->len++] = v;
}

static void fifo_drop(struct serial_fifo *f, size_t n)
{
	f->len -= (unsigned)n;
	bytes_move(f->byte, sizeof f->byte, f->byte + n, f->len);
}

static bool looped(const struct serial *s)
{
	return s->mcr & MCR_LOOP;
}

/* The modem's lines: of a peer that is always there, or our own (8.7). */
static uint8_t modem_lines(const struct serial *s)
{
	if (!looped(s))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (uint8_t)((s->mcr & MCR_RTS ? MSR_CTS : 0) |
			 (s->mcr & MCR_DTR ? MSR_DSR : 0) |
			 (s->mcr & MCR_OUT1 ? MSR_RI : 0) |
			 (s->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

/* 8.5: fewer bytes than the trigger level are told as a time-out, at once. */
static bool rx_at_trigger(const struct serial *s)
{
	static const uint8_t level[] = { 1, 4, 8, 14 };

	return !(s->fcr & FCR_ENABLE) ||
	       s->rx.len >= level[s->fcr >> FCR_TRIGGER_SHIFT];
}

static uint8_t irq_cause(const struct serial *s)
{
	if ((s->ier & IER_LINE) && s->lsr_errors)
		return IIR_LINE;
	if ((s->ier & IER_RX) && s->rx.len)
		return rx_at_trigger(s) ? IIR_RX : IIR_RX_TIMEOUT;
	if ((s->ier & IER_THRE) && s->thre_irq)
		return IIR_THRE;
	if ((s->ier & IER_MODEM) && s->msr_deltas)
		return IIR_MODEM;
	return IIR_NONE;
}

/* A PC gates the interrupt with OUT2, which loop-back holds inactive (8.7). */
static void irq_update(struct serial *s)
{
	bool open = (s->mcr & MCR_OUT2) && !looped(s);

	irq_line(s->irq, BOARD_IRQ_SERIAL, open && irq_cause(s) != IIR_NONE);
}

static void rx_put(struct serial *s, uint8_t v)
{
	if (fifo_room(s, &s->rx))
		fifo_put(&s->rx, v);
	else
		s->lsr_errors |= LSR_OVERRUN;
}

/* An empty receiver takes more from the host. */
static void rx_fill(struct serial *s)
{
	if (s->rx.len || looped(s))
		return;
	/* Alone: the error bits say it of the byte that is read next. */
	if (chardev_take_break(s->end)) {
		rx_put(s, 0);
		s->lsr_errors |= LSR_BREAK;
		return;
	}
	s->rx.len = (unsigned)chardev_read(s->end, s->rx.byte,
					   fifo_room(s, &s->rx));
}

/* What the transmitter holds goes to the host as far as that takes it. */
static void tx_drain(struct serial *s)
{
	if (s->tx.len == 0)
		return;
	fifo_drop(&s->tx, chardev_write(s->end, s->tx.byte, s->tx.len));
	s->thre_irq = s->tx.len == 0;
}

static void thr_write(struct serial *s, uint8_t v)
{
	s->thre_irq = false;
	if (looped(s)) {
		rx_put(s, v);
		s->thre_irq = true;
		return;
	}
	timeline_console(s->pio->timeline, v);
	if (fifo_room(s, &s->tx)) {
		fifo_put(&s->tx, v);
	} else if (!s->warned) {
		s->warned = true;
		log_warn("serial: the guest sends without looking at a stalled "
			 "line: output is lost");
	}
	tx_drain(s);
}

static void ier_write(struct serial *s, uint8_t v)
{
	/* 8.6: enabling it tells of a transmitter that is empty already. */
	if (v & ~s->ier & IER_THRE)
		s->thre_irq = s->tx.len == 0;
	s->ier = v & IER_ALL;
}

static void fcr_write(struct serial *s, uint8_t v)
{
	bool toggled = (v ^ s->fcr) & FCR_ENABLE;

	/* 8.4: the other bits count only while bit 0 is written as one. */
	s->fcr = v & FCR_ENABLE ? v & FCR_KEPT : 0;
	if (toggled || (v & FCR_CLEAR_RX))
		s->rx.len = 0;
	if (toggled || (v & FCR_CLEAR_TX)) {
		s->thre_irq = s->thre_irq || s->tx.len;
		s->tx.len = 0;
	}
	rx_fill(s);
}

static void lcr_write(struct serial *s, uint8_t v)
{
	if (looped(s) && (v & ~s->lcr & LCR_BREAK)) {
		rx_put(s, 0);
		s->lsr_errors |= LSR_BREAK;
	}
	s->lcr = v;
}

static void mcr_write(struct serial *s, uint8_t v)
{
	uint8_t before = modem_lines(s), diff;

	s->mcr = v & MCR_ALL;
	diff = before ^ modem_lines(s);
	s->msr_deltas |=
		(uint8_t)(diff >> 4 & (MSR_DCTS | MSR_DDSR | MSR_DDCD));
	if (diff & before & MSR_RI) /* RI tells of its end only (8.8) */
		s->msr_deltas |= MSR_TERI;
	rx_fill(s);
}

static uint8_t rbr_read(struct serial *s)
{
	uint8_t v = s->rx.byte[0];

	if (s->rx.len == 0)
		return 0;
	fifo_drop(&s->rx, 1);
	rx_fill(s);
	return v;
}

static uint8_t iir_read(struct serial *s)
{
	uint8_t cause = irq_cause(s);

	if (cause == IIR_THRE)
		s->thre_irq = false;
	return cause | (s->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static uint8_t lsr_read(struct serial *s)
{
	uint8_t v = s->lsr_errors;

	if ((v & LSR_BREAK) && (s->fcr & FCR_ENABLE))
		v |= LSR_FIFO_ERROR;
	if (s->rx.len)
		v |= LSR_READY;
	if (s->tx.len == 0)
		v |= LSR_THRE | LSR_TEMT;
	s->lsr_errors = 0;
	return v;
}

static uint8_t msr_read(struct serial *s)
{
	uint8_t v = modem_lines(s) | s->msr_deltas;

	s->msr_deltas = 0;
	return v;
}

static bool serial_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	struct serial *s = dev;
	bool dlab = s->lcr & LCR_DLAB;

	if (len != 1)
		return false;
	switch (off) {
	case REG_DATA: *buf = dlab ? s->dll : rbr_read(s); break;
	case REG_IER: *buf = dlab ? s->dlm : s->ier; break;
	case REG_IIR_FCR: *buf = iir_read(s); break;
	case REG_LCR: *buf = s->lcr; break;
	case REG_MCR: *buf = s->mcr; break;
	case REG_LSR: *buf = lsr_read(s); break;
	case REG_MSR: *buf = msr_read(s); break;
	default: *buf = s->scr; break;
	}
	irq_update(s);
	return true;
}

static bool serial_write(void *dev, uint64_t off, const uint8_t *buf,
			 size_t len)
{
	struct serial *s = dev;
	bool dlab = s->lcr & LCR_DLAB;

	if (len != 1)
		return false;
	switch (off) {
	case REG_DATA:
		if (dlab)
			s->dll = *buf;
		else
			thr_write(s, *buf);
		break;
	case REG_IER:
		if (dlab)
			s->dlm = *buf;
		else
			ier_write(s, *buf);
		break;
	case REG_IIR_FCR: fcr_write(s, *buf); break;
	case REG_LCR: lcr_write(s, *buf); break;
	case REG_MCR: mcr_write(s, *buf); break;
	case REG_SCR: s->scr = *buf; break;
	default: break; /* LSR and MSR: read only */
	}
	irq_update(s);
	return true;
}

static const struct bus_ops serial_ops = {
	.name = "serial",
	.read = serial_read,
	.write = serial_write,
};

/* Main thread: the host's end has input, or room again. */
static void end_changed(void *ctx)
{
	struct serial *s = ctx;

	tx_drain(s);
	rx_fill(s);
	irq_update(s);
}

/* 8.0, table I: master reset. What waits at the host's end stays there. */
void serial_reset(struct serial *s)
{
	s->rx.len = 0;
	s->tx.len = 0;
	s->ier = 0;
	s->fcr = 0;
	s->lcr = 0;
	s->mcr = 0;
	s->lsr_errors = 0;
	s->msr_deltas = 0;
	s->thre_irq = false;
	irq_update(s);
}

int serial_attach(struct serial *s, struct bus *pio, struct irq *irq,
		  struct event *event, struct chardev *end)
{
	int rc;

	*s = (struct serial){ .pio = pio, .irq = irq, .end = end };
	rc = bus_claim(pio, BOARD_PORT_SERIAL, PORTS, &serial_ops, s);
	if (rc)
		return rc;
	rc = chardev_attach(end, event, pio->lock, end_changed, s);
	if (rc)
		bus_release(pio, BOARD_PORT_SERIAL, s);
	else
		serial_reset(s);
	return rc;
}

void serial_close(struct serial *s)
{
	bus_release(s->pio, BOARD_PORT_SERIAL, s);
}
