/*
 * save.c - a machine as bytes, and back.
 *
 * The image (all little-endian, each section padded to 8 bytes):
 *
 *   struct image                     magic, checksum of all that follows, counts
 *   accounts  limit, live            2 words each
 *   spaces    root, account          2 words each (root 0: free slot)
 *   contexts  live, 80 registers     81 words each
 *   refs      u32 of each frame below nextfresh
 *   acct_of   u16 of each frame below nextfresh
 *   freelist  u32 of each, in order
 *   log       bytes
 *   frames    4096 bytes of each with references, in order
 *
 * Nothing in it is a host address; TLBs, tags and decoded code are made anew.
 * hw_load believes nothing: the counts have to fit the length, and reference
 * counts, free list and page tables have to agree with each other, so that an
 * image made by an enemy can be wrong but cannot reach outside the arena.
 */
#include <stdlib.h>
#include <string.h>

#include "hw_mem.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "guest memory is used in place: the host has to be little-endian"
#endif

#define IMAGE_MAGIC UINT64_C(0x316d772d73726570)   /* "pers-wm1" */
#define IMAGE_VERSION 1
#define CTX_WORDS 81u

struct image {
	uint64_t magic, sum, version, length;
	uint64_t nframes, nharts, nextfresh, nfree, naccts, nspaces, nctxs, loglen, nsaved;
	uint64_t fault_addr, fault_trap;
	uint64_t stat[16];
};

/* Every step is invertible, so one changed word always changes the sum. */
static uint64_t
image_sum(const uint8_t *p, uint64_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325), w;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

static uint64_t
pad8(uint64_t n)
{
	return (n + 7) & ~UINT64_C(7);
}

/* The image's length by its counts, none of which is over 2^32. */
static uint64_t
image_length(const struct image *im)
{
	return sizeof (*im) + im->naccts * 16 + im->nspaces * 16 + im->nctxs * CTX_WORDS * 8 +
	    pad8(im->nextfresh * 4) + pad8(im->nextfresh * 2) + pad8(im->nfree * 4) +
	    pad8(im->loglen) + im->nsaved * HW_PAGE_SIZE;
}

static void
image_head(struct hw_machine *m, struct image *im)
{
	*im = (struct image){
		.magic = IMAGE_MAGIC, .version = IMAGE_VERSION,
		.nframes = m->nframes, .nharts = m->nharts, .nextfresh = m->nextfresh,
		.nfree = m->nfree, .naccts = m->naccts, .nspaces = m->nspaces,
		.nctxs = m->nctxs, .loglen = m->loglen,
		.nsaved = m->stat[HW_STAT_FRAMES_USED],
		.fault_addr = m->fault_addr, .fault_trap = m->fault_trap,
	};
	memcpy(im->stat, m->stat, sizeof (im->stat));
	im->length = image_length(im);
}

uint64_t
hw_save_size(hw_machine *m)
{
	struct image im;

	image_head(m, &im);
	return im.length;
}

/* ---- writing ---- */

static uint8_t *
put_word(uint8_t *p, uint64_t w)
{
	memcpy(p, &w, 8);
	return p + 8;
}

static uint8_t *
put_bytes(uint8_t *p, const void *src, uint64_t n)
{
	if (n != 0)
		memcpy(p, src, n);
	memset(p + n, 0, pad8(n) - n);
	return p + pad8(n);
}

static uint8_t *
put_ctx(struct hw_machine *m, uint32_t i, uint8_t *p)
{
	static const struct hw_ctx none;

	p = put_word(p, m->ctxlive[i]);
	return put_bytes(p, m->ctxlive[i] ? m->ctxs[i] : &none, sizeof (none));
}

int64_t
hw_save(hw_machine *m, uint8_t *buf, uint64_t len)
{
	struct image im;
	uint8_t *p = buf + sizeof (im);
	uint32_t i;

	image_head(m, &im);
	if (len < im.length)
		return HW_E2BIG;
	for (i = 0; i < m->naccts; i++)
		p = put_word(put_word(p, m->accts[i].limit), m->accts[i].live);
	for (i = 0; i < m->nspaces; i++)
		p = put_word(put_word(p, m->spaces[i].root), m->spaces[i].acct);
	for (i = 0; i < m->nctxs; i++)
		p = put_ctx(m, i, p);
	p = put_bytes(p, m->refs, (uint64_t)m->nextfresh * 4);
	p = put_bytes(p, m->acct_of, (uint64_t)m->nextfresh * 2);
	p = put_bytes(p, m->freelist, (uint64_t)m->nfree * 4);
	p = put_bytes(p, m->log, m->loglen);
	for (i = 1; i < m->nextfresh; i++)
		if (m->refs[i] != 0)
			p = put_bytes(p, MEM(m, i), HW_PAGE_SIZE);
	memcpy(buf, &im, sizeof (im));
	im.sum = image_sum(buf + 16, im.length - 16);
	memcpy(buf, &im, sizeof (im));
	return (int64_t)im.length;
}

