/*
 * See sandbox.h. Two layers, of which either does without the other.
 *
 * Landlock: sandbox_init makes a ruleset of all rights that this kernel's ABI knows, sandbox_allow and the needs add the
 * directories that stay open, sandbox_enter restricts the thread to them. Descriptors that are open stay as they are.
 *
 * seccomp: `groups` is the one table of what each need takes, for glibc and musl, x86-64 and arm64; `arguments` are calls of
 * which only some are let pass. sandbox_compile writes them as a BPF program, two instructions a row: the kernel finds
 * out once which calls pass whatever their arguments are, and asks no more. On other architectures there is Landlock alone.
 */
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/log.h"
#include "sys/output_path.h"

/* Sanitizers make calls of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_IS_OFF 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
#define SANDBOX_IS_OFF 1
#endif
#endif
#ifndef SANDBOX_IS_OFF
#define SANDBOX_IS_OFF 0
#endif

/* Landlock: linux/landlock.h, which not every system has, and not of this age. */

enum {
    LANDLOCK_CREATE = 444,
    LANDLOCK_ADD_RULE = 445,
    LANDLOCK_RESTRICT_SELF = 446,
    LANDLOCK_ASK_VERSION = 1 << 0,
    LANDLOCK_PATH_BENEATH = 1
};

enum {
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_REG = 1 << 8,
    FS_TRUNCATE = 1 << 14,
    FS_IOCTL_DEV = 1 << 15,
    FS_OF_FILE = FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
    NET_ALL = 3,    /* TCP: bind and connect */
    SCOPE_UNIX = 1, /* abstract UNIX sockets of others */
    SCOPE_SIGNAL = 2
};

struct landlock_rules {
    uint64_t files;
    uint64_t net;   /* from ABI 4 */
    uint64_t scope; /* from ABI 6 */
};

struct landlock_path {
    uint64_t rights;
    int32_t directory;
} __attribute__((packed));

/* All rights of files that an ABI knows: they are numbered as they came. */
static uint64_t landlock_rights(int abi)
{
    static const unsigned char known[] = {0, 13, 14, 15, 15};
    const int last = (int)sizeof known - 1;
    return (UINT64_C(1) << (abi > last ? 16 : known[abi])) - 1;
}

/* 0: the kernel lacks it, or it is off. */
static int landlock_abi(void)
{
    const long abi = syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_ASK_VERSION);
    return abi > 0 ? (int)abi : 0;
}

static void landlock_create(struct sandbox *sandbox)
{
    const unsigned needs = sandbox->needs;
    sandbox->abi = landlock_abi();
    sandbox->ruleset = -1;
    if (!sandbox->abi)
        return;
    struct landlock_rules rules = {.files = landlock_rights(sandbox->abi)};
    size_t size = offsetof(struct landlock_rules, net);
    if (sandbox->abi >= 4) {
        size = offsetof(struct landlock_rules, scope);
        rules.net = (needs & (SANDBOX_SOCKETS | SANDBOX_LOOKUP)) ? 0 : NET_ALL;
    }
    if (sandbox->abi >= 6) {
        size = sizeof rules;
        rules.scope = (needs & SANDBOX_CHILDREN) ? 0 : SCOPE_SIGNAL;
        if (!(needs & (SANDBOX_SOCKETS | SANDBOX_LOOKUP | SANDBOX_DATAGRAMS)))
            rules.scope |= SCOPE_UNIX;
    }
    sandbox->ruleset = (int)syscall(LANDLOCK_CREATE, &rules, size, 0);
}

/* What cannot be said in the rules would be refused: there are none then. */
static void landlock_give_up(struct sandbox *sandbox)
{
    if (sandbox->ruleset >= 0)
        close(sandbox->ruleset);
    sandbox->ruleset = -1;
}

/* Leaves what the path leads to open for `rights`: of a file, those that a file can have. */
static void landlock_allow(struct sandbox *sandbox, const char *path, uint64_t rights)
{
    struct stat status;
    const int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
        landlock_give_up(sandbox);
    if (fd < 0)
        return;
    rights &= landlock_rights(sandbox->abi);
    if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode))
        rights &= FS_OF_FILE;
    const struct landlock_path rule = {rights, fd};
    syscall(LANDLOCK_ADD_RULE, sandbox->ruleset, LANDLOCK_PATH_BENEATH, &rule, 0);
    close(fd);
}

