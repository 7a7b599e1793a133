/*
 * hw_mem.h - what the files of the memory side share: frames and table walks.
 */
#ifndef PERSONAE_HW_MEM_H
#define PERSONAE_HW_MEM_H

#include "hw_int.h"

#define GIB (UINT64_C(1) << 30)       /* what one entry of the root table spans */
#define MIB2 (UINT64_C(1) << 21)      /* what one entry of a level 1 table spans */
#define ROOT_LEVEL 2
#define ROOT_SLOTS 256u               /* the user half of the root table */
#define TABLE_SLOTS 512u
#define MAX_ACCTS 65536u              /* hw_machine.acct_of has 16 bits */
#define MAX_HARTS 256u
#define MAX_FRAMES UINT64_C(0xffffffff)
#define LOG_CAP (1u << 20)
#define PTE_RWX (PTE_R | PTE_W | PTE_X)

static inline uint64_t *
table(struct hw_machine *m, uint32_t pfn)
{
	return (uint64_t *)(void *)MEM(m, pfn);
}

static inline uint32_t
slot_of(uint64_t va, int level)
{
	return (uint32_t)(va >> (HW_PAGE_SHIFT + 9 * level)) & 511u;
}

static inline uint32_t
pte_pfn(uint64_t e)
{
	return (uint32_t)(e >> PTE_PPN_SHIFT);
}

static inline uint64_t
pte_table(uint32_t pfn)
{
	return (uint64_t)pfn << PTE_PPN_SHIFT | PTE_V;
}

static inline unsigned
pte_kind(uint64_t e)
{
	return (unsigned)(e >> PTE_KIND_SHIFT) & 7u;
}

/* Does this level 0 entry have a frame? */
static inline int
pte_has_frame(uint64_t e)
{
	return (e & PTE_V) != 0 || pte_kind(e) == KIND_HELD;
}

static inline uint64_t
pte_marker(enum pte_kind kind, uint32_t prot, uint64_t shared)
{
	return (uint64_t)kind << PTE_KIND_SHIFT | prot | shared;
}

/* frame.c */
uint32_t hw_frame_take(struct hw_machine *m, uint32_t acct, int zero);
void hw_frame_free(struct hw_machine *m, uint32_t pfn);       /* refs are 0 already */
int hw_acct_live(struct hw_machine *m, uint32_t acct);

static inline void
frame_drop(struct hw_machine *m, uint32_t pfn)
{
	if (--m->refs[pfn] == 0)
		hw_frame_free(m, pfn);
}

/* sv39.c */
struct hw_as *hw_as_get(struct hw_machine *m, uint32_t as);   /* NULL: no such space */
uint32_t hw_own_child(struct hw_machine *m, struct hw_as *as, uint64_t *slot, int level);
uint64_t *hw_own_leaf(struct hw_machine *m, struct hw_as *as, uint64_t va);
void hw_tab_rele(struct hw_machine *m, uint32_t pfn, int level);
uint64_t hw_walk(struct hw_machine *m, struct hw_as *as, uint64_t va, int *level);

/* tlb.c */
void hw_tlb_drop_range(struct hw_machine *m, struct hw_as *as, uint64_t va, uint64_t len);
void hw_tlb_drop_stores(struct hw_machine *m, struct hw_as *as);   /* a new store tag */

/* machine.c */
struct hw_machine *hw_machine_new(uint64_t nframes, uint32_t nharts);
int hw_grow(void **array, uint32_t *cap, uint32_t want, size_t size);

#endif
