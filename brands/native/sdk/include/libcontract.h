/*
 * libcontract.h - contracts (libcontract(3LIB)).  Functions answer 0 or an error number,
 * those that read a field of a status or an event the field.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _LIBCONTRACT_H
#define _LIBCONTRACT_H

#include <sys/contract/process.h>
#include <sys/ctfs.h>
#include <sys/types.h>

typedef struct ct_handle *ct_stathdl_t;
typedef struct ct_handle *ct_evthdl_t;

int ct_tmpl_activate(int fd);
int ct_tmpl_clear(int fd);
int ct_tmpl_create(int fd, ctid_t *id);
int ct_tmpl_set_cookie(int fd, uint64_t cookie);
int ct_tmpl_set_critical(int fd, unsigned events);
int ct_tmpl_set_informative(int fd, unsigned events);
int ct_tmpl_get_cookie(int fd, uint64_t *cookie);
int ct_tmpl_get_critical(int fd, unsigned *events);
int ct_tmpl_get_informative(int fd, unsigned *events);
int ct_pr_tmpl_set_fatal(int fd, unsigned events);
int ct_pr_tmpl_set_param(int fd, unsigned params);
int ct_pr_tmpl_set_transfer(int fd, ctid_t id);
int ct_pr_tmpl_set_svc_fmri(int fd, const char *fmri);
int ct_pr_tmpl_set_svc_aux(int fd, const char *text);
int ct_pr_tmpl_get_fatal(int fd, unsigned *events);
int ct_pr_tmpl_get_param(int fd, unsigned *params);
int ct_pr_tmpl_get_transfer(int fd, ctid_t *id);
int ct_pr_tmpl_get_svc_fmri(int fd, char *fmri, size_t size);
int ct_pr_tmpl_get_svc_aux(int fd, char *text, size_t size);

int ct_ctl_abandon(int fd);
int ct_ctl_adopt(int fd);
int ct_ctl_ack(int fd, ctevid_t ev);
int ct_ctl_nack(int fd, ctevid_t ev);
int ct_ctl_qack(int fd, ctevid_t ev);
int ct_ctl_newct(int fd, ctevid_t ev, int tmpl);

int ct_status_read(int fd, int detail, ct_stathdl_t *st);
void ct_status_free(ct_stathdl_t st);
ctid_t ct_status_get_id(ct_stathdl_t st);
int ct_status_get_zoneid(ct_stathdl_t st);
const char *ct_status_get_type(ct_stathdl_t st);
ctstate_t ct_status_get_state(ct_stathdl_t st);
pid_t ct_status_get_holder(ct_stathdl_t st);
int ct_status_get_nevents(ct_stathdl_t st);
int ct_status_get_ntime(ct_stathdl_t st);
int ct_status_get_qtime(ct_stathdl_t st);
ctevid_t ct_status_get_nevid(ct_stathdl_t st);
unsigned ct_status_get_critical(ct_stathdl_t st);
unsigned ct_status_get_informative(ct_stathdl_t st);
uint64_t ct_status_get_cookie(ct_stathdl_t st);
int ct_pr_status_get_param(ct_stathdl_t st, unsigned *params);
int ct_pr_status_get_fatal(ct_stathdl_t st, unsigned *events);
int ct_pr_status_get_members(ct_stathdl_t st, pid_t **pids, unsigned *count);
int ct_pr_status_get_contracts(ct_stathdl_t st, ctid_t **ids, unsigned *count);
int ct_pr_status_get_svc_fmri(ct_stathdl_t st, char **fmri);
int ct_pr_status_get_svc_aux(ct_stathdl_t st, char **text);
int ct_pr_status_get_svc_ctid(ct_stathdl_t st, ctid_t *id);
int ct_pr_status_get_svc_creator(ct_stathdl_t st, char **name);

int ct_event_read(int fd, ct_evthdl_t *ev);
int ct_event_read_critical(int fd, ct_evthdl_t *ev);
int ct_event_reset(int fd);
int ct_event_next(int fd, ctevid_t ev);
int ct_event_reliable(int fd);
void ct_event_free(ct_evthdl_t ev);
unsigned ct_event_get_flags(ct_evthdl_t ev);
ctid_t ct_event_get_ctid(ct_evthdl_t ev);
ctevid_t ct_event_get_evid(ct_evthdl_t ev);
unsigned ct_event_get_type(ct_evthdl_t ev);
int ct_pr_event_get_pid(ct_evthdl_t ev, pid_t *pid);
int ct_pr_event_get_ppid(ct_evthdl_t ev, pid_t *pid);
int ct_pr_event_get_signal(ct_evthdl_t ev, int *sig);
int ct_pr_event_get_sender(ct_evthdl_t ev, pid_t *pid);
int ct_pr_event_get_senderct(ct_evthdl_t ev, ctid_t *id);
int ct_pr_event_get_exitstatus(ct_evthdl_t ev, int *status);

#endif