/* Does it for the directory of a file. */
static void landlock_allow_beside(struct sandbox *sandbox, const char *file, uint64_t rights)
{
    char path[PATH_MAX];
    const char *slash = strrchr(file, '/');
    const size_t length = slash ? (size_t)(slash - file) + 1 : 0;
    if (length >= sizeof path)
        return;
    memcpy(path, file, length);
    path[length] = '\0';
    landlock_allow(sandbox, length ? path : ".", rights);
}

/* What look-ups read: the files of the libc, what its modules (nss(5)) are and what they ask. */
static void landlock_allow_lookups(struct sandbox *sandbox)
{
    static const char files[][24] = {"/etc/nsswitch.conf", "/etc/resolv.conf",   "/etc/hosts",
                                     "/etc/host.conf",     "/etc/gai.conf",      "/etc/services",
                                     "/etc/protocols",     "/etc/networks",      "/etc/hostname",
                                     "/etc/ld.so.cache",   "/etc/ld.so.preload", "/etc/localtime",
                                     "/etc/mdns.allow",    "/etc/machine-info",  "/dev/null",
                                     "/dev/urandom"};
    static const char directories[][16] = {"/lib",       "/lib32",   "/lib64",     "/libx32",
                                           "/usr",       "/nix",     "/gnu/store", "/opt",
                                           "/run",       "/var/run", "/var/lib",   "/var/db",
                                           "/var/cache", "/proc",    "/sys"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        landlock_allow(sandbox, files[i], FS_READ_FILE);
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
        landlock_allow(sandbox, directories[i], FS_READ_FILE | FS_READ_DIR);
    const char *libraries = getenv("LD_LIBRARY_PATH");
    for (char path[PATH_MAX]; libraries && *libraries;) {
        const size_t length = strcspn(libraries, ":;");
        if (length && length < sizeof path) {
            memcpy(path, libraries, length);
            path[length] = '\0';
            landlock_allow(sandbox, path, FS_READ_FILE | FS_READ_DIR);
        }
        libraries += length + (libraries[length] != '\0');
    }
    /* A server reads them again when they have changed, which most programs do by rename(2). */
    if (sandbox->needs & SANDBOX_SERVICES)
        landlock_allow(sandbox, "/etc", FS_READ_FILE | FS_READ_DIR);
}

/* seccomp */

#if defined(__x86_64__) && !defined(__ILP32__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef SANDBOX_ARCH

/* Calls that are younger than some systems' headers. */
#ifndef SYS_statx
#define SYS_statx (SANDBOX_ARCH == AUDIT_ARCH_X86_64 ? 332 : 291)
#endif
#ifndef SYS_rseq
#define SYS_rseq (SANDBOX_ARCH == AUDIT_ARCH_X86_64 ? 334 : 293)
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

enum {
    ALWAYS = 0,
    OPENS = SANDBOX_READ | SANDBOX_REPLACE | SANDBOX_LOOKUP,
    REMOVES = SANDBOX_REMOVE | SANDBOX_REPLACE,
    CONNECTS = SANDBOX_SOCKETS | SANDBOX_LOOKUP
};

/* Calls that pass for any of the needs, whatever their arguments are; ALWAYS: for all. */
struct sandbox_group {
    unsigned needs;
    size_t count;
    const short *numbers;
};

static const short of_bytes[] = {SYS_read,       SYS_write,      SYS_readv,       SYS_writev,
                                 SYS_pread64,    SYS_pwrite64,   SYS_lseek,       SYS_close,
                                 SYS_splice,     SYS_tee,        SYS_pipe2,       SYS_dup,
                                 SYS_dup3,       SYS_fcntl,      SYS_fstat,       SYS_newfstatat,
                                 SYS_statx,      SYS_sendto,     SYS_recvfrom,    SYS_sendmsg,
                                 SYS_recvmsg,    SYS_sendmmsg,   SYS_recvmmsg,    SYS_shutdown,
                                 SYS_getsockopt, SYS_setsockopt, SYS_getsockname, SYS_getpeername};
static const short of_waiting[] = {SYS_epoll_create1,   SYS_epoll_ctl,     SYS_epoll_pwait,
                                   SYS_epoll_pwait2,    SYS_ppoll,         SYS_pselect6,
                                   SYS_signalfd4,       SYS_eventfd2,      SYS_nanosleep,
                                   SYS_clock_nanosleep, SYS_clock_gettime, SYS_clock_getres,
                                   SYS_gettimeofday};
static const short of_a_process[] = {SYS_brk,
                                     SYS_munmap,
                                     SYS_mremap,
                                     SYS_madvise,
                                     SYS_futex,
                                     SYS_set_robust_list,
                                     SYS_sched_yield,
                                     SYS_membarrier,
                                     SYS_rseq,
                                     SYS_rt_sigaction,
                                     SYS_rt_sigprocmask,
                                     SYS_rt_sigreturn,
                                     SYS_rt_sigtimedwait,
                                     SYS_sigaltstack,
                                     SYS_restart_syscall,
                                     SYS_getpid,
                                     SYS_gettid,
                                     SYS_getppid,
                                     SYS_getuid,
                                     SYS_geteuid,
                                     SYS_getgid,
                                     SYS_getegid,
                                     SYS_getrlimit,
                                     SYS_getrandom,
                                     SYS_sched_getaffinity,
                                     SYS_uname,
                                     SYS_sysinfo,
                                     SYS_exit,
                                     SYS_exit_group};
static const short of_accept[] = {SYS_accept, SYS_accept4};
static const short of_connect[] = {SYS_connect, SYS_bind, SYS_socketpair};
static const short of_children[] = {SYS_kill, SYS_wait4, SYS_waitid};
static const short of_opening[] = {SYS_openat,     SYS_faccessat,  SYS_faccessat2,
                                   SYS_readlinkat, SYS_getdents64, SYS_fstatfs,
                                   SYS_statfs,     SYS_getcwd,     SYS_fadvise64};
static const short of_removal[] = {SYS_unlinkat};
static const short of_replacement[] = {SYS_renameat,  SYS_renameat2, SYS_ftruncate,   SYS_fsync,
                                       SYS_flock,     SYS_fchmod,    SYS_fchown,      SYS_umask,
                                       SYS_fgetxattr, SYS_fsetxattr, SYS_fremovexattr};
#ifdef SYS_open /* x86-64 has these as well; musl calls them, and so does an old glibc */
static const short old_always[] = {SYS_stat,       SYS_lstat,        SYS_poll,     SYS_select,
                                   SYS_epoll_wait, SYS_epoll_create, SYS_signalfd, SYS_eventfd,
                                   SYS_pipe,       SYS_dup2,         SYS_time,     SYS_pause};
static const short old_opening[] = {SYS_open, SYS_access, SYS_readlink};
static const short old_removal[] = {SYS_unlink};
static const short old_replacement[] = {SYS_rename};
#endif

#define GROUP(needs, numbers)                                                                      \
    {                                                                                              \
        needs, sizeof(numbers) / sizeof *(numbers), numbers                                        \
    }

static const struct sandbox_group groups[] = {
    GROUP(ALWAYS, of_bytes),
    GROUP(ALWAYS, of_waiting),
    GROUP(ALWAYS, of_a_process),
    GROUP(SANDBOX_ACCEPT, of_accept),
    GROUP(CONNECTS, of_connect),
    GROUP(SANDBOX_CHILDREN, of_children),
    GROUP(OPENS, of_opening),
    GROUP(REMOVES, of_removal),
    GROUP(SANDBOX_REPLACE, of_replacement),
#ifdef SYS_open
    GROUP(ALWAYS, old_always),
    GROUP(OPENS, old_opening),
    GROUP(REMOVES, old_removal),
    GROUP(SANDBOX_REPLACE, old_replacement),
#endif
};

/* How an argument is looked at. */
enum sandbox_test {
    TEST_IS,    /* it is the value */
    TEST_HAS,   /* it has a bit of the value */
    TEST_LACKS, /* it has none */
    TEST_IS_US  /* it is our process */
};

/* A call that passes if its argument (the low 32 bits of it) does. Rows of one call stand together; one that passes is
 * enough. */
struct sandbox_argument {
    short number;
    unsigned char index;
    unsigned char test;
    unsigned needs;
    uint32_t value;
};

#define ARGUMENT(name, index, test, value, needs)                                                  \
    {                                                                                              \
        SYS_##name, index, TEST_##test, needs, (uint32_t)(value)                                   \
    }

static const struct sandbox_argument arguments[] = {
    /* Libraries are loaded by look-ups alone. */
    ARGUMENT(mmap, 2, LACKS, PROT_EXEC, ALWAYS),
    ARGUMENT(mmap, 2, HAS, PROT_EXEC, SANDBOX_LOOKUP),
    ARGUMENT(mprotect, 2, LACKS, PROT_EXEC, ALWAYS),
    ARGUMENT(mprotect, 2, HAS, PROT_EXEC, SANDBOX_LOOKUP),
    /* Threads, and no processes. */
    ARGUMENT(clone, 0, HAS, 0x10000 /* CLONE_THREAD */, SANDBOX_LOOKUP | SANDBOX_THREADS),
    /* Libraries that are loaded ask what the kernel knows (libcap), and give threads names. */
    ARGUMENT(prctl, 0, IS, PR_CAPBSET_READ, SANDBOX_LOOKUP),
    ARGUMENT(prctl, 0, IS, PR_SET_NAME, SANDBOX_LOOKUP),
    /* The limits of nobody else. */
    ARGUMENT(prlimit64, 0, IS, 0, ALWAYS),
    ARGUMENT(prlimit64, 0, IS_US, 0, ALWAYS),
    ARGUMENT(tgkill, 0, IS_US, 0, ALWAYS),
    ARGUMENT(tkill, 0, IS_US, 0, ALWAYS),
    /* Queues, and the size of a terminal; nothing is typed on it (TIOCSTI). */
    ARGUMENT(ioctl, 1, IS, TIOCOUTQ, ALWAYS),
    ARGUMENT(ioctl, 1, IS, TIOCGWINSZ, ALWAYS),
    ARGUMENT(ioctl, 1, IS, TCGETS, ALWAYS),
    ARGUMENT(ioctl, 1, IS, 0x802C542A /* TCGETS2 */, ALWAYS),
    ARGUMENT(ioctl, 1, IS, FIONREAD, SANDBOX_LOOKUP),
    ARGUMENT(ioctl, 1, IS, FIONBIO, SANDBOX_LOOKUP),
    ARGUMENT(ioctl, 1, IS, 0x8910 /* SIOCGIFNAME */, SANDBOX_ZONES | CONNECTS),
    ARGUMENT(ioctl, 1, IS, 0x8933 /* SIOCGIFINDEX */, CONNECTS),
    /* Not of raw packets, nor of what few know. */
    ARGUMENT(socket, 0, IS, AF_UNIX, CONNECTS | SANDBOX_ZONES),
    ARGUMENT(socket, 0, IS, AF_INET, CONNECTS),
    ARGUMENT(socket, 0, IS, AF_INET6, CONNECTS),
    ARGUMENT(socket, 0, IS, AF_VSOCK, SANDBOX_SOCKETS),
    ARGUMENT(socket, 0, IS, AF_NETLINK, SANDBOX_LOOKUP),
};

enum { ARGUMENTS = sizeof arguments / sizeof *arguments, PROGRAM_MAX = 512 };

/* Says whether a row is for one of the needs. */
static bool sandbox_is_for(unsigned row, unsigned needs)
{
    return row == ALWAYS || row & needs;
}

struct sandbox_program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned short length;
    uint32_t refusal; /* what is returned for what is not in the tables */
};

