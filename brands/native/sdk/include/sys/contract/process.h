/*
 * sys/contract/process.h - process contracts (process(5)): parameters, events, terms,
 * and the names of what a status or an event tells.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_CONTRACT_PROCESS_H
#define _SYS_CONTRACT_PROCESS_H

#include <sys/contract.h>

#define CT_PR_SVC_DEFAULT "inherit:"

/* parameters */
#define CT_PR_INHERIT 0x1
#define CT_PR_NOORPHAN 0x2
#define CT_PR_PGRPONLY 0x4
#define CT_PR_REGENT 0x8
#define CT_PR_KEEP_EXEC 0x10
#define CT_PR_ALLPARAM 0x1f

/* events */
#define CT_PR_EV_EMPTY 0x1
#define CT_PR_EV_FORK 0x2
#define CT_PR_EV_EXIT 0x4
#define CT_PR_EV_CORE 0x8
#define CT_PR_EV_SIGNAL 0x10
#define CT_PR_EV_HWERR 0x20
#define CT_PR_ALLEVENT 0x3f
#define CT_PR_ALLFATAL (CT_PR_EV_CORE | CT_PR_EV_SIGNAL | CT_PR_EV_HWERR)

/* terms */
#define CTPP_EV_FATAL 0
#define CTPP_PARAMS 1
#define CTPP_SUBSUME 2
#define CTPP_SVC_FMRI 3
#define CTPP_SVC_CTID 4
#define CTPP_SVC_CREATOR 5
#define CTPP_CREATOR_AUX 6

/* in a status */
#define CTPS_PARAMS "ctps_params"
#define CTPS_EV_FATAL "ctps_ev_fatal"
#define CTPS_MEMBERS "ctps_members"
#define CTPS_CONTRACTS "ctps_contracts"
#define CTPS_SVC_FMRI "ctps_svc_fmri"
#define CTPS_SVC_CTID "ctps_svc_ctid"
#define CTPS_SVC_CREATOR "ctps_svc_creator"
#define CTPS_CREATOR_AUX "ctps_creator_aux"

/* in an event */
#define CTPE_PID "ctpe_pid"
#define CTPE_PPID "ctpe_ppid"
#define CTPE_SIGNAL "ctpe_signal"
#define CTPE_SENDER "ctpe_sender"
#define CTPE_SENDCT "ctpe_sendct"
#define CTPE_EXITSTATUS "ctpe_exitstatus"

#endif
