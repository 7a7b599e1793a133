/*
 * sv39.c - address spaces: page tables, their sharing, and minor faults.
 *
 * The rules of sharing are in hw_int.h.  Two things below change no meaning, so
 * they need no undo when memory runs out half-way: copying a shared table, and
 * splitting a marker into a table of 512 markers.
 */
#include <string.h>

#include "hw_mem.h"

struct hw_as *
hw_as_get(struct hw_machine *m, uint32_t as)
{
	return as != 0 && as < m->nspaces && m->spaces[as].root != 0 ? &m->spaces[as] : NULL;
}

/* Drop one reference of a table; the last one takes along what is below it. */
void
hw_tab_rele(struct hw_machine *m, uint32_t pfn, int level)
{
	uint64_t *t = table(m, pfn);
	uint32_t i, n = level == ROOT_LEVEL ? ROOT_SLOTS : TABLE_SLOTS;

	if (--m->refs[pfn] != 0)
		return;
	for (i = 0; i < n; i++) {
		uint64_t e = t[i];

		if (e == 0) {                     /* most tables are mostly empty */
			while (i + 4 < n && (t[i + 1] | t[i + 2] | t[i + 3] | t[i + 4]) == 0)
				i += 4;
			continue;
		}
		if (level == 0) {
			if (pte_has_frame(e))
				frame_drop(m, pte_pfn(e));
		} else if (e & PTE_V) {
			hw_tab_rele(m, pte_pfn(e), level - 1);
		}
	}
	m->stat[HW_STAT_TABLES]--;
	hw_frame_free(m, pfn);
}

/* A table of 512 times the marker e, in place of one entry a level up. */
static uint32_t
tab_split(struct hw_machine *m, struct hw_as *as, uint64_t e)
{
	uint32_t i, pfn = hw_frame_take(m, as->acct, e == 0);

	if (pfn == 0)
		return 0;
	if (e != 0) {
		uint64_t *t = table(m, pfn);

		for (i = 0; i < TABLE_SLOTS; i++)
			t[i] = e;
	}
	m->stat[HW_STAT_TABLES]++;
	return pfn;
}

/* Copy a table that others use too, and leave the old one to them. */
static uint32_t
tab_unshare(struct hw_machine *m, struct hw_as *as, uint32_t old, int level)
{
	uint32_t i, pfn = hw_frame_take(m, as->acct, 0);
	uint64_t *from, *to;

	if (pfn == 0)
		return 0;
	from = table(m, old);
	to = table(m, pfn);
	for (i = 0; i < TABLE_SLOTS; i++) {
		uint64_t e = from[i];

		if (level == 0 ? pte_has_frame(e) : (e & PTE_V) != 0) {
			m->refs[pte_pfn(e)]++;
			/* the frame has two owners now: neither may store to it */
			if ((e & (PTE_V | PTE_W | PTE_SHARED)) == (PTE_V | PTE_W)) {
				e = (e & ~PTE_W) | PTE_COW;
				from[i] = e;
			}
		}
		to[i] = e;
	}
	m->refs[old]--;
	m->stat[HW_STAT_TABLES]++;
	m->stat[HW_STAT_UNSHARES]++;
	return pfn;
}

/*
 * The table below *slot, which is in a table of as's own, made as's own as well:
 * made from a marker or copied when it has to be.  `level` is that of the
 * table asked for.  0: no memory.
 */
uint32_t
hw_own_child(struct hw_machine *m, struct hw_as *as, uint64_t *slot, int level)
{
	uint32_t pfn = pte_pfn(*slot);

	if ((*slot & PTE_V) == 0)
		pfn = tab_split(m, as, *slot);
	else if (m->refs[pfn] > 1)
		pfn = tab_unshare(m, as, pfn, level);
	else
		return pfn;
	if (pfn != 0)
		*slot = pte_table(pfn);
	return pfn;
}

/* The level 0 entry of va in tables of as's own; NULL: no memory. */
uint64_t *
hw_own_leaf(struct hw_machine *m, struct hw_as *as, uint64_t va)
{
	uint32_t pfn = hw_own_child(m, as, &table(m, (uint32_t)as->root)[va >> 30], 1);

	if (pfn != 0)
		pfn = hw_own_child(m, as, &table(m, pfn)[slot_of(va, 1)], 0);
	return pfn != 0 ? &table(m, pfn)[slot_of(va, 0)] : NULL;
}

