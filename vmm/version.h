/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version: carrel's own, as `carrel version`, query-version and SMBIOS say it.
 */
#ifndef CARREL_VMM_VERSION_H
#define CARREL_VMM_VERSION_H

#define CARREL_VERSION_MAJOR 0
#define CARREL_VERSION_MINOR 1
#define CARREL_VERSION_MICRO 0
#define CARREL_VERSION "0.1.0"

#endif
