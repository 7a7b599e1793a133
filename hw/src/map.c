/*
 * map.c - changes to ranges of an address space: map, unmap, protect, move.
 *
 * Each call first makes every table it will change the space's own (that may
 * run out of memory, and changes no meaning) and then makes the change, which
 * cannot fail.
 */
#include "hw_mem.h"

#define NEVER (~UINT64_C(0))          /* no entry looks like this */

static int
range_ok(uint64_t va, uint64_t len)
{
	return len != 0 && ((va | len) & (HW_PAGE_SIZE - 1)) == 0 && va < HW_VA_TOP &&
	    len <= HW_VA_TOP - va;
}

/* A protection as a PTE may have it: W without R is reserved.  NEVER: not one. */
static uint64_t
prot_bits(uint32_t prot)
{
	if (prot & ~(HW_R | HW_W | HW_X))
		return NEVER;
	return prot & HW_W ? prot | HW_R : prot;
}

static uint64_t
next_slot(uint64_t va, uint64_t end, int level)
{
	uint64_t next = ((va >> (HW_PAGE_SHIFT + 9 * level)) + 1) << (HW_PAGE_SHIFT + 9 * level);

	return next < end ? next : end;
}

static int
whole_slot(uint64_t va, uint64_t next, int level)
{
	return next - va == UINT64_C(1) << (HW_PAGE_SHIFT + 9 * level);
}

/*
 * A change begins or ends at va: own the tables that it cuts through.  An entry
 * equal to `keep`, the marker that is about to be put there, needs no cut.
 */
static int
cut(struct hw_machine *m, struct hw_as *as, uint64_t va, uint64_t keep)
{
	uint64_t *slot;
	uint32_t pfn;

	if ((va & (GIB - 1)) == 0)
		return HW_OK;
	slot = &table(m, (uint32_t)as->root)[va >> 30];
	if (*slot == keep)
		return HW_OK;
	pfn = hw_own_child(m, as, slot, 1);
	if (pfn == 0)
		return HW_ENOMEM;
	if ((va & (MIB2 - 1)) == 0)
		return HW_OK;
	slot = &table(m, pfn)[slot_of(va, 1)];
	if (*slot == keep)
		return HW_OK;
	return hw_own_child(m, as, slot, 0) != 0 ? HW_OK : HW_ENOMEM;
}

static int
tab_empty(struct hw_machine *m, uint32_t pfn)
{
	uint64_t *t = table(m, pfn);
	uint32_t i;

	for (i = 0; i < TABLE_SLOTS; i++)
		if (t[i] != 0)
			return 0;
	return 1;
}

/* Give back the tables over va that have become empty. */
static void
prune(struct hw_machine *m, struct hw_as *as, uint64_t va)
{
	uint64_t *slot2 = &table(m, (uint32_t)as->root)[va >> 30], *slot1;
	uint32_t t1 = pte_pfn(*slot2);

	if ((*slot2 & PTE_V) == 0 || m->refs[t1] != 1)
		return;
	slot1 = &table(m, t1)[slot_of(va, 1)];
	if ((*slot1 & PTE_V) && tab_empty(m, pte_pfn(*slot1))) {
		hw_tab_rele(m, pte_pfn(*slot1), 0);
		*slot1 = 0;
	}
	if (tab_empty(m, t1)) {
		hw_tab_rele(m, t1, 1);
		*slot2 = 0;
	}
}

static void
entry_rele(struct hw_machine *m, uint64_t e, int level)
{
	if (level == 0) {
		if (pte_has_frame(e))
			frame_drop(m, pte_pfn(e));
	} else if (e & PTE_V) {
		hw_tab_rele(m, pte_pfn(e), level - 1);
	}
}

/* Put the marker into [va, end), whose ends have been cut. */
static void
fill(struct hw_machine *m, uint32_t tab, int level, uint64_t va, uint64_t end, uint64_t marker)
{
	uint64_t next;

	for (; va < end; va = next) {
		uint64_t *slot = &table(m, tab)[slot_of(va, level)], old = *slot;

		next = next_slot(va, end, level);
		if (old == marker)
			continue;
		if (whole_slot(va, next, level)) {
			*slot = marker;
			entry_rele(m, old, level);
		} else {
			fill(m, pte_pfn(old), level - 1, va, next, marker);
		}
	}
}

/* fill with nothing, and no empty table is left at the ends. */
static void
clear(struct hw_machine *m, struct hw_as *as, uint64_t va, uint64_t end)
{
	fill(m, (uint32_t)as->root, ROOT_LEVEL, va, end, 0);
	prune(m, as, va);
	prune(m, as, end - HW_PAGE_SIZE);
}

