#include <sodium.h>
#include <sys/syscall.h>
#include <unistd.h>

// As plain system calls, because the headers that declare them clash with those of Swift's Glibc module.
//
// sched_setattr(2) makes the thread nice and its turns short: 0.1 ms (Linux 6.12; older ones take the niceness alone),
// or whoever wakes would wait for the end of a turn of 3 ms. Where it is refused, setpriority(2) is left, which acts
// on one thread on Linux; its first argument is PRIO_PROCESS.
static inline long gatepost_nice_this_thread(int nice) {
    struct {
        unsigned size, policy;
        unsigned long long flags;
        int nice;
        unsigned priority;
        unsigned long long turn_ns, deadline, period;
    } attributes = {.size = sizeof attributes, .nice = nice, .turn_ns = 100000};
    if (syscall(SYS_sched_setattr, 0, &attributes, 0) == 0) return 0;
    return syscall(SYS_setpriority, 0, syscall(SYS_gettid), nice);
}
