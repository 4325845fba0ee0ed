/* SPDX-License-Identifier: ISC */
#include "fake.h"
typedef unsigned ULONG;
typedef int NTSTATUS;
