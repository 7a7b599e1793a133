/*
 * copy.c - copies between host memory and an address space.
 *
 * They take the minor faults a user access would take; where the kernel has to
 * decide they stop and leave the address and the reason in the machine.
 */
#include <string.h>

#include "hw_mem.h"

static void
fault_set(struct hw_machine *m, uint64_t va, uint32_t trap)
{
	m->fault_addr = va;
	m->fault_trap = trap;
}

/* Bytes from va to the end of its page, at most len. */
static uint64_t
in_page(uint64_t va, uint64_t len)
{
	uint64_t n = HW_PAGE_SIZE - (va & (HW_PAGE_SIZE - 1));

	return n < len ? n : len;
}

int64_t
hw_copyin(hw_machine *m, uint32_t as, uint64_t va, void *dst, uint64_t len)
{
	struct hw_as *a = hw_as_get(m, as);
	uint64_t done, n;

	if (a == NULL) {
		fault_set(m, va, HW_TRAP_UNMAPPED);
		return HW_EINVAL;
	}
	for (done = 0; done < len; done += n) {
		uint32_t trap, pfn;
		uint8_t *host = hw_resolve(m, a, va + done, HW_LOAD, &trap, &pfn);

		if (host == NULL) {
			fault_set(m, va + done, trap);
			break;
		}
		n = in_page(va + done, len - done);
		memcpy((uint8_t *)dst + done, host, n);
	}
	return (int64_t)done;
}

int64_t
hw_copyout(hw_machine *m, uint32_t as, uint64_t va, const void *src, uint64_t len)
{
	struct hw_as *a = hw_as_get(m, as);
	uint64_t done, n;

	if (a == NULL) {
		fault_set(m, va, HW_TRAP_UNMAPPED);
		return HW_EINVAL;
	}
	for (done = 0; done < len; done += n) {
		uint32_t trap, pfn;
		uint8_t *host = hw_resolve(m, a, va + done, HW_STORE, &trap, &pfn);

		if (host == NULL) {
			fault_set(m, va + done, trap);
			break;
		}
		n = in_page(va + done, len - done);
		if (m->code[pfn] != NULL)
			hw_code_dirty(m, pfn);
		memcpy(host, (const uint8_t *)src + done, n);
	}
	return (int64_t)done;
}

/* The NUL has to be among the first max bytes, and is copied too. */
int64_t
hw_copyinstr(hw_machine *m, uint32_t as, uint64_t va, char *dst, uint64_t max)
{
	struct hw_as *a = hw_as_get(m, as);
	uint64_t done, n;

	if (a == NULL) {
		fault_set(m, va, HW_TRAP_UNMAPPED);
		return HW_EINVAL;
	}
	for (done = 0; done < max; done += n) {
		uint32_t trap, pfn;
		uint8_t *host = hw_resolve(m, a, va + done, HW_LOAD, &trap, &pfn);
		uint8_t *nul;

		if (host == NULL) {
			fault_set(m, va + done, trap);
			return HW_EFAULT;
		}
		n = in_page(va + done, max - done);
		nul = memchr(host, 0, n);
		if (nul != NULL)
			n = (uint64_t)(nul - host) + 1;
		memcpy(dst + done, host, n);
		if (nul != NULL)
			return (int64_t)(done + n - 1);
	}
	return HW_E2BIG;
}

uint64_t
hw_fault_addr(hw_machine *m)
{
	return m->fault_addr;
}

uint32_t
hw_fault_trap(hw_machine *m)
{
	return m->fault_trap;
}