/* The entry that decides about va (a leaf or a marker) and its level. */
uint64_t
hw_walk(struct hw_machine *m, struct hw_as *as, uint64_t va, int *level)
{
	uint64_t e = pte_table((uint32_t)as->root);
	int l = ROOT_LEVEL + 1;

	do {
		l--;
		e = table(m, pte_pfn(e))[slot_of(va, l)];
	} while (l > 0 && (e & PTE_V));
	*level = l;
	return e;
}

/* ---- faults ---- */

static uint8_t *
refuse(uint32_t *trap, enum hw_trap why)
{
	*trap = why;
	return NULL;
}

/* Put a zeroed frame where the marker *pte is; 0: no memory. */
static uint32_t
zero_fill(struct hw_machine *m, struct hw_as *as, uint64_t *pte)
{
	uint64_t prot = *pte & PTE_RWX;
	uint32_t pfn = hw_frame_take(m, as->acct, 1);

	if (pfn == 0)
		return 0;
	*pte = (uint64_t)pfn << PTE_PPN_SHIFT | PTE_V | PTE_U | PTE_A | prot |
	    (prot & PTE_W ? PTE_D : 0);
	m->stat[HW_STAT_ZEROFILLS]++;
	return pfn;
}

/* Let the COW entry *pte be stored to: own the frame again, or copy it. */
static uint32_t
cow_break(struct hw_machine *m, struct hw_as *as, uint64_t va, uint64_t *pte)
{
	uint64_t low = *pte & ((UINT64_C(1) << PTE_PPN_SHIFT) - 1) & ~PTE_COW;
	uint32_t old = pte_pfn(*pte), pfn = old;

	if (m->refs[old] == 1) {
		m->stat[HW_STAT_REOWNS]++;
	} else {
		pfn = hw_frame_take(m, as->acct, 0);
		if (pfn == 0)
			return 0;
		memcpy(MEM(m, pfn), MEM(m, old), HW_PAGE_SIZE);
		m->refs[old]--;
		/* load and fetch entries still name the old frame */
		hw_tlb_drop_page(m, as, va);
		m->stat[HW_STAT_COWS]++;
	}
	*pte = (uint64_t)pfn << PTE_PPN_SHIFT | low | PTE_W | PTE_D;
	return pfn;
}

static const uint64_t need[] = { [HW_LOAD] = PTE_R, [HW_STORE] = PTE_W, [HW_FETCH] = PTE_X };

/* The tables do not allow the access as they are; e is the entry that decides. */
static uint8_t *
minor_fault(struct hw_machine *m, struct hw_as *as, uint64_t va, enum hw_access how,
    uint64_t e, uint32_t *trap, uint32_t *pfn)
{
	uint64_t prot = e & PTE_RWX;
	uint64_t *pte;

	if (e == 0)
		return refuse(trap, HW_TRAP_UNMAPPED);
	if ((e & (PTE_V | PTE_COW)) == (PTE_V | PTE_COW))
		prot |= PTE_W;
	if ((prot & need[how]) == 0)
		return refuse(trap, HW_TRAP_PROT);
	if ((e & PTE_V) == 0 && pte_kind(e) == KIND_ASK)
		return refuse(trap, HW_TRAP_ASK);
	pte = hw_own_leaf(m, as, va);
	if (pte == NULL)
		return refuse(trap, HW_TRAP_NOMEM);
	if ((*pte & PTE_V) == 0)
		*pfn = zero_fill(m, as, pte);
	else
		*pfn = cow_break(m, as, va, pte);
	if (*pfn == 0)
		return refuse(trap, HW_TRAP_NOMEM);
	return MEM(m, *pfn) + (va & (HW_PAGE_SIZE - 1));
}

uint8_t *
hw_resolve(hw_machine *m, struct hw_as *as, uint64_t va, enum hw_access how, uint32_t *trap,
    uint32_t *pfn)
{
	uint64_t e = 0;

	if (va < HW_VA_TOP)
		e = table(m, (uint32_t)as->root)[va >> 30];
	if (e & PTE_V) {
		uint32_t t1 = pte_pfn(e);

		e = table(m, t1)[slot_of(va, 1)];
		if (e & PTE_V) {
			uint32_t t0 = pte_pfn(e);

			e = table(m, t0)[slot_of(va, 0)];
			if ((e & PTE_V) && (e & need[how]) && (how != HW_STORE ||
			    (e & PTE_SHARED) || (m->refs[t1] | m->refs[t0]) == 1)) {
				*pfn = pte_pfn(e);
				return MEM(m, *pfn) + (va & (HW_PAGE_SIZE - 1));
			}
		}
	}
	return minor_fault(m, as, va, how, e, trap, pfn);
}

