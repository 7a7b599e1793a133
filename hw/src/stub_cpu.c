/* stub_cpu.c - weak stand-ins until the CPU side is there; to be deleted. */
#include "hw_int.h"

#define WEAK __attribute__((weak))

WEAK int
hw_run(hw_machine *m, uint32_t hart, uint32_t ctx, uint32_t as, uint64_t budget)
{
	(void)m, (void)hart, (void)ctx, (void)as, (void)budget;
	return HW_EINVAL;
}

WEAK void
hw_code_dirty(hw_machine *m, uint32_t pfn)
{
	m->code[pfn] = NULL;
}

WEAK void
hw_code_free(hw_machine *m, uint32_t pfn)
{
	m->code[pfn] = NULL;
}