static void program_add(struct sandbox_program *program, struct sock_filter instruction)
{
    program->code[program->length++] = instruction;
}

static void program_return(struct sandbox_program *program, uint32_t what)
{
    program_add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

/* Compares (BPF_JEQ, BPF_JSET, BPF_JGE) what was loaded; where the result is `wanted`, `what` is returned. */
static void program_return_if(struct sandbox_program *program, unsigned compare, uint32_t value,
                              bool wanted, uint32_t what)
{
    program_add(program, (struct sock_filter)BPF_JUMP((unsigned short)(BPF_JMP | compare | BPF_K),
                                                      value, wanted ? 0 : 1, wanted ? 1 : 0));
    program_return(program, what);
}

static void program_load(struct sandbox_program *program, size_t offset)
{
    program_add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void program_add_argument(struct sandbox_program *program,
                                 const struct sandbox_argument *row)
{
    const uint32_t value = row->test == TEST_IS_US ? (uint32_t)getpid() : row->value;
    const bool is_mask = row->test == TEST_HAS || row->test == TEST_LACKS;
    program_return_if(program, is_mask ? BPF_JSET : BPF_JEQ, value, row->test != TEST_LACKS,
                      SECCOMP_RET_ALLOW);
}

/* Writes the rows of one call, from `first` to before `end`, of which some are for these needs. */
static void program_add_arguments(struct sandbox_program *program, unsigned needs,
                                  const struct sandbox_argument *first,
                                  const struct sandbox_argument *end)
{
    const unsigned short jump = program->length;
    program_add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                      (uint32_t)first->number, 0, 0));
    program_load(program, offsetof(struct seccomp_data, args) + first->index * sizeof(uint64_t));
    for (const struct sandbox_argument *row = first; row < end; row++)
        if (sandbox_is_for(row->needs, needs))
            program_add_argument(program, row);
    program_return(program, program->refusal);
    program->code[jump].jf = (unsigned char)(program->length - jump - 1);
}

