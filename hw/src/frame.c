/*
 * frame.c - physical memory: frames, their references and who pays for them.
 *
 * Frames come from the never used rest of the arena (which the host hands out
 * zeroed) or from a stack of freed ones, so the order in which pfns are given out
 * depends on nothing but the order of the calls.
 */
#include <string.h>

#include "hw_mem.h"

/* One frame with one reference, not zeroed unless asked for; 0: none. */
uint32_t
hw_frame_take(struct hw_machine *m, uint32_t acct, int zero)
{
	struct hw_acct *a = &m->accts[acct];
	uint32_t pfn;

	if (a->used >= a->limit)
		return 0;
	if (m->nfree != 0) {
		pfn = m->freelist[--m->nfree];
		if (zero)
			memset(MEM(m, pfn), 0, HW_PAGE_SIZE);
	} else if (m->nextfresh < m->nframes) {
		pfn = m->nextfresh++;
	} else {
		return 0;
	}
	m->refs[pfn] = 1;
	m->acct_of[pfn] = (uint16_t)acct;
	a->used++;
	if (++m->stat[HW_STAT_FRAMES_USED] > m->stat[HW_STAT_FRAMES_PEAK])
		m->stat[HW_STAT_FRAMES_PEAK] = m->stat[HW_STAT_FRAMES_USED];
	return pfn;
}

void
hw_frame_free(struct hw_machine *m, uint32_t pfn)
{
	if (m->code[pfn] != NULL)
		hw_code_free(m, pfn);
	m->accts[m->acct_of[pfn]].used--;
	m->stat[HW_STAT_FRAMES_USED]--;
	m->freelist[m->nfree++] = pfn;
}

static int
frame_live(struct hw_machine *m, uint32_t pfn)
{
	return pfn != 0 && pfn < m->nframes && m->refs[pfn] != 0;
}

uint32_t
hw_frame_alloc(hw_machine *m, uint32_t acct)
{
	return hw_acct_live(m, acct) ? hw_frame_take(m, acct, 1) : 0;
}

void
hw_frame_hold(hw_machine *m, uint32_t pfn)
{
	if (frame_live(m, pfn))
		m->refs[pfn]++;
}

void
hw_frame_rele(hw_machine *m, uint32_t pfn)
{
	if (frame_live(m, pfn))
		frame_drop(m, pfn);
}

uint32_t
hw_frame_refs(hw_machine *m, uint32_t pfn)
{
	return pfn < m->nframes ? m->refs[pfn] : 0;
}

static int
frame_range_ok(struct hw_machine *m, uint32_t pfn, uint32_t off, uint32_t len)
{
	return frame_live(m, pfn) && off <= HW_PAGE_SIZE && len <= HW_PAGE_SIZE - off;
}

int
hw_frame_read(hw_machine *m, uint32_t pfn, uint32_t off, void *dst, uint32_t len)
{
	if (!frame_range_ok(m, pfn, off, len))
		return HW_EINVAL;
	memcpy(dst, MEM(m, pfn) + off, len);
	return HW_OK;
}

int
hw_frame_write(hw_machine *m, uint32_t pfn, uint32_t off, const void *src, uint32_t len)
{
	if (!frame_range_ok(m, pfn, off, len))
		return HW_EINVAL;
	if (m->code[pfn] != NULL)
		hw_code_dirty(m, pfn);
	memcpy(MEM(m, pfn) + off, src, len);
	return HW_OK;
}

/* ---- accounts ---- */

int
hw_acct_live(struct hw_machine *m, uint32_t acct)
{
	return acct < m->naccts && m->accts[acct].live;
}

uint32_t
hw_acct_create(hw_machine *m, uint64_t limit_frames)
{
	uint32_t cap = m->naccts, i;

	for (i = 1; i < m->naccts && m->accts[i].live; i++)
		;
	if (i >= MAX_ACCTS)
		return 0;
	if (i == m->naccts) {
		if (hw_grow((void **)&m->accts, &cap, i + 1, sizeof (*m->accts)) != HW_OK)
			return 0;
		m->naccts = cap < MAX_ACCTS ? cap : MAX_ACCTS;
	}
	m->accts[i] = (struct hw_acct){ .limit = limit_frames, .live = 1 };
	return i;
}

/* Frames that are still charged keep the account alive: nothing happens then. */
void
hw_acct_destroy(hw_machine *m, uint32_t acct)
{
	if (acct != 0 && hw_acct_live(m, acct) && m->accts[acct].used == 0)
		m->accts[acct].live = 0;
}

void
hw_acct_limit(hw_machine *m, uint32_t acct, uint64_t limit_frames)
{
	if (acct != 0 && hw_acct_live(m, acct))
		m->accts[acct].limit = limit_frames;
}

uint64_t
hw_acct_used(hw_machine *m, uint32_t acct)
{
	return hw_acct_live(m, acct) ? m->accts[acct].used : 0;
}
