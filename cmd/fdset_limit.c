/* SPDX-License-Identifier: ISC */
#include "fdset.h"

#include <fcntl.h>
#include <sys/resource.h>

#define RESERVE 32 /* descriptors */

int fdset_leaves_enough(int fd) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= 2 * RESERVE ||
           (rlim_t)fd + RESERVE < limit.rlim_cur;
}

unsigned long fdset_raise_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
    return limit.rlim_cur > 1000000 ? 1000000 : (unsigned long)limit.rlim_cur;
}

int fdset_reserve(void) { return open("/dev/null", O_RDONLY | O_CLOEXEC); }
