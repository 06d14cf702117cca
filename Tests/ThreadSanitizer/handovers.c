// Tells ThreadSanitizer what Swift's own libraries, which are not instrumented, hand from one thread to another.
//
// Two places of Swift 6.3 order threads in ways that the sanitizer does not see (docs/decisions/0027): a
// `Synchronization.Mutex` that is taken or given back after a wait, in its library, and a continuation that is awaited
// after it was resumed, in the runtime. Loaded before them, this library stands in their place, calls them, and states
// what they have ordered: `__tsan_release` before a thread gives away, `__tsan_acquire` after another has received.
// It adds no other order, so every race that is one is still seen.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define SWIFT __attribute__((swiftcall))
#define SWIFT_SELF __attribute__((swift_context))
#define ASYNC __attribute__((swiftasynccall))
#define ASYNC_CONTEXT __attribute__((swift_async_context))

// The sanitizer's runtime is in the program; a tool that is started without it goes on unharmed.
extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

static void acquire(void *address) {
  if (__tsan_acquire) __tsan_acquire(address);
}

static void release(void *address) {
  if (__tsan_release) __tsan_release(address);
}

// What is called in the end; found once, since `dlsym` takes a lock of its own.
static void *next(const char *name, _Atomic(void *) *found) {
  void *function = atomic_load_explicit(found, memory_order_relaxed);
  if (function) return function;
  function = dlsym(RTLD_NEXT, name);
  if (!function) abort();
  atomic_store_explicit(found, function, memory_order_relaxed);
  return function;
}

// The mutex: its handle is the word that its inlined part changes by atomics, which the sanitizer sees.

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock(uint32_t thread, SWIFT_SELF void *handle) __asm__(LOCK);
SWIFT void lock(uint32_t thread, SWIFT_SELF void *handle) {
  static _Atomic(void *) found;
  SWIFT void (*real)(uint32_t, SWIFT_SELF void *) = next(LOCK, &found);
  real(thread, handle);
  acquire(handle);
}

SWIFT bool tryLock(SWIFT_SELF void *handle) __asm__(TRY_LOCK);
SWIFT bool tryLock(SWIFT_SELF void *handle) {
  static _Atomic(void *) found;
  SWIFT bool (*real)(SWIFT_SELF void *) = next(TRY_LOCK, &found);
  bool isTaken = real(handle);
  if (isTaken) acquire(handle);
  return isTaken;
}

SWIFT void unlock(SWIFT_SELF void *handle) __asm__(UNLOCK);
SWIFT void unlock(SWIFT_SELF void *handle) {
  static _Atomic(void *) found;
  SWIFT void (*real)(SWIFT_SELF void *) = next(UNLOCK, &found);
  release(handle);
  real(handle);
}

// The continuation: who resumes it releases its task, and what the task does next, wherever that runs, acquires it. The
// function with which the task goes on stands in the context of the continuation, and is exchanged for one that
// acquires first.

extern SWIFT void *swift_task_getCurrent(void) __attribute__((weak));

typedef ASYNC void Resume(ASYNC_CONTEXT void *context);

// The first two words of every context (AsyncContext in the runtime's Task.h).
struct Context {
  struct Context *parent;
  Resume *resumeParent;
};

// Which functions were exchanged: an open table under a lock of its own, which the sanitizer does not see either.
enum { places = 1 << 16 };
static struct Exchanged {
  void *context;
  Resume *function;
} exchanged[places];
static atomic_flag isBusy = ATOMIC_FLAG_INIT;

static void enter(void) {
  while (atomic_flag_test_and_set_explicit(&isBusy, memory_order_acquire)) {
  }
}

static void leave(void) { atomic_flag_clear_explicit(&isBusy, memory_order_release); }

static size_t home(void *context) { return ((uintptr_t)context >> 4) * 0x9E3779B97F4A7C15ull >> 48; }

static bool keep(void *context, Resume *function) {
  enter();
  size_t tried = 0, place = home(context);
  // One of the same context is of a task that was never resumed, whose memory is another's by now.
  while (exchanged[place].context && exchanged[place].context != context && tried < places)
    place = (place + 1) % places, tried++;
  bool hasRoom = tried < places;
  if (hasRoom) exchanged[place] = (struct Exchanged){context, function};
  leave();
  return hasRoom;
}

static Resume *take(void *context) {
  enter();
  size_t place = home(context);
  while (exchanged[place].context != context) place = (place + 1) % places;
  Resume *function = exchanged[place].function;
  // What follows moves up, so that no search ends too early.
  size_t hole = place;
  for (size_t at = (hole + 1) % places; exchanged[at].context; at = (at + 1) % places) {
    size_t wanted = home(exchanged[at].context);
    if ((at - wanted) % places >= (at - hole) % places) exchanged[hole] = exchanged[at], hole = at;
  }
  exchanged[hole] = (struct Exchanged){NULL, NULL};
  leave();
  return function;
}

static ASYNC void goOn(ASYNC_CONTEXT void *continuation) {
  acquire(swift_task_getCurrent());
  Resume *real = take(continuation);
  __attribute__((musttail)) return real(continuation);
}

ASYNC void swift_continuation_await(struct Context *continuation, ASYNC_CONTEXT void *context) {
  static _Atomic(void *) found;
  ASYNC void (*real)(struct Context *, ASYNC_CONTEXT void *) = next("swift_continuation_await", &found);
  if (keep(continuation, continuation->resumeParent)) continuation->resumeParent = goOn;
  __attribute__((musttail)) return real(continuation, context);
}

SWIFT void swift_continuation_resume(void *task) {
  static _Atomic(void *) found;
  SWIFT void (*real)(void *) = next("swift_continuation_resume", &found);
  release(task);
  real(task);
}

SWIFT void swift_continuation_throwingResume(void *task) {
  static _Atomic(void *) found;
  SWIFT void (*real)(void *) = next("swift_continuation_throwingResume", &found);
  release(task);
  real(task);
}

SWIFT void swift_continuation_throwingResumeWithError(void *task, void *error) {
  static _Atomic(void *) found;
  SWIFT void (*real)(void *, void *) = next("swift_continuation_throwingResumeWithError", &found);
  release(task);
  real(task, error);
}