static void sandbox_compile(struct sandbox_program *program, unsigned needs)
{
    program_load(program, offsetof(struct seccomp_data, arch));
    program_return_if(program, BPF_JEQ, SANDBOX_ARCH, false, program->refusal);
    program_load(program, offsetof(struct seccomp_data, nr));
    /* None at all, as strace(1) has it where it gives the result in place of the kernel. */
    program_return_if(program, BPF_JEQ, UINT32_MAX, true, SECCOMP_RET_ALLOW);
#ifdef __x86_64__
    program_return_if(program, BPF_JGE, 0x40000000 /* x32 */, true, program->refusal);
#endif
    /* Its flags are in memory, where nobody can look: the libc takes clone(2) instead. */
    program_return_if(program, BPF_JEQ, SYS_clone3, true, SECCOMP_RET_ERRNO | ENOSYS);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        for (size_t at = 0; sandbox_is_for(groups[i].needs, needs) && at < groups[i].count; at++)
            program_return_if(program, BPF_JEQ, (uint32_t)groups[i].numbers[at], true,
                              SECCOMP_RET_ALLOW);
    for (const struct sandbox_argument *row = arguments, *end; row < arguments + ARGUMENTS;
         row = end) {
        bool is_needed = false;
        for (end = row; end < arguments + ARGUMENTS && end->number == row->number; end++)
            is_needed = is_needed || sandbox_is_for(end->needs, needs);
        if (is_needed)
            program_add_arguments(program, needs, row, end);
    }
    program_return(program, program->refusal);
}

