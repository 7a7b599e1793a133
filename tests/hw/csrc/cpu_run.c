/*
 * cpu_run ELF - run a static riscv64 program that only writes and exits on the
 * bare hardware layer, so that the whole of it can be built with sanitizers.
 * Output goes to stdout; the exit status is the program's.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw.h"

#define STACK_TOP UINT64_C(0x3fffff0000)
#define STACK_SIZE (UINT64_C(1) << 20)
enum { A0 = 10, A1 = 11, A2 = 12, A7 = 17, SP = 2, SYS_WRITE = 64, SYS_EXIT = 93 };

static void die(const char *what)
{
	fprintf(stderr, "cpu_run: %s\n", what);
	exit(99);
}

static uint8_t *slurp(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL || fseek(f, 0, SEEK_END) != 0)
		die("cannot read the program");
	long n = ftell(f);
	uint8_t *data = malloc((size_t)n);
	rewind(f);
	if (data == NULL || fread(data, 1, (size_t)n, f) != (size_t)n)
		die("cannot read the program");
	fclose(f);
	*size = (size_t)n;
	return data;
}

static uint64_t load(hw_machine *m, uint32_t as, const uint8_t *elf)
{
	Elf64_Ehdr eh;
	memcpy(&eh, elf, sizeof eh);
	for (int i = 0; i < eh.e_phnum; i++) {
		Elf64_Phdr ph;
		memcpy(&ph, elf + eh.e_phoff + (size_t)i * sizeof ph, sizeof ph);
		if (ph.p_type != PT_LOAD)
			continue;
		uint64_t lo = ph.p_vaddr & ~UINT64_C(4095);
		uint64_t hi = (ph.p_vaddr + ph.p_memsz + 4095) & ~UINT64_C(4095);
		/* neighbours may share a page: map only what is not there yet */
		while (lo < hi && hw_pte(m, as, lo) != 0)
			lo += HW_PAGE_SIZE;
		if (lo < hi && hw_map_zero(m, as, lo, hi - lo, HW_R | HW_W | HW_X) != HW_OK)
			die("no memory");
		if (hw_copyout(m, as, ph.p_vaddr, elf + ph.p_offset, ph.p_filesz) !=
		    (int64_t)ph.p_filesz)
			die("cannot load a segment");
	}
	return eh.e_entry;
}

static void put(hw_machine *m, uint32_t as, uint64_t va, uint64_t n)
{
	static uint8_t buf[65536];
	while (n > 0) {
		uint64_t part = n < sizeof buf ? n : sizeof buf;
		if (hw_copyin(m, as, va, buf, part) != (int64_t)part)
			die("write from nowhere");
		fwrite(buf, 1, part, stdout);
		va += part;
		n -= part;
	}
}

int main(int argc, char **argv)
{
	size_t size;
	if (argc != 2)
		die("usage: cpu_run ELF");
	uint8_t *elf = slurp(argv[1], &size);
	hw_machine *m = hw_create(UINT64_C(256) << 20, 1);
	uint32_t as = hw_as_create(m, 0), ctx = hw_ctx_alloc(m);
	struct hw_ctx *c = hw_ctx_at(m, ctx);
	c->pc = load(m, as, elf);
	if (hw_map_zero(m, as, STACK_TOP - STACK_SIZE, STACK_SIZE, HW_R | HW_W) != HW_OK)
		die("no stack");
	c->x[SP] = STACK_TOP - 64;
	for (;;) {
		int t = hw_run(m, 0, ctx, as, 1000000);
		if (t == HW_TRAP_BUDGET)
			continue;
		if (t == HW_TRAP_LOGFULL) {
			uint8_t *log = malloc(hw_log_len(m));
			hw_log_take(m, log, hw_log_len(m));
			free(log);
			continue;
		}
		if (t != HW_TRAP_ECALL) {
			fprintf(stderr, "cpu_run: trap %d at %#llx, %#llx\n", t,
			        (unsigned long long)c->pc, (unsigned long long)c->tval);
			return 98;
		}
		if (c->x[A7] == SYS_EXIT)
			break;
		if (c->x[A7] != SYS_WRITE)
			die("a call that is not served");
		put(m, as, c->x[A1], c->x[A2]);
		c->x[A0] = c->x[A2];
		c->pc += 4;
	}
	int status = (int)c->x[A0] & 255;
	hw_destroy(m);
	free(elf);
	return status;
}
