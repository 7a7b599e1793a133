/*
 * mem_fuzz.c - random calls to the memory side, built with ASan and UBSan.
 *
 * The CPU side is faked below: "decoded" frames are marked with a pointer that
 * names them.  After each call the TLBs are compared with the tables: no live entry
 * may allow what a walk would not.  A call that answers HW_ENOMEM must have
 * changed nothing that a guest can see.
 *
 * usage: mem_fuzz SEED STEPS MEM_PAGES
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw_mem.h"

#define CHECK(c) do { if (!(c)) { \
	fprintf(stderr, "%s:%d: step %lu: %s\n", __FILE__, __LINE__, step, #c); abort(); } } while (0)
#define NSPACE 6
#define NFRAME 16
#define HARTS 2

static unsigned long step;
static uint64_t rng;
static uint32_t space[NSPACE], frame[NFRAME], acct;

static uint64_t
rnd(uint64_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (rng * UINT64_C(0x2545f4914f6cdd1d) >> 11) % n;
}

/* ---- the CPU side, faked ---- */

static struct code_page *
fake_code(struct hw_machine *m, uint32_t pfn)
{
	return (struct code_page *)(void *)MEM(m, pfn);
}

static void
forget(struct hw_machine *m, uint32_t pfn)
{
	uint32_t i, k;

	for (i = 0; i < m->nharts; i++)
		for (k = 0; k < TLB_SIZE; k++)
			if (m->harts[i].fetch[k].code == m->code[pfn])
				m->harts[i].fetch[k].key = 0;
	m->code[pfn] = NULL;
}

void
hw_code_dirty(hw_machine *m, uint32_t pfn)
{
	CHECK(m->code[pfn] == fake_code(m, pfn));
	forget(m, pfn);
}

void
hw_code_free(hw_machine *m, uint32_t pfn)
{
	CHECK(m->code[pfn] == fake_code(m, pfn));
	forget(m, pfn);
}

/* ---- oracles ---- */

/* Does a live TLB entry say what the tables say? */
static void
check_entry(struct hw_machine *m, struct hw_as *as, uint64_t va, uint64_t host, uint64_t bit)
{
	uint64_t e2 = table(m, (uint32_t)as->root)[va >> 30], e1;
	int level;
	uint64_t e = hw_walk(m, as, va, &level);

	CHECK(level == 0 && (e & PTE_V) && (e & bit));
	CHECK(host == (uint64_t)(uintptr_t)MEM(m, pte_pfn(e)));
	if (bit == PTE_W) {
		e1 = table(m, pte_pfn(e2))[slot_of(va, 1)];
		CHECK((e & PTE_SHARED) ||
		    (m->refs[pte_pfn(e2)] == 1 && m->refs[pte_pfn(e1)] == 1));
		CHECK(m->code[pte_pfn(e)] == NULL);
	}
}

static void
check_tlbs(struct hw_machine *m)
{
	uint32_t i, h, k;

	for (i = 1; i < m->nspaces; i++) {
		struct hw_as *as = hw_as_get(m, i);

		if (as == NULL || as->epoch != m->epoch)
			continue;
		for (h = 0; h < m->nharts; h++) {
			for (k = 0; k < TLB_SIZE; k++) {
				struct tlbe *l = &m->harts[h].load[k], *s = &m->harts[h].store[k];
				struct tlbx *x = &m->harts[h].fetch[k];
				uint64_t lv = l->key << 12, sv = s->key << 12, xv = x->key << 12;

				if (l->key != 0 && l->key >> 52 == as->rtag)
					check_entry(m, as, lv, lv + l->add, PTE_R);
				if (s->key != 0 && s->key >> 52 == as->wtag)
					check_entry(m, as, sv, sv + s->add, PTE_W);
				if (x->key != 0 && x->key >> 52 == as->xtag)
					check_entry(m, as, xv, (uint64_t)(uintptr_t)x->code, PTE_X);
			}
		}
	}
}

static uint64_t digest_sum, run_start, run_value;

static void
digest_run(uint64_t va, uint64_t value)
{
	if (value == run_value && (value >> PTE_PPN_SHIFT) == 0)
		return;
	digest_sum = (digest_sum ^ run_value ^ run_start << 20) * UINT64_C(0x9e3779b97f4a7c15);
	digest_sum ^= digest_sum >> 31;
	run_start = va;
	run_value = value;
}

static void
digest_table(struct hw_machine *m, uint32_t pfn, int level, uint64_t va)
{
	uint32_t i, n = level == ROOT_LEVEL ? ROOT_SLOTS : TABLE_SLOTS;

	for (i = 0; i < n; i++, va += UINT64_C(1) << (12 + 9 * level)) {
		uint64_t e = table(m, pfn)[i];

		if (level > 0 && (e & PTE_V)) {
			digest_table(m, pte_pfn(e), level - 1, va);
			continue;
		}
		if (e & PTE_V)
			e = (e & ~(PTE_D | PTE_COW)) | (e & PTE_COW ? PTE_W : 0);
		digest_run(va, e);
	}
}