/* Installs the filter: 0, or -1 and errno. A look-up that was given up may still run on a thread of its own: it is bound,
 * too, and fails; where a call that is refused would end the process, it is left alone. */
static int sandbox_filter(unsigned needs)
{
    const char *word = getenv("SOCKCTL_SANDBOX");
    const bool is_strict = word && strcmp(word, "strict") == 0;
    struct sandbox_program program = {.refusal = is_strict ? SECCOMP_RET_KILL_PROCESS
                                                           : SECCOMP_RET_ERRNO | EPERM};
    sandbox_compile(&program, needs);
    const struct sock_fprog filter = {program.length, program.code};
    const unsigned threads = is_strict ? 0U : (unsigned)SECCOMP_FILTER_FLAG_TSYNC;
    /* The kernel is not to slow us down for what a foreign program might do (Linux 4.17). */
    const unsigned flags[] = {threads | 1U << 2 /* SPEC_ALLOW */, threads, 0};
    long result = -1;
    for (size_t i = 0; i < sizeof flags / sizeof *flags && result; i++)
        result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags[i], &filter);
    return result ? -1 : 0;
}

static bool sandbox_has_filter(void)
{
    const uint32_t refusal = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &refusal) == 0;
}

#else

static int sandbox_filter(unsigned needs)
{
    (void)needs;
    errno = ENOSYS;
    return -1;
}

