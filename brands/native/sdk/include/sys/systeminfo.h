/*
 * sys/systeminfo.h - strings that the system tells of itself.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_SYSTEMINFO_H
#define _SYS_SYSTEMINFO_H

#define SI_SYSNAME 1
#define SI_HOSTNAME 2
#define SI_RELEASE 3
#define SI_VERSION 4
#define SI_MACHINE 5
#define SI_ARCHITECTURE 6
#define SI_HW_SERIAL 7
#define SI_HW_PROVIDER 8
#define SI_SET_HOSTNAME 258
#define SI_PLATFORM 513
#define SI_ISALIST 514

int sysinfo(int command, char *buf, long count);

#endif
