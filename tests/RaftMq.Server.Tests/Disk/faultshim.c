/*
 * Preloaded (LD_PRELOAD) in front of libc: makes the n-th fdatasync, fsync, write or read on a matching file fail, as a failing disk would.
 *   FAULTSHIM_CALL   fdatasync | fsync | pwrite | pread
 *   FAULTSHIM_PATH   part of the file's path
 *   FAULTSHIM_AFTER  calls that succeed first
 *   FAULTSHIM_ERRNO  the error, as a number; later calls succeed again (fsyncgate: EIO once, then "OK")
 *   FAULTSHIM_LASTS  when set, later calls fail too (a sector that can't be read)
 *   FAULTSHIM_FILE   when set, faults happen only while this file exists, so that a test can switch them on
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int matches(int fd)
{
    const char *part = getenv("FAULTSHIM_PATH");
    const char *gate = getenv("FAULTSHIM_FILE");
    char link[64];
    char path[4096];
    ssize_t length;
    if (part == NULL || (gate != NULL && access(gate, F_OK) != 0))
    {
        return 0;
    }

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length < 0)
    {
        return 0;
    }

    path[length] = 0;
    return strstr(path, part) != NULL;
}

static int fails(const char *call, int fd)
{
    static int seen;
    const char *wanted = getenv("FAULTSHIM_CALL");
    const char *after = getenv("FAULTSHIM_AFTER");
    const char *error = getenv("FAULTSHIM_ERRNO");
    if (wanted == NULL || error == NULL || strcmp(wanted, call) != 0 || !matches(fd))
    {
        return 0;
    }

    int from = after == NULL ? 0 : atoi(after);
    int call_number = __sync_fetch_and_add(&seen, 1);
    if (getenv("FAULTSHIM_LASTS") != NULL ? call_number < from : call_number != from)
    {
        return 0;
    }

    errno = atoi(error);
    return 1;
}

int fdatasync(int fd)
{
    static int (*next)(int);
    if (next == NULL)
    {
        next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    }

    return fails("fdatasync", fd) ? -1 : next(fd);
}

int fsync(int fd)
{
    static int (*next)(int);
    if (next == NULL)
    {
        next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    }

    return fails("fsync", fd) ? -1 : next(fd);
}

ssize_t pread64(int fd, void *bytes, size_t count, off64_t offset)
{
    static ssize_t (*next)(int, void *, size_t, off64_t);
    if (next == NULL)
    {
        next = (ssize_t (*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");
    }

    return fails("pread", fd) ? -1 : next(fd, bytes, count, offset);
}

ssize_t pread(int fd, void *bytes, size_t count, off_t offset)
{
    return pread64(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    static ssize_t (*next)(int, const void *, size_t, off64_t);
    if (next == NULL)
    {
        next = (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    }

    return fails("pwrite", fd) ? -1 : next(fd, bytes, count, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    return pwrite64(fd, bytes, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    static ssize_t (*next)(int, const struct iovec *, int, off64_t);
    if (next == NULL)
    {
        next = (ssize_t (*)(int, const struct iovec *, int, off64_t))dlsym(RTLD_NEXT, "pwritev64");
    }

    return fails("pwrite", fd) ? -1 : next(fd, parts, count, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    return pwritev64(fd, parts, count, offset);
}