static bool sandbox_has_filter(void)
{
    return false;
}

#endif

/* Both */

void sandbox_init(struct sandbox *sandbox, unsigned needs)
{
    *sandbox = (struct sandbox){.needs = needs, .is_ready = !SANDBOX_IS_OFF, .ruleset = -1};
    if (!sandbox->is_ready)
        return;
    landlock_create(sandbox);
    if (sandbox->ruleset >= 0 && needs & SANDBOX_LOOKUP)
        landlock_allow_lookups(sandbox);
}

/* What is written anew, at the end of the links that lead to it. A descriptor that is meant (/dev/stdout) is there already,
 * but a device is opened once more. */
static void landlock_allow_replacing(struct sandbox *sandbox, const char *file)
{
    struct error ignored;
    struct stat status;
    int fd;
    char *place = output_path_find(file, &fd, &ignored);
    if (!place)
        return;
    if (fd >= 0 || (stat(place, &status) == 0 && !S_ISREG(status.st_mode)))
        landlock_allow(sandbox, file, FS_OF_FILE);
    else
        landlock_allow_beside(sandbox, place,
                              FS_OF_FILE | FS_READ_DIR | FS_REMOVE_FILE | FS_MAKE_REG);
    if (fd >= 0)
        close(fd);
    free(place);
}

void sandbox_allow(struct sandbox *sandbox, enum sandbox_need need, const char *file)
{
    char path[PATH_MAX];
    struct stat status;
    sandbox->needs |= need;
    if (sandbox->ruleset < 0)
        return;
    if (need == SANDBOX_REPLACE) {
        landlock_allow_replacing(sandbox, file);
    } else if (need == SANDBOX_REMOVE) {
        landlock_allow_beside(sandbox, file, FS_REMOVE_FILE);
    } else if (stat(file, &status) == 0 && !S_ISREG(status.st_mode)) {
        landlock_allow(sandbox, file, FS_READ_FILE);
    } else {
        landlock_allow_beside(sandbox, file, FS_READ_FILE);
        if (realpath(file, path))
            landlock_allow_beside(sandbox, path, FS_READ_FILE);
    }
}

/* Where threads have arenas of their own, glibc's malloc(3) reads from files how many processors there are, and whether memory
 * may be overcommitted. */
static void sandbox_share_arena(void)
{
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 1);
#endif
}

/* What a limit says holds without the filter, too: no process more, and no file with what was in memory. */
static void sandbox_limit(unsigned needs)
{
    static const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (!(needs & (SANDBOX_LOOKUP | SANDBOX_THREADS)))
        setrlimit(RLIMIT_NPROC, &none);
}

void sandbox_enter(struct sandbox *sandbox)
{
    if (!sandbox->is_ready)
        return;
    sandbox->is_ready = false;
    log_open();
    sandbox_limit(sandbox->needs);
    if (sandbox->needs & SANDBOX_THREADS)
        sandbox_share_arena();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        log_note(LOG_LEVEL_INFO, "no sandbox: no_new_privs: %s", strerror(errno));
        return;
    }
    if (sandbox->ruleset < 0 || syscall(LANDLOCK_RESTRICT_SELF, sandbox->ruleset, 0) < 0)
        log_note(LOG_LEVEL_INFO, "sandbox without Landlock: the kernel lacks it, or it is off");
    if (sandbox->ruleset >= 0)
        close(sandbox->ruleset);
    if (sandbox_filter(sandbox->needs) < 0)
        log_note(LOG_LEVEL_INFO, "sandbox without a seccomp filter: %s", strerror(errno));
}

const char *sandbox_describe(void)
{
    static char text[64];
    const bool has_filter = sandbox_has_filter();
    const int abi = landlock_abi();
    if (!abi)
        return has_filter ? "seccomp" : "none";
    snprintf(text, sizeof text, "%sLandlock ABI %d", has_filter ? "seccomp, " : "", abi);
    return text;
}

void sandbox_skip(const char *why)
{
    log_note(LOG_LEVEL_INFO, "no sandbox: %s", why);
}
