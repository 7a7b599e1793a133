/*
 * sys/contract.h - contracts: structures of the requests of contract files
 * (contract(5)), with the names and layouts of illumos, LP64.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_CONTRACT_H
#define _SYS_CONTRACT_H

#include <stddef.h>
#include <stdint.h>

typedef int32_t ctid_t;
typedef uint64_t ctevid_t;

/* how much a status shall tell */
#define CTD_COMMON 0
#define CTD_FIXED 1
#define CTD_ALL 2

/* ctev_flags */
#define CTE_ACK 0x1
#define CTE_INFO 0x2
#define CTE_NEG 0x4

/* terms of every type of contract; those of processes are in contract/process.h */
#define CTP_EV_CRITICAL 100
#define CTP_EV_INFO 101
#define CTP_COOKIE 102

typedef enum ctstate {
	CTS_OWNED,
	CTS_INHERITED,
	CTS_ORPHAN,
	CTS_DEAD
} ctstate_t;

typedef enum ct_typeid {
	CTT_PROCESS,
	CTT_DEVICE,
	CTT_MAXTYPE
} ct_typeid_t;

typedef struct ct_event {
	ctid_t ctev_id;
	uint32_t ctev_pad1;
	ctevid_t ctev_evid;
	ct_typeid_t ctev_cttype;
	uint32_t ctev_flags;
	uint32_t ctev_type;
	uint32_t ctev_nbytes; /* in: room at ctev_buffer; out: bytes of the lists */
	uint32_t ctev_goffset; /* where the second list begins */
	uint32_t ctev_pad2;
	char *ctev_buffer; /* packed nvlists */
} ct_event_t;

typedef struct ct_status {
	ctid_t ctst_id;
	int32_t ctst_zoneid;
	ct_typeid_t ctst_type;
	int32_t ctst_holder; /* pid of the owner, or id of the regent */
	ctstate_t ctst_state;
	int ctst_nevents; /* critical ones that wait for an acknowledgement */
	int ctst_ntime;
	int ctst_qtime;
	uint64_t ctst_nevid;
	unsigned ctst_detail;
	size_t ctst_nbytes; /* as ctev_nbytes */
	unsigned ctst_critical;
	unsigned ctst_informative;
	uint64_t ctst_cookie;
	char *ctst_buffer;
} ct_status_t;

typedef struct ct_param {
	uint32_t ctpm_id;
	uint32_t ctpm_size;
	void *ctpm_value;
} ct_param_t;

#endif
