/* SPDX-License-Identifier: ISC */
#include "text.h"

#include <windows.h>

void text_time(char out[TEXT_TIME]) {
    SYSTEMTIME t;
    GetSystemTime(&t);
    snprintf(out, TEXT_TIME, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", t.wYear % 10000u, t.wMonth % 100u, t.wDay % 100u, t.wHour % 100u,
             t.wMinute % 100u, t.wSecond % 100u, t.wMilliseconds % 1000u);
}
