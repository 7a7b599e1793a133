/*
 * sys/ctfs.h - the contract file system: where it is, and its requests.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_CTFS_H
#define _SYS_CTFS_H

#include <sys/contract.h>

#define CTFS_ROOT "/system/contract"

#define CTFS_IOC(kind, n) ('c' << 24 | 't' << 16 | (kind) << 8 | (n))

/* to process/template */
#define CT_TACTIVATE CTFS_IOC('t', 0)
#define CT_TCLEAR CTFS_IOC('t', 1)
#define CT_TCREATE CTFS_IOC('t', 2)
#define CT_TSET CTFS_IOC('t', 3) /* ct_param_t * */
#define CT_TGET CTFS_IOC('t', 4) /* ct_param_t * */

/* to process/ID/ctl */
#define CT_CABANDON CTFS_IOC('c', 0)
#define CT_CACK CTFS_IOC('c', 1) /* ctevid_t * */
#define CT_CQREQ CTFS_IOC('c', 2) /* ctevid_t * */
#define CT_CADOPT CTFS_IOC('c', 3)
#define CT_CNEWCT CTFS_IOC('c', 4) /* descriptor of a template */
#define CT_CNACK CTFS_IOC('c', 5) /* ctevid_t * */

/* to process/ID/status and process/latest */
#define CT_SSTATUS CTFS_IOC('s', 0) /* ct_status_t * */

/* to process/bundle, process/pbundle and process/ID/events */
#define CT_ERESET CTFS_IOC('e', 0)
#define CT_ERECV CTFS_IOC('e', 1) /* ct_event_t * */
#define CT_ECRECV CTFS_IOC('e', 2) /* ct_event_t * */
#define CT_ENEXT CTFS_IOC('e', 3) /* ctevid_t * */
#define CT_ERELIABLE CTFS_IOC('e', 4)

#endif
