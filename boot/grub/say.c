/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * say: lines on the firmware's console, which the board has on its serial port.
 */
#include "boot/grub/say.h"

#include <grub/efi/efi.h>
#include <grub/err.h>
#include <grub/misc.h>
#include <grub/term.h>

void say(const char *format, ...)
{
	va_list args;

	/* An error of GRUB's own stands before our word on it. */
	grub_print_error();
	grub_errno = GRUB_ERR_NONE;
	grub_printf("carrel-grub: ");
	va_start(args, format);
	grub_vprintf(format, args);
	va_end(args);
	grub_printf("\n");
	grub_refresh();
}

void power_off(void)
{
	say("powering off");
	grub_efi_system_table->runtime_services->reset_system(
		GRUB_EFI_RESET_SHUTDOWN, GRUB_EFI_SUCCESS, 0, NULL);
	for (;;)
		__asm__ volatile("hlt");
}