/* ---- reading ---- */

static int
head_ok(const struct image *im, const uint8_t *buf, uint64_t len)
{
	const uint64_t top = UINT64_C(1) << 32;

	return im->magic == IMAGE_MAGIC && im->version == IMAGE_VERSION && im->length == len &&
	    im->nframes <= MAX_FRAMES && im->nharts <= MAX_HARTS &&
	    im->nextfresh >= 1 && im->nextfresh <= im->nframes &&
	    im->naccts >= 1 && im->naccts <= MAX_ACCTS && im->nspaces >= 1 &&
	    im->nspaces < top && im->nctxs >= 1 && im->nctxs < top && im->loglen < top / 4 &&
	    im->nfree < im->nextfresh && im->nsaved + im->nfree == im->nextfresh - 1 &&
	    image_length(im) == len && im->sum == image_sum(buf + 16, len - 16);
}

static const uint8_t *
get_word(const uint8_t *p, uint64_t *w)
{
	memcpy(w, p, 8);
	return p + 8;
}

static const uint8_t *
get_bytes(const uint8_t *p, void *dst, uint64_t n)
{
	if (n != 0)
		memcpy(dst, p, n);
	return p + pad8(n);
}

static const uint8_t *
get_ctx(struct hw_machine *m, uint32_t i, const uint8_t *p)
{
	uint64_t live;
	struct hw_ctx *c;

	p = get_word(p, &live);
	if (live > 1 || (live && i == 0))
		return NULL;
	if (live) {
		c = m->ctxs[i] = malloc(sizeof (*c));
		if (c == NULL)
			return NULL;
		memcpy(c, p, sizeof (*c));
		c->x[0] = 0;
		c->fcsr &= 0xff;
		if (c->res_addr >> HW_PAGE_SHIFT >= m->nframes)
			c->res_addr = 0;
		m->ctxlive[i] = 1;
		m->stat[HW_STAT_CTXS]++;
	}
	return p + sizeof (*c);
}

/* Accounts, spaces and contexts; NULL: host memory, or values that cannot be. */
static const uint8_t *
get_tables(struct hw_machine *m, const struct image *im, const uint8_t *p)
{
	uint32_t cap = m->naccts, caplive = m->capctxs, i;
	uint64_t a, b;

	m->nspaces = (uint32_t)im->nspaces;
	m->nctxs = (uint32_t)im->nctxs;
	if (hw_grow((void **)&m->accts, &cap, (uint32_t)im->naccts, sizeof (*m->accts)) ||
	    hw_grow((void **)&m->spaces, &m->capspaces, m->nspaces, sizeof (*m->spaces)) ||
	    hw_grow((void **)&m->ctxs, &m->capctxs, m->nctxs, sizeof (*m->ctxs)) ||
	    hw_grow((void **)&m->ctxlive, &caplive, m->nctxs, 1))
		return NULL;
	m->naccts = (uint32_t)im->naccts;
	for (i = 0; i < m->naccts; i++) {
		p = get_word(get_word(p, &a), &b);
		if (b > 1 || (i == 0 && (a != UINT64_MAX || b != 1)))
			return NULL;
		m->accts[i] = (struct hw_acct){ .limit = a, .live = (uint32_t)b };
	}
	for (i = 0; i < m->nspaces; i++) {
		p = get_word(get_word(p, &a), &b);
		if (a >= m->nextfresh || (a != 0 && (i == 0 || !hw_acct_live(m, (uint32_t)b))))
			return NULL;
		m->spaces[i] = (struct hw_as){ .root = a, .acct = (uint32_t)b };
		m->stat[HW_STAT_SPACES] += a != 0;
	}
	for (i = 0; i < m->nctxs && p != NULL; i++)
		p = get_ctx(m, i, p);
	return p;
}

/* Each frame below nextfresh has references or is on the free list, once. */
static int
frames_ok(struct hw_machine *m)
{
	uint32_t i;
	uint64_t used = 0;

	if (m->refs[0] != 0)
		return 0;
	for (i = 0; i < m->nfree; i++) {
		uint32_t pfn = m->freelist[i];

		if (pfn == 0 || pfn >= m->nextfresh || m->refs[pfn] != 0)
			return 0;
		m->refs[pfn] = UINT32_MAX;        /* seen; put back below */
	}
	for (i = 1; i < m->nextfresh; i++) {
		if (m->refs[i] == UINT32_MAX) {
			m->refs[i] = 0;
			continue;
		}
		if (m->refs[i] == 0 || !hw_acct_live(m, m->acct_of[i]))
			return 0;
		m->accts[m->acct_of[i]].used++;
		used++;
	}
	m->stat[HW_STAT_FRAMES_USED] = used;
	return used + m->nfree == m->nextfresh - 1;
}

