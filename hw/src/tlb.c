/*
 * tlb.c - the software TLBs of the harts, and the tags that make them cheap.
 *
 * When an entry can be stale, and who takes care of it:
 *   - a page of one space changes its frame (COW copy): hw_tlb_drop_page, since
 *     the load and fetch entries still name the old frame;
 *   - a page is owned again (COW, one reference): nothing, the frame stays;
 *   - a range is mapped, unmapped, protected, moved: hw_tlb_drop_range;
 *   - a space is cloned: its store entries may not be used any more, so it gets a
 *     new store tag; its load and fetch entries stay right;
 *   - a shared table is copied: nothing.  Whoever shares it has no live store
 *     entry for it (fills need a path of count 1), and frames stay where they are;
 *   - a space is destroyed: nothing, its tags are not used again in this epoch.
 */
#include <string.h>

#include "hw_mem.h"

#define TAG_MAX 4095u
#define DROP_PAGES 32u                /* above: new tags cost less than page by page */

static uint64_t
key_of(uint64_t va, uint16_t tag)
{
	return va >> HW_PAGE_SHIFT | (uint64_t)tag << 52;
}

/* `n` tags in a row; starts a new epoch with empty TLBs when there are none left. */
static uint16_t
tags(struct hw_machine *m, unsigned n)
{
	uint16_t first;

	if (m->lasttag + n > TAG_MAX) {
		memset(m->harts, 0, m->nharts * sizeof (*m->harts));
		m->epoch++;
		m->lasttag = 0;
	}
	first = (uint16_t)(m->lasttag + 1);
	m->lasttag = (uint16_t)(m->lasttag + n);
	return first;
}

void
hw_tlb_drop_as(hw_machine *m, struct hw_as *as)
{
	uint16_t t = tags(m, 3);

	as->rtag = t;
	as->wtag = (uint16_t)(t + 1);
	as->xtag = (uint16_t)(t + 2);
	as->epoch = m->epoch;
}

void
hw_as_tags(hw_machine *m, struct hw_as *as)
{
	if (as->epoch != m->epoch)
		hw_tlb_drop_as(m, as);
}

void
hw_tlb_drop_stores(struct hw_machine *m, struct hw_as *as)
{
	uint16_t t;

	if (as->epoch != m->epoch)
		return;                       /* no tags, no entries */
	t = tags(m, 1);
	if (as->epoch == m->epoch)
		as->wtag = t;
}

void
hw_tlb_drop_page(hw_machine *m, struct hw_as *as, uint64_t va)
{
	uint32_t i, ix = (uint32_t)(va >> HW_PAGE_SHIFT) & TLB_MASK;

	if (as->epoch != m->epoch)
		return;
	for (i = 0; i < m->nharts; i++) {
		struct hw_hart *h = &m->harts[i];

		if (h->load[ix].key == key_of(va, as->rtag))
			h->load[ix].key = 0;
		if (h->store[ix].key == key_of(va, as->wtag))
			h->store[ix].key = 0;
		if (h->fetch[ix].key == key_of(va, as->xtag))
			h->fetch[ix].key = 0;
	}
}

void
hw_tlb_drop_range(struct hw_machine *m, struct hw_as *as, uint64_t va, uint64_t len)
{
	if (as->epoch != m->epoch)
		return;
	if (len >> HW_PAGE_SHIFT > DROP_PAGES) {
		hw_tlb_drop_as(m, as);
		return;
	}
	for (; len != 0; len -= HW_PAGE_SIZE, va += HW_PAGE_SIZE)
		hw_tlb_drop_page(m, as, va);
}

void
hw_tlb_drop_stores_to(hw_machine *m, uint32_t pfn)
{
	uint64_t frame = (uint64_t)(uintptr_t)MEM(m, pfn);
	uint32_t i, k;

	for (i = 0; i < m->nharts; i++) {
		struct tlbe *e = m->harts[i].store;

		for (k = 0; k < TLB_SIZE; k++) {
			uint64_t va = (e[k].key << 12 >> 12) << HW_PAGE_SHIFT;

			if (e[k].key != 0 && va + e[k].add == frame)
				e[k].key = 0;
		}
	}
}

uint8_t *
hw_tlb_fill(hw_machine *m, struct hw_hart *h, struct hw_as *as, uint64_t va,
    enum hw_access how, uint32_t *trap)
{
	uint32_t pfn;
	uint8_t *host = hw_resolve(m, as, va, how, trap, &pfn);
	struct tlbe *e;

	if (host == NULL || how == HW_FETCH)
		return host;
	hw_as_tags(m, as);
	e = (how == HW_STORE ? h->store : h->load) + (va >> HW_PAGE_SHIFT & TLB_MASK);
	e->key = key_of(va, how == HW_STORE ? as->wtag : as->rtag);
	e->add = (uint64_t)(uintptr_t)host - va;
	m->stat[HW_STAT_TLB_FILLS]++;
	/* stores through the TLB never meet decoded code: see hw_tlb_drop_stores_to */
	if (how == HW_STORE && m->code[pfn] != NULL)
		hw_code_dirty(m, pfn);
	return host;
}