/* What a guest can see of a space: markers as ranges, COW the same as W. */
static uint64_t
digest(struct hw_machine *m, uint32_t as)
{
	struct hw_as *a = hw_as_get(m, as);

	digest_sum = run_start = run_value = 0;
	if (a != NULL)
		digest_table(m, (uint32_t)a->root, ROOT_LEVEL, 0);
	digest_run(HW_VA_TOP, ~UINT64_C(0));
	return digest_sum;
}

/* ---- the calls ---- */

static uint64_t
some_va(void)
{
	static const uint64_t base[] = {
		0, MIB2, 3 * MIB2, GIB, GIB + MIB2, 2 * GIB, HW_VA_TOP - 2 * MIB2,
	};

	return (base[rnd(7)] + (rnd(12) << 12)) - (rnd(3) ? 0 : 4096 * rnd(6));
}

static uint64_t
some_len(void)
{
	switch (rnd(8)) {
	case 0:
		return MIB2 * (1 + rnd(3));
	case 1:
		return GIB + (rnd(2) ? MIB2 : 4096);
	case 2:
		return rnd(600) << 12;
	default:
		return rnd(9) << 12;
	}
}

static uint32_t
some_prot(void)
{
	static const uint32_t p[] = { 0, HW_R, HW_R | HW_W, HW_R | HW_W, HW_W, HW_R | HW_X, HW_X, 14 };

	return p[rnd(8)];
}

static int
map_some_frames(struct hw_machine *m, uint32_t as)
{
	uint32_t pfns[40], i, n = 1 + (uint32_t)rnd(40);

	for (i = 0; i < n; i++)
		pfns[i] = rnd(5) ? frame[rnd(NFRAME)] : 0;
	return hw_map_frames(m, as, some_va() % HW_VA_TOP, n, pfns, some_prot(), (uint32_t)rnd(2));
}

static void
change_space(struct hw_machine *m, uint32_t as)
{
	uint64_t before = digest(m, as);
	int rc;

	switch (rnd(7)) {
	case 0: case 1:
		rc = hw_map_zero(m, as, some_va(), some_len(), some_prot());
		break;
	case 2:
		rc = hw_map_ask(m, as, some_va(), some_len(), some_prot(), (uint32_t)rnd(2));
		break;
	case 3:
		rc = map_some_frames(m, as);
		break;
	case 4:
		rc = hw_unmap(m, as, some_va(), some_len());
		break;
	case 5:
		rc = hw_protect(m, as, some_va(), some_len(), some_prot());
		break;
	default:
		rc = hw_move(m, as, some_va(), some_va(), some_len());
		break;
	}
	CHECK(rc == HW_OK || rc == HW_ENOMEM || rc == HW_EINVAL);
	if (rc != HW_OK)
		CHECK(before == digest(m, as));
}

static void
use_space(struct hw_machine *m, uint32_t as)
{
	struct hw_as *a = hw_as_get(m, as);
	struct hw_hart *h = &m->harts[rnd(HARTS)];
	uint64_t va = some_va() + rnd(4096);
	uint32_t trap = 99, pfn;
	uint8_t buf[9000], *p;

	switch (rnd(6)) {
	case 0:
		(void)hw_copyin(m, as, va, buf, rnd(sizeof (buf)));
		break;
	case 1:
		memset(buf, 'x', sizeof (buf));
		if (hw_copyout(m, as, va, buf, rnd(sizeof (buf))) > 0)
			CHECK(m->code[hw_pte_frame(m, as, va)] == NULL);
		break;
	case 2:
		(void)hw_copyinstr(m, as, va, (char *)buf, rnd(sizeof (buf)));
		break;
	case 3:
		hw_as_tags(m, a);
		p = hw_resolve(m, a, va, HW_FETCH, &trap, &pfn);
		if (p == NULL)
			break;
		m->code[pfn] = fake_code(m, pfn);
		hw_tlb_drop_stores_to(m, pfn);
		h->fetch[va >> 12 & TLB_MASK] = (struct tlbx){
			.key = va >> 12 | (uint64_t)a->xtag << 52, .code = m->code[pfn] };
		break;
	default:
		p = hw_tlb_fill(m, h, a, va, rnd(2) ? HW_STORE : HW_LOAD, &trap);
		CHECK((p == NULL) == (trap != 99));
		CHECK(p == NULL || ((uintptr_t)p & 4095) == (va & 4095));
		break;
	}
}

static void
set_space(struct hw_machine *m, uint32_t i)
{
	if (space[i] == 0)
		space[i] = hw_as_create(m, rnd(2) ? acct : 0);
	else if (rnd(3) == 0)
		hw_as_destroy(m, space[i]), space[i] = 0;
	else if (space[(i + 1) % NSPACE] == 0)
		space[(i + 1) % NSPACE] = hw_as_clone(m, space[i], rnd(2) ? acct : 0);
}

