/*
 * hw.h - the hardware that personae's kernel runs on, as the kernel sees it.
 *
 * One hw_machine holds physical memory (4 KiB frames with a reference count
 * each), Sv39 page tables that live in those frames, register contexts (one for
 * each lwp) and harts (the CPUs, each with its TLB).  Nothing here calls back
 * into the caller: hw_run() returns a trap, everything else returns a value.
 *
 * Sources: The RISC-V Instruction Set Manual, Volume I (unprivileged) and
 * Volume II (privileged), section "Sv39".
 */
#ifndef PERSONAE_HW_H
#define PERSONAE_HW_H

#include <stddef.h>
#include <stdint.h>

#define HW_PAGE_SHIFT 12
#define HW_PAGE_SIZE  4096u
#define HW_VA_BITS    38              /* user half of Sv39's 39 bits */
#define HW_VA_TOP     (UINT64_C(1) << HW_VA_BITS)

enum hw_err {
	HW_OK = 0,
	HW_ENOMEM = -1,                   /* no frame left, or over the account's limit */
	HW_EFAULT = -2,                   /* no translation; hw_fault_* tell where */
	HW_EINVAL = -3,                   /* not page aligned, outside the user half ... */
	HW_E2BIG = -4,                    /* string longer than the room for it */
};

/* What hw_run() and the copy functions report of an access that failed. */
enum hw_access { HW_LOAD = 0, HW_STORE = 1, HW_FETCH = 2 };

enum hw_trap {
	HW_TRAP_BUDGET = 0,               /* the budget of instructions is spent */
	HW_TRAP_ECALL = 1,                /* pc is at the ecall */
	HW_TRAP_EBREAK = 2,               /* pc is at the ebreak */
	HW_TRAP_ILLEGAL = 3,              /* tval = the instruction's bits */
	HW_TRAP_MISALIGNED = 4,           /* jump to an odd address, tval = target */
	HW_TRAP_ASK = 5,                  /* page is the kernel's to supply: tval, taccess */
	HW_TRAP_PROT = 6,                 /* mapped, but not for this access: tval, taccess */
	HW_TRAP_UNMAPPED = 7,             /* nothing mapped there: tval, taccess */
	HW_TRAP_NOMEM = 8,                /* a minor fault found no frame: tval, taccess */
	HW_TRAP_AMO_MISALIGNED = 9,       /* misaligned LR/SC/AMO: tval, taccess */
	HW_TRAP_LOGFULL = 10,             /* event log must be taken before going on */
};

/*
 * Registers of one lwp.  Python sees it as one memoryview of 80 uint64; the
 * order of the fields is part of the interface (hw/__init__.py names the slots).
 */
struct hw_ctx {
	uint64_t x[32];                   /*  0 x0..x31, x[0] is always 0 */
	uint64_t pc;                      /* 32 */
	uint64_t fcsr;                    /* 33 frm << 5 | fflags */
	uint64_t f[32];                   /* 34 raw bits, NaN boxed */
	uint64_t instret;                 /* 66 instructions retired by this lwp, ever */
	uint64_t cycle;                   /* 67 virtual time in cycles, in and out of hw_run */
	uint64_t id;                      /* 68 the lwp's name in the event log */
	uint64_t tval;                    /* 69 out: address or bits of the trap */
	uint64_t taccess;                 /* 70 out: enum hw_access */
	uint64_t insn_len;                /* 71 out: 2 or 4, length of the instruction at pc
	                                   *    for ECALL and EBREAK */
	uint64_t res_addr;                /* 72 LR reservation: physical address | 1, 0 none */
	uint64_t sink;                    /* 73 where writes to x0 go */
	uint64_t pad[6];
};

typedef struct hw_machine hw_machine;

/* protections of a mapping; the same bits as in a PTE (R=1<<1, W=1<<2, X=1<<3) */
#define HW_R 2u
#define HW_W 4u
#define HW_X 8u

/* flags of hw_map_frames */
#define HW_MAP_SHARED  1u             /* stores go to the frame itself, also after a clone */
#define HW_MAP_PRIVATE 0u             /* stores are made to a private copy */

/* ---- machine ---- */
hw_machine *hw_create(uint64_t mem_bytes, uint32_t nharts);   /* NULL: no host memory */
void        hw_destroy(hw_machine *m);
hw_machine *hw_clone(hw_machine *m);                          /* independent copy */
uint64_t    hw_save_size(hw_machine *m);
int64_t     hw_save(hw_machine *m, uint8_t *buf, uint64_t len);   /* bytes written or hw_err */
hw_machine *hw_load(const uint8_t *buf, uint64_t len);        /* NULL: not such an image */
uint64_t    hw_stat(hw_machine *m, uint32_t what);            /* enum hw_stat */

enum hw_stat {
	HW_STAT_FRAMES_TOTAL = 0, HW_STAT_FRAMES_USED = 1, HW_STAT_FRAMES_PEAK = 2,
	HW_STAT_TABLES = 3,               /* frames that hold page tables */
	HW_STAT_SPACES = 4, HW_STAT_CTXS = 5,
	HW_STAT_ZEROFILLS = 6, HW_STAT_COWS = 7, HW_STAT_REOWNS = 8, HW_STAT_UNSHARES = 9,
	HW_STAT_TLB_FILLS = 10, HW_STAT_DECODES = 11,
};