/* ---- spaces ---- */

/* A slot for a space whose root table is root; 0: no host memory. */
static uint32_t
as_slot(struct hw_machine *m, uint32_t root, uint32_t acct)
{
	uint32_t i = m->freespace;

	while (i < m->nspaces && m->spaces[i].root != 0)
		i++;
	if (i >= m->capspaces && hw_grow((void **)&m->spaces, &m->capspaces, i + 1,
	    sizeof (*m->spaces)) != HW_OK)
		return 0;
	m->spaces[i] = (struct hw_as){ .root = root, .acct = acct };
	if (i >= m->nspaces)
		m->nspaces = i + 1;
	m->freespace = i + 1;
	m->stat[HW_STAT_SPACES]++;
	m->stat[HW_STAT_TABLES]++;
	return i;
}

uint32_t
hw_as_create(hw_machine *m, uint32_t acct)
{
	uint32_t root = hw_frame_alloc(m, acct), as;

	if (root == 0)
		return 0;
	as = as_slot(m, root, acct);
	if (as == 0)
		frame_drop(m, root);
	return as;
}

uint32_t
hw_as_clone(hw_machine *m, uint32_t as, uint32_t acct)
{
	struct hw_as *parent = hw_as_get(m, as);
	uint32_t i, root, child;
	uint64_t *from, *to;

	if (parent == NULL || !hw_acct_live(m, acct))
		return 0;
	root = hw_frame_take(m, acct, 0);
	if (root == 0)
		return 0;
	child = as_slot(m, root, acct);
	if (child == 0) {
		frame_drop(m, root);
		return 0;
	}
	parent = hw_as_get(m, as);            /* the slots may have moved */
	from = table(m, (uint32_t)parent->root);
	to = table(m, root);
	memcpy(to, from, ROOT_SLOTS * sizeof (*to));
	memset(to + ROOT_SLOTS, 0, (TABLE_SLOTS - ROOT_SLOTS) * sizeof (*to));
	for (i = 0; i < ROOT_SLOTS; i++) {
		if (to[i] & PTE_V)
			m->refs[pte_pfn(to[i])]++;
		while (i + 4 < ROOT_SLOTS && (to[i + 1] | to[i + 2] | to[i + 3] | to[i + 4]) == 0)
			i += 4;
	}
	hw_tlb_drop_stores(m, parent);
	return child;
}

void
hw_as_destroy(hw_machine *m, uint32_t as)
{
	struct hw_as *a = hw_as_get(m, as);

	if (a == NULL)
		return;
	hw_tab_rele(m, (uint32_t)a->root, ROOT_LEVEL);
	a->root = 0;
	if (as < m->freespace)
		m->freespace = as;
	m->stat[HW_STAT_SPACES]--;
}

/* ---- looking at tables ---- */

uint64_t
hw_pte(hw_machine *m, uint32_t as, uint64_t va)
{
	struct hw_as *a = hw_as_get(m, as);
	int level;

	return a != NULL && va < HW_VA_TOP ? hw_walk(m, a, va, &level) : 0;
}

uint32_t
hw_pte_frame(hw_machine *m, uint32_t as, uint64_t va)
{
	uint64_t e = hw_pte(m, as, va);

	return pte_has_frame(e) ? pte_pfn(e) : 0;
}

uint64_t
hw_as_root(hw_machine *m, uint32_t as)
{
	struct hw_as *a = hw_as_get(m, as);

	return a != NULL ? a->root : 0;
}

static uint64_t
tab_resident(struct hw_machine *m, uint32_t pfn, int level)
{
	uint64_t *t = table(m, pfn), sum = 0;
	uint32_t i, n = level == ROOT_LEVEL ? ROOT_SLOTS : TABLE_SLOTS;

	for (i = 0; i < n; i++) {
		if (level == 0)
			sum += (uint64_t)pte_has_frame(t[i]);
		else if (t[i] & PTE_V)
			sum += tab_resident(m, pte_pfn(t[i]), level - 1);
	}
	return sum;
}

uint64_t
hw_as_resident(hw_machine *m, uint32_t as)
{
	struct hw_as *a = hw_as_get(m, as);

	return a != NULL ? tab_resident(m, (uint32_t)a->root, ROOT_LEVEL) : 0;
}
