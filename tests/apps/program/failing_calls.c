// Preloaded into the program: the k-th call that changes a file below a folder fails.
//   FAULT_FOLDER  the folder, as a real path
//   FAULT         "none" (for the log), "K:ERRNO" (its number),
//                      "K:short" (half of it is written) or "all:short", "all:eintr"
//                      (each call is interrupted once before it works)
//   FAULT_LOG     a file that gets a line for each call: number, what, path
// What C and C++ streams write does not come by here: the C library calls itself inside.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum verdict { go_on, fail, shorten };

static int calls, interrupted;

static int ours(const char* path) {
  const char* folder = getenv("FAULT_FOLDER");
  return folder != NULL && path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int ours_by_descriptor(int fd, char* path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return ours(path);
}

// Of the next call; `what` and `path` for the log.
static enum verdict judge(const char* what, const char* path, int can_be_short) {
  const char* fault = getenv("FAULT");
  if (fault == NULL) return go_on;
  if (strcmp(fault, "all:eintr") == 0) {
    interrupted = can_be_short && !interrupted;
    errno = EINTR;
    return interrupted ? fail : go_on;
  }
  if (strcmp(fault, "all:short") == 0) return can_be_short ? shorten : go_on;
  ++calls;
  const char* log = getenv("FAULT_LOG");
  if (log != NULL) {
    char line[PATH_MAX + 64];
    const int length = snprintf(line, sizeof line, "%d %s %s\n", calls, what, path);
    const long fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd >= 0) {
      syscall(SYS_write, fd, line, (size_t)length);
      syscall(SYS_close, fd);
    }
  }
  const char* colon = strchr(fault, ':');
  if (colon == NULL || atoi(fault) != calls) return go_on;
  if (strcmp(colon + 1, "short") == 0) return can_be_short ? shorten : go_on;
  errno = atoi(colon + 1);
  return fail;
}

static int open_for(int folder, const char* path, int flags, mode_t mode) {
  // Reading is no change, but a folder is opened to be synced.
  const int changes = (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0;
  if (changes && ours(path) && judge("open", path, 0) == fail) return -1;
  return (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define OPEN_LIKE(name)                                  \
  int name(const char* path, int flags, ...) {           \
    va_list rest;                                        \
    va_start(rest, flags);                               \
    const mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                        \
    return open_for(AT_FDCWD, path, flags, mode);        \
  }
OPEN_LIKE(open)
OPEN_LIKE(open64)
int __open_2(const char* path, int flags) { return open_for(AT_FDCWD, path, flags, 0); }
int __open64_2(const char* path, int flags) { return open_for(AT_FDCWD, path, flags, 0); }

ssize_t write(int fd, const void* bytes, size_t count) {
  char path[PATH_MAX];
  if (count > 0 && ours_by_descriptor(fd, path)) {
    const enum verdict verdict = judge("write", path, 1);
    if (verdict == fail) return -1;
    if (verdict == shorten && count > 1) count /= 2;
  }
  return syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t at) {
  char path[PATH_MAX];
  if (count > 0 && ours_by_descriptor(fd, path)) {
    const enum verdict verdict = judge("pwrite", path, 1);
    if (verdict == fail) return -1;
    if (verdict == shorten && count > 1) count /= 2;
  }
  return syscall(SYS_pwrite64, fd, bytes, count, at);
}
ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
  return pwrite64(fd, bytes, count, at);
}

int fsync(int fd) {
  char path[PATH_MAX];
  if (ours_by_descriptor(fd, path) && judge("fsync", path, 0) == fail) return -1;
  return (int)syscall(SYS_fsync, fd);
}

// It closes even where it fails, as Linux does.
int close(int fd) {
  char path[PATH_MAX];
  const int writes = (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
  const int fails = writes && ours_by_descriptor(fd, path) && judge("close", path, 0) == fail;
  const int error = errno;
  if (syscall(SYS_close, fd) < 0) return -1;
  if (!fails) return 0;
  errno = error;
  return -1;
}

int rename(const char* from, const char* to) {
  if (ours(to) && judge("rename", to, 0) == fail) return -1;
  return (int)syscall(SYS_rename, from, to);
}

int ftruncate64(int fd, off64_t length) {
  char path[PATH_MAX];
  if (ours_by_descriptor(fd, path) && judge("ftruncate", path, 0) == fail) return -1;
  return (int)syscall(SYS_ftruncate, fd, length);
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