static void
use_frame(struct hw_machine *m, uint32_t i)
{
	uint8_t buf[100] = "frame";

	if (frame[i] == 0)
		frame[i] = hw_frame_alloc(m, acct);
	else if (rnd(3) == 0)
		hw_frame_rele(m, frame[i]), frame[i] = 0;
	else if (rnd(2))
		CHECK(hw_frame_write(m, frame[i], (uint32_t)rnd(3997), buf, 100) == HW_OK);
	else
		CHECK(hw_frame_read(m, frame[i], (uint32_t)rnd(3997), buf, 100) == HW_OK);
}

/* ---- images ---- */

/* As save.c: a checksum that is right lets a bad image reach the other checks. */
static void
fix_sum(uint8_t *p, uint64_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325), w, i;

	for (i = 16; i + 8 <= len; i += 8) {
		memcpy(&w, p + i, 8);
		h = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	memcpy(p + 8, &h, 8);
}

/* Whatever hw_load accepts has to be safe to use. */
static void
exercise(struct hw_machine *m)
{
	uint8_t buf[64];
	uint32_t i, k;

	for (i = 0; i < 8; i++) {
		for (k = 0; k < 4; k++) {
			(void)hw_copyin(m, i, some_va(), buf, sizeof (buf));
			(void)hw_copyout(m, i, some_va(), buf, sizeof (buf));
		}
		(void)hw_as_resident(m, i);
		hw_as_destroy(m, hw_as_clone(m, i, 0));
		(void)hw_protect(m, i, some_va() & ~UINT64_C(4095), MIB2, HW_R);
	}
	for (i = 0; i < 8; i++)
		hw_as_destroy(m, i);
	hw_destroy(m);
}

static void
images(struct hw_machine *m)
{
	uint64_t len = hw_save_size(m), i, k;
	uint8_t *p = malloc(len), *q = malloc(len);
	struct hw_machine *n;

	CHECK(hw_save(m, p, len - 1) == HW_E2BIG);
	CHECK(hw_save(m, p, len) == (int64_t)len);
	n = hw_load(p, len);
	CHECK(n != NULL && hw_save_size(n) == len && hw_save(n, q, len) == (int64_t)len);
	CHECK(memcmp(p, q, len) == 0);
	hw_destroy(n);
	n = hw_clone(m);
	CHECK(n != NULL && hw_save(n, q, len) == (int64_t)len && memcmp(p, q, len) == 0);
	hw_destroy(n);
	for (i = 0; i < 40; i++) {
		uint64_t at = 16 + rnd(i & 1 ? 400 : len - 24), old;

		at = i % 3 == 0 ? at & ~UINT64_C(7) : at;
		memcpy(&old, p + at, 8);
		k = i % 5 == 0 ? ~UINT64_C(0) : old ^ UINT64_C(1) << rnd(64);
		memcpy(p + at, &k, 8);
		CHECK(k == old || hw_load(p, len) == NULL);
		fix_sum(p, len);
		n = hw_load(p, len);
		if (n != NULL)
			exercise(n);
		memcpy(p + at, &old, 8);
		fix_sum(p, len);
	}
	free(p);
	free(q);
}

int
main(int argc, char **argv)
{
	unsigned long steps = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;
	uint64_t pages = argc > 3 ? strtoull(argv[3], NULL, 10) : 4096;
	struct hw_machine *m = hw_create(pages << 12, HARTS);
	uint32_t i;

	rng = (argc > 1 ? strtoull(argv[1], NULL, 10) : 1) * 2 + 1;
	CHECK(m != NULL);
	acct = hw_acct_create(m, pages / 3);
	for (step = 0; step < steps; step++) {
		i = (uint32_t)rnd(NSPACE);
		if (m->lasttag > 60 && m->lasttag < 4000)
			m->lasttag = 4000;            /* epochs end and tags come again soon */
		if (rnd(12) == 0)
			set_space(m, i);
		else if (rnd(6) == 0)
			use_frame(m, (uint32_t)rnd(NFRAME));
		else if (space[i] != 0 && rnd(6) == 0)
			change_space(m, space[i]);
		else if (space[i] != 0)
			use_space(m, space[i]);
		if (step % 4 == 0)
			check_tlbs(m);
		if (step % 2048 == 2047)
			images(m);
	}
	printf("zerofills %lu cows %lu reowns %lu unshares %lu peak %lu epoch %u\n",
	    (unsigned long)hw_stat(m, HW_STAT_ZEROFILLS), (unsigned long)hw_stat(m, HW_STAT_COWS),
	    (unsigned long)hw_stat(m, HW_STAT_REOWNS), (unsigned long)hw_stat(m, HW_STAT_UNSHARES),
	    (unsigned long)hw_stat(m, HW_STAT_FRAMES_PEAK), m->epoch);
	for (i = 0; i < NSPACE; i++)
		hw_as_destroy(m, space[i]);
	for (i = 0; i < NFRAME; i++)
		hw_frame_rele(m, frame[i]);
	CHECK(hw_stat(m, HW_STAT_FRAMES_USED) == 0 && hw_stat(m, HW_STAT_TABLES) == 0);
	CHECK(hw_stat(m, HW_STAT_SPACES) == 0 && hw_acct_used(m, acct) == 0);
	hw_destroy(m);
	return 0;
}
