/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine: ports, memory and the serial port, for guests
 * that have nothing else. Trusts the machine; addresses are physical.
 */
#ifndef CARREL_TESTS_GUEST_MACHINE_H
#define CARREL_TESTS_GUEST_MACHINE_H

#include <stdint.h>

static inline void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void put8(uint32_t at, uint8_t v)
{
	*(volatile uint8_t *)(uintptr_t)at = v;
}

static inline void put16(uint32_t at, uint16_t v)
{
	*(volatile uint16_t *)(uintptr_t)at = v;
}

static inline void put32(uint32_t at, uint32_t v)
{
	*(volatile uint32_t *)(uintptr_t)at = v;
}

static inline uint8_t get8(uint32_t at)
{
	return *(volatile uint8_t *)(uintptr_t)at;
}

static inline uint16_t get16(uint32_t at)
{
	return *(volatile uint16_t *)(uintptr_t)at;
}

static inline uint32_t get32(uint32_t at)
{
	return *(volatile uint32_t *)(uintptr_t)at;
}

static inline void say(const char *s)
{
	while (*s)
		out8(0x3f8, (uint8_t)*s++);
}

static inline void say_hex(uint32_t v)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		out8(0x3f8, (uint8_t) "0123456789abcdef"[v >> shift & 15]);
}

#endif