/* ---- accounts: who pays for a frame; account 0 has no limit ---- */
uint32_t hw_acct_create(hw_machine *m, uint64_t limit_frames);   /* 0: none left */
void     hw_acct_destroy(hw_machine *m, uint32_t acct);          /* must have no frame */
void     hw_acct_limit(hw_machine *m, uint32_t acct, uint64_t limit_frames);
uint64_t hw_acct_used(hw_machine *m, uint32_t acct);

/* ---- frames; pfn 0 is never handed out ---- */
uint32_t hw_frame_alloc(hw_machine *m, uint32_t acct);        /* zeroed, 1 reference; 0: none */
void     hw_frame_hold(hw_machine *m, uint32_t pfn);
void     hw_frame_rele(hw_machine *m, uint32_t pfn);
uint32_t hw_frame_refs(hw_machine *m, uint32_t pfn);
int      hw_frame_read(hw_machine *m, uint32_t pfn, uint32_t off, void *dst, uint32_t len);
int      hw_frame_write(hw_machine *m, uint32_t pfn, uint32_t off, const void *src, uint32_t len);

/* ---- address spaces ---- */
uint32_t hw_as_create(hw_machine *m, uint32_t acct);          /* 0: no memory */
uint32_t hw_as_clone(hw_machine *m, uint32_t as, uint32_t acct);  /* O(1) in size; 0: no memory */
void     hw_as_destroy(hw_machine *m, uint32_t as);
/* The four calls below replace what was there.  len > 0; all page aligned; on
 * HW_ENOMEM nothing has changed. */
int hw_map_zero(hw_machine *m, uint32_t as, uint64_t va, uint64_t len, uint32_t prot);
int hw_map_ask(hw_machine *m, uint32_t as, uint64_t va, uint64_t len, uint32_t prot, uint32_t flags);
int hw_map_frames(hw_machine *m, uint32_t as, uint64_t va, uint32_t n, const uint32_t *pfns,
                  uint32_t prot, uint32_t flags);             /* holds each frame; pfn 0: "ask" */
int hw_unmap(hw_machine *m, uint32_t as, uint64_t va, uint64_t len);
int hw_protect(hw_machine *m, uint32_t as, uint64_t va, uint64_t len, uint32_t prot);
int hw_move(hw_machine *m, uint32_t as, uint64_t from, uint64_t to, uint64_t len); /* mremap */
uint64_t hw_pte(hw_machine *m, uint32_t as, uint64_t va);     /* leaf entry as stored, 0: none */
uint32_t hw_pte_frame(hw_machine *m, uint32_t as, uint64_t va);   /* frame mapped at va or 0 */
uint64_t hw_as_root(hw_machine *m, uint32_t as);              /* pfn of the root table */
uint64_t hw_as_resident(hw_machine *m, uint32_t as);          /* pages present */

/* ---- copies between host memory and an address space.  They fault like user
 * accesses (zero-fill, copy-on-write); return bytes done, which is less than len
 * when a page needs the kernel: then hw_fault_addr/_trap say where and why. ---- */
int64_t  hw_copyin(hw_machine *m, uint32_t as, uint64_t va, void *dst, uint64_t len);
int64_t  hw_copyout(hw_machine *m, uint32_t as, uint64_t va, const void *src, uint64_t len);
int64_t  hw_copyinstr(hw_machine *m, uint32_t as, uint64_t va, char *dst, uint64_t max);
                                      /* length without the NUL, or HW_EFAULT, HW_E2BIG */
uint64_t hw_fault_addr(hw_machine *m);
uint32_t hw_fault_trap(hw_machine *m);                        /* enum hw_trap: ASK PROT UNMAPPED NOMEM */

/* ---- contexts and harts ---- */
uint32_t       hw_ctx_alloc(hw_machine *m);                   /* zeroed; 0: no memory */
void           hw_ctx_free(hw_machine *m, uint32_t ctx);
struct hw_ctx *hw_ctx_at(hw_machine *m, uint32_t ctx);        /* stays put until freed */
/* Run until a trap; at most about `budget` instructions (a basic block is finished). */
int hw_run(hw_machine *m, uint32_t hart, uint32_t ctx, uint32_t as, uint64_t budget);

/*
 * A slice: what one hart runs, and until when.  It is filled in once, and each trap
 * of the slice then costs a call with one pointer.  hw_go() runs s->ctx in s->as until
 * a trap, or until its cycle count has reached s->end (HW_TRAP_BUDGET); an ecall is
 * counted in s->ecalls and takes s->cost cycles more.
 */
struct hw_slice {
	hw_machine *m;
	uint64_t hart, ctx, as, end, cost, ecalls;
};
int hw_go(struct hw_slice *s);

/* ---- event log: what hw_run saw (entries and ecalls) and what the kernel adds ---- */
void     hw_log(hw_machine *m, const void *rec, uint32_t len);
uint32_t hw_log_take(hw_machine *m, uint8_t *buf, uint32_t max);   /* moves it out */
uint32_t hw_log_len(hw_machine *m);

#endif
