/* SPDX-License-Identifier: ISC */
#include "startup.h"

#include "wide.h"

#include <stdlib.h>
#include <windows.h>
#include <shellapi.h> /* behind windows.h */

/* What the C library made of the arguments is in the code page of the system, which lacks most letters. They are never
 * freed. */
static int take_arguments(int *argc, char ***argv) {
    int n;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &n);
    char **list = wide ? calloc((size_t)n + 1, sizeof *list) : NULL;
    for (int i = 0; list && i < n; i++) {
        int size = WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, NULL, 0, NULL, NULL);
        list[i] = malloc((size_t)size);
        if (size <= 0 || !list[i]) return -1;
        (void)WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, list[i], size, NULL, NULL);
    }
    if (!list) return -1;
    *argc = n;
    *argv = list;
    return 0;
}

/* Bytes as they are: no line ends changed, no end at a Ctrl-Z. */
int startup_prepare(int *argc, char ***argv) {
    for (int fd = 0; fd <= 2; fd++) (void)_setmode(fd, _O_BINARY);
    /* cmd.exe, and what starts it, look for programs in the current directory first, where files of others may have
     * been received */
    if (!SetEnvironmentVariableW(L"NoDefaultCurrentDirectoryInExePath", L"1")) return -1;
    return take_arguments(argc, argv);
}

void startup_writes_files(void) {}
