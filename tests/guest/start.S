/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start: from the reset vector of a 64 KiB ROM into C: flat 32-bit segments,
 * no paging, no interrupts, a stack below 512 KiB. main never comes back.
 */
	.section .text
	.code16
start16:
	cli
	lgdtl %cs:gdt_ptr_offset	/* rom.ld: in the segment */
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	ljmpl $8, $start32

	.code32
start32:
	movw $16, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $0x80000, %esp
	cld
	call main
1:	hlt
	jmp 1b

	.balign 8
	.globl gdt_ptr
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff	/* 8: code */
	.quad 0x00cf93000000ffff	/* 16: data */
gdt_ptr:
	.word 23
	.long gdt

/* The first instruction: the segment's base is 0xffff0000, IP 0xfff0. */
	.section .reset, "ax"
	.code16
	jmp start16
	.balign 16

	.section .note.GNU-stack, "", @progbits
