/*
 * hw_int.h - what the C files of the hardware share and the kernel does not see.
 *
 * Page-table entries are Sv39's (privileged spec, "Sv39").  V=1 entries mean
 * what the spec says; the two RSW bits, free for software, carry COW and SHARED:
 *
 *   63    54 53        10 9      8    7 6 5 4 3 2 1 0
 *   reserved    PPN       SHARED COW  D A G U X W R V
 *
 * In entries with V=0 all other bits are software's.  We use them to say what a
 * fault finds, at any level (a marker at level 1 stands for 2 MiB, at level 2
 * for 1 GiB), so that mapping a range costs what its page tables cost:
 *
 *   KIND at bits 4..6: NONE 0 (whole entry 0), ZERO 1 (demand zero), ASK 2 (the
 *   kernel supplies the page), HELD 3 (a frame whose protection is none; PPN
 *   valid, SHARED kept).  R W X hold the protection the mapping has.
 *
 * Tables are shared between address spaces after a clone.  The frame count of a
 * table is the number of entries that point at it.  Rule: a table is changed
 * only where every table on the path to it has the count 1 (else it is copied
 * first), and a store may use a PTE with W=1 only under the same condition; only
 * SHARED entries are used for stores in a shared table too, since the frame is
 * meant by all of them.  Copying a leaf table holds each frame again and turns W
 * into COW on both sides for what is not SHARED.
 */
#ifndef PERSONAE_HW_INT_H
#define PERSONAE_HW_INT_H

#include "hw.h"

#define PTE_V (1ull << 0)
#define PTE_R (1ull << 1)
#define PTE_W (1ull << 2)
#define PTE_X (1ull << 3)
#define PTE_U (1ull << 4)
#define PTE_G (1ull << 5)
#define PTE_A (1ull << 6)
#define PTE_D (1ull << 7)
#define PTE_COW (1ull << 8)
#define PTE_SHARED (1ull << 9)
#define PTE_PPN_SHIFT 10
#define PTE_KIND_SHIFT 4
enum pte_kind { KIND_NONE = 0, KIND_ZERO = 1, KIND_ASK = 2, KIND_HELD = 3 };

/*
 * TLB: direct mapped, one array for loads, one for stores, one for fetches.
 * key = va >> 12 | tag << 52, where tag is the address space's current load,
 * store or fetch tag: a switch changes the tag in use and flushes nothing, and a
 * clone gives the parent a new store tag only.  Tags are 1..4095; when they run
 * out every TLB is emptied and hw_machine.epoch goes up (an as whose epoch is
 * old gets new tags at its next hw_run).
 */
#define TLB_BITS 8
#define TLB_SIZE (1u << TLB_BITS)
#define TLB_MASK (TLB_SIZE - 1)
struct tlbe {
	uint64_t key;                     /* 0 never matches: tags start at 1 */
	uint64_t add;                     /* host address = va + add */
};
struct code_page;                     /* decoded instructions of one frame: decode.c */
struct tlbx {
	uint64_t key;
	struct code_page *code;
};

struct hw_hart {
	struct tlbe load[TLB_SIZE];
	struct tlbe store[TLB_SIZE];
	struct tlbx fetch[TLB_SIZE];
};

struct hw_as {
	uint64_t root;                    /* pfn of the root table, 0: slot is free */
	uint32_t acct;
	uint32_t epoch;
	uint16_t rtag, wtag, xtag;
};

struct hw_acct { uint64_t limit, used; uint32_t live; };

struct hw_machine {
	uint8_t *mem;                     /* arena, frame pfn at mem + (pfn << 12) */
	uint32_t nframes;
	uint32_t *refs;                   /* per frame */
	uint16_t *acct_of;                /* per frame */
	struct code_page **code;          /* per frame, NULL: nothing decoded */
	uint32_t *freelist;               /* stack of freed pfns */
	uint32_t nfree, nextfresh;
	uint32_t nharts;
	struct hw_hart *harts;
	struct hw_as *spaces; uint32_t nspaces, freespace;
	struct hw_ctx **ctxs; uint32_t nctxs;
	struct hw_acct *accts; uint32_t naccts;
	uint16_t lasttag; uint32_t epoch;
	uint64_t stat[16];
	uint64_t fault_addr; uint32_t fault_trap;
	uint8_t *log; uint32_t loglen, logcap;
	uint8_t *ctxlive;                 /* per ctx; a freed one keeps its memory for reuse */
	uint32_t capspaces, capctxs, freectx;
};

#define MEM(m, pfn) ((m)->mem + ((uint64_t)(pfn) << HW_PAGE_SHIFT))

/* sv39.c / tlb.c (memory side) */

/* Resolve one access: zero-fills, breaks COW, unshares tables.  Returns the host
 * address of va (the access must not cross a page) or NULL with *trap set to
 * ASK, PROT, UNMAPPED or NOMEM.  Fills no TLB. */
uint8_t *hw_resolve(hw_machine *m, struct hw_as *as, uint64_t va, enum hw_access how, uint32_t *trap,
                    uint32_t *pfn);
/* hw_resolve and enter the result into the hart's load or store TLB. */
uint8_t *hw_tlb_fill(hw_machine *m, struct hw_hart *h, struct hw_as *as, uint64_t va,
                     enum hw_access how, uint32_t *trap);
void hw_as_tags(hw_machine *m, struct hw_as *as);      /* give tags of this epoch if it has none */
void hw_tlb_drop_page(hw_machine *m, struct hw_as *as, uint64_t va);     /* all harts */
void hw_tlb_drop_as(hw_machine *m, struct hw_as *as);                    /* new tags */
void hw_tlb_drop_stores_to(hw_machine *m, uint32_t pfn);  /* store entries of that frame, all harts */

/* decode.c (CPU side) */

/* The frame's bytes change or it is freed: forget what was decoded from it.  Must be
 * safe while hw_run is inside that very page (entries are reset, memory is kept until the
 * frame is freed for good; hw_run notices and starts anew after the store). */
void hw_code_dirty(hw_machine *m, uint32_t pfn);
void hw_code_free(hw_machine *m, uint32_t pfn);        /* frame freed, not running in it */

#endif
