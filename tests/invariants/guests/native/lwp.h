/* lwp.h - start lwps, for guests of the invariants (lwp_create(2) of illumos). */
#define SYS_lwp_create 159
#define SYS_lwp_suspend 161
#define SYS_lwp_continue 162
#define SYS_lwp_kill 163
#define SYS_lwp_self 164
#define SYS_lwp_wait 167
#define LWP_DAEMON 0x20
#define LWP_DETACHED 0x40

struct kucontext {
    uint64_t flags, link, mask[2], sp, size, sflags, pc, x[31], f[32];
    uint64_t fcsr;
};

static char lwp_stacks[8][8192] __attribute__((aligned(16)));
static int lwp_used;

static int lwp_start(void (*fn)(void), int flags)
{
    static struct kucontext uc;
    syscall(SYS_context, 0, &uc);
    uc.pc = (uint64_t)fn;
    uc.x[1] = (uint64_t)lwp_stacks[lwp_used++ % 8] + sizeof lwp_stacks[0];
    return syscall(SYS_lwp_create, &uc, flags, NULL);
}

static void lwp_end(void)
{
    for (;;)
        syscall(SYS_lwp_exit);
}