static int
set_range(struct hw_machine *m, uint32_t as, uint64_t va, uint64_t len, uint64_t marker)
{
	struct hw_as *a = hw_as_get(m, as);

	if (a == NULL || !range_ok(va, len))
		return HW_EINVAL;
	if (cut(m, a, va, marker) != HW_OK || cut(m, a, va + len, marker) != HW_OK)
		return HW_ENOMEM;
	if (marker == 0)
		clear(m, a, va, va + len);
	else
		fill(m, (uint32_t)a->root, ROOT_LEVEL, va, va + len, marker);
	hw_tlb_drop_range(m, a, va, len);
	return HW_OK;
}

int
hw_map_zero(hw_machine *m, uint32_t as, uint64_t va, uint64_t len, uint32_t prot)
{
	uint64_t p = prot_bits(prot);

	if (p == NEVER)
		return HW_EINVAL;
	return set_range(m, as, va, len, pte_marker(KIND_ZERO, (uint32_t)p, 0));
}

int
hw_map_ask(hw_machine *m, uint32_t as, uint64_t va, uint64_t len, uint32_t prot, uint32_t flags)
{
	uint64_t p = prot_bits(prot), shared = flags & HW_MAP_SHARED ? PTE_SHARED : 0;

	if (p == NEVER || flags & ~HW_MAP_SHARED)
		return HW_EINVAL;
	return set_range(m, as, va, len, pte_marker(KIND_ASK, (uint32_t)p, shared));
}

int
hw_unmap(hw_machine *m, uint32_t as, uint64_t va, uint64_t len)
{
	return set_range(m, as, va, len, 0);
}

/* ---- frames ---- */

/* The level 0 entry with e's frame (and SHARED) and the protection prot. */
static uint64_t
leaf_with(uint64_t e, uint64_t prot)
{
	uint64_t keep = (uint64_t)pte_pfn(e) << PTE_PPN_SHIFT | (e & PTE_SHARED);

	if (prot == 0)
		return keep | pte_marker(KIND_HELD, 0, 0);
	keep |= PTE_V | PTE_U | PTE_A | (prot & ~PTE_W);
	if ((prot & PTE_W) == 0)
		return keep;
	/* a private page may be stored to only if it has been already */
	if (e & PTE_SHARED || (e & (PTE_V | PTE_W)) == (PTE_V | PTE_W))
		return keep | PTE_W | PTE_D;
	return keep | PTE_COW;
}

int
hw_map_frames(hw_machine *m, uint32_t as, uint64_t va, uint32_t n, const uint32_t *pfns,
    uint32_t prot, uint32_t flags)
{
	struct hw_as *a = hw_as_get(m, as);
	uint64_t p = prot_bits(prot), shared = flags & HW_MAP_SHARED ? PTE_SHARED : 0;
	uint64_t len = (uint64_t)n << HW_PAGE_SHIFT, at;
	uint64_t *pte = NULL;
	uint32_t i;

	if (a == NULL || p == NEVER || flags & ~HW_MAP_SHARED || !range_ok(va, len))
		return HW_EINVAL;
	for (i = 0; i < n; i++)
		if (pfns[i] != 0 && hw_frame_refs(m, pfns[i]) == 0)
			return HW_EINVAL;
	for (at = va; at < va + len; at = next_slot(at, va + len, 1))
		if (hw_own_leaf(m, a, at) == NULL)
			return HW_ENOMEM;
	for (i = 0; i < n; i++)               /* before any old entry lets its frame go */
		if (pfns[i] != 0)
			m->refs[pfns[i]]++;
	for (i = 0, at = va; i < n; i++, at += HW_PAGE_SIZE) {
		uint64_t old;

		pte = i == 0 || (at & (MIB2 - 1)) == 0 ? hw_own_leaf(m, a, at) : pte + 1;
		old = *pte;
		if (pfns[i] == 0)
			*pte = pte_marker(KIND_ASK, (uint32_t)p, shared);
		else
			*pte = leaf_with((uint64_t)pfns[i] << PTE_PPN_SHIFT | shared, p);
		entry_rele(m, old, 0);
	}
	hw_tlb_drop_range(m, a, va, len);
	return HW_OK;
}

/* ---- protect ---- */

