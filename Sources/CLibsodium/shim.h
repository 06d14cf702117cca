#include <sodium.h>
#include <sys/syscall.h>
#include <unistd.h>

// setpriority(2) acts on one thread on Linux, by its kernel id; as plain system calls, because the headers that
// declare it clash with those of Swift's Glibc module. The first argument is PRIO_PROCESS.
static inline long gatepost_nice_this_thread(int nice) {
    return syscall(SYS_setpriority, 0, syscall(SYS_gettid), nice);
}
