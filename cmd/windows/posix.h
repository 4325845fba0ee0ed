/* SPDX-License-Identifier: ISC */
/*
 * Comes before every file of the program on Windows (-include): the names of POSIX that the C library there does not
 * have, or has with file names that are not UTF-8, or in text mode. The headers that declare its own come first, so the
 * macros do not touch them.
 */
#ifndef SVCONN_CMD_WINDOWS_POSIX_H
#define SVCONN_CMD_WINDOWS_POSIX_H

#ifndef __MINGW_USE_VC2005_COMPAT /* time_t of 64 bits in programs of 32, too; before the first header */
#define __MINGW_USE_VC2005_COMPAT
#endif
#include "svconn_posix.h"
#include "svconn_transport.h"
#include <direct.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <process.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#ifndef SIGHUP
#define SIGHUP 1 /* never comes */
#endif

#define O_CLOEXEC _O_NOINHERIT

/* posix.c: names of files are UTF-8, and what is in them is bytes */
int windows_open(const char *path, int flags, ...);
FILE *windows_fopen(const char *path, const char *mode);
int windows_access(const char *path, int mode);
int windows_unlink(const char *path);
int windows_rmdir(const char *path);
ssize_t windows_read(int fd, void *bytes, size_t len);
ssize_t windows_write(int fd, const void *bytes, size_t len);
int windows_isatty(int fd); /* a console, and not NUL */
int windows_setenv(const char *name, const char *value, int replace);
#undef open
#undef fopen
#undef access
#undef unlink
#undef rmdir
#undef read
#undef write
#undef close
#undef isatty
#undef fsync
#define open windows_open
#define fopen windows_fopen
#define access windows_access
#define unlink windows_unlink
#define rmdir windows_rmdir
#define read windows_read
#define write windows_write
#define close _close
#define isatty windows_isatty
#define setenv windows_setenv
#define fsync windows_fsync
#undef strdup
#define strdup _strdup
#undef umask
#define umask windows_umask
#undef fileno
#define fileno _fileno
#undef getpid
#define getpid _getpid

/* files.c: what the files that are sent and received ask of a disk, by handles of directories and without following
 * links. Modes are not kept; symbolic links are seen, not made or read. */
struct windows_stat {
    uint64_t st_dev, st_ino;
    int64_t st_size;
    unsigned st_mode, st_nlink;
    struct timespec st_mtim;
};
typedef struct windows_dir windows_dir;
struct windows_dirent {
    char d_name[4 * 260];
};
int windows_fstat(int fd, struct windows_stat *st);
int windows_stat(const char *path, struct windows_stat *st);
int windows_lstat(const char *path, struct windows_stat *st);
int windows_fstatat(int dir, const char *name, struct windows_stat *st, int flags);
int windows_openat(int dir, const char *name, int flags, ...);
int windows_unlinkat(int dir, const char *name, int flags);
int windows_mkdirat(int dir, const char *name, unsigned mode);
int windows_renameat(int from, const char *name, int to, const char *new_name);
int windows_rename_new(int dir, const char *name, const char *new_name); /* EEXIST: something has that name */
int windows_symlinkat(const char *target, int dir, const char *name);
ssize_t windows_readlinkat(int dir, const char *name, char *target, size_t size);
int windows_fchmod(int fd, unsigned mode);
int windows_futimens(int fd, const struct timespec times[2]); /* the second one alone */
int windows_ftruncate(int fd, int64_t size);
ssize_t windows_pread(int fd, void *bytes, size_t len, int64_t at);
ssize_t windows_pwrite(int fd, const void *bytes, size_t len, int64_t at);
int windows_flock(int fd, int how);
int windows_fsync(int fd);
mode_t windows_umask(unsigned mask);
char *windows_realpath(const char *path, char *nowhere);
windows_dir *windows_fdopendir(int fd);
struct windows_dirent *windows_readdir(windows_dir *d);
int windows_closedir(windows_dir *d);
int windows_dirfd(windows_dir *d);
#undef stat
#undef fstat
#define stat windows_stat
#define fstat windows_fstat
#define lstat windows_lstat
#define fstatat windows_fstatat
#define openat windows_openat
#define unlinkat windows_unlinkat
#define mkdirat windows_mkdirat
#define renameat windows_renameat
#define symlinkat windows_symlinkat
#define readlinkat windows_readlinkat
#define fchmod windows_fchmod
#define futimens windows_futimens
#undef ftruncate
#define ftruncate windows_ftruncate
#define pread windows_pread
#define pwrite windows_pwrite
#define flock windows_flock
#define realpath windows_realpath
#define DIR windows_dir
#define dirent windows_dirent
#define fdopendir windows_fdopendir
#define readdir windows_readdir
#define closedir windows_closedir
#define dirfd windows_dirfd
#define O_DIRECTORY 0x10000000
#define O_NOFOLLOW 0x20000000
#define O_NONBLOCK 0
#define O_NOCTTY 0
#define AT_SYMLINK_NOFOLLOW 1
#define LOCK_EX 1
#define LOCK_NB 2
#define UTIME_OMIT (-2L)
#undef S_ISLNK
#define S_IFLNK 0xa000
#define S_ISLNK(mode) (((mode)&S_IFMT) == S_IFLNK)
#ifndef EDQUOT
#define EDQUOT 1000 /* never comes */
#endif

#endif