/* Own every table that has entries in [va, end). */
static int
own_range(struct hw_machine *m, struct hw_as *as, uint32_t tab, int level, uint64_t va,
    uint64_t end)
{
	uint64_t next;

	for (; level > 0 && va < end; va = next) {
		uint64_t *slot = &table(m, tab)[slot_of(va, level)];
		uint32_t child;

		next = next_slot(va, end, level);
		if (*slot == 0 || ((*slot & PTE_V) == 0 && whole_slot(va, next, level)))
			continue;
		child = hw_own_child(m, as, slot, level - 1);
		if (child == 0 || own_range(m, as, child, level - 1, va, next) != HW_OK)
			return HW_ENOMEM;
	}
	return HW_OK;
}

static void
protect(struct hw_machine *m, uint32_t tab, int level, uint64_t va, uint64_t end, uint64_t prot)
{
	uint64_t next;

	for (; va < end; va = next) {
		uint64_t *slot = &table(m, tab)[slot_of(va, level)], e = *slot;

		next = next_slot(va, end, level);
		if (e == 0)
			continue;
		if (level > 0 && (e & PTE_V))
			protect(m, pte_pfn(e), level - 1, va, next, prot);
		else if (level == 0 && pte_has_frame(e))
			*slot = leaf_with(e, prot);
		else
			*slot = (e & ~PTE_RWX) | prot;
	}
}

int
hw_protect(hw_machine *m, uint32_t as, uint64_t va, uint64_t len, uint32_t prot)
{
	struct hw_as *a = hw_as_get(m, as);
	uint64_t p = prot_bits(prot);

	if (a == NULL || p == NEVER || !range_ok(va, len))
		return HW_EINVAL;
	if (own_range(m, a, (uint32_t)a->root, ROOT_LEVEL, va, va + len) != HW_OK)
		return HW_ENOMEM;
	protect(m, (uint32_t)a->root, ROOT_LEVEL, va, va + len, p);
	hw_tlb_drop_range(m, a, va, len);
	return HW_OK;
}

/* ---- move ---- */

/*
 * One step of a move: from va on, either a marker that holds up to *next (its
 * value in *marker), or the entries of one leaf table (answers 1).
 */
static int
move_run(struct hw_machine *m, struct hw_as *as, uint64_t va, uint64_t end, uint64_t *next,
    uint64_t *marker)
{
	int level;

	*marker = hw_walk(m, as, va, &level);
	*next = next_slot(va, end, level > 0 ? level : 1);
	return level == 0;
}

/*
 * Own what the move changes.  Cutting at the four ends first keeps the runs of
 * the source as they are while the tables of the destination are made: what is
 * split later lies within the destination.
 */
static int
move_reserve(struct hw_machine *m, struct hw_as *as, uint64_t from, uint64_t to, uint64_t len)
{
	uint64_t va, next, marker, end = from + len, d = to - from;

	if (cut(m, as, from, NEVER) || cut(m, as, end, NEVER) || cut(m, as, to, NEVER) ||
	    cut(m, as, to + len, NEVER))
		return HW_ENOMEM;
	for (va = from; va < end; va = next) {
		if (move_run(m, as, va, end, &next, &marker)) {
			if (hw_own_leaf(m, as, va) == NULL ||
			    hw_own_leaf(m, as, va + d) == NULL ||
			    hw_own_leaf(m, as, next + d - HW_PAGE_SIZE) == NULL)
				return HW_ENOMEM;
		} else if (cut(m, as, va + d, NEVER) || cut(m, as, next + d, NEVER)) {
			return HW_ENOMEM;
		}
	}
	return HW_OK;
}

int
hw_move(hw_machine *m, uint32_t as, uint64_t from, uint64_t to, uint64_t len)
{
	struct hw_as *a = hw_as_get(m, as);
	uint64_t va, next, marker, end = from + len, d = to - from;
	uint32_t root;

	if (a == NULL || !range_ok(from, len) || !range_ok(to, len) ||
	    (from < to + len && to < end))
		return HW_EINVAL;
	if (move_reserve(m, a, from, to, len) != HW_OK)
		return HW_ENOMEM;
	root = (uint32_t)a->root;
	for (va = from; va < end; va = next) {
		if (!move_run(m, a, va, end, &next, &marker)) {
			fill(m, root, ROOT_LEVEL, va + d, next + d, marker);
			continue;
		}
		for (; va < next; va += HW_PAGE_SIZE) {
			uint64_t *src = hw_own_leaf(m, a, va), *dst = hw_own_leaf(m, a, va + d);
			uint64_t old = *dst;

			*dst = *src;
			*src = 0;
			entry_rele(m, old, 0);
		}
	}
	clear(m, a, from, end);
	hw_tlb_drop_range(m, a, from, len);
	hw_tlb_drop_range(m, a, to, len);
	return HW_OK;
}