/* What a walk of all tables finds, to be compared with the reference counts. */
struct census {
	uint8_t *level;                   /* level + 1 of a table, 0xff data, 0 not seen */
	uint32_t *found;                  /* entries that point there */
};

static int
leaf_ok(uint64_t e)
{
	if (e == 0)
		return 1;
	if (e & PTE_V)
		return (e & PTE_RWX) != 0 && (e & (PTE_R | PTE_W)) != PTE_W;
	return pte_kind(e) == KIND_ZERO || pte_kind(e) == KIND_ASK ||
	    (pte_kind(e) == KIND_HELD && (e & PTE_RWX) == 0);
}

static int
census_walk(struct hw_machine *m, struct census *c, uint32_t pfn, int level)
{
	uint32_t i, n = level == ROOT_LEVEL ? ROOT_SLOTS : TABLE_SLOTS;

	c->found[pfn]++;
	if (c->level[pfn] != 0)
		return c->level[pfn] == level + 1;
	c->level[pfn] = (uint8_t)(level + 1);
	m->stat[HW_STAT_TABLES]++;
	for (i = 0; i < n; i++) {
		uint64_t e = table(m, pfn)[i], to = e >> PTE_PPN_SHIFT;
		int frame = level == 0 ? pte_has_frame(e) : (e & PTE_V) != 0;

		if (frame && (to == 0 || to >= m->nextfresh || m->refs[to] == 0))
			return 0;
		if (level == 0) {
			if (!leaf_ok(e) || (frame && c->level[to] != 0 && c->level[to] != 0xff))
				return 0;
			if (frame) {
				c->level[to] = 0xff;
				c->found[to]++;
			}
		} else if (e & PTE_V) {
			if ((e & PTE_RWX) || !census_walk(m, c, (uint32_t)to, level - 1))
				return 0;
		} else if (!leaf_ok(e) || pte_kind(e) == KIND_HELD) {
			return 0;
		}
	}
	return 1;
}

/* A table has as many references as entries that point at it, a page at least. */
static int
census_ok(struct hw_machine *m, struct census *c)
{
	uint32_t i;

	for (i = 1; i < m->nspaces; i++) {
		uint32_t root = (uint32_t)m->spaces[i].root;

		if (root == 0)
			continue;
		if (m->refs[root] != 1 || m->acct_of[root] != m->spaces[i].acct ||
		    !census_walk(m, c, root, ROOT_LEVEL))
			return 0;
	}
	for (i = 1; i < m->nextfresh; i++) {
		if (c->level[i] == 0xff ? c->found[i] > m->refs[i] :
		    c->level[i] != 0 && c->found[i] != m->refs[i])
			return 0;
	}
	return 1;
}

static int
tables_ok(struct hw_machine *m)
{
	struct census c;
	int ok;

	c.level = calloc(m->nextfresh, 1);
	c.found = calloc(m->nextfresh, sizeof (*c.found));
	ok = c.level != NULL && c.found != NULL && census_ok(m, &c);
	free(c.level);
	free(c.found);
	return ok;
}

static int
image_read(struct hw_machine *m, const struct image *im, const uint8_t *p)
{
	uint32_t i;

	m->nextfresh = (uint32_t)im->nextfresh;
	m->nfree = (uint32_t)im->nfree;
	m->fault_addr = im->fault_addr;
	m->fault_trap = (uint32_t)im->fault_trap;
	p = get_tables(m, im, p);
	if (p == NULL)
		return 0;
	p = get_bytes(p, m->refs, im->nextfresh * 4);
	p = get_bytes(p, m->acct_of, im->nextfresh * 2);
	p = get_bytes(p, m->freelist, im->nfree * 4);
	if (!frames_ok(m) || m->stat[HW_STAT_FRAMES_USED] != im->nsaved)
		return 0;
	hw_log(m, p, (uint32_t)im->loglen);
	p += pad8(im->loglen);
	for (i = 1; i < m->nextfresh; i++)
		if (m->refs[i] != 0)
			p = get_bytes(p, MEM(m, i), HW_PAGE_SIZE);
	if (m->loglen != im->loglen || !tables_ok(m))
		return 0;
	/* what the machine is made of has been counted; the rest is history */
	m->stat[HW_STAT_FRAMES_PEAK] = im->stat[HW_STAT_FRAMES_PEAK];
	for (i = HW_STAT_ZEROFILLS; i < 16; i++)
		m->stat[i] = im->stat[i];
	return 1;
}

hw_machine *
hw_load(const uint8_t *buf, uint64_t len)
{
	struct hw_machine *m;
	struct image im;

	if (len < sizeof (im) || len % 8 != 0)
		return NULL;
	memcpy(&im, buf, sizeof (im));
	if (!head_ok(&im, buf, len))
		return NULL;
	m = hw_machine_new(im.nframes, (uint32_t)im.nharts);
	if (m != NULL && !image_read(m, &im, buf + sizeof (im))) {
		hw_destroy(m);
		return NULL;
	}
	return m;
}
